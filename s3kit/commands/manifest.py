"""s3-manifest: make a manifest of buckets, prefixes or a local tree, or convert one."""

import contextlib
import os
from argparse import Namespace

from s3kit.cli import frame, options
from s3kit.cli.messages import say
from s3kit.cli.progress import Progress
from s3kit.cli.signals import Signals
from s3kit.cli.streams import Sink, Source, closing
from s3kit.cli.tally import Tally
from s3kit.errors import DONE, SOME_FAILED, Usage
from s3kit.text import count
from s3kit.units import show_time

NAME = "s3-manifest"
# What makes or writes a manifest.
NOT_CHECKED = ("buckets_file", "all_buckets", "exclude_bucket", "versions", "at", "prefix",
               "format", "output", "follow_links")


def build_parser():
    """Declare the options of s3-manifest."""
    p = options.parser(NAME,
                       "Make a manifest of buckets, prefixes or a local tree, or convert one.",
                       example="s3-manifest s3://photos/ > photos.csv")
    p.add_argument("source", metavar="SOURCE", nargs="*",
                   help="s3://bucket/prefix, a directory, or a manifest to convert")
    p.add_argument("--buckets-file", metavar="FILE",
                   help="also the buckets (or s3:// addresses) in FILE, one a line")
    p.add_argument("--all-buckets", action="store_true", help="all buckets that we may see")
    p.add_argument("--exclude-bucket", metavar="GLOB", action="append", default=[],
                   type=options.unicode_text, help="but not these")
    p.add_argument("--versions", action="store_true", help="all versions and delete markers")
    p.add_argument("--at", metavar="TIME", type=options.moment,
                   help="the objects as they were at TIME")
    p.add_argument("--follow-links", action="store_true",
                   help="list what symbolic links in a directory lead to")
    p.add_argument("--check", action="store_true",
                   help="write what is wrong with manifests, one finding a line, and no manifest")
    p.add_argument("--online", action="store_true",
                   help="with --check: also what S3 does not have")
    options.dest_option(p, "with --check: where files would lie (the current directory)")
    options.bucket_option(p)
    p.add_argument("--prefix", metavar="P", type=options.unicode_text,
                   help="what the keys of another tool's list (--from) lack at their beginning")
    options.output_options(p, in_place=False, foreign=True)
    options.progress_options(p)
    options.filter_options(p)
    options.connections_option(p)
    options.s3_options(p)
    return p


class Manifests:
    """The manifests among the sources; the first decides on the form, and one that is `alone` on
    the mark of the shard, else all.
    """

    def __init__(self, args, alone):
        self.args, self.alone = args, alone
        self.sources, self.reports = [], []     # the latter in S3

    def read(self, path):
        """Return the Source of a manifest."""
        source = self.source_of([path])
        self.sources.append(source)
        return source

    def source_of(self, paths):
        """Return the Source of manifests that follow one another."""
        return Source(Namespace(prog=NAME, file=paths, bucket=self.args.bucket,
                                columns=self.args.columns, from_form=self.args.from_form,
                                prefix=self.args.prefix))

    def form(self):
        """Return the form to write."""
        return self.args.format or (self.sources[0].form if self.sources else "csv")

    def share(self):
        """Return how much of a manifest that is alone was read, from 0 to 1; else None."""
        return self.sources[0].share() if self.alone and self.sources else None

    def unsorted(self):
        """Yield the names of what came in no order, and has none by its nature."""
        readers = [(source.input.name, source.input.reader) for source in self.sources]
        readers += [(reader.place.name, reader) for reader in self.reports]
        yield from (name for name, reader in readers if not reader.is_sorted)

    def shard(self):
        """Return the mark for the head."""
        if self.alone:
            return self.sources[0].shard() if self.sources else ""
        paths = self.args.source        # only files are looked at; what is no file has no mark
        return (self.source_of(paths).shard()
                if len(paths) > 1 and all(map(os.path.isfile, paths)) else "")


class LeftOut:
    """Tells people what in a directory has no row, where the filters would have kept it."""

    def __init__(self, keep, tally):
        self.keep, self.tally = keep, tally

    def __call__(self, top, row, kind):
        if self.keep([row]):
            self.tally.say(f"'{os.path.join(top, row.path)}' is a {kind}: left out")


def manifest(args):
    """Write the rows of every source, filtered; return the status."""
    from s3kit.listing.sources import rows_of, sources
    from s3kit.manifest.filters import Filter
    if args.check:
        return check(args)
    check_options(args)
    found, keep = sources(args), Filter(args)
    tally = Tally(args, "the manifest is not whole")
    progress = Progress(args, "row")
    manifests, nonsense, missing = Manifests(args, len(found) == 1), 0, []
    with closing(Sink(args, manifests.form, source_rows=True, shard=manifests.shard),
                 progress) as sink:
        for rows, extras in rows_of(found, args, Signals.check, manifests.read, missing.append,
                                    manifests.reports.append, LeftOut(keep, tally)):
            rows = keep(rows)
            for row in rows:
                nonsense += row.verbatim is not None
                tally.count(row, told=row.verbatim is not None)
            if rows:
                sink.write(rows, extras)
            progress.move(len(rows))
            progress.read(manifests.share())
    conclude(args, tally, progress, missing, manifests.unsorted())
    return SOME_FAILED if nonsense or missing else DONE


def check_options(args):
    """Raise Usage for options that do not go together."""
    if args.online or args.dest != ".":
        raise Usage("--online and -d go with --check")
    if args.versions and args.at:
        raise Usage("--versions and --at exclude each other")
    if args.prefix and args.from_form in (None, "csv", "xml"):
        raise Usage("--prefix goes with --from and another tool's form")


def check(args):
    """Write what is wrong with manifests; return the status."""
    from s3kit.check.run import Checking
    for name in NOT_CHECKED:
        if getattr(args, name):
            raise Usage(f"--check reads manifests and writes none: it goes with no "
                        f"--{name.replace('_', '-')}")
    for path in args.source:
        if path.startswith("s3://") or args.from_form is None and os.path.isdir(path):
            raise Usage(f"--check reads manifests: '{path}' is none")
    if not args.source and os.isatty(0) or args.source.count("-") > 1:
        raise Usage("--check reads manifests: FILE ..., or one on stdin")
    tally, progress = Tally(args), Progress(args, "row")
    with contextlib.closing(progress):
        checking = Checking(args, (tally, progress, Signals))
        checking.run()
        tally.summary(progress, checking.summary())
    return checking.status()


def conclude(args, tally, progress, missing, unsorted):
    """Say how much it was, which addresses named nothing, and with -v what servers lacked, and
    which inputs came unsorted.
    """
    from s3kit.s3.capabilities import KNOWN
    for address in missing:
        when = f" at {show_time(args.at)}" if args.at else ""
        say(NAME, f"cannot find '{address}': no such key or prefix{when}")
    if args.verbose or progress.is_shown:
        tally.summary(progress, [count(tally.rows(), "row")])
    KNOWN.tell(tally.say, args.verbose)
    for name in unsorted if args.verbose else ():
        tally.say(f"the rows of '{name}' are not in order of their keys (s3-filter --sort key puts "
                  "them so)")


def main(argv=None):
    """Run s3-manifest."""
    return frame.run(build_parser(), manifest, argv)
