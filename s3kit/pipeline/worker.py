"""A worker process: hears batches from its parent, has an engine do them, answers.

Apart from the pool, which it need not import: a worker's start is part of every short run.
"""

import gc
import os
import pickle
import signal
import sys
from collections import deque

from s3kit.pipeline.channel import Channel

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PR_SET_PDEATHSIG = 1
GARBAGE = 50_000        # objects between looks for circles, of which an object's way makes none


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


def live(fd, parent):
    """A worker's life: hear, work, answer, until the parent says stop or is gone."""
    die_with(parent)
    gc.set_threshold(GARBAGE)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)       # the parent decides
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    pipe = Channel(fd)
    engines = {}
    try:
        while hear(pipe, engines):
            for engine in engines.values():
                work_on(pipe, engine)
    except (EOFError, OSError):
        pass            # the parent is gone
    for engine in engines.values():
        engine.close()
    os._exit(0)         # a worker has nothing to say at its end, and interpreters take their time


def hear(pipe, engines):
    """Take the parent's messages, waiting if there is nothing else to do; return False on `stop`."""
    while pipe.poll(0 if any(engine.busy for engine in engines.values()) else None):
        message = pipe.recv()
        kind = message[0]
        if kind == "stop":
            return False
        if kind == "work":
            work = pickle.loads(message[2])
            engine = work.engine() if hasattr(work, "engine") else Plain(work)
            engine.watch(pipe.fileno())
            engines[message[1]] = engine
        elif kind == "batch":
            engines[message[2]].add(message[1], message[3])
        else:
            for engine in engines.values():
                engine.hear(message[1])
    return True


def work_on(pipe, engine):
    """Let an engine work for a while, and send what came of it."""
    if not engine.busy:
        return
    try:
        done = engine.turn(0.25)
    except Exception:
        # A fault of ours: its trace is worth more than a worker that dies three times.
        import traceback
        sys.stderr.write(traceback.format_exc())
        os._exit(70)
    for note in engine.notes():
        pipe.send(("note", None, note))
    for ticket, answer in done:
        pipe.send(("answer", ticket, answer))


def die_with(parent):
    """Ask the kernel to kill us when the parent dies, and look whether it already has."""
    if sys.platform == "linux":
        from s3kit.disk.durable import libc
        libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
