"""A limit to the requests a second that one process sends: `--limit-requests`.

Whoever sends requests asks a Share of a Window how many more may start (see window); that heeds
this limit, too, and every Wire counts what it sends. So it holds for all commands, in the parent
and in workers, of which each is given its part. What a task sends in the middle of its work (a
part, another try) is not held up, but counted: what follows waits the longer.
"""

import random
import time

BURST_SECONDS = 0.05    # of what may be saved up: a server counts the requests of a second or less
TICK = 0.005            # seconds between two looks, at least


class RequestRate:
    """At most so many requests a second; as many as come until `allow` says how many."""

    def __init__(self):
        self.most = self.tokens = self.filled = 0.0

    def allow(self, most):
        """Let `most` requests a second go from now on; the first comes at random in its time, so
        that processes that begin together do not send together.
        """
        self.most, self.tokens, self.filled = most, random.random(), time.monotonic()

    def fill(self):
        """Count the time that has passed."""
        now = time.monotonic()
        saved = self.tokens + (now - self.filled) * self.most
        self.tokens = min(saved, max(1.0, self.most * BURST_SECONDS))
        self.filled = now

    def room(self, asked):
        """Return how many of the requests that are asked for may start now."""
        if not self.most:
            return asked
        self.fill()
        return min(asked, int(max(0.0, self.tokens)))

    def wait(self, seconds):
        """Return how long to wait for an answer, `seconds` at most: less where the next request may
        start before.
        """
        if not self.most:
            return seconds
        self.fill()
        left = (1.0 - self.tokens) / self.most
        return seconds if left <= 0 else min(seconds, max(TICK, left))

    def spend(self):
        """Count a request that goes."""
        if self.most:
            self.fill()         # what time has saved up before is no more than that
            self.tokens -= 1


LIMIT = RequestRate()       # of this process
