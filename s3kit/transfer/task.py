"""One job in a worker, on its way through the engine."""

import errno
import os

from s3kit.disk.tree import NO_TIME
from s3kit.errors import Fault, reason
from s3kit.etags import is_same, quoted
from s3kit.s3 import verdicts
from s3kit.s3.answer import ERROR_DOCUMENT
from s3kit.s3.capabilities import CHECKSUM_MODE as CHECKSUMS
from s3kit.s3.capabilities import KNOWN, PART_SIZES, may_refuse
from s3kit.s3.description import description_in
from s3kit.s3.headers import clean_etag, modified_ns, part_in, said, version_in
from s3kit.s3.source_times import noted_in
from s3kit.transfer.job import (
    AGAIN,
    ARCHIVED,
    CHANGED,
    CONFLICT,
    FAILED,
    FATAL,
    FULL,
    VANISHED,
    Outcome,
)
from s3kit.units import number

CHECKSUM_MODE = "x-amz-checksum-mode"
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
# What becomes of a Job after an answer that is not a success; FAILED where nothing else is said.
STATES = {verdicts.AGAIN: AGAIN, verdicts.EXPIRED: AGAIN, verdicts.SLOW: AGAIN,
          verdicts.ARCHIVED: ARCHIVED, verdicts.VANISHED: VANISHED, verdicts.CHANGED: CHANGED,
          verdicts.SKEWED: FATAL, verdicts.UNTRUSTED: FATAL}


