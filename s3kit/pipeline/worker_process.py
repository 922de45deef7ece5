"""A worker as its pool sees it: the process, our end of its socket, what it was given and has not
answered.
"""

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import Future

from s3kit.pipeline.channel import Channel, Gone

# Without '', the current directory: no module there, a bucket's file perhaps, is taken for one of
# ours or of Python's.
START = ("import sys; sys.path[:] = [sys.argv[1], *filter(None, sys.path)]\n"
         "from s3kit.pipeline.worker import live; live(int(sys.argv[2]), int(sys.argv[3]))")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Batch:
    """A submitted call: its number, its argument, its Future, how many workers it has cost, the
    process id of the one worker that can do it (0: any), and how many jobs it is.
    """

    __slots__ = ("ticket", "work", "value", "holder", "future", "deaths", "size")

    def __init__(self, ticket, work, value, holder=0):
        self.ticket, self.work, self.value, self.holder = ticket, work, value, holder
        self.future = Future()
        self.deaths = 0
        self.size = len(value) if isinstance(value, list) else 1


class WorkerProcess:
    """One process, our end of its socket, and the batches it holds. Raises OSError where the system
    has no room for it.

    Nothing here waits for the worker but `wait`: what its socket does not take is kept, and `flush`
    sends it.
    """

    def __init__(self):
        ours, theirs = socket.socketpair()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, ROOT, str(theirs.fileno()), str(os.getpid())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.channel = Channel(ours.detach())
        self.held, self.under_way = {}, None
        self.works = {}  # by their id: as long as the worker knows a work, no other may have its id

    @property
    def load(self):
        """How many jobs it holds."""
        return sum(batch.size for batch in list(self.held.values()))

    def at_work(self):
        """Return (process id, jobs that it holds, what it is at: see transfer.under_way; None where
        it has said nothing).
        """
        return self.process.pid, self.load, self.under_way

    def fileno(self):
        """Return our end of the socket."""
        return self.channel.fileno()

    def give(self, batch, kept):
        """Send a batch; the work first if it is new, with the messages that `kept()` returns for
        it.
        """
        self.held[batch.ticket] = batch
        self.introduce(batch.work, kept)
        self.send(("batch", batch.ticket, id(batch.work), batch.value))

    def introduce(self, work, kept):
        """Send the work that batches will belong to, if the worker does not have it, and what
        `kept()` returns.
        """
        if id(work) not in self.works:
            self.works[id(work)] = work
            self.send(("work", id(work), pickle.dumps(work)))
            for message in kept():
                self.tell(message)

    def tell(self, message):
        """Send what all workers hear."""
        self.send(("tell", message))

    def send(self, message):
        """Send; if the worker has died, its socket's end will say so."""
        try:
            self.channel.send(message)
        except Gone:
            self.channel.outgoing.clear()

    def flush(self):
        """Send what the socket takes now."""
        try:
            self.channel.flush()
        except Gone:
            self.channel.outgoing.clear()

    def stop(self):
        """Say that nothing more will come; what is under way is broken off."""
        self.send(("stop",))
        self.channel.close()

    def wait(self, until):
        """Wait until the moment `until` (of time.monotonic) for the process to end, then kill it.
        """
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def end_said(self):
        """Wait for a process that has closed its socket; return how it ended, for people: `signal 9
        (Killed)` or `status 1`.
        """
        code = self.process.wait()
        return f"signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"status {code}"
