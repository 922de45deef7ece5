"""s3-filter: select, split, compare and join manifests."""

import argparse

from s3kit.cli import frame, options
from s3kit.cli.progress import Progress
from s3kit.cli.streams import Sink, Source, closing
from s3kit.cli.tally import Tally
from s3kit.errors import DONE, SOME_FAILED
from s3kit.text import count

NAME = "s3-filter"


def build_parser():
    """Declare the options of s3-filter."""
    p = options.parser(NAME, "Select, split, compare and join manifests.")
    options.input_options(p)
    select_options(p.add_argument_group("select"))
    options.output_options(p, in_place=False)
    options.filter_options(p)
    return p


def select_options(group):
    """Add what selects rows, beside the filters of all commands."""
    group.add_argument("--state", metavar="STATE,...", type=states,
                       help="only rows in these states; 'none': those without one")
    versions = group.add_mutually_exclusive_group()
    versions.add_argument("--latest", action="store_true", default=None,
                          help="only the newest version of each key")
    versions.add_argument("--noncurrent", action="store_false", dest="latest",
                          help="only versions that are not the newest")
    markers = group.add_mutually_exclusive_group()
    markers.add_argument("--markers", action="store_true", default=None,
                         help="only delete markers")
    markers.add_argument("--no-markers", action="store_false", dest="markers",
                         help="no delete markers")
    group.add_argument("--skip", metavar="N", type=options.whole,
                       help="leave out the first N of these rows")
    group.add_argument("--first", metavar="N", type=options.positive,
                       help="only the first N of these rows; no more is read")


def states(text):
    """Return the states of `--state`."""
    from s3kit.filter.selection import NO_STATE
    from s3kit.manifest.row import STATES
    names = text.split(",")
    for name in names:
        if name not in (*STATES, NO_STATE):
            raise argparse.ArgumentTypeError(
                f"'{name}' is not a state ({', '.join(STATES)}; {NO_STATE})")
    return names


def operations(args):
    """Yield the operations that the options ask for, in the order in which rows pass them.

    Each is called with an iterator of batches of rows, and gives another.
    """
    from s3kit.filter.selection import Selection
    from s3kit.filter.slices import First, Skip
    yield Selection(args)
    if args.skip:
        yield Skip(args.skip)
    if args.first:
        yield First(args.first)


def filter_rows(args):
    """Write the rows that come through all operations; return the status."""
    source = Source(args)
    batches = source.batches()
    for operation in operations(args):
        batches = operation(batches)
    tally, progress = Tally(args), Progress(args, "row")
    written = nonsense = 0
    with closing(Sink(args, lambda: source.form, source_rows=True), progress) as sink:
        for rows in batches:
            sink.write(rows, source.extras())
            written += len(rows)
            for row in rows:
                if row.verbatim is not None or args.verbose:
                    nonsense += row.verbatim is not None
                    tally.count(row, told=row.verbatim is not None)
            progress.move(len(rows))
        if args.verbose or progress.is_shown:
            tally.summary(progress, [count(written, "row")])
    return SOME_FAILED if nonsense else DONE


def main(argv=None):
    """Run s3-filter."""
    return frame.run(build_parser(), filter_rows, argv)
