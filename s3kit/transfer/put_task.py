"""What all requests of an upload share: their headers, what a server may lack, and who wrote what
is there.
"""

import os

from s3kit.etags import quoted
from s3kit.s3 import verdicts
from s3kit.s3.address import S3, is_amazon_s3
from s3kit.s3.answer import ERROR_BYTES
from s3kit.s3.capabilities import CONDITIONS, KNOWN, UNSIGNED_BODIES, UPLOAD_CHECKSUMS, may_refuse
from s3kit.s3.headers import claim_in, clean_etag, described, said, version_in
from s3kit.s3.uploads import MD5, algorithm_for, checksum_header, hash_header
from s3kit.transfer.job import AGAIN, CHANGED, FATAL, VANISHED, Outcome
from s3kit.transfer.local_file import Unstable, hold_to, open_file
from s3kit.transfer.put_job import LOOKED, TOKEN, UNSTABLE
from s3kit.transfer.task import Task
from s3kit.units import number

# What a request may go without, in the order in which that is tried where it is refused.
TRIALS = ((UPLOAD_CHECKSUMS,), (CONDITIONS,), (UPLOAD_CHECKSUMS, CONDITIONS))
OTHERS = "another object is there"
MEANWHILE = "another object came to be there meanwhile"
NO_ETAG = "the answer has no ETag: it is not S3's"


