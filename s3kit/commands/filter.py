"""s3-filter: select, split, compare and join manifests."""

import argparse
import os

from s3kit.cli import frame, options
from s3kit.cli.progress import Progress
from s3kit.cli.streams import Sink, Source, closing
from s3kit.cli.tally import Tally
from s3kit.errors import DONE, SOME_FAILED, Usage
from s3kit.text import count

NAME = "s3-filter"
AUTO = "auto/"


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
    group.add_argument("--where", metavar="EXPR", type=expression, action="append", default=[],
                       help="only rows of which EXPR holds, like: size > 10M and "
                       "last_modified < 30d and key like '%%.jpg'")
    group.add_argument("--shard", metavar="K/N", type=shard,
                       help="only the Kth of N parts, by bucket and key (1/4 ... 4/4); auto/N: the "
                       "part of this job of an array")
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


def expression(text):
    """Return the Expression of `--where`."""
    from s3kit.filter.expression import Expression
    try:
        return Expression(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def shard(text):
    """Return (K, N) of `--shard`; K is None where the scheduler of an array of jobs says it."""
    from s3kit.manifest.shards import parse_shard
    try:
        if text.startswith(AUTO):
            return None, parse_shard(f"1/{text.removeprefix(AUTO)}")[1]
        return parse_shard(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def shard_of(args, source):
    """Return the operation of `--shard`. Raises Usage where it is nobody's job."""
    from s3kit.filter.array_job import shard_of_job
    from s3kit.filter.sharding import Shard
    number, of = args.shard
    try:
        return Shard(number or shard_of_job(of, os.environ), of, source)
    except ValueError as error:
        raise Usage(f"--shard {AUTO}{of}: {error}") from None


def operations(args, source):
    """Yield the operations that the options ask for, in the order in which rows pass them.

    Each is called with an iterator of batches of rows, and gives another.
    """
    from s3kit.filter.selection import Selection
    from s3kit.filter.slices import First, Skip
    from s3kit.filter.where import Where
    yield Selection(args)
    for condition in args.where:
        yield Where(condition, source)
    if args.shard:
        yield shard_of(args, source)
    if args.skip:
        yield Skip(args.skip)
    if args.first:
        yield First(args.first)


def filter_rows(args):
    """Write the rows that come through all operations; return the status."""
    source = Source(args)
    batches, mark = source.batches(), source.shard
    for operation in operations(args, source):
        batches = operation(batches)
        mark = getattr(operation, "shard", mark)
    tally, progress = Tally(args), Progress(args, "row")
    written = nonsense = 0
    with closing(Sink(args, lambda: source.form, source_rows=True, shard=mark),
                 progress) as sink:
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
