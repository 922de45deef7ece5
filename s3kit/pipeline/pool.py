"""Worker processes that survive each other's death, behind the face of concurrent.futures.Executor.

Each worker is a fresh interpreter (never a fork, which inherits what it should not) on one socket of
its own; a death is seen as the end of that socket, at once. A batch whose worker dies gets a fresh
worker, three times at most. `multiprocessing.Pool` would hang for ever here, `ProcessPoolExecutor`
would lose all its work (failures.md section 0).
"""

import os
import pickle
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import Executor, Future

from s3kit.pipeline.channel import Channel

DEPTH = 2           # batches a worker holds at once, so that it never waits for the next
LIVES = 3           # workers that one batch may cost
SECONDS_TO_BREAK_OFF, SECONDS_TO_END = 1.0, 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Without '', the current directory: no module there, a bucket's file perhaps, is taken for one of ours or of Python's.
START = ("import sys; sys.path[:] = [sys.argv[1], *filter(None, sys.path)]\n"
         "from s3kit.pipeline.worker import live; live(int(sys.argv[2]), int(sys.argv[3]))")


class WorkerDied(Exception):
    """A batch killed its worker as often as is allowed."""


class Batch:
    """A submitted call: its number, its argument, its Future, and how many workers it has cost."""

    __slots__ = ("ticket", "work", "value", "future", "deaths")

    def __init__(self, ticket, work, value):
        self.ticket, self.work, self.value = ticket, work, value
        self.future = Future()
        self.deaths = 0


