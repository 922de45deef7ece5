"""How much of a command's work is done: told on stderr, and to those who look from elsewhere."""

import os
import time

from s3kit.cli.messages import Screen, say
from s3kit.runs.pace import Pace
from s3kit.process import pipe_of


class Progress:
    """Counts what is done, in `unit`s (B for bytes), and what is expected.

    `is_whole` says that all that is to be done is expected, `text` what the numbers do not. All of
    it is only kept here; the Reporter tells it.
    """

    current = None      # that of this process

    def __init__(self, args, unit="B"):
        self.unit, self.quiet = unit, args.quiet
        self.is_shown = os.isatty(2) and not args.quiet
        self.done = self.expected = 0
        self.share, self.estimate = None, 0     # of the input, and what all of it leads to
        self.is_whole, self.text = False, ""
        self.pace = Pace(time.monotonic())
        self.is_closed = False
        Screen.is_shared = self.is_shown
        Progress.current = self

    def expect(self, amount):
        """Add to what is to be done."""
        self.expected += amount

    def move(self, amount, text=""):
        """Add to what is done."""
        self.done += amount
        if text:
            self.text = text

    def read(self, share, is_whole=False):
        """Note how much of the input (from 0 to 1, None: nobody knows) has led to what is expected
        now, and whether that is all.
        """
        self.is_whole = is_whole
        if share and share != self.share:
            self.share, self.estimate = share, int(max(self.expected, self.done) / share)

    def total(self):
        """Return (what is to be done in all, whether that is an estimate), 0 where nobody knows."""
        known = max(self.expected, self.done)
        if self.is_whole:
            return known, False
        return (max(self.estimate, known), True) if self.share else (0, False)

    def end(self, text):
        """Say the summary, `NAME: what was done`, in the bar's place."""
        self.close()
        if not self.quiet:
            name, _, rest = text.partition(": ")
            say(name, rest)

    def close(self):
        """Take the bar away."""
        self.is_closed = True
        Screen.clear()


def in_pipe(fd):
    """Return whether a descriptor is a pipe."""
    return bool(pipe_of(fd))
