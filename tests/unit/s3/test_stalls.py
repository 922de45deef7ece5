"""Which requests are cut: by the time that passes and the bytes that come."""

from types import SimpleNamespace

import pytest

from s3kit.s3 import stalls
from s3kit.s3.stalls import STALLED_BYTES, STALLED_SECONDS, Stalls


class Request:
    """A Transfer, and its handle, which has received `count` bytes."""

    headers, kept, is_paused, count = None, 0, False, 0
    endpoint = SimpleNamespace(read_timeout=60)


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(stalls.time, "monotonic", lambda: made.now)
    return made


@pytest.fixture
def watched(clock):
    """Return f(seconds, bytes more, what changes) -> why the one request is cut then."""
    transfer = handle = Request()
    made = Stalls({handle: transfer}, lambda curl: curl.count)

    def look(seconds, more=0, **changes):
        clock.now += seconds
        handle.count += more
        vars(transfer).update(changes)
        return [why for _, why in made.found()]

    look.forget = lambda: made.forget(transfer)
    return look


def test_an_answer_may_take_long_to_begin(watched):
    """As long as the setting says."""
    assert not watched(2) and not watched(59)
    assert watched(1) == ["no answer came for 60 seconds (--read-timeout)"]


def test_an_answer_may_take_for_ever(watched):
    """With 0."""
    watched(2, endpoint=SimpleNamespace(read_timeout=0))
    assert not watched(1e6)


def test_what_has_begun_must_go_on(watched):
    """From its first byte on, whatever time was before."""
    assert not watched(2) and not watched(50) and not watched(2, 1, headers={})
    assert not watched(STALLED_SECONDS - 1, 5)
    assert watched(1, 5) == ["Operation too slow. Less than 1024 bytes/sec transferred the last "
                             "30 seconds"]


def test_what_is_slow_but_not_too_slow(watched):
    """It goes on for ever."""
    watched(2, 1, kept=1)
    for _ in range(100):
        assert not watched(STALLED_SECONDS - 1, 5) and not watched(1, STALLED_BYTES)


def test_what_is_paused_is_not_slow(watched):
    """We wanted it so."""
    watched(2, 1, headers={})
    assert not watched(100, is_paused=True)
    watched.forget()
    assert not watched(1, is_paused=False) and not watched(STALLED_SECONDS - 1)


def test_a_look_a_second(watched):
    """Not with every byte."""
    watched(2)
    assert not watched(0.5) and not watched(0.4)
