"""How many requests may be under way at once: found from how long the answers take.

On a network with latency hundreds of requests are needed to keep busy what a few do on a fast one.
An answer takes as long whether few or many are under way, until something is full: the link, the
server, the disk, or we ourselves. So what is allowed grows fourfold as long as answers take no
longer than they did with few, and goes back to where they take half as long again: more would only
wait (the idea of TCP Vegas, https://doi.org/10.1109/49.464716, and of BBR). How long an answer may
take is the wait for its first byte and a time for each byte, so that small and large objects can
be told together.

A server that says SlowDown has it halved at once; from then on it grows slowly, by a tenth in a
second (additive increase, multiplicative decrease: RFC 5681).
"""

import time
from typing import NamedTuple

from s3kit.s3.patience import delay
from s3kit.s3.request_rate import LIMIT

FEW = 64                    # requests of all processes together, to begin with
MANY = 512                  # the most, where nobody says how many
EARLY, LATE = 1.25, 1.5     # times as long as with few: below it grows, above it shrinks
GROWTH = 4                  # times as many; a short run is over before it has doubled often
RECOVERY = 0.1              # of what is allowed, in a second, after a SlowDown


def pause_from(now):
    """Return until when nothing is asked after a SlowDown."""
    return now + 0.25 + delay(1)


class Round(NamedTuple):
    """What some answers took: how many, the seconds to their first bytes and in all, their bytes,
    and whether as many were under way as may be.
    """

    count: int = 0
    waited: float = 0.0
    took: float = 0.0
    size: int = 0
    is_full: bool = False

    def __add__(self, other):
        """Return both together."""
        return Round(self.count + other.count, self.waited + other.waited, self.took + other.took,
                     self.size + other.size, self.is_full or other.is_full)


class Window:
    """What is `allowed` to all processes together, `most` at most; at first, and while nobody is
    slowed down never below, `least`.
    """

    def __init__(self, most, least=FEW):
        self.most, self.least = most, min(least, most)
        self.allowed = float(self.least)
        self.wait, self.pace = 0.0, 0.0     # seconds to the first byte, and a byte, with few
        self.was_slow, self.quiet_until = False, 0.0
        self.seen = Round()

    def take(self, found):
        """Take a Round of answers to requests that were sent since the last change; return whether
        what is allowed has changed.
        """
        before = self.allowed
        if self.was_slow:
            self.allowed = min(self.most, before + RECOVERY * found.took)
        else:
            self.seen += found
            if 4 * self.seen.count >= 3 * before:
                self.weigh(self.seen)
                self.seen = Round()
        return self.allowed != before

    def weigh(self, seen):
        """Decide by a Round of most of what was allowed; the rest was sent before a change."""
        wait, body = seen.waited / seen.count, max(0.0, seen.took - seen.waited)
        pace = body / seen.size if seen.size else 0.0
        if self.allowed <= self.least:
            self.wait, self.pace = wait, pace       # whatever they were: networks change
        self.wait, self.pace = min(self.wait, wait), min(self.pace, pace)
        expected = self.wait * seen.count + self.pace * seen.size
        if seen.is_full and expected:
            longer = seen.took / expected
            times = GROWTH if longer < EARLY else LATE / longer
            self.allowed = min(self.most, max(self.least, self.allowed * times))

    def slow_down(self, now):
        """Halve, and pause; at most once in a quarter of a second, however many answers say it.

        Returns whether that was done.
        """
        if now < self.quiet_until:
            return False
        self.allowed = max(1.0, self.allowed / 2)
        self.was_slow, self.quiet_until = True, pause_from(now)
        return True


class Share:
    """What one process of several may have under way."""

    def __init__(self, allowed):
        self.allowed, self.since, self.quiet_until = allowed, 0.0, 0.0
        self.begin()

    def begin(self):
        """Begin a round."""
        self.count, self.waited, self.took, self.size, self.is_full = 0, 0.0, 0.0, 0, False

    def room(self, active, now):
        """Return how many more requests may start now."""
        if now < self.quiet_until:
            return 0
        room = int(self.allowed) - active
        self.is_full |= room <= 0
        return LIMIT.room(room)

    def answered(self, transfer):
        """Take a good answer; return a Round for the Window when one is over, else None.

        What was sent while another number was under way does not count.
        """
        if time.monotonic() - transfer.took < self.since:
            return None
        self.count += 1
        self.waited += transfer.waited
        self.took += transfer.took
        self.size += transfer.size
        if 4 * self.count < 3 * self.allowed:
            return None
        found = Round(self.count, self.waited, self.took, self.size, self.is_full)
        self.begin()
        return found

    def resize(self, allowed):
        """Have another share from now on."""
        if abs(allowed - self.allowed) > self.allowed / 8:
            self.since = time.monotonic()
            self.begin()
        self.allowed = allowed

    def slow_down(self, now):
        """Halve, and pause, until the Window's own word comes."""
        if now >= self.quiet_until:
            self.resize(max(1.0, self.allowed / 2))
            self.quiet_until = pause_from(now)


class Alone(Share):
    """The share of a process that has a Window for itself."""

    def __init__(self, most, least=FEW):
        self.window = Window(most, least)
        super().__init__(self.window.allowed)

    def answered(self, transfer):
        """Take a good answer."""
        found = super().answered(transfer)
        if found and self.window.take(found):
            self.resize(self.window.allowed)

    def slow_down(self, now):
        """Halve, and pause."""
        if self.window.slow_down(now):
            self.resize(self.window.allowed)
            self.quiet_until = self.window.quiet_until
