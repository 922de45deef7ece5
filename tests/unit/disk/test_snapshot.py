"""A ledger as it is at one moment."""

import os
import sqlite3
from contextlib import closing

import pytest

from s3kit.disk import snapshot
from s3kit.disk.failures import Failure, Failures
from s3kit.disk.ledger import Entry, Ledger
from s3kit.disk.snapshot import Snapshot
from s3kit.disk.sqlite_errors import Broken
from s3kit.disk.uploads import Sending, Upload, Uploads
from s3kit.errors import Fault

OURS = ".s3kit"


def entry(key, state="verified", size=3, proof="crc32", tries=0, at="2026-01-01T00:00:00Z"):
    """Return the Entry of a file."""
    return Entry("b", key, "", "e", size, "", "", "", "", "", f"b/{key}", 1, 2, "", proof, state,
                 tries=tries, changed_at=at)


def failure(key, size=None):
    """Return a Failure."""
    return Failure("b", key, "", "e", size, "", "", "", "", "", "", "", "", "failed", "why",
                   "2026-01-02T00:00:00Z")


@pytest.fixture
def ledger(tmp_path):
    """A ledger with what is there, what failed, and what a prune has asked for."""
    (tmp_path / OURS).mkdir()
    ledger = Ledger(tmp_path / OURS)
    ledger.record([entry("a"), entry("b", size=1 << 62), entry("c", size=1 << 62),
                   entry("d", "fetched"), entry("e", "pruned", tries=1), entry("f", "pruned"),
                   entry("g", "mismatch", proof="")])
    failures = Failures(ledger)
    failures.add(failure("d", 3))
    failures.add(failure("z"))
    failures.record()
    with closing(ledger):
        yield ledger


def sums(shot):
    """Return {state: (rows, bytes, of unknown size, unanswered)}."""
    return {state: tuple(rest[:-1]) for _, state, _, *rest in shot.amounts()}


def test_amounts_are_exact(ledger, tmp_path):
    """Also of more bytes than a number of SQLite's; a version that failed since is counted once."""
    with closing(Snapshot(tmp_path, OURS)) as shot:
        assert sums(shot) == {"verified": (3, (1 << 63) + 3, 0, 0), "pruned": (2, 6, 0, 1),
                              "mismatch": (1, 3, 0, 0), "failed": (2, 3, 1, 0)}
        assert max(at for *_, at in shot.amounts()) == "2026-01-02T00:00:00Z"


def test_versions_come_in_order(ledger, tmp_path):
    """What failed instead of what was there before; as many as are asked for."""
    with closing(Snapshot(tmp_path, OURS)) as shot:
        assert [(each.key, each.state, each.size) for each in shot.versions("true")] == [
            ("a", "verified", 3), ("b", "verified", 1 << 62), ("c", "verified", 1 << 62),
            ("d", "failed", 3), ("e", "pruned", 3), ("f", "pruned", 3), ("g", "mismatch", 3),
            ("z", "failed", None)]
        wrong = "state IN (?, ?)", ("failed", "mismatch")
        assert [each.key for each in shot.versions(*wrong)] == ["d", "g", "z"]
        assert [each.key for each in shot.versions(*wrong, most=2)] == ["d", "g"]


def test_it_is_one_moment(ledger, tmp_path):
    """Whatever others write; and they can."""
    with closing(Snapshot(tmp_path, OURS)) as shot:
        before = sums(shot)
        ledger.record([entry("new"), entry("z")])
        assert sums(shot) == before
    with closing(Snapshot(tmp_path, OURS)) as shot:
        assert sums(shot) != before
        shot.check()


def test_uploads(ledger, tmp_path):
    """What is stored from here, and what is not complete; none where there is no table."""
    with closing(Snapshot(tmp_path, OURS)) as shot:
        assert list(shot.uploads()) == [] and shot.sendings() == 0
    uploads = Uploads(ledger)
    uploads.record([Upload("far", f"k{proof}", "", "", "b", "k", "", "", "p", size, 1, 1, "", "",
                           "", "", "", proof, "2026") for proof, size in (("crc32", 5), ("", 7))])
    uploads.begin(Sending("id", "far", "k", "p", 1, 1, 1, 1, "crc32", "t", "2026"))
    with closing(Snapshot(tmp_path, OURS)) as shot:
        assert list(shot.uploads()) == [("far", "", 1, 7, 0, "2026"),
                                        ("far", "crc32", 1, 5, 0, "2026")]
        assert shot.sendings() == 1


def test_an_empty_ledger(tmp_path):
    """Nothing is in it, not even a table; nothing is made."""
    (tmp_path / OURS).mkdir()
    sqlite3.connect(tmp_path / OURS / "ledger.sqlite3").close()
    with closing(Snapshot(tmp_path, OURS)) as shot:
        assert list(shot.amounts()) == list(shot.versions("true")) == []


def test_no_ledger(tmp_path):
    """Nothing is made where there is none."""
    with pytest.raises(Fault, match="is no destination of s3-fetch or s3-put"):
        Snapshot(tmp_path, OURS)
    assert not list(tmp_path.iterdir())


def spoil(path, how):
    """Make a ledger one that cannot be read."""
    if how == "damaged":
        path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    elif how == "no ledger":
        path.write_bytes(b"key,size\n" * 1000)
    elif how == "a FIFO":
        path.unlink()
        os.mkfifo(path)
    else:
        base = sqlite3.connect(path)
        base.execute("PRAGMA user_version = 99")
        base.close()


@pytest.mark.parametrize("how, says", [
    ("damaged", "is damaged"), ("no ledger", "is damaged"), ("a FIFO", "not a regular file"),
    ("newer", "is of a newer s3kit")])
def test_a_ledger_that_cannot_be_read(tmp_path, how, says):
    """In a sentence."""
    (tmp_path / OURS).mkdir()
    Ledger(tmp_path / OURS).close()
    spoil(tmp_path / OURS / "ledger.sqlite3", how)
    with pytest.raises(Fault, match=says):
        Snapshot(tmp_path, OURS)


class Refused(Snapshot):
    """As where nothing can be written beside the file: SQLite reads it only if told that it is
    immutable.
    """

    def connect(self, how):
        """Refuse what would write."""
        if "immutable" not in how:
            error = sqlite3.OperationalError("attempt to write a readonly database")
            error.sqlite_errorcode = snapshot.READONLY
            raise error
        return super().connect(how)


def test_where_nothing_can_be_written(ledger, tmp_path):
    """The file is read alone, if no log of changes belongs to it; one that came since is noticed.
    """
    with pytest.raises(Broken, match="a log of changes, which only who may write there can read"):
        Refused(tmp_path, OURS)
    ledger.close()
    with closing(Refused(tmp_path, OURS)) as shot:
        assert sums(shot)["failed"] == (2, 3, 1, 0)
        shot.check()
        with closing(Ledger(tmp_path / OURS)) as other:
            other.record([entry("new")])
            with pytest.raises(Fault, match="was changed while it was read"):
                shot.check()