class Task:
    """One Job under way: `begin`, then `answered` for each answer, until `end`.

    What `is_local` asks nothing of S3, and waits for nothing. `does` is what it does with its file.
    """

    is_local, does = False, "write"
    since = 0.0         # when it was begun

    def __init__(self, engine, job, ticket, place):
        self.engine, self.job, self.ticket, self.place = engine, job, ticket, place
        self.fd = self.blocks = self.oserror = None
        self.moved, self.memory = 0, job.memory
        # what was asked, whether for checksums, and with what words that was refused
        self.request, self.has_sums, self.refused = None, False, ""

    def end(self, outcome):
        """Give back the outcome and whatever the task holds."""
        self.drop()
        self.engine.finish(self, outcome)

    def drop(self):
        """Let go of the descriptor, and with it of the lock."""
        if self.blocks:
            self.blocks.drop()
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def write(self, transfer, data):
        """Put a piece of a body into the blocks; return what libcurl wants to hear.

        A failure is kept in `oserror`.
        """
        self.engine.spend(transfer, len(data))
        self.moved += len(data)
        try:
            self.blocks.add(data)
        except OSError as error:
            self.oserror = error
            return -1
        return None

    def fail(self, state, why, **more):
        """End without success."""
        self.end(Outcome(state, why, moved=self.moved, **more))

    def send(self, method="GET", query="", headers=(), sink=None, most=None):
        """Send a request for the job's object, pinned to its version or ETag.

        Its checksums are asked for unless the settings or the server do not want that.
        """
        job = self.job
        endpoint = self.engine.endpoints[job.bucket]
        self.request = method, query, headers, sink, most
        headers = list(headers)
        self.has_sums = (not self.refused and endpoint.checksum_mode
                         and not KNOWN.lacks(endpoint, CHECKSUMS))
        if self.has_sums:
            headers.append(f"{CHECKSUM_MODE}: ENABLED")
        url = endpoint.object_url(job.key, query, job.version_id)
        if job.etag and job.version_id in ("", "null"):  # the null version can be overwritten
            headers.append(f"If-Match: {quoted(job.etag)}")
        if job.unless and not job.etag and method == "GET":
            headers.append(f"If-None-Match: {quoted(job.unless)}")
        return self.engine.wire.start(self, endpoint, url, method=method, headers=headers,
                                      sink=sink, most=most)

    def described(self, headers, outcome):
        """Return the outcome with what the headers say of the object besides its bytes, if that is
        to be kept.
        """
        return (outcome._replace(description=description_in(headers)) if self.engine.describes
                else outcome)

    def mtime_in(self, headers):
        """Return the time that the file is to have, None where nobody knows it: what the uploader
        has noted, if that is wanted, else what the row says, else S3's.
        """
        at = noted_in(headers) if self.engine.retimes else None
        if at is None and self.job.mtime_ns == NO_TIME:
            return modified_ns(headers)
        return self.job.mtime_ns if at is None else at

    def is_refused(self, transfer):
        """End the task if the answer is not a success; return whether it did."""
        verdict = verdicts.verdict_of(transfer)
        if transfer.errno and verdict in (verdicts.OK, verdicts.AGAIN):
            self.fail(AGAIN, transfer.failure)
        elif verdict == verdicts.OK:
            self.engine.answered_well(transfer)
            if self.refused:
                self.engine.learn(transfer.endpoint, CHECKSUMS, self.refused)
                self.refused = ""
            return False
        elif self.has_sums and may_refuse(transfer):     # of the question for checksums
            self.refused = said(transfer)
            self.send(*self.request)
        else:
            self.tell(verdict, transfer)
            self.fail(self.state_of(verdict, transfer), why(verdict, transfer),
                      slow=verdict in (verdicts.EXPIRED, verdicts.SLOW))
        return True

    def tells_parts(self):
        """Return whether the server may tell the sizes of parts."""
        return not KNOWN.lacks(self.engine.endpoints[self.job.bucket], PART_SIZES)

    def heed_part(self, transfer, size, count):
        """Learn whether the server tells the sizes of parts from its answer about the first of
        `count` ones of an object of `size` bytes.
        """
        length = number(transfer.headers.get("content-length", ""))
        is_ignored = transfer.status == 200 and length == size and count > 1
        if part_in(transfer, size)[0] is None and (is_ignored or transfer.status in (405, 501)):
            self.engine.learn(transfer.endpoint, PART_SIZES, "")

    def tell(self, verdict, transfer):
        """Have the other tasks, and the parent, heed what an answer says of all requests."""
        engine = self.engine
        if verdict == verdicts.EXPIRED and self.is_current(transfer):  # else renewed meanwhile
            engine.pause(transfer.endpoint.generation)
        elif verdict == verdicts.SLOW:
            engine.slowed_down()

    def state_of(self, verdict, transfer):
        """Return the state of a Job whose request was refused."""
        if verdict == verdicts.REFUSED and self.is_for_all(transfer):
            return FATAL
        return STATES.get(verdict, AGAIN if transfer.code == ERROR_DOCUMENT else FAILED)

    def is_current(self, transfer):
        """Return whether a request was signed with the newest credentials that we have."""
        return transfer.endpoint.generation == self.engine.endpoints[self.job.bucket].generation

    def is_for_all(self, transfer):
        """Return whether all requests will be refused, too: a signature may be wrong of one key
        alone, but not the first one.
        """
        return self.engine.answers < 2 or transfer.code != "SignatureDoesNotMatch"

    def fault_of(self, transfer, size, status=200):
        """Return why an answer's head is not that of the version that was asked for, or ''."""
        job, headers = self.job, transfer.headers
        etag = clean_etag(headers)
        if transfer.status != status:
            return f"S3 answers with status {transfer.status}, not {status}"
        if not etag:            # not S3's answer: the page of a portal, with whatever length
            return "the answer has no ETag: it is not an object of S3's"
        if job.etag and not is_same(etag, job.etag):
            return f"S3 sent another object: ETag {etag}, not {job.etag}"
        version = version_in(headers)
        if job.version_id and version and version != job.version_id:
            return f"S3 sent another version: {version}"
        length = headers.get("content-length", "")
        if length and size >= 0 and length != str(size):
            return f"S3 sends {length} bytes, not {size}"
        return ""


def why(verdict, transfer):
    """Return why a request was refused, in a line."""
    if verdict == verdicts.CHANGED:
        return "the object was changed since it was listed"
    return said(transfer)


def outcome_of(error, path, does="write"):
    """Return the Outcome of a file at `path` that an OSError, or a Fault that names what is in the
    way, has stopped; `does` is what was done with the file.
    """
    if isinstance(error, Fault):
        return Outcome(CONFLICT, str(error))
    if error.errno in NO_SPACE:
        return Outcome(FULL, reason(error))
    return Outcome(FAILED, f"cannot {does} '{path}': {reason(error)}")
