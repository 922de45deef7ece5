"""The requests of s3-restore that are under way."""

from s3kit.errors import NoSuchBucket
from s3kit.restore.asking import RestoreRequest, StatusQuery, terms

LOOKED, POLLED, ASKED = "looked", "polled", "asked"     # why a request was sent


class Requests:
    """Sends what is asked of S3, and counts what is under way, by why it was sent.

    `fail(version, why)` is called for a version of a bucket that is not there.
    """

    def __init__(self, stage, probes, fail):
        self.stage, self.probes, self.fail = stage, probes, fail
        self.under_way = {LOOKED: 0, POLLED: 0, ASKED: 0}

    def look_at(self, version, reason=LOOKED):
        """Ask how a version stands."""
        self.send(version, reason, StatusQuery, version.row.etag, self.probes.wants_head(version))

    def ask_for(self, version):
        """Ask S3 for a version."""
        version.asks += 1
        days, tier = terms(version.storage_class, version.archive_tier, self.stage.args.days,
                           version.tier)
        self.send(version, ASKED, RestoreRequest, days, tier)

    def send(self, version, reason, kind, *values):
        """Send a request of a kind."""
        row = version.row
        try:
            endpoint = self.stage.access.endpoint(row.bucket)
        except NoSuchBucket as fault:
            self.fail(version, str(fault))
            return
        version.reason = reason
        version.job = kind(endpoint, row.key, row.version_id, *values)
        self.under_way[reason] += 1
        self.stage.send(version)

    def answered(self, version):
        """Take note of an answer; return why the request was sent."""
        reason = version.reason
        version.reason = version.job = None
        self.under_way[reason] -= 1
        return reason
