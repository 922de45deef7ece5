"""Small requests, many at once: an Executor whose one thread runs a libcurl loop.

What acts on objects in S3 without their bytes goes through here (deleting, restoring, asking for
their state), so that Flow can feed it as it feeds the workers.
"""

import base64
import hashlib
import time
from collections import deque
from concurrent.futures import Future

from s3kit.errors import Fault
from s3kit.executor import LoopExecutor, settle
from s3kit.s3 import verdicts
from s3kit.s3.window import Alone
from s3kit.s3.wire import Wire

CONNECTIONS = 256       # at most, where nobody says how many


class Call:
    """Jobs done with one or several requests. Subclasses send them in `begin`, take each answer in
    `answered`.

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
        self.send(places, endpoint, url, method="POST", body=body,
                  headers=document_headers(body), **options)

    def finish(self, place, outcome):
        """Put a job's outcome in its place."""
        if self.outcomes[place] is None:
            self.outcomes[place] = outcome
            self.left -= 1


class Control(LoopExecutor):
    """Runs Calls: `submit(kind, jobs)` makes a Call of that class and returns the Future of its
    outcomes, with at most `connections` requests under way. `steps` counts the answers, and the
    turns while one is awaited, which libcurl breaks off where it stalls: whether anything goes on.
    """

    def __init__(self, connections=None):
        super().__init__("control")
        self.connections, self.steps = connections or CONNECTIONS, 0
        self.window = Alone(self.connections)
        # those that have not begun, and those without a result
        self.calls, self.open = deque(), set()
        # requests without a connection, and places by Transfer
        self.waiting, self.under_way = deque(), {}
        self.thread.start()

    def submit(self, kind, jobs):
        """Start a Call of class `kind` about some jobs; return the Future of its list of outcomes.

        Raises RuntimeError after `shutdown`, and the control's fault if there is one.
        """
        call = kind(self, jobs)
        with self.lock:
            self.check_open()
            self.calls.append(call)
            self.open.add(call)
        self.wake()
        return call.future

    def outstanding(self):
        """Return the Futures of the calls without a result."""
        return [call.future for call in self.open]

    def loop(self):
        """Begin calls, send their requests as connections are free, hand them the answers."""
        wire = Wire(self.connections)
        wire.watch(self.wake_out)
        try:
            while not self.is_over():
                self.begin(wire)
                self.steps += bool(wire.active)
                for transfer in wire.turn(self.patience()):
                    self.steps += 1
                    places = self.under_way.pop(transfer)
                    self.weigh(transfer)
                    self.guard(transfer.owner, transfer.owner.answered, transfer, places)
                self.drain()
        finally:
            wire.stop()

    def patience(self):
        """Return how long to wait for an answer, in seconds: less where a pause will end."""
        pause = self.window.quiet_until - time.monotonic() if self.waiting else 0.0
        return min(10.0, pause) if pause > 0 else 10.0

    def is_over(self):
        """Return whether nothing is left to do, or nobody waits for it."""
        with self.lock:
            return self.gone or (self.ending and not self.open)

    def begin(self, wire):
        """Begin the calls that came, and send what requests there are connections for."""
        with self.lock:
            calls, self.calls = self.calls, deque()
        for call in calls:
            self.guard(call, call.begin)
        room = self.window.room(wire.active, time.monotonic()) if self.waiting else 0
        for _ in range(min(room, len(self.waiting))):
            call, places, endpoint, url, options = self.waiting.popleft()
            self.under_way[wire.start(call, endpoint, url, **options)] = places

    def weigh(self, transfer):
        """Find from an answer how many requests may be under way."""
        verdict = verdicts.verdict_of(transfer)
        if verdict == verdicts.SLOW:
            self.window.slow_down(time.monotonic())
        elif verdict == verdicts.OK and not transfer.errno:
            self.window.answered(transfer)

    def guard(self, call, step, *values):
        """Run one step of a call.

        A Fault in it is its result; any other exception is ours, and ends the thread.
        """
        try:
            step(*values)
        except Fault as fault:
            call.left = -1
            self.close(call, call.future.set_exception, fault)
            return
        if not call.left:
            self.close(call, call.future.set_result, call.outcomes)

    def close(self, call, setter, value):
        """Give a call its result, once."""
        with self.lock:
            self.open.discard(call)
        settle(setter, value)


def document_headers(body):
    """Return the headers of a request that sends an XML document, with the MD5 that S3 wants of it.
    """
    digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    return [f"Content-MD5: {digest}", "Content-Type: application/xml", "Expect:"]
