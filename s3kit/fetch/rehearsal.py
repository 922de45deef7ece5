"""s3-fetch -n: what would be fetched, said without asking or touching anything."""

import os

from s3kit.disk.ledger import Ledger
from s3kit.disk.tree import OURS, Tree
from s3kit.fetch.elsewhere import Elsewhere
from s3kit.pipeline.places import Places, is_intact
from s3kit.manifest import states
from s3kit.manifest.filters import Filter
from s3kit.text import count
from s3kit.units import show_size


class Rehearsal:
    """The run of one s3-fetch -n: `run`, then `summary` and `status`."""

    def __init__(self, args, streams, people):
        self.args, self.keep = args, Filter(args)
        self.source, self.sink = streams
        self.tally, _, self.signals = people
        self.rows = self.bytes = self.there = self.unknown = 0
        folder = os.path.join(args.dest, OURS)
        self.tree = Tree(args.dest, make=False) if os.path.isdir(args.dest) else None
        self.ledger = Ledger(folder) if os.path.isdir(folder) else None
        self.elsewhere = Elsewhere(args, self.tree, Places(self.ledger, self.tree))

    def run(self):
        """Pass every row on that the filters keep, and count what would be fetched.

        Raises Fault (Cut).
        """
        for batch in self.source.batches():
            self.signals.check()
            batch = self.keep(batch)
            for row in batch:
                self.take(row)
            self.sink.write(batch, self.source.extras())

    def take(self, row):
        """Count a row if its bytes would be fetched."""
        if states.is_come_before(row) and self.elsewhere.passes(row, self.entry_of(row)):
            return
        if not states.is_to_fetch(row) or self.is_there(row):
            return
        self.rows += 1
        self.bytes += row.length or 0
        self.unknown += row.length is None
        if self.args.verbose:
            self.tally.count(row)

    def entry_of(self, row):
        """Return what the ledger knows of a row, or None."""
        return self.ledger.find(row.bucket, row.key, row.version_id) if self.ledger else None

    def is_there(self, row):
        """Fill a row from the ledger if its file is there, untouched since it was checked; return
        whether it is.
        """
        entry = self.entry_of(row)
        if entry is None or not states.is_pinned(row) or not is_intact(self.tree, row, entry):
            return False
        states.keep(row, entry)
        self.there += 1
        return True

    def summary(self):
        """Return the parts of the summary."""
        self.elsewhere.tell(self.tally)
        size = show_size(self.bytes)
        if self.unknown:
            size = ("size unknown" if self.unknown == self.rows
                    else f"{size}, and {count(self.unknown, 'row')} of unknown size")
        return [f"{count(self.rows, 'row')} to fetch ({size})"]

    def status(self):
        """Return the exit status."""
        return (self.tally.status(unverifiable=False)
                or self.elsewhere.status(self.rows + self.there))
