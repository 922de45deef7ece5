"""Rows from the input, through a pool, back again: read ahead, batched, never more than fit in memory.

One thread reads the input, the pool has its own; all that is decided is decided in the main thread,
which takes one event after another.
"""

import heapq
import itertools
import queue
import threading
import time
from concurrent.futures import CancelledError

BATCH_ROWS, BATCH_BYTES = 64, 16 << 20
AHEAD = 2               # blocks of rows that the reader may be ahead


class Flow:
    """Feeds rows to a `handler` and its jobs to the pool.

    The handler has `take_all(rows)`, called for all rows in input order, `answer(context, outcome)`, and
    `note(note)` for what workers say. It calls `send` for jobs, and `later` for what must wait.
    `should_stop()` is asked often, and raises to end the flow. A batch has `together` jobs at most.
    """

    def __init__(self, batches, pool, work, handler, limit, should_stop, together=BATCH_ROWS):
        self.batches, self.pool, self.work, self.handler = batches, pool, work, handler
        self.limit, self.should_stop, self.together = limit, should_stop, together
        self.events = queue.SimpleQueue()
        self.gate = threading.Semaphore(AHEAD)
        self.owed = 0
        self.out = 0                # jobs sent and not answered
        self.batch, self.weight = [], 0
        self.sleeping, self.order = [], itertools.count()
        self.ended = False
        self.cut = None

    def run(self):
        """Run until every row has been dealt with. Raises the input's Fault (Cut) at the end, if any."""
        threading.Thread(target=self.read, name="read", daemon=True).start()
        while not self.is_done():
            self.should_stop()
            self.wake()
            event = self.next_event()
            if event:
                self.dispatch(*event)
        if self.cut:
            raise self.cut

    def is_done(self):
        """Return whether nothing is left to read, to do, or to wait for."""
        return self.ended and not (self.out or self.batch or self.sleeping)

    def read(self):
        """The reader's thread."""
        try:
            for rows in self.batches:
                self.gate.acquire()
                self.events.put(("rows", rows))
            self.events.put(("end", None))
        except Exception as fault:      # of whatever kind: nobody else would end the flow
            self.events.put(("end", fault))

    def next_event(self):
        """Return the next event, or None after a short wait; an idle moment sends an unfilled batch."""
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
        if kind == "rows":
            self.handler.take_all(value)
            self.owed += 1
        elif kind == "end":
            self.ended, self.cut = True, value
        elif kind == "note":
            self.handler.note(value)
        else:
            contexts, future = value
            self.out -= len(contexts)
            self.deliver(contexts, future)
        while self.owed and self.out + len(self.sleeping) < self.limit:
            self.owed -= 1
            self.gate.release()

    def deliver(self, contexts, future):
        """Give the handler a batch's outcomes; a batch that was lost answers with its exception."""
        try:
            outcomes = future.result()
        except (CancelledError, Exception) as error:
            outcomes = [error] * len(contexts)
        for context, outcome in zip(contexts, outcomes):
            self.handler.answer(context, outcome)

    def send(self, job, context, weight=0):
        """Send a job to the pool, in a batch with others; `weight` is what it moves, in bytes."""
        self.batch.append((job, context))
        self.weight += weight
        if len(self.batch) >= self.together or self.weight >= BATCH_BYTES:
            self.flush()

    def flush(self):
        """Submit the batch."""
        if not self.batch:
            return
        jobs, contexts = zip(*self.batch)
        self.batch, self.weight = [], 0
        self.out += len(jobs)
        future = self.pool.submit(self.work(), list(jobs))
        future.add_done_callback(lambda done: self.events.put(("answer", (contexts, done))))

    def later(self, seconds, call, *values):
        """Call back after `seconds`; the flow does not end before."""
        heapq.heappush(self.sleeping, (time.monotonic() + seconds, next(self.order), call, values))

    def wake(self):
        """Call what is due."""
        while self.sleeping and self.sleeping[0][0] <= time.monotonic():
            _, _, call, values = heapq.heappop(self.sleeping)
            call(*values)
