"""The versions that S3 is at work on."""

from s3kit.manifest.row import Row
from s3kit.restore import watching
from s3kit.restore.version import Version


def test_neighbours_together(monkeypatch):
    """Those that a request is under way for are left out; above the limit there is no room."""
    monkeypatch.setattr(watching, "WATCHED", 3)
    pending = watching.Watching(1)
    versions = [Version(Row("b", key), "Standard") for key in "cabd"]
    assert [pending.add(version) for version in versions] == [True, True, True, False]
    assert pending.add(versions[0]) and len(pending) == 3 and versions[3] not in pending
    versions[1].reason = "polled"
    assert [version.row.key for version in pending.in_order()] == ["b", "c"]
    pending.discard(versions[0])
    assert pending.add(versions[3])


def test_warnings_are_rare(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    pending = watching.Watching(1)
    assert pending.oldest() is None and not pending.should_warn()
    now[0] = 1000.0
    assert pending.should_warn() and not pending.should_warn()
