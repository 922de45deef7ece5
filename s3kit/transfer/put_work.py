"""What a worker that uploads must know before its first job."""

import os

from s3kit.transfer.job import CHECKED, Outcome
from s3kit.transfer.local_file import CHANGED, Unstable, open_file
from s3kit.transfer.put_job import UNSTABLE, Identity
from s3kit.transfer.put_hide import Hide
from s3kit.transfer.put_multipart import Abort, Complete, Create, Parts
from s3kit.transfer.put_parts import Part
from s3kit.transfer.put_task import Look
from s3kit.transfer.put_whole import PutWhole
from s3kit.transfer.ranges import Reading
from s3kit.transfer.work import Work


class FileReading(Reading):
    """The file of a PutJob, read for a Claim."""

    def begin(self):
        """Begin to read, unless the file is not what it was."""
        try:
            super().begin()
        except Unstable as fault:
            self.fail(UNSTABLE, str(fault))

    def open(self):
        """Return its descriptor. Raises what open_file does."""
        return open_file(self.engine.tree, self.job)

    def end(self, outcome):
        """End; bytes of a file that was changed meanwhile say nothing."""
        if outcome.state == CHECKED and Identity.of(os.fstat(self.fd)) != self.job.identity:
            outcome = Outcome(UNSTABLE, CHANGED)
        super().end(outcome)


TASKS = {"put": PutWhole, "look": Look, "create": Create, "part": Part, "parts": Parts,
         "complete": Complete, "abort": Abort, "check": FileReading,
         "hide": Hide}


class PutWork(Work):
    """Everything a worker must know, sent to it once; calling it answers a batch of PutJobs."""

    tasks = TASKS
