"""Rows from the input, through a pool, back again: read ahead, batched, never more than fit in
memory.

One thread reads the input, the pool has its own; all that is decided is decided in the main thread,
which takes one event after another.
"""

import heapq
import itertools
import queue
import threading
import time
from concurrent.futures import CancelledError

BATCH_ROWS, BATCH_BYTES = 64, 8 << 20
AHEAD = 2               # blocks of rows that the reader may be ahead


class Flow:
    """Feeds rows to a `stage` and its jobs to an executor.

    The stage has `take_all(rows)`, called for all rows in input order, `answer(errand, outcome)`,
    `flushed(errands)` and `note(note)` for what workers say between answers. It calls `send` for
    jobs, `later` for what must wait, and counts in `unflushed` what waits for a flush. `look()` of
    the stage is called at every turn, and raises to end the flow; `hurry()` when nothing but a
    flush is waited for. A batch has `together` jobs at most; rows are read on while fewer than
    `limit` are sent or asleep. `read_so_far()` says how much of the input is read, from 0 to 1, or
    None; `share` is that of the rows that were taken.
    """

    def __init__(self, batches, executor, work, stage, limit, together=BATCH_ROWS,
                 read_so_far=lambda: None):
        self.batches, self.executor, self.work, self.stage = batches, executor, work, stage
        self.limit, self.together = limit, together
        self.events = queue.SimpleQueue()
        self.gate = threading.Semaphore(AHEAD)
        self.owed = 0  # blocks of rows taken, after which the reader has not been let go on
        self.out = 0                # jobs sent and not answered
        self.unflushed = 0          # errands whose bytes are not known to be on the disk
        self.batch, self.weight = [], 0
        self.sleeping, self.order = [], itertools.count()
        self.steps = 0              # events handled and calls made: whether anything goes on
        self.ended = self.is_over = False
        self.share, self.read_so_far = None, read_so_far
        self.cut, self.at_end = None, lambda: None

    def run(self):
        """Run until every row has been dealt with; then call `at_end()`, however the input ended.

        Raises the input's Fault (Cut) at the end, if any.
        """
        threading.Thread(target=self.read, name="read", daemon=True).start()
        try:
            while not self.is_done():
                self.stage.look()
                self.wake()
                if self.unflushed and self.ended and not (self.out or self.batch):
                    self.stage.hurry()
                event = self.next_event()
                if event:
                    self.dispatch(*event)
                self.read_on()
            self.at_end()
        finally:
            self.is_over = True
            self.gate.release()         # the reader ends, if it waits for us
        if self.cut:
            raise self.cut

    def is_done(self):
        """Return whether nothing is left to read, to do, or to wait for."""
        return self.ended and not (self.out or self.batch or self.sleeping or self.unflushed)

    def is_owed(self):
        """Return whether somebody owes us something: an answer, a flush, or room for what was read.
        """
        return bool(self.out or self.unflushed or self.owed)

    def read(self):
        """The reader's thread."""
        try:
            for rows in self.batches:
                self.gate.acquire()
                if self.is_over:
                    return
                self.events.put(("rows", rows))
                self.events.put(("share", self.read_so_far()))
            self.events.put(("end", None))
        except Exception as fault:      # of whatever kind: nobody else would end the flow
            self.events.put(("end", fault))

    def read_on(self):
        """Let the reader go on where there is room, whatever made it: an answer, or a row that
        slept and needs nothing.
        """
        while self.owed and self.out + len(self.batch) + len(self.sleeping) < self.limit:
            self.owed -= 1
            self.gate.release()

    def next_event(self):
        """Return the next event, or None after a short wait; an idle moment sends an unfilled
        batch.
        """
        try:
            return self.events.get_nowait()
        except queue.Empty:
            self.flush()
        wait = 0.2
        if self.sleeping:
            wait = min(wait, max(0.0, self.sleeping[0][0] - time.monotonic()))
        try:
            return self.events.get(timeout=wait) if wait else None
        except queue.Empty:
            return None

    def dispatch(self, kind, value):
        """Handle one event."""
        self.steps += 1
        if kind == "rows":
            self.owed += 1
            self.stage.take_all(value)
        elif kind == "end":
            self.ended, self.cut = True, value
        elif kind == "share":
            self.share = value
        elif kind == "note":
            self.stage.note(value)
        elif kind == "flushed":
            self.unflushed -= len(value)
            self.stage.flushed(value)
        else:
            errands, future = value
            self.out -= len(errands)
            self.deliver(errands, future)

    def deliver(self, errands, future):
        """Give the stage a batch's outcomes; a batch that was lost answers with its exception."""
        try:
            outcomes = future.result()
        except (CancelledError, Exception) as error:
            outcomes = [error] * len(errands)
        for errand, outcome in zip(errands, outcomes):
            self.stage.answer(errand, outcome)

    def send(self, job, errand, weight=0):
        """Send a job to the executor, in a batch with others; `weight` is what it moves, in bytes.
        """
        self.batch.append((job, errand))
        self.weight += weight
        if len(self.batch) >= self.together or self.weight >= BATCH_BYTES:
            self.flush()

    def flush(self):
        """Submit the batch."""
        if not self.batch:
            return
        jobs, errands = zip(*self.batch)
        self.batch, self.weight = [], 0
        self.submit(jobs, errands)

    def submit(self, jobs, errands, **holder):
        """Submit jobs; their answers come back as an event, with their errands."""
        self.out += len(jobs)
        future = self.executor.submit(self.work(), list(jobs), **holder)
        future.add_done_callback(lambda done: self.events.put(("answer", (errands, done))))

    def later(self, seconds, call, *values):
        """Call back after `seconds`; the flow does not end before."""
        heapq.heappush(self.sleeping, (time.monotonic() + seconds, next(self.order), call, values))

    def wake(self):
        """Call what is due."""
        while self.sleeping and self.sleeping[0][0] <= time.monotonic():
            _, _, call, values = heapq.heappop(self.sleeping)
            self.steps += 1
            call(*values)
