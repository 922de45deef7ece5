"""s3-status: say what runs, how a destination or a manifest stands, and what is proven."""

import contextlib
import os
import stat
import sys
import time

from s3kit import __version__
from s3kit.cli import frame, options
from s3kit.cli.messages import say
from s3kit.cli.progress import Progress
from s3kit.cli.streams import Sink, Source, closing
from s3kit.errors import DONE, UNFINISHED, Usage
from s3kit.text import count, visible

NAME = "s3-status"


def build_parser():
    """Declare the options of s3-status."""
    p = options.parser(NAME, "Say what runs, how a destination or a manifest stands, and what is "
                             "proven.",
                       example="s3-status --errors -d /data | s3-fetch -d /data -o again.csv")
    options.input_options(p)
    p.add_argument("-d", "--dest", metavar="DIR",
                   help="the destination of s3-fetch, s3-verify or s3-put whose ledger is read")
    p.add_argument("--watch", action="store_true",
                   help="what runs, on the whole screen, until q is pressed")
    p.add_argument("--reset", action="store_true", help="forget the runs that have ended")
    p.add_argument("--yes", action="store_true", help="--reset: do not ask")
    p.add_argument("--errors", action="store_true",
                   help="what is wrong by cause, and what to do; into a pipe or -o: those rows")
    p.add_argument("--json", action="store_true", help="one JSON object")
    p.add_argument("--html", metavar="FILE", help="write a page to keep, atomically")
    options.output_options(p, in_place=False)
    p.set_defaults(is_published=False)      # who looks is not looked at
    return p


class Inputs(Source):
    """The manifests, each of which is hashed as it is read."""

    def __init__(self, args):
        super().__init__(args)
        self.inputs = []

    def begin(self, fd, name):
        """Return the Input of a descriptor."""
        from s3kit.status.manifests import Heard
        made = super().begin(fd, name)
        made.hash = Heard()
        self.inputs.append(made)
        return made


def check(args):
    """Refuse options that mean nothing together. Raises Usage."""
    if args.dest is not None and args.file:
        raise Usage("-d DIR and FILE are two things to look at: give one of them")
    if args.html == "-":
        raise Usage("--html writes a file: give it a name")
    if (args.output or args.format) and not args.errors:
        raise Usage("-o and -f go with --errors, which writes rows")
    if is_of_runs(args) and (args.file or args.errors or args.html):
        raise Usage("--errors and --html want -d DIR, or a manifest as FILE or on stdin, like: "
                    f"s3-manifest s3://bucket/ | s3-fetch -d DIR | {NAME}; --watch and --reset are "
                    "of runs")


def is_of_runs(args):
    """Return whether it is runs that are to be shown."""
    return args.watch or args.reset or (
        args.dest is None and not args.file and not comes_something())


def comes_something():
    """Return whether stdin is a pipe or a file: who looks at a destination or at what runs may
    stand anywhere.
    """
    mode = os.fstat(0).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def status(args):
    """Say how it stands; return the status."""
    check(args)
    if is_of_runs(args):
        return of_runs(args)
    source = Inputs(args) if args.dest is None else None
    if args.errors and (args.output is not None or not (args.json or os.isatty(1))):
        return with_rows(args, source)
    with contextlib.closing(Progress(args, "row")) as progress:
        figures, facts, cut = looked(args, source, progress)
    if cut:
        say(NAME, cut)
    tell(args, facts, sys.stdout)
    return UNFINISHED if cut else figures.status()


def of_runs(args):
    """Show what runs and has run, watch it, or forget it; return the status."""
    from s3kit.cli.signals import Signals
    from s3kit.status import live
    if args.reset:
        return reset(args)
    dest = args.dest and os.path.abspath(args.dest)
    if args.watch:
        from s3kit.status.watch import watch
        watch(lambda: live.found(dest), Signals.check, sys.stdout.write)
        return DONE
    groups, unread = live.found(dest)
    if args.json:
        import json
        sys.stdout.write(f"{json.dumps(live.facts(groups, unread))}\n")
    else:
        sys.stdout.write("".join(f"{visible(line)}\n" for line in live.lines(groups, unread)))
    return live.status_of(groups)


def reset(args):
    """Forget the runs that have ended, if a person says yes; return the status."""
    from s3kit.cli.person import Person
    from s3kit.runs import pipelines
    from s3kit.status import live
    groups, _ = live.found(None)
    over = [each for group in groups if not pipelines.is_at_work(group) for each in group]
    if not args.yes and over and not Person("--yes resets without asking")(
            f"Forget {count(len(over), 'command')} that have ended? Ledgers stay as they are."):
        raise Usage("nothing was reset")
    pipelines.forget(over)
    return DONE


def with_rows(args, source):
    """Write the rows with errors as a manifest, and tell of them beside it; return the status.

    Raises the Cut of the input.
    """
    form, shard, extras = (((lambda: source.form), source.shard, source.extras) if source
                           else ((lambda: "csv"), str, tuple))
    progress = Progress(args, "row")
    with closing(Sink(args, form, source_rows=True, shard=shard), progress) as sink:
        figures, facts, cut = looked(args, source, progress,
                                     lambda rows: sink.write(rows, extras()))
        progress.close()
        tell(args, facts, sys.stderr if args.output in (None, "-") else sys.stdout)
        if cut:
            raise cut
    return figures.status()


def looked(args, source, progress, write=None):
    """Return (Figures, facts, the Cut of the input or None)."""
    from s3kit.units import from_epoch
    cut, name = None, (named if args.verbose else None)
    if source is None:
        from s3kit.status.destination import figures_of
        figures, more = figures_of(args.dest, write, name)
    else:
        from s3kit.status.manifests import figures_of
        figures, more, cut = figures_of(source, write, name, lambda number: (
            progress.move(number), progress.read(source.share())))
    facts = {"s3kit": __version__, "at": from_epoch(time.time()), "is_whole": cut is None,
             "destination": None, "manifests": [], "uploads": None, **more, **figures.facts()}
    return figures, facts, cut


def named(row):
    """Name a row that is wrong on stderr."""
    say(NAME, f"{row.name}: {row.error or row.state}")


def tell(args, facts, file):
    """Write the facts in the forms that were asked for."""
    if args.html and facts["is_whole"]:
        from s3kit.status.page import write_page
        write_page(args.html, facts)
        if not args.quiet:
            say(NAME, f"'{args.html}' written: {count(facts['rows'], 'row')}")
    if args.json:
        import json
        file.write(f"{json.dumps(facts)}\n")
    elif args.errors or not args.html:
        from s3kit.status.report import lines
        if file is sys.stdout or not args.quiet:
            found = [*lines(facts, args.errors), *at_work(args)]
            file.write("".join(f"{visible(line)}\n" for line in found))


def at_work(args):
    """Return lines about what works in a destination now."""
    from s3kit.status import live
    groups, _ = live.found(os.path.abspath(args.dest)) if args.dest else ([], 0)
    return live.lines(groups) if groups else []


def main(argv=None):
    """Run s3-status."""
    return frame.run(build_parser(), status, argv)
