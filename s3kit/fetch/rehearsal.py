"""s3-fetch -n: what would be fetched, said without asking or touching anything."""

import os

from s3kit.disk.ledger import Ledger
from s3kit.disk.tree import OURS, Tree
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
        self.rows = self.bytes = 0
        folder = os.path.join(args.dest, OURS)
        self.tree, self.ledger = ((Tree(args.dest, make=False), Ledger(folder))
                                  if os.path.isdir(folder) else (None, None))

    def run(self):
        """Pass every row on that the filters keep, and count what would be fetched.

        Raises Fault (Cut).
        """
        for batch in self.source.batches():
            self.signals.check()
            batch = self.keep(batch)
            for row in batch:
                if states.is_to_fetch(row) and not self.is_there(row):
                    self.rows += 1
                    self.bytes += row.length or 0
                    if self.args.verbose:
                        self.tally.count(row)
            self.sink.write(batch, self.source.extras())

    def is_there(self, row):
        """Fill a row from the ledger if its file is there, untouched since it was checked; return
        whether it is.
        """
        entry = self.ledger.find(row.bucket, row.key, row.version_id) if self.ledger else None
        if entry is None or not states.is_pinned(row) or not is_intact(self.tree, row, entry):
            return False
        states.keep(row, entry)
        return True

    def summary(self):
        """Return the parts of the summary."""
        return [f"{count(self.rows, 'row')} to fetch ({show_size(self.bytes)})"]

    def status(self):
        """Return the exit status."""
        return self.tally.status(unverifiable=False)


def is_intact(tree, row, entry):
    """Return whether the file of a row's ledger Entry lies in the Tree as it was when its bytes
    were checked.
    """
    if not entry.path or not entry.proof or (row.path and row.path != entry.path):
        return False
    if (row.etag, row.size) != (entry.etag, str(entry.size)) and not states.is_same_object(
            row, entry):        # which nearly always needs no call
        return False
    there = tree.look(entry.path)
    return there is not None and entry.is_file(there)
