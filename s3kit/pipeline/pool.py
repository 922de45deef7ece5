"""Worker processes that survive each other's death, behind the face of concurrent.futures.Executor.

Each worker is a fresh interpreter (never a fork, which inherits what it should not) on one socket
of its own; a death is seen as the end of that socket, at once. A batch whose worker dies gets a
fresh worker, three times at most. `multiprocessing.Pool` would hang for ever here,
`ProcessPoolExecutor` would lose all its work.
"""

import selectors
import signal
import time
from collections import deque

from s3kit.executor import LoopExecutor, settle
from s3kit.pipeline.channel import Gone
from s3kit.pipeline.messages import Messages
from s3kit.pipeline.worker_process import Batch, WorkerProcess

DEPTH = 2           # batches a worker holds at least, so that it never waits for the next
LIVES = 3           # workers that one batch may cost
SECONDS_TO_BREAK_OFF, SECONDS_TO_END = 1.0, 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)
READ, READ_AND_WRITE = selectors.EVENT_READ, selectors.EVENT_READ | selectors.EVENT_WRITE


class WorkerDied(Exception):
    """A batch killed its worker as often as is allowed."""


class WorkerFault(Exception):
    """An exception that nobody expected ended a worker's engine: a fault of ours.

    Its text is the worker's trace.
    """


class Pool(LoopExecutor):
    """Up to `jobs` workers, started as there is work for them; each holds DEPTH batches, and more
    until they have `load` jobs.

    `on_note(note)` is called, in the pool's own thread, with what workers say between answers.
    """

    def __init__(self, jobs, on_note=None):
        super().__init__("pool")
        self.jobs, self.load = jobs, 0
        self.on_note = on_note or (lambda note: None)
        self.queue, self.bound, self.messages = deque(), deque(), Messages()
        self.workers = {}
        self.tickets = 0
        self.expected = None        # the work that `warm` was given
        self.refused = None         # why there is no worker
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.wake_out, READ)
        # The thread must live as long as the workers: the kernel sends PR_SET_PDEATHSIG when the
        # *thread* that started them ends.
        self.thread.start()

    def submit(self, work, value, holder=0):
        """Have a worker call `work(value)`, or its engine do it; return the Future of the answer.

        Only the worker with process id `holder`, if given, can do it: if it dies, the Future raises
        WorkerDied. Raises RuntimeError after `shutdown`, and the pool's fault if there is one.
        """
        with self.lock:
            self.check_open()
            self.tickets += 1
            batch = Batch(self.tickets, work, value, holder)
            (self.bound if holder else self.queue).append(batch)
        self.wake()
        return batch.future

    def warm(self, work):
        """Start one worker before there is anything to do for it: `work` is certain to come, but
        nobody knows how much, and each costs its start.
        """
        with self.lock:
            self.expected = work
        self.wake()

    def tell(self, message, keep=False):
        """Let all workers hear a message (kind, value); with `keep`, those started later as well.
        """
        self.messages.add(message, keep)
        self.wake()

    def outstanding(self):
        """Return the Futures of what waits and of what workers hold."""
        return [batch.future for worker in self.workers.values()
                for batch in worker.held.values()] + [batch.future for batch
                                                      in (*self.bound, *self.queue)]

    def loop(self):
        """Hand out, take back, replace the dead.

        Workers are born with the signals of a terminal blocked, until they can ignore them.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            while not self.is_over():
                self.spread()
                self.start_early()
                self.hand_over()
                self.hand_out()
                self.turn()
        except BaseException:
            self.gone = True
            raise
        finally:
            self.end_workers()

    def is_over(self):
        """Return whether nothing is left to do, or nobody waits for it."""
        with self.lock:
            return self.gone or (self.ending and not (self.queue or self.bound or any(
                worker.held for worker in self.workers.values())))

    def spread(self):
        """Let the workers hear what was told to all."""
        for message in self.messages.take():
            for worker in self.workers.values():
                worker.tell(message)

    def start_early(self):
        """Start the worker that `warm` asked for, and have it make its engine."""
        with self.lock:
            work, self.expected = self.expected, None
        if work and not self.workers and (worker := self.start()):
            worker.introduce(work, self.messages.kept)

    def hand_over(self):
        """Give batches to the workers that alone can do them."""
        while self.bound:
            with self.lock:
                batch = self.bound.popleft()
            for worker in self.workers.values():
                if worker.process.pid == batch.holder:
                    worker.give(batch, self.messages.kept)
                    break
            else:
                settle(batch.future.set_exception, WorkerDied("its worker died"))

    def hand_out(self):
        """Give waiting batches to the workers with least to do; start workers while there is more.
        """
        while self.queue:
            worker = min(self.workers.values(), key=lambda w: w.load, default=None)
            if (worker is None or worker.held) and len(self.workers) < self.jobs:
                worker = self.start() or worker
            if worker and len(worker.held) >= DEPTH and worker.load >= self.load:
                return
            with self.lock:
                batch = self.queue.popleft()
            if worker is None:
                settle(batch.future.set_exception, self.refused)
            elif not batch.future.cancelled():
                self.spread()       # what was told before a batch was submitted is heard before it
                worker.give(batch, self.messages.kept)

    def start(self):
        """Start one more worker; return None where the system lets us have no more: those that
        there are must do.
        """
        try:
            worker = WorkerProcess()
        except OSError as error:
            self.jobs, self.refused = (len(self.workers),
                                       WorkerDied(f"no worker can be started: {error.strerror}"))
            return None
        self.workers[worker.fileno()] = worker
        self.selector.register(worker, READ, worker)
        return worker

    def turn(self):
        """Wait until something can be received, or sent that waits; do that."""
        for worker in self.workers.values():
            events = READ_AND_WRITE if worker.channel.is_full else READ
            if self.selector.get_key(worker).events != events:
                self.selector.modify(worker, events, worker)
        for key, events in self.selector.select():
            if key.data is None:
                self.drain()
                continue
            if events & selectors.EVENT_WRITE:
                key.data.flush()
            if events & READ:
                self.take_back(key.data)

    def take_back(self, worker):
        """Take a worker's messages, or find that it died.

        Raises WorkerFault where its engine failed.
        """
        try:
            messages = worker.channel.receive()
        except Gone:
            self.bury(worker)
            return
        for kind, *values in messages:
            if kind == "notes":
                for note in values[0]:
                    self.on_note(note)
            elif kind == "at work":
                worker.under_way = values[0]
            elif kind == "answer":
                ticket, answer = values
                settle(worker.held.pop(ticket).future.set_result, answer)
            else:
                raise WorkerFault(*values)

    def bury(self, worker):
        """Requeue what a dead worker held; each batch may cost LIVES workers."""
        self.selector.unregister(worker)
        del self.workers[worker.fileno()]
        worker.channel.close()
        end = worker.end_said()
        for batch in reversed(worker.held.values()):
            batch.deaths += 1
            if batch.holder:
                settle(batch.future.set_exception, WorkerDied(f"its worker died ({end})"))
            elif batch.deaths < LIVES:
                with self.lock:
                    self.queue.appendleft(batch)
            else:
                settle(batch.future.set_exception,
                       WorkerDied(f"its worker died {LIVES} times (the last of {end})"))

    def end_workers(self):
        """Tell workers to stop, close their sockets, wait; a worker that does not listen is killed.
        """
        for worker in self.workers.values():
            worker.stop()
        until = time.monotonic() + (SECONDS_TO_BREAK_OFF if self.gone else SECONDS_TO_END)
        for worker in self.workers.values():
            worker.wait(until)
        self.selector.close()
