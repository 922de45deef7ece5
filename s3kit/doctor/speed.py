"""How fast a bucket's own objects come here, and what keeps them from coming faster: network, disk
or CPU.

Measured with s3-fetch's own workers and batches, each part by itself: bytes from S3 to nowhere, a
scratch file without a name to the disk, a hash of bytes in memory. So the advice is for s3-fetch,
not for some other client.
"""

import time

from s3kit.cores import usable_cores
from s3kit.doctor import machine, objects
from s3kit.doctor.sampling import Run
from s3kit.errors import Fault

MOST_CONNECTIONS = 128          # of one worker, where -c does not say
STEPS = 18                      # twice as many as there will be, about, for their share of the time
LEAST_SECONDS, MOST_SECONDS = 0.2, 4.0      # of one step
START = 0.3                     # seconds that workers take to start
FLAT = 1.05                     # a step that is not faster than the best by this leads nowhere
IN_VAIN = 3  # steps in a row that are not: on a busy machine one or two say nothing
CLOSE = 0.5  # of the best rate: steps that are measured again before one is called the knee
KNEE = 0.85  # of the best rate: what is beyond costs connections and brings little


class Speed:
    """Measures one bucket or prefix. `steps()` yields as it goes; then `done`, `disk` and `hashing`
    (bytes a second and core) are known.

    Raises Fault where nothing can be read.
    """

    def __init__(self, args, bucket, prefix, check):
        self.dest, self.check = args.dest, check
        self.cores = usable_cores()
        self.most_workers, self.most_connections = (args.jobs or self.cores,
                                                    args.connections or MOST_CONNECTIONS)
        self.ends = time.monotonic() + args.seconds
        self.left = args.max_bytes
        self.objects = objects.found(args, bucket, prefix, check)
        self.done, self.disk, self.hashing = [], None, 0.0

    def steps(self):
        """Yield the Steps: connections first, then workers, then again those between which the
        choice is; until S3 slows us down.
        """
        self.hashing = machine.hash_rate(self.objects.rows[0].checksum_algorithm)
        self.disk = machine.try_disk(self.dest, (self.ends - time.monotonic()) / 8, self.check)
        yield from self.rise((1, number) for number in doubling(self.most_connections))
        if self.done and not self.done[-1].slowed:
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
        return (step.requests if self.objects.are_small else step.bytes) / step.seconds

    def knee(self, steps):
        """Return the step with the fewest connections that is about as fast as any."""
        best = max(map(self.rate, steps))
        return min((step for step in steps if self.rate(step) >= best * KNEE),
                   key=lambda step: (step.together, step.workers))

    def measure(self, workers, connections, seconds, most):
        """Return the Step of so many workers, connections each, seconds, and bytes at most."""
        run = Run(self.objects, self.dest, (workers, connections), self.check)
        try:
            run.warm_up()
            return run.measure(seconds, most)
        finally:
            run.pool.shutdown(cancel_futures=True)


def doubling(most):
    """Yield 1, 2, 4 ... and at last `most`."""
    number = 1
    while number < most:
        yield number
        number *= 2
    yield most
