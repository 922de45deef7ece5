"""Large objects of s3-put: their parts, which any worker takes, and how each of them ends."""

import os
from functools import partial

from s3kit.disk import durable
from s3kit.errors import Fault
from s3kit.manifest import row as rows
from s3kit.pipeline.pieces import NEVER, PieceErrand, PieceWindow
from s3kit.put.beginning import Beginning
from s3kit.put.completing import Completing
from s3kit.put.plan import part_size
from s3kit.put.targets import clearing
from s3kit.text import count
from s3kit.transfer import job as jobs
from s3kit.transfer import put_job
from s3kit.transfer.expected import DIFFERS, MISMATCH
from s3kit.transfer.job import Outcome

BEGINNINGS = 3              # uploads of one object that may be lost
DONE = (put_job.LOOKED, put_job.CREATED, put_job.LISTED, put_job.COMPLETED, jobs.CHECKED)


class PartErrand(PieceErrand):
    """One part of a large upload."""

    __slots__ = ()


class Way:
    """How far the errand of a large object has come: `job` is the one under way, whose outcome goes
    to `take`. `step` is the size of its parts in bytes, `sending` an upload of an earlier run,
    `multipart` the one at hand; `found` what S3 said of an object that is there; `hop` the proof
    that the file's bytes are the row's, `proven` that S3's are the file's; `then` what is to be
    done when no part is on its way; `fd` the lock.
    """

    def __init__(self, step):
        self.step, self.job, self.take, self.fd = step, None, None, None
        self.sending = self.multipart = self.found = self.then = self.hop = None
        self.beginnings, self.is_confirmed, self.proven = 1, False, None

    @classmethod
    def of(cls, job, putting):
        """Return that of a PutJob: parts are as large as is wanted, and as the server takes them.

        Raises Fault.
        """
        return cls(part_size(job.size, putting.args.part_size, putting.terms.part))


