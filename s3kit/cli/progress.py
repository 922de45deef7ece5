"""The progress bar on stderr."""

import os
import stat
import sys

from s3kit.cli.messages import Screen, say
from s3kit.text import visible


class Progress:
    """A bar on stderr, if that is a terminal; the stages of a pipeline each keep to a line of their
    own.

    All stages draw relative to the same cursor, so only the last may move it for good.
    """

    LINES = {"s3-manifest": 0, "s3-filter": 1, "s3-restore": 1, "s3-fetch": 2, "s3-verify": 3,
             "s3-put": 3, "s3-prune": 4}

    def __init__(self, args, unit="B"):
        self.bar, self.quiet = None, args.quiet
        self.is_shown = os.isatty(2) and not args.quiet
        self.line = self.LINES.get(args.prog, 0) if in_pipe(0) else 0
        if not self.is_shown:
            return
        from tqdm import tqdm
        Screen.bar = self
        self.bar = tqdm(desc=f"{args.prog:<11}", unit=unit, unit_scale=True,
                        unit_divisor=1024 if unit == "B" else 1000, position=self.line, leave=False,
                        dynamic_ncols=True, mininterval=0.2, file=sys.stderr)
        self.bar.total = 0

    def expect(self, amount):
        """Add to the total."""
        if self.bar is not None:
            self.bar.total += amount

    def move(self, amount, text=None):
        """Add to what is done."""
        if self.bar is not None:
            if text:
                self.bar.set_postfix_str(text, refresh=False)
            self.bar.update(amount)
            if not amount:
                self.bar.refresh()      # tqdm would think that there is nothing new

    def end(self, text):
        """Put the summary in the bar's place: for good below all others if no other stage follows.
        """
        if self.bar is not None and in_pipe(1):
            self.bar.display(visible(text), self.line)
            self.bar.disable = True         # what stands there stays
            self.bar = None
            return
        self.close()
        if not self.quiet:
            name, _, rest = text.partition(": ")
            sys.stderr.write("\n" * self.line if self.is_shown else "")
            say(name, rest)

    def close(self):
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        Screen.bar = None


def in_pipe(fd):
    """Return whether a descriptor is a pipe."""
    return stat.S_ISFIFO(os.fstat(fd).st_mode)
