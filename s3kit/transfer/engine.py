"""A worker's engine: tasks on one libcurl loop, fed with batches, never with a gap between two of
them.

A task never waits: what must be tried again is answered `again`, and the parent decides when.
"""
import errno
import mmap
import os
import time
from collections import deque
from urllib.parse import quote

from s3kit.disk.tree import Tree
from s3kit.errors import Fault, reason
from s3kit.s3 import verdicts
from s3kit.s3.answer import ERROR_DOCUMENT
from s3kit.s3.headers import clean_etag, said
from s3kit.s3.patience import Throttle
from s3kit.transfer.job import (
    AGAIN,
    ARCHIVED,
    CHANGED,
    CONFLICT,
    FAILED,
    FATAL,
    FULL,
    VANISHED,
    Outcome,
)
from s3kit.transfer.unnamed import Unnamed

READ = 4 << 20              # bytes of a file hashed between two looks at the network
READ_SECONDS = 1.0          # between two notes of how much of files was read
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
# What becomes of a Job after an answer that is not a success; FAILED where nothing else is said.
STATES = {verdicts.AGAIN: AGAIN, verdicts.EXPIRED: AGAIN, verdicts.SLOW: AGAIN,
          verdicts.ARCHIVED: ARCHIVED, verdicts.VANISHED: VANISHED, verdicts.CHANGED: CHANGED,
          verdicts.SKEWED: FATAL, verdicts.UNTRUSTED: FATAL}