class Worker:
    """One process, our end of its socket, and the batches it holds."""

    def __init__(self):
        ours, theirs = socket.socketpair()
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self.process = subprocess.Popen([sys.executable, "-c", START, root, str(theirs.fileno()), str(os.getpid())],
                                        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        theirs.close()
        self.pipe = Channel(ours.detach())
        self.held = {}
        self.works = set()


class Pool(Executor):
    """Up to `jobs` workers, started as there is work for them.

    `on_note(note)` is called, in the pool's own thread, with what workers say between answers.
    """

    def __init__(self, jobs, on_note=None):
        self.jobs = jobs
        self.on_note = on_note or (lambda note: None)
        self.lock = threading.Lock()
        self.queue = deque()
        self.told = deque()
        self.workers = {}
        self.tickets = 0
        self.expected = None        # the work that `warm` was told of
        self.refused = None         # why there is no worker
        self.ending = self.gone = False
        self.lately = []            # messages that a worker started later must hear, too
        self.wake_out, self.wake_in = os.pipe()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.wake_out, selectors.EVENT_READ)
        # The thread must live as long as the workers: the kernel sends PR_SET_PDEATHSIG when the
        # *thread* that started them ends.
        self.thread = threading.Thread(target=self.run, name="pool", daemon=True)
        self.thread.start()

    def submit(self, work, value):
        """Have a worker call `work(value)`, or its engine do it; return the Future of the answer."""
        with self.lock:
            if self.ending:
                raise RuntimeError("the pool has ended")
            self.tickets += 1
            batch = Batch(self.tickets, work, value)
            self.queue.append(batch)
        self.wake()
        return batch.future

    def warm(self, work):
        """Start all workers before there is anything to do for them: `work` is certain to come."""
        with self.lock:
            self.expected = work
        self.wake()

    def tell(self, message, keep=False):
        """Let all workers hear a message; with `keep`, those started later as well."""
        with self.lock:
            self.told.append(message)
            if keep:
                self.lately.append(message)
        self.wake()

    def shutdown(self, wait=True, *, cancel_futures=False):
        """End: let workers finish, or with `cancel_futures` have them break off at once."""
        with self.lock:
            self.ending = True
            if cancel_futures:
                self.gone = True
        self.wake()
        if wait:
            self.thread.join()

    def wake(self):
        """Let the pool's thread look at what changed."""
        os.write(self.wake_in, b".")

    def run(self):
        """The pool's thread: hand out, take back, replace the dead.

        Workers are born with the signals of a terminal blocked, until they can ignore them.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        while True:
            with self.lock:
                if self.gone or (self.ending and not self.queue and not any(w.held for w in self.workers.values())):
                    break
            self.spread()
            self.start_early()
            self.hand_out()
            for key, _ in self.selector.select():
                if key.fd == self.wake_out:
                    os.read(self.wake_out, 4096)
                else:
                    self.take_back(self.workers[key.fd])
        self.end_workers()

    def spread(self):
        """Let the workers hear what was told."""
        with self.lock:
            told, self.told = self.told, deque()
        for message in told:
            for worker in self.workers.values():
                self.send(worker, ("tell", message))

    def start_early(self):
        """Start the workers that `warm` asked for, and have them make their engines."""
        with self.lock:
            work, self.expected = self.expected, None
        while work and len(self.workers) < self.jobs:
            worker = self.start()
            if worker:
                self.introduce(worker, work)

    def hand_out(self):
        """Give waiting batches to the workers with least to do; start workers while there is more."""
        while self.queue:
            worker = min(self.workers.values(), key=lambda w: len(w.held), default=None)
            if (worker is None or worker.held) and len(self.workers) < self.jobs:
                worker = self.start() or worker
            if worker and len(worker.held) >= DEPTH:
                return
            with self.lock:
                batch = self.queue.popleft()
            if worker is None:
                batch.future.set_exception(self.refused)
                continue
            self.spread()       # what was told before a batch was submitted is heard before it
            worker.held[batch.ticket] = batch
            self.introduce(worker, batch.work)
            self.send(worker, ("batch", batch.ticket, id(batch.work), batch.value))

    def introduce(self, worker, work):
        """Send a worker the work that its next batch belongs to, if it does not have it."""
        if id(work) not in worker.works:
            worker.works.add(id(work))
            self.send(worker, ("work", id(work), pickle.dumps(work)))
            for message in self.lately:
                self.send(worker, ("tell", message))

    def start(self):
        """Start one more worker; return None where the system lets us have no more: those that there are must do."""
        try:
            worker = Worker()
        except OSError as error:
            self.jobs, self.refused = len(self.workers), WorkerDied(f"no worker can be started: {error.strerror}")
            return None
        self.workers[worker.pipe.fileno()] = worker
        self.selector.register(worker.pipe.fileno(), selectors.EVENT_READ)
        return worker

    def send(self, worker, message):
        """Send to a worker; if it has died, its socket's end will tell."""
        try:
            worker.pipe.send(message)
        except OSError:
            pass

    def take_back(self, worker):
        """Read one message of a worker, or find that it died."""
        try:
            kind, ticket, answer = worker.pipe.recv()
        except (EOFError, OSError):
            self.bury(worker)
            return
        if kind == "note":
            self.on_note(answer)
            return
        batch = worker.held.pop(ticket)
        if kind == "answer":
            batch.future.set_result(answer)
        else:
            batch.future.set_exception(RuntimeError(answer))

    def bury(self, worker):
        """Requeue what a dead worker held; each batch may cost LIVES workers."""
        self.selector.unregister(worker.pipe.fileno())
        del self.workers[worker.pipe.fileno()]
        worker.pipe.close()
        code = worker.process.wait()
        for batch in reversed(list(worker.held.values())):
            batch.deaths += 1
            if batch.deaths < LIVES:
                with self.lock:
                    self.queue.appendleft(batch)
            else:
                batch.future.set_exception(WorkerDied(f"its worker died {LIVES} times (the last of "
                                                      f"{signal_name(code)})"))

    def end_workers(self):
        """Tell workers to stop, close their sockets, wait; a worker that does not listen is killed."""
        for worker in self.workers.values():
            self.send(worker, ("stop",))
            worker.pipe.close()
        end = time.monotonic() + (SECONDS_TO_BREAK_OFF if self.gone else SECONDS_TO_END)
        for worker in self.workers.values():
            try:
                worker.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            for batch in worker.held.values():
                batch.future.cancel()


def signal_name(code):
    """Return how a process ended, for people: `signal 9 (Killed)` or `status 1`."""
    return f"signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"status {code}"
