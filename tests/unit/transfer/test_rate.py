"""A limit to the bytes a second that one worker takes."""

from types import SimpleNamespace

import pytest

from s3kit.transfer import rate as module
from s3kit.transfer.rate import Rate


class Wire:
    """What is paused."""

    def __init__(self):
        self.paused = []

    def pause(self, transfer):
        """Pause one."""
        self.paused.append(transfer)

    def resume(self, transfer):
        """Let one go on."""
        self.paused.remove(transfer)


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def test_what_comes_faster_is_paused(clock):
    """Until as much time has passed as it should have taken; what is in memory is not."""
    rate, to_file, in_memory = Rate(100.0, Wire()), SimpleNamespace(sink=1), SimpleNamespace(sink=0)
    rate.spend(to_file, 100)
    assert not rate.is_spent and not rate.wire.paused
    rate.spend(to_file, 200)
    rate.spend(in_memory, 1)
    assert rate.is_spent and rate.wire.paused == rate.halted == [to_file]
    clock.seconds += 2
    rate.fill()
    assert rate.is_spent and rate.wire.paused
    clock.seconds += 0.1
    rate.fill()
    assert not (rate.is_spent or rate.wire.paused or rate.halted)


def test_a_pause_is_not_made_up_for(clock):
    """What was not used in a minute does not come in one second."""
    rate = Rate(100.0, Wire())
    clock.seconds += 60
    rate.fill()
    assert rate.tokens == 100


def test_without_a_limit(clock):
    rate = Rate(0.0, Wire())
    rate.spend(SimpleNamespace(sink=1), 1 << 40)
    rate.fill()
    assert not rate.is_spent and not rate.wire.paused
