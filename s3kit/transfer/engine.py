"""A worker's engine: tasks on one libcurl loop, fed with batches, never with a gap between two of
them.

A task never waits: what must be tried again is answered `again`, and the parent decides when.
"""
import mmap
import os
import time
from collections import deque

from s3kit.disk.tree import Tree
from s3kit.errors import Fault
from s3kit.proof.checksums import FULL_OBJECT, crc_function
from s3kit.s3.capabilities import KNOWN
from s3kit.s3.request_rate import LIMIT
from s3kit.s3.window import Share
from s3kit.transfer.job import FATAL
from s3kit.transfer.rate import Rate
from s3kit.transfer.task import outcome_of
from s3kit.transfer.under_way import UnderWay
from s3kit.transfer.unnamed import Unnamed

READ = 4 << 20              # bytes of a file hashed between two looks at the network
HELD_BYTES = 32 << 20       # of bodies under way, in memory
READ_SECONDS = 1.0          # between two notes of how much of files was read
WAITING_SECONDS = 5.0       # between two notes that answers are waited for


class Engine:
    """One worker's tasks: `add` batches, `turn` until they come back, `hear` what the parent says.

    `tasks` maps a Job's kind to the class that does it.
    """

    def __init__(self, work, tasks):
        from s3kit.s3.wire import Wire      # not with the module: the parent needs no libcurl
        self.tasks, self.endpoints = tasks, dict(work.endpoints)
        self.tree = self.fault = None
        try:
            self.tree = Tree(work.destination, work.make, work.place)
        except Fault as fault:
            self.fault = fault      # of every Job: the parent found the destination good
        self.wire = Wire(work.connections)
        self.share = Share(work.share or work.connections)
        self.rate = Rate(work.rate, self.wire)
        self.mode, self.describes = 0o666 & ~current_umask(), work.describes
        self.retimes = work.retimes
        self.unnamed = Unnamed(self.tree, self.mode, work.connections)
        self.waiting, self.reading, self.batches, self.done = deque(), deque(), {}, []
        self.moved, self.answers, self.said = 0, 0, []
        self.held = 0           # bytes of memory for the bodies under way, at most
        self.read, self.read_at = 0, time.monotonic()       # bytes of files, since we last said so
        self.waited_at = self.read_at       # when something came, or was said of the waiting
        self.expired = None     # the generation of credentials that S3 says have expired
        self.aligned, self.awaits_crc = None, False     # whether answers may need it
        self.spare, self.leaves = [], []    # buffers for Blocks, and for bodies that are sent
        self.part_sizes = {}    # bucket: the part size of the last object proven by one
        self.under_way = UnderWay(self)

    def watch(self, fd):
        """Let `turn` end as soon as `fd` can be read."""
        self.wire.watch(fd)

    @property
    def paused(self):
        """Whether nothing is asked of S3 until there are newer credentials."""
        return self.expired is not None

    def pause(self, generation):
        """Ask nothing of S3 until there are credentials newer than a generation, and have the
        parent find them.
        """
        self.expired = generation
        self.said.append(("expired", generation))

    @property
    def is_urgent(self):
        """Whether the parent should know at once what there is to say."""
        return bool(self.said)

    @property
    def busy(self):
        """Whether there is anything to do."""
        return bool(self.batches)

    def add(self, ticket, batch):
        """Take a batch of Jobs; `turn` returns (ticket, Outcomes) when all are done."""
        self.batches[ticket] = [len(batch), [None] * len(batch)]
        self.awaits_crc = self.awaits_crc or batch[0].checksum_type == FULL_OBJECT
        for place, job in enumerate(batch):
            task = self.tasks[job.kind](self, job, ticket, place)
            (self.waiting.appendleft if task.is_local else self.waiting.append)(task)

    def hear(self, message):
        """Take what the parent tells all workers: endpoints, a limit, that one was slowed down."""
        kind, value = message
        if kind == "endpoints":
            self.endpoints.update((endpoint.bucket, endpoint) for endpoint in value)
            if self.paused and any(endpoint.generation > self.expired for endpoint in value):
                self.expired = None     # those of the same generation may come again
        elif kind == "share":
            self.share.resize(value)
        elif kind == "lease" and self.tree:
            self.tree.until = value
        elif kind == "slow":
            self.share.slow_down(time.monotonic())
        elif kind == "limits":
            self.rate.most, requests = value
            LIMIT.allow(requests)
        elif kind == "lacks":
            KNOWN.learn(*value)

    def learn(self, endpoint, what, told):
        """A server was found to lack something, as it `told`: have the parent know."""
        if KNOWN.learn(endpoint, what, told):
            public = endpoint._replace(access_key="", secret_key="", token="")
            self.said.append(("lacks", (public, what, told)))

    def answered_well(self, transfer):
        """Have the parent know how long answers take, once a round."""
        found = self.share.answered(transfer)
        if found:
            self.said.append(("round", found))

    def slowed_down(self):
        """Heed an answer that says that we are too fast, and have the other workers heed it."""
        self.share.slow_down(time.monotonic())
        self.said.append(("slow", None))

    def notes(self):
        """Return what the parent should know besides outcomes."""
        if self.moved:
            self.said.append(("moved", self.moved))
            self.moved, self.under_way.total = 0, self.under_way.total + self.moved
        now = time.monotonic()
        if self.read and now - self.read_at > READ_SECONDS:
            self.said.append(("read", self.read))
            self.under_way.total += self.read
            self.read, self.read_at = 0, now
        if self.said or not self.wire.active:
            self.waited_at = now
        elif now - self.waited_at > WAITING_SECONDS:
            self.said.append(("waiting", self.wire.active))
            self.waited_at = now
        said, self.said = self.said, []
        return said

    def turn(self, seconds):
        """Work for about `seconds` or until something is done; return [(ticket, Outcomes)]."""
        self.rate.fill()
        if self.awaits_crc and self.wire.active:
            self.awaits_crc = False
            crc_function("crc64nvme")       # takes 40 ms to load: now, while S3 is waited for
        while self.waiting and self.waiting[0].is_local:
            self.begin(self.waiting.popleft())
        room = (0 if self.paused or self.rate.is_spent
                else self.share.room(self.wire.active, time.monotonic()))
        while self.waiting and room > 0 and self.has_memory(self.waiting[0]):
            room -= self.begin(self.waiting.popleft())
        if self.reading:
            self.guard(self.reading[0], self.reading[0].step)
            seconds = 0
        if self.waiting and not self.wire.active or self.rate.halted:
            seconds = min(seconds, 0.05)
        if not self.done:
            for transfer in self.wire.turn(seconds):
                self.answers += 1
                self.guard(transfer.owner, transfer.owner.answered, transfer)
        done, self.done = self.done, []
        return done

    def has_memory(self, task):
        """Return whether there is memory for a task's body beside those under way."""
        return not self.held or self.held + task.memory <= HELD_BYTES

    def begin(self, task):
        """Start a task; return how many requests it sent (0 or 1)."""
        before = self.wire.active
        task.since = time.monotonic()
        self.held += task.memory
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
            task.end(outcome_of(error, task.job.path, task.does)._replace(moved=task.moved))

    def finish(self, task, outcome):
        """Put a task's outcome in its batch's place."""
        batch = self.batches[task.ticket]
        if batch[1][task.place] is not None:
            return
        self.held -= task.memory
        batch[1][task.place] = outcome
        batch[0] -= 1
        if not batch[0]:
            self.done.append((task.ticket, self.batches.pop(task.ticket)[1]))

    def spend(self, transfer, count):
        """Count bytes that came."""
        self.moved += count
        self.rate.spend(transfer, count)

    def sent(self, count):
        """Count bytes that went."""
        self.moved += count
        self.rate.sent(count)

    def buffer(self):
        """Return the one buffer to read files into, page-aligned: reading past the cache needs it.
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


def current_umask():
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
