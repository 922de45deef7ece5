"""s3-verify's verb: where a row's file lies, what S3 says of its bytes, and what the disk says."""

import math

from s3kit.disk.tree import kind_of
from s3kit.errors import SOME_FAILED, Fault
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.pipeline.stage import Verb
from s3kit.proof.claims import claim_of
from s3kit.text import count
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Job
from s3kit.units import from_epoch, show_size
from s3kit.verify.judging import (
    ASK,
    MEASURE,
    READ,
    as_proven,
    judge,
    judge_by_answer,
    judge_folder,
)
from s3kit.pipeline.locating import known_path
from s3kit.verify.copies import Copies, CopyErrand
from s3kit.verify.file_errand import FileErrand
from s3kit.verify.guesses import Guesses
from s3kit.verify.results import Results

TRIES = 3       # times that S3 is asked for what a row does not say
# S3 does not say it
UNTOLD = (jobs.AGAIN, jobs.VANISHED, jobs.ARCHIVED, jobs.CHANGED, jobs.FAILED, jobs.FATAL)


class Verifying(Verb):
    """What s3-verify does with a row; `tree` is the destination."""

    def __init__(self, stage, tree):
        super().__init__(stage)
        self.tree = tree
        self.is_offline = self.args.quick
        # The ledger's times are whole seconds.
        since = self.args.verified_since
        self.since = from_epoch(math.ceil(since.timestamp())) if since else None
        self.results = Results(stage, tree)
        self.bytes = 0
        self.copies, self.guesses = Copies(self), Guesses(self)
        self.at_end = self.guesses.at_end

    # --- from the input to the workers

    def is_mine(self, row):
        """Return whether s3-verify acts on a row."""
        return states.is_to_verify(row) and self.copies.lets(row)

    def take(self, row, entry):
        """Decide on one row."""
        if entry is not None and not states.is_same_object(row, entry):
            entry = None
        if self.copies.is_mine(row):
            self.copies.take(row, entry)
            return
        path = known_path(row, entry)
        status = self.tree.look(path) if path else None
        if not path:
            self.guesses.take(row, entry)
        elif status is None:
            self.results.missing(row, f"there is no file '{path}'")
        else:
            row.path = path
            self.look_at(FileErrand(row, path, status, entry))

    def look_at(self, errand):
        """Decide by what lies at a row's path."""
        row, status, entry = errand.row, errand.status, errand.entry
        kind, length = kind_of(status), errand.length
        if self.since and errand.is_verified_since(self.since):
            self.results.still_verified(row, entry)
        elif kind == "directory":
            self.judge_folder(errand)
        elif kind != "file":
            self.guesses.differs(errand, f"there is a {kind} in its place")
        elif length is not None and status.st_size != length:
            self.guesses.differs(errand, f"the file has {status.st_size:,} bytes, not {length:,}")
        else:
            self.decide(errand)

    def decide(self, errand):
        """Choose what to compare the bytes with: the row's claim, what S3 says when asked, our
        digest.
        """
        row = errand.row
        if not self.args.quick:
            claim = claim_of(row.checksum_algorithm, row.checksum_type, row.checksum, row.etag,
                             row.length)
            errand.claim = as_proven(claim, row.proof, errand.status.st_size)
            is_sure = errand.claim.kind == "full" or (errand.claim.kind == "parts"
                                                      and errand.claim.part_size)
            if not is_sure and self.ask(errand):
                return
        self.read(errand)

    def ask(self, errand, kind="survey"):
        """Ask S3 for what the row does not say; return False where it cannot be asked."""
        errand.is_asked = True
        errand.is_measured = kind == "parts"
        row = errand.row
        if self.is_offline or not states.is_askable(row):
            return False
        try:
            self.stage.reach(row)
        except Fault as fault:
            self.is_offline = True
            self.tally.say(
                f"warning: S3 cannot be asked ({fault}); rows that do not say enough are compared "
                "with our own digests")
            return False
        errand.job = self.job_of(errand, kind)
        self.resend(errand)
        return True

    def read(self, errand):
        """Have a worker read the file, past the page cache."""
        size = errand.status.st_size
        if not errand.read:
            self.progress.expect(size)
        self.stage.send(errand, self.job_of(errand, "check"), size)

    def job_of(self, errand, kind):
        """Return a Job about an errand's row."""
        row = errand.row
        return Job(kind, row.bucket, row.key, row.version_id, row.etag, errand.status.st_size, -1,
                   errand.path, claim=errand.claim, direct=not self.args.quick, given=errand.given)

    # --- from the workers to the output

    def answered(self, errand, outcome):
        """Take what S3 or the disk said."""
        if isinstance(errand, CopyErrand):
            self.copies.answered(errand, outcome)
        elif outcome.state == jobs.CHECKED:
            self.bytes += outcome.size
            self.progress.move(outcome.size)
            self.conclude(errand, judge(errand, outcome), outcome)
        elif outcome.state == jobs.SURVEYED:
            self.described(errand, outcome)
        elif outcome.state == jobs.AGAIN and self.stage.retry(errand, outcome, TRIES):
            return
        elif errand.is_asked and outcome.state in UNTOLD:
            self.untold(errand, outcome)
        else:
            self.guesses.failed(errand, outcome.error)

    def described(self, errand, outcome):
        """Take S3's description of the object."""
        row = errand.row
        row.etag, row.size = row.etag or outcome.etag, row.size or str(outcome.size)
        states.take_checksum(row, outcome)
        errand.claim = outcome.claim
        if outcome.size != errand.status.st_size:
            self.guesses.differs(
                errand, f"the file has {errand.status.st_size:,} bytes, not {outcome.size:,}")
        elif errand.read and not errand.is_measured:
            self.conclude(errand, judge_by_answer(errand, errand.read, has_answer=True),
                          errand.read)
        else:
            self.read(errand)

    def untold(self, errand, outcome):
        """S3 tells nothing: what the row and the ledger say must do."""
        if errand.read:
            verdict = (judge(errand, errand.read) if errand.is_measured
                       else judge_by_answer(errand, errand.read, has_answer=False))
            self.conclude(errand, verdict, errand.read)
        else:
            errand.why = f" ({outcome.error})"
            self.read(errand)

    def conclude(self, errand, verdict, read):
        """Do what a Verdict on the bytes that were read says."""
        row = errand.row
        if verdict.state == ASK:
            errand.read = read
            if not self.ask(errand):
                self.conclude(errand, judge_by_answer(errand, read, has_answer=False), read)
        elif verdict.state == MEASURE:
            errand.read = read
            if not self.ask(errand, "parts"):
                self.conclude(errand, judge(errand, read), read)
        elif verdict.state == READ:
            errand.read = None
            self.read(errand)
        elif verdict.state == rows.MISMATCH:
            self.guesses.differs(errand, verdict.why, verdict.is_derived)
        elif not self.guesses.is_right(errand):
            return
        elif verdict.state == rows.VERIFIED:
            self.results.verified(errand, read, verdict.proof)
        else:
            row.proof = verdict.proof
            states.take_digest(row, read.digest)
            self.results.fail(row, verdict.state, verdict.why)

    def judge_folder(self, errand):
        """A directory stands for a zero-byte key that ends in `/`."""
        verdict = judge_folder(errand.row)
        if verdict.state == rows.MISMATCH:
            self.guesses.differs(errand, verdict.why)
        else:
            self.conclude(errand, verdict, jobs.Outcome(
                jobs.CHECKED, digest=errand.ours, inode=errand.status.st_ino))

    def leaving(self):
        """Write to the ledger what rows that leave next say."""
        self.copies.leaving()
        self.results.failures.record()

    # --- afterwards

    def summary(self):
        """Return the parts of the summary."""
        tally, wrong = self.tally, (rows.MISMATCH, rows.MISSING, rows.UNVERIFIABLE)
        rest = tally.of(*(rows.WRONG - set(wrong)))
        size = f" ({show_size(self.bytes)} read)" if self.bytes else ""
        return [f"{count(tally.of(rows.VERIFIED) + self.results.pruned, 'row')} verified{size}",
                self.copies.good and f"{count(self.copies.good, 'row')} still stored",
                *(f"{tally.of(state):,} {state}" for state in wrong if tally.of(state)),
                rest and f"{count(rest, 'row')} failed before",
                self.results.archived and f"{count(self.results.archived, 'row')} in an archive",
                self.results.removed and f"{count(len(self.results.removed), 'file')} removed"]

    def status(self):
        """Return the exit status; rows in an archive are not done either."""
        return self.tally.status() or (SOME_FAILED if self.results.archived else 0)
