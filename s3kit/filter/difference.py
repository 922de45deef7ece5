"""--diff: what is added, removed, changed or the same between two manifests."""

import heapq
from collections import Counter
from itertools import groupby
from operator import itemgetter

from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE, Fault, Usage
from s3kit.filter.joining import last_of_each, newest_first
from s3kit.filter.likeness import CHANGED, SAME, SIZE, UNKNOWN, compare
from s3kit.manifest.shards import missing_shards
from s3kit.manifest.sorter import OBJECT, VERSION, Sorter
from s3kit.s3.address import parse_s3

ADDED, REMOVED = "added", "removed"
COLUMNS = ["change", "rests_on"]
OLD, NEW = 0, 1


class Difference:
    """The rows of two manifests, each with what has become of it in the column `change`, and what
    that rests on in `rests_on`. `old` and `new` have `batches()` and `shards()`, as Source has.

    Rows of one version are compared with each other. The current row of a key that the other
    manifest has no such version of is compared with its current row there, where each of them has
    one row of the key, or one of the two rows names no version, or `maps` gave the key its name.
    What is left was added or removed. Of rows that name the same the last one counts. `counts` has
    {change: rows}, `by_size` how many are the same by their size alone.
    """

    def __init__(self, old, new, maps=()):
        self.sides, self.maps = (old, new), maps
        self.counts, self.by_size = Counter(), 0

    def batches(self):
        """Yield lists of rows, in the order of the names that they have in NEW. Raises Cut, Fault
        before the first where one of the manifests is not whole, or they are different shards.
        """
        names = [lambda row: (*self.mapped(row), row.version_id) if self.maps else VERSION(row),
                 VERSION]
        sides = [Sorter(name).add_all(side.batches()) for name, side in zip(names, self.sides)]
        self.check(*(side.shards() for side in self.sides))
        rows = heapq.merge(*map(named, sides, names, (OLD, NEW)), key=itemgetter(0, 1))
        yield from newest_first(row for _, group in groupby(rows, key=lambda found: found[0][:2])
                                for row in self.compared(group))

    def check(self, old, new):
        """Raise Fault where the marks say that only one of the manifests has all shards, or that
        they are not the same shard: all that is not in it would seem added or removed.
        """
        if set(old) != set(new) and (missing_shards(old) or missing_shards(new)):
            raise Fault("the manifests are not of the same shard: the first is "
                        f"{said(old)}, the second is {said(new)}")

    def mapped(self, row):
        """Return the bucket and key that a row of OLD has in NEW."""
        for (bucket, prefix), (there, new) in self.maps:
            if row.bucket == bucket and row.key.startswith(prefix):
                return there, new + row.key[len(prefix):]
        return OBJECT(row)

    def compared(self, group):
        """Yield the rows of one key, from (name, side, row) in order."""
        waiting, current, came = None, [None, None], [0, 0]
        for name, side, row in group:
            if row.verbatim is not None:
                yield self.told(row, UNKNOWN)
                continue
            came[side] += 1
            if waiting and side == NEW and waiting[0] == name:
                yield self.told(row, *compare(waiting[1], row))
                waiting = None
                continue
            if waiting:
                yield from self.left(OLD, waiting[1], current)
                waiting = None
            if side == OLD:
                waiting = name, row
            else:
                yield from self.left(NEW, row, current)
        if waiting:
            yield from self.left(OLD, waiting[1], current)
        yield from self.of_current(current, came)

    def left(self, side, row, current):
        """Hold a row without its like in `current`, if it may be its key's current one; yield what
        is not held.
        """
        held = current[side]
        if row.is_latest != "false" and (held is None or row.is_latest > held.is_latest):
            current[side], row = row, held
        if row:
            yield self.told(row, (REMOVED, ADDED)[side])

    def of_current(self, current, came):
        """Yield a key's current rows: compared with each other, where that is what people mean."""
        one, other = current
        if one and other and (came == [1, 1] or not one.version_id or not other.version_id
                              or OBJECT(one) != OBJECT(other)):
            yield self.told(other, *compare(one, other))
            return
        for row, change in ((one, REMOVED), (other, ADDED)):
            if row:
                yield self.told(row, change)

    def told(self, row, change, rests_on=""):
        """Return a row that says what has become of it."""
        row.extra = {**(row.extra or {}), "change": change, "rests_on": rests_on}
        self.counts[change] += 1
        self.by_size += change == SAME and rests_on == SIZE
        return row

    def summary(self):
        """Return how many rows were added, removed, changed, the same, and not to be compared."""
        weak = f" ({self.by_size:,} by size alone)" if self.by_size else ""
        unknown = self.counts[UNKNOWN]
        return [f"{self.counts[change]:,} {change}" for change in (ADDED, REMOVED, CHANGED)] + [
            f"{self.counts[SAME]:,} {SAME}{weak}"] + (
                [f"{unknown:,} not to be compared"] if unknown else [])

    def status(self):
        """Return 1 where anything differs, 5 where rows could not be compared, else 0."""
        if any(self.counts[change] for change in (ADDED, REMOVED, CHANGED)):
            return SOME_FAILED
        return UNVERIFIABLE if self.counts[UNKNOWN] else DONE


def said(marks):
    """Return what the marks of shards say, for people."""
    return ", ".join(mark for mark in marks if mark) or "whole"


def named(rows, name, side):
    """Yield (name, side, row) of rows in the order of their names, the last of each name."""
    for row in last_of_each(rows, name):
        yield name(row), side, row


def parse_map(text):
    """Return ((bucket, prefix), (bucket, prefix)) of `s3://a/x/=s3://b/y/`. Raises Usage."""
    old, sign, new = text.partition("=s3://")
    if not sign:
        raise Usage(f"'{text}' is not like s3://old/prefix/=s3://new/prefix/")
    return parse_s3(old), parse_s3(f"s3://{new}")
