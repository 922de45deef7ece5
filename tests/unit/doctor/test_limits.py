"""What this process may hold open."""

import resource

import pytest

from s3kit.disk.tree import KEPT
from s3kit.doctor import limits
from s3kit.doctor.finding import FAULT, OK, WARNING

NONE = resource.RLIM_INFINITY


def limited(monkeypatch, files, size=NONE):
    """Have these limits of open files (soft, hard) and of a file's size."""
    monkeypatch.setattr(limits.resource, "getrlimit", lambda which: (
        files if which == resource.RLIMIT_NOFILE else (size, NONE)))


@pytest.mark.parametrize("files, state, advice", (
    ((NONE, NONE), OK, ""), ((4096, 4096), OK, ""), ((KEPT, NONE), WARNING, "ulimit -n 4096"),
    ((KEPT - 1, 100_000), FAULT, "ulimit -n 4096"),
    ((KEPT + 40, KEPT + 50), WARNING, "have the limit raised, or use -c 4")))
def test_open_files(monkeypatch, files, state, advice):
    """Enough, raised, or fewer connections."""
    limited(monkeypatch, files)
    (found,) = limits.findings(32)
    assert (found.what, found.state, found.advice) == ("open files", state, advice)


@pytest.mark.parametrize("soft, most", ((NONE, 64), (1024, 64), (64, 20), (24, 1), (3, 1)))
def test_connections_at_once(monkeypatch, soft, most):
    """No more than there is room for, but one."""
    limited(monkeypatch, (soft, NONE))
    assert limits.room_for(64) == most


def test_the_size_of_a_file(monkeypatch):
    """Worth a word only if it is limited."""
    limited(monkeypatch, (NONE, NONE), 1 << 30)
    assert [found.what for found in limits.findings(1)] == ["open files", "file size"]
