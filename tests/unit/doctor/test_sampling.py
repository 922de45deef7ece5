"""One measurement: what workers say, and what becomes of it."""

import queue
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from s3kit.doctor.sampling import Meter, Run, Sampling, Step
from s3kit.errors import Fault
from s3kit.transfer.engine import Engine
from s3kit.transfer.job import AGAIN, FAILED, FATAL, RECEIVED, Outcome


def run():
    """Return a Run without a pool."""
    made = object.__new__(Run)
    made.objects, made.check = SimpleNamespace(bucket="b"), lambda: None
    made.moved = made.slowed = made.expired = 0
    made.cpu, made.answered, made.first, made.enough = {}, {}, [], float("inf")
    made.answers, told = queue.SimpleQueue(), []
    made.pool = SimpleNamespace(tell=told.append, told=told)
    return made


def answered(*outcomes):
    """Return a Run that has the answer to a batch."""
    made, future = run(), Future()
    future.set_result(list(outcomes))
    made.answers.put(future)
    return made


GOOD, GONE = Outcome(RECEIVED), Outcome(FAILED, "gone")
SLOW = Outcome(AGAIN, "503", slow=True)


@pytest.mark.parametrize("outcomes", ((GOOD,), (GOOD, GONE), (SLOW,), (SLOW, GONE)))
def test_what_can_be_measured(outcomes):
    """What went since it was listed, and S3 that is slow, is a result like any other."""
    assert answered(*outcomes).take(1) is True


@pytest.mark.parametrize("outcomes, says", (((GONE, GONE), "cannot read s3://b: gone"),
                                            ((GOOD, Outcome(FATAL, "no clock")), "no clock"),
                                            ((Outcome(AGAIN, "broken"),), "broken")))
def test_what_cannot(outcomes, says):
    """Nothing that can be read, or nothing that ever will."""
    with pytest.raises(Fault, match=says):
        answered(*outcomes).take(1)


def test_nothing_comes():
    """In time, or because enough has come; expired credentials end it."""
    made = run()
    assert made.take(0) is False
    made.enough = 100
    made.note(("moved", 60))
    assert made.answers.empty()
    made.note(("moved", 60))
    assert made.take(5) is False and made.moved == 120
    made.note(("expired", 1))
    with pytest.raises(Fault, match="credentials have expired"):
        made.take(5)


def test_what_workers_say():
    """The last of each process counts for time and answers, first bytes add up; all slow down."""
    made = run()
    for process, cpu, read, first in ((1, 0.5, 3, [0.1]), (2, 1.0, 4, []), (1, 2.0, 9, [0.2])):
        made.note(("so far", (process, cpu, read, first)))
    assert made.cpu == {1: 2.0, 2: 1.0} and made.answered == {1: 9, 2: 4}
    assert made.first == [0.1, 0.2] and made.used() >= 3.0
    made.note(("slow", None))
    assert made.slowed == 1 and made.pool.told == [("slow", None)]


def test_answers_are_counted_from_the_beginning(tmp_path, monkeypatch):
    """Whatever the engine itself counts, under names of its own, and anew after each report."""
    monkeypatch.setattr("s3kit.transfer.engine.READ_SECONDS", 0)
    work = Sampling(str(tmp_path), {}, 2, make=False)
    meter = Meter(work)
    assert {"first", "samples", "told_at"}.isdisjoint(vars(Engine(work, {})))
    for samples in (3, 7):
        meter.samples, meter.moved, meter.told_at = samples, 1, 0.0
        said = dict(meter.notes())
        assert said["so far"][2] == samples == meter.samples and "read" not in said


def test_a_step():
    """Rates, and the wait that a share of the answers had; two looks at the same are one."""
    one = Step(2, 4, 2.0, 2048, 20, 1.0, (0.1, 0.2, 0.3, 0.4), 0)
    assert one.together == 8 and [one.first_byte(share) for share in (0, 0.5, 0.95, 1)] == [
        0.1, 0.3, 0.4, 0.4]
    assert one._replace(first=()).first_byte(0.5) == 0.0
    both = one.joined(Step(2, 4, 1.0, 1024, 10, 0.5, (0.05,), 3))
    assert both == Step(2, 4, 3.0, 3072, 30, 1.5, (0.05, 0.1, 0.2, 0.3, 0.4), 3)
    assert both.json() == {
        "workers": 2, "connections": 4, "seconds": 3.0, "bytes": 3072, "bytes_per_second": 1024,
        "requests_per_second": 10.0, "first_byte_ms": 200.0, "first_byte_ms_95": 400.0,
        "cpu_cores": 0.5, "slowed_down": 3}