class LargeUploads:
    """What `putting` (the verb) does with files that are sent in parts."""

    def __init__(self, putting):
        self.putting, self.stage, self.place = putting, putting.stage, putting.place
        self.args, self.uploads = putting.args, putting.uploads
        self.window = PieceWindow(self.args.jobs, self.args.connections)
        self.beginning, self.completing = Beginning(self), Completing(self)
        self.under_way, self.left, self.unsure = set(), 0, 0

    def begin(self, errand):
        """Take a file that is sent in parts."""
        try:
            errand.large = Way.of(errand.job, self.putting)
        except Fault as fault:
            self.putting.fail(errand.row, rows.FAILED, str(fault))
            return
        self.under_way.add(errand)
        self.beginning.hold(errand)

    # --- jobs and their outcomes

    def do(self, errand, take, **more):
        """Have a job done for an errand; `take(errand, outcome)` gets what becomes of it."""
        way = errand.large
        way.job, way.take = errand.job._replace(**more), take
        self.resend(errand)

    def resend(self, errand):
        """Send the job of an errand, once more or first; alone, for it may take long."""
        self.stage.flow.flush()
        self.stage.send(errand, errand.large.job)
        self.stage.flow.flush()

    def answered(self, errand, outcome):
        """Take the outcome of a job, or of a part."""
        if isinstance(errand, PartErrand):
            self.part_answered(errand, outcome)
            return
        job, state = errand.large.job, outcome.state
        if state == jobs.AGAIN:
            self.unsure += job.kind == "create" and not outcome.slow
            if not self.stage.retry(errand, outcome, self.args.retries):
                self.give_up(errand, outcome)
        elif state == jobs.FATAL:
            self.putting.stop(errand, outcome)
        elif job.kind == "abort":
            errand.large.take(errand, outcome)
        elif state == put_job.LOST:
            self.completing.lost(errand, outcome)
        elif state == put_job.IN_THE_WAY:
            self.completing.in_the_way(errand, outcome)
        elif state in DONE:
            errand.large.take(errand, outcome)
        else:
            self.give_up(errand, outcome)

    # --- parts

    def send_parts(self, errand):
        """Send parts that have not been sent yet, while there is room, each in a batch of its own;
        when S3 has all, complete the upload.
        """
        multipart, job = errand.large.multipart, errand.job
        self.stage.flow.flush()
        while multipart.pending < self.window.allowed and (part := multipart.next_part()):
            multipart.pending += 1
            number, start, end = part
            self.stage.send(PartErrand(errand, job._replace(
                kind="part", upload_id=multipart.upload_id, algorithm=multipart.algorithm,
                number=number, start=start, end=end)))
            self.stage.flow.flush()
        if multipart.is_whole:
            self.completing.complete(errand)

    def part_answered(self, errand, outcome):
        """Take the outcome of one part."""
        whole, way = errand.whole, errand.whole.large
        if outcome.state == jobs.AGAIN and not way.then \
                and self.stage.retry(errand, outcome, self.args.retries):
            errand.sent = NEVER
            return
        multipart = way.multipart
        self.window.weigh(errand, outcome.moved, multipart.pending)
        multipart.pending -= 1
        if outcome.state == jobs.FATAL:
            self.putting.stop(whole, outcome)
        elif outcome.state == put_job.TAKEN:
            multipart.took(outcome.pieces)
            if self.uploads:
                self.uploads.took(multipart.upload_id, outcome.pieces)
        else:
            is_lost = outcome.state == put_job.LOST
            way.then = way.then or partial(self.completing.lost if is_lost else self.give_up, whole,
                                           outcome)
        if not way.then:
            self.send_parts(whole)
        elif not multipart.pending:
            then, way.then = way.then, None
            then()

    # --- ends

    def say_again(self, errand, why):
        """Tell people that an upload begins anew."""
        self.putting.tally.say(f"'{errand.job.path}' is sent from the beginning: {why}")

    def begin_anew(self, errand, why):
        """The upload is no more, or of no use: begin another, when what is at the target was looked
        at. It is aborted, for of most answers nobody can tell whether S3 still has its parts.
        """
        way = errand.large
        upload = way.multipart or way.sending
        way.multipart = way.sending = way.found = way.is_confirmed = way.proven = None
        way.beginnings += 1
        then = self.beginning.seek
        if way.beginnings > BEGINNINGS:
            then = partial(self.end, outcome=Outcome(jobs.FAILED, why))
        else:
            self.say_again(errand, why)
            errand.job = errand.job._replace(is_looked=True)
        if upload:
            self.beginning.clear(errand, upload, then)
        else:
            then(errand)

    def give_up(self, errand, outcome):
        """An object failed for good: none of its parts is left to be paid for."""
        errand.failed = errand.failed or outcome
        way = errand.large
        upload = way.multipart or way.sending
        is_stuck = way.job.kind == "abort"
        self.left += is_stuck
        if upload and not is_stuck:
            self.do(errand, self.aborted, kind="abort", upload_id=upload.upload_id)
        else:
            self.end(errand, errand.failed)

    def aborted(self, errand, outcome):
        """An upload was aborted, or could not be."""
        way = errand.large
        if outcome.state == put_job.ABORTED:
            if self.uploads:
                self.uploads.end((way.multipart or way.sending).upload_id)
        else:
            self.left += 1
        self.end(errand, errand.failed)

    def finish(self, errand, state, proof, digest):
        """The bytes are at the target: let the row go, if they are the row's. What another run
        has put there was not held against it.
        """
        way, expected = errand.large, errand.job.expected.digest
        if expected and expected != digest:
            self.give_up(errand, Outcome(MISMATCH, DIFFERS))
            return
        upload = way.multipart or way.sending
        if self.uploads and upload:
            self.uploads.end(upload.upload_id)
        self.let_go(errand)
        self.putting.take_copy(errand, way.found._replace(state=state, proof=proof, digest=digest,
                                                          size=errand.job.size, pieces=way.hop))

    def end(self, errand, outcome):
        """Let a row go that failed."""
        self.let_go(errand)
        self.putting.give_up(errand, outcome)

    def let_go(self, errand):
        """Let others send to the target."""
        way = errand.large
        self.under_way.discard(errand)
        if self.uploads and way.job and way.job.kind == "create":
            self.uploads.settle(errand.job.bucket, errand.job.key)
        if way.fd is not None:
            durable.unlink(self.beginning.lock_of(errand.job), self.place.folder_fd)
            os.close(way.fd)
            way.fd = None

    def abandon(self):
        """Say what the same command will go on with."""
        say, begun = self.putting.tally.say, sum(bool(errand.large.multipart)
                                                 for errand in self.under_way)
        if begun and not self.uploads:
            say(f"{count(begun, 'upload')} not complete, and no ledger knows: "
                f"{clearing(self.args)} clears what S3 has of them")
        elif begun:
            say(f"{count(begun, 'upload')} not complete: the same command goes on with what S3 has "
                f"of them ({clearing(self.args)} clears that)")
        self.say_what_is_left()

    def say_what_is_left(self):
        """Say what S3 may have of uploads that nobody goes on with."""
        say = self.putting.tally.say
        if self.left:
            say(f"{count(self.left, 'upload')} could not be aborted: {clearing(self.args)} clears "
                "them")
        if self.unsure:
            say(f"{count(self.unsure, 'answer')} to the beginning of an upload did not come: S3 "
                f"may have empty ones ({clearing(self.args)} clears them)")
