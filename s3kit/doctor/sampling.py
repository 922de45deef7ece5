"""One measurement: s3-fetch's workers, kept busy with batches like its own, reading objects to
nowhere.
"""

import os
import queue
import time
from typing import NamedTuple

from s3kit.errors import Fault
from s3kit.pipeline.pool import DEPTH, Pool
from s3kit.transfer.engine import Engine
from s3kit.transfer.task import Task
from s3kit.transfer.job import AGAIN, FATAL, RECEIVED, Outcome
from s3kit.transfer.work import Work

NOTE_SECONDS = 0.05             # between two reports of a worker
MOVED_SECONDS = 0.02  # between two notes of how many bytes came: a step may take as little as 0.2 s


class Sample(Task):
    """Reads to nowhere."""

    def begin(self):
        """Ask."""
        job = self.job
        self.began = time.monotonic()
        is_whole = not job.start and job.end == job.size
        self.send(headers=[] if is_whole else [f"Range: bytes={job.start}-{job.end - 1}"],
                  sink=self.receive)

    def receive(self, transfer, data):
        """Take a piece, and let it go."""
        if not self.moved:
            self.engine.first.append(time.monotonic() - self.began)
        self.moved += len(data)
        self.engine.spend(transfer, len(data))

    def answered(self, transfer):
        """End, or say what S3 said."""
        if not self.is_refused(transfer):
            self.engine.samples += 1
            self.end(Outcome(RECEIVED))


class Meter(Engine):
    """A worker's engine that also tells how long answers took, how many came, and how much CPU its
    process has used.

    Not with a batch's outcomes: slow answers make batches that outlast a measurement.
    """

    note_seconds = MOVED_SECONDS

    def __init__(self, work):
        super().__init__(work, {"sample": Sample})
        self.fault = None       # of the destination: nothing is written there
        self.told_at = 0.0
        self.first, self.samples = [], 0

    def notes(self):
        """Return what the parent should know."""
        said, now = super().notes(), time.monotonic()
        if said and now - self.told_at > NOTE_SECONDS:
            self.told_at = now
            said.append(("so far", (os.getpid(), time.process_time(), self.samples, self.first)))
            self.first = []
        return said


class Sampling(Work):
    """The work of measuring, as the pool gets it."""

    __slots__ = ()

    def engine(self):
        """Return the engine of one worker."""
        return Meter(self)


class Step(NamedTuple):
    """What one measurement gave; `cpu` are the client's seconds, of all its processes; `first` are
    seconds, sorted.
    """

    workers: int
    connections: int
    seconds: float
    bytes: int
    requests: int
    cpu: float
    first: tuple
    slowed: int

    @property
    def together(self):
        """How many requests were under way."""
        return self.workers * self.connections

    def joined(self, other):
        """Return both measurements of the same numbers as one."""
        return Step(self.workers, self.connections, self.seconds + other.seconds,
                    self.bytes + other.bytes, self.requests + other.requests, self.cpu + other.cpu,
                    tuple(sorted(self.first + other.first)), self.slowed + other.slowed)

    def first_byte(self, share):
        """Return the seconds within which this share of the answers began."""
        return self.first[min(len(self.first) - 1,
                              int(len(self.first) * share))] if self.first else 0.0

    def json(self):
        """Return it as JSON has it."""
        return {"workers": self.workers, "connections": self.connections,
                "seconds": round(self.seconds, 3), "bytes": self.bytes,
                "bytes_per_second": round(self.bytes / self.seconds),
                "requests_per_second": round(self.requests / self.seconds, 1),
                "first_byte_ms": round(self.first_byte(0.5) * 1000, 1),
                "first_byte_ms_95": round(self.first_byte(0.95) * 1000, 1),
                "cpu_cores": round(self.cpu / self.seconds, 2), "slowed_down": self.slowed}


class Run:
    """One measurement of Objects: a pool of its own, kept busy, and what it said.

    `together` are workers, and connections of each; nothing is written to `dest`; `check()` is
    called often.
    """

    def __init__(self, objects, dest, together, check):
        self.objects, self.check = objects, check
        self.workers, self.connections = together
        self.moved = self.slowed = self.expired = 0
        self.cpu, self.answered = {}, {}    # of each process: seconds, answers
        self.first = []
        self.enough = float("inf")          # bytes after which nobody must wait for anything
        self.answers = queue.SimpleQueue()
        self.pool = Pool(self.workers, self.note)
        self.work = Sampling(os.path.abspath(dest), {objects.bucket: objects.endpoint},
                             self.connections, make=False)

    def note(self, note):
        """Take what a worker says, in the pool's thread."""
        kind, value = note
        if kind == "moved":
            self.moved += value
            if self.moved >= self.enough:
                self.answers.put(None)
        elif kind == "so far":
            process, self.cpu[process], self.answered[process], first = value
            self.first += first
        elif kind == "slow":
            self.slowed += 1
            self.pool.tell(("slow", None))
        elif kind == "expired":
            self.expired += 1

    def submit(self, batch):
        """Send a batch; what comes of it goes to `answers`."""
        self.pool.submit(self.work, batch).add_done_callback(self.answers.put)

    def warm_up(self):
        """Let every worker start and open its connections: one byte for each."""
        rows = self.objects.rows
        for worker in range(self.workers):
            self.submit([self.objects.job(rows[(worker + at) % len(rows)], 0, 1)
                         for at in range(self.connections)])
        for _ in range(self.workers):
            self.take(None)

    def measure(self, seconds, most):
        """Return the Step. That S3 slowed us down as workers warmed up counts as well."""
        batches = self.objects.batches(self.workers)
        for _ in range(self.workers * DEPTH):
            self.submit(next(batches))
        moved, answered, cpu, first = (self.moved, sum(self.answered.values()), self.used(),
                                       len(self.first))
        began, self.enough = time.monotonic(), moved + most
        while (passed := time.monotonic() - began) < seconds and self.moved < self.enough:
            if self.take(min(0.05, seconds - passed)):
                self.submit(next(batches))
        passed = time.monotonic() - began
        return Step(self.workers, self.connections, passed, self.moved - moved,
                    sum(self.answered.values()) - answered, self.used() - cpu,
                    tuple(sorted(self.first[first:])), self.slowed)

    def used(self):
        """Return the seconds of CPU that we and the workers have used."""
        return time.process_time() + sum(self.cpu.values())

    def take(self, seconds):
        """Take the next batch that is done; return whether one was, in time.

        Raises Fault where S3 refuses.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            self.check()
            if self.expired:
                raise Fault(
                    "the credentials have expired; renew them and run the same command again")
            try:
                answer = self.answers.get(timeout=0.2 if until is None
                                          else max(0.0, min(0.2, until - time.monotonic())))
            except queue.Empty:
                if until is not None and time.monotonic() >= until:
                    return False
                continue
            if answer is None:
                return False
            outcomes = answer.result()
            wrong = [outcome for outcome in outcomes if outcome.state != RECEIVED]
            # S3 that only slows us down is a result, too; what went since it was listed is none.
            if any(outcome.state == FATAL for outcome in wrong) or (
                    len(wrong) == len(outcomes)
                    and not any(outcome.state == AGAIN and outcome.slow for outcome in wrong)):
                raise Fault(f"cannot read s3://{self.objects.bucket}: {wrong[0].error}")
            return True
