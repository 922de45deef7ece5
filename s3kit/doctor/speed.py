"""How fast a bucket's own objects come here, and what keeps them from coming faster: network, disk
or CPU.

Measured with s3-fetch's own workers and batches, each part by itself: bytes from S3 to nowhere, a
scratch file without a name to the disk, a hash of bytes in memory. So the advice is for s3-fetch,
not for some other client.
"""

import os
import random
import tempfile
import time
from statistics import median

from s3kit.cores import usable_cores
from s3kit.disk.direct_io import Blocks
from s3kit.disk.durable import sync_data, write_all
from s3kit.doctor.destination import existing
from s3kit.doctor.sampling import Run
from s3kit.errors import Fault, reason
from s3kit.listing.listing import Listing
from s3kit.manifest import states
from s3kit.pipeline.flow import BATCH_BYTES, BATCH_ROWS
from s3kit.pipeline.pool import DEPTH
from s3kit.proof.checksums import ALGORITHMS, hasher
from s3kit.proof.digest import Digest
from s3kit.s3.access import Access
from s3kit.s3.address import has_dots
from s3kit.text import count
from s3kit.transfer import sizes
from s3kit.transfer.job import Job
from s3kit.transfer.sizes import LARGE
from s3kit.units import show_size

MOST_CONNECTIONS = 128          # of one worker, where -c does not say
RANGES_TOGETHER = 4             # of one object in one batch, as s3-fetch has it
PAGES = 5                       # of the listing, at most, to find objects that can be read
STEPS = 18                      # twice as many as there will be, about, for their share of the time
LEAST_SECONDS, MOST_SECONDS = 0.2, 4.0      # of one step
START = 0.3                     # seconds that workers take to start
FLAT = 1.05                     # a step that is not faster than the best by this leads nowhere
IN_VAIN = 3  # steps in a row that are not: on a busy machine one or two say nothing
CLOSE = 0.5  # of the best rate: steps that are measured again before one is called the knee
KNEE = 0.85  # of the best rate: what is beyond costs connections and brings little
BUSY = 0.8                      # of a core, that a worker can do and leave some to others
DISK_SECONDS, DISK_BYTES = 3.0, 1 << 30     # for the scratch file, at most
HASH_BYTES, PIECE = 64 << 20, 256 << 10
SEED = 1                        # the same objects in the same order at every step


