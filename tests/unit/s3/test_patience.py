"""How long is waited before a try, for how long it is tried, and how many requests may fly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.s3 import patience
from s3kit.s3.patience import SLOW_MINUTES, Patience, delay


@pytest.fixture
def longest(monkeypatch):
    """Let every wait be as long as it may be."""
    monkeypatch.setattr(patience.random, "uniform", lambda least, most: most)


@pytest.fixture
def clock(monkeypatch):
    """Return a list whose only element is the time."""
    now = [1000.0]
    monkeypatch.setattr(patience.time, "monotonic", lambda: now[0])
    return now


@given(st.integers(0, 60))
def test_no_wait_is_longer_than_the_longest(tries):
    assert 0 <= delay(tries) <= min(20.0, 0.2 * 2 ** tries)


def test_waits_double_up_to_a_limit(longest):
    assert [delay(tries, base=1, most=10) for tries in range(6)] == [1, 2, 4, 8, 10, 10]


def test_the_whole_span_is_used():
    """Full jitter: many that failed together do not come back together."""
    waits = [delay(3) for _ in range(400)]
    assert min(waits) < 0.4 and max(waits) > 1.2 and len(set(waits)) > 390


def test_failures_are_counted(longest):
    """After `most` of them there is no other try."""
    tried = Patience()
    assert [tried.wait(3, False, base=1) for _ in range(5)] == [2, 4, 8, None, None]
    assert Patience().wait(0, False) is None


def test_slowing_down_is_not_a_failure_for_a_quarter_of_an_hour(clock, longest):
    """However often S3 says it; the time runs from the first."""
    tried = Patience()
    for _ in range(SLOW_MINUTES * 6 + 1):
        assert tried.wait(0, True, base=1) == 2
        clock[0] += 10
    assert tried.wait(0, True) is None and tried.tries == 0


def test_failures_and_slowing_down_do_not_mix(clock):
    tried = Patience()
    assert tried.wait(1, True) is not None
    assert tried.wait(1, False) is not None and tried.wait(1, True) is not None
    assert tried.wait(1, False) is None
