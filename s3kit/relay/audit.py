"""An audit: what is at both sides now, held against what the ledger says."""

from s3kit.disk.scratch import Scratch
from s3kit.disk.uploads import LOOSE
from s3kit.manifest import row as rows
from s3kit.manifest.stored_at import GONE, REPLACED, copy_in
from s3kit.relay.deliveries import delivery_of
from s3kit.relay.side_listing import SideListing
from s3kit.text import count


class Audit:
    """Finds what the Deliveries cannot explain of two `sides`: `tell(name, why)` gets each.
    `check()` raises if a signal came.

    `explained` counts the versions of the source whose copy is there, `found` the others.
    """

    def __init__(self, deliveries, sides, tell, check):
        self.deliveries, (self.source, self.target) = deliveries, sides
        self.tell, self.check = tell, check
        self.explained = self.found = 0
        self.far = Scratch("CREATE TABLE far (key TEXT PRIMARY KEY, version_id, size, is_known) "
                           "WITHOUT ROWID")

    def run(self):
        """Look at both. Raises Fault."""
        for batch in SideListing(self.target).batches():
            self.check()
            self.far.put_all("INSERT OR REPLACE INTO far VALUES (?, ?, ?, 0)", [
                (row.key, row.version_id, row.length) for row in batch])
        for batch in SideListing(self.source).batches():
            self.check()
            for row in batch:
                self.look(row)
        for delivery in self.deliveries.stored():
            copy = copy_in(delivery.stored_at)
            if copy:
                self.far.put("UPDATE far SET is_known = 1 WHERE key = ?", (copy.key,))
        for key, in self.far.all("SELECT key FROM far WHERE is_known = 0 ORDER BY key"):
            self.say(f"s3://{self.target.bucket}/{key}", "is at the target, and was not delivered")

    def look(self, row):
        """Hold a Row of the source against the ledger and the target."""
        delivery = self.deliveries.find(delivery_of(row, 0).name)
        if delivery is None:
            self.say(row.name, "is not known: it came after the last listing")
        elif delivery.state != rows.STORED:
            self.say(row.name, f"is not delivered ({delivery.state})"
                     + (f": {delivery.error}" if delivery.error else ""))
        else:
            self.look_at_copy(row, copy_in(delivery.stored_at))

    def look_at_copy(self, row, copy):
        """Look whether a row's copy is what is current at the target."""
        found = self.far.one("SELECT version_id, size FROM far WHERE key = ?", (copy.key,))
        if found is None:
            self.say(row.name, GONE)
        elif found[1] != row.length or copy.version_id not in LOOSE and found[0] != copy.version_id:
            self.say(row.name, REPLACED)
        else:
            self.explained += 1

    def say(self, name, why):
        """Tell of one."""
        self.found += 1
        self.tell(name, why)

    def summary(self):
        """Return the parts of the summary."""
        return [f"{count(self.explained, 'row')} delivered and there",
                f"{self.found:,} not explained" if self.found else ""]
