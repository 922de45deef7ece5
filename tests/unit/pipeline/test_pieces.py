"""How many pieces of a large object are on their way; s3-fetch's links are in fetch's tests."""

from types import SimpleNamespace

import pytest

from s3kit.manifest.row import Row
from s3kit.pipeline import pieces as module
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.pieces import FEW, NEVER, PieceErrand, PieceWindow

MIB = 1 << 20


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module.time, "monotonic", lambda: made.now)
    return made


def piece(sent):
    """Return a PieceErrand that was sent at a moment."""
    made = PieceErrand(Errand(Row("b", "k")), None)
    made.sent = sent
    return made


def test_a_piece_of_an_object(clock):
    """It is of the object's row, and knows when it was sent."""
    whole = Errand(Row("b", "k"))
    made = PieceErrand(whole, "job")
    assert (made.whole, made.row, made.job, made.sent) == (whole, whole.row, "job", 100.0)


@pytest.mark.parametrize("jobs, connections, allowed", [(1, None, FEW), (4, None, 4 * FEW),
                                                        (2, 1, 2), (1, 2, 2), (3, 100, 3 * FEW)])
def test_few_to_begin_with(jobs, connections, allowed):
    """For each worker, and no more than there are connections."""
    assert PieceWindow(jobs, connections).allowed == allowed


def weighed(window, clock, seconds, rounds, moved=MIB, is_full=True):
    """Have pieces come back that took so long; return what is allowed then."""
    for _ in range(rounds):
        begun = clock.now
        clock.now += seconds(window.allowed)
        for _ in range(window.allowed):
            window.weigh(piece(begun), moved, window.allowed if is_full else 1)
    return window.allowed


def test_more_where_each_is_slow(clock):
    """Twice as many move twice as much."""
    assert weighed(PieceWindow(1, 256), clock, lambda count: 1.0, 40) > 4 * FEW


def test_few_where_few_fill_the_link(clock):
    """More would take longer each."""
    assert weighed(PieceWindow(1, 256), clock, lambda count: 0.1 * count, 40) <= 4 * FEW


@pytest.mark.parametrize("moved, is_full, sent", [(0, True, None), (MIB, False, None),
                                                  (MIB, True, NEVER)])
def test_what_tells_nothing(clock, moved, is_full, sent):
    """Pieces that moved nothing, that were too few, or that were tried before."""
    window = PieceWindow(1, 256)
    for _ in range(400):
        clock.now += 1.0
        window.weigh(piece(clock.now - 1.0 if sent is None else sent), moved,
                     window.allowed if is_full else 1)
    assert window.allowed == FEW


def test_what_was_sent_before_the_last_change(clock):
    """It is of another number."""
    window = PieceWindow(1, 256)
    while window.allowed == FEW:
        clock.now += 1.0
        window.weigh(piece(clock.now - 1.0), MIB, window.allowed)
    changed, allowed = window.changed, window.allowed
    assert changed == clock.now
    for _ in range(400):
        window.weigh(piece(changed - 0.5), MIB, window.allowed)
    assert window.allowed == allowed
