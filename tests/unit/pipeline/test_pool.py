"""The pool: workers that die, are told things, or start before there is work."""

import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from s3kit.pipeline.pool import LIVES, Pool, WorkerDied, WorkerFault

SOON = 10       # seconds, on a busy machine


def wait_for(condition):
    """Wait until a condition holds, not for ever."""
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class Echo:
    """A work: answers with its process and what it was given; `die` ends the process, `fail`
    raises.
    """

    def __call__(self, value):
        if value == "fail":
            raise ZeroDivisionError("of nobody's making")
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
    answers = [future.result(SOON)
               for future in [pool.submit(work, number) for number in range(20)]]
    assert [value for _, value in answers] == list(range(20))
    assert len({worker for worker, _ in answers}) == 2


def test_a_batch_that_one_worker_alone_can_do(pool):
    """It goes to that worker, however much that has to do."""
    work = Echo()
    holders = {pool.submit(work, 0.2).result(SOON)[0] for _ in range(2)} | {
        worker for worker, _ in [future.result(SOON)
                                 for future in [pool.submit(work, 0.05) for _ in range(8)]]}
    assert len(holders) == 2
    for holder in holders:
        busy = [pool.submit(work, 0.05) for _ in range(8)]
        bound = [pool.submit(work, number, holder=holder) for number in range(5)]
        assert [future.result(SOON) for future in bound] == [(holder, n) for n in range(5)]
        assert all(future.result(SOON) for future in busy)


@pytest.mark.parametrize("when", ["before", "in it"])
def test_a_batch_whose_only_worker_is_dead(pool, when):
    """Nobody else gets it."""
    work = Echo()
    holder, _ = pool.submit(work, 1).result(SOON)
    if when == "before":
        os.kill(holder, signal.SIGKILL)
        wait_for(lambda: holder not in [one.process.pid for one in pool.workers.values()])
    with pytest.raises(WorkerDied, match="its worker died"):
        pool.submit(work, "die" if when == "in it" else 2, holder=holder).result(SOON)
    assert pool.submit(work, 3).result(SOON)[1] == 3


def test_workers_start_as_there_is_work(pool):
    assert not pool.workers
    pool.submit(Echo(), 1).result(SOON)
    assert len(pool.workers) == 1


def test_a_warm_worker_is_there_before_work_is(pool):
    """One, which is enough where there is little."""
    work = Echo()
    pool.warm(work)
    wait_for(lambda: len(pool.workers) == 1)
    pid, = (worker.process.pid for worker in pool.workers.values())
    assert pool.submit(work, "first").result(SOON)[0] == pid
    assert len(pool.workers) == 1
    answers = [future.result(SOON) for future in [pool.submit(work, 0.01) for _ in range(8)]]
    assert len({pid for pid, _ in answers}) == len(pool.workers) == 2


def test_a_worker_holds_jobs_not_batches(pool):
    """Until it has as many as it should, in batches however small."""
    pool.jobs, pool.load, work = 1, 12, Echo()
    asleep = pool.submit(work, 0.5)
    held = [pool.submit(work, [number] * 4) for number in range(5)]
    wait_for(lambda: len(pool.queue) == 2)
    worker, = pool.workers.values()
    assert worker.load == 1 + 3 * 4
    assert [future.result(SOON)[1] for future in held] == [[number] * 4 for number in range(5)]
    asleep.result(SOON)


@pytest.mark.system("minutes")
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


@pytest.mark.system("minutes")
def test_a_batch_may_cost_so_many_workers_and_no_more(pool):
    work = Echo()
    with pytest.raises(WorkerDied, match=f"{LIVES} times .*Killed"):
        pool.submit(work, "die").result(3 * SOON)
    assert pool.submit(work, "after").result(SOON)[1] == "after"


# --- nobody waits to send


MUCH = 4 << 20      # bytes, many times what a socket takes


class Late:
    """A work whose engine answers all its batches only when it has as many as a worker may hold."""

    def engine(self):
        """Return the engine."""
        return LateEngine()


class LateEngine:
    """Takes batches, and in its one turn answers with as much as it was given."""

    def __init__(self):
        self.batches, self.heard, self.turns = [], [], 0

    @property
    def busy(self):
        """Whether there is anything to do."""
        return bool(self.batches)

    def watch(self, fd):
        """Turns are short."""

    def add(self, ticket, value):
        """Take a batch."""
        self.batches.append((ticket, value))

    def hear(self, message):
        """Remember a message."""
        self.heard.append(message)

    def notes(self):
        """Say nothing."""
        return []

    def turn(self, seconds):
        """Answer what there is."""
        done, self.batches = self.batches, []
        return [(ticket, (value, self.heard)) for ticket, value in done]

    def close(self):
        """Nothing is held."""


def test_batches_and_answers_larger_than_the_socket_pass_each_other(pool):
    work = Late()
    values = [bytes([number]) * MUCH for number in range(12)]
    futures = [pool.submit(work, value) for value in values]
    assert [future.result(6 * SOON)[0] for future in futures] == values


@pytest.mark.system("minutes")
def test_a_worker_that_does_not_listen_holds_up_nobody(pool):
    """One worker sleeps with more in its socket than that takes; the other does everything
    meanwhile.
    """
    work = Echo()
    for future in [pool.submit(work, 0.01) for _ in range(4)]:
        future.result(SOON)
    assert len(pool.workers) == 2
    asleep = pool.submit(work, 5.0)
    stuck = [pool.submit(work, b"x" * MUCH) for _ in range(2)]
    answers = [pool.submit(work, number) for number in range(20)]
    began = time.monotonic()
    for answer in answers:
        answer.result(SOON)
    assert not asleep.done() or time.monotonic() - began > 5
    assert ([future.result(SOON)[1] for future in [asleep, *stuck]]
            == [5.0, b"x" * MUCH, b"x" * MUCH])


