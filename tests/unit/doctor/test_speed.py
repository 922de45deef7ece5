"""Which steps are measured, and which of them is the knee: decided without measuring."""

import time

import pytest
from unit.doctor.conftest import measured

from s3kit.doctor.advice import advice
from s3kit.doctor.sampling import Step
from s3kit.doctor.speed import IN_VAIN, doubling


@pytest.mark.parametrize("rates, knee", (
    # flat from four on
    ({(1, 1): 100, (1, 2): 200, (1, 4): 400, (1, 8): 410, (1, 16): 405}, (1, 4)),
    # still rising
    ({(1, 1): 100, (1, 2): 200, (1, 4): 400}, (1, 4)),
    # one is enough
    ({(1, 1): 100, (1, 2): 90, (1, 4): 95}, (1, 1)),
    # workers help, to a point
    ({(1, 16): 1000, (1, 32): 1900, (2, 32): 3900, (4, 32): 4000}, (2, 32)),
    # a bad moment in between
    ({(1, 8): 100, (1, 16): 400, (1, 32): 50, (1, 64): 420}, (1, 16))))
def test_the_knee(rates, knee):
    """The fewest connections that are about as fast as any."""
    speed = measured(rates)
    found = speed.knee(speed.done)
    assert (found.workers, found.connections) == knee
    told = dict(advice(speed))["knee"]
    assert ("no more were tried" in told) == (knee[0] * knee[1]
                                              == max(workers * number for workers, number in rates))


def test_a_bad_moment_is_looked_at_again():
    """What is near the best is measured again before the advice; what is far from it is not."""
    speed = measured({(1, 1): 100, (1, 2): 210, (1, 4): 200, (1, 8): 390})
    speed.ends, speed.left, asked = time.monotonic() + 60, 1 << 30, []

    def measure(workers, connections, seconds, most):
        asked.append(connections)
        return Step(workers, connections, 3.0, 4096 * 1200, 1200 if connections > 2 else 600, 0.1,
                    (0.01,), 0)
    speed.measure = measure
    assert [step.connections for step in speed.look_again()] == asked == [2, 4, 8]
    assert (speed.knee(speed.done).connections == 4 and speed.done[2].requests == 1400
            and speed.done[2].seconds == 4.0)
    assert speed.left == (1 << 30) - 3 * 4096 * 1200
    speed.ends = time.monotonic()
    assert not list(speed.look_again()), "no time is left"


@pytest.mark.parametrize("rates, tried", (
    ((100, 200, 400, 410, 405, 411, 1000), 6), ((100, 90, 95, 99), 4), ((1, 2, 4, 8, 16), 5)))
def test_how_far_it_rises(rates, tried):
    """Until IN_VAIN steps in a row bring nothing; not beyond what bytes and time allow."""
    def speed(left=1 << 30, seconds=60):
        made = measured({})
        made.ends, made.left, given = time.monotonic() + seconds, left, iter(rates)
        made.measure = lambda workers, connections, *_: Step(
            workers, connections, 1.0, 4096, next(given), 0.1, (0.01,), 0)
        return made

    ladder = [(1, number + 1) for number in range(len(rates))]
    assert IN_VAIN == 3 and len(list(speed().rise(ladder))) == tried
    assert len(list(speed(left=8192).rise(ladder))) == 2
    assert len(list(speed(seconds=0).rise(ladder))) == 1, "one is measured however late"
    slow = speed()
    slow.measure = lambda *_: Step(1, 1, 1.0, 4096, 100, 0.1, (0.01,), 1)
    assert len(list(slow.rise(ladder))) == 1, "S3 slowed us down"


@pytest.mark.parametrize("most, numbers", ((1, [1]), (8, [1, 2, 4, 8]), (6, [1, 2, 4, 6])))
def test_doubling(most, numbers):
    """Up to and with the last."""
    assert list(doubling(most)) == numbers