class Speed:
    """Measures one bucket or prefix. `steps()` yields as it goes; then `disk`, `hashing` and
    `verdict` are known.

    Raises Fault where nothing can be read.
    """

    def __init__(self, args, bucket, prefix, check):
        self.args, self.bucket, self.check = args, bucket, check
        self.cores = usable_cores()
        self.most_workers, self.most_connections = (args.jobs or self.cores,
                                                    args.connections or MOST_CONNECTIONS)
        self.ends = time.monotonic() + args.seconds
        self.left = args.max_bytes
        access = Access(args)
        self.endpoint = access.endpoint(bucket)
        self.rows = self.choose(Listing(check, 1, access.renewed), prefix)
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
            rows = [row for row in page.rows if row.length
                    and row.storage_class not in states.ARCHIVED_CLASSES and not has_dots(row.key)]
            if rows:
                return rows
            if number + 1 == PAGES:
                break
        raise Fault(
            f"nothing to read at s3://{self.bucket}/{prefix}: no objects, or only empty and "
            "archived ones")

    # --- network

    def steps(self):
        """Yield the Steps: connections first, then workers, then again those between which the
        choice is.
        """
        self.hashing = self.hash()
        self.try_disk()
        yield from self.rise((1, number) for number in doubling(self.most_connections))
        if self.done:
            connections = self.knee(self.done).connections
            yield from self.rise((workers, connections)
                                 for workers in doubling(self.most_workers) if workers > 1)
            yield from self.look_again()
        if not self.done:
            raise Fault(
                "there was no time to measure anything: give more with --for or --max-bytes")

    def rise(self, ladder):
        """Yield a Step for each (workers, connections), until IN_VAIN in a row bring nothing, or
        time or bytes are used up.
        """
        flat = 0
        for workers, connections in ladder:
            share = max(3, STEPS - len(self.done))
            seconds = min(MOST_SECONDS,
                          max(LEAST_SECONDS, (self.ends - time.monotonic()) / share - START))
            if self.left <= 0 or (time.monotonic() + seconds + START > self.ends and self.done):
                return
            best = max(map(self.rate, self.done), default=0)
            step = self.measure(workers, connections, seconds, max(self.left // share, 1))
            self.left -= step.bytes
            self.done.append(step)
            yield step
            flat = 0 if self.rate(step) > best * FLAT else flat + 1
            if flat == IN_VAIN or step.slowed:
                return

    def look_again(self):
        """Yield the best Steps once more, with what they gave before: one look says little where
        others are at work, too.
        """
        best = max(map(self.rate, self.done))
        close = [number for number, step in enumerate(self.done)
                 if self.rate(step) >= best * CLOSE and not step.slowed]
        for turn, number in enumerate(close):
            seconds = min(MOST_SECONDS,
                          (self.ends - time.monotonic()) / (len(close) - turn) - START)
            if seconds < LEAST_SECONDS or self.left <= 0:
                return
            step = self.done[number]
            more = self.measure(step.workers, step.connections, seconds,
                                max(self.left // (len(close) - turn), 1))
            self.left -= more.bytes
            self.done[number] = step.joined(more)
            yield self.done[number]

    def rate(self, step):
        """Return what is to be great: bytes a second, or requests where objects are small (their
        sizes only make noise then).
        """
        return (step.requests if self.mean < BATCH_BYTES / BATCH_ROWS
                else step.bytes) / step.seconds

    def knee(self, steps):
        """Return the step with the fewest connections that is about as fast as any."""
        best = max(map(self.rate, steps))
        return min((step for step in steps if self.rate(step) >= best * KNEE),
                   key=lambda step: (step.together, step.workers))

    def measure(self, workers, connections, seconds, most):
        """Return the Step of so many workers, connections each, seconds, and bytes at most."""
        run = Run(self, workers, connections)
        try:
            run.warm_up()
            return run.measure(seconds, most)
        finally:
            run.pool.shutdown(cancel_futures=True)

    def batches(self, workers):
        """Yield batches of Jobs without end, as s3-fetch would make them of the objects in some
        order.
        """
        order = random.Random(SEED)
        batch, weight = [], 0
        while True:
            row = order.choice(self.rows)
            if row.length < LARGE:
                batch.append(self.job(row, 0, row.length))
                weight += row.length
            else:
                ranges = sizes.ranges_of(row.length, 0, workers)[:RANGES_TOGETHER * DEPTH * workers]
                together = max(1, min(RANGES_TOGETHER, len(ranges) // (workers * DEPTH)))
                for at in range(0, len(ranges), together):
                    yield [self.job(row, *span) for span in ranges[at:at + together]]
            if len(batch) >= BATCH_ROWS or weight >= BATCH_BYTES:
                yield batch
                batch, weight = [], 0

    def job(self, row, start, end):
        """Return the Job of reading bytes of an object."""
        return Job("sample", self.bucket, row.key, row.version_id, row.etag, row.length, -1, "",
                   start=start, end=end)

    # --- disk and CPU

    def hash(self):
        """Return how many bytes a second one core checks and digests, as the bucket's objects want
        it.
        """
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
                self.disk = self.write(file.fileno(), most,
                                       min(DISK_SECONDS, (self.ends - time.monotonic()) / 8))
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
        """Return {limit, jobs, connections, and the bytes a second that network, disk and CPU alone
        would do}.
        """
        knee = self.knee(self.done)
        network = max(step.bytes / step.seconds for step in self.done)
        a_byte = knee.cpu / max(1, knee.bytes) + 1 / self.hashing
        rates = {"network": network, "disk": self.disk or float("inf"), "cpu": self.cores / a_byte}
        # What our processes had no CPU for is not the network's fault.
        is_busy = knee.workers == self.cores and knee.cpu / knee.seconds > BUSY * self.cores
        limit = "cpu" if is_busy else min(rates, key=rates.get)
        wanted = min(network, rates["disk"]) * a_byte / BUSY        # workers
        jobs = max(knee.workers, min(self.most_workers, self.cores, int(wanted) + 1))
        connections = max(1, -(-knee.together // jobs))
        return {"limit": limit, "jobs": jobs, "connections": connections,
                "knee": [knee.workers, knee.connections],
                "network_bytes_per_second": round(network),
                "disk_bytes_per_second": round(self.disk) or None,
                "flush_ms": round(self.flush * 1000, 1) if self.disk else None,
                "cpu_bytes_per_second": round(rates["cpu"]),
                "hash_bytes_per_second": round(self.hashing),
                "cpu_seconds_per_gib": round(a_byte * (1 << 30), 2),
                "cpu_us_per_object": round(a_byte * self.mean * 1e6)}

    def title(self):
        """Return what is measured, in one line."""
        sizes = self.sizes
        return (f"s3://{self.bucket}: {count(len(sizes), 'object')} to choose from, "
                f"{show_size(sizes[0])} to {show_size(sizes[-1])}, {show_size(self.mean)} on "
                "average")

    def advice(self):
        """Yield (what, what came of it) of everything but the steps."""
        told = self.verdict()
        yield "network", f"{show_size(told['network_bytes_per_second'])}/s at best"
        yield "disk", (
            f"{show_size(self.disk)}/s written to '{existing(self.args.dest)}' and flushed; "
            f"a flush takes {self.flush * 1000:.1f} ms" if self.disk
            else f"not measured: {self.no_disk}")
        yield "cpu", (
            f"{show_size(told['cpu_bytes_per_second'])}/s by all {self.cores} cores: "
            f"{told['cpu_seconds_per_gib']:.2f} s "
            f"a GiB, {told['cpu_us_per_object'] / 1000:.2f} ms an object; one core hashes "
            f"{show_size(self.hashing)}/s")
        (yield "limit",
         {"network": "the network, or S3", "disk": "the disk", "cpu": "the CPU"}[told["limit"]])
        workers, connections = told["knee"]
        is_last = workers * connections == max(step.together for step in self.done)
        (yield "knee", f"{count(workers, 'worker')} with {count(connections, 'connection')} each: "
         + ("no more were tried; --for, --max-bytes, -j and -c let it try more" if is_last
            else "more brings little"))
        if any(step.slowed for step in self.done):
            yield "S3", "slowed us down (503 SlowDown): more connections will not help"
        yield "use", f"s3-fetch -j {told['jobs']} -c {told['connections']}"


def row_of(step):
    """Return the line of a Step in the table under HEAD."""
    return (f"{step.workers:7} {step.connections:11} "
            f"{show_size(step.bytes / step.seconds) + '/s':>9} "
            f"{step.requests / step.seconds:10,.0f} {step.first_byte(0.5) * 1000:8.1f} ms "
            f"{step.first_byte(0.95) * 1000:6.1f} ms {step.cpu / step.seconds:9.2f}")


HEAD = "workers connections     bytes requests/s  first byte      95 %  CPU cores"


def doubling(most):
    """Yield 1, 2, 4 ... and at last `most`."""
    number = 1
    while number < most:
        yield number
        number *= 2
    yield most