def test_the_pool_ends_though_a_worker_takes_nothing(pool):
    work = Echo()
    futures = ([pool.submit(work, 60.0) for _ in range(2)]
               + [pool.submit(work, b"x" * MUCH) for _ in range(4)])
    wait_for(lambda: all(worker.held for worker in pool.workers.values())
             and len(pool.workers) == 2)
    began = time.monotonic()
    pool.shutdown(cancel_futures=True)
    assert time.monotonic() - began < SOON
    assert all(future.cancelled() for future in futures)


# --- a thread that dies


def fails(*_):
    """Fail as nobody expects."""
    raise ZeroDivisionError("of nobody's making")


def test_a_fault_in_the_pool_is_that_of_everything_outstanding_and_of_all_that_comes(pool):
    work = Echo()
    pool.submit(work, 1).result(SOON)
    assert pool.fault is None
    held = [pool.submit(work, 60.0) for _ in range(3)]
    pids = [worker.process.pid for worker in pool.workers.values()]
    pool.hand_out = fails
    more = pool.submit(work, 2)
    for future in [*held, more]:
        with pytest.raises(ZeroDivisionError, match="of nobody's making"):
            future.result(SOON)
    assert isinstance(pool.fault, ZeroDivisionError) and pool.fault.__traceback__
    with pytest.raises(ZeroDivisionError, match="of nobody's making"):
        pool.submit(work, 3)
    pool.tell(("slow", None))       # as late as it comes, it harms nobody
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    pool.shutdown()


@pytest.mark.parametrize("what", ["a note", "a work", "a value"])
def test_whatever_fails_in_the_pools_thread_is_its_fault(pool, what):
    work = Echo()
    if what == "a note":
        pool.on_note = fails
        work = Noisy()
    elif what == "a work":
        work.file = open(os.devnull, "rb")      # which cannot be pickled
    future = pool.submit(work, fails.__code__ if what == "a value" else 1)
    wait_for(lambda: pool.fault is not None)
    pool.shutdown()
    if what != "a note":        # of which the answer may have come
        assert future.exception(SOON) is pool.fault


def test_a_fault_in_a_worker_is_the_pools_with_the_workers_trace(pool):
    work = Echo()
    other = pool.submit(work, 60.0)
    future = pool.submit(work, "fail")
    with pytest.raises(WorkerFault,
                       match="(?s)Traceback.*test_pool.py.*ZeroDivisionError: of nobody's making"):
        future.result(SOON)
    assert isinstance(other.exception(SOON), WorkerFault) and pool.fault is other.exception()


def test_what_waits_when_the_pool_breaks_off_is_cancelled(pool):
    work = Echo()
    futures = [pool.submit(work, 60.0) for _ in range(20)]
    pool.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    with pytest.raises(RuntimeError, match="the pool has ended"):
        pool.submit(work, 1)


def test_a_future_that_somebody_cancelled_harms_nobody(pool):
    work = Echo()
    futures = [pool.submit(work, 0.1) for _ in range(12)]
    assert futures[0].cancel() and futures[-1].cancel()
    assert [future.result(SOON)[1] for future in futures[1:-1]] == [0.1] * 10
    assert pool.fault is None


# --- what workers hear and say


class Endpoint(NamedTuple):
    """What messages are about."""

    bucket: str
    generation: int


class Listening(Echo):
    """Answers with all that it heard."""

    heard = ()

    def hear(self, message):
        """Remember a message."""
        self.heard = [*self.heard, message]

    def __call__(self, value):
        return self.heard


def test_only_the_newest_message_is_kept_for_later_workers(pool):
    """However often credentials are renewed: one message a kind, one endpoint a bucket."""
    for generation in range(1000):
        pool.tell(("endpoints", [Endpoint(bucket, generation) for bucket in "ab"]), keep=True)
        pool.tell(("endpoints", [Endpoint("c", generation)]), keep=True)
        pool.tell(("slow", None))
    assert (pool.submit(Listening(), 1).result(SOON)
            == [("endpoints", [Endpoint(bucket, 999) for bucket in "abc"])])
    pool.tell(("endpoints", [Endpoint("b", 1000)]), keep=True)
    assert pool.submit(Listening(), 1).result(SOON)[-1] == (
        "endpoints", [Endpoint("a", 999), Endpoint("b", 1000), Endpoint("c", 999)])


class Noisy(Echo):
    """A work that has a note at each turn."""

    def notes(self):
        """Return one note."""
        return [os.getpid()]


class Summing:
    """A work whose engine takes a hundred turns for each batch, and sums up in its notes how many
    there were.
    """

    def engine(self):
        """Return the engine."""
        return SummingEngine()


class SummingEngine(LateEngine):
    """Answers the first batch at every hundredth turn."""

    left = unsaid = 0

    def notes(self):
        """Return how many turns there were since the last time."""
        unsaid, self.unsaid = self.unsaid, 0
        return [unsaid] if unsaid else []

    def turn(self, seconds):
        """Take a turn."""
        time.sleep(0.002)
        self.unsaid += 1
        self.left = (self.left or 100) - 1
        return [] if self.left else [(self.batches.pop(0)[0], None)]


def test_a_worker_says_ten_notes_a_second_and_all_before_the_answer(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    notes, began = [], time.monotonic()
    with Pool(1, notes.append) as pool:
        work = Summing()
        pool.submit(work, 0.0).result(SOON)
        assert sum(notes) == 100
        for future in [pool.submit(work, None) for _ in range(4)]:
            future.result(SOON)
        passed = time.monotonic() - began
    assert sum(notes) == 500
    assert len(notes) <= 3 + 5 + 10 * passed        # each answer brings one
