"""The pool: workers that die, are told things, or start before there is work."""

import os
import signal
import time
from pathlib import Path

import pytest

from s3kit.pipeline.pool import LIVES, Pool, WorkerDied

SOON = 10       # seconds, on a busy machine


def wait_for(condition):
    """Wait until a condition holds, not for ever."""
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class Echo:
    """A work: answers with its process and what it was given; `die` ends the process."""

    def __call__(self, value):
        if value == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if isinstance(value, float):
            time.sleep(value)
        return os.getpid(), value


@pytest.fixture
def pool(monkeypatch):
    """A pool of two workers, which find this module."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    with Pool(2) as made:
        yield made


def test_answers_come_back(pool):
    work = Echo()
    answers = [future.result(SOON) for future in [pool.submit(work, number) for number in range(20)]]
    assert [value for _, value in answers] == list(range(20))
    assert len({worker for worker, _ in answers}) == 2


def test_workers_start_as_there_is_work(pool):
    assert not pool.workers
    pool.submit(Echo(), 1).result(SOON)
    assert len(pool.workers) == 1


def test_warm_workers_are_there_before_work_is(pool):
    work = Echo()
    pool.warm(work)
    wait_for(lambda: len(pool.workers) == 2)
    pids = {worker.process.pid for worker in pool.workers.values()}
    answers = [future.result(SOON) for future in [pool.submit(work, 0.01) for _ in range(8)]]
    assert {pid for pid, _ in answers} == pids


@pytest.mark.parametrize("held", ["working", "idle"])
def test_a_killed_worker_is_noticed_at_once_and_its_batch_done_by_another(pool, held):
    work = Echo()
    pid, _ = pool.submit(work, "first").result(SOON)
    futures = [pool.submit(work, 0.3) for _ in range(4)] if held == "working" else []
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pid not in {worker.process.pid for worker in list(pool.workers.values())})
    assert time.monotonic() - began < 2
    assert [future.result(SOON)[1] for future in futures] == [0.3] * len(futures)
    assert pool.submit(work, "after").result(SOON)[0] != pid


def test_a_batch_may_cost_so_many_workers_and_no_more(pool):
    work = Echo()
    with pytest.raises(WorkerDied, match=f"{LIVES} times .*Killed"):
        pool.submit(work, "die").result(3 * SOON)
    assert pool.submit(work, "after").result(SOON)[1] == "after"
