"""Which requests are cut: by the time that passes and the bytes that come."""

from types import SimpleNamespace

import pytest

from s3kit.s3 import stalls
from s3kit.s3.stalls import (
    RECEIVING,
    SENDING,
    STALLED_BYTES,
    STALLED_SECONDS,
    WAITING,
    Stalls,
    phase_of,
)

NO_ANSWER = ["no answer for 60 s (--read-timeout)"]
UNSENT, IS_SENT = SimpleNamespace(is_sent=False), SimpleNamespace(is_sent=True)


class Request:
    """A Transfer, and its handle, which has sent and received `count` bytes."""

    headers, kept, is_paused, count = None, 0, False, 0
    content, is_patient = None, False
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
    assert watched(1) == NO_ANSWER


def test_an_answer_may_take_for_ever(watched):
    """With 0."""
    watched(2, endpoint=SimpleNamespace(read_timeout=0))
    assert not watched(1e6)


def test_what_has_begun_must_go_on(watched):
    """From its first byte on, whatever time was before."""
    assert not watched(2) and not watched(50) and not watched(2, 1, headers={})
    assert not watched(STALLED_SECONDS - 1, 5)
    assert watched(1, 5) == ["fewer than 1,024 bytes a second came for 30 s"]


def test_what_has_begun_and_stands_still(watched):
    """What came before it stood still does not count."""
    assert not watched(2, 1, headers={}) and not watched(1, 1 << 20)
    assert not watched(STALLED_SECONDS - 1)
    assert watched(1) == ["no byte came for 30 s"]


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


# --- bodies that are sent


@pytest.mark.parametrize("content, kept, headers, phase", [
    (None, 0, None, WAITING), (UNSENT, 0, None, SENDING), (IS_SENT, 0, None, WAITING),
    (None, 1, None, RECEIVING), (None, 0, {}, RECEIVING),
    # an answer that comes before all was sent
    (UNSENT, 1, None, RECEIVING), (UNSENT, 0, {}, RECEIVING)])
def test_the_phases(content, kept, headers, phase):
    """Sending, waiting, receiving; one after the other."""
    assert phase_of(SimpleNamespace(content=content, kept=kept, headers=headers)) == phase


def test_a_body_that_does_not_go(watched):
    """It is cut as one that does not come, though no answer is due yet."""
    assert not watched(2, content=UNSENT)
    assert not watched(STALLED_SECONDS - 1, 5)
    assert watched(1, 5) == ["the server took fewer than 1,024 bytes a second for 30 s"]


def test_a_body_that_goes_slowly(watched):
    """It goes on for ever, however long the answer may take."""
    watched(2, content=UNSENT)
    for _ in range(100):
        assert not watched(STALLED_SECONDS - 1, 5) and not watched(1, STALLED_BYTES)


def test_a_body_that_goes_again(watched):
    """From then on the time counts anew."""
    watched(2, content=UNSENT)
    assert not watched(STALLED_SECONDS - 1) and not watched(1, STALLED_BYTES)
    assert not watched(STALLED_SECONDS - 1) and watched(1) == ["the server took no byte for 30 s"]


def test_the_answer_to_a_body_may_take_long(watched):
    """Its time begins when the last byte has gone."""
    assert not watched(2, content=UNSENT) and not watched(25)
    assert not watched(1, 1 << 20, content=IS_SENT)
    assert not watched(59) and watched(1) == NO_ANSWER


def test_a_body_that_is_held_back(watched):
    """By our own limit: that is not slow."""
    watched(2, content=UNSENT)
    assert not watched(1000, is_paused=True)
    watched.forget()
    assert not watched(1, is_paused=False) and not watched(STALLED_SECONDS - 1)
    assert watched(1) == ["the server took no byte for 30 s"]


def test_an_answer_that_comes_in_drops(watched):
    """Each blank gives it as much time as an answer has to begin; the first one, too."""
    assert not watched(2, is_patient=True) and not watched(59)
    assert not watched(0.5) and not watched(0.5, 1, headers={})
    for _ in range(100):
        assert not watched(59) and not watched(1, 1)
    assert not watched(59) and watched(1) == NO_ANSWER


def test_an_answer_in_drops_that_may_take_for_ever(watched):
    """With 0."""
    watched(2, 1, is_patient=True, headers={}, endpoint=SimpleNamespace(read_timeout=0))
    assert not watched(1e6) and not watched(1e6)


def test_a_patient_request_that_is_not_answered(watched):
    """It is cut as any other."""
    watched(2, is_patient=True)
    assert watched(60) == NO_ANSWER
