"""A row on its way through an executor."""

from s3kit.s3.patience import Patience


class Errand:
    """A row, the job that is done for it, and how often that was tried.

    Commands add what else they know of it.
    """

    __slots__ = ("row", "job", "patience")

    def __init__(self, row, job=None):
        self.row, self.job, self.patience = row, job, Patience()

    @property
    def name(self):
        """What the row names: (bucket, key, version id)."""
        return self.row.bucket, self.row.key, self.row.version_id
