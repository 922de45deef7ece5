"""Complete parts that wait for their names."""

import os
import resource
from types import SimpleNamespace

import pytest

from s3kit.disk import lock
from s3kit.disk.tree import Tree
from s3kit.errors import Fault
from s3kit.transfer import unnamed as module
from s3kit.transfer.unnamed import Complete, Unnamed, descriptors, is_complete


@pytest.fixture
def tree(tmp_path):
    """A destination."""
    return Tree(str(tmp_path / "d"))


def write(tree, part, body=b"body", path="b/k"):
    """Return a Complete part file."""
    fd = lock.hold(part, tree.parts)
    os.write(fd, body)
    return Complete(part, fd, path, len(body), 1_000_000_000)


def status_of(tree, part):
    """Return a part's os.stat_result."""
    return os.stat(part, dir_fd=tree.parts)


def test_a_file_has_no_name_before_it_is_told(tree):
    """It is held, is marked as complete, and gets time and permissions with its name."""
    unnamed = Unnamed(tree, 0o640, 4)
    complete = write(tree, "one.part")
    assert not is_complete(status_of(tree, "one.part"))
    unnamed.keep(complete)
    assert is_complete(status_of(tree, "one.part")) and tree.look("b/k") is None
    assert lock.hold("one.part", tree.parts) is None
    inode = status_of(tree, "one.part").st_ino
    assert unnamed.name("one.part") == ("b/k", inode, 1_000_000_000)
    there = tree.look("b/k")
    assert (there.st_ino, there.st_mode & 0o777, there.st_mtime) == (inode, 0o640, 1)
    assert os.listdir(tree.parts) == [] and unnamed.held == {}
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(complete.fd)


def test_what_cannot_be_named_is_removed(tree):
    """Nobody would name it later either."""
    unnamed = Unnamed(tree, 0o640, 4)
    unnamed.keep(write(tree, "one.part", path="b/k"))
    os.mkdir(os.path.join(tree.path, "b"))
    os.symlink("/nowhere", os.path.join(tree.path, "b/k"))
    with pytest.raises(Fault, match="a symbolic link is in the way"):
        unnamed.name("one.part")
    assert os.listdir(tree.parts) == [] and unnamed.held == {}


def test_a_key_that_ends_in_a_slash_is_a_directory(tree):
    """Which has a time of its own."""
    unnamed = Unnamed(tree, 0o640, 4)
    unnamed.keep(write(tree, "one.part", b"", "b/folder/"))
    path, inode, mtime_ns = unnamed.name("one.part")
    folder = os.stat(os.path.join(tree.path, "b/folder"))
    assert (path, inode, mtime_ns) == ("b/folder/", folder.st_ino, 0)


def test_what_is_let_go_can_be_held_by_another(tree):
    """And is still marked as complete."""
    unnamed = Unnamed(tree, 0o640, 4)
    unnamed.keep(write(tree, "one.part"))
    unnamed.drop_all()
    fd = lock.hold("one.part", tree.parts)
    assert fd is not None and is_complete(os.fstat(fd)) and os.fstat(fd).st_size == 4
    os.close(fd)


def test_no_more_than_the_system_lets_us_have_open(tree, monkeypatch):
    """With some to spare for all else."""
    monkeypatch.setattr(module, "descriptors", lambda: module.OTHERS + 4 * 4 + 2)
    unnamed = Unnamed(tree, 0o640, 4)
    for number in range(2):
        assert not unnamed.is_full
        unnamed.keep(write(tree, f"{number}.part"))
    assert unnamed.is_full
    unnamed.drop_all()


@pytest.mark.parametrize("limits, most, got", [
    ((256, -1), 10_240, 10_240), ((256, 4096), 4096, 4096), ((-1, -1), 0, 1 << 16),
    ((1 << 20, 1 << 20), 0, 1 << 16), ((1024, 1024), 1024, 1024), ((256, -1), 0, 256)])
def test_the_limit_of_a_system(monkeypatch, limits, most, got):
    """macOS names none and takes no more than 10,240; where nothing is taken the old one stays."""
    def setrlimit(which, wanted):
        if wanted[0] > most:
            raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(module, "resource", SimpleNamespace(
        RLIM_INFINITY=-1, RLIMIT_NOFILE=7, setrlimit=setrlimit, getrlimit=lambda which: limits))
    assert descriptors() == got


def test_the_limit_is_raised_as_far_as_it_goes():
    """The soft one to the hard one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[0]), before[1]))
        most = descriptors()
        assert most >= resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(512, before[0])
        assert most == min(before[1], module.MOST_DESCRIPTORS) or before[1] < 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
