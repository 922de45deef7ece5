"""How fast a bucket's own objects come here, and what keeps them from coming faster: network, disk or CPU.

Measured with s3-fetch's own workers and batches, each part by itself: bytes from S3 to nowhere, a scratch file
without a name to the disk, a hash of bytes in memory. So the advice is for s3-fetch, not for some other client.
"""

import os
import queue
import random
import tempfile
import time
from statistics import median
from typing import NamedTuple

from s3kit import plan
from s3kit.address import has_dots
from s3kit.blocks import Blocks
from s3kit.digest import ALGORITHMS, Digest, hasher
from s3kit.durable import sync_data, write_all
from s3kit.engine import AGAIN, FATAL, RECEIVED, Engine, Job, Outcome, Task
from s3kit.errors import Fault, reason
from s3kit.flow import BATCH_BYTES, BATCH_ROWS
from s3kit.listing import Listing
from s3kit.place import existing
from s3kit.pool import DEPTH, Pool
from s3kit.session import Session
from s3kit.show import count
from s3kit.transfer import LARGE, Work
from s3kit.units import show_size

MOST_CONNECTIONS = 128          # of one worker, where -c does not say
RANGES_TOGETHER = 4             # of one object in one batch, as s3-fetch has it
PAGES = 5                       # of the listing, at most, to find objects that can be read
STEPS = 12                      # about how many there will be, for their share of the time
LEAST_SECONDS, MOST_SECONDS = 0.2, 4.0      # of one step
START = 0.3                     # seconds that workers take to start
FLAT = 1.05                     # a step that is not faster than the best by this leads nowhere
IN_VAIN = 3                     # steps in a row that are not: on a busy machine one or two say nothing
KNEE = 0.85                     # of the best rate: what is beyond costs connections and brings little
DISK_SECONDS, DISK_BYTES = 3.0, 1 << 30     # for the scratch file, at most
HASH_BYTES, PIECE = 64 << 20, 256 << 10
NOTE_SECONDS = 0.05             # between two reports of a worker
SEED = 1                        # the same objects in the same order at every step


class Sample(Task):
    """Reads to nowhere."""

    def begin(self):
        """Ask."""
        job = self.job
        self.began = time.monotonic()
        is_whole = not job.start and job.end == job.size
        self.send(headers=[] if is_whole else [f"Range: bytes={job.start}-{job.end - 1}"], sink=self.receive)

    def receive(self, transfer, data):
        """Take a piece, and let it go."""
        if not self.moved:
            self.engine.first.append(time.monotonic() - self.began)
        self.moved += len(data)
        self.engine.spend(transfer, len(data))

    def answered(self, transfer):
        """End, or say what S3 said."""
        if not self.is_refused(transfer):
            self.engine.read += 1
            self.end(Outcome(RECEIVED))


class Meter(Engine):
    """A worker's engine that also tells how long answers took, how many came, and how much CPU its process has used.

    Not with a batch's outcomes: slow answers make batches that outlast a measurement.
    """

    def __init__(self, work):
        super().__init__(work, {"sample": Sample})
        self.fault = None       # of the destination: nothing is written there
        self.told_at = 0.0
        self.first, self.read = [], 0

    def notes(self):
        """Return what the parent should know."""
        said, now = super().notes(), time.monotonic()
        if said and now - self.told_at > NOTE_SECONDS:
            self.told_at = now
            said.append(("so far", (os.getpid(), time.process_time(), self.read, self.first)))
            self.first = []
        return said


class Sampling(Work):
    """The work of measuring, as the pool gets it."""

    __slots__ = ()

    def engine(self):
        """Return the engine of one worker."""
        return Meter(self)


class Step(NamedTuple):
    """What one measurement gave; `cpu` are the client's seconds, of all its processes; `first` are seconds, sorted."""

    workers: int
    connections: int
    seconds: float
    bytes: int
    requests: int
    cpu: float
    first: tuple
    slowed: int

    @property
    def together(self):
        """How many requests were under way."""
        return self.workers * self.connections

    def first_byte(self, share):
        """Return the seconds within which this share of the answers began."""
        return self.first[min(len(self.first) - 1, int(len(self.first) * share))] if self.first else 0.0

    def json(self):
        """Return it as JSON has it."""
        return {"workers": self.workers, "connections": self.connections, "seconds": round(self.seconds, 3), "bytes": self.bytes,
                "bytes_per_second": round(self.bytes / self.seconds), "requests_per_second": round(self.requests / self.seconds, 1),
                "first_byte_ms": round(self.first_byte(0.5) * 1000, 1), "first_byte_ms_95": round(self.first_byte(0.95) * 1000, 1),
                "cpu_cores": round(self.cpu / self.seconds, 2), "slowed_down": self.slowed}


