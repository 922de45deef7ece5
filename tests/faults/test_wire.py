"""The wire: bodies that are not what they should be, every error that S3 sends, storms, stalls, and what lies between.

Bodies and statuses: one World has an object for each fault and each way it may happen (once, some times, for ever), so
that a fetch meets them all together; each is judged by itself.
"""

import random
import time

import pytest

from fakes3 import ERRORS
from faults.oracle import PRESENT, World, rows_of

SMALL, LARGE = 256 << 10, 64 << 20          # as s3kit has them: up to here in memory, from there in ranges
RETRIES = 2
TOGETHER = 10               # seeds in one World
PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please log in</body></html>"
WAYS = ("once", "some", "ever")

# How an answer is spoilt: a kind of the fake's, and its options for a body of `size` bytes.
BODIES = {
    "flip": lambda chance, size: ("flip", {"at": chance.randrange(size), "mask": 1 << chance.randrange(8)}),
    "other": lambda chance, size: ("other", {}),
    "of another object": lambda chance, size: ("other", {"body": chance.randbytes(size)}),
    "empty": lambda chance, size: ("empty", {}),
    "short": lambda chance, size: ("short", {"at": chance.randrange(size)}),
    "short, without length": lambda chance, size: ("short-nolength", {"at": chance.randrange(size)}),
    "one byte short, without length": lambda chance, size: ("short-nolength", {"at": size - 1}),
    "long": lambda chance, size: ("long", {"extra": chance.randbytes(chance.choice([1, 100, 100_000]))}),
    "reset": lambda chance, size: ("reset", {"at": chance.choice([0, 1, chance.randrange(size)])}),
    "wrong range": lambda chance, size: ("wrong-range", {"shift": chance.randrange(1, size)}),
    "wrong ETag": lambda chance, size: ("wrong-etag", {}),
    "wrong version": lambda chance, size: ("wrong-version", {}),
    "gzip": lambda chance, size: ("gzip", {}),
    "bad chunks": lambda chance, size: ("bad-chunks", {"at": chance.randrange(size)}),
    "two lengths": lambda chance, size: ("double-length", {}),
    "200 with an error": lambda chance, size: ("error200", {"code": chance.choice(["InternalError", "RequestTimeout"])}),
    "HTML": lambda chance, size: ("html", {"body": PAGE}),
    "HTML of the very size": lambda chance, size: ("html", {"body": (PAGE * (size // len(PAGE) + 1))[:size]}),
    "closed without a word": lambda chance, size: ("refuse", {}),
    "chunks": lambda chance, size: ("chunked", {"at": chance.randrange(size)}),
}
LEGAL = {"chunks"}                          # must be taken as it comes
EITHER = {"long", "two lengths"}            # all of the body is there: a client may take it or leave it


def times_of(way, chance):
    """Return how often a fault happens."""
    return {"once": 1, "some": chance.randint(1, RETRIES), "ever": None}[way]


def put_some(world, key, chance, may_have_parts=True):
    """Store an object of random size, checksum and parts; return its size."""
    size = chance.choice([chance.randint(2, 9000), chance.randint(2, SMALL), SMALL, SMALL + 1, chance.randint(SMALL, 3 * SMALL)])
    body = chance.randbytes(size)
    parts = None
    if may_have_parts and size > SMALL and chance.random() < 0.4:      # as S3 has them, all of one size but the last
        part = chance.randrange(size // 4, size)
        parts = [body[at:at + part] for at in range(0, size, part)]
    world.fake.put(world.bucket, key, body, checksum=chance.choice([None, "CRC64NVME", "CRC32", "SHA256"]), parts=parts)
    return size


def spoil_bodies(world, seeds, kinds=tuple(BODIES), may_have_parts=True):
    """Store an object for every seed, kind of fault and way it may happen; return {key: Fault}."""
    faults = {}
    for seed in seeds:
        chance = random.Random(seed)
        for kind in kinds:
            for way in WAYS:
                key = f"{seed}/{kind}/{way}"
                name, options = BODIES[kind](chance, put_some(world, key, chance, may_have_parts))
                faults[key] = world.fake.fault(name, key=key, times=times_of(way, chance), **options)
    return faults


def judge(world, key, rows, files, fault, passes):
    """Check one object after its fault: `passes` says whether it must, may (None) or must not be there."""
    assert fault.hits and (fault.times is None or fault.hits <= fault.times), f"{key}: the fault happened {fault.hits} times"
    row, is_there = rows[key], f"{world.bucket}/{key}" in files
    if passes is None:
        passes = row["state"] in PRESENT
    if passes:
        assert row["state"] in PRESENT and is_there, f"{key}: {row['state']}: {row['error']}"
        world.is_here(row)
    else:
        assert row["state"] == "failed" and row["error"], f"{key}: {row['state']}, error {row['error']!r}"
        assert not (row["proof"] or row["digest"] or row["path"]), f"{key}: failed, but with {row['proof']}, {row['path']}"
        assert not is_there, f"{key}: failed, but there is a file"


def settle_again(world, ran):
    """Take the faults away and resume: only what is missing is asked for."""
    missing = [row["key"] for row in ran.rows if row["state"] not in PRESENT]
    world.fake.faults.clear()
    before = len(world.fake.log)
    world.resume()
    asked = {request.key for request in world.fake.log[before:] if request.key}
    assert asked <= set(missing), f"fetched again: {sorted(asked - set(missing))[:3]}"


def fetch_spoilt(count, world, seeds, kinds, faults, source=None):
    """Fetch what `spoil_bodies` made, judge every object, and resume."""
    ran = world.fetch("--retries", RETRIES, source=source)
    rows, files = {row["key"]: row for row in ran.rows}, set(world.files())
    for seed in seeds:
        for kind in kinds:
            with count.case(f"{kind}, seed {seed}"):
                for way in WAYS:
                    key = f"{seed}/{kind}/{way}"
                    passes = True if way != "ever" or kind in LEGAL else None if kind in EITHER else False
                    judge(world, key, rows, files, faults[key], passes)
    with count.case(f"seeds {seeds[0]} to {seeds[-1]} together"):
        assert ran.status == 1, f"status {ran.status}: {ran.err}"
        assert len(ran.rows) == len(faults) and "#end rows=" in ran.out
        world.look()
        world.tell_truth(ran)
        settle_again(world, ran)


@pytest.mark.parametrize("seeds", [10, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
def test_bodies(cases, tmp_path, seeds):
    """No body that is not the object's gets its name, however often it comes; what passes is tried again."""
    count = cases(f"a body that is not right ({len(BODIES)} kinds)")
    for first in range(0, seeds, TOGETHER):
        together = range(first, first + TOGETHER)
        with World(tmp_path / f"{first}", {}) as world:
            fetch_spoilt(count, world, together, tuple(BODIES), spoil_bodies(world, together))
        world.remove()


@pytest.mark.parametrize("seeds", [2, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(7200)])])
def test_bodies_of_bare_rows(cases, tmp_path, seeds):
    """Rows that name a key alone: what S3 says is all there is, and still no page of a portal becomes an object."""
    kinds = [kind for kind in BODIES if kind not in ("wrong ETag", "wrong version")]
    count = cases(f"a body that is not right, of a bare row ({len(kinds)} kinds)")
    for first in range(0, seeds, TOGETHER):
        together = range(first, min(seeds, first + TOGETHER))
        with World(tmp_path / f"{first}", {}) as world:
            faults = spoil_bodies(world, together, kinds, may_have_parts=False)
            bare = world.folder / "bare.csv"
            bare.write_text("bucket,key\n" + "".join(f'{world.bucket},"{key}"\n' for key in faults))
            fetch_spoilt(count, world, together, kinds, faults, bare)
        world.remove()
