"""What rows cost on a Dask cluster: throughput by workers, what its way costs each row beside our
own pool's, and the scheduler's memory.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "support")]

from cluster import Cluster  # noqa: E402

from s3kit.pipeline.flow import BATCH_ROWS  # noqa: E402
from s3kit.transfer.job import FAILED, Job, Outcome  # noqa: E402

WORKERS = (1, 2, 4)


class Nothing(NamedTuple):
    """A work whose jobs cost nothing but their way."""

    name: str = "nothing"

    def engine(self):
        """Return what a worker process does it with."""
        from s3kit.pipeline.worker import Plain
        return Plain(self)

    def __call__(self, jobs):
        return [Outcome(FAILED)] * len(jobs)


def seconds(line, env):
    """Return how long a command line takes. Raises CalledProcessError where it fails."""
    began = time.monotonic()
    subprocess.run(["bash", "-o", "pipefail", "-c", line], env=env, check=True)
    return time.monotonic() - began


def rows_through(pool, rows, ahead):
    """Send so many rows through an executor, in batches as Flow makes them, `ahead` at most on
    their way; return the seconds of wall and CPU time, the latter of this process.
    """
    batch = [Job("get", "b", f"folder/object-{number:06d}", "v" * 32, "e" * 32, 4096, -1,
                 f"b/folder/object-{number:06d}") for number in range(BATCH_ROWS)]
    work, pending, sent = Nothing(), set(), 0
    began, cpu = time.monotonic(), time.process_time()
    while sent < rows or pending:
        while sent < rows and len(pending) < ahead // BATCH_ROWS:
            pending.add(pool.submit(work, batch))
            sent += BATCH_ROWS
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
    return time.monotonic() - began, time.process_time() - cpu


@contextmanager
def cluster_pool(cluster):
    """Give a ClusterPool."""
    from s3kit.cluster.parcel import Setup
    from s3kit.cluster.pool import ClusterPool
    pool = ClusterPool(cluster.address, 1, Setup("bench", "bench"), lambda note: None,
                       lambda nodes: None, print)
    try:
        yield pool
    finally:
        pool.shutdown()


def memory_of(pid):
    """Return (MiB now, MiB at most) of a process (proc_pid_status(5))."""
    said = Path(f"/proc/{pid}/status").read_text().split("\n")
    return tuple(int(line.split()[1]) / 1024 for name in ("VmRSS:", "VmHWM:")
                 for line in said if line.startswith(name))


def ways(folder, rows):
    """Yield what the way of a row costs, in words, and the scheduler's memory."""
    from s3kit.cluster.gathering import ROWS
    from s3kit.cluster.shipping import DEPTH
    from s3kit.pipeline.pool import Pool
    os.environ["PYTHONPATH"] = f"{HERE.parents[1]}:{HERE}"      # for all workers: of Nothing
    for workers in (1, 2):
        pool = Pool(workers)
        took, cpu = rows_through(pool, rows // 10, workers * 4 * BATCH_ROWS)
        pool.shutdown()
        yield (f"our pool, {workers} workers: {1e6 * took * 10 / rows:.1f} us a row, "
               f"{1e6 * cpu * 10 / rows:.1f} of CPU in the parent")
        place = folder / f"ways-{workers}"
        place.mkdir()
        with Cluster(place, workers, env={"PYTHONPATH": os.environ["PYTHONPATH"]}) as cluster:
            with cluster_pool(cluster) as pool:
                rows_through(pool, ROWS, ROWS)
                first, _ = memory_of(cluster.scheduler.pid)
                ticks = cpu_of(cluster.scheduler.pid)
                took, cpu = rows_through(pool, rows, (DEPTH * workers + 1) * ROWS)
                ticks = cpu_of(cluster.scheduler.pid) - ticks
                parcels = pool.shipping.parcels
                last, most = memory_of(cluster.scheduler.pid)
            yield (f"Dask, {workers} workers: {1e6 * took / rows:.1f} us a row, "
                   f"{1e6 * cpu / rows:.1f} of CPU in the parent, {1e6 * ticks / rows:.1f} in the "
                   f"scheduler; {parcels:,} parcels; its memory {first:.0f} MiB before {rows:,} "
                   f"rows, {last:.0f} after, {most:.0f} at most")


def cpu_of(pid):
    """Return the seconds of CPU time of a process (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
