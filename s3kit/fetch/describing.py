"""Rows of s3-fetch whose files are there already: they get what S3 says of their objects besides
the bytes, and their files the times that are noted there.
"""

from s3kit.disk.descriptions import Descriptions
from s3kit.disk.tree import NO_TIME
from s3kit.errors import NoSuchBucket, reason
from s3kit.manifest import states
from s3kit.pipeline.errand import Errand
from s3kit.s3.source_times import noted_in_pairs
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Job
from s3kit.transfer.present import give_time

UNKNOWN = "what else S3 says of it is not known: {}"


class DescribingErrand(Errand):
    """A row whose file is there, as the ledger's `entry` has it; `go(row, aloud)` lets it go."""

    __slots__ = ("entry", "go")

    def __init__(self, row, job, entry, go):
        super().__init__(row, job)
        self.entry, self.go = entry, go


class Describing:
    """What `fetching` (the verb) does where that `is_wanted`, by what the row itself, the ledger or
    else S3 knows: with --with-metadata it `fills` rows, with --source-times it `retimes` files.

    `lacking` rows left without that, for S3 would not say it, or the system would not do it.
    """

    def __init__(self, fetching):
        self.fetching, self.stage = fetching, fetching.stage
        self.fills, self.retimes = fetching.args.with_metadata, fetching.args.source_times
        self.is_wanted = self.fills or self.retimes
        self.ledger = Descriptions(self.stage.ledger) if self.is_wanted else None
        self.news = {}              # what the ledger does not know yet
        self.lacking = 0

    def take(self, row, version_id, told):
        """Take what S3's answer has told of a row, if that was to be kept."""
        if told is None:
            return
        if self.fills:
            states.take_description(row, told)
        self.news[row.bucket, row.key, version_id] = row.etag, told

    def leave(self, row, entry):
        """Let a row go whose file is there, when all is done."""
        self.fetching.failures.over([row])
        self.let_go(row, entry, self.stage.leave)

    def finish(self, row, entry):
        """Let a row go whose file has not been flushed, when all is done."""
        self.let_go(row, entry, lambda row, **aloud: self.stage.finish(row, entry, **aloud))

    def let_go(self, row, entry, go):
        """Let a row go by `go(row)`, now or when S3 has been asked."""
        if not self.is_wanted:
            go(row)
            return
        told = self.known(row, entry)
        if told is None:
            self.ask(row, entry, go)
        else:
            self.tell(row, entry, told, go)

    def known(self, row, entry):
        """Return {column: text} that the row or the ledger knows; None where S3 must be asked."""
        if states.is_described(row):
            return states.description_of(row)
        if states.is_put_again(row, entry):
            return None
        etag, told = self.news.get(entry[:3], ("", None))
        return told if etag == entry.etag else self.ledger.find(entry[:3], entry.etag)

    def tell(self, row, entry, told, go):
        """Do what is wanted by what was told of a row, and let it go."""
        if self.fills:
            states.take_description(row, told)
        try:
            timed = self.retimed(entry, told) if self.retimes else entry
        except OSError as error:
            self.give_up(row, f"cannot give '{entry.path}' its time: {reason(error)}", go)
            return
        if timed is entry:
            go(row)
        else:
            self.stage.finish(row, timed)

    def retimed(self, entry, told):
        """Give a file the time that its uploader has noted; return its new Entry, or the old one
        where it has that time, or can have none. Raises OSError.
        """
        at = noted_in_pairs(told.get("metadata", ""))
        if at in (None, entry.mtime_ns) or entry.is_folder:
            return entry
        status = give_time(self.fetching.tree, entry.path, entry.is_file, at)
        return entry._replace(mtime_ns=status.st_mtime_ns) if status else entry

    def ask(self, row, entry, go):
        """Ask S3, for a row that `go(row)` then lets go."""
        if not states.is_askable(row):
            self.give_up(row, UNKNOWN.format("no version of S3's has such an id or ETag"), go)
            return
        try:
            self.stage.reach(row)
        except NoSuchBucket as fault:
            self.give_up(row, UNKNOWN.format(fault), go)
            return
        job = Job("describe", row.bucket, row.key, entry.version_id, row.etag, row.length, NO_TIME,
                  row.path)
        self.stage.send(DescribingErrand(row, job, entry, go))

    def answered(self, errand, outcome):
        """Take S3's answer."""
        row = errand.row
        if outcome.state == jobs.DESCRIBED:
            self.take(row, errand.job.version_id, outcome.description)
            self.tell(row, errand.entry, outcome.description, errand.go)
        elif outcome.state == jobs.FATAL:
            self.fetching.stop(errand, outcome)
        elif outcome.state != jobs.AGAIN or not self.stage.retry(
                errand, outcome, self.fetching.args.retries):
            self.give_up(row, UNKNOWN.format(outcome.error), errand.go)

    def give_up(self, row, why, go):
        """Let a row go as it is: its file is there all the same."""
        self.lacking += 1
        row.error = why
        go(row, aloud=True)

    def record(self):
        """Have the ledger know what is new."""
        if self.news:
            self.ledger.record(self.news)
            self.news = {}
