"""Archive classes, restores, and the virtual clock that they run by."""

import time
from dataclasses import dataclass

DAY = 86400
STORAGE_CLASSES = {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
                   "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"}
# GLACIER_IR is not an archive; an INTELLIGENT_TIERING object is one only while it has a tier here
# [UG archived-objects].
ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
TIERS = ("Bulk", "Standard", "Expedited")           # slowest first, for upgrades
# The longest time of each [UG restoring-objects-retrieval-options]; tests may change
# FakeS3.restore_seconds.
RESTORE_SECONDS = {("GLACIER", "Expedited"): 300, ("GLACIER", "Standard"): 5 * 3600,
                   ("GLACIER", "Bulk"): 12 * 3600, ("DEEP_ARCHIVE", "Standard"): 12 * 3600,
                   ("DEEP_ARCHIVE", "Bulk"): 48 * 3600}
SPEED_OF = {"ARCHIVE_ACCESS": "GLACIER", "DEEP_ARCHIVE_ACCESS": "DEEP_ARCHIVE"}


class Clock:
    """The server's time: the machine's, plus what a test has let pass.

    Signatures use the machine's own.
    """

    def __init__(self):
        self.offset = 0.0

    def now(self):
        """Return the virtual time, seconds since 1970."""
        return time.time() + self.offset

    def advance(self, seconds):
        """Let `seconds` pass for restores, expiries and new objects."""
        self.offset += seconds


@dataclass
class Restore:
    """A RestoreObject in progress until `done`, then a copy until `expires`."""

    tier: str
    days: int
    done: float
    expires: float


def midnight(moment):
    """Return the next midnight UTC, or `moment` if it is one [UG restoring-objects]."""
    return -(-moment // DAY) * DAY
