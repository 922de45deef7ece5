"""A worker: what it hears, what it answers, and how it ends."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from s3kit.pipeline import worker as module
from s3kit.pipeline.channel import Channel, Gone
from s3kit.pipeline.worker import FULL_SECONDS, NOTE_SECONDS, TURN_SECONDS, Plain, Worker, attempt

SOON = 10           # seconds, on a busy machine
MUCH = b"x" * (4 << 20)         # many times what a socket takes
ENV = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, Path(__file__).parents[2:4]))}
LIFE = "from s3kit.pipeline.worker import live; live({fd}, {parent})"


class Engine:
    """An engine that answers a batch with itself, and remembers what was done with it."""

    def __init__(self):
        self.batches, self.heard, self.turns, self.said, self.fd = [], [], [], [], None

    @property
    def busy(self):
        """Whether there is a batch."""
        return bool(self.batches)

    def watch(self, fd):
        """Remember what to watch."""
        self.fd = fd

    def add(self, ticket, value):
        """Take a batch."""
        self.batches.append((ticket, value))

    def hear(self, message):
        """Remember a message."""
        self.heard.append(message)

    def notes(self):
        """Return what is to be said."""
        said, self.said = self.said, []
        return said

    def turn(self, seconds):
        """Answer all batches but those that say `wait`; fail on `fail`."""
        self.turns.append(seconds)
        if "fail" in [value for _, value in self.batches]:
            raise ZeroDivisionError("of nobody's making")
        done = [batch for batch in self.batches if batch[1] != "wait"]
        self.batches = [batch for batch in self.batches if batch[1] == "wait"]
        return done

    def close(self):
        """Say that there was time to."""
        print("closed", file=sys.stderr, flush=True)


class Work:
    """A work with an engine."""

    def engine(self):
        """Return it."""
        return Engine()


class Call:
    """A work without one; sleeps for as long as it is told."""

    def __call__(self, value):
        if value:
            print("busy", file=sys.stderr, flush=True)
        time.sleep(value)
        return value


@pytest.fixture
def parent():
    """The parent's end; its worker in this process is `parent.worker`."""
    ours, theirs = [Channel(one.detach()) for one in socket.socketpair()]
    ours.worker = Worker(theirs)
    yield ours
    ours.close()
    theirs.close()


def introduce(parent, number=1, work=Work):
    """Send a work to the worker in this process; return its engine."""
    parent.send(("work", number, pickle.dumps(work())))
    assert parent.worker.hear()
    return parent.worker.engines[number]


# --- what it hears


def test_batches_go_to_the_engine_of_their_work(parent):
    one, two = introduce(parent, 1), introduce(parent, 2)
    assert one.fd == two.fd == parent.worker.channel.fileno()
    assert not parent.worker.busy
    parent.send(("batch", 7, 2, "value"))
    assert parent.worker.hear() and parent.worker.busy
    assert (one.batches, two.batches) == ([], [(7, "value")])


def test_all_engines_hear_what_all_are_told(parent):
    one, two = introduce(parent, 1), introduce(parent, 2)
    parent.send(("tell", ("slow", None)))
    assert parent.worker.hear()
    assert one.heard == two.heard == [("slow", None)]


def test_it_runs_until_it_is_told_to_stop(parent):
    """What came before is done, as far as there was a turn; what comes after is not heard."""
    engine = introduce(parent)
    for number in range(3):
        parent.send(("batch", number, 1, "wait" if number == 2 else number))
    assert parent.worker.hear()
    parent.worker.work_on(engine)
    parent.send(("stop",))
    parent.send(("batch", 9, 1, 9))
    parent.worker.run()
    assert parent.receive() == [("answer", 0, 0), ("answer", 1, 1)]
    assert engine.batches == [(2, "wait")]


def test_its_parent_is_gone(parent):
    introduce(parent)
    parent.close()
    with pytest.raises(Gone):
        parent.worker.run()


def test_a_fault_of_which_nobody_hears(parent, monkeypatch):
    """The parent is gone: that is all there is to it."""
    monkeypatch.setattr(module.os, "_exit", lambda status: pytest.fail(f"it ends with {status}"))
    introduce(parent)
    parent.send(("batch", 1, 1, "fail"))
    parent.close()
    with pytest.raises(Gone):
        attempt(parent.worker)


# --- what it says


def test_notes_come_with_an_answer_and_before_it(parent):
    """However short a time after others: with its answer an object's bytes are counted."""
    engine = introduce(parent)
    for number in range(2):
        engine.said.append(number)
        engine.add(number, "value")
        parent.worker.work_on(engine)
    assert parent.receive() == [("notes", [0]), ("answer", 0, "value"),
                                ("notes", [1]), ("answer", 1, "value")]


@pytest.mark.parametrize("seconds", [None, 100.0])
def test_notes_alone_come_at_times(parent, monkeypatch, seconds):
    """An engine may say how often; between them it works until they are due."""
    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    engine = introduce(parent)
    if seconds:
        engine.note_seconds = seconds
    between = seconds or NOTE_SECONDS
    engine.add(1, "wait")
    engine.said = ["first"]
    parent.worker.work_on(engine)
    engine.said = ["second"]
    now += between / 2
    parent.worker.work_on(engine)
    assert parent.receive() == [("notes", ["first"])]
    now += between / 2 + 0.001
    parent.worker.work_on(engine)
    assert parent.receive() == [("notes", ["second"])]
    assert engine.turns == [TURN_SECONDS, pytest.approx(between / 2), TURN_SECONDS]


