"""Rows of several manifests put together: the last of each version, the newest versions first."""

from collections import Counter
from itertools import chain, groupby

from s3kit.errors import Fault
from s3kit.manifest.shards import missing_shards, parse_shard
from s3kit.manifest.sorter import OBJECT, VERSION, Sorter, in_batches
from s3kit.manifest.versions import age

SHOWN = 10          # shards that are named


class Merge:
    """The rows of all manifests, in the order of buckets and keys: an operation. Of each version
    the row that came last, whatever it says. All are read before the first goes on.

    `source` has `shards()`, the marks of all manifests that came, '' for one that is not a shard.
    Shards must be all there, each once: all `of` of them, if that is said; else all manifests may
    be the same shard, as what comes out is then.
    """

    def __init__(self, source, of=0):
        self.source, self.of = source, of

    def __call__(self, batches):
        """Yield the rows. Raises Cut, Fault before the first where a manifest is not whole, or a
        shard is missing or there twice.
        """
        found = Sorter(VERSION).add_all(batches)
        self.check(self.source.shards())
        yield from newest_first(last_of_each(found, VERSION))

    def shard(self):
        """Return the mark of what comes out: '' for what is whole."""
        marks = self.source.shards()
        return marks[0] if len(set(marks)) == 1 and marks[0] != "1/1" else ""

    def shards(self):
        """Return the marks of what comes out, as Source does."""
        return [self.shard()]

    def check(self, marks):
        """Raise Fault where shards are missing, or there twice, or are not of those expected."""
        if self.of:
            self.check_number(marks)
        elif len(set(marks)) == 1:
            return
        twice = [mark for mark, times in Counter(marks).items() if mark and times > 1]
        missing = missing_shards(marks)
        for found, what in ((missing, "missing"), (twice, "there twice")):
            if found:
                shown = [f"{mark}{self.told_where(mark)}" for mark in found[:SHOWN]]
                more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
                raise Fault(f"of the shards, {', '.join(shown)}{more} "
                            f"{'is' if len(found) == 1 else 'are'} {what}")

    def check_number(self, marks):
        """Raise Fault where a manifest is not one of as many shards as there must be."""
        for mark in marks:
            if not mark or parse_shard(mark)[1] != self.of:
                raise Fault(f"{' and '.join(self.source.inputs_of(mark)[:SHOWN])}: "
                            f"{f'this is shard {mark}' if mark else 'this is no shard'}, not one "
                            f"of {self.of:,} (--shards)")

    def told_where(self, mark):
        """Return the names of the inputs that are a shard, for people; '' where none is."""
        names = self.source.inputs_of(mark)
        return f" ({', '.join(names)})" if names else ""


def last_of_each(rows, name):
    """Yield the last of the rows that have the same name one after the other, and all that make no
    sense.
    """
    held = held_name = None
    for row in rows:
        if row.verbatim is not None:
            yield row
            continue
        row_name = name(row)
        if held and row_name != held_name:
            yield held
        held, held_name = row, row_name
    if held:
        yield held


def newest_first(rows):
    """Yield lists of the rows of an iterable that has those of a key together, the versions of each
    key as S3 lists them: the newest first, of two as old the latest, else as they came.
    """
    return in_batches(row for _, group in groupby(rows, key=OBJECT) for row in by_age(group))


def by_age(group):
    """Return an iterable of the rows of one key, the newest first."""
    first, second = next(group), next(group, None)
    if second is None:
        return (first,)
    sorter = Sorter(lambda row: tuple(-part for part in age(row)))
    return sorter.add_all(in_batches(chain((first, second), group)))
