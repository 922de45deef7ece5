"""Rename, sync, unlink: the old file stays whole until the new one is on the disk."""

import errno
import os
import stat
import threading

import pytest
from descriptors import open_descriptors
from limits import file_size

from s3kit.disk import durable
from s3kit.disk.durable import PUBLIC, Replacement


@pytest.fixture
def folder(tmp_path):
    """A directory's descriptor."""
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


@pytest.fixture
def small_files():
    """No file may grow beyond 64 KiB."""
    with file_size(1 << 16):
        yield


def names(path):
    """Return what is in a directory, hidden names too."""
    return sorted(os.listdir(path))


def test_sync(folder, tmp_path):
    """The whole tree, one file, one directory: all can be flushed, and a bad descriptor is not
    silent.
    """
    with open(tmp_path / "a", "wb") as file:
        file.write(b"x")
        durable.sync_data(file.fileno())
    durable.sync_directory(folder)
    durable.sync_tree(folder)
    closed = os.dup(folder)
    os.close(closed)
    for sync in (durable.sync_tree, durable.sync_data, durable.sync_directory):
        with pytest.raises(OSError) as error:
            sync(closed)
        assert error.value.errno == errno.EBADF


def test_rename_between_directories(folder, tmp_path):
    """The name moves and what was there before is replaced."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "x.part").write_bytes(b"new")
    (tmp_path / "x").write_bytes(b"old")
    parts = os.open(tmp_path / "parts", os.O_RDONLY)
    durable.rename("x.part", "x", parts, folder)
    os.close(parts)
    assert (tmp_path / "x").read_bytes() == b"new"
    assert names(tmp_path / "parts") == []


def test_unlink(folder, tmp_path):
    """What is not there need not be removed; what cannot be removed is said."""
    (tmp_path / "a").write_bytes(b"")
    durable.unlink("a", folder)
    durable.unlink("a", folder)
    (tmp_path / "d").mkdir()
    with pytest.raises(OSError):
        durable.unlink("d", folder)
    assert names(tmp_path) == ["d"]


def test_write_all_through_a_pipe():
    """A pipe takes 64 KiB at a time; all of it arrives all the same."""
    data = os.urandom(300_000)
    read, write = os.pipe()
    writer = threading.Thread(target=lambda: (durable.write_all(write, data), os.close(write)))
    writer.start()
    with open(read, "rb") as file:
        assert file.read() == data
    writer.join()


def test_write_all_at_an_offset(tmp_path):
    """Ranges of one file are written in any order."""
    fd = os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    durable.write_all(fd, b"world", 5)
    durable.write_all(fd, memoryview(b"hello"), 0)
    durable.write_all(fd, b"", 3)
    os.close(fd)
    assert (tmp_path / "a").read_bytes() == b"helloworld"


def test_write_all_says_when_there_is_no_room(tmp_path, small_files):
    """A short write is followed by the error, never taken for success."""
    fd = os.open(tmp_path / "a", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError):
        durable.write_all(fd, bytes(1 << 17), 0)
    os.close(fd)


def test_a_replacement_is_all_or_nothing(tmp_path):
    """Until `commit` the old file is there, whole; afterwards the new one, and nothing beside it.
    """
    path = tmp_path / "m.csv"
    path.write_bytes(b"old")
    place = Replacement(str(path))
    place.file.write(b"new")
    place.file.flush()
    assert path.read_bytes() == b"old"
    place.commit()
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["m.csv"]


def test_a_replacement_is_durable(tmp_path, monkeypatch):
    """File, name, directory, in this order: each missing step loses files in a power cut."""
    calls = []

    def recorded(call):
        return lambda *args, **more: (calls.append(call.__name__), call(*args, **more))

    for call in (os.fdatasync, os.rename, os.fsync):
        monkeypatch.setattr(os, call.__name__, recorded(call))
    place = Replacement(str(tmp_path / "m.csv"))
    place.file.write(b"new")
    place.commit()
    assert calls == ["fdatasync", "rename", "fsync"]


def test_replacements_leave_no_descriptor_open(tmp_path):
    """Neither what was committed nor what was abandoned."""
    before = len(open_descriptors())
    Replacement(str(tmp_path / "a")).commit()
    Replacement(str(tmp_path / "a")).abandon()
    assert len(open_descriptors()) == before


def test_an_abandoned_replacement_leaves_no_trace(tmp_path):
    """The old file is as it was, or there is none as before."""
    (tmp_path / "old.csv").write_bytes(b"old")
    for name in ("old.csv", "none.csv"):
        place = Replacement(str(tmp_path / name))
        place.file.write(b"new")
        place.abandon()
    assert names(tmp_path) == ["old.csv"]
    assert (tmp_path / "old.csv").read_bytes() == b"old"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_a_replacement_keeps_permissions(tmp_path, mode):
    """A file that others could read they can still read; a new one is its owner's alone, or as the
    umask has it where that is asked for.
    """
    path = tmp_path / "m.csv"
    path.write_bytes(b"old")
    path.chmod(mode)
    Replacement(str(path)).commit()
    assert stat.S_IMODE(path.stat().st_mode) == mode
    Replacement(str(tmp_path / "new.csv")).commit()
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o600
    before = os.umask(0o027)
    try:
        Replacement(str(tmp_path / "shown.csv"), PUBLIC).commit()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "shown.csv").stat().st_mode) == 0o640


def test_a_replacement_through_a_link(tmp_path):
    """A link stays a link; the file that it names is replaced."""
    (tmp_path / "real.csv").write_bytes(b"old")
    os.symlink("real.csv", tmp_path / "link.csv")
    place = Replacement(str(tmp_path / "link.csv"))
    place.file.write(b"new")
    place.commit()
    assert os.path.islink(tmp_path / "link.csv")
    assert (tmp_path / "real.csv").read_bytes() == b"new"


def test_a_relative_path(tmp_path, monkeypatch):
    """A bare name is in the current directory."""
    monkeypatch.chdir(tmp_path)
    Replacement("m.csv").commit()
    assert names(tmp_path) == ["m.csv"]


def test_what_is_no_file_is_not_replaced(tmp_path):
    """`-o /dev/null` as root must not put a file in the device's place; a FIFO stands for it here.
    """
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        place = Replacement(str(path))
        place.file.write(b"rows")
        place.commit()
    except OSError:
        pass            # to refuse is as good
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_without_a_directory(tmp_path):
    """A directory that is missing is the system's own error, at once."""
    with pytest.raises(FileNotFoundError):
        Replacement(str(tmp_path / "no" / "m.csv"))


