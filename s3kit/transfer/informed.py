"""A whole object of which the row is to say more than its bytes do.

The answer that brings the bytes says it all. Where they are there already S3 is asked first.
"""

from s3kit.s3 import verdicts
from s3kit.transfer import present
from s3kit.transfer.survey import PASSING
from s3kit.transfer.whole import Fetch


class InformedFetch(Fetch):
    """A Fetch that takes over nothing that is there before S3 has been asked about it."""

    def look(self):
        """Ask about the object, if it may be there."""
        if present.may_be_there(self.engine.tree, self.job, self.fd):
            self.step = "head"
            self.send("HEAD")
        else:
            self.ask_first()

    def answered(self, transfer):
        """Take the answer about the object, or what a Fetch takes."""
        if self.step == "head":
            self.take_head(transfer)
        else:
            super().answered(transfer)

    def take_head(self, transfer):
        """Take over what is there; where S3 says nothing of it the object is asked for, which tells
        why.
        """
        if verdicts.verdict_of(transfer) in PASSING:
            self.is_refused(transfer)
            return
        is_told = not (transfer.errno or self.fault_of(transfer, self.job.size))
        if is_told and (at := self.mtime_in(transfer.headers)) is not None:
            self.job = self.job._replace(mtime_ns=at)
        if not (is_told and self.is_there(transfer.headers)):
            self.ask_first()