class PutTask(Task):
    """A PutJob under way.

    `lacking` is what the request at hand goes without, {what: with what words it was refused};
    `asked` is what it is for, where there are several.
    """

    does = "read"

    def __init__(self, engine, job, ticket, place):
        super().__init__(engine, job, ticket, place)
        self.lacking, self.trials, self.has = {}, iter(TRIALS), ()
        self.buffer, self.asked, self.is_denied = None, "", False
        self.has_asked_why = self.is_asking_why = False

    @property
    def endpoint(self):
        """The target's, with the newest credentials."""
        return self.engine.endpoints[self.job.bucket]

    @property
    def algorithm(self):
        """The checksum that goes with what is sent now."""
        asked = self.job.algorithm
        if UPLOAD_CHECKSUMS in self.lacking:
            return MD5
        return algorithm_for(self.endpoint, asked)

    def lacks(self, what):
        """Return whether the server cannot do something, as far as is known."""
        return what in self.lacking or KNOWN.lacks(self.endpoint, what)

    # --- requests

    def ask(self, method, query="", headers=(), body=b"", **how):
        """Send a request about the target; return its Transfer. What it `has` may be refused; `how`
        it is sent is as Wire.start has it.
        """
        self.has = [what for what, is_there in (
            (UPLOAD_CHECKSUMS, any(line.startswith("x-amz-checksum") for line in headers)),
            (CONDITIONS, any(line.startswith("If-") for line in headers))) if is_there]
        return self.engine.wire.start(
            self, self.endpoint, self.endpoint.object_url(self.job.key, query), method=method,
            headers=[*headers, "Expect:"], body=body, **how)

    def look(self, asked, version_id=""):
        """Ask for the head of what is there, or of one version."""
        self.asked, self.job = asked, self.job._replace(version_id=version_id)
        self.send("HEAD")

    def conditions(self):
        """Return the headers that keep what others have put there meanwhile; where nothing may be
        replaced they are never left out.
        """
        condition = self.job.condition
        if not condition or self.lacks(CONDITIONS) and not self.job.only_absent:
            return []
        return ["If-None-Match: *" if condition == "*" else f"If-Match: {quoted(condition)}"]

    def content_headers(self, sums):
        """Return the headers that say the checksums of a body."""
        algorithm, is_denied = self.algorithm, self.is_denied
        hashed = hash_header(self.endpoint, lambda: sums.of("sha256").hex(), is_denied)
        return [checksum_header(algorithm, sums.base64(algorithm)), *hashed]

    def may_send(self, transfer):
        """Return whether the limit of bytes a second lets more of a body go now."""
        return self.engine.rate.may_send(transfer)

    def sent(self, count):
        """Count bytes that went."""
        self.moved += count
        self.engine.sent(count)

    # --- answers

    def is_refused(self, transfer):
        """End the task if the answer is not a success, or ask on; return whether it did."""
        if self.is_unsaid(transfer):
            self.has_asked_why = self.is_asking_why = True
            self.send("GET", headers=["Range: bytes=0-0"], most=ERROR_BYTES)
            return True
        if self.is_asking_why and transfer.status != 400:
            self.is_asking_why = False
            self.send("HEAD")       # nothing is wrong with all requests
            return True
        if super().is_refused(transfer):
            return True
        for what, told in self.lacking.items():
            self.engine.learn(transfer.endpoint, what, told)
        if self.is_denied:
            self.engine.learn(transfer.endpoint, UNSIGNED_BODIES, "")
        return False

    def is_unsaid(self, transfer):
        """Return whether S3 does not tell a head, and not why: the credentials may have expired.
        The answer to a GET has a body, which says it.
        """
        return (not self.has_asked_why and transfer.request[2] == "HEAD" and transfer.status == 400
                and verdicts.is_wordless(transfer))

    def can_do_without(self, transfer):
        """Return whether to send the same once more without something that the server may not know:
        `lacking` then says what. Bodies are hashed where a bucket's policy may want it.
        """
        verdict = verdicts.verdict_of(transfer)
        if (verdict == verdicts.DENIED and not self.is_denied and transfer.content
                and transfer.endpoint.url.startswith("https:")):
            self.is_denied = True
            return True
        if not may_refuse(transfer) or has_all(transfer.endpoint):
            return False
        told, needed = said(transfer), set()
        if self.job.algorithm:
            needed.add(UPLOAD_CHECKSUMS)
        # what keeps other people's objects is not given up for the page of a proxy
        if self.job.only_absent or transfer.code != "NotImplemented":
            needed.add(CONDITIONS)
        for trial in self.trials:
            if set(trial) <= {*self.has, *self.lacking} - needed:
                self.lacking = dict.fromkeys(trial, told)
                return True
        return False

    def state_of(self, verdict, transfer):
        """Return the state of a Job whose request was refused; without a bucket nothing can be
        stored.
        """
        if transfer.code == "NoSuchBucket":
            return FATAL
        found = super().state_of(verdict, transfer)
        return AGAIN if found in (VANISHED, CHANGED) else found

    def is_in_the_way(self, transfer):
        """Return whether S3 says that its condition is not met, perhaps in a body that came with
        200.
        """
        return transfer.status == 412 or transfer.code == "PreconditionFailed"

    def is_absent(self, transfer):
        """Return whether an answer to HEAD says that nothing is there."""
        return transfer.status in (404, 405) and not self.is_asking_why

    def is_our_own(self, headers):
        """Return whether what is there was put by this very job, whose answer was lost."""
        return bool(self.job.token) and headers.get(TOKEN) == self.job.token

    def is_covered(self, version_id):
        """Return whether a version at the target is the one that is covered whatever it is."""
        return bool(self.job.over) and version_id == self.job.over

    def claim_in(self, headers):
        """Return (bytes, Claim) of what is there."""
        size = number(headers.get("content-length", ""))
        return size, claim_in(headers, size)

    def outcome(self, state, transfer, proof, **more):
        """Return the Outcome of bytes that are there."""
        return described(transfer.headers, Outcome(state, proof=proof, size=self.job.size,
                                                   moved=self.moved, **more))

    # --- the file

    def open(self):
        """Open the job's file."""
        self.fd = open_file(self.engine.tree, self.job)

    def guard(self, step, *values):
        """Run a step that reads the file; return whether it did well."""
        try:
            step(*values)
        except Unstable as fault:
            self.fail(UNSTABLE, str(fault))
            return False
        return True

    def hold_to_file(self):
        """Raise Unstable where the file is not what it was."""
        hold_to(self.fd, self.job.identity)

    def close(self):
        """Let go of the file."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def drop(self):
        """Let go of the file and of its buffer."""
        if self.buffer is not None and not isinstance(self.buffer, bytes):
            self.engine.leaves.append(self.buffer)
        self.buffer = None
        super().drop()


def marker_in(transfer):
    """Return the version id of the delete marker that an answer is of, or ''."""
    return version_in(transfer.headers) if verdicts.is_of_marker(transfer) else ""


def has_all(endpoint):
    """Return whether the server of an Endpoint knows whatever a request may have: Amazon's own,
    but for Outposts, which knows no If-None-Match
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
    """
    return is_amazon_s3(endpoint.url) and endpoint.service == S3


class Look(PutTask):
    """What is at the target: its head, or that nothing is there (an ETag of ''), but a delete
    marker perhaps (its version id).
    """

    def begin(self):
        """Ask."""
        self.look("look", self.job.version_id)

    def answered(self, transfer):
        """Take the head."""
        if self.is_absent(transfer):
            self.end(Outcome(LOOKED, version_id=marker_in(transfer)))
        elif transfer.status == 403:
            self.end(Outcome(LOOKED, "S3 does not let us look"))
        elif not self.is_refused(transfer):
            size, claim = self.claim_in(transfer.headers)
            if not clean_etag(transfer.headers):
                self.fail(AGAIN, NO_ETAG)
                return
            found = described(transfer.headers, Outcome(
                LOOKED, size=-1 if size is None else size, claim=claim))
            self.end(found._replace(pieces=transfer.headers.get(TOKEN, "")))
