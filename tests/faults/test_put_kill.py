"""kill -9 of s3-put at every system call that matters, of the parent and of workers, and at random
times: nothing is said to be stored, or removed, that S3 does not have; the same command ends it.
"""

import os
import random
import signal
import time

import pytest

from faults.inject import check_hits, points, strace
from faults.put_oracle import PutWorld, small_and_large
from faults.test_kill import children, is_alive, kill_at, spread, wait_until

# What reads files, what the ledger and the locks do, what goes to S3 and comes from there.
CALLS = ("openat", "pread64", "preadv", "pwrite64", "write", "unlink", "unlinkat", "ftruncate",
         "fsync", "fdatasync", "flock", "sendto", "recvfrom", "close")
PLACES = ("/near/dest", "<socket:", "<TCP:")
KINDS = {"whole files": (lambda: small_and_large(1, 6, 0), False),
         "whole files, removed": (lambda: small_and_large(2, 6, 0), True),
         "parts": (lambda: small_and_large(3, 1, 2), False),
         "parts, removed": (lambda: small_and_large(4, 1, 1), True)}


def record(kind, folder):
    """Return [(call, n)] of the calls of a run without a fault."""
    bodies, removes = KINDS[kind]
    trace = folder / "recorded"
    with PutWorld(folder / "first", bodies(), removes=removes) as world:
        ran = world.put(wrap=strace(trace, calls=CALLS))
        assert ran.status == 0, ran.err
        world.settle(ran)
    world.remove()
    return sorted({(call, n) for place in PLACES
                   for call, numbers in points(trace, place).items() for n in numbers})


def kill_puts(cases, folder, kind, choose):
    """Kill s3-put at points of a recorded run, each in a World of its own, and run it again;
    `choose(points)` returns those that are tried.
    """
    count, hit = cases(f"kill -9 at a call of s3-put ({kind})"), 0
    bodies, removes = KINDS[kind]
    for at, (call, n) in enumerate(choose(record(kind, folder))):
        with count.case(f"{call} {n}"), PutWorld(folder / f"{at}", bodies(),
                                                 removes=removes) as world:
            world.killed = 6        # each of three workers may have begun an upload of each
            ran, died = kill_at(world.put, call, n, folder)
            hit += died
            world.look()
            world.tell_truth(ran)
            world.resume()
        world.remove()
    check_hits(hit, count.run, misses=0.2)


@pytest.mark.system("strace")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_kill_points(cases, tmp_path, kind):
    kill_puts(cases, tmp_path, kind, lambda found: random.Random(1).sample(found, 3))


@pytest.mark.system("strace")
@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", KINDS)
def test_all_kill_points(cases, tmp_path, kind):
    kill_puts(cases, tmp_path, kind, lambda found: spread(found, 400, seed=2))


@pytest.mark.system("strace")
def test_killed_as_files_are_removed(cases, tmp_path):
    """A file that is gone is known to be stored: the same command says so, and ends with 0."""
    count, bodies, trace = cases("kill -9 as files are removed"), KINDS["whole files, removed"], (
        tmp_path / "recorded")
    with PutWorld(tmp_path / "first", bodies[0](), removes=True) as world:
        assert world.put(wrap=strace(trace, calls=["unlinkat"])).status == 0
    found = points(trace, '"small')["unlinkat"]
    for n in (found[0], found[1], found[-1]):
        with count.case(f"unlinkat {n}"), PutWorld(tmp_path / f"{n}", bodies[0](),
                                                   removes=True) as world:
            ran, died = kill_at(world.put, "unlinkat", n, tmp_path)
            assert died, "it was not killed"
            world.look()
            world.tell_truth(ran)
            world.resume()


# --- at random times


def begin(world, chance):
    """Start s3-put, and wait until S3 has had a random part of its requests."""
    process = world.begin(jobs=3)
    share = chance.random() * len(world.legit)
    assert wait_until(lambda: len(world.fake.log) >= share and children(process.pid), 60)
    time.sleep(chance.random() * 0.05)
    return process


def kill_one_worker(world, process, chance):
    """The others do its work, and nobody but us notices."""
    victims = children(process.pid)
    if victims:
        os.kill(chance.choice(victims), signal.SIGKILL)
    ran = world.end(process)
    assert ran.status == 0, ran.err


def kill_parent(world, process, chance):
    """No worker outlives its parent."""
    workers = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: not any(map(is_alive, workers)), 5), "orphans are left"
    world.tell_truth(world.end(process))


def kill_group(world, process, chance):
    """As the kernel does it to a control group that has no memory left."""
    os.killpg(process.pid, signal.SIGKILL)
    world.tell_truth(world.end(process))


def interrupt(world, process, chance):
    """Ctrl-C: what stays is said."""
    os.killpg(process.pid, signal.SIGINT)
    ran = world.end(process)
    assert ran.status in (-signal.SIGINT, 0), f"{ran.status}: {ran.err}"
    world.tell_truth(ran)
    began = sum(bool(upload.parts) for upload in world.uploads().values())
    assert not began or "not complete: the same command goes on" in ran.err, ran.err


@pytest.mark.system("minutes")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rounds", [3, pytest.param(60, marks=[
    pytest.mark.long, pytest.mark.timeout(7200)])])
@pytest.mark.parametrize("what", [kill_one_worker, kill_parent, kill_group, interrupt],
                         ids=lambda what: what.__name__.replace("_", " "))
def test_random_kills(cases, tmp_path, what, rounds):
    count = cases(f"{what.__name__.replace('_', ' ')} of s3-put at a random time")
    for seed in range(rounds):
        chance = random.Random(seed)
        bodies = small_and_large(seed, 60, seed % 3)
        with count.case(f"seed {seed}"), PutWorld(tmp_path / f"{seed}", bodies,
                                                  removes=chance.random() < 0.5) as world:
            world.killed = 6
            world.fake.latency = 0.01
            what(world, begin(world, chance), chance)
            world.look()
            world.fake.latency = 0
            world.resume()
        world.remove()
