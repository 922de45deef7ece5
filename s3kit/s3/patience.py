"""How long to wait before a request is tried again, and how many may be under way."""

import random
import time

SLOW_MINUTES = 15  # S3 may slow one request down for so long before that counts as a failure


def delay(tries, base=0.2, most=20.0):
    """Return seconds to wait before try number `tries` + 1: exponential, capped, full jitter."""
    return random.uniform(0, min(most, base * 2 ** tries))


class Patience:
    """Whether one thing is to be tried again: so many times, but while S3 only slows us down, by
    the clock.
    """

    __slots__ = ("tries", "since")

    def __init__(self):
        self.tries, self.since = 0, None

    def wait(self, most, is_slow, base=0.2):
        """Count a try that failed; return the seconds to wait before the next one, None after
        `most` of them.
        """
        if is_slow:
            now = time.monotonic()
            self.since = self.since or now
            is_over = now - self.since > SLOW_MINUTES * 60
        else:
            self.tries += 1
            is_over = self.tries > most
        return None if is_over else delay(self.tries + is_slow, base)


class Throttle:
    """How many requests may be in flight: halved at once on SlowDown, grown back one by one.

    One of these sits in every worker, and the parent passes each SlowDown on to all of them.
    """

    def __init__(self, most):
        self.most = most
        self.allowed = float(most)
        self.quiet_until = 0.0

    def shrink(self, now):
        """Halve, and pause; at most once in a quarter of a second, however many answers say it."""
        if now >= self.quiet_until:
            self.allowed = max(1.0, self.allowed / 2)
            self.quiet_until = now + 0.25 + delay(1)

    def grow(self):
        """Let a request's worth more through for every `allowed` requests that went well."""
        self.allowed = min(self.most, self.allowed + 1 / max(self.allowed, 1))

    def room(self, active, now):
        """Return how many more requests may start now."""
        return 0 if now < self.quiet_until else int(self.allowed) - active
