"""The options that mean the same everywhere (s3kit(7)), and the types of their values."""

import argparse
import re
from datetime import datetime, timezone

from s3kit import __version__
from s3kit.cli.messages import say
from s3kit.cores import usable_cores
from s3kit.errors import Usage
from s3kit.text import is_unicode
from s3kit.units import READ_TIMEOUT, number, show_time

SHORT = 2           # characters of `-d`; what is as short is like any other
ALIKE = 0.7         # how much of two options must be the same (difflib's ratio)


class Parser(argparse.ArgumentParser):
    """argparse with our messages: one line, the program's name, status 2."""

    example = ""

    def format_help(self):
        """Return the help, which ends with an example and where the exit statuses are told."""
        return (f"{super().format_help()}\nexample:\n  {self.example}\n\n"
                f"Exit statuses: {self.prog}(1)\n")

    def error(self, message):
        """Raise Usage."""
        raise Usage(f"{message} (try '{self.prog} --help')")

    def parse_args(self, args=None, namespace=None):
        """Return the options and arguments. Raises Usage for what none of them is."""
        return self.known(*self.parse_known_args(args, namespace))

    def parse_intermixed_args(self, args=None, namespace=None):
        """Return what parse_args does, arguments also where they stand among options."""
        return self.known(*self.parse_known_intermixed_args(args, namespace))

    def known(self, args, rest):
        """Return the options. Raises Usage where argparse knew no use for the `rest`."""
        wrong = [word for word in rest if word.startswith("-")]
        if wrong:
            option = wrong[0].partition("=")[0]
            near = nearest(option, self._option_string_actions)
            self.error(f"unknown option '{option}'"
                       + (f": did you mean {' or '.join(near)}?" if near else ""))
        if rest:
            self.error(f"unexpected argument '{rest[0]}': it has to stand beside the others")
        self.warn_of_future(args)
        if hasattr(args, "keys"):
            self.take_keys(args)
        return args

    def take_keys(self, args):
        """Have -0 and --keys mean what --from and FILE do."""
        if not args.null and args.keys is None:
            return
        if args.from_form or args.columns:
            self.error("-0 and --keys say what the input is: they go with no --from or --columns")
        args.from_form = "keys0" if args.null else "keys"
        files = args.file if hasattr(args, "file") else args.source
        if args.keys is not None and files:
            self.error("--keys FILE is the input: it goes with no other")
        files += [args.keys] if args.keys is not None else []

    def warn_of_future(self, args):
        """Tell people of times that are still to come: they choose what nobody wants chosen."""
        times = [(action.option_strings[0], getattr(args, action.dest))
                 for action in self._actions if action.type is moment]
        for option, time in times if not args.quiet else ():
            if time and time > datetime.now(timezone.utc):
                say(self.prog, f"warning: {option} {show_time(time)} is in the future"
                               + (": what is there now is meant" if option == "--at" else "")
                               + " (a time without a zone is UTC)")


def nearest(option, names):
    """Return the names of options that a mistyped one may be meant as, three at most."""
    within = [name for name in names if len(option) > SHORT and option.lstrip("-") in name]
    if 0 < len(within) <= 3:
        return within
    from difflib import get_close_matches       # which costs a start 2 ms
    return get_close_matches(option, [name for name in names if len(name) > SHORT], 1,
                             ALIKE)


def parser(name, purpose, usage=None, example=""):
    """Return a Parser with what every command has; `example` is a command line for its help."""
    made = Parser(prog=name, description=purpose, usage=usage, add_help=False, allow_abbrev=False,
                  formatter_class=lambda prog: argparse.HelpFormatter(
                      prog, max_help_position=32, width=96))
    made.set_defaults(prog=name)
    made.example = example
    made.add_argument("-h", "--help", action="help", help="show this help and exit")
    made.add_argument("--version", action="version", version=f"{name} (s3kit) {__version__}")
    made.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    made.add_argument("-v", "--verbose", action="store_true",
                      help="name every row and what became of it")
    return made


def progress_options(made):
    """Add how the run is told while it goes on."""
    made.add_argument("--progress", metavar="TIME", type=span,
                      help="say in a line every TIME how it goes (60s; a bar on a terminal)")
    made.add_argument("--run", metavar="NAME", type=run_name,
                      help="the name under which the pipeline is shown")


