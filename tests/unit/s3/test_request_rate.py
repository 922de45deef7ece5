"""A limit to the requests a second, by a clock of the tests' own."""

import random

import pytest

from s3kit.s3 import request_rate, window
from s3kit.s3.request_rate import BURST_SECONDS, TICK, RequestRate
from s3kit.s3.window import Share


@pytest.fixture
def clock(monkeypatch):
    """Return a list whose one value is the time in seconds."""
    now = [1000.0]
    monkeypatch.setattr(request_rate.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def limit(monkeypatch, clock):
    """Return what limits this process."""
    monkeypatch.setattr(request_rate, "LIMIT", made := RequestRate())
    monkeypatch.setattr(window, "LIMIT", made)
    return made


def sent(limit, clock, seconds, asked=1000, step=0.001):
    """Return when requests go of somebody who always has more of them."""
    found, end = [], clock[0] + seconds
    while clock[0] < end:
        for _ in range(limit.room(asked)):
            limit.spend()
            found.append(clock[0])
        clock[0] += limit.wait(step)
    return found


@pytest.mark.parametrize("most", [1, 7, 100, 3500])
def test_no_second_has_more(limit, clock, most):
    """Nor does time pass unused."""
    limit.allow(most)
    found = sent(limit, clock, 20)
    assert 19 * most * 0.98 <= len(found) <= 20 * most + 1 + most * BURST_SECONDS
    for first, begin in enumerate(found[::max(1, most // 10)]):
        within = [at for at in found if begin <= at < begin + 1]
        assert len(within) <= most + 1 + most * BURST_SECONDS


def test_what_is_saved_up_is_little(limit, clock):
    """After an hour of rest no more than a part of a second goes at once."""
    limit.allow(1000)
    clock[0] += 3600
    assert limit.room(5000) == 1000 * BURST_SECONDS


def test_what_goes_unasked_is_counted(limit, clock):
    """Ten parts that a task sends by itself are ten requests that others wait for."""
    limit.allow(10)
    clock[0] += 60
    for _ in range(11):
        limit.spend()
    assert limit.room(1) == 0
    assert limit.wait(100) == pytest.approx(1.1)
    clock[0] += 1.101
    assert limit.room(1) == 1


def test_waiting_takes_a_tick_at_least(limit, clock):
    """A loop that looks for each thousandth of a second does nothing else."""
    limit.allow(5000)
    limit.tokens = 0.9
    assert limit.wait(1) == TICK
    limit.tokens = 5
    assert limit.wait(1) == 1       # who has room waits for something else


def test_without_a_limit(limit):
    """Nothing is held up."""
    limit.spend()
    assert (limit.room(7), limit.wait(3)) == (7, 3)
    limit.allow(0)
    assert (limit.room(7), limit.wait(3)) == (7, 3)


def test_processes_do_not_begin_together(limit, clock):
    """Ten of them, one request a second each: their first ones are spread over it."""
    random.seed(2)
    first = []
    for _ in range(10):
        limit.allow(1)
        first.append(1 - limit.tokens)
    assert max(first) - min(first) > 0.5 and all(0 < at <= 1 for at in first)


def test_a_share_heeds_it(limit, clock):
    """What a window allows is no more than that, and it does not count as full by it."""
    limit.allow(10)
    clock[0] += 60
    share = Share(100)
    assert share.room(0, clock[0]) == 1 and not share.is_full
