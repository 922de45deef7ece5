"""Batches that wait for a node, put together to parcels.

A task costs Dask's scheduler a millisecond or so: a parcel is of a thousand rows where there are as
many, so that each costs a microsecond. What is left at the end, or comes slowly, is shared out
evenly.
"""

import time
from collections import OrderedDict, deque

from s3kit.transfer.under_way import extent

ROWS, BYTES = 1000, 256 << 20       # of a parcel, at most, but for its last batch
ENOUGH = 8 << 20        # bytes that are worth a parcel, however few rows they are
LINGER = 0.2            # seconds that the first of a few rows waits for more
TIES = 10_000           # large objects of which is known on which node their ranges are


class Waiting:
    """A batch in the queue, when it came, and how many bytes it moves."""

    __slots__ = ("batch", "since", "weight")

    def __init__(self, batch):
        self.batch, self.since = batch, time.monotonic()
        self.weight = sum(map(extent, batch.value)) if hasattr(batch.value[0], "kind") else 0


class Gathering:
    """What waits. The ranges of one object all go to one node: a border between two of them need
    not be one of pages, and a network file system may write the whole page for a part of it
    (Linux: nfs_can_extend_write), with what another node had there before.
    """

    def __init__(self):
        self.free, self.tied = deque(), {}          # tied: {address: deque of Waiting}
        self.rows = self.weight = 0                 # of those that are free
        self.ties = OrderedDict()                   # {path: address}

    def __bool__(self):
        return bool(self.free or any(self.tied.values()))

    @property
    def is_enough(self):
        """Whether nothing more need be waited for."""
        return bool(self.rows >= ROWS or self.weight >= ENOUGH or any(self.tied.values()))

    def batches(self):
        """Return all batches that wait."""
        return [each.batch for queue in (*self.tied.values(), self.free) for each in queue]

    def add(self, batch, first=False):
        """Take a batch, or take it back, to be the `first`."""
        each, address = Waiting(batch), self.ties.get(tie_of(batch.value[0]))
        queue = self.free if address is None else self.tied.setdefault(address, deque())
        (queue.appendleft if first else queue.append)(each)
        if queue is self.free:
            self.count(each, 1)

    def count(self, each, sign):
        """Count one that came to the free ones, or left them."""
        self.rows += sign * each.batch.size
        self.weight += sign * each.weight

    def lose(self, address):
        """A node is gone: others may have what was tied to it."""
        for path in [path for path, tied in self.ties.items() if tied == address]:
            del self.ties[path]
        for each in self.tied.pop(address, ()):
            self.add(each.batch)

    def take(self, address, slots):
        """Return batches for a node, [] where it is better to wait for more; so many `slots` are
        free on all nodes.
        """
        tied = self.tied.get(address)
        if tied:
            return self.taken(tied, ROWS, address)
        if not self.free:
            return []
        if self.rows >= ROWS * slots:
            return self.taken(self.free, ROWS, address)
        if self.weight >= ENOUGH * slots or time.monotonic() - self.free[0].since >= LINGER:
            return self.taken(self.free, -(-self.rows // slots), address)
        return []

    def taken(self, queue, most, address):
        """Return batches from a queue, up to `most` rows, for a node."""
        taken, rows, weight = [], 0, 0
        while queue and rows < most and weight < BYTES:
            each = queue.popleft()
            if queue is self.free:
                self.count(each, -1)
            if each.batch.future.cancelled():
                continue
            path = tie_of(each.batch.value[0])
            if path and self.ties.setdefault(path, address) != address:
                self.tied.setdefault(self.ties[path], deque()).append(each)
                continue
            taken.append(each.batch)
            rows, weight = rows + each.batch.size, weight + each.weight
        while len(self.ties) > TIES:
            self.ties.popitem(last=False)
        return taken


def tie_of(job):
    """Return what a job shares with others that go to the same node, or ''."""
    return job.path if getattr(job, "kind", "") in ("range", "check") and job.inode else ""
