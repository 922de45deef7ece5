"""Bytes in drops, written in blocks: the file has them all, however they come and wherever."""

import errno
import fcntl
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.disk import direct_io
from s3kit.disk.direct_io import ALIGNED, BLOCK, DIRECT, Blocks, go_direct

SIZES = st.sampled_from([0, 1, 100, ALIGNED - 1, ALIGNED, ALIGNED + 1, 16384, BLOCK - 1, BLOCK,
                         BLOCK + 1, 2 * BLOCK + 5])


@pytest.fixture
def fd(tmp_path):
    """Yield the descriptor of an empty file."""
    made = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield made
    os.close(made)


def is_direct(fd):
    """Return whether a descriptor goes past the page cache."""
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & DIRECT)


def written(fd, pieces, at=0, spare=None):
    """Write pieces; return (the file's bytes from `at` on, the blocks that were seen)."""
    os.ftruncate(fd, 0)
    seen = []
    blocks = Blocks(fd, at, lambda view: seen.append(bytes(view)), [] if spare is None else spare)
    for piece in pieces:
        blocks.add(piece)
    blocks.end()
    return os.pread(fd, 1 << 25, at), seen


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(SIZES, max_size=4), at=st.sampled_from([0, ALIGNED, 7, BLOCK + 512]))
def test_all_bytes_in_order(tmp_path_factory, sizes, at):
    """From any place in the file; `see` has them all, too, in blocks of at most 1 MiB."""
    data = [os.urandom(size) for size in sizes]
    fd = os.open(tmp_path_factory.mktemp("blocks") / "file", os.O_RDWR | os.O_CREAT)
    try:
        there, seen = written(fd, data, at)
        assert there == b"".join(seen) == b"".join(data)
        assert all(len(block) == BLOCK for block in seen[:-1]) and not is_direct(fd)
        assert os.fstat(fd).st_size == (at + len(there) if there else 0)
    finally:
        os.close(fd)


def test_a_block_is_seen_before_it_is_written(fd):
    """What is hashed is what was received, not what a disk made of it."""
    sizes = []
    blocks = Blocks(fd, 0, lambda view: sizes.append(os.fstat(fd).st_size), [])
    blocks.add(b"x" * (2 * BLOCK + 1))
    assert sizes == [0, BLOCK]
    blocks.end()
    assert sizes == [0, BLOCK, 2 * BLOCK]


def test_buffers_are_used_again(fd):
    """`spare` has the buffer back, and what the next file gets is its own bytes only."""
    spare = []
    written(fd, [b"a" * 5000], spare=spare)
    buffer, = spare
    assert written(fd, [b"b" * 10], spare=spare)[0] == b"b" * 10
    assert spare == [buffer]


def test_dropped_bytes_are_not_written(fd):
    spare = []
    blocks = Blocks(fd, 0, lambda view: None, spare)
    blocks.add(b"x" * 100)
    blocks.drop()
    blocks.drop()
    assert os.fstat(fd).st_size == 0 and len(spare) == 1 and not is_direct(fd)


@pytest.mark.parametrize("number", direct_io.NOT_DIRECT)
def test_a_file_system_that_says_no_with_the_first_block(fd, monkeypatch, number):
    """Then it is written through the cache, every byte of it."""
    real, refused = direct_io.write_all, []

    def write_all(fd, data, at):
        if not refused:
            refused.append(at)
            raise OSError(number, os.strerror(number))
        return real(fd, data, at)
    monkeypatch.setattr(direct_io, "write_all", write_all)
    monkeypatch.setattr(Blocks, "set_direct",
                        lambda self, is_direct: setattr(self, "is_direct", is_direct))
    assert written(fd, [b"x" * (BLOCK + 5)])[0] == b"x" * (BLOCK + 5)
    assert refused == [0]


def test_any_other_error_is_told(fd, monkeypatch):
    def full(fd, data, at):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(direct_io, "write_all", full)
    with pytest.raises(OSError, match="No space left"):
        written(fd, [b"x"])


@pytest.mark.parametrize("flag", [DIRECT, 1 << 30])
def test_reading_from_the_disk_itself(fd, monkeypatch, flag):
    """By O_DIRECT, or where that is refused without the cache: the bytes are the same."""
    os.write(fd, b"y" * ALIGNED)
    dropped = []
    monkeypatch.setattr(os, "posix_fadvise", lambda *given: dropped.append(given[3]))
    if flag != DIRECT:
        real = fcntl.fcntl

        def refuse(fd, command, *value):
            if command == fcntl.F_SETFL:
                raise OSError(errno.EINVAL, "Invalid argument")
            return real(fd, command, *value)
        monkeypatch.setattr(fcntl, "fcntl", refuse)
    go_direct(fd)
    assert is_direct(fd) or dropped == [os.POSIX_FADV_DONTNEED]
    import mmap
    buffer = mmap.mmap(-1, ALIGNED)         # page-aligned
    assert os.preadv(fd, [buffer], 0) == ALIGNED and buffer[:] == b"y" * ALIGNED
