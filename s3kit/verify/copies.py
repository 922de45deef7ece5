"""Rows that are stored elsewhere: S3 is asked for their copies, which nobody downloads."""

import stat
import time

from s3kit.disk.tree import NO_TIME
from s3kit.disk.uploads import Uploads
from s3kit.errors import Fault, NoSuchBucket
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.manifest.stored_at import copy_of
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.locating import locate
from s3kit.proof.claims import NO_CLAIM
from s3kit.proof.given import parted
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Job
from s3kit.transfer.put_job import LOOKED
from s3kit.units import from_epoch
from s3kit.verify.copy_judging import NOTHING, judge_copy, judge_read
from s3kit.verify.judging import READ

TRIES = 3       # times that S3 is asked
# States of rows that name a copy and are about that, not about a file.
ABOUT_COPIES = frozenset((rows.STORED, rows.PRUNED, rows.MISSING, rows.MISMATCH,
                          rows.UNVERIFIABLE))


class CopyErrand(Errand):
    """A row whose copy is looked at: its Copy, the ledger's Upload and Entry or None, and what S3
    said of it.
    """

    __slots__ = ("copy", "upload", "entry", "seen")

    def __init__(self, row, copy, upload, entry):
        super().__init__(row)
        self.copy, self.upload, self.entry, self.seen = copy, upload, entry, None


class Copies:
    """What `verifying` (the verb) does with rows that are about a copy; `good` are those that are
    as they should be.
    """

    def __init__(self, verifying):
        self.verifying, self.stage, self.tree = verifying, verifying.stage, verifying.tree
        self.since = verifying.since
        ledger = self.stage.ledger
        self.uploads, self.known = Uploads(ledger) if ledger else None, []
        self.good = 0

    @staticmethod
    def is_mine(row):
        """Return whether a row is about its copy."""
        return row.state in ABOUT_COPIES and copy_of(row) is not None

    def lets(self, row):
        """Return whether a row is verified: none that is about a copy where S3 is not asked, and
        none that is stored nobody knows where.
        """
        return not self.stage.args.quick if self.is_mine(row) else row.state != rows.STORED

    def take(self, row, entry):
        """Ask S3 for a row's copy."""
        copy = copy_of(row)
        errand = CopyErrand(row, copy, self.record_of(row, copy), entry)
        upload = errand.upload
        if (self.since and upload and upload.changed_at >= self.since
                and states.is_strong(upload.proof) and states.is_strong(upload.far_proof)):
            self.is_good(errand, upload.proof)
            return
        if not states.PLAIN.fullmatch(copy.version_id):
            self.fail(errand, rows.FAILED, "no version of S3's has such an id")
            return
        try:
            self.stage.reach(copy)
        except NoSuchBucket as fault:
            self.fail(errand, rows.FAILED, str(fault))
        except Fault as fault:
            self.untold(errand, str(fault))
        else:
            self.ask(errand, "look")

    def record_of(self, row, copy):
        """Return the Upload of just this copy of a row's object, or None."""
        upload = self.uploads.of_copy(*copy) if self.uploads else None
        is_its = upload and upload.is_of(row) and upload.to_version_id == copy.version_id
        return upload if is_its else None

    def ask(self, errand, kind):
        """Ask S3 for a copy's head, and with `survey` also why there is none."""
        errand.job = Job(kind, *errand.copy, "", -1, NO_TIME, "")
        self.stage.send(errand)

    def answered(self, errand, outcome):
        """Take what S3 said of a copy, or what was found in its file."""
        if outcome.state == LOOKED and outcome.error:
            self.untold(errand, outcome.error)
        elif outcome.state == LOOKED and not outcome.etag:
            self.ask(errand, "survey")      # an answer without words may be anybody's
        elif outcome.state in (LOOKED, jobs.SURVEYED, jobs.VANISHED):
            errand.seen = outcome
            self.conclude(errand, judge_copy(errand.row, errand.upload, outcome))
        elif outcome.state == jobs.CHECKED:
            self.verifying.bytes += outcome.size
            self.verifying.progress.move(outcome.size)
            self.conclude(errand, judge_read(errand.row, errand.seen.claim, outcome))
        elif outcome.state != jobs.AGAIN or not self.stage.retry(errand, outcome, TRIES):
            self.untold(errand, outcome.error)

    def conclude(self, errand, verdict):
        """Do what a Verdict on a copy says."""
        if verdict.state == READ:
            self.read(errand)
        elif verdict.state == rows.STORED:
            self.is_good(errand, verdict.proof)
        else:
            if verdict.state != rows.UNVERIFIABLE:
                self.know(errand, far_proof="")
            self.fail(errand, verdict.state, verdict.why)

    def read(self, errand):
        """Have a row's file read for what S3 says of its copy."""
        row = errand.row
        path, status = locate(self.tree, row, errand.entry)
        if status is None or not stat.S_ISREG(status.st_mode) or (
                status.st_size != errand.seen.size):
            self.fail(errand, rows.UNVERIFIABLE, NOTHING)
            return
        _, given = parted(row.digest)
        errand.job = Job("check", row.bucket, row.key, row.version_id, row.etag, status.st_size,
                         NO_TIME, path, claim=errand.seen.claim or NO_CLAIM, direct=True,
                         given=given)
        self.verifying.progress.expect(status.st_size)
        self.stage.send(errand, weight=status.st_size)

    # --- ends

    def is_good(self, errand, proof):
        """A copy is there, and right."""
        row, seen, self.good = errand.row, errand.seen, self.good + 1
        row.state = rows.PRUNED if row.state == rows.PRUNED else rows.STORED
        row.error, row.proof = "", proof
        if seen:
            self.know(errand, to_etag=seen.etag, checksum_algorithm=seen.checksum_algorithm,
                      checksum_type=seen.checksum_type, checksum=seen.checksum, proof=proof,
                      far_proof=(errand.upload and errand.upload.far_proof) or proof)
        self.stage.leave(row)

    def untold(self, errand, why):
        """S3 does not say anything of a copy."""
        self.fail(errand, rows.UNVERIFIABLE, f"its copy cannot be looked at: {why}")

    def fail(self, errand, state, why):
        """Let a row go whose copy is not known to be right."""
        row = errand.row
        row.state, row.error = state, why
        row.proof = "size" if state == rows.UNVERIFIABLE else ""
        self.stage.leave(row, aloud=True)

    def know(self, errand, **changed):
        """Have the ledger know what was found of a copy, before its row leaves."""
        if errand.upload:
            self.known.append(errand.upload._replace(changed_at=from_epoch(time.time()),
                                                     **changed))

    def leaving(self):
        """Write to the ledger what rows that leave next say."""
        if self.known:
            known, self.known = self.known, []
            self.uploads.note(known)
