"""How many pieces of one large object are on their way: found from how long they take.

Few fill most links, and the fewer there are, the less is lost when a run is killed; but where each
connection is slow, or far, it takes many.
"""

import time

from s3kit.pipeline.errand import Errand
from s3kit.pipeline.sharing import most_connections
from s3kit.s3.window import Round, Window

FEW = 4                     # of one object, for each worker, to begin with
NEVER = float("-inf")


class PieceErrand(Errand):
    """One piece of a large object; `whole` is the errand of the object, `sent` when it was sent, or
    NEVER where that tells nothing.
    """

    __slots__ = ("whole", "sent")

    def __init__(self, whole, job):
        super().__init__(whole.row, job)
        self.whole, self.sent = whole, time.monotonic()


class PieceWindow:
    """What is `allowed` of each object, for `jobs` workers with `connections` at most (None: as
    many as they may have).
    """

    def __init__(self, jobs, connections):
        self.window = Window(jobs * most_connections(connections, jobs), jobs * FEW)
        self.changed = 0.0              # when the window was

    @property
    def allowed(self):
        """How many pieces may be on their way."""
        return int(self.window.allowed)

    def weigh(self, errand, moved, pending):
        """Learn from a piece that has moved so many bytes, if it was sent since the last change;
        `pending` of its object were on their way.
        """
        if not moved or errand.sent < self.changed:
            return
        now = time.monotonic()
        if self.window.take(Round(1, 0.0, now - errand.sent, moved, pending >= self.allowed)):
            self.changed = now
