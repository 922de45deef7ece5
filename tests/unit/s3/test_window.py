"""How many requests may be under way: simulated, for what people meet."""

import random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated import Simulation, World

from s3kit.s3 import window
from s3kit.s3.window import FEW, MANY, Alone, Round, Share, Window

MIB = 1 << 20


def amazons():
    """Return seconds as S3 takes them: 27 ms in the middle, sometimes 100."""
    return random.lognormvariate(-3.6, 0.5)


def sizes():
    """Return bytes of files of all sizes, 8 KiB in the middle."""
    return min(8 * MIB, int(random.lognormvariate(9, 2)))


@pytest.fixture(autouse=True)
def same_chances():
    random.seed(13)


# World, and how many times as long as with 512 requests at once it may take.
FAR = {"30 ms": (World(5000), 1.25),
       "100 ms": (World(2000, lambda: 0.1), 1.5),
       "Amazon's": (World(20_000, amazons), 1.25),
       "one worker": (World(5000, workers=1, cost=0.00005), 1.5),
       "eight workers": (World(20_000, workers=8), 1.25),
       "1 MiB from far away": (World(2000, lambda: 0.2, size=lambda: MIB, a_byte=1 / MIB,
                                     link=1e-9), 1.6),
       "all sizes": (World(20_000, amazons, size=sizes, a_byte=2e-8), 1.5),
       "half of them cached": (World(20_000, lambda: random.choice((0.001, 0.1))), 4)}


@pytest.mark.parametrize("name", FAR)
def test_many_where_answers_come_late(name, monkeypatch):
    world, most = FAR[name]
    found = Simulation(world, monkeypatch)
    best = Simulation(world, monkeypatch, fixed=MANY)
    assert found.peak > 4 * FEW
    assert found.seconds < most * best.seconds
    assert found.seconds < Simulation(world, monkeypatch, fixed=FEW).seconds / 1.5


# Where few are as fast as many.
NEAR = {"loopback": World(10_000, lambda: 0.0003, rate=9000),
        "four workers": World(10_000, lambda: 0.0003, rate=9000, workers=4),
        "a slow disk": World(5000, cost=0.005),
        "a slow server": World(3000, rate=300),
        "a slow link": World(1000, size=lambda: MIB, link=1 / 30e6)}


@pytest.mark.parametrize("name", NEAR)
def test_few_where_more_would_only_wait(name, monkeypatch):
    found = Simulation(NEAR[name], monkeypatch)
    assert sum(found.allowed) <= 3.5 * FEW < MANY
    assert found.seconds < 1.05 * Simulation(NEAR[name], monkeypatch, fixed=MANY).seconds


@pytest.mark.parametrize("limit", [300, 1000, 3000, 5500])
def test_a_server_that_says_slow_down(limit, monkeypatch):
    """It settles near what the server takes, without a storm."""
    world = World(20 * limit, amazons, limit=limit)
    found = Simulation(world, monkeypatch)
    assert found.seconds < 20 / 0.6
    assert found.slowed < 0.05 * world.requests + MANY


def transfer(took=0.03, waited=0.03, size=0):
    """Return what a Share sees of a Transfer."""
    return SimpleNamespace(took=took, waited=waited, size=size)


def full(count, took, size=0):
    """Return a Round of as many answers, each of which took so long, half of it for the body if
    there is one.
    """
    waited = took / 2 if size else took
    return Round(count, count * waited, count * took, count * size, True)


def test_it_grows_while_answers_take_no_longer():
    found = Window(500)
    for allowed in (256, 500):
        assert found.take(full(int(found.allowed), 0.03)) and found.allowed == allowed
    assert not found.take(full(500, 0.03))


def test_it_goes_back_where_they_take_longer_and_not_below_the_few():
    found = Window(500)
    found.take(full(64, 0.01))
    found.take(full(256, 0.02))
    assert found.allowed == 192
    found.take(full(192, 0.015))
    assert found.allowed == 192
    found.take(full(192, 1.0))
    assert found.allowed == FEW


def test_it_stays_where_not_so_many_were_under_way():
    found = Window(500)
    assert not found.take(full(64, 0.03)._replace(is_full=False)) and found.allowed == FEW


def test_a_slower_network_is_learned_with_few():
    """What answers take with few is what they take now, not what they took."""
    found = Window(500)
    found.take(full(64, 0.001))
    for _ in range(9):
        found.take(full(int(found.allowed), 0.1))
    assert found.allowed > 2 * FEW


