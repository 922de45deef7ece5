"""Snapshots of a pipeline that runs here."""

import os
import time

from s3kit import process
from s3kit.runs.snapshot import Snapshot


def snapshot(command, **more):
    """Return a Snapshot of a process that is at work: this one."""
    now = time.time()
    return Snapshot(**{"command": command, "argv": [command, "-d", "my data"], "cwd": "/data",
                       "pid": os.getpid(), "start": process.start_of(os.getpid()),
                       "world": process.world(), "began": now - 90, "written": now,
                       "moved": now} | more)


def worker(number):
    """Return what a worker is at; the one with number 1 is on another machine."""
    return {"host": "far" if number == 1 else "",
            "pid": 1000 + number, "jobs": 64, "requests": 3, "name": f"2026/\u202eimg-{number}.jpg",
            "moved": 5 << 20, "size": 10 << 20, "since": time.time() - 5, "speed": 2.0 * (1 << 20)}


def five(workers=4):
    """Return the stages of a pipeline of five commands."""
    cause = ["S3 says NoSuchKey", 2, "s3://b/k: S3 says NoSuchKey"]
    return [
        snapshot("s3-manifest", ended=time.time(), said="20,000 rows in 3.0 s", done=20000),
        snapshot("s3-restore", unit="row", done=20000, total=20000),
        snapshot("s3-fetch", unit="B", done=1 << 30, total=4 << 30, speed=50.0 * (1 << 20),
                 left=61.4, rows={"fetched": 5000, "failed": 2}, causes=[cause], tried_again=7,
                 workers=[worker(number) for number in range(workers)]),
        snapshot("s3-verify", unit="B", done=1 << 29, expected=1 << 30, rows={"verified": 2500}),
        snapshot("s3-prune", done=10, rows={"pruned": 10})]
