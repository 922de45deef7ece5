"""Power cuts below s3-relay: its ledger and its volumes lie on file systems in images, which are
copied at one instant, while all its processes are stopped; what runs is killed, the copies are
mounted in their places, and the same command goes on.
"""

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from faults.images import XFS, cut_power, make_image
from faults.relay_oracle import FAR, PREFIX, RelayWorld, bodies_of, kill_all, tree
from faults.test_kill import is_alive, wait_until

pytestmark = pytest.mark.system("mkfs.ext4", "mkfs.xfs", "root")

HOST = 16 << 30         # sparse: it takes what is written
EXT4 = ("mkfs.ext4", "-q", "-F", "-m", "0")
OPTIONS = "noauto_da_alloc,commit=300"
SIZES = {"ledger": 64 << 20, "vol0": 96 << 20, "vol1": 128 << 20}


class Disks:
    """The file systems of a relay, whose power is cut together."""

    def __init__(self, mounts, host):
        self.mounts, self.host, self.number = mounts, host, 0
        self.images = {name: make_image(host / name, size, EXT4) for name, size in SIZES.items()}
        self.places = {name: mounts.mount(name, image, OPTIONS)
                       for name, image in self.images.items()}

    def cut(self, process):
        """Cut the power of a running relay: its processes are gone, and what had not come to the
        disks is.
        """
        self.number += 1
        stopped = stop_all(process.pid)
        copies = {name: cut_power(image, Path(f"{self.host / name}.{self.number}"))
                  for name, image in self.images.items()}
        kill_all(process.pid)
        assert wait_until(lambda: not any(map(has_threads, stopped)), 60), "it cannot be killed"
        for name, copy in copies.items():
            self.mounts.unmount(self.places[name])
            os.unlink(self.images[name])
            self.mounts.mount(name, copy, OPTIONS)
        self.images = copies


def has_threads(pid):
    """Return whether a thread of a process lives, its first being a zombie or not: until then its
    files are open.
    """
    try:
        tasks = [int(task) for task in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return False
    return any(is_alive(f"{pid}/task/{task}") for task in tasks)


def stop_all(pid):
    """Have a relay and all below it stand still; return their process ids."""
    stopped = []
    while new := [each for each, _ in tree(pid) if each not in stopped]:
        for each in new:
            try:
                os.kill(each, signal.SIGSTOP)
            except ProcessLookupError:
                pass
        stopped += new
    return stopped


def removed_early(world):
    """Return keys whose files are gone from their volumes though the ledger there does not know
    their copies.
    """
    known = set()
    for volume in world.volumes:
        path = volume / ".s3kit" / "ledger.sqlite3"
        if path.exists():
            with closing(sqlite3.connect(path)) as base:
                if base.execute("SELECT 1 FROM sqlite_master WHERE name = 'upload'").fetchone():
                    known |= {key for key, in base.execute("SELECT to_key FROM upload")}
    return [row["key"] for row in world.rows("state = 'fetched'")
            if not os.path.lexists(os.path.join(row["volume"], row["path"]))
            and PREFIX + row["key"] not in known]


def cut_often(count, world, disks, cuts, chance):
    """Relay, the power cut again and again."""
    for n in range(cuts):
        process = world.begin("--every", "1s")
        before = len(world.far.log)
        wanted = chance.randrange(1, max(40, len(world.bodies) // cuts))
        wait_until(lambda: len(world.far.log) - before >= wanted, 8)
        time.sleep(chance.random() * 0.3)
        with count.case(f"cut {n}"):
            assert process.poll() is None, f"it ended by itself: {process.communicate()[1]}"
            disks.cut(process)
            world.end(process)
            world.look()
            early = removed_early(world)
            assert not early, f"removed before the proof was durable: {early}"
        world.add({f"more{n}/{m}": chance.randbytes(chance.randrange(1, 90_000))
                   for m in range(20)})


@pytest.mark.parametrize("cuts, small", [
    pytest.param(3, 60, marks=pytest.mark.timeout(600)),
    pytest.param(50, 20_000, marks=[
        pytest.mark.long, pytest.mark.timeout(7200)])])
def test_power_cuts(cases, mounts, tmp_path, cuts, small):
    count, chance = cases("power cut below s3-relay's ledger and volumes"), random.Random(cuts)
    host = mounts.mount("host", make_image(tmp_path / "host.img", HOST, XFS))
    disks = Disks(mounts, host)
    volumes = [disks.places["vol0"], disks.places["vol1"]]
    with RelayWorld(tmp_path / "world", bodies_of(cuts, small, 4, 2), volumes) as world:
        world.work = disks.places["ledger"] / "work"
        world.near.latency = world.far.latency = 0.02
        cut_often(count, world, disks, cuts, chance)
        with count.case("the end"):
            world.near.latency = world.far.latency = 0
            world.resume("--retries", 5, timeout=3000)
            assert len(world.far.versions(FAR)) == len(world.bodies)
