"""The executor of one thread: woken, ended, broken off, and what its death means."""

import os
import select
import threading
from concurrent.futures import CancelledError, Future, InvalidStateError

import pytest

from s3kit.executor import LoopExecutor, settle

LIMIT = 30      # seconds that anything may take


class Doubler(LoopExecutor):
    """Answers numbers with their double; dies of anything else."""

    def __init__(self):
        super().__init__("doubler")
        self.tasks, self.waits, self.held = [], threading.Event(), threading.Event()
        self.held.set()
        self.thread.start()

    def submit(self, number):
        """Return a Future of the double."""
        with self.lock:
            self.check_open()
            future = Future()
            self.tasks.append((future, number))
        self.wake()
        return future

    def loop(self):
        """Answer until it is over."""
        while True:
            self.waits.set()
            assert select.select([self.wake_out], [], [], LIMIT)[0], "nobody wakes it"
            self.drain()
            self.held.wait(LIMIT)
            with self.lock:
                if self.gone:
                    return
                tasks = list(self.tasks)
            for task in tasks:
                settle(task[0].set_result, task[1] * 2 + 0)
                with self.lock:
                    self.tasks.remove(task)
            with self.lock:
                if self.ending and not self.tasks:
                    return

    def outstanding(self):
        """Return the Futures without an answer."""
        return [future for future, _ in self.tasks]


@pytest.fixture
def doubler():
    """Yield a Doubler, and end it."""
    made = Doubler()
    yield made
    made.held.set()
    made.shutdown(cancel_futures=True)
    assert not made.thread.is_alive()


def test_work_is_done(doubler):
    assert [doubler.submit(number).result(LIMIT) for number in (1, 2)] == [2, 4]


def test_what_was_submitted_is_done_before_the_end(doubler):
    doubler.held.clear()
    futures = [doubler.submit(number) for number in range(5)]
    doubler.shutdown(wait=False)
    with pytest.raises(RuntimeError, match="the doubler has ended"):
        doubler.submit(1)
    doubler.held.set()
    assert [future.result(LIMIT) for future in futures] == [0, 2, 4, 6, 8]
    doubler.thread.join(LIMIT)
    assert doubler.is_closed and doubler.fault is None


def test_breaking_off_cancels_what_waits(doubler):
    doubler.held.clear()
    futures = [doubler.submit(number) for number in range(3)]
    doubler.shutdown(wait=False, cancel_futures=True)
    doubler.held.set()
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(LIMIT)


def test_a_death_is_told_to_everybody(doubler):
    """To who waits, and to who comes later: nobody waits for ever for a thread that is gone."""
    doubler.held.clear()
    futures = [doubler.submit(work) for work in ([], 1)]
    doubler.held.set()
    for future in futures:
        with pytest.raises(TypeError):
            future.result(LIMIT)
    doubler.thread.join(LIMIT)
    with pytest.raises(TypeError):
        doubler.submit(2)


def test_an_exit_in_the_thread_is_a_death_too():
    """SystemExit would end a thread without a word."""
    class Leaver(Doubler):
        def loop(self):
            """End at the first task."""
            select.select([self.wake_out], [], [], LIMIT)
            raise SystemExit(1)
    leaver = Leaver()
    assert isinstance(leaver.submit(1).exception(LIMIT), SystemExit)
    leaver.thread.join(LIMIT)
    assert isinstance(leaver.fault, SystemExit)


def test_waking_often_blocks_nobody(doubler):
    """The pipe is full at some time; the thread is woken all the same."""
    doubler.held.clear()
    assert doubler.waits.wait(LIMIT)
    for _ in range(1 << 17):
        doubler.wake()
    future = doubler.submit(4)
    doubler.held.set()
    assert future.result(LIMIT) == 8


def test_the_end_may_come_twice_and_closes_its_pipe(doubler):
    doubler.shutdown()
    fds = doubler.wake_out, doubler.wake_in
    doubler.shutdown()
    doubler.wake()
    for fd in fds:
        with pytest.raises(OSError):
            os.fstat(fd)


def test_an_answer_to_what_was_cancelled_is_dropped():
    future = Future()
    future.cancel()
    settle(future.set_result, 1)
    assert future.cancelled()
    with pytest.raises(InvalidStateError):
        future.set_result(1)
