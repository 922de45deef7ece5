"""How long to wait before a request is tried again."""

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
