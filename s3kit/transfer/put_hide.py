"""A delete marker on top of a key, in a bucket that keeps versions: none of them is deleted."""

from s3kit.s3.headers import version_in
from s3kit.transfer.job import CONFLICT, FAILED, Outcome
from s3kit.transfer.put_job import HIDDEN
from s3kit.transfer.put_task import OTHERS, PutTask, marker_in


class Hide(PutTask):
    """Makes a delete marker on top of the version that the job is to cover, or of nothing. Where an
    answer was lost, in this run or before, it looks first: there may be one.
    """

    def begin(self):
        """Look, or make it."""
        if self.job.is_looked:
            self.look("look")
        else:
            self.hide()

    def hide(self):
        """Make it."""
        self.asked = "hide"
        self.ask("DELETE")

    def answered(self, transfer):
        """Take what is there, or the marker that was made."""
        if self.asked == "hide":
            self.take_marker(transfer)
        elif self.is_absent(transfer):
            marker = marker_in(transfer)
            if marker:
                self.end(Outcome(HIDDEN, version_id=marker))
            else:
                self.hide()
        elif not self.is_refused(transfer):
            if self.is_covered(version_in(transfer.headers)):
                self.hide()
            else:
                self.fail(CONFLICT, OTHERS)

    def take_marker(self, transfer):
        """Take the answer to a deletion that is to make a marker."""
        if self.is_refused(transfer):
            return
        marker = marker_in(transfer)
        if marker:
            self.end(Outcome(HIDDEN, version_id=marker))
        else:
            self.fail(FAILED, "the server has made no delete marker")
