"""What is allowed to all workers of a pool together, in equal shares."""

import time

from s3kit.pipeline.pool import DEPTH
from s3kit.s3.window import FEW, MANY, Window
from s3kit.transfer.unnamed import OTHERS, descriptors

LEAST = 32          # connections of a worker that may have as many as it likes
FILES = 8           # descriptors for each connection: its socket, its part, parts without a name


def most_connections(asked, jobs):
    """Return the most connections of a worker: what was `asked` for, if anything, else its part of
    MANY, as far as it may have files open.
    """
    if asked:
        return asked
    wanted = max(LEAST, -(-MANY // jobs))
    return max(1, min(wanted, (descriptors() - OTHERS) // FILES))


def workers(args):
    """Return how many workers a run has: as many as were asked for, and no more than it may send
    requests a second, so that none waits for long until its part allows the next.
    """
    return max(1, min(args.jobs, int(args.limit_requests or args.jobs)))


class Sharing:
    """The Window of a pool of `jobs` workers, each with `most` connections at most.

    `hear` is to be the pool's `on_note`: it takes the workers' word on how long answers take, and
    leaves other notes to `others`. It runs in the pool's thread, so that a decision in the main
    thread does not hold it up.
    """

    def __init__(self, jobs, most, others, least=FEW):
        self.jobs, self.others = jobs, others
        self.window = Window(jobs * most, least)
        self.pool = None

    @property
    def share(self):
        """How many requests one worker may have under way."""
        return max(1.0, self.window.allowed / self.jobs)

    def resize(self, jobs):
        """There are so many workers now."""
        self.window.most = self.window.most // self.jobs * jobs
        self.jobs = jobs
        self.tell()

    def join(self, pool):
        """Have a pool's workers hear of it."""
        self.pool = pool
        self.feed()

    def hear(self, note):
        """Take a note of a worker."""
        kind, value = note
        if kind == "round":
            if self.window.take(value):
                self.tell()
        elif kind == "slow":
            if self.window.slow_down(time.monotonic()):
                self.pool.tell(("slow", None))
                self.tell()
        else:
            self.others(note)

    def tell(self):
        """Tell all workers their share, also those that are started later."""
        self.feed()
        self.pool.tell(("share", self.share), keep=True)

    def feed(self):
        """Have the workers hold as many jobs as they need for it, in batches however small."""
        self.pool.load = int(DEPTH * self.share)
