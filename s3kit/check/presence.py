"""Whether S3 has the versions that rows name: many HEADs at once, no row of the manifest leaves."""

from collections import deque

from s3kit.errors import Fault, NoSuchBucket
from s3kit.manifest.row import FAILED, VANISHED
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.stage import Verb
from s3kit.restore.answers import AGAIN, CHANGED, FATAL, MARKER
from s3kit.restore.asking import StatusQuery

TRIES = 5


class PlacedErrand(Errand):
    """A row that S3 is asked about, and its place."""

    __slots__ = ("place",)


class Presence(Verb):
    """Asks S3 for rows; `places` are theirs, in the order in which the rows come."""

    passes_on = False

    def __init__(self, stage, findings):
        super().__init__(stage)
        self.findings, self.places = findings, deque()
        self.missing = {}           # bucket: why it cannot be used

    def is_mine(self, row):
        """Every row that comes is asked about."""
        return True

    def take(self, row, entry):
        """Ask about one row."""
        errand = PlacedErrand(row)
        errand.place = self.places.popleft()
        if row.bucket in self.missing:
            self.findings.add(errand.place, "bucket", self.missing[row.bucket])
            return
        try:
            self.resend(errand)
        except NoSuchBucket as fault:
            self.missing[row.bucket] = str(fault)
            self.findings.add(errand.place, "bucket", str(fault))

    def resend(self, errand):
        """Ask, with the credentials of now."""
        row = errand.row
        endpoint = self.stage.access.endpoint(row.bucket)
        errand.job = StatusQuery(endpoint, row.key, row.version_id, row.etag, by_head=True)
        self.stage.send(errand)

    def answered(self, errand, status):
        """Take what S3 says of a version. Raises Fault where it says nothing of any."""
        row, place = errand.row, errand.place
        if status.state == AGAIN and self.stage.retry(errand, status, TRIES):
            return
        self.progress.move(1)
        if status.state == FATAL:
            raise Fault(status.error)
        if status.state == VANISHED:
            self.vanished(row, place, status.error == MARKER)
        elif status.error == CHANGED:
            self.findings.add(place, "etag", f"S3 has another object as {row.name} now")
        elif status.state in (FAILED, AGAIN):
            self.findings.add(place, "", f"S3 does not say whether it has {row.name}: "
                              f"{status.error}")
        elif row.is_marker:
            self.findings.add(place, "is_delete_marker", f"{row.name} is not a delete marker in S3")
        elif row.size and status.size and row.length != int(status.size):
            self.findings.add(place, "size", f"S3 says {status.size} bytes, not {row.size}")

    def vanished(self, row, place, is_marker):
        """Take that S3 has no bytes of a version; a delete marker has none."""
        if not is_marker:
            self.findings.add(place, "version_id" if row.version_id else "key",
                              f"S3 does not have {row.name}")
        elif not row.is_marker:
            self.findings.add(place, "is_delete_marker", f"{row.name} is a delete marker in S3")
