"""One run on one node: what a Dask worker's process holds of it between two parcels.

The work is done as on a machine alone: by a Pool of our own worker processes, as many as the Dask
worker has threads, each with its engine; what asks S3 for small things by a Control. So neither
Dask's own loop nor another run waits for ours, and whatever happens to libcurl ends a process that
the Pool replaces.
"""

import os
import pickle
import socket
import threading
import time
from concurrent.futures import CancelledError, TimeoutError
from typing import NamedTuple

from s3kit.cluster import probe
from s3kit.cluster.news import News
from s3kit.cluster.parcel import Answer
from s3kit.cluster.settling import is_anything_written, settle
from s3kit.disk.tree import LOST, Tree, clock
from s3kit.errors import Fault
from s3kit.pipeline.flow import BATCH_BYTES, BATCH_ROWS
from s3kit.pipeline.pool import DEPTH, Pool, WorkerDied
from s3kit.s3.calls import Control
from s3kit.s3.request_rate import LIMIT
from s3kit.transfer.job import FAILED, Outcome
from s3kit.transfer.under_way import extent

HEARTBEAT = 5.0         # seconds between two reports, whether or not there is anything to say
IDLE_SECONDS = 60.0     # without a parcel, after which the parent is gone, or has nothing to do


class Report(NamedTuple):
    """What a node says of a run between answers: notes of its engines, and what each of its
    processes is at (host:pid, jobs, see transfer.under_way), and its clock.
    """

    run: str
    node: str
    notes: list
    at_work: list
    clock: float = 0.0


class Leaving(Exception):
    """The Dask worker is about to end."""


