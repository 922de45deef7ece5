"""What is done with a large file before its first part is sent: it is held against its row, and
what is at the target, or was sent by an earlier run, against it.
"""

import base64
import time
from functools import partial

from s3kit.disk import lock
from s3kit.disk.tree import part_name
from s3kit.disk.uploads import Sending
from s3kit.put.multipart import Multipart
from s3kit.put.plan import parts_of
from s3kit.put.targets import clearing
from s3kit.transfer import job as jobs
from s3kit.transfer import put_job
from s3kit.transfer.expected import Held
from s3kit.transfer.job import Outcome
from s3kit.transfer.put_task import OTHERS
from s3kit.units import from_epoch

HELD_SECONDS = 0.5          # between two looks at what another process sends


class Beginning:
    """What `large` (LargeUploads) does before the first part."""

    def __init__(self, large):
        self.large, self.stage, self.uploads = large, large.stage, large.uploads

    def hold(self, errand):
        """Be the only one that sends to the target from here: others wait, and then see."""
        way, job = errand.large, errand.job
        if self.uploads:
            way.fd = lock.hold(self.lock_of(job), self.large.place.folder_fd)
            if way.fd is None:
                errand.job = job._replace(is_looked=True)
                self.stage.later(HELD_SECONDS, self.hold, errand)
                return
        if Held(job.expected, job.size).is_idle:
            self.seek(errand)
        else:
            self.large.do(errand, self.held_to_row, kind="check", claim=job.expected.claim,
                          given=job.expected.given)

    def lock_of(self, job):
        """Return the name of the lock of a target, in our own folder."""
        return part_name(job.bucket, job.key, "", "").replace(".part", ".put")

    def held_to_row(self, errand, outcome):
        """The file was read: go on if its bytes are the row's."""
        expected = errand.job.expected
        if outcome.proof and outcome.meets_given is not False:
            errand.large.hop = outcome.proof
            self.seek(errand)
        else:
            state, why = (expected.unlike_given() if outcome.meets_given is False
                          else expected.unlike_claim())
            self.large.end(errand, outcome._replace(state=state, error=why))

    def seek(self, errand):
        """Look for an upload that an earlier run has begun; then for what is at the target."""
        way, job = errand.large, errand.job
        if self.uploads and self.uploads.is_intended(job.bucket, job.key):
            # said at once: this run may be killed, too
            self.large.putting.tally.say(
                f"'{job.path}': an earlier run ended while its upload began: S3 may have an empty "
                f"one ({clearing(self.large.args)} clears those)")
            self.uploads.settle(job.bucket, job.key)
        for sending in self.uploads.under_way(job.bucket, job.key) if self.uploads else ():
            why = why_not_resumed(sending, way, job)
            if why or way.sending:
                self.large.say_again(errand, why or "it was begun twice")
                self.clear(errand, sending, self.seek)
                return
            way.sending = sending
            errand.job = job = job.with_token(sending.token)
        if job.is_looked or way.sending:
            self.large.do(errand, self.looked, kind="look")
        else:
            self.create(errand)

    def clear(self, errand, upload, then):
        """Abort an upload that is of no use any more; then do `then(errand)`."""
        errand.large.sending = None

        def aborted(errand, outcome):
            if self.uploads:
                self.uploads.end(upload.upload_id)
            self.large.left += outcome.state != put_job.ABORTED
            then(errand)

        self.large.do(errand, aborted, kind="abort", upload_id=upload.upload_id)

    def looked(self, errand, outcome):
        """Take what is at the target."""
        way, job = errand.large, errand.job
        way.found = outcome
        if outcome.pieces == job.token and self.has_all_parts(way):
            self.take_up(errand, self.uploads.parts(way.sending.upload_id))
            # it was completed, and nobody heard the answer
            self.large.completing.judge(errand, outcome)
        elif outcome.error and (job.only_absent or self.large.putting.terms.deletes_first):
            self.large.give_up(errand, Outcome(jobs.FAILED, outcome.error))
        elif not outcome.etag:
            self.go_on(errand, "" if outcome.error else "*")
        elif job.over and outcome.version_id == job.over:
            self.go_on(errand, outcome.etag)
        elif outcome.size == job.size and outcome.claim.kind != "none":
            self.large.do(errand, self.compared, kind="check",
                          claim=with_our_parts(outcome.claim, outcome.size, way.step))
        else:
            self.replace(errand)

    def has_all_parts(self, way):
        """Return whether the ledger knows all parts of the upload of an earlier run: a power cut
        may have taken what it was told last.
        """
        return way.sending and len(self.uploads.parts(way.sending.upload_id)) == len(
            parts_of(way.sending.size, way.sending.part_size))

    def compared(self, errand, outcome):
        """The file was held against what is at the target."""
        if outcome.proof in ("", "size"):
            self.replace(errand)
        else:
            self.take_over(errand, outcome.proof, outcome.digest)

    def take_over(self, errand, proof, digest):
        """The file's bytes are at the target: nothing is sent."""
        way = errand.large
        upload = way.multipart or way.sending
        there = partial(self.large.finish, state=put_job.THERE, proof=proof, digest=digest)
        if upload:
            way.multipart = None
            self.clear(errand, upload, there)
        else:
            there(errand)

    def replace(self, errand):
        """Another object is at the target, if the ledger does not know better."""
        found, job = errand.large.found, errand.job
        etag, proof, digest = job.stored or ("", "", "")
        if etag == found.etag and found.size == job.size and found.claim.is_unsure and proof:
            self.take_over(errand, proof, digest)
        elif job.only_absent:
            self.large.give_up(errand, Outcome(jobs.CONFLICT, OTHERS))
        else:
            self.go_on(errand, found.etag)

    def go_on(self, errand, condition):
        """Go on with an upload that was begun, or begin one."""
        errand.job = errand.job._replace(condition=condition)
        if errand.large.sending:
            self.large.do(errand, self.listed, kind="parts",
                          upload_id=errand.large.sending.upload_id)
        else:
            self.create(errand)

    def create(self, errand):
        """Begin an upload."""
        if self.uploads:
            self.uploads.intend(errand.job.bucket, errand.job.key)
        self.large.do(errand, self.created, kind="create")

    def created(self, errand, outcome):
        """An upload was begun: the ledger knows before the first part is sent."""
        upload_id, algorithm = outcome.pieces
        way, job = errand.large, errand.job
        way.multipart = Multipart(upload_id, job.size, way.step, algorithm, job.token)
        if self.uploads:
            self.uploads.begin(Sending(upload_id, job.bucket, job.key, job.path, job.size,
                                       job.identity.mtime_ns, job.identity.inode, way.step,
                                       algorithm, job.token, from_epoch(time.time())))
            self.uploads.settle(job.bucket, job.key)
        self.large.send_parts(errand)

    def listed(self, errand, outcome):
        """Take the parts that S3 has: those count that are what we know of them."""
        known = self.uploads.parts(errand.large.sending.upload_id)
        if outcome.pieces is not None:
            known = {number: part for number, part in known.items()
                     if is_same_part(part, outcome.pieces.get(number))}
        self.take_up(errand, known)
        if self.large.args.verbose:
            multipart = errand.large.multipart
            self.large.putting.tally.say(
                f"'{errand.job.path}': {len(multipart.taken):,} of {len(multipart.all):,} parts "
                "are there")
        self.large.send_parts(errand)

    def take_up(self, errand, known):
        """Take up the upload of an earlier run, with the parts that S3 has."""
        way, sending = errand.large, errand.large.sending
        way.sending = None
        way.multipart = Multipart(sending.upload_id, sending.size, sending.part_size,
                                  sending.algorithm, sending.token)
        for part in known.values():
            way.multipart.took(part)


def why_not_resumed(sending, way, job):
    """Return why an upload of an earlier run is of no use for a PutJob, or ''."""
    if not sending.is_of(job.path, job.identity):
        return "the file was changed since its upload began"
    if sending.part_size != way.step:
        return "the size of its parts is another now"
    if job.algorithm not in ("", sending.algorithm):
        return "its checksum is another now"
    return ""


def with_our_parts(claim, size, step):
    """Return a Claim with the size of parts of `step` bytes, where it is of as many."""
    is_ours = claim.kind == "parts" and not claim.part_size and claim.count == -(-size // step)
    return claim.with_part_size(step) if is_ours else claim


def is_same_part(part, listed):
    """Return whether a part that we know is the one that S3 has: (bytes, ETag, base64 checksum)."""
    if listed is None or listed[:2] != (part["size"], part["etag"]):
        return False
    return not listed[2] or base64.b64encode(
        bytes.fromhex(part["checksum"])).decode() == listed[2]
