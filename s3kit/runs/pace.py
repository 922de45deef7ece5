"""How fast something goes on, and how long the rest will take."""

from collections import deque

from s3kit.units import show_span

SPAN = 60.0             # seconds that a speed is of, at most
FIRST = 5.0             # seconds before which nobody can say how long it will take
DAY = 86400.0
YEAR = 365 * DAY


class Pace:
    """The speed of what began at the time `now`, with so much `done`: noted once a second or so. It
    is that of the last `span` seconds.
    """

    def __init__(self, now, done=0, span=SPAN):
        self.began, self.span = now, span
        self.samples = deque([(now, done)])

    def note(self, now, done):
        """Note how much is done, in whatever unit."""
        if now > self.samples[-1][0]:
            self.samples.append((now, done))
        while len(self.samples) > 2 and self.samples[1][0] <= now - self.span:
            self.samples.popleft()

    @property
    def speed(self):
        """Units a second, of late."""
        (then, before), (now, after) = self.samples[0], self.samples[-1]
        return max(0.0, (after - before) / (now - then)) if now > then else 0.0

    def left(self, rest):
        """Return the seconds that the rest will take, None where nobody can say."""
        speed = self.speed
        if rest is None or not speed or self.samples[-1][0] - self.began < FIRST:
            return None
        return max(0, rest) / speed


def show_left(seconds):
    """Return how long the rest takes, for people, in two units at most."""
    if seconds > YEAR:
        return "more than a year"
    if seconds >= DAY:
        return f"{int(seconds // DAY)} d {int(seconds % DAY // 3600)} h"
    return show_span(int(seconds)) if seconds >= 60 else f"{int(seconds)} s"
