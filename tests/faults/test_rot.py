"""Disks that rot: bytes that change below a file that was fetched, without its size or its times.
"""

import os
import random

import pytest

from faults.oracle import World


def rot(path, chance):
    """Change one bit of a file, and nothing else that can be seen of it."""
    status = os.stat(path)
    with open(path, "r+b") as file:
        at = chance.randrange(status.st_size)
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << chance.randrange(8)]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.system("minutes")
@pytest.mark.parametrize("checksum", [None, "CRC64NVME", "SHA256"])
@pytest.mark.parametrize("rounds", [40, pytest.param(1000, marks=pytest.mark.long)])
def test_one_bit_is_seen(cases, tmp_path, checksum, rounds):
    """Each file that has rotted is a `mismatch`, every other is `verified`."""
    count, chance = cases("one bit of a file on the disk"), random.Random(1)
    with World(tmp_path, {}) as world:
        bodies = {f"k{n}": chance.randbytes(chance.choice((1, 100, 4096, 300_000)))
                  for n in range(rounds)}
        for key, body in bodies.items():
            world.fake.put(world.bucket, key, body, checksum=checksum)
        world.fetch()
        rotten = set(chance.sample(sorted(bodies), rounds // 2))
        for key in rotten:
            rot(world.dest / world.bucket / key, chance)
        ran = world.verify()
        states = {row["key"]: row["state"] for row in ran.rows}
        for key in sorted(bodies):
            with count.case(f"{key}, {len(bodies[key])} bytes"):
                assert (states.get(key)
                        == ("mismatch" if key in rotten else "verified")), states.get(key)
        with count.case("status"):
            assert ran.status == 1
        with count.case("fetched again"):
            world.list.write_text(ran.out)
            again = world.fetch()
            assert again.status == 0, again.err
            world.look()
            assert world.verify().status == 0


def grow(path):
    """Add to a file."""
    with open(path, "ab") as file:
        file.write(b"more")


def swap(path):
    """Put another file of the same size in its place, with the same times."""
    status = os.stat(path)
    other = path.with_name("other")
    other.write_bytes(bytes(status.st_size))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


CHANGES = {"removed": os.unlink, "grown": grow, "cut": lambda path: os.truncate(path, 1),
           "emptied": lambda path: os.truncate(path, 0), "replaced": swap,
           "touched": lambda path: os.utime(path),
           "overwritten": lambda path: path.write_bytes(b"mine")}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("what", CHANGES)
def test_files_changed_between_runs(cases, tmp_path, what):
    """What the ledger knows of a file holds for that file untouched: the next run brings S3's bytes
    back.
    """
    count = cases("files changed between two runs")
    with World(tmp_path) as world:
        world.fetch()
        for path in sorted(file for file in (world.dest / world.bucket).rglob("*")
                           if file.is_file() and file.stat().st_size):
            CHANGES[what](path)
            with count.case(f"{what}: {path.name}"):
                world.resume()