def test_a_full_disk_keeps_the_old_file(tmp_path, small_files):
    """What could not be written replaces nothing, and `abandon` then takes the remains away."""
    path = tmp_path / "m.csv"
    path.write_bytes(b"old")
    place = Replacement(str(path))
    with pytest.raises(OSError):
        place.file.write(bytes((1 << 16) + 100))
        place.commit()
    place.abandon()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["m.csv"]


def test_a_replacement_cannot_be_forgotten(tmp_path, small_files):
    """As a context it is there when all went well; an error inside of it or of the commit, also
    what is not an OSError, leaves the old file alone.
    """
    path, before = tmp_path / "m.csv", len(open_descriptors())
    with Replacement(str(path)) as new:
        new.file.write(b"old")
    for size, end in ((10, ValueError), ((1 << 16) + 100, None), (1 << 20, None)):
        with pytest.raises(end or OSError), Replacement(str(path)) as new:
            new.file.write(bytes(size))
            if end:
                raise end
        assert path.read_bytes() == b"old" and names(tmp_path) == ["m.csv"]
    assert len(open_descriptors()) == before


@pytest.mark.parametrize("call", ("fchmod", "fdatasync", "rename", "fsync"))
def test_each_step_of_a_replacement_may_fail(call, tmp_path, monkeypatch):
    """Whichever does: nothing lies beside, no descriptor is open, and abandoning it again is
    nothing.
    """
    path = tmp_path / "m.csv"
    path.write_bytes(b"old")
    before, made = len(open_descriptors()), []

    def failing(*args, **more):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, call, failing)
    with pytest.raises(OSError):
        made.append(Replacement(str(path)))
        made[0].file.write(b"new")
        made[0].commit()
    for each in made:
        each.abandon()
    # The directory's flush comes when the new file has the name already.
    assert path.read_bytes() == (b"new" if call == "fsync" else b"old")
    assert names(tmp_path) == ["m.csv"] and len(open_descriptors()) == before


def test_a_long_name_can_be_replaced(tmp_path):
    """A name of 255 bytes leaves no room for a longer one beside it."""
    path = tmp_path / ("m" * 251 + ".csv")
    path.write_bytes(b"old")
    place = Replacement(str(path))
    place.file.write(b"new")
    place.commit()
    assert path.read_bytes() == b"new"
