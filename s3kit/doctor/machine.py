"""How fast this machine is by itself: its disk, and what one of its cores hashes."""

import os
import random
import tempfile
import time
from statistics import median
from typing import NamedTuple

from s3kit.disk.direct_io import Blocks
from s3kit.disk.durable import sync_data, write_all
from s3kit.doctor.destination import existing
from s3kit.errors import reason
from s3kit.proof.checksums import ALGORITHMS, hasher
from s3kit.proof.digest import Digest

DISK_SECONDS, DISK_BYTES = 3.0, 1 << 30     # for the scratch file, at most
HASH_BYTES, PIECE = 64 << 20, 256 << 10
SEED = 1


class Disk(NamedTuple):
    """What came of writing below `folder`: `rate` in bytes a second, 0 if it was not measured, and
    then `why`; `flush` are the seconds that a flush takes.
    """

    folder: str
    rate: float = 0.0
    flush: float = 0.0
    why: str = ""


def hash_rate(algorithms):
    """Return how many bytes a second one core checks and digests, as objects with these checksums
    (S3's names, with blanks between them) want it.
    """
    named = algorithms.lower().split()
    check, digest = hasher(named[0] if named and named[0] in ALGORITHMS else "md5"), Digest()
    data = random.Random(SEED).randbytes(PIECE)
    began = time.process_time()
    for _ in range(HASH_BYTES // PIECE):
        check.update(data)
        digest.update(data)
    return HASH_BYTES / max(1e-6, time.process_time() - began)


def try_disk(dest, seconds, check):
    """Return the Disk of a destination: a scratch file is written there, and flushed.

    The file has no name, so that nothing can be left of it. `check()` is called often.
    """
    folder = existing(dest)
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            space = os.statvfs(folder)
            most = min(DISK_BYTES, space.f_bavail * space.f_frsize // 2)
            rate = write(file.fileno(), most, min(DISK_SECONDS, seconds), check)
            return Disk(folder, rate, median(flushes(file.fileno())))
    except OSError as error:
        return Disk(folder, why=f"'{folder}' cannot be written to: {reason(error)}")


def write(fd, most, seconds, check):
    """Return the bytes a second of writing so much, or so long, and flushing it."""
    data, blocks = os.urandom(PIECE), Blocks(fd, 0, lambda view: None, [])
    began, written = time.monotonic(), 0
    while written < PIECE or (written + PIECE <= most and time.monotonic() - began < seconds):
        check()
        blocks.add(data)
        written += PIECE
    blocks.end()
    sync_data(fd)
    return written / max(1e-6, time.monotonic() - began)


def flushes(fd):
    """Yield the seconds that it takes to make a few bytes durable."""
    for number in range(5):
        began = time.monotonic()
        write_all(fd, os.urandom(512), number * 4096)
        sync_data(fd)
        yield time.monotonic() - began
