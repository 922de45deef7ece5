"""kill -9 at every system call that matters, of the parent and of workers, and at random times."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from faults.inject import injected, points, strace
from faults.oracle import BUCKET, World, mixed

CALLS = ("openat", "mkdir", "write", "pwrite64", "rename", "renameat", "renameat2", "linkat", "unlinkat", "ftruncate", "utimensat",
         "fsync", "fdatasync", "syncfs", "fallocate", "flock", "sendto", "close")
OURS = "/near/dest"          # in the arguments of calls that touch the destination, as strace -y shows them
QUICK = 110


def record(world, tmp_path):
    """Return [(call, n)] of all kill points of a fetch: the calls that touch the destination, and those of stdout."""
    trace = tmp_path / "recorded"
    ran = world.fetch(wrap=strace(trace, calls=CALLS))
    assert ran.status == 0, ran.err
    return [(call, n) for call, numbers in points(trace, OURS).items() for n in numbers]


def kill_at(world, call, n, tmp_path, *options):
    """Kill whatever process comes to its n-th such call; return whether one did."""
    trace = tmp_path / "trace"
    ran = world.fetch(*options, wrap=strace(trace, [f"{call}:signal=KILL:when={n}"]))
    world.look()
    world.tell_truth(ran)
    return bool(injected(trace))


def spread(found, most, seed):
    """Return at most so many of the points: of each call its first and last, then a random choice."""
    ends = {}
    for call, n in found:
        ends.setdefault(call, [(call, n), None])[1] = (call, n)
    chosen = {point for pair in ends.values() for point in pair}
    rest = [point for point in found if point not in chosen]
    random.Random(seed).shuffle(rest)
    return sorted(chosen) + sorted(rest[:max(0, most - len(chosen))])


@pytest.fixture
def found(tmp_path):
    """The kill points of a fetch of the mixed objects."""
    with World(tmp_path / "record", mixed()) as world:
        return record(world, tmp_path)


@pytest.mark.parametrize("half", [0, 1])
def test_kill_points(cases, found, tmp_path, half):
    count, bodies = cases("kill -9 at a system call"), mixed()
    hit = 0
    for at, (call, n) in enumerate(spread(found, 2 * QUICK, seed=3)):
        if at % 2 == half:
            with count.case(f"{call} {n}"), World(tmp_path / f"{at}", bodies) as world:
                hit += kill_at(world, call, n, tmp_path)
                world.resume()
    assert hit > 0.9 * count.run, f"only {hit} of {count.run} kills happened"
