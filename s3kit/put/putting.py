"""s3-put's verb: what becomes of the workers' answers."""

import time

from s3kit.disk.uploads import Upload
from s3kit.errors import DONE, SOME_FAILED, Fault
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.manifest.stored_at import NAME, Copy, copy_of, is_the_copy, written
from s3kit.pipeline.stage import Verb
from s3kit.put.deciding import Deciding
from s3kit.put.history import HIDES, History, HistoryErrand, is_marker_to_make
from s3kit.put.large_uploads import LargeUploads, PartErrand
from s3kit.put.targets import Terms, is_local, is_to_put
from s3kit.text import count
from s3kit.transfer import job as jobs
from s3kit.transfer import put_job
from s3kit.transfer.expected import DOUBTFUL, MISMATCH
from s3kit.units import from_epoch, show_size

UNPROVEN = "S3 says nothing that the bytes it has stored could be compared with"
GONE = "what was stored there is there no more, and its file is gone"
LAST_COPY = ": the only copy of a version that s3-prune deleted (a bucket with versions keeps both)"


class Putting(Verb):
    """What s3-put does with a row; `place` is a Place: where files lie, and what was uploaded.
    `is_fresh`: nothing was at any target when the run began; `terms` are those of the targets'
    server.
    """

    def __init__(self, stage, place, is_fresh, terms=Terms()):
        super().__init__(stage)
        self.place, self.tree, self.uploads = place, place.tree, place.uploads
        self.terms = terms
        self.large = LargeUploads(self)
        self.deciding = Deciding(self, is_fresh)
        self.history = History(self, is_fresh) if self.args.history else None
        self.take = (self.history or self.deciding).take
        self.ended = self.history.ended if self.history else lambda row, upload: None
        self.stored = self.kept = self.moved_bytes = 0
        self.steps = {put_job.SENT: self.take_copy, put_job.THERE: self.take_copy,
                      put_job.LOOKED: self.looked, jobs.AGAIN: self.try_again,
                      jobs.FATAL: self.stop}

    def is_mine(self, row):
        """Return whether s3-put acts on a row."""
        return is_to_put(row) or self.history is not None and is_marker_to_make(row)

    def resend(self, errand):
        """Send an errand's job once more: an answer may have been lost, so what is there is looked
        at first.
        """
        if isinstance(errand, PartErrand):
            self.stage.send(errand, weight=errand.job.memory)
            return
        if errand.large:
            self.large.resend(errand)
            return
        if errand.job.kind in ("put", "hide"):
            errand.job = errand.job._replace(is_looked=True)
        self.stage.send(errand, weight=errand.job.size)

    # --- from the workers to the output

    def answered(self, errand, outcome):
        """Take the outcome of one job."""
        if isinstance(errand, HistoryErrand):
            self.history.answered(errand, outcome)
        elif isinstance(errand, PartErrand) or errand.large:
            self.large.answered(errand, outcome)
        elif outcome.state in self.steps:
            self.steps[outcome.state](errand, outcome)
        else:
            self.give_up(errand, outcome)

    def moved(self, count):
        """Show that bytes have gone."""
        self.moved_bytes += count
        self.progress.move(count)

    def looked(self, errand, outcome):
        """Take what is at the target of a row whose file is gone."""
        before, row = errand.before, errand.row
        is_there = outcome.etag and outcome.etag == before.to_etag and outcome.size == before.size
        if not is_there:
            self.fail(row, rows.FAILED, f"{GONE}{f' ({outcome.error})' if outcome.error else ''}")
            return
        self.kept += 1
        states.take_digest(row, before.digest)
        if is_local(row) or is_the_copy(row):
            row.path = before.path
            self.become_copy(row, before, outcome)
        self.describe(row, before)
        self.judge(row, before)
        self.stage.leave(row, aloud=bool(row.error))

    def take_copy(self, errand, outcome):
        """The bytes are at the target: the row may leave when the ledger knows."""
        row, job = errand.row, errand.job
        far = outcome.proof
        self.stored += outcome.state == put_job.SENT and far != "size"
        self.kept += outcome.state == put_job.THERE
        if job.expected.claim.kind != "none":
            errand.hop = outcome.pieces
        upload = Upload(job.bucket, job.key, outcome.version_id, outcome.etag, row.bucket, row.key,
                        row.version_id, row.etag, job.path, job.size, job.identity.mtime_ns,
                        job.identity.inode, outcome.checksum_algorithm, outcome.checksum_type,
                        outcome.checksum, outcome.digest, weakest(errand.hop, far), far,
                        from_epoch(time.time()))
        if job.path:
            row.path = job.path
        states.take_digest(row, outcome.digest)
        if is_local(row) or is_the_copy(row):
            upload = self.become_copy(row, upload, outcome)
        self.describe(row, upload)
        self.judge(row, upload)
        self.stage.finish(row, upload, is_safe=True, aloud=bool(row.error))
        self.ended(row, upload)

    def become_copy(self, row, upload, outcome):
        """Give a row of a local tree the identity of the copy; return its Upload."""
        row.bucket, row.key, row.version_id = upload[:3]
        row.etag, row.size = outcome.etag, str(outcome.size)
        row.last_modified, row.storage_class = outcome.last_modified, outcome.storage_class
        row.is_latest = "true" if row.version_id else ""
        states.take_checksum(row, outcome)
        return upload._replace(bucket=row.bucket, key=row.key, version_id=row.version_id,
                               etag=row.etag)

    def describe(self, row, upload):
        """Fill a row with what is known of its copy."""
        row.set_optional(NAME, written(Copy(*upload[:3])))
        row.proof, row.size = upload.proof, row.size or str(upload.size)

    @staticmethod
    def judge(row, upload):
        """Give a row the state that its copy's proof allows; what is pruned stays that, unless its
        very name has an object again.
        """
        is_gone = row.state == rows.PRUNED and not is_the_copy(row)
        row.state, row.error = rows.PRUNED if is_gone else rows.STORED, ""
        if upload.far_proof == "size":
            row.state, row.error = rows.UNVERIFIABLE, UNPROVEN

    def try_again(self, errand, outcome):
        """Wait and try again, as often as --retries says."""
        if not self.stage.retry(errand, outcome, self.args.retries):
            self.give_up(errand, outcome)

    def stop(self, errand, outcome):
        """S3 will not have us at all. Raises Fault."""
        raise Fault(outcome.error)

    def give_up(self, errand, outcome):
        """Let an errand's row go that failed."""
        state = {jobs.CONFLICT: rows.CONFLICT, MISMATCH: rows.MISMATCH,
                 DOUBTFUL: rows.UNVERIFIABLE}.get(outcome.state, rows.FAILED)
        is_last = state == rows.CONFLICT and errand.job.only_absent and not self.args.if_absent
        why = HIDES if self.history else LAST_COPY
        self.fail(errand.row, state, outcome.error + why * is_last)

    def fail(self, row, state, why):
        """Let a row go that failed; a copy of its object that was there before is another matter.

        A row of the copy itself keeps that, for its key has the prefix already.
        """
        row.state, row.error = state, why
        if copy_of(row):
            row.proof = ""
            if not is_the_copy(row):
                row.set_optional(NAME, "")
        self.stage.leave(row, aloud=True)
        self.ended(row, None)

    # --- afterwards

    def abandon(self):
        """Uploads that are not complete stay, for the same command goes on with them."""
        self.large.abandon()

    def summary(self):
        """Return the parts of the summary."""
        size = f" ({show_size(self.moved_bytes)})" if self.moved_bytes else ""
        wrong = self.tally.of(*rows.WRONG)
        removed = self.place.removed
        self.large.say_what_is_left()
        return [f"{count(self.stored, 'row')} stored{size}" if self.stored or not self.kept
                else "nothing to store", self.kept and f"{count(self.kept, 'row')} already there",
                self.history and self.history.hidden
                and f"{count(self.history.hidden, 'delete marker')} made",
                removed and f"{count(removed, 'file')} removed",
                self.tally.of(rows.UNVERIFIABLE)
                and f"{self.tally.of(rows.UNVERIFIABLE):,} unverifiable",
                self.archived and f"{count(self.archived, 'row')} in an archive",
                wrong and f"{count(wrong, 'row')} failed"]

    @property
    def archived(self):
        """How many rows had nothing to be sent: S3 is bringing their bytes back."""
        return self.tally.of(rows.RESTORING)

    def status(self):
        """Return the exit status."""
        return self.tally.status() or (SOME_FAILED if self.archived else DONE)


def weakest(hop, far):
    """Return the proof of a row's object: `far` is that of the copy against the file, `hop` that of
    the file against the object, None where the file itself is what the row is about.
    """
    if hop is None or states.is_strong(hop):
        return far
    return "size" if far == "size" else hop or "size"
