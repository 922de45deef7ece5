"""The phases of a bucket's journey, and the manifest that each leaves in the bucket's folder."""

import os
from typing import NamedTuple


class Phase(NamedTuple):
    """A part of the journey, and the manifest that it leaves."""

    name: str
    file: str


SCAN, RESTORE, FETCH, VERIFY, DELETE = PHASES = (Phase("scan", "1-scan.csv"),
                                                 Phase("restore", "2-restored.csv"),
                                                 Phase("fetch", "3-fetched.csv"),
                                                 Phase("verify", "4-verified.csv"),
                                                 Phase("delete", "5-pruned.csv"))
ASK = Phase("ask the archive", os.devnull)  # done again until RESTORE has ended
NOW = Phase("look again", ".now.csv")       # what is in the bucket afterwards; never kept
