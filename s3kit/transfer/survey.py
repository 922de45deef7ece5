"""What S3 says of an object before it is fetched in ranges, or a file compared with it."""

from s3kit.s3 import verdicts
from s3kit.s3.headers import (
    as_told,
    claim_in,
    claim_of_part,
    described,
    is_archived,
    part_in,
)
from s3kit.transfer.job import AGAIN, ARCHIVED, DESCRIBED, SURVEYED, Outcome
from s3kit.transfer.task import Task
from s3kit.units import number

TOGETHER = 8        # parts of one object that are asked about at once
PASSING = (verdicts.AGAIN, verdicts.SLOW, verdicts.EXPIRED)


class Survey(Task):
    """The object's headers, and the size of its parts where the check needs it.

    S3 is asked for that of the first part; the others are taken to be as long, unless they cannot
    be. Then all are asked for: HEAD partNumber needs no more than the right to read
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
    """

    is_thorough = False         # whether all parts are asked for, whatever the first one says
    is_over = False

    def begin(self):
        """Ask for the object's headers."""
        self.step = "head"
        self.sizes, self.asked = {}, {}     # number of a part: its bytes; Transfer: the number
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
        if self.claim.has_many_parts and not self.claim.part_size and (
                self.is_thorough or self.tells_parts()):
            self.step = "part"
            self.ask_part()
        else:
            self.ready()

    def ask_part(self):
        """Ask for the size of the next part."""
        part = len(self.sizes) + len(self.asked) + 1
        self.asked[self.send("HEAD", f"partNumber={part}")] = part

    def take_part(self, transfer):
        """Take the size of a part; ask for others where all are needed."""
        length, count = part_in(transfer, self.size)
        part = self.asked.pop(transfer)
        if self.is_over:
            return
        if length is None and (self.is_thorough or part > 1) and verdicts.verdict_of(
                transfer) in PASSING:
            self.is_refused(transfer)
            return
        if part == 1:
            self.heed_part(transfer, self.size, self.claim.count)
            self.claim = claim_of_part(self.job, transfer, self.claim)
            self.count = self.claim.count or count
        if length is None or part == 1 and self.claim.part_size and not self.is_thorough:
            self.ready()
            return
        self.sizes[part] = length
        self.ask_on()

    def ask_on(self):
        """Ask for the sizes of parts that were not asked for yet, some at a time; end where all are
        known, or those that are have more bytes than the object. The last one has what is left.
        """
        left = self.size - sum(self.sizes.values())
        while left > 0 and len(self.sizes) + len(self.asked) < self.count - 1 and (
                len(self.asked) < TOGETHER):
            self.ask_part()
        if self.asked and left > 0:
            return
        if left > 0 and len(self.sizes) == self.count - 1:
            self.sizes[self.count], left = left, 0
        if not left and len(self.sizes) == self.count:
            sizes = [self.sizes[part] for part in sorted(self.sizes)]
            self.claim = as_told(self.claim.with_sizes(sizes), self.headers)
        self.ready()

    def end(self, outcome):
        """Give back the outcome; answers about parts may come afterwards."""
        self.is_over = True
        super().end(outcome)

    def ready(self):
        """End: the parent knows all it needs."""
        outcome = described(self.headers, Outcome(SURVEYED, size=self.size, claim=self.claim,
                                                  mtime_ns=self.mtime_in(self.headers)))
        self.end(self.described(self.headers, outcome))


class PartSizes(Survey):
    """A survey after bytes did not meet a claim that takes all parts to be of one size."""

    is_thorough = True


class Describe(Survey):
    """What S3 says of an object besides its bytes, also where these lie in an archive."""

    def take_head(self, transfer):
        """End with what the headers say."""
        wrong = self.fault_of(transfer, self.job.size)
        if wrong:
            self.fail(AGAIN, wrong)
        else:
            self.end(self.described(transfer.headers, Outcome(DESCRIBED)))
