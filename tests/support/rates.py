"""How many requests a second a server takes, as S3 counts them for a prefix."""

import time
from collections import deque


class RateLimit:
    """A `where` for fakes3's faults: the requests above `most` in any second (or so many
    `seconds`); `peak` is the most that came in one, `slowed` how many were above.

    What is refused counts, too: who does not slow down is never let in again.
    """

    def __init__(self, most, seconds=1):
        self.most, self.seconds, self.times = most, seconds, deque()
        self.peak = self.slowed = 0

    def __call__(self, request):
        """Return whether a request is one too many."""
        now = time.monotonic()
        self.times.append(now)
        while self.times[0] <= now - self.seconds:
            self.times.popleft()
        self.peak = max(self.peak, len(self.times))
        is_above = len(self.times) > self.most
        self.slowed += is_above
        return is_above

    def slow_down(self, fake):
        """Have a FakeS3 say SlowDown to what is above; return self."""
        fake.fault("status", key=None, method=None, times=None, status=503, code="SlowDown",
                   where=self)
        return self
