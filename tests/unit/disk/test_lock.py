"""Holding a part file: one holder, freed by the kernel, and only what the name still names."""

import errno
import fcntl
import os
import subprocess
import sys
import textwrap

import pytest
from descriptors import open_descriptors

from s3kit.disk.lock import hold, hold_below, hold_made, is_named

NAME = "a.part"


@pytest.fixture
def folder(tmp_path):
    """A directory's descriptor."""
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds NAME, until it is killed."""
    program = textwrap.dedent(f"""
        import os, sys
        from s3kit.disk.lock import hold
        assert hold({NAME!r}, os.open({str(tmp_path)!r}, os.O_RDONLY)) is not None
        print("held", flush=True)
        sys.stdin.read()
    """)
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, cwd=os.path.dirname(
                                   os.path.dirname(os.path.dirname(
                                       os.path.dirname(os.path.abspath(__file__))))))
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate(timeout=10)


def test_the_first_one_holds(folder, tmp_path):
    """The file is made if it is missing, for its owner only, and kept as it is if not."""
    fd = hold(NAME, folder)
    assert os.stat(tmp_path / NAME).st_mode & 0o077 == 0
    os.write(fd, b"bytes")
    os.close(fd)
    fd = hold(NAME, folder)
    assert os.read(fd, 9) == b"bytes"
    os.close(fd)


def test_the_second_one_gets_none(folder):
    """Even in the same process a second hold is refused at once, until the first lets go."""
    first = hold(NAME, folder)
    assert hold(NAME, folder) is None
    os.close(first)
    second = hold(NAME, folder)
    assert second is not None
    os.close(second)


def test_names_do_not_disturb_each_other(folder):
    """Each part file is a lock of its own."""
    fds = [hold(f"{number}.part", folder) for number in range(3)]
    assert None not in fds
    for fd in fds:
        os.close(fd)


def test_a_refusal_leaks_nothing(folder):
    """Asking again and again for what another holds opens no descriptor for good."""
    first = hold(NAME, folder)
    before = len(open_descriptors())
    assert [hold(NAME, folder) for _ in range(20)] == [None] * 20
    assert len(open_descriptors()) == before
    os.close(first)


def test_the_lock_dies_with_its_holder(folder, holder):
    """kill -9 frees the lock: there is nothing stale to clean up."""
    assert hold(NAME, folder) is None
    holder.kill()
    holder.wait(timeout=10)
    fd = hold(NAME, folder)
    assert fd is not None
    os.close(fd)


def test_the_lock_is_not_inherited(folder):
    """A child that outlives the holder must not keep the lock."""
    fd = hold(NAME, folder)
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        os.close(fd)
        again = hold(NAME, folder)
        assert again is not None
        os.close(again)
    finally:
        child.kill()
        child.wait(timeout=10)


@pytest.mark.parametrize("finish", [
    lambda folder: os.rename(NAME, "final.jpg", src_dir_fd=folder, dst_dir_fd=folder),
    lambda folder: os.unlink(NAME, dir_fd=folder)])
def test_a_file_that_left_its_name_is_not_the_part(folder, tmp_path, monkeypatch, finish):
    """The holder renames (or removes) the part between our open and our lock: we must not write
    into it.
    """
    flock, late = fcntl.flock, [finish]

    def slow_flock(fd, how):
        if late:
            late.pop()(folder)
        flock(fd, how)

    monkeypatch.setattr(fcntl, "flock", slow_flock)
    before = len(open_descriptors())
    fd = hold(NAME, folder)
    assert len(open_descriptors()) == before + 1
    assert is_named(fd, NAME, folder)
    os.write(fd, b"ours")
    assert (tmp_path / NAME).read_bytes() == b"ours"
    if (tmp_path / "final.jpg").exists():
        assert (tmp_path / "final.jpg").read_bytes() == b""
    os.close(fd)


def test_is_named(folder, tmp_path):
    """A name counts only while it is that very file."""
    fd = hold(NAME, folder)
    assert is_named(fd, NAME, folder)
    os.rename(tmp_path / NAME, tmp_path / "final.jpg")
    assert not is_named(fd, NAME, folder)
    (tmp_path / NAME).write_bytes(b"")
    assert not is_named(fd, NAME, folder)
    os.close(fd)


def test_a_link_to_the_file_is_not_the_file(folder, tmp_path):
    """A part that became a link to what was the part is no part any more."""
    fd = hold(NAME, folder)
    os.rename(tmp_path / NAME, tmp_path / "final.jpg")
    os.symlink("final.jpg", tmp_path / NAME)
    assert is_named(fd, NAME, folder) is False
    os.unlink(tmp_path / NAME)
    assert is_named(fd, NAME, folder) is False
    os.close(fd)


def test_a_link_is_not_followed(folder, tmp_path):
    """A symbolic link in the part's place leads nowhere."""
    (tmp_path / "victim").write_bytes(b"safe")
    os.symlink("victim", tmp_path / NAME)
    with pytest.raises(OSError) as error:
        hold(NAME, folder)
    assert error.value.errno == errno.ELOOP


def test_a_file_in_a_directory_by_its_path(tmp_path, folder):
    """One holds it, the other does not, and no descriptor of the directory stays open."""
    before = open_descriptors()
    fd = hold_below(tmp_path, NAME)
    assert fd is not None and hold(NAME, folder) is None
    os.close(fd)
    assert open_descriptors() <= before


def test_a_directory_is_made_to_be_held_in(tmp_path):
    """For its owner alone, whatever the umask; one that is there stays as it is."""
    old = os.umask(0)
    try:
        fd = hold_made(tmp_path / "a" / "b", NAME)
    finally:
        assert os.umask(old) == 0
    assert hold_made(tmp_path / "a" / "b", NAME) is None
    os.close(fd)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700] * 2


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_lease_does_where_there_are_no_locks(folder, monkeypatch, error):
    """Of who has none that is an error as any other; what another holds is another's."""
    def refuse(fd, how):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match=os.strerror(error)):
        hold(NAME, folder)
    fd = hold(NAME, folder, is_leased=True)
    os.write(fd, b"x")
    os.close(fd)
    error = errno.EWOULDBLOCK
    assert hold(NAME, folder, is_leased=True) is None