S3_OPTIONS = ("profile", "region", "endpoint_url", "no_sign_request", "request_payer", "ca_bundle",
              "no_verify_ssl", "read_timeout")


def s3_options(made, side=""):
    """Add the S3 options, named as the AWS CLI names them; where there are two sides each has them
    with its name before (`--source-profile`).
    """
    group = made.add_argument_group(f"the {side}'s S3" if side else "S3")
    start = f"--{side}-" if side else "--"
    group.add_argument(f"{start}profile", metavar="NAME", type=unicode_text,
                       help="use this profile of the AWS configuration")
    group.add_argument(f"{start}region", metavar="REGION", type=unicode_text,
                       help="the region to ask")
    group.add_argument(f"{start}endpoint-url", metavar="URL", type=unicode_text,
                       help="use another S3 than Amazon's")
    group.add_argument(f"{start}no-sign-request", action="store_true",
                       help="ask as nobody, for public buckets")
    group.add_argument(f"{start}request-payer", nargs="?", const="requester",
                       choices=("requester",), help="agree to pay for requests and transfer")
    group.add_argument(f"{start}ca-bundle", metavar="FILE", help="certificates to trust")
    group.add_argument(f"{start}no-verify-ssl", action="store_true",
                       help="do not check the server's certificate")
    group.add_argument(f"{start}read-timeout", metavar="SECONDS", type=whole, default=READ_TIMEOUT,
                       help=f"how long an answer may take to begin ({READ_TIMEOUT}; 0: for ever)")


def s3_options_of(args, side):
    """Return the S3 options of one side as those of a command that has one."""
    return argparse.Namespace(**{name: getattr(args, f"{side}_{name}") for name in S3_OPTIONS})


def input_options(made, several=True):
    """Add FILE and how to read it."""
    made.add_argument("file", metavar="FILE", nargs="*",
                      help="manifests; standard input if none or -")
    bucket_option(made)


def bucket_option(made):
    """Add how to read rows of a bare form."""
    made.add_argument("--bucket", metavar="B", type=bucket_name,
                      help="the bucket of rows that name none")
    made.add_argument("--columns", metavar="A,B,...", type=column_list,
                      help="the columns of input that has no header")
    made.add_argument("--from", metavar="FORM", type=read_form, dest="from_form",
                      help="the form of the input, where its first bytes do not show it")
    made.add_argument("-0", "--null", action="store_true",
                      help="the input is a list of keys as they are, each ended by a NUL")
    made.add_argument("--keys", metavar="FILE",
                      help="the input is FILE, a list of keys as they are, one a line")


def output_options(made, in_place=True, foreign=False):
    """Add where and how a manifest is written; with `foreign` also in other tools' forms."""
    if foreign:
        made.add_argument("-f", "--format", metavar="FORM", type=written_form,
                          help="the form to write (as the input): csv, xml, or another tool's")
    else:
        made.add_argument("-f", "--format", choices=("csv", "xml"),
                          help="the form to write (as the input)")
    made.add_argument("-o", "--output", metavar="FILE",
                      help="write to FILE, atomically (stdout, as -); .gz and .zst compress")
    if in_place:
        made.add_argument("-i", "--in-place", action="store_true",
                          help="rewrite FILE with the verdicts, atomically")


def dest_option(made, text):
    """Add the destination."""
    made.add_argument("-d", "--dest", metavar="DIR", default=".", help=text)


def pool_options(made, connections=True, requests=True):
    """Add how many work at once, and with `requests` how much they may ask."""
    made.add_argument("-j", "--jobs", metavar="N", type=positive, default=usable_cores(),
                      help="worker processes (one a core that may be used)")
    if connections:
        connections_option(made, requests)


def connections_option(made, requests=True):
    """Add how many requests a process has under way, and with `requests` how many it sends."""
    made.add_argument("-c", "--connections", metavar="N", type=positive,
                      help="connections of each process at most (found while it runs)")
    if requests:
        requests_option(made)


def requests_option(made):
    """Add how many requests a second all processes send, together."""
    made.add_argument("--limit-requests", metavar="RATE", type=rate, default=0,
                      help="send at most so many requests a second, like 3500 or 3500/s")


def cluster_option(made):
    """Add whose workers do the work."""
    made.add_argument("--scheduler", metavar="ADDRESS", type=scheduler,
                      help="have the workers of a Dask cluster do it; 'local': try that here")


