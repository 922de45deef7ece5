"""The body of a PUT, given away piece by piece."""

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.s3 import content as module
from s3kit.s3.content import Content, FilePiece

BODY = bytes(range(256)) * 3


def drained(content, counts):
    """Return all bytes of a body, asked for so many at a time, the last count again and again."""
    found, counts = [], list(counts)
    while data := content.read(counts.pop(0) if len(counts) > 1 else counts[0]):
        found.append(data)
    return b"".join(found)


@pytest.fixture
def file(tmp_path):
    """Return f(start, size, more) -> a FilePiece of BODY, and what it has seen."""
    (tmp_path / "k").write_bytes(BODY)
    fd = os.open(tmp_path / "k", os.O_RDONLY)
    seen = bytearray()
    yield lambda start, size, *more: (FilePiece(fd, start, size, seen.extend, *more), seen)
    os.close(fd)


COUNTS = st.lists(st.integers(1, 400), min_size=1, max_size=8)


@given(st.integers(0, len(BODY)), COUNTS, st.integers(0, 3), COUNTS)
def test_all_bytes_in_their_order(size, counts, pieces, again):
    """However many are asked for; and again from the beginning, as after a redirect."""
    content = Content(bytearray(BODY), size)
    assert content.size == size
    for count in counts[:pieces]:
        content.read(count)
    assert content.seek(0) == 0
    assert drained(content, again) == BODY[:size] and content.is_sent
    assert content.read(10) == b""


def test_a_piece_is_the_callers():
    """What libcurl holds does not change with the buffer, which is used again."""
    buffer = bytearray(b"abc")
    piece = Content(buffer, 3).read(3)
    buffer[:] = b"xyz"
    assert piece == b"abc"


def test_nothing_may_be_sent_now():
    """None says so; nothing is lost."""
    may, sent = [False, True, False, True], []
    content = Content(b"abcd", 4, lambda: may.pop(0), sent.append)
    assert content.read(2) is None and content.read(2) == b"ab"
    assert content.read(2) is None and not content.is_sent
    assert content.read(2) == b"cd" and content.is_sent
    assert content.read(2) == b"" and may == []     # of nothing nobody is asked
    assert sum(sent) == 4


def test_when_the_last_byte_went(monkeypatch):
    """The wait for the answer begins then."""
    now = [1.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    content = Content(b"abcd", 4)
    now[0] = 2.0
    content.read(3)
    assert not content.is_sent and content.sent_at == 1.0
    now[0] = 3.0
    content.read(3)
    assert content.is_sent and content.sent_at == 3.0


def test_a_body_of_nothing():
    """It is sent at once."""
    content = Content(b"", 0)
    assert content.is_sent and content.read(10) == b""


# --- pieces of a file


@pytest.mark.parametrize("start, size", [(0, 700), (5, 300), (0, 0), (767, 1), (100, 668)])
def test_a_piece_of_a_file(file, start, size):
    """It is seen once, as it goes."""
    piece, seen = file(start, size)
    assert piece.size == size and drained(piece, [1, 100, 64]) == BODY[start:start + size]
    assert piece.is_sent and seen == BODY[start:start + size]


@pytest.mark.parametrize("first, again", [([100], [100]), ([100, 100], [64]), ([64], [200]),
                                          ([100, 50], [70]), ([1], [300]), ([300], [300])])
def test_a_piece_that_is_sent_again(file, first, again):
    """What was seen is not seen twice, and nothing is left out, wherever its pieces begin now."""
    piece, seen = file(10, 300)
    for count in first:
        piece.read(count)
    piece.seek(0)
    assert drained(piece, again) == BODY[10:310]
    assert bytes(seen) == BODY[10:310]


def test_a_file_that_became_shorter(file):
    """The body ends: whoever asks does not ask for ever."""
    piece, seen = file(700, 200)
    assert drained(piece, [50]) == BODY[700:] and not piece.is_sent and seen == BODY[700:]


def test_a_piece_heeds_the_limit(file):
    """As a body in memory does."""
    may, sent = [True, False, True], []
    piece, seen = file(0, 20, lambda: may.pop(0), sent.append)
    assert [piece.read(10), piece.read(10), piece.read(10)] == [BODY[:10], None, BODY[10:20]]
    assert sent == [10, 10] and seen == BODY[:20]


def test_a_file_that_cannot_be_read(tmp_path):
    """The request ends, and the reason is kept: libcurl's callback may raise nothing."""
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        piece = FilePiece(fd, 0, 5, lambda data: None)
        assert piece.read(5) == b"" and piece.oserror.errno == errno.EISDIR
    finally:
        os.close(fd)
