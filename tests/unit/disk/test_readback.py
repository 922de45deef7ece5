"""A file read back: its bytes, its size, its time and its inode are what was recorded, or not."""

import os

import pytest
from descriptors import open_descriptors

from s3kit.disk import readback
from s3kit.disk.ledger import Entry
from s3kit.disk.readback import is_intact
from s3kit.disk.tree import Tree
from s3kit.errors import Fault
from s3kit.proof.digest import digest_of

BODY = bytes(range(256)) * 40       # not whole pages


@pytest.fixture
def tree(tmp_path):
    """A destination with a file."""
    made = Tree(str(tmp_path / "d"))
    os.mkdir(os.path.join(made.path, "b"))
    write(made, BODY)
    return made


def write(tree, body):
    """Write the file; its inode and time stay."""
    path = os.path.join(tree.path, "b/k")
    with open(path, "r+b" if os.path.exists(path) else "wb") as file:
        file.write(body)
        file.truncate()
    os.utime(path, ns=(5, 1_000_000_000))


def entry(tree, body=BODY, path="b/k"):
    """Return what the ledger has of the file with this body."""
    inode = os.stat(os.path.join(tree.path, "b/k")).st_ino
    return Entry("b", "k", "", "", len(body), "", "", "", "", "", path, 1_000_000_000, inode,
                 digest_of(body), "etag-md5", "verified")


def nothing():
    """Let the reading go on."""


@pytest.mark.parametrize("body", [b"", b"x", bytes(4096), BODY, BODY * 900])
def test_a_file_as_it_was_written(tree, body):
    """Of any length: also with the last page not whole, and in more than one read or leaf."""
    write(tree, body)
    assert is_intact(tree, entry(tree, body), nothing)


@pytest.mark.parametrize("spoilt", [BODY[:-1] + b"x", BODY[:-1], BODY + b"x", b""])
def test_bytes_that_are_not_what_was_recorded(tree, spoilt):
    """The size and the time alone say nothing."""
    recorded = entry(tree)
    write(tree, spoilt)
    assert not is_intact(tree, recorded, nothing)


@pytest.mark.parametrize("change", [{"mtime_ns": 2}, {"inode": 3}, {"size": 4},
                                    {"digest": digest_of(b"")}])
def test_a_file_that_is_not_what_was_recorded(tree, change):
    """The same bytes in another file, or at another time, are somebody else's work."""
    assert not is_intact(tree, entry(tree)._replace(**change), nothing)


def test_a_file_that_changes_while_it_is_read(tree):
    """It was looked at after it was read."""
    def touch():
        os.utime(os.path.join(tree.path, "b/k"), ns=(5, 6))

    assert not is_intact(tree, entry(tree), touch)


class Stop(Exception):
    """Somebody wants to end."""


def test_the_reading_ends_when_somebody_wants_to(tree, monkeypatch):
    """Between two reads; nothing stays open."""
    monkeypatch.setattr(readback, "READ", 4096)
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 2:
            raise Stop

    assert is_intact(tree, entry(tree), nothing)        # which leaves the directory open
    before = len(open_descriptors())
    with pytest.raises(Stop):
        is_intact(tree, entry(tree), check)
    assert len(calls) == 2 and len(open_descriptors()) == before


def test_it_is_read_from_the_disk(tree, monkeypatch):
    """What the page cache has says nothing of the disk."""
    direct = []
    monkeypatch.setattr(readback, "go_direct", direct.append)
    assert is_intact(tree, entry(tree), nothing) and len(direct) == 1


def test_there_is_no_file(tree):
    """Nothing, a directory, a link, a FIFO: none of them is read, and a FIFO keeps nobody waiting.
    """
    recorded, path = entry(tree), os.path.join(tree.path, "b/k")
    os.rename(path, os.path.join(tree.path, "b/other"))
    with pytest.raises(FileNotFoundError):
        is_intact(tree, recorded, nothing)
    os.symlink("other", path)
    with pytest.raises(OSError, match="symbolic links"):
        is_intact(tree, recorded, nothing)
    os.unlink(path)
    for make, kind in ((os.mkdir, "directory"), (os.mkfifo, "FIFO")):
        make(path)
        with pytest.raises(Fault, match=f"'b/k' is a {kind}"):
            is_intact(tree, recorded, nothing)
        os.rename(path, path + make.__name__)
