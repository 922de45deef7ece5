"""Small requests, many at once: an Executor whose one thread runs a libcurl loop.

What acts on objects in S3 without their bytes goes through here (deleting, restoring, asking for their state), so
that Flow can feed it as it feeds the workers.
"""

import base64
import hashlib
import os
import threading
from collections import deque
from concurrent.futures import Executor, Future

from s3kit.s3 import verdicts
from s3kit.s3.wire import Wire

AGAIN, EXPIRED, FATAL = "again", "expired", "fatal"     # what is not the end of a job, or that of all


def passing(verdict):
    """Return AGAIN, EXPIRED or FATAL of a verdict on an answer that was not good, or '' where it is about one job alone."""
    if verdict in (verdicts.AGAIN, verdicts.SLOW, verdicts.OK):
        return AGAIN            # OK: it began well, and was cut
    if verdict == verdicts.EXPIRED:
        return EXPIRED
    return FATAL if verdict in (verdicts.SKEWED, verdicts.REFUSED, verdicts.UNTRUSTED) else ""


class Call:
    """Jobs done with one or several requests. Subclasses send them in `begin`, take each answer in `answered`.

    `outcomes` has a place for each job; once `left` is 0 they are the Future's result.
    """

    def __init__(self, control, jobs):
        self.control, self.jobs, self.future = control, jobs, Future()
        self.outcomes, self.left = [None] * len(jobs), len(jobs)

    def begin(self):
        """Send the requests."""
        raise NotImplementedError

    def answered(self, transfer, places):
        """Take the answer to a request that was sent for the jobs at `places`."""
        raise NotImplementedError

    def send(self, places, endpoint, url, **options):
        """Send a request on behalf of the jobs at `places`, when there is a connection free."""
        self.control.waiting.append((self, places, endpoint, url, options))

    def post(self, places, endpoint, url, body, **options):
        """Send a document, with the MD5 that S3 wants of it."""
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        self.send(places, endpoint, url, method="POST", body=body,
                  headers=[f"Content-MD5: {digest}", "Content-Type: application/xml", "Expect:"], **options)

    def finish(self, place, outcome):
        """Put a job's outcome in its place."""
        if self.outcomes[place] is None:
            self.outcomes[place] = outcome
            self.left -= 1


class Control(Executor):
    """Runs Calls: `submit(kind, jobs)` makes a Call of that class and returns the Future of its outcomes."""

    def __init__(self, connections):
        self.connections = connections
        self.calls, self.waiting = deque(), deque()
        self.ending = self.gone = False
        self.lock = threading.Lock()
        self.wake_out, self.wake_in = os.pipe()
        self.thread = threading.Thread(target=self.run, name="control", daemon=True)
        self.thread.start()

    def submit(self, kind, jobs):
        """Start a Call of class `kind` about some jobs; return the Future of its list of outcomes."""
        call = kind(self, jobs)
        with self.lock:
            if self.ending:
                raise RuntimeError("there are no requests any more")
            self.calls.append(call)
        os.write(self.wake_in, b".")
        return call.future

    def shutdown(self, wait=True, *, cancel_futures=False):
        """End: let requests be answered, or with `cancel_futures` break them off."""
        with self.lock:
            self.ending, self.gone = True, self.gone or cancel_futures
        os.write(self.wake_in, b".")
        if wait:
            self.thread.join()

    def run(self):
        """The thread."""
        wire = Wire(self.connections)
        wire.watch(self.wake_out)
        os.set_blocking(self.wake_out, False)
        under_way = {}
        while not self.gone:
            with self.lock:
                calls, self.calls = self.calls, deque()
                if self.ending and not (calls or under_way or self.waiting):
                    break
            for call in calls:
                self.guard(call, call.begin)
            while self.waiting and wire.active < self.connections:
                call, places, endpoint, url, options = self.waiting.popleft()
                under_way[wire.start(call, endpoint, url, **options)] = places
            for transfer in wire.turn(10):
                self.guard(transfer.owner, transfer.owner.answered, transfer, under_way.pop(transfer))
            self.drain()
        wire.stop()

    def drain(self):
        """Forget what woke us."""
        try:
            os.read(self.wake_out, 4096)
        except BlockingIOError:
            pass

    def guard(self, call, step, *values):
        """Run one step of a call; a fault of ours is its result."""
        try:
            step(*values)
        except Exception as error:
            call.left = -1
            call.future.set_exception(error)
            return
        if not call.left and not call.future.done():
            call.future.set_result(call.outcomes)
