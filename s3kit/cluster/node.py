"""A Dask worker as the parent sees it: what it was given and has not answered."""

import time

from s3kit.disk.tree import clock


class Shipment:
    """A parcel on its way: its batches, and the Dask future of its answer."""

    __slots__ = ("batches", "future", "task")

    def __init__(self, batches):
        self.batches, self.future, self.task = batches, None, None

    @property
    def size(self):
        """How many jobs it is."""
        return sum(batch.size for batch in self.batches)


class Node:
    """The Dask worker at an address, by its Greeting; `heard_at` is when it last said something.

    `ahead` is by how many seconds its clock is ahead of ours, at least: by what it said the clock
    was, which took a while to come here. So a moment of ours is never later by its clock than it
    is, and what must have ended by then has.
    """

    def __init__(self, address, greeting):
        self.address, self.host = address, greeting.host
        self.pid, self.processes = greeting.pid, greeting.processes
        self.shipments, self.processes_at_work = [], []
        self.heard_at = time.monotonic()
        self.ahead = greeting.clock - clock()

    @property
    def load(self):
        """How many jobs it holds."""
        return sum(shipment.size for shipment in self.shipments)

    def heard(self, report=None):
        """Note that it is there, and what it says of its clock and its processes."""
        self.heard_at = time.monotonic()
        if report is not None:
            self.processes_at_work, self.ahead = report.at_work, report.clock - clock()

    def by_its_clock(self, messages):
        """Return messages with what this node is to hear of the lease: until when, by its own
        clock. That it is lost (0.0), and that none is needed (None), is so by every clock.
        """
        return [(kind, value + self.ahead) if kind == "lease" and value
                else (kind, value) for kind, value in messages]

    def is_silent(self, seconds):
        """Return whether it holds work, and has said nothing for so long."""
        return bool(self.shipments) and time.monotonic() - self.heard_at > seconds


class AtWork:
    """One process of a node, for those who show what workers are at."""

    def __init__(self, said):
        self.said = said

    def at_work(self):
        """Return what WorkerProcess.at_work does, its process id after the name of its machine."""
        return self.said
