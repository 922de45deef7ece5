"""Rows of s3-fetch whose files are there already get what S3 says of their objects besides the
bytes.
"""

from s3kit.disk.descriptions import Descriptions
from s3kit.disk.tree import NO_TIME
from s3kit.errors import NoSuchBucket
from s3kit.manifest import states
from s3kit.pipeline.errand import Errand
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Job


class DescribingErrand(Errand):
    """A row whose file is there; `go(row, aloud)` lets it go."""

    __slots__ = ("go",)

    def __init__(self, row, job, go):
        super().__init__(row, job)
        self.go = go


class Describing:
    """What `fetching` (the verb) does where --with-metadata `is_wanted`: each row says what the row
    itself, the ledger or else S3 knows.

    `unknown` rows left without, for S3 would not say.
    """

    def __init__(self, fetching):
        self.fetching, self.stage = fetching, fetching.stage
        self.is_wanted = fetching.args.with_metadata
        self.ledger = Descriptions(self.stage.ledger) if self.is_wanted else None
        self.news = {}              # what the ledger does not know yet
        self.unknown = 0

    def take(self, row, version_id, told):
        """Give a row what S3's answer has told, if it was to be kept, and have the ledger know."""
        if told is not None:
            states.take_description(row, told)
            self.news[row.bucket, row.key, version_id] = row.etag, told

    def is_known(self, row, entry):
        """Fill a row, whose file is the one of a ledger Entry, without S3; return False where S3
        must be asked.
        """
        if not self.is_wanted or states.is_described(row):
            return True
        if states.is_put_again(row, entry):
            return False
        etag, told = self.news.get(entry[:3], ("", None))
        if etag != entry.etag:
            told = self.ledger.find(entry[:3], entry.etag)
        if told is not None:
            states.take_description(row, told)
        return told is not None

    def leave(self, row, entry):
        """Let a row go whose file is there, when it is filled."""
        self.let_go(row, entry, self.stage.leave)

    def finish(self, row, entry):
        """Let a row go whose file has not been flushed, when it is filled."""
        self.let_go(row, entry,
                    lambda row, **aloud: self.stage.finish(row, entry, **aloud))

    def let_go(self, row, entry, go):
        """Let a row go by `go(row)`, now or when S3 has been asked."""
        if self.is_known(row, entry):
            go(row)
        else:
            self.ask(row, entry.version_id, go)

    def ask(self, row, version_id, go):
        """Ask S3, for a row that `go(row)` then lets go."""
        job = Job("describe", row.bucket, row.key, version_id, row.etag, row.length, NO_TIME,
                  row.path)
        errand = DescribingErrand(row, job, go)
        if not states.is_askable(row):
            self.give_up(errand, "no version of S3's has such an id or ETag")
            return
        try:
            self.stage.reach(row)
        except NoSuchBucket as fault:
            self.give_up(errand, str(fault))
            return
        self.stage.send(errand)

    def answered(self, errand, outcome):
        """Take S3's answer."""
        if outcome.state == jobs.DESCRIBED:
            self.take(errand.row, errand.job.version_id, outcome.description)
            errand.go(errand.row)
        elif outcome.state == jobs.FATAL:
            self.fetching.stop(errand, outcome)
        elif outcome.state != jobs.AGAIN or not self.stage.retry(
                errand, outcome, self.fetching.args.retries):
            self.give_up(errand, outcome.error)

    def give_up(self, errand, why):
        """Let a row go as it is: its file is there, whatever S3 says of the object today."""
        self.unknown += 1
        errand.row.error = f"what else S3 says of it is not known: {why}"
        errand.go(errand.row, aloud=True)

    def record(self):
        """Have the ledger know what is new."""
        if self.news:
            self.ledger.record(self.news)
            self.news = {}
