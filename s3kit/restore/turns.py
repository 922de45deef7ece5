"""Whose turn it is to be asked for: what waits, the cap, and how many requests a second."""

import time
from collections import deque

from s3kit.manifest.spool import Spool

QUEUED = 1000           # versions whose turn is near; the others wait on disk
STALE_SECONDS = 60      # what S3 said longer ago is asked again before money is spent
PER_SECOND = 500        # requests; S3 takes about 1,000 of an account
PAUSE = 0.2             # seconds

# What is to be done next with a version.
ASK, LOOK, JOIN, PUT_OFF, REST = "ask", "look", "join", "put off", "rest"


class Turns:
    """Versions that S3 is to be asked for, in their order.

    `wait` says whether those for which there is no room wait for it. `poll` is the time in seconds
    after which what S3 said is old, if shorter than STALE_SECONDS.
    """

    def __init__(self, cap, probes, wait, poll):
        self.cap, self.probes, self.wait, self.poll = cap, probes, wait, poll
        self.spool, self.queue, self.stale = Spool(), deque(), deque()
        self.allowance, self.allowed_at = PER_SECOND * PAUSE, time.monotonic()

    def __len__(self):
        """Return how many wait."""
        return len(self.spool) + len(self.queue) + len(self.stale)

    def add(self, version):
        """Take a version to the end."""
        if len(self.spool) or len(self.queue) >= QUEUED:
            self.spool.add(version)
        else:
            self.queue.append(version)

    def put_back(self, version):
        """Take a version to the end, for which S3 is at work, and which nobody watches."""
        self.release(version)
        self.spool.add(version)

    def add_first(self, version):
        """Take a version whose turn it is at once."""
        self.queue.appendleft(version)

    def next(self, looking):
        """Return (what is to be done, version), or None if there is nothing to do now.

        A version that is to be asked for has its place. Nothing is asked for while `looking`
        versions are looked at for the first time: what an earlier run asked for counts below the
        cap.
        """
        if not (looking or self.stale or self.queue) and len(self.spool):
            if self.wait and not self.cap.has_room():
                return REST, None
            self.recall()
        if self.stale:
            return LOOK, self.stale.popleft()
        if looking or not self.queue:
            return None
        step = self.step(self.queue[0])
        if step == ASK:
            self.allowance -= 1
            self.hold(self.queue[0])
        return step and (step, None if step == REST else self.queue.popleft())

    def step(self, version):
        """Return what is to be done with the next version; None: an answer is awaited."""
        if not (version.is_held or self.cap.fits(version.size)):
            return REST if self.wait else PUT_OFF
        if version.name in self.cap and not version.is_held:
            return JOIN                 # the same version, twice in the manifest
        if not self.probes.is_certain(version):
            if version.row.bucket in self.probes.under_way:
                return None
            self.probes.begin(version)
            return LOOK
        return ASK if self.may_ask() else REST

    def recall(self):
        """Take versions from the disk; those that were looked at long ago are looked at again."""
        oldest = time.monotonic() - min(STALE_SECONDS, self.poll)
        for version in self.spool.take():
            if self.wait and version.looked < oldest:
                version.is_recalled = True
                self.stale.append(version)
            else:
                self.queue.append(version)

    def may_ask(self):
        """Return whether another request may be sent now, below what S3 takes."""
        now = time.monotonic()
        more = (now - self.allowed_at) * PER_SECOND
        self.allowance = min(PER_SECOND * PAUSE, self.allowance + more)
        self.allowed_at = now
        return self.allowance >= 1

    # --- places below the cap

    def hold(self, version):
        """Give a version a place."""
        if not version.is_held:
            version.is_held = True
            self.cap.hold(version.name, version.size)

    def release(self, version):
        """Take it back."""
        if version.is_held:
            version.is_held = False
            self.cap.free(version.name, version.size)
