"""The file that is sent: what is opened, and what is read of it."""

import mmap
import os
import socket
from types import SimpleNamespace

import pytest

from s3kit.disk.tree import Tree
from s3kit.errors import Fault
from s3kit.transfer.local_file import (
    SMALL,
    Unstable,
    hold_to,
    look,
    open_file,
    read_into,
    why_no_file,
)
from s3kit.transfer.put_job import WHOLE_MOST, Identity


@pytest.fixture
def tree(tmp_path):
    """A Tree with a file `k`, a link to it, one to nothing, and what is no file."""
    (tmp_path / "x").mkdir()
    (tmp_path / "k").write_bytes(b"body")
    (tmp_path / "link").symlink_to("k")
    (tmp_path / "nothing").symlink_to("none")
    (tmp_path / "up").symlink_to("x")
    (tmp_path / "x/k").write_bytes(b"below")
    os.mkfifo(tmp_path / "fifo")
    return Tree(str(tmp_path), make=False)


def opened(tree, path, follows=False, **changed):
    """Return what open_file returns for what lies at a path now, as bytes."""
    status = os.stat(os.path.join(tree.path, path), follow_symlinks=follows)
    job = SimpleNamespace(path=path, follows=follows,
                          identity=Identity.of(status)._replace(**changed))
    fd = open_file(tree, job)
    try:
        return os.read(fd, 100)
    finally:
        os.close(fd)


def descriptors():
    """Return how many are open."""
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("path, follows, body", [
    ("k", False, b"body"), ("x/k", False, b"below"), ("k", True, b"body"), ("link", True, b"body"),
    ("up/k", True, b"below")])
def test_a_file(tree, path, follows, body):
    """Through links, where they are to be followed."""
    assert opened(tree, path, follows) == body


@pytest.mark.parametrize("path, follows", [("link", False), ("up/k", False), ("x", False),
                                           ("x", True), ("fifo", False), ("fifo", True),
                                           ("nothing", False)])
def test_what_is_no_file(tree, path, follows):
    """It is not opened, and nobody waits for a writer."""
    before = descriptors()
    with pytest.raises((OSError, Fault)):
        opened(tree, path, follows)
    assert descriptors() == before


@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.parametrize("changed", ["size", "mtime_ns", "ctime_ns", "inode"])
def test_another_file_than_before(tree, follows, changed):
    """It is not sent in the place of the one that was looked at, and is closed."""
    before = descriptors()
    with pytest.raises(Unstable, match="changed while it was read"):
        opened(tree, "k", follows, **{changed: 1})
    assert descriptors() == before


def test_a_file_that_changes_while_it_is_open(tree, tmp_path):
    """Its times tell, and its length; not what becomes of its name."""
    fd = os.open(tmp_path / "k", os.O_RDONLY)
    identity = Identity.of(os.fstat(fd))
    hold_to(fd, identity)
    os.utime(tmp_path / "k", ns=(1, identity.mtime_ns))     # ctime
    with pytest.raises(Unstable):
        hold_to(fd, identity)
    os.close(fd)


# --- what lies there


@pytest.mark.parametrize("path, follows, why", [
    ("k", False, ""), ("k", True, ""), ("link", True, ""), ("up/k", True, ""),
    ("link", False, "'link' is a symbolic link (--follow-links)"),
    ("nothing", True, "'nothing' is a symbolic link (--follow-links)"),
    ("none", False, "there is no file 'none'"), ("none", True, "there is no file 'none'"),
    ("none/k", True, "there is no file 'none/k'"), ("x", False, "'x' is a directory"),
    ("fifo", True, "'fifo' is a FIFO")])
def test_what_can_be_sent(tree, path, follows, why):
    """Regular files; else it is said why not."""
    assert why_no_file(look(tree, path, follows), path) == why


def test_what_is_looked_at(tree, tmp_path):
    """The link itself, or what it leads to."""
    assert look(tree, "link", False).st_ino == os.lstat(tmp_path / "link").st_ino
    assert look(tree, "link", True).st_ino == os.stat(tmp_path / "k").st_ino
    assert look(tree, "none", True) is None


# --- what is read


@pytest.mark.parametrize("start", [0, 1, 12345])
@pytest.mark.parametrize("size", [0, 1, SMALL, SMALL + 1, WHOLE_MOST])
def test_a_piece(tmp_path, start, size):
    """The very bytes; a few have memory of their own, others a buffer that is used again."""
    body = os.urandom(1 << 16) * ((size + start >> 16) + 1)
    (tmp_path / "k").write_bytes(body)
    fd, spare = os.open(tmp_path / "k", os.O_RDONLY), []
    buffer = read_into(fd, start, size, spare)
    assert memoryview(buffer)[:size] == body[start:start + size]
    assert isinstance(buffer, bytes if size <= SMALL else mmap.mmap)
    if size > SMALL:
        spare.append(buffer)
        assert read_into(fd, start, size, spare) is buffer and spare == []
    os.close(fd)


@pytest.mark.parametrize("size", [10, SMALL + 10])
def test_a_file_that_became_shorter(tmp_path, size):
    """No bytes of an older buffer are sent in place of those that are not there."""
    (tmp_path / "k").write_bytes(b"x" * (size - 1))
    fd = os.open(tmp_path / "k", os.O_RDONLY)
    with pytest.raises(Unstable):
        read_into(fd, 0, size, [])
    with pytest.raises(Unstable):
        read_into(fd, size, 1, [])
    os.close(fd)


@pytest.mark.parametrize("size", [1000, SMALL + 1000])
def test_bytes_that_come_in_drops(monkeypatch, tmp_path, size):
    """A network file system may give fewer than were asked for."""
    body = os.urandom(size)
    (tmp_path / "k").write_bytes(body)
    fd = os.open(tmp_path / "k", os.O_RDONLY)
    pread, preadv = os.pread, os.preadv
    monkeypatch.setattr(os, "pread", lambda fd, count, at: pread(fd, min(count, 300), at))
    monkeypatch.setattr(os, "preadv", lambda fd, views, at: preadv(
        fd, [views[0][:70_000]], at))
    assert memoryview(read_into(fd, 0, size, []))[:size] == body
    os.close(fd)


def test_a_socket(tree, tmp_path):
    """It is named as what it is."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "s"))
        assert why_no_file(look(tree, "s", False), "s") == "'s' is a socket"
