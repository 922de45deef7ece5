"""What the workers of a node say between answers, put together: it goes through the scheduler,
which has others to serve.
"""

import threading
import time

from s3kit.s3.window import Round

SECONDS = 0.5           # between two reports of a node
URGENT = ("expired", "slow", "lacks")       # what the parent should hear at once
SUMS = ("moved", "read")


class News:
    """Takes the notes of the workers' engines, from the pool's thread; `send(notes)` takes them on,
    from time to time.
    """

    def __init__(self, send):
        self.send, self.lock = send, threading.Lock()
        self.sums, self.others, self.round = {}, [], None
        self.sent = 0.0

    def note(self, note):
        """Take a note, as Pool's `on_note` gets it."""
        kind, value = note
        with self.lock:
            if kind in SUMS:
                self.sums[kind] = self.sums.get(kind, 0) + value
            elif kind == "round":
                self.round = (self.round or Round()) + value
            elif note not in self.others:
                self.others.append(note)
            is_due = kind in URGENT or time.monotonic() - self.sent > SECONDS
        if is_due:
            self.send(self.take())

    def take(self):
        """Return the notes that came since the last time."""
        with self.lock:
            notes = [*self.sums.items(), *[("round", self.round)] * bool(self.round), *self.others]
            self.sums, self.others, self.round = {}, [], None
            self.sent = time.monotonic()
        return notes