class Speed:
    """Measures one bucket or prefix. `steps()` yields as it goes; then `disk`, `hashing` and `verdict` are known.

    Raises Fault where nothing can be read.
    """

    def __init__(self, args, bucket, prefix, check):
        self.args, self.bucket, self.check = args, bucket, check
        self.cores = os.cpu_count() or 2
        self.most_workers, self.most_connections = args.jobs or self.cores, args.connections or MOST_CONNECTIONS
        self.ends = time.monotonic() + args.seconds
        self.left = args.max_bytes
        session = Session(args)
        self.endpoint = session.endpoint(bucket)
        self.rows = self.choose(Listing(check, 1, session.renewed), prefix)
        self.sizes = sorted(row.length for row in self.rows)
        self.done = []
        self.disk = self.flush = 0.0        # bytes a second, seconds
        self.no_disk = ""
        self.hashing = 0.0                  # bytes a second and core

    @property
    def mean(self):
        """The bytes of an object, on average."""
        return sum(self.sizes) / len(self.sizes)

    def choose(self, listing, prefix):
        """Return rows that can be read now, of as few pages as have any. Raises Fault."""
        for number, page in enumerate(listing.pages(self.endpoint, prefix)):
            rows = [row for row in page.rows if row.length and row.storage_class not in plan.ARCHIVED_CLASSES and not has_dots(row.key)]
            if rows:
                return rows
            if number + 1 == PAGES:
                break
        raise Fault(f"nothing to read at s3://{self.bucket}/{prefix}: no objects, or only empty and archived ones")

    # --- network

    def steps(self):
        """Yield the Steps: connections first, then workers."""
        self.hashing = self.hash()
        self.try_disk()
        yield from self.rise((1, number) for number in doubling(self.most_connections))
        if self.done:
            connections = self.knee(self.done).connections
            yield from self.rise((workers, connections) for workers in doubling(self.most_workers) if workers > 1)
        if not self.done:
            raise Fault("there was no time to measure anything: give more with --for or --max-bytes")

    def rise(self, ladder):
        """Yield a Step for each (workers, connections), until IN_VAIN in a row bring nothing, or time or bytes are used up."""
        flat = 0
        for workers, connections in ladder:
            seconds = min(MOST_SECONDS, max(LEAST_SECONDS, (self.ends - time.monotonic()) / max(3, STEPS - len(self.done)) - START))
            if self.left <= 0 or (time.monotonic() + seconds + START > self.ends and self.done):
                return
            best = max(map(self.rate, self.done), default=0)
            step = self.measure(workers, connections, seconds, max(self.left // max(3, STEPS - len(self.done)), 1))
            self.left -= step.bytes
            self.done.append(step)
            yield step
            flat = 0 if self.rate(step) > best * FLAT else flat + 1
            if flat == IN_VAIN or step.slowed:
                return

    def rate(self, step):
        """Return what is to be great: bytes a second, or requests where objects are small (their sizes only make noise then)."""
        return (step.requests if self.mean < BATCH_BYTES / BATCH_ROWS else step.bytes) / step.seconds

    def knee(self, steps):
        """Return the step with the fewest connections that is about as fast as any."""
        best = max(map(self.rate, steps))
        return min((step for step in steps if self.rate(step) >= best * KNEE), key=lambda step: (step.together, step.workers))

    def measure(self, workers, connections, seconds, most):
        """Return the Step of so many workers, connections each, seconds, and bytes at most."""
        run = Run(self, workers, connections)
        try:
            run.warm_up()
            return run.measure(seconds, most)
        finally:
            run.pool.shutdown(cancel_futures=True)

    def batches(self, workers):
        """Yield batches of Jobs without end, as s3-fetch would make them of the objects in some order."""
        order = random.Random(SEED)
        batch, weight = [], 0
        while True:
            row = order.choice(self.rows)
            if row.length < LARGE:
                batch.append(self.job(row, 0, row.length))
                weight += row.length
            else:
                ranges = plan.ranges_of(row.length, 0, workers)[:RANGES_TOGETHER * DEPTH * workers]
                together = max(1, min(RANGES_TOGETHER, len(ranges) // (workers * DEPTH)))
                for at in range(0, len(ranges), together):
                    yield [self.job(row, *span) for span in ranges[at:at + together]]
            if len(batch) >= BATCH_ROWS or weight >= BATCH_BYTES:
                yield batch
                batch, weight = [], 0

    def job(self, row, start, end):
        """Return the Job of reading bytes of an object."""
        return Job("sample", self.bucket, row.key, row.version_id, row.etag, row.length, -1, "", start=start, end=end)

    # --- disk and CPU

    def hash(self):
        """Return how many bytes a second one core checks and digests, as the bucket's objects want it."""
        named = self.rows[0].checksum_algorithm.lower().split()
        check, digest = hasher(named[0] if named and named[0] in ALGORITHMS else "md5"), Digest()
        data = random.Random(SEED).randbytes(PIECE)
        began = time.process_time()
        for _ in range(HASH_BYTES // PIECE):
            check.update(data)
            digest.update(data)
        return HASH_BYTES / max(1e-6, time.process_time() - began)

    def try_disk(self):
        """Write and flush a scratch file that has no name, so that nothing can be left of it."""
        folder = existing(self.args.dest)
        try:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                space = os.statvfs(folder)
                most = min(DISK_BYTES, space.f_bavail * space.f_frsize // 2)
                self.disk = self.write(file.fileno(), most, min(DISK_SECONDS, (self.ends - time.monotonic()) / 8))
                self.flush = median(self.flushes(file.fileno()))
        except OSError as error:
            self.no_disk = f"'{folder}' cannot be written to: {reason(error)}"

    def write(self, fd, most, seconds):
        """Return the bytes a second of writing so much, or so long, and flushing it."""
        data, blocks = os.urandom(PIECE), Blocks(fd, 0, lambda view: None, [])
        began, written = time.monotonic(), 0
        while written < PIECE or (written + PIECE <= most and time.monotonic() - began < seconds):
            self.check()
            blocks.add(data)
            written += PIECE
        blocks.end()
        sync_data(fd)
        return written / max(1e-6, time.monotonic() - began)

    def flushes(self, fd):
        """Yield the seconds that it takes to make a few bytes durable."""
        for number in range(5):
            began = time.monotonic()
            write_all(fd, os.urandom(512), number * 4096)
            sync_data(fd)
            yield time.monotonic() - began

    # --- advice

    def verdict(self):
        """Return {limit, jobs, connections, and the bytes a second that network, disk and CPU alone would do}."""
        knee = self.knee(self.done)
        network = max(step.bytes / step.seconds for step in self.done)
        a_byte = knee.cpu / max(1, knee.bytes) + 1 / self.hashing
        rates = {"network": network, "disk": self.disk or float("inf"), "cpu": self.cores / a_byte}
        # What the client's processes had no CPU for is not the network's fault.
        if max(step.cpu / step.seconds / min(step.workers, self.cores) for step in self.done if step.workers == knee.workers) > 0.85 \
                and knee.workers >= min(self.most_workers, self.cores):
            limit = "cpu"
        else:
            limit = min(rates, key=rates.get)
        wanted = min(network, rates["disk"]) * a_byte / 0.8     # workers, each four fifths of a core
        jobs = max(knee.workers, min(self.most_workers, self.cores, int(wanted) + 1))
        connections = max(1, -(-knee.together // jobs))
        return {"limit": limit, "jobs": jobs, "connections": connections, "knee": [knee.workers, knee.connections],
                "network_bytes_per_second": round(network), "disk_bytes_per_second": round(self.disk) or None,
                "flush_ms": round(self.flush * 1000, 1) if self.disk else None,
                "cpu_bytes_per_second": round(rates["cpu"]), "hash_bytes_per_second": round(self.hashing),
                "cpu_seconds_per_gib": round(a_byte * (1 << 30), 2), "cpu_us_per_object": round(a_byte * self.mean * 1e6)}


    def title(self):
        """Return what is measured, in one line."""
        sizes = self.sizes
        return (f"s3://{self.bucket}: {count(len(sizes), 'object')} to choose from, {show_size(sizes[0])} to {show_size(sizes[-1])}, "
                f"{show_size(self.mean)} on average")

    def advice(self):
        """Yield (what, what came of it) of everything but the steps."""
        told = self.verdict()
        yield "network", f"{show_size(told['network_bytes_per_second'])}/s at best"
        yield "disk", (f"{show_size(self.disk)}/s written to '{existing(self.args.dest)}' and flushed; a flush takes {self.flush * 1000:.1f} ms"
                       if self.disk else f"not measured: {self.no_disk}")
        yield "cpu", (f"{show_size(told['cpu_bytes_per_second'])}/s by all {self.cores} cores: {told['cpu_seconds_per_gib']:.2f} s a GiB, "
                      f"{told['cpu_us_per_object'] / 1000:.2f} ms an object; one core hashes {show_size(self.hashing)}/s")
        yield "limit", {"network": "the network, or S3", "disk": "the disk", "cpu": "the CPU"}[told["limit"]]
        workers, connections = told["knee"]
        is_last = workers * connections == max(step.together for step in self.done)
        yield "knee", f"{count(workers, 'worker')} with {count(connections, 'connection')} each: " + (
            "no more were tried; --for, --max-bytes, -j and -c let it try more" if is_last else "more brings little")
        if any(step.slowed for step in self.done):
            yield "S3", "slowed us down (503 SlowDown): more connections will not help"
        yield "use", f"s3-fetch -j {told['jobs']} -c {told['connections']}"


def row_of(step):
    """Return the line of a Step in the table under HEAD."""
    return (f"{step.workers:7} {step.connections:11} {show_size(step.bytes / step.seconds) + '/s':>9} {step.requests / step.seconds:10,.0f} "
            f"{step.first_byte(0.5) * 1000:8.1f} ms {step.first_byte(0.95) * 1000:6.1f} ms {step.cpu / step.seconds:9.2f}")


HEAD = "workers connections     bytes requests/s  first byte      95 %  CPU cores"


class Run:
    """One measurement: a pool of its own, kept busy, and what it said."""

    def __init__(self, speed, workers, connections):
        self.speed, self.workers, self.connections = speed, workers, connections
        self.moved = self.slowed = self.expired = 0
        self.cpu, self.read = {}, {}        # of each process: seconds, answers
        self.first = []
        self.enough = float("inf")          # bytes after which nobody must wait for anything
        self.answers = queue.SimpleQueue()
        self.pool = Pool(workers, self.note)
        self.work = Sampling(os.path.abspath(speed.args.dest), {speed.bucket: speed.endpoint}, connections, make=False)

    def note(self, note):
        """Take what a worker says, in the pool's thread."""
        kind, value = note
        if kind == "moved":
            self.moved += value
            if self.moved >= self.enough:
                self.answers.put(None)
        elif kind == "so far":
            process, self.cpu[process], self.read[process], first = value[0], *value[1:]
            self.first += first
        elif kind == "slow":
            self.slowed += 1
            self.pool.tell(("slow", None))
        elif kind == "expired":
            self.expired += 1

    def submit(self, batch):
        """Send a batch; what comes of it goes to `answers`."""
        self.pool.submit(self.work, batch).add_done_callback(self.answers.put)

    def warm_up(self):
        """Let every worker start and open its connections: one byte for each."""
        rows = self.speed.rows
        for worker in range(self.workers):
            self.submit([self.speed.job(rows[(worker + at) % len(rows)], 0, 1) for at in range(self.connections)])
        for _ in range(self.workers):
            self.take(None)

    def measure(self, seconds, most):
        """Return the Step."""
        batches = self.speed.batches(self.workers)
        for _ in range(self.workers * DEPTH):
            self.submit(next(batches))
        moved, read, cpu, slowed, first = self.moved, sum(self.read.values()), self.used(), self.slowed, len(self.first)
        began, self.enough = time.monotonic(), moved + most
        while (passed := time.monotonic() - began) < seconds and self.moved < self.enough:
            if self.take(min(0.05, seconds - passed)):
                self.submit(next(batches))
        passed = time.monotonic() - began
        return Step(self.workers, self.connections, passed, self.moved - moved, sum(self.read.values()) - read, self.used() - cpu,
                    tuple(sorted(self.first[first:])), self.slowed - slowed)

    def used(self):
        """Return the seconds of CPU that we and the workers have used."""
        return time.process_time() + sum(self.cpu.values())

    def take(self, seconds):
        """Take the next batch that is done; return whether one was, in time. Raises Fault where S3 refuses."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            self.speed.check()
            if self.expired:
                raise Fault("the credentials have expired; renew them and run the same command again")
            try:
                answer = self.answers.get(timeout=0.2 if until is None else max(0.0, min(0.2, until - time.monotonic())))
            except queue.Empty:
                if until is not None and time.monotonic() >= until:
                    return False
                continue
            if answer is None:
                return False
            outcomes = answer.result()
            wrong = [outcome for outcome in outcomes if outcome.state != RECEIVED]
            # S3 that only slows us down is a result, too; what went since it was listed is none.
            if any(outcome.state == FATAL for outcome in wrong) or \
                    (len(wrong) == len(outcomes) and not any(outcome.state == AGAIN and outcome.slow for outcome in wrong)):
                raise Fault(f"cannot read s3://{self.speed.bucket}: {wrong[0].error}")
            return True


def doubling(most):
    """Yield 1, 2, 4 ... and at last `most`."""
    number = 1
    while number < most:
        yield number
        number *= 2
    yield most