def test_larger_objects_take_longer():
    """Their bytes have a time of their own: nothing has become slower."""
    found = Window(500)
    found.take(full(64, 0.02, MIB))
    found.take(Round(256, 256 * 0.01, 256 * 0.05, 256 * 4 * MIB, True))
    assert found.allowed == 500


def test_rounds_of_several_workers_are_one():
    found = Window(500)
    assert not found.take(full(32, 0.03)) and found.take(full(16, 0.03))


@pytest.mark.parametrize("most", [1, 2, 63, 64, 65])
def test_no_more_than_the_most(most):
    found = Window(most)
    for _ in range(9):
        found.take(full(64, 0.03))
    assert found.allowed == most


@pytest.fixture
def longest(monkeypatch):
    """Waits are as long as they can be."""
    monkeypatch.setattr(window, "delay", lambda tries: 0.4)


def test_slow_down_halves_and_pauses(longest):
    """At once, but once for all the answers of one moment; never below one request."""
    found = Window(32)
    assert [found.slow_down(now) for now in (100.0, 100.1, 100.2)] == [True, False, False]
    assert found.allowed == 16 and found.quiet_until == 100.25 + 0.4
    for now in range(200, 220):
        found.slow_down(float(now))
    assert found.allowed == 1


def test_it_grows_slowly_after_a_slow_down():
    """By a tenth in a second; it may begin with fewer than the few."""
    found = Window(64)
    for now in (0, 10, 20):
        found.slow_down(now)
    assert found.allowed == 8
    for _ in range(10):             # a second: 8 under way, of 0.1 s
        found.take(full(8, 0.1))
    assert 8.7 < found.allowed < 8.9
    for _ in range(1000):
        found.take(full(8, 0.1))
    assert found.allowed == 64


@given(st.integers(1, 600), st.lists(st.one_of(st.none(), st.tuples(
    st.integers(1, 600), st.floats(0, 100), st.integers(0, MIB))), max_size=100))
def test_it_stays_within_its_limits(most, answers):
    found = Window(most)
    for now, answer in enumerate(answers):
        found.take(full(*answer)) if answer else found.slow_down(now * 10.0)
        assert 1 <= found.allowed <= most


def test_a_share_pauses_and_leaves_no_room(longest):
    share = Share(32.0)
    assert share.room(5, 0) == 27
    share.slow_down(100.0)
    share.slow_down(100.1)
    assert share.room(0, 100.24) == 0
    assert share.room(3, 100.66) == 13
    assert share.room(30, 101.0) <= 0       # more may be under way than are allowed now


def test_a_round_is_most_of_what_is_allowed():
    share = Share(4.0)
    share.room(4, 1.0)
    assert [share.answered(transfer()), share.answered(transfer(size=7))] == [None, None]
    assert share.answered(transfer(took=0.04)) == Round(3, 0.09, 0.1, 7, True)
    assert [share.answered(transfer()), share.answered(transfer())] == [None, None]
    assert share.answered(transfer()).is_full is False


def test_what_was_sent_before_a_change_does_not_count(monkeypatch):
    monkeypatch.setattr(window, "time", SimpleNamespace(monotonic=lambda: 100.0))
    share = Share(4.0)
    share.resize(2.0)
    assert share.answered(transfer(took=0.1)) is None
    assert share.answered(transfer(took=0.0)) is None
    assert share.answered(transfer(took=0.0)).count == 2
    share.resize(2.1)               # too small a change to matter
    assert share.answered(transfer(took=0.0)) is None
    assert share.answered(transfer(took=0.0)).count == 2


def test_a_process_alone(longest):
    alone = Alone(500)
    assert alone.room(FEW, 0) == 0
    for _ in range(3 * FEW // 4):
        alone.answered(transfer(took=0.0, waited=0.0))
    assert alone.allowed == FEW         # answers that take no time say nothing
    alone = Alone(500)
    alone.room(FEW, 0)
    for _ in range(3 * FEW // 4):
        alone.answered(transfer())
    assert alone.allowed == 4 * FEW
    alone.slow_down(100.0)
    assert alone.allowed == 2 * FEW
    assert alone.room(0, 100.2) == 0 and alone.room(0, 101.0) == 2 * FEW
