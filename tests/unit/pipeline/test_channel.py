"""Messages between two processes: whole, in order, and nobody waits to send one."""

import pickle
import socket
import time

import pytest

from s3kit.pipeline.channel import LENGTH, Channel, Gone

SOON = 10           # seconds, on a busy machine
MUCH = bytes(range(256)) * (4 << 12)        # 4 MiB, many times what a socket takes


@pytest.fixture
def ends():
    """Two ends of one socket."""
    both = [Channel(one.detach()) for one in socket.socketpair()]
    yield both
    for end in both:
        end.close()


def frame(message):
    """Return a message as it goes through the socket."""
    data = pickle.dumps(message)
    return LENGTH.pack(len(data)) + data


def receive(end, count, other):
    """Return so many messages that come to an end; the other one sends what it has kept."""
    found, limit = [], time.monotonic() + SOON
    while len(found) < count:
        assert time.monotonic() < limit
        other.flush()
        found += end.receive()
    return found


def test_messages_come_in_order(ends):
    """Several at once; then there is nothing, and that is no error."""
    ours, theirs = ends
    messages = [("batch", number, {"of": b"bytes"}) for number in range(100)]
    for message in messages:
        ours.send(message)
    assert theirs.receive() == messages
    assert theirs.receive() == [] and ours.receive() == []


def test_a_message_in_pieces(ends):
    """It is there when its last byte is, wherever it was cut."""
    ours, theirs = ends
    data = frame("first") + frame(["second"])
    found = []
    for at, byte in enumerate(data):
        ours.socket.send(bytes([byte]))
        messages = theirs.receive()
        assert not messages or at + 1 in (len(frame("first")), len(data))
        found += messages
    assert found == ["first", ["second"]]


def test_a_full_socket_keeps_nobody_waiting(ends):
    """What it does not take is kept, in order; both ends may be full at the same time."""
    ours, theirs = ends
    for end in ends:
        assert not end.is_full
        end.send(MUCH)
        end.send("after")
        assert end.is_full
    assert receive(theirs, 2, ours) == receive(ours, 2, theirs) == [MUCH, "after"]
    assert not ours.is_full and not theirs.is_full


def test_a_wait_ends_with_a_message(ends):
    """And not with room that nobody needs."""
    ours, theirs = ends
    began = time.monotonic()
    theirs.wait(0.05)
    assert time.monotonic() - began >= 0.049
    ours.send("message")
    theirs.wait(None)
    assert theirs.receive() == ["message"]


def test_a_wait_ends_with_room_for_what_was_kept(ends):
    """Also where nothing comes from the other end."""
    ours, theirs = ends
    ours.send(MUCH)
    began = time.monotonic()
    ours.wait(0.05)
    assert time.monotonic() - began >= 0.049
    limit = time.monotonic() + SOON
    while ours.is_full:
        assert theirs.receive() == []       # it has not come whole
        ours.wait(SOON)
        assert time.monotonic() < limit
        ours.flush()


def test_the_other_end_is_gone(ends):
    """What it sent before comes first; then whatever is tried says so."""
    ours, theirs = ends
    ours.send("last words")
    ours.close()
    assert theirs.receive() == ["last words"]
    for call in (theirs.receive, lambda: theirs.send("anybody there?"), theirs.flush):
        with pytest.raises(Gone):
            call()


def test_the_other_end_is_gone_and_had_not_heard_us(ends):
    """The system has another word for that."""
    ours, theirs = ends
    theirs.send("unheard")
    ours.close()
    with pytest.raises(Gone):
        theirs.receive()


def test_a_message_that_was_cut_is_none(ends):
    """Its sender died over it."""
    ours, theirs = ends
    ours.socket.send(frame("message")[:-1])
    ours.close()
    assert theirs.receive() == []
    with pytest.raises(Gone):
        theirs.receive()


def test_what_was_kept_for_one_who_is_gone(ends):
    """A flush does not take it for sent."""
    ours, theirs = ends
    ours.send(MUCH)
    theirs.close()
    with pytest.raises(Gone):
        ours.flush()
    assert ours.is_full