def test_an_engine_without_notes_sends_none(parent):
    engine = introduce(parent)
    engine.add(1, "wait")
    parent.worker.work_on(engine)
    assert parent.receive() == [] and parent.worker.quiet_until == 0


def test_turns_are_short_while_answers_wait(parent):
    """They are to leave as soon as there is room."""
    engine = introduce(parent)
    engine.add(1, MUCH)
    parent.worker.work_on(engine)
    assert parent.worker.channel.is_full
    engine.add(2, "wait")
    parent.worker.work_on(engine)
    assert engine.turns == [TURN_SECONDS, FULL_SECONDS]
    messages = []
    while not messages:
        messages = parent.receive()
        parent.worker.channel.flush()
    assert messages == [("answer", 1, MUCH)]


# --- a work without an engine


def test_a_work_that_is_called():
    """One batch a turn, in order; it need not listen or say anything."""
    plain = Plain(lambda value: value * 2)
    assert not plain.busy and plain.notes() == []
    plain.watch(0)
    plain.hear(("slow", None))
    plain.add(1, 10)
    plain.add(2, 20)
    assert plain.busy and plain.turn(0) == [(1, 20)]
    assert plain.busy and plain.turn(0) == [(2, 40)]
    assert not plain.busy
    plain.close()


def test_a_work_that_is_called_and_listens():
    """It need not have an engine for that."""
    plain = Plain(Engine())
    plain.work.said = ["note"]
    plain.hear(("slow", None))
    assert plain.work.heard == [("slow", None)] and plain.notes() == ["note"]


# --- a process of its own


class Life:
    """A worker's process, which finds this module, and the parent's end of its socket."""

    def __init__(self, parent=None):
        ours, theirs = socket.socketpair()
        with theirs:
            code = LIFE.format(fd=theirs.fileno(), parent=os.getpid() if parent is None else parent)
            self.process = subprocess.Popen(
                [sys.executable, "-c", code], pass_fds=[theirs.fileno()],
                stderr=subprocess.PIPE, env=ENV)
        self.channel = Channel(ours.detach())

    def give(self, work, *values):
        """Send a work and its batches."""
        self.channel.send(("work", 1, pickle.dumps(work)))
        for number, value in enumerate(values):
            self.channel.send(("batch", number, 1, value))

    def answers(self, count):
        """Return so many messages."""
        found, limit = [], time.monotonic() + SOON
        while len(found) < count and time.monotonic() < limit:
            self.channel.wait(1)
            self.channel.flush()
            found += self.channel.receive()
        return found

    def end(self):
        """Return (exit status, what was said on stderr) once it has ended by itself."""
        said = self.process.communicate(timeout=SOON)[1]
        return self.process.returncode, said.decode()


@pytest.fixture
def start():
    """Return f(the process id that is to be its parent's) -> a Life."""
    lives = []

    def begin(parent=None):
        lives.append(Life(parent))
        return lives[-1]

    yield begin
    for life in lives:
        life.channel.close()
        life.process.kill()
        life.process.communicate()


@pytest.mark.parametrize("how", ["stop", "close"])
def test_it_ends_when_its_parent_says_so_or_closes_the_socket(start, how):
    """Its engines let go; what is under way is broken off."""
    life = start()
    life.give(Work(), "value", "wait")
    assert life.answers(1) == [("answer", 0, "value")]
    if how == "stop":
        life.channel.send(("stop",))
    else:
        life.channel.close()
    assert life.end() == (0, "closed\n")


def test_signals_are_the_parents(start):
    """Ctrl-C reaches the whole group; the parent decides what becomes of the work."""
    life = start()
    life.give(Work(), "first")
    assert life.answers(1) == [("answer", 0, "first")]
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(life.process.pid, number)
    life.channel.send(("batch", 1, 1, "second"))
    assert life.answers(1) == [("answer", 1, "second")]


def test_a_fault_comes_after_all_answers(start):
    """The socket is full of these; the parent still learns what happened."""
    life = start()
    life.give(Work(), MUCH)
    assert life.answers(1) == [("answer", 0, MUCH)]
    life.channel.send(("batch", 1, 1, MUCH))
    while life.channel.is_full:         # until it has heard it, and answers
        life.channel.wait(None)
        life.channel.flush()
    life.channel.wait(None)
    life.channel.send(("batch", 2, 1, "fail"))
    answer, (kind, trace) = life.answers(2)
    assert answer == ("answer", 1, MUCH) and kind == "fault"
    assert trace.startswith("Traceback") and trace.endswith(
        "ZeroDivisionError: of nobody's making\n")
    assert life.end()[0] == 70


def test_a_parent_that_died_before_the_worker_came_to_be(start):
    """Its socket may be open elsewhere: whoever is the parent now would never write to it."""
    life = start(parent=os.getppid())
    assert life.end() == (0, "")


PARENT = """
from unit.pipeline.test_worker import Call, Life
life = Life()
life.give(Call(), 60.0)
print(life.process.stderr.readline().decode(), end="", flush=True)
life.process.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2)")
def test_it_dies_with_its_parent():
    """At once, also in the middle of a call: nobody would know of it."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=ENV)
    with parent:
        assert parent.stdout.readline() == b"busy\n"
        parent.kill()
        # the worker has it open, too
        assert parent.communicate(timeout=SOON) == (b"", None)
