"""Whether a run goes on: told by steps, by what moves, and by the clock."""

import pytest

from s3kit.pipeline import liveness
from s3kit.pipeline.liveness import SILENT_SECONDS, STUCK_LOOKS, STUCK_SECONDS, Liveness, Stuck


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """The Clock that the module goes by."""
    made = Clock()
    monkeypatch.setattr(liveness, "time", made)
    return made


def look(alive, times=1, steps=0, out=3, is_owed=True, is_asleep=False):
    """Look several times, as a loop does that is idle."""
    for _ in range(times):
        alive.look(steps, out, is_owed, is_asleep)


def test_people_hear_what_is_waited_for(clock):
    """Once in a while, until something moves."""
    said = []
    alive = Liveness(said.append)
    alive.trouble = "S3 says SlowDown"
    look(alive)
    assert not said
    for _ in range(2):
        clock.now += SILENT_SECONDS + 1
        look(alive, 2)
    assert said == [f"nothing has come for {SILENT_SECONDS} s, still trying: S3 says SlowDown"] * 2
    alive.moved()
    clock.now += SILENT_SECONDS + 1
    look(alive)
    assert len(said) == 2


def test_requests_that_are_not_answered_yet(clock):
    """They are told of where nothing worse is."""
    said = []
    alive = Liveness(said.append)
    alive.waits(2)
    look(alive)
    clock.now += SILENT_SECONDS + 1
    look(alive)
    assert said == [f"nothing has come for {SILENT_SECONDS} s, still trying: 2 requests not "
                    "answered yet"]
    alive.trouble = "S3 says SlowDown"
    alive.waits(2)
    assert alive.trouble == "S3 says SlowDown"


def test_nothing_at_all_is_a_fault_of_ours(clock):
    """The last trouble is named."""
    alive = Liveness(print)
    look(alive, STUCK_LOOKS + 1)
    alive.trouble = "reset"
    clock.now += STUCK_SECONDS + 1
    with pytest.raises(Stuck, match="3 jobs are not answered; the last trouble was: reset"):
        look(alive)


@pytest.mark.parametrize("looks,options", [(STUCK_LOOKS + 1, {"steps": 1}),
                                           (STUCK_LOOKS + 1, {"is_owed": False}),
                                           (STUCK_LOOKS + 1, {"is_asleep": True}), (1, {})],
                         ids=["a step", "nothing is owed", "rows sleep", "we were stopped"])
def test_what_is_not_stuck(clock, looks, options):
    alive = Liveness(print)
    look(alive, looks)
    clock.now += STUCK_SECONDS + 1
    look(alive, **options)
