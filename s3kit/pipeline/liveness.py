"""Whether a run goes on: what people hear while nothing comes, and the end where nothing will."""

import time

from s3kit.text import count

SILENT_SECONDS = 20         # without a byte after which people hear what we wait for
STUCK_SECONDS = 60          # without anything at all, while jobs are owed: a fault of ours
STUCK_LOOKS = 100           # in that time: a process that was stopped and goes on is not stuck


class Stuck(Exception):
    """Jobs are owed, and nothing goes on: a fault of ours."""


class Liveness:
    """Watches one run; `say(text)` tells people.

    `trouble` is what was last tried again, until something moves.
    """

    def __init__(self, say):
        self.say, self.trouble = say, ""
        self.moved_at = self.stepped_at = time.monotonic()
        self.steps = self.looks = 0

    def moved(self):
        """Note that something has come."""
        self.moved_at, self.trouble = time.monotonic(), ""

    def waits(self, requests):
        """Note that so many requests are under way, and nothing comes: a server may think for
        minutes.
        """
        self.trouble = self.trouble or f"{count(requests, 'request')} not answered yet"

    def look(self, steps, out, is_owed, is_asleep):
        """Say what is waited for; raise Stuck where neither a row, a byte nor a request has moved
        for a minute.

        `steps` is a number that changes whenever anything goes on, `out` how many jobs are not
        answered. Nothing needs to move unless it `is_owed`, or while the run `is_asleep`.
        """
        now = time.monotonic()
        if self.trouble and now - self.moved_at > SILENT_SECONDS:
            self.moved_at = now
            self.say(f"nothing has come for {SILENT_SECONDS} s, still trying: {self.trouble}")
        self.looks += 1
        if steps != self.steps or is_asleep:
            self.steps, self.stepped_at, self.looks = steps, now, 0
        elif is_owed and now - self.stepped_at > STUCK_SECONDS and self.looks > STUCK_LOOKS:
            raise Stuck(
                f"nothing has happened for {STUCK_SECONDS} s: {out} jobs are not answered"
                + (f"; the last trouble was: {self.trouble}" if self.trouble else ""))
