"""A row on its way out of the archive."""

import time

from s3kit.pipeline.errand import Errand
from s3kit.storage_classes import TIERING
from s3kit.units import number


class Version(Errand):
    """A row, and what is known of the object version that it names.

    It may wait on disk, and so its job, which has keys, is there only while S3 is asked.
    """

    __slots__ = ("tier", "storage_class", "archive_tier", "size", "by_head", "is_headed",
                 "is_held", "is_recalled", "reason", "asks", "taken", "began",
                 "looked")

    def __init__(self, row, tier):
        super().__init__(row)
        self.tier = tier
        self.storage_class, self.archive_tier, self.size = row.storage_class, "", row.length or 0
        self.by_head = row.storage_class == TIERING         # no listing knows the archive tier
        self.is_headed = False      # whether HEAD was the last to say how it stands
        self.is_held = False        # whether it has a place below the cap
        self.is_recalled = False    # whether it was looked at again after a long time on disk
        self.reason = None          # why the request that is under way was sent
        self.asks = self.taken = 0  # requests for it: sent; that S3 said yes to
        self.began = self.looked = time.monotonic()

    def see(self, status):
        """Take the Status that a look has found."""
        self.looked = time.monotonic()
        self.is_headed = status.by_head
        self.storage_class = status.storage_class or self.storage_class
        self.archive_tier = status.tier
        self.by_head = self.by_head or self.storage_class == TIERING
        size = number(status.size)
        if size is not None and not self.is_held:
            self.size = size
