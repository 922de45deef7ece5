"""What the options of s3-filter make of a stream of rows, one operation after the other."""

import os

from s3kit.errors import Usage
from s3kit.filter.array_job import AUTO, at_index, shard_of_job
from s3kit.filter.joining import Merge
from s3kit.filter.membership import Membership
from s3kit.filter.moments import Moment
from s3kit.filter.order import check_columns, key_of
from s3kit.filter.sampling import Sample
from s3kit.filter.selection import Selection
from s3kit.filter.sharding import Shard
from s3kit.filter.slices import First, Skip
from s3kit.filter.unnamed import Extra
from s3kit.filter.where import Where
from s3kit.manifest.sorter import Sort


def operations(args, source, read, warn):
    """Yield the operations that the options ask for, in the order in which rows pass them.

    Each is called with an iterator of lists of rows, and gives another; what has `shard()` says
    which shard that is. `source` is as cli.streams.Source, `read(path)` returns that of another
    manifest, and `warn(text)` tells people.
    """
    of = source         # what knows which shard the rows are
    for operation in set_operations(args, source, read, warn):
        of = operation if hasattr(operation, "shard") else of
        yield operation
    yield Selection(args)
    for condition in args.where:
        yield Where(condition, source)
    if args.shard or args.shard_index is not None:
        yield shard_of(args, of)
    if args.sort:
        yield Sort(key_of(args.sort), lambda: check_columns(args.sort, source.extras()))
    if args.skip:
        yield Skip(args.skip)
    if args.first:
        yield First(args.first)
    if args.sample:
        yield Sample(args.sample, args.seed)


def set_operations(args, source, read, warn):
    """Yield the operations that need to know other rows than the one at hand."""
    if args.merge:
        yield Merge(source, args.shards)
    if args.at or args.undelete:
        yield Moment(args.at, warn)
    for others, keeps in ((args.minus, False), (args.common, True)):
        for path in others:
            yield Membership(read(path).batches(), keeps, path)
    if args.extra:
        yield Extra(args.dest, source)


def shard_of(args, source):
    """Return the operation of `--shard` or `--shard-index`. Raises Usage where it is nobody's job.
    """
    number, of = args.shard or at_index(args.shard_index, args.shards)
    try:
        return Shard(number or shard_of_job(of, os.environ), of, source)
    except ValueError as error:
        raise Usage(f"--shard {AUTO}{of}: {error}") from None
