"""A server, a network and worker processes, simulated, for how many requests may be under way.

Nothing waits: a run of a minute takes some tenths of a second.
"""

import heapq
import itertools
import random
from dataclasses import dataclass
from types import SimpleNamespace

from s3kit.s3 import window

TOLD = 0.002            # seconds until a worker hears of its share
AGAIN = 1.0             # seconds, at most, until what was slowed down is tried again
BURST = 0.1             # seconds' worth of requests that a server takes at once


@dataclass
class World:
    """What a run meets. Times are in seconds: `latency()` of an answer, `cost` of an answer in a
    worker, which does one after the other, `a_byte` on one connection and `link` on all together.
    `rate` are the requests a second that the server can do, others wait; above `limit` it says
    SlowDown.
    """

    requests: int
    latency: object = lambda: 0.03
    rate: float = 20_000
    limit: float = 0
    cost: float = 0.00015
    size: object = lambda: 0
    a_byte: float = 0.0
    link: float = 0.0
    workers: int = 2
    patience: float = 600       # seconds after which the run counts as stuck


class Fixed:
    """So many requests, whatever happens: what peers do."""

    def __init__(self, allowed):
        self.allowed = allowed

    def room(self, active, now):
        """Return how many more may start."""
        return self.allowed - active

    def answered(self, transfer):
        """Learn nothing."""

    def slow_down(self, now):
        """Learn nothing."""

    def resize(self, allowed):
        """Never called."""


class Simulation:
    """One run: `seconds` it took, `slowed` answers that said SlowDown, `peak` requests at once,
    `allowed` to each worker in the end.
    """

    def __init__(self, world, monkeypatch, fixed=0, most=window.MANY, least=window.FEW):
        self.world, self.now = world, 0.0
        monkeypatch.setattr(window, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.window = window.Window(most, least)
        self.shares = [Fixed(fixed // world.workers) if fixed else window.Share(self.share)
                       for _ in range(world.workers)]
        self.active, self.free = [0] * world.workers, [0.0] * world.workers
        self.events, self.order = [], itertools.count()
        self.left, self.done = world.requests, 0
        self.slowed = self.peak = 0
        self.server, self.tokens, self.filled = 0.0, world.limit * BURST, 0.0
        self.run()

    @property
    def share(self):
        """What one worker is allowed."""
        return max(1.0, self.window.allowed / self.world.workers)

    @property
    def allowed(self):
        """What each worker is allowed, rounded."""
        return [round(share.allowed) for share in self.shares]

    def at(self, moment, event, *values):
        """Have `event` called at a moment."""
        heapq.heappush(self.events, (moment, next(self.order), event, values))

    def run(self):
        """Run to the end of the requests."""
        while self.done < self.world.requests:
            assert self.now < self.world.patience, "it is stuck"
            for worker in range(self.world.workers):
                self.start(worker)
            if not self.events:
                self.at(self.now + 0.01, lambda: None)
            self.now, _, event, values = heapq.heappop(self.events)
            event(*values)
        self.seconds = self.now

    def start(self, worker):
        """Start what may be started."""
        room = self.shares[worker].room(self.active[worker], self.now)
        for _ in range(min(room, self.left)):
            self.left -= 1
            self.active[worker] += 1
            self.at(*self.answer(worker))
        self.peak = max(self.peak, sum(self.active))

    def answer(self, worker):
        """Return when the answer to a request comes, and what is done with it."""
        world = self.world
        self.tokens = min(world.limit * BURST,
                          self.tokens + (self.now - self.filled) * world.limit)
        self.filled = self.now
        if world.limit and self.tokens < 1:
            return self.now + world.latency(), self.slow, worker
        self.tokens -= 1
        self.server = max(self.server, self.now) + 1 / world.rate
        size = world.size()
        body = size * max(world.a_byte, world.link * sum(self.active))
        return (self.server + world.latency() + body, self.take, worker, self.now, body, size)

    def take(self, worker, sent, body, size):
        """Have a worker take an answer when it is free."""
        self.free[worker] = max(self.now, self.free[worker]) + self.world.cost
        self.at(self.free[worker], self.taken, worker, sent, body, size)

    def taken(self, worker, sent, body, size):
        """A worker has dealt with an answer."""
        self.active[worker] -= 1
        self.done += 1
        took = self.now - sent
        found = self.shares[worker].answered(
            SimpleNamespace(waited=took - body, took=took, size=size))
        if found and self.window.take(found):
            self.tell()

    def tell(self):
        """Have all workers hear of their share."""
        for share in self.shares:
            self.at(self.now + TOLD, share.resize, self.share)

    def slow(self, worker):
        """A worker is slowed down, and all the others with it."""
        self.active[worker] -= 1
        self.slowed += 1
        self.shares[worker].slow_down(self.now)
        if self.window.slow_down(self.now):
            for share in self.shares:
                share.slow_down(self.now)
            self.tell()
        self.at(self.now + random.uniform(0, AGAIN), self.again)

    def again(self):
        """What was slowed down may be tried again."""
        self.left += 1
