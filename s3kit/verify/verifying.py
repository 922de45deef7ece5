"""s3-verify's verb: where a row's file lies, what S3 says of its bytes, and what the disk says."""

import math

from s3kit.disk.tree import kind_of
from s3kit.errors import SOME_FAILED, Fault
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.stage import Verb
from s3kit.proof.claims import NO_CLAIM, claim_of
from s3kit.proof.given import is_by_given, is_given, parted
from s3kit.storage_classes import ARCHIVED_CLASSES
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
from s3kit.pipeline.locating import locate
from s3kit.verify.copies import Copies, CopyErrand
from s3kit.verify.results import Results

TRIES = 3       # times that S3 is asked for what a row does not say
# S3 does not say it
UNTOLD = (jobs.AGAIN, jobs.VANISHED, jobs.ARCHIVED, jobs.CHANGED, jobs.FAILED, jobs.FATAL)


class FileErrand(Errand):
    """A row whose file is verified: where that lies, what the ledger knows, what S3 claims; `read`
    is what was found in it. `is_measured`: S3 was asked for the sizes of all parts. `given` is a
    digest that another program took, or ''.
    """

    __slots__ = ("path", "status", "entry", "claim", "is_asked", "is_measured", "read", "why",
                 "given")

    def __init__(self, row, path, status, entry):
        super().__init__(row)
        self.path, self.status, self.entry = path, status, entry
        self.claim, self.is_asked, self.is_measured, self.read = NO_CLAIM, False, False, None
        _, self.given = parted(row.digest)
        self.why = ""
        if is_given(row.digest) and not self.given:
            self.why = f": '{row.digest}' is no digest of a known kind"

    @property
    def length(self):
        """How many bytes the object has by its row, or else by the ledger; None: nobody knows."""
        if self.row.length is not None:
            return self.row.length
        return self.entry.size if self.entry else None

    @property
    def ours(self):
        """Our own digest in the row, or ''."""
        return parted(self.row.digest)[0]

    @property
    def known_proof(self):
        """What was proven of the object's bytes before, by the row or the ledger."""
        return self.row.proof or (self.entry.proof if self.entry else "")

    @property
    def proof_by_record(self):
        """What a file proves that has its recorded digest: `digest`; but where that was taken from
        a file that met a given one, no more than the given one did.
        """
        proofs = (self.row.proof if self.ours else "", self.entry.proof if self.entry else "")
        return next(filter(is_by_given, proofs), "digest")

    def is_verified_since(self, since):
        """Return whether the file was verified since a time, and is untouched since then."""
        row, entry = self.row, self.entry
        return (entry is not None and entry.state == rows.VERIFIED and entry.path == row.path
                and entry.changed_at >= since and entry.is_file(self.status)
                and (not row.digest or row.digest == entry.digest))

    def is_recorded(self, digest):
        """Return whether a file's digest is the one recorded when its bytes came; None where none
        was.

        That of an unverifiable row was only read from its file: it can tell a change, and proves
        nothing.
        """
        recorded = self.ours or (self.entry.digest if self.entry else "")
        if not recorded or (recorded == digest and self.row.state == rows.UNVERIFIABLE):
            return None
        return recorded == digest


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
        self.bytes = self.archived = 0
        self.copies = Copies(self)

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
        path, status = locate(self.tree, row, entry)
        if (
                status is None and row.storage_class in ARCHIVED_CLASSES
                and row.state in states.NEVER_HERE):
            self.archived += 1
            self.stage.leave(row)       # s3-fetch could not read it either: s3-restore comes first
        elif status is None:
            self.results.fail(row, rows.MISSING, f"there is no file '{path}'")
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
            self.results.fail(row, rows.MISMATCH, f"there is a {kind} in its place")
        elif length is not None and status.st_size != length:
            self.results.differs(errand, f"the file has {status.st_size:,} bytes, not {length:,}")
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
            self.results.fail(errand.row, rows.FAILED, outcome.error)

    def described(self, errand, outcome):
        """Take S3's description of the object."""
        row = errand.row
        row.etag, row.size = row.etag or outcome.etag, row.size or str(outcome.size)
        states.take_checksum(row, outcome)
        errand.claim = outcome.claim
        if outcome.size != errand.status.st_size:
            self.results.differs(
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
        elif verdict.state == rows.VERIFIED:
            self.results.verified(errand, read, verdict.proof)
        elif verdict.state == rows.MISMATCH:
            self.results.differs(errand, verdict.why, verdict.is_derived)
        else:
            row.proof = verdict.proof
            states.take_digest(row, read.digest)
            self.results.fail(row, verdict.state, verdict.why)

    def judge_folder(self, errand):
        """A directory stands for a zero-byte key that ends in `/`."""
        verdict = judge_folder(errand.row)
        if verdict.state == rows.MISMATCH:
            self.results.fail(errand.row, verdict.state, verdict.why)
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
                self.archived and f"{count(self.archived, 'row')} in an archive",
                self.results.removed and f"{count(len(self.results.removed), 'file')} removed"]

    def status(self):
        """Return the exit status; rows in an archive are not done either."""
        return self.tally.status() or (SOME_FAILED if self.archived else 0)
