"""How it is found out whether a listing shows restores."""

import pytest

from s3kit.manifest.row import Row
from s3kit.restore.answers import ARCHIVED, ONGOING, READY, Status
from s3kit.restore.probing import Probes
from s3kit.restore.version import Version


def probe(asks=0, taken=0):
    """Return (Probes, the probe of a bucket)."""
    probes, version = Probes(), Version(Row("b", "k", storage_class="GLACIER"), "Standard")
    version.asks, version.taken = asks, taken
    probes.begin(version)
    return probes, version


@pytest.mark.parametrize("asks, taken, status, shown, state", [
    (1, 1, Status(ONGOING), True, ONGOING), (1, 1, Status(READY), True, READY),
    (1, 1, Status(ARCHIVED), False, ONGOING),               # asked for, and the listing says no
    (0, 0, Status(ONGOING, by_head=True), False, ONGOING),  # the listing had shown it as archived
    (1, 0, Status(ONGOING, by_head=True), None, ONGOING),   # nobody knows who asked for it
    (0, 0, Status(ARCHIVED, by_head=True), None, ARCHIVED)])
def test_what_a_probe_tells(asks, taken, status, shown, state):
    probes, version = probe(asks, taken)
    assert probes.learn(version, status).state == state
    assert probes.shown.get("b") is shown
    assert probes.is_probe(version) == (shown is None and not (asks and not taken))


def test_who_must_be_looked_at_by_head():
    probes, version = probe()
    other = Version(Row("b", "other", storage_class="GLACIER"), "Standard")
    assert probes.wants_head(version) and not probes.wants_head(other)
    probes.shown["b"] = False
    assert probes.wants_head(other) and not probes.is_certain(other)
    probes.shown["b"] = True
    assert not probes.wants_head(other) and probes.is_certain(other)
