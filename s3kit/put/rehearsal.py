"""s3-put -n: what would be sent, said without asking or touching anything."""

import os
from copy import copy

from s3kit.disk.ledger import NAME, Ledger
from s3kit.disk.tree import OURS, Tree
from s3kit.disk.uploads import uploads_of
from s3kit.manifest.filters import Filter
from s3kit.put.deciding import Deciding
from s3kit.put.history import is_marker_to_make
from s3kit.put.targets import Terms, is_to_put
from s3kit.text import count
from s3kit.units import show_size


class Rehearsal(Deciding):
    """The run of one s3-put -n: `run`, then `summary` and `status`.

    It decides on rows as the real run does, and counts what that would send: `rows`, `bytes`; what
    was stored from here and is untouched (`there`), and what would fail.
    """

    def __init__(self, args, streams, people):
        self.args, self.keep = args, Filter(args)
        self.source, self.sink = streams
        self.tally, _, self.signals = people
        self.rows = self.bytes = self.there = self.markers = 0
        self.terms = Terms()        # whose server it is nobody asks
        self.stage = self.place = self.tree = self.ledger = self.uploads = None

    def run(self):
        """Pass every row on that the filters keep, and count what would become of it.

        Raises Fault (Cut).
        """
        for batch in self.source.batches():
            self.signals.check()
            if self.tree is None:
                self.open()     # not before a row came: s3-fetch before us may make DIR
            batch = self.keep(batch)
            if self.args.history:
                self.markers += sum(map(is_marker_to_make, batch))
            for row in filter(is_to_put, batch):
                self.take(row, self.ledger and self.ledger.find(row.bucket, row.key,
                                                                row.version_id))
            self.sink.write(batch, self.source.extras())

    def open(self):
        """Look at the directory, and at its ledger if there is one. Raises Fault."""
        self.tree = Tree(self.args.dest, make=False)
        folder = os.path.join(self.args.dest, OURS)
        if os.path.lexists(os.path.join(folder, NAME)):
            self.ledger = Ledger(folder)
            self.uploads = uploads_of(self.ledger)
        super().__init__(self, is_fresh=False)

    def begin(self, row, entry, target, path, identity):
        """Count a row whose file would be sent, if that was not done from here."""
        before = self.stored_before(row, target, path)
        if before and before.is_from(path, identity):
            self.there += 1
            return
        self.rows += 1
        self.bytes += identity.size
        if self.args.verbose:
            self.tally.say(f"'{path or row.key}' would go to s3://{target.bucket}/{target.key}")

    def look_alone(self, row, before):
        """Count a row that was stored from here, and whose file is gone."""
        self.there += 1

    def fail(self, row, state, why):
        """Say why a row would fail; it is passed on as it is."""
        told = copy(row)
        told.state, told.error = state, why
        self.tally.count(told, told=True)

    def summary(self):
        """Return the parts of the summary."""
        wrong = self.tally.rows()
        return [f"{count(self.rows, 'row')} to send ({show_size(self.bytes)})",
                self.markers and f"{count(self.markers, 'delete marker')} to make",
                self.there and f"{count(self.there, 'row')} stored before",
                wrong and f"{count(wrong, 'row')} would fail"]

    def status(self):
        """Return the exit status."""
        return self.tally.status()
