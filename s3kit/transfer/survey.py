"""What S3 says of an object before it is fetched in ranges, or a file compared with it."""

from s3kit.s3 import verdicts
from s3kit.s3.headers import (
    as_told,
    claim_in,
    claim_of_part,
    described,
    is_archived,
    modified_ns,
    part_in,
)
from s3kit.transfer.job import AGAIN, ARCHIVED, SURVEYED, Outcome
from s3kit.transfer.task import Task
from s3kit.units import number

PASSING = (verdicts.AGAIN, verdicts.SLOW, verdicts.EXPIRED)


class Survey(Task):
    """The object's headers, and the size of its parts where the check needs it.

    S3 is asked for that of the first part; the others are taken to be as long, unless they cannot
    be. Then all are asked for, one by one: HEAD partNumber needs no more than the right to read
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
    """

    is_thorough = False         # whether all parts are asked for, whatever the first one says

    def begin(self):
        """Ask for the object's headers."""
        self.step = "head"
        self.sizes = []         # of the parts, so far
        self.send("HEAD")

    def answered(self, transfer):
        """Take the headers; ask for the part size where the check needs it, for the reason on an
        error.
        """
        if self.step == "part":
            self.take_part(transfer)
        elif self.step == "why":
            if not self.is_refused(transfer):
                self.fail(AGAIN, "S3 does not answer HEAD")
        elif transfer.status >= 300:
            self.step = "why"       # an answer to HEAD has no body to say what is wrong
            self.send(headers=["Range: bytes=0-0"])
        elif not self.is_refused(transfer):
            self.take_head(transfer)

    def take_head(self, transfer):
        """Take the object's headers."""
        headers = transfer.headers
        wrong = self.fault_of(transfer, self.job.size)
        self.size = number(headers.get("content-length", ""))
        if wrong or self.size is None:
            self.fail(AGAIN, wrong or "S3 does not say the object's size")
            return
        if is_archived(headers):
            where = headers.get("x-amz-storage-class") or headers["x-amz-archive-status"]
            self.fail(ARCHIVED, f"the object is in {where}")
            return
        self.headers, self.claim = headers, claim_in(headers, self.size)
        if self.claim.has_many_parts and not self.claim.part_size:
            self.step = "part"
            self.ask_part()
        else:
            self.ready()

    def ask_part(self):
        """Ask for the size of the next part."""
        self.send("HEAD", f"partNumber={len(self.sizes) + 1}")

    def take_part(self, transfer):
        """Take the size of a part; ask for the next one where all are needed."""
        length, count = part_in(transfer, self.size)
        is_first = not self.sizes
        if length is None and (self.is_thorough or not is_first) and verdicts.verdict_of(
                transfer) in PASSING:
            self.is_refused(transfer)
            return
        if is_first:
            self.claim = claim_of_part(self.job, transfer, self.claim)
            self.count = self.claim.count or count
        if length is None or is_first and self.claim.part_size and not self.is_thorough:
            self.ready()
            return
        self.sizes.append(length)
        left = self.size - sum(self.sizes)
        if left > 0 and len(self.sizes) == self.count - 1:
            self.sizes.append(left)
            left = 0
        if left > 0 and len(self.sizes) < self.count:
            self.ask_part()
            return
        if not left and len(self.sizes) == self.count:
            self.claim = as_told(self.claim.with_sizes(self.sizes), self.headers)
        self.ready()

    def ready(self):
        """End: the parent knows all it needs."""
        self.end(described(self.headers, Outcome(SURVEYED, size=self.size, claim=self.claim,
                                                 mtime_ns=modified_ns(self.headers))))


class PartSizes(Survey):
    """A survey after bytes did not meet a claim that takes all parts to be of one size."""

    is_thorough = True
