"""How an upload is put together, and what S3's word on the whole is worth; who wrote what is there
where its answer was lost.
"""

from functools import partial

from s3kit.put.beginning import with_our_parts
from s3kit.transfer import job as jobs
from s3kit.transfer import put_job
from s3kit.transfer.expected import DIFFERS, MISMATCH
from s3kit.transfer.job import Outcome
from s3kit.transfer.local_file import CHANGED, look
from s3kit.transfer.put_job import UNSTABLE, Identity
from s3kit.transfer.put_task import MEANWHILE
from s3kit.transfer.put_whole import WRONG


class Completing:
    """What `large` (LargeUploads) does when S3 has all parts."""

    def __init__(self, large):
        self.large, self.tree = large, large.place.tree

    def complete(self, errand):
        """Complete an upload, if its file is still the one that was sent."""
        way, job = errand.large, errand.job
        status = look(self.tree, job.path, job.follows)
        expected = job.expected.digest
        if status is None or Identity.of(status) != job.identity:
            self.large.give_up(errand, Outcome(UNSTABLE, CHANGED))
        elif expected and expected != way.multipart.digest():
            self.large.give_up(errand, Outcome(MISMATCH, DIFFERS))
        else:
            parts, checksum, kind = way.multipart.completion()
            self.large.do(errand, self.judge, kind="complete", upload_id=way.multipart.upload_id,
                          algorithm=way.multipart.algorithm, parts=parts, checksum=checksum,
                          checksum_type=kind)

    def judge(self, errand, outcome):
        """Hold what S3 says of the whole object against the parts; where it says nothing, or the
        file is to go, ask for the head of the very version, once.
        """
        way = errand.large
        way.found = outcome
        proof = way.multipart.proof_by(outcome.claim)
        if proof is None:
            proof = way.proven
        way.proven = proof
        if proof and (way.is_confirmed or not errand.job.confirms):
            self.finish(errand, proof)
        elif proof == "":
            self.large.begin_anew(errand, WRONG)
        elif not way.is_confirmed:
            way.is_confirmed = True
            self.large.do(errand, self.confirmed, kind="look", version_id=outcome.version_id)
        elif outcome.claim.kind == "none":
            self.finish(errand, "size")
        else:
            self.large.do(errand, self.read, kind="check", claim=with_our_parts(
                outcome.claim, errand.job.size, way.step))

    def confirmed(self, errand, outcome):
        """Take the head of what was completed."""
        found = errand.large.found
        if outcome.error:
            self.judge(errand, found)
        elif not outcome.etag:
            self.large.begin_anew(errand, "what was completed is not there")
        elif outcome.etag != found.etag and outcome.pieces != errand.job.token:
            self.large.give_up(errand, Outcome(jobs.CONFLICT, MEANWHILE))
        else:
            self.judge(errand, outcome)

    def read(self, errand, outcome):
        """The file was read again for what S3 says of the object: a claim of another kind."""
        if outcome.proof or errand.large.found.claim.is_unsure:
            self.finish(errand, outcome.proof or "size")
        else:
            self.large.begin_anew(errand, WRONG)

    def finish(self, errand, proof):
        """The object is there, and has the bytes of the file as far as `proof` says."""
        self.large.finish(errand, put_job.SENT, proof, errand.large.multipart.digest())

    # --- doubts

    def lost(self, errand, outcome):
        """S3 knows no such upload: it may be complete, or somebody has taken it away."""
        self.large.do(errand, partial(self.whose, why=outcome.error), kind="look")

    def in_the_way(self, errand, outcome):
        """Something came to the target meanwhile: an earlier try of ours, or another's object."""
        self.large.do(errand, self.theirs, kind="look")

    def whose(self, errand, outcome, why):
        """Take whose object is at the target, where the upload is no more (S3 has said `why`)."""
        multipart = errand.large.multipart
        if outcome.pieces == errand.job.token and multipart and multipart.is_whole:
            self.judge(errand, outcome)
        else:
            self.large.begin_anew(errand, why)

    def theirs(self, errand, outcome):
        """Take whose object is at the target, where the upload is still there."""
        if outcome.pieces == errand.job.token:
            self.judge(errand, outcome)
        elif not (outcome.etag or outcome.error):
            self.large.begin_anew(errand, MEANWHILE)    # and has gone again
        elif outcome.size == errand.job.size and errand.large.multipart.proof_by(outcome.claim):
            errand.large.found = outcome
            self.large.beginning.compared(errand, Outcome(
                jobs.CHECKED, proof=errand.large.multipart.proof_by(outcome.claim),
                digest=errand.large.multipart.digest()))
        else:
            self.large.give_up(errand, Outcome(jobs.CONFLICT, MEANWHILE))