class Site:
    """What a Dask worker, `node` to its scheduler, has of the run of a Setup: `processes` of ours,
    at most. `send(report)` takes a Report to the parent; `is_leaving()` says whether the Dask
    worker ends; `on_idle(site)` is called when nothing was to do for long.
    """

    def __init__(self, setup, node, processes, send, is_leaving, on_idle):
        self.setup, self.node, self.processes = setup, node, processes
        self.send, self.is_leaving, self.on_idle = send, is_leaving, on_idle
        self.news = News(self.report)
        self.host = socket.gethostname()
        self.lock, self.over = threading.Lock(), threading.Event()
        self.executor = self.tree = self.place = self.lease = None
        self.works, self.heard = {}, {}
        self.under_way, self.used_at = 0, time.monotonic()
        threading.Thread(target=self.beat, name="s3kit heartbeat", daemon=True).start()

    def do(self, parcel):
        """Do the jobs of a Parcel; return its Answer."""
        with self.lock:
            self.under_way += 1
        try:
            return self.answer(parcel)
        except Leaving:
            return Answer(lost="it ends")
        except Fault as fault:
            return Answer(stop=f"{self.host}: {fault}")
        finally:
            with self.lock:
                self.under_way -= 1
                self.used_at = time.monotonic()

    def answer(self, parcel):
        """Return the Answer to a Parcel. Raises Leaving, Fault, and WorkerFault for ours."""
        with self.lock:
            trouble = self.find_place()
            if trouble:
                return Answer(lost=trouble)
            work = self.work_of(parcel.work)
            self.hear(parcel.messages)
            if self.lease is not None and clock() >= self.lease:
                return Answer(lost=LOST)
        outcomes = self.outcomes(work, parcel.jobs)
        if self.setup.destination and is_anything_written(outcomes):
            outcomes = settle(self.written_tree, outcomes,
                              lambda job, holder: self.executor.submit(work, [job], holder=holder))
        return Answer(outcomes, news=self.report_of(self.news.take()))

    def find_place(self):
        """See once that the destination is that of the parent; return why it is not, or ''."""
        setup = self.setup
        if setup.destination and not self.place:
            trouble = probe.trouble(setup.destination, setup.probe)
            if trouble:
                return trouble
            there = os.stat(setup.destination)
            self.place = there.st_dev, there.st_ino
        return ""

    @property
    def written_tree(self):
        """The destination's Tree, for what is flushed. It makes our folder, which tells where
        s3-fetch has written: s3-put's files have none.
        """
        with self.lock:
            if self.tree is None:
                self.tree = Tree(self.setup.destination, place=self.place)
            return self.tree

    def work_of(self, data):
        """Return the work that is pickled, the same for the same bytes, and with an executor that
        can do it.
        """
        if data not in self.works:
            work = pickle.loads(data)
            if self.place:
                work = work._replace(place=self.place)
            self.works[data] = work
            if self.executor is None:
                self.executor = (Pool(self.processes, self.news.note) if hasattr(work, "engine")
                                 else Control(self.setup.connections))
        return self.works[data]

    def hear(self, messages):
        """Have the engines hear messages of the parent, those that are news."""
        for kind, value in messages:
            if kind == "lease" and value is not None:
                # a parcel may have waited while there was news; what is lost (0.0) stays lost
                value = self.lease = value and (value if self.lease is None
                                                else self.lease and max(self.lease, value))
            if kind == "limits" and LIMIT.most != value[1] * self.processes:
                # of a Control, which sends from this process what several would
                LIMIT.allow(value[1] * self.processes)
            if not hasattr(self.executor, "tell"):
                continue
            if kind == "endpoints":
                value = [one for one in value if self.heard.get(one.bucket) != one]
                self.heard.update((one.bucket, one) for one in value)
            elif self.heard.get((kind,)) == value and kind != "slow":
                continue
            else:
                self.heard[kind,] = value
            if kind == "share":
                self.executor.load = int(DEPTH * value)
            if value or kind != "endpoints":
                self.executor.tell((kind, value), keep=kind not in ("slow", "lacks"))

    def outcomes(self, work, jobs):
        """Return the outcomes of jobs, done by the executor. Raises Leaving."""
        if isinstance(self.executor, Control):
            return self.result(self.executor.submit(work, jobs))
        slices = list(sliced(jobs))
        futures = [self.executor.submit(work, part) for part in slices]
        outcomes = []
        for part, future in zip(slices, futures):
            try:
                outcomes += self.result(future)
            except WorkerDied as death:
                outcomes += [Outcome(FAILED, str(death))] * len(part)
        return outcomes

    def result(self, future):
        """Return a Future's result. Raises Leaving, and what the Future does."""
        while True:
            try:
                return future.result(timeout=1.0)
            except TimeoutError:
                if self.over.is_set() or self.is_leaving():
                    self.close()
                    raise Leaving from None
            except CancelledError:
                raise Leaving from None

    # --- to the parent

    def report(self, notes):
        """Send a Report."""
        self.send(self.report_of(notes))

    def report_of(self, notes):
        """Return a Report with notes."""
        workers = list(getattr(self.executor, "workers", {}).values())
        at_work = [(f"{self.host}:{pid}", jobs, said)
                   for pid, jobs, said in (worker.at_work() for worker in workers)]
        return Report(self.setup.run, self.node, notes, at_work, clock())

    def beat(self):
        """The thread that shows that we are there, and ends what nobody uses any more."""
        while not self.over.wait(HEARTBEAT):
            if self.under_way:
                self.report(self.news.take())
            elif time.monotonic() - self.used_at > IDLE_SECONDS:
                self.on_idle(self)

    def close(self):
        """Break off what is under way, and let go of all."""
        self.over.set()
        with self.lock:
            if self.executor:
                self.executor.shutdown(wait=False, cancel_futures=True)


def sliced(jobs):
    """Yield the jobs of a parcel in pieces that a Pool deals to its workers, as Flow makes them."""
    part, weight = [], 0
    for job in jobs:
        part.append(job)
        weight += extent(job)
        if len(part) >= BATCH_ROWS or weight >= BATCH_BYTES:
            yield part
            part, weight = [], 0
    if part:
        yield part
