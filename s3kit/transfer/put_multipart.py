"""A multipart upload as a whole: begun, its parts listed, completed or aborted, each a job of its
own; any worker does it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from html import escape

from s3kit.errors import Fault
from s3kit.etags import quoted
from s3kit.s3.address import is_amazon_s3
from s3kit.s3.capabilities import LISTED_PARTS, may_refuse
from s3kit.s3.headers import CHECKSUM, claim_in, clean_etag, described, said
from s3kit.s3.unfinished import NO_UPLOAD, parts_in, parts_query, upload_query
from s3kit.s3.uploads import MD5, MEMBERS, as_headers, checksum_header, elements_of, type_of
from s3kit.transfer.job import AGAIN, FAILED, Outcome
from s3kit.transfer.put_job import ABORTED, COMPLETED, CREATED, IN_THE_WAY, LISTED, LOST
from s3kit.transfer.put_task import NO_ETAG, PutTask

SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# of a completion: it is no use to ask once more
USELESS = ("ConditionalRequestConflict", "InvalidPart", "InvalidPartOrder", "BadDigest")


class UploadTask(PutTask):
    """A request about one multipart upload."""

    @property
    def query(self):
        """The query that names it."""
        return upload_query(self.job.upload_id)

    def is_lost(self, transfer):
        """End if S3 says that there is no such upload; return whether it does."""
        if is_gone(transfer):
            self.fail(LOST, said(transfer))
        return is_gone(transfer)


def is_gone(transfer):
    """Return whether S3 says that there is no such upload, perhaps in a body that came with 200."""
    return transfer.code == "NoSuchUpload" or (
        transfer.status == 404 and transfer.code in NO_UPLOAD)


class Create(UploadTask):
    """Begins an upload: its checksum's algorithm and type are said here, or nothing holds the whole
    object against it later. Sent twice it would begin two, and nobody knew of the first one.
    """

    def begin(self):
        """Ask."""
        algorithm = self.algorithm
        declared = [] if algorithm == MD5 else [
            f"{CHECKSUM}algorithm: {algorithm.upper()}", f"{CHECKSUM}type: {type_of(algorithm)}"]
        self.used = algorithm
        self.ask("POST", "uploads=", [*self.job.headers, *declared], is_once=True)

    def answered(self, transfer):
        """Take the upload's id."""
        if self.can_do_without(transfer):
            self.begin()
        elif not self.is_refused(transfer):
            try:
                upload_id = elements_of(transfer.body).get("UploadId")
            except Fault as fault:
                self.fail(AGAIN, str(fault))
                return
            if upload_id:
                self.end(Outcome(CREATED, pieces=(upload_id, self.used)))
            else:
                self.fail(AGAIN, "the answer names no upload")


class Parts(UploadTask):
    """Lists the parts that S3 has of an upload, as unfinished.Parts.found; None where the server
    does not tell.
    """

    def begin(self):
        """Ask for the first page."""
        self.found, self.after = {}, 0
        self.ask_on()

    def ask_on(self):
        """Ask for the next page."""
        self.ask("GET", parts_query(self.job.upload_id, self.after))

    def answered(self, transfer):
        """Take a page."""
        if may_refuse(transfer) and transfer.code not in NO_UPLOAD:
            self.engine.learn(transfer.endpoint, LISTED_PARTS, said(transfer))
            self.end(Outcome(LISTED))
        elif not self.is_lost(transfer) and not self.is_refused(transfer):
            try:
                page = parts_in(transfer.body)
                if page.after and page.after <= self.after:
                    raise Fault("the list of an upload's parts goes in circles")
            except Fault as fault:
                self.fail(FAILED, str(fault))
                return
            self.found |= page.found
            self.after = page.after
            if self.after:
                self.ask_on()
            else:
                self.end(Outcome(LISTED, pieces=self.found))


class Complete(UploadTask):
    """Puts an upload's parts together. S3 may answer 200 early, keep the line open with blanks for
    minutes, and then say that it failed.

    The checksum of the whole is told so that S3 refuses other bytes. Other servers may compute it
    otherwise: they are asked without it, for what they have is held against the parts anyway.
    """

    def begin(self):
        """Send the list of parts, the checksum of the whole, and its size."""
        job, algorithm = self.job, self.job.algorithm
        member = MEMBERS.get(algorithm)
        rows = "".join(
            f"<Part><PartNumber>{part}</PartNumber><ETag>{escape(quoted(etag))}</ETag>"
            + (f"<{member}>{checksum}</{member}>" if member and checksum else "") + "</Part>"
            for part, etag, checksum in job.parts)
        body = (f'<CompleteMultipartUpload xmlns="{SPACE}">{rows}'
                "</CompleteMultipartUpload>").encode()
        headers = ["Content-Type: application/xml", f"x-amz-mp-object-size: {job.size}",
                   *self.conditions()]
        if job.checksum:
            headers += [checksum_header(algorithm, job.checksum),
                        f"{CHECKSUM}type: {job.checksum_type}"]
        self.ask("POST", self.query, headers, body, is_patient=True)

    def answered(self, transfer):
        """Take what became of it."""
        if self.is_in_the_way(transfer):
            self.fail(IN_THE_WAY, said(transfer))
        elif self.is_reckoned_otherwise(transfer):
            self.job = self.job._replace(checksum="")
            self.begin()
        elif transfer.status == 409 or transfer.code in USELESS:
            self.fail(LOST, said(transfer))
        elif self.can_do_without(transfer):
            self.begin()
        elif not self.is_lost(transfer) and not self.is_refused(transfer):
            self.take_result(transfer)

    def is_reckoned_otherwise(self, transfer):
        """Return whether a server that is not Amazon's refuses the checksum of the whole."""
        return (transfer.code in ("BadDigest", "InvalidRequest") and bool(self.job.checksum)
                and not is_amazon_s3(transfer.endpoint.url))

    def take_result(self, transfer):
        """Take the result: the ETag, the version, and what is said of the bytes."""
        try:
            headers = as_headers(elements_of(transfer.body), transfer.headers)
        except Fault as fault:
            self.fail(AGAIN, str(fault))
            return
        if clean_etag(headers):
            claim = claim_in(headers, self.job.size)
            self.end(described(headers, Outcome(COMPLETED, size=self.job.size, claim=claim)))
        else:
            self.fail(AGAIN, NO_ETAG)


class Abort(UploadTask):
    """Aborts an upload until none of its parts are left."""

    TRIES = 5

    def begin(self):
        """Ask."""
        self.tries = 0
        self.abort()

    def abort(self):
        """Ask, once more."""
        self.tries, self.asked = self.tries + 1, "abort"
        self.ask("DELETE", self.query)

    def answered(self, transfer):
        """Take an answer: to the abort, or what parts are left."""
        if is_gone(transfer) or self.asked == "list" and may_refuse(transfer):
            self.end(Outcome(ABORTED))
        elif not self.is_refused(transfer):
            if self.asked == "abort":
                self.asked = "list"
                self.ask("GET", self.query)
            elif self.tries < self.TRIES:
                self.abort()
            elif b"<Part>" in transfer.body:
                self.fail(FAILED, "S3 still has parts of it")
            else:
                self.end(Outcome(ABORTED))      # there is nothing to be paid for
