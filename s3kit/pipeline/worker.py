"""A worker process: hears batches from its parent, has an engine do them, answers.

Apart from the pool, which it need not import: a worker's start is part of every short run.
"""

import gc
import os
import pickle
import signal
import sys
import time
from collections import deque

from s3kit.pipeline.channel import Channel, Gone

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PR_SET_PDEATHSIG = 1
GARBAGE = 50_000        # objects between looks for circles, of which an object's way makes none
NOTE_SECONDS = 0.1      # between notes of an engine that does not say otherwise
# that an engine works before we listen again; it also ends when the parent says something
TURN_SECONDS = 0.25
FULL_SECONDS = 0.02     # the same while our answers wait for room in the socket


class Plain:
    """The engine of a work that has none: it is simply called, batch by batch."""

    def __init__(self, work):
        self.work, self.todo, self.fd = work, deque(), None

    @property
    def busy(self):
        """Whether there is a batch to do."""
        return bool(self.todo)

    def watch(self, fd):
        """A call cannot be interrupted."""

    def add(self, ticket, value):
        """Take a batch."""
        self.todo.append((ticket, value))

    def turn(self, seconds):
        """Do one batch."""
        ticket, value = self.todo.popleft()
        return [(ticket, self.work(value))]

    def hear(self, message):
        """Pass on what the parent says, if the work listens."""
        getattr(self.work, "hear", lambda _: None)(message)

    def notes(self):
        """Return what the work says, if it does."""
        return getattr(self.work, "notes", list)()

    def close(self):
        """Nothing is held."""


class Worker:
    """What hears, works and answers; `engines` are those of the works it was sent, by their number.
    """

    def __init__(self, channel):
        self.channel, self.engines = channel, {}
        self.quiet_until = 0.0          # when notes may be sent again

    @property
    def busy(self):
        """Whether there is a batch to do."""
        return any(engine.busy for engine in self.engines.values())

    def run(self):
        """Work until the parent says stop. Raises Gone if it is gone, and what an engine raises."""
        while self.hear():
            for engine in self.engines.values():
                if engine.busy:
                    self.work_on(engine)

    def hear(self):
        """Take the parent's messages, waiting if there is nothing else to do; return False on
        `stop`.
        """
        self.channel.flush()
        if not self.busy:
            self.channel.wait(None)
            self.channel.flush()
        for kind, *values in self.channel.receive():
            if kind == "stop":
                return False
            if kind == "work":
                self.engines[values[0]] = self.engine_of(pickle.loads(values[1]))
            elif kind == "batch":
                ticket, number, value = values
                self.engines[number].add(ticket, value)
            else:
                for engine in self.engines.values():
                    engine.hear(values[0])
        return True

    def engine_of(self, work):
        """Return a work's engine, whose turns end when the parent says something."""
        engine = work.engine() if hasattr(work, "engine") else Plain(work)
        engine.watch(self.channel.fileno())
        return engine

    def work_on(self, engine):
        """Let an engine work for a while, and send what came of it: notes with an answer, at once
        where they are urgent, or alone at times.
        """
        wait = self.quiet_until - time.monotonic()
        wait = wait if wait > 0 else TURN_SECONDS
        done = engine.turn(min(wait, FULL_SECONDS) if self.channel.is_full else wait)
        now = time.monotonic()
        if done or getattr(engine, "is_urgent", False) or now >= self.quiet_until:
            notes = engine.notes()
            if notes:
                self.channel.send(("notes", notes))
                self.quiet_until = now + getattr(engine, "note_seconds", NOTE_SECONDS)
            if hasattr(engine, "under_way") and (said := engine.under_way.due(now)):
                self.channel.send(("at work", said))
        for ticket, answer in done:
            self.channel.send(("answer", ticket, answer))

    def fail(self, trace):
        """Send the trace of a fault of ours: no other worker would do better with the same batch.
        """
        self.channel.send(("fault", trace))
        while self.channel.is_full:
            self.channel.wait(None)
            self.channel.receive()
            self.channel.flush()


def live(fd, parent):
    """A worker's life: hear, work, answer, until the parent says stop or is gone."""
    die_with(parent)
    gc.set_threshold(GARBAGE)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)       # the parent decides
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    worker = Worker(Channel(fd))
    try:
        attempt(worker)
    except Gone:
        pass
    for engine in worker.engines.values():
        engine.close()
    os._exit(0)         # a worker has nothing to say at its end, and interpreters take their time


def attempt(worker):
    """Let a worker run; what nobody expected is the parent's to show.

    Raises Gone if the parent is gone.
    """
    try:
        worker.run()
    except Gone:
        raise
    except Exception:
        import traceback
        worker.fail(traceback.format_exc())
        os._exit(70)


def die_with(parent):
    """Ask the kernel to kill us when the parent dies, and look whether it already has."""
    if sys.platform == "linux":
        from s3kit.disk.durable import libc
        libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