class Rule(argparse.Action):
    """Collects --include and --exclude in the order they were given."""

    def __call__(self, made, namespace, value, option=None):
        """Append (keeps, is a regular expression, pattern)."""
        rules = list(getattr(namespace, "rules", None) or [])
        if not is_unicode(value):
            made.error(f"argument {option}: '{value}' is not UTF-8 text, as all keys are")
        if option.endswith("regex"):
            import re
            try:
                re.compile(value)
            except re.error as error:
                made.error(f"argument {option}: '{value}' is not a regular expression: {error}")
        rules.append(("include" in option, option.endswith("regex"), value))
        namespace.rules = rules


def filter_options(made, storage_class=True):
    """Add what selects rows; --storage-class may mean something else to a command."""
    group = made.add_argument_group("filters",
                                    "Globs match the whole key, '*' also '/'. The last rule that "
                                    "matches "
                                    "decides; if the first rule is an include, the rest is left "
                                    "out.")
    for option, text in (("--include", "keep keys that match GLOB"),
                         ("--exclude", "leave out keys that match GLOB")):
        group.add_argument(option, metavar="GLOB", action=Rule, dest="rules", help=text)
        group.add_argument(f"{option}-regex", metavar="RE", action=Rule, dest="rules",
                           help=text.replace("GLOB", "RE somewhere"))
    group.add_argument("--min-size", metavar="SIZE", type=size,
                       help="at least so many bytes, like 10M or 1.5G")
    group.add_argument("--max-size", metavar="SIZE", type=size, help="at most so many bytes")
    group.add_argument("--newer", metavar="TIME", type=moment,
                       help="modified since TIME, like 2026-01-31, yesterday, 12:00, 7d (ago)")
    group.add_argument("--older", metavar="TIME", type=moment, help="modified before TIME")
    if storage_class:
        group.add_argument("--storage-class", metavar="CLASS,...",
                           type=lambda text: text.upper().split(","),
                           help="only these storage classes")
    else:
        made.set_defaults(storage_class=None)


def read_form(text):
    """Return the name of a form that can be read."""
    from s3kit.manifest.foreign import READ
    return one_of(("csv", "xml", *READ), text)


def written_form(text):
    """Return the name of a form that can be written."""
    from s3kit.manifest.foreign import WRITTEN
    return one_of(("csv", "xml", *WRITTEN), text)


def one_of(names, text):
    """Return a name that is among `names`."""
    if text not in names:
        raise argparse.ArgumentTypeError(f"'{text}' is not one of {', '.join(names)}")
    return text


def column_list(text):
    """Return the names of `--columns`."""
    from s3kit.manifest.row import column_of
    names = [name.strip() for name in text.split(",")]
    if "key" not in map(column_of, names):
        raise argparse.ArgumentTypeError("there must be a column 'key'")
    return names


def unicode_text(text):
    """Return a text that can be sent."""
    if not is_unicode(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not UTF-8 text")
    return text


def run_name(text):
    """Return the name of a run."""
    if not text.isprintable() or not 0 < len(unicode_text(text)) <= 100:
        raise argparse.ArgumentTypeError(f"'{text}' is not a name of at most 100 characters")
    return text


def bucket_name(text):
    """Return the name of a bucket."""
    from s3kit.manifest.row import BUCKET
    if not BUCKET.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' cannot be the name of a bucket")
    return text


def scheduler(text):
    """Return the address of a Dask scheduler, or `local`."""
    if text != "local" and not re.fullmatch(r"([a-z]+://)?[^/\s]+:\d+/?", text):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no address of a scheduler, like tcp://host:8786")
    return text


def positive(text):
    """Return a number of at least 1."""
    value = number(text)
    if not value:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of at least 1")
    return value


def rate(text):
    """Return a number of requests a second, at least 1."""
    return positive(text.removesuffix("/s"))


def whole(text):
    """Return a number of at least 0."""
    value = number(text)
    if value is None:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number")
    return value


def size(text):
    """Return a size in bytes."""
    from s3kit.units import parse_size
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def span(text):
    """Return a span of time in seconds."""
    from s3kit.units import parse_span
    try:
        return parse_span(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def moment(text):
    """Return a time as an aware datetime."""
    from s3kit.units import parse_time
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
