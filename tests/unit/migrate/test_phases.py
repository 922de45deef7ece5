"""The phases, and the manifests that they leave."""

import os

from s3kit.migrate.folder import UNFINISHED
from s3kit.migrate.phases import ASK, NOW, PHASES


def test_manifests_in_the_order_of_the_phases():
    """In a listing of the folder, too; each phase has a file of its own."""
    files = [phase.file for phase in PHASES]
    assert files == sorted(set(files)) and len({phase.name for phase in PHASES}) == len(PHASES)
    assert [phase.name for phase in PHASES] == ["scan", "restore", "fetch", "verify", "delete"]


def test_what_leaves_no_manifest():
    """Asking the archive leaves nothing; what looks again is swept away, and what is kept is not.
    """
    assert os.path.join("/work/b", ASK.file) == os.devnull
    assert UNFINISHED.fullmatch(NOW.file)
    assert not [phase for phase in PHASES if UNFINISHED.fullmatch(phase.file)]
