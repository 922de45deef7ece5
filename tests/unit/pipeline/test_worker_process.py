"""A worker as its pool sees it: what it is given, and how it ends."""

import errno
import os
import signal
import time
from pathlib import Path

import pytest

from s3kit.pipeline import worker_process as module
from s3kit.pipeline.channel import Gone
from s3kit.pipeline.worker_process import Batch, WorkerProcess

SOON = 10           # seconds, on a busy machine
MUCH = b"x" * (4 << 20)         # many times what a socket takes


class Echo:
    """A work: answers with what it was told and given; a number it sleeps, `fail` fails."""

    def __init__(self):
        self.heard = []

    def hear(self, message):
        """Remember a message."""
        self.heard.append(message)

    def __call__(self, value):
        if value == "fail":
            raise ZeroDivisionError("of nobody's making")
        if isinstance(value, float):
            time.sleep(value)
        return value, self.heard


@pytest.fixture
def worker(monkeypatch):
    """A worker's process, which finds this module."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    made = WorkerProcess()
    yield made
    made.process.kill()
    made.process.wait()
    made.channel.close()


def nothing():
    """Return what was kept for a new work: no message."""
    return []


def messages(worker, count):
    """Return so many messages that come from a worker, or all if it ends before."""
    found, limit = [], time.monotonic() + SOON
    while len(found) < count:
        assert time.monotonic() < limit
        worker.channel.wait(1)
        worker.flush()
        try:
            found += worker.channel.receive()
        except Gone:
            break
    return found


def until_dead(worker):
    """Wait until a worker has closed its end."""
    with pytest.raises(Gone):
        while True:
            worker.channel.wait(SOON)
            worker.channel.receive()


def test_it_answers_what_it_was_given(worker):
    """By the batch's number; it holds all until the pool says otherwise."""
    work = Echo()
    batches = [Batch(number, work, f"value {number}") for number in range(3)]
    for batch in batches:
        worker.give(batch, nothing)
    assert messages(worker, 3) == [("answer", number, (f"value {number}", []))
                                   for number in range(3)]
    assert list(worker.held.values()) == batches
    assert [(batch.holder, batch.deaths, batch.future.done()) for batch in batches] == \
        [(0, 0, False)] * 3


def test_a_work_is_sent_once_and_hears_first_what_was_kept_for_it(worker):
    """Another work later hears what was kept by then; both hear what all are told."""
    one, two = Echo(), Echo()
    worker.give(Batch(1, one, 1), lambda: ["old", "older"])
    assert messages(worker, 1) == [("answer", 1, (1, ["old", "older"]))]
    worker.introduce(two, lambda: ["newer"])
    worker.introduce(two, lambda: pytest.fail("it knows the work"))
    worker.tell("newest")
    worker.give(Batch(2, one, 2), lambda: pytest.fail("it knows the work"))
    worker.give(Batch(3, two, 3), lambda: pytest.fail("it knows the work"))
    assert sorted(messages(worker, 2)) == [
        ("answer", 2, (2, ["old", "older", "newer", "newest"])),
        ("answer", 3, (3, ["newer", "newest"]))]
    assert worker.works == {id(one): one, id(two): two}


def test_nobody_waits_for_one_that_does_not_listen(worker):
    """What it does not take is kept, and goes when it does."""
    work = Echo()
    worker.give(Batch(1, work, 0.2), nothing)
    for number in (2, 3):
        worker.give(Batch(number, work, MUCH), nothing)
    assert worker.channel.is_full
    assert [ticket for _, ticket, _ in messages(worker, 3)] == [1, 2, 3]
    assert not worker.channel.is_full


def test_a_module_in_the_current_directory_is_not_ours(tmp_path, monkeypatch):
    """A bucket's file perhaps, fetched to where we are."""
    for name in ("pickle", "struct", "s3kit"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    worker = WorkerProcess()
    try:
        worker.give(Batch(1, Echo(), "value"), nothing)
        assert messages(worker, 1) == [("answer", 1, ("value", []))]
    finally:
        worker.stop()
        worker.wait(time.monotonic() + SOON)


def test_where_the_system_has_no_room_for_it(monkeypatch):
    """The error is the system's, and no descriptor is left open."""
    def fail(*_, **__):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(module.subprocess, "Popen", fail)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(BlockingIOError):
        WorkerProcess()
    assert os.listdir("/proc/self/fd") == before


# --- how it ends


def test_it_ends_when_it_is_told_to(worker):
    worker.give(Batch(1, Echo(), "value"), nothing)
    assert messages(worker, 1)
    worker.stop()
    worker.wait(time.monotonic() + SOON)
    assert worker.process.returncode == 0


def test_one_that_does_not_listen_is_killed(worker):
    """After as long as the pool will wait."""
    worker.give(Batch(1, Echo(), "value"), nothing)
    worker.give(Batch(2, Echo(), 60.0), nothing)
    assert messages(worker, 1)
    worker.stop()
    worker.wait(time.monotonic() + 0.1)
    assert worker.process.returncode == -signal.SIGKILL
    worker.wait(time.monotonic() - 1)       # once more does no harm


def test_one_that_was_killed(worker):
    """What is sent to it is lost without an error: its socket's end says so, to whoever listens."""
    worker.give(Batch(1, Echo(), "value"), nothing)
    assert messages(worker, 1)
    worker.process.kill()
    until_dead(worker)
    worker.give(Batch(2, Echo(), MUCH), nothing)
    worker.tell("anything")
    worker.flush()
    assert not worker.channel.is_full and set(worker.held) == {1, 2}
    assert worker.end_said() == "signal 9 (Killed)"
    worker.stop()


def test_one_that_was_killed_while_messages_waited(worker):
    """They are lost: nobody waits until there is room for them."""
    worker.give(Batch(1, Echo(), 60.0), nothing)
    worker.give(Batch(2, Echo(), MUCH), nothing)
    assert worker.channel.is_full
    worker.process.kill()
    worker.process.wait()
    worker.flush()
    assert not worker.channel.is_full


def test_one_that_failed(worker, capfd):
    """Its last message is the trace; nothing else is said anywhere."""
    worker.give(Batch(1, Echo(), "fail"), nothing)
    (kind, trace), = messages(worker, 1)
    assert kind == "fault" and "ZeroDivisionError: of nobody's making" in trace
    until_dead(worker)
    assert worker.end_said() == "status 70" and capfd.readouterr() == ("", "")
