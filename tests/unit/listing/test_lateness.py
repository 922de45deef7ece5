"""Whether a listing waits for the network."""

import time

import pytest

from s3kit.listing.lateness import Lateness


@pytest.fixture
def clock(monkeypatch):
    """A machine's two clocks: `run(seconds, cpu)` lets time pass, of which the process ran `cpu`.
    """
    class Clock:
        wall = cpu = 0.0

        def run(self, seconds, cpu=0.0):
            self.wall, self.cpu = self.wall + seconds, self.cpu + cpu

    made = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: made.wall)
    monkeypatch.setattr(time, "process_time", lambda: made.cpu)
    return made


@pytest.mark.parametrize("wait, in_wait, work, in_work, is_felt", [
    (0.03, 0.001, 0.008, 0.008, True),          # a server 30 ms away
    (0.1, 0.001, 0.02, 0.008, True),            # one 100 ms away, on a machine that is busy
    (0.002, 0.001, 0.008, 0.008, False),        # one on this machine
    (0.01, 0.001, 0.02, 0.008, False),          # the same, where there is a queue for the CPU
    (0.01, 0.001, 0.5, 0.008, False),           # pages that nobody takes
    (0.03, 0.028, 0.008, 0.008, False)])        # bodies that are long to read, and decrypted
def test_who_is_waited_for(clock, wait, in_wait, work, in_work, is_felt):
    """As soon as the second page, and as long as it goes on."""
    lateness = Lateness()
    for _ in range(9):
        clock.run(work, in_work)
        lateness.begin()
        clock.run(wait, in_wait)
        lateness.end()
        assert lateness.is_felt() is is_felt
        lateness.turn_page()


def test_what_is_past_is_forgotten(clock):
    """A server that answers at once by now is asked for one page at a time."""
    lateness = Lateness()
    lateness.begin()
    clock.run(0.05)
    lateness.end()
    pages = 0
    while lateness.is_felt():
        lateness.turn_page()
        pages += 1
    assert pages == 4
