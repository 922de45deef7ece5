"""Taking over from transfer_v5: what its ledger calls moved is believed where the target has it,
and files that lie on the volumes are used.
"""

import os
import stat

from s3kit.disk.scratch import Scratch
from s3kit.disk.tree import OURS
from s3kit.filter.likeness import SAME, SIZE, compare
from s3kit.manifest import row as rows
from s3kit.manifest.stored_at import Copy, written
from s3kit.put.targets import target_of
from s3kit.relay.deliveries import delivery_of, now
from s3kit.relay.side_listing import SideListing
from s3kit.text import count

LEFT_OUT = (OURS, "lost+found")
FAR = "key, version_id, etag, size, checksum_algorithm, checksum_type, checksum"
AT_ONCE = 1000          # files that are looked up and written down together


class Takeover:
    """Takes a ledger's claims over. `sides` is (source, target); with `accepts_size` a copy of the
    same size is believed where nothing better can be compared. `check()` raises if a signal came.

    `taken` counts what is delivered, `unlike` what the target has otherwise, `doubtful` what only
    has the same size there, `missing` what it has not, `files` what was found on the volumes.
    """

    def __init__(self, deliveries, sides, volumes, accepts_size, check):
        self.deliveries, (self.source, self.target) = deliveries, sides
        self.volumes, self.accepts_size, self.check = volumes, accepts_size, check
        self.taken = self.unlike = self.doubtful = self.missing = self.files = 0
        self.scratch = Scratch("CREATE TABLE claim (key TEXT PRIMARY KEY) WITHOUT ROWID",
                               f"CREATE TABLE far ({FAR}, PRIMARY KEY (key)) WITHOUT ROWID")

    def run(self, claims):
        """Take over what `claims`, (key, size) each, says. Raises Fault."""
        self.scratch.put_all("INSERT OR IGNORE INTO claim VALUES (?)",
                             ((key,) for key, _ in claims))
        for batch in SideListing(self.target).batches():
            self.check()
            self.scratch.put_all("INSERT OR REPLACE INTO far VALUES (?, ?, ?, ?, ?, ?, ?)", [
                [getattr(row, name) for name in FAR.split(", ")] for row in batch])
        number = self.deliveries.begin_listing()
        for batch in SideListing(self.source).batches():
            self.check()
            self.deliveries.see(batch, number, now())
            self.deliveries.record([done for row in batch if (done := self.delivered(row, number))])
        for volume in self.volumes:
            self.take_files(volume)

    def delivered(self, row, number):
        """Return the Delivery of a Row of the source that was claimed and is at the target, or
        None.
        """
        if not self.scratch.one("SELECT 1 FROM claim WHERE key = ?", (row.key,)):
            return None
        _, key = target_of(row, self.target.bucket, self.target.prefix, self.source.folder)
        found = self.scratch.one(f"SELECT {FAR} FROM far WHERE key = ?", (key,))
        if not found:
            self.missing += 1
            return None
        far = rows.Row(self.target.bucket, **dict(zip(FAR.split(", "), found)))
        verdict, by = compare(row, far)
        if verdict == SAME and (by != SIZE or self.accepts_size):
            self.taken += 1
            copy = Copy(self.target.bucket, key, far.version_id)
            return delivery_of(row, number)._replace(state=rows.STORED, far_proof=by,
                                                     stored_at=written(copy))
        if verdict == SAME or not by:
            self.doubtful += 1
        else:
            self.unlike += 1
        return None

    def take_files(self, volume):
        """Give the files on a Volume that have a waiting row's key and size to those rows: s3-fetch
        compares their bytes with S3's before it takes them.
        """
        found = []
        for folder, names, files in os.walk(volume.path):
            self.check()
            if folder == volume.path:
                names[:] = [name for name in names if name not in LEFT_OUT]
            for name in files:
                path = os.path.join(folder, name)
                told = os.lstat(path)
                if stat.S_ISREG(told.st_mode):
                    found.append((os.path.relpath(path, volume.path), told.st_size))
            if len(found) > AT_ONCE:
                self.use(volume, found)
                found = []
        self.use(volume, found)

    def use(self, volume, found):
        """Deal the rows of [(path, size)] to the Volume where they lie."""
        dealt = []
        for path, size in found:
            waiting = self.deliveries.waiting_at(self.source.folder + path, size)
            if waiting:
                dealt.append(waiting._replace(volume=volume.path, path=path, dealt_at=now()))
        self.files += len(dealt)
        self.deliveries.record(dealt)

    def summary(self):
        """Return the parts of the summary."""
        return [f"{count(self.taken, 'row')} taken over",
                self.files and f"{count(self.files, 'file')} found on volumes",
                self.missing and f"{self.missing:,} not at the target",
                self.unlike and f"{self.unlike:,} otherwise there",
                self.doubtful and f"{self.doubtful:,} of the same size, which proves nothing "
                "(--accept-proof size believes it)"]