class Engine:
    """One worker's tasks: `add` batches, `turn` until they come back, `hear` what the parent says.

    `tasks` maps a Job's kind to the class that does it.
    """

    def __init__(self, work, tasks):
        from s3kit.s3.wire import (
            Wire,  # not with the module: the parent needs its words, and no libcurl
        )
        self.tasks = tasks
        self.endpoints = dict(work.endpoints)
        self.tree = self.fault = None
        try:
            self.tree = Tree(work.destination, work.make, work.place)
        except Fault as fault:
            self.fault = fault      # of every Job: the parent found the destination good
        self.wire = Wire(work.connections)
        self.throttle = Throttle(work.connections)
        self.rate, self.tokens, self.filled = work.rate, work.rate, time.monotonic()
        self.mode = 0o666 & ~current_umask()
        self.unnamed = Unnamed(self.tree, self.mode, work.connections)
        self.waiting, self.reading, self.batches, self.done = deque(), deque(), {}, []
        self.moved, self.said = 0, []
        self.read, self.read_at = 0, time.monotonic()       # bytes of files, since we last said so
        self.paused = False
        self.answers = 0
        self.halted = []
        self.aligned = None
        self.spare = []         # buffers for Blocks

    def watch(self, fd):
        """Let `turn` end as soon as `fd` can be read."""
        self.wire.watch(fd)

    @property
    def busy(self):
        """Whether there is anything to do."""
        return bool(self.batches)

    def add(self, ticket, batch):
        """Take a batch of Jobs; `turn` returns (ticket, Outcomes) when all are done."""
        self.batches[ticket] = [len(batch), [None] * len(batch)]
        for place, job in enumerate(batch):
            task = self.tasks[job.kind](self, job, ticket, place)
            (self.waiting.appendleft if task.is_local else self.waiting.append)(task)

    def hear(self, message):
        """Take what the parent tells all workers: new endpoints, or that somebody was slowed down.
        """
        kind, value = message
        if kind == "endpoints":
            self.endpoints.update((endpoint.bucket, endpoint) for endpoint in value)
            self.paused = False
        elif kind == "slow":
            self.throttle.shrink(time.monotonic())

    def notes(self):
        """Return what the parent should know besides outcomes."""
        if self.moved:
            self.said.append(("moved", self.moved))
            self.moved = 0
        now = time.monotonic()
        if self.read and now - self.read_at > READ_SECONDS:
            self.said.append(("read", self.read))
            self.read, self.read_at = 0, now
        said, self.said = self.said, []
        return said

    def turn(self, seconds):
        """Work for about `seconds` or until something is done; return [(ticket, Outcomes)]."""
        self.fill()
        while self.waiting and self.waiting[0].is_local:
            self.begin(self.waiting.popleft())
        room = (0 if self.paused or self.tokens < 0
                else self.throttle.room(self.wire.active, time.monotonic()))
        while self.waiting and room > 0:
            room -= self.begin(self.waiting.popleft())
        if self.reading:
            self.guard(self.reading[0], self.reading[0].step)
            seconds = 0
        if self.waiting and not self.wire.active or self.halted:
            seconds = min(seconds, 0.05)
        if not self.done:
            for transfer in self.wire.turn(seconds):
                self.answers += 1
                self.guard(transfer.owner, transfer.owner.answered, transfer)
        done, self.done = self.done, []
        return done

    def begin(self, task):
        """Start a task; return how many requests it sent (0 or 1)."""
        before = self.wire.active
        if self.fault:
            task.fail(FATAL, str(self.fault))
        else:
            self.guard(task, task.begin)
        return self.wire.active - before

    def guard(self, task, step, *values):
        """Run one step of a task; what goes wrong in it is that task's outcome."""
        try:
            step(*values)
        except (Fault, OSError) as error:
            task.end(outcome_of(error, task.job.path)._replace(moved=task.moved))

    def finish(self, task, outcome):
        """Put a task's outcome in its batch's place."""
        batch = self.batches[task.ticket]
        if batch[1][task.place] is not None:
            return
        batch[1][task.place] = outcome
        batch[0] -= 1
        if not batch[0]:
            self.done.append((task.ticket, self.batches.pop(task.ticket)[1]))

    def fill(self):
        """Refill the rate limit's tokens, and let paused transfers go on."""
        if not self.rate:
            return
        now = time.monotonic()
        self.tokens = min(self.rate, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens > 0:
            transfers, self.halted = self.halted, []
            for transfer in transfers:
                self.wire.resume(transfer)

    def spend(self, transfer, count):
        """Count bytes that came; pause their transfer when the rate limit says so."""
        self.moved += count
        if self.rate:
            self.tokens -= count
            if self.tokens < 0 and transfer.sink:
                self.halted.append(transfer)
                self.wire.pause(transfer)

    def buffer(self):
        """Return the one buffer to read files into: page-aligned, as reading past the cache needs
        it.
        """
        if self.aligned is None:
            self.aligned = mmap.mmap(-1, READ)
        return self.aligned

    def close(self):
        """Break off: leave nothing behind that cannot be resumed."""
        tasks = [transfer.owner for transfer in self.wire.busy.values()] + list(self.reading)
        self.wire.stop()
        for task in tasks:
            task.drop()
        self.unnamed.drop_all()


class Task:
    """One Job under way: `begin`, then `answered` for each answer, until `end`.

    What `is_local` asks nothing of S3, and waits for nothing.
    """

    is_local = False

    def __init__(self, engine, job, ticket, place):
        self.engine, self.job, self.ticket, self.place = engine, job, ticket, place
        self.fd = self.blocks = self.oserror = None
        self.moved = 0

    def end(self, outcome):
        """Give back the outcome and whatever the task holds."""
        self.drop()
        self.engine.finish(self, outcome)

    def drop(self):
        """Let go of the descriptor, and with it of the lock."""
        if self.blocks:
            self.blocks.drop()
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def write(self, transfer, data):
        """Put a piece of a body into the blocks; return what libcurl wants to hear.

        A failure is kept in `oserror`.
        """
        self.engine.spend(transfer, len(data))
        self.moved += len(data)
        try:
            self.blocks.add(data)
        except OSError as error:
            self.oserror = error
            return -1
        return None

    def fail(self, state, why, **more):
        """End without success."""
        self.end(Outcome(state, why, moved=self.moved, **more))

    def send(self, method="GET", query="", headers=(), sink=None, most=None):
        """Send a request for the job's object, pinned to its version or ETag."""
        job = self.job
        endpoint = self.engine.endpoints[job.bucket]
        headers = list(headers)
        if job.url:
            if "x-amz-checksum-mode" in job.url.partition("SignedHeaders=")[2].lower():
                headers.append("x-amz-checksum-mode: ENABLED")
            url = job.url
        else:
            headers.append("x-amz-checksum-mode: ENABLED")
            if job.version_id:
                named = f"versionId={quote(job.version_id, safe='')}"
                query = f"{query}&{named}" if query else named
            url = endpoint.object_url(job.key, query)
        if job.etag and job.version_id in ("", "null"):  # the null version can be overwritten
            headers.append(f'If-Match: "{job.etag}"')
        if job.unless and not job.etag and method == "GET":
            headers.append(f'If-None-Match: "{job.unless}"')
        return self.engine.wire.start(self, endpoint, url, method=method, headers=headers,
                                      sink=sink, most=most, signed_url=bool(job.url))

    def is_refused(self, transfer):
        """End the task if the answer is not a success; return whether it did."""
        verdict = verdicts.verdict_of(transfer)
        if transfer.errno and verdict in (verdicts.OK, verdicts.AGAIN):
            self.fail(AGAIN, transfer.failure)
        elif verdict == verdicts.OK:
            self.engine.throttle.grow()
            return False
        else:
            self.tell(verdict, transfer)
            self.fail(self.state_of(verdict, transfer), why(verdict, transfer),
                      slow=verdict in (verdicts.EXPIRED, verdicts.SLOW))
        return True

    def tell(self, verdict, transfer):
        """Have the other tasks, and the parent, heed what an answer says of all requests."""
        engine = self.engine
        if verdict == verdicts.EXPIRED and self.is_current(transfer):  # else renewed meanwhile
            engine.paused = True
            engine.said.append(("expired", transfer.endpoint.generation))
        elif verdict == verdicts.SLOW:
            engine.throttle.shrink(time.monotonic())
            engine.said.append(("slow", None))

    def state_of(self, verdict, transfer):
        """Return the state of a Job whose request was refused."""
        if verdict == verdicts.REFUSED and self.is_for_all(transfer):
            return FATAL
        return STATES.get(verdict, AGAIN if transfer.code == ERROR_DOCUMENT else FAILED)

    def is_current(self, transfer):
        """Return whether a request was signed with the newest credentials that we have."""
        endpoint, url = self.engine.endpoints[self.job.bucket], self.job.url
        return f"={endpoint.access_key}%2F" in url if url else transfer.endpoint is endpoint

    def is_for_all(self, transfer):
        """Return whether all requests will be refused, too: a signature may be wrong of one key
        alone, but not the first one.
        """
        return self.engine.answers < 2 or transfer.code != "SignatureDoesNotMatch"

    def fault_of(self, transfer, size, status=200):
        """Return why an answer's head is not that of the version that was asked for, or ''."""
        job, headers = self.job, transfer.headers
        etag = clean_etag(headers)
        if transfer.status != status:
            return f"S3 answers with status {transfer.status}, not {status}"
        if not etag:            # not S3's answer: the page of a portal, with whatever length
            return "the answer has no ETag: it is not an object of S3's"
        if job.etag and etag != job.etag:
            return f"S3 sent another object: ETag {etag}, not {job.etag}"
        version = headers.get("x-amz-version-id", "")
        if job.version_id and version and version != job.version_id:
            return f"S3 sent another version: {version}"
        length = headers.get("content-length", "")
        if length and size >= 0 and length != str(size):
            return f"S3 sends {length} bytes, not {size}"
        return ""


def why(verdict, transfer):
    """Return why a request was refused, in a line."""
    if verdict == verdicts.CHANGED:
        return "the object was changed since it was listed"
    where = transfer.headers.get("x-amz-bucket-region", "") if verdict == verdicts.REGION else ""
    return said(transfer) + (f" (the bucket is in {where}: --region {where})" if where else "")


def outcome_of(error, path):
    """Return the Outcome of a file at `path` that an OSError, or a Fault that names what is in the
    way, has stopped.
    """
    if isinstance(error, Fault):
        return Outcome(CONFLICT, str(error))
    if error.errno in NO_SPACE:
        return Outcome(FULL, reason(error))
    return Outcome(FAILED, f"cannot write '{path}': {reason(error)}")


def current_umask():
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
