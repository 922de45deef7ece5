"""Power cuts: rows that have left are on the disk, whatever happens in the next instant.

The destination is a file system in an image on a host file system that copies by reference: such a
copy, made right after rows have left stdout, is what a disk would have after a power cut at that
instant; mounting it replays its journal.
"""

import hashlib
import os
import random
import select
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from faults.images import XFS, cut_power, do, make_image
from faults.inject import injected, strace
from faults.oracle import TRUE_TIME, Ran, World, mixed, rows_of

# Options that let a file system be as lazy as it may be; nouuid, because a copy has its original's.
pytestmark = pytest.mark.system("mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "strace", "root")

KINDS = {"ext4": (256 << 20, ("mkfs.ext4", "-q", "-F"), "noauto_da_alloc,commit=300", ""),
         "xfs": (320 << 20, ("mkfs.xfs", "-q"), "nouuid", "nouuid"),
         "btrfs": (512 << 20, ("mkfs.btrfs", "-q"), "commit=300", "")}
LIES = [f"{call}:retval=0" for call in ("syncfs", "fsync", "fdatasync")]
HOST = 16 << 30         # sparse: it takes what is written


def bodies_of(seed, seconds, rate, large):
    """Return {key: body} that take about so many seconds at so many bytes a second: kept in memory,
    streamed, in ranges.
    """
    chance = random.Random(seed)
    bodies, left = mixed(seed, small=40, middle=0), seconds * rate
    if large:
        bodies["large"] = chance.randbytes((64 << 20) + 12345)
    while left > 0:
        size = (chance.randrange(20_000) if chance.random() < 0.98
                else 300_000 + chance.randrange(900_000))
        bodies[f"dir{chance.randrange(40)}/n{len(bodies)}"] = chance.randbytes(size)
        left -= size
    return bodies


class Guest:
    """A file system in an image on the host, and copies of it as of power cuts: `cuts` are (copy,
    text that had left).
    """

    def __init__(self, mounts, host, kind, name):
        size, mkfs, options, self.again = KINDS[kind]
        self.mounts, self.kind, self.name, self.cuts = mounts, kind, name, []
        self.image = make_image(host / name, size, mkfs)
        self.place = mounts.mount(f"guest-{name}", self.image, options)

    @property
    def dest(self):
        """The destination in it."""
        return self.place / "dest"

    def cut(self, text):
        """Have the power cut now, when `text` has left."""
        self.cuts.append((cut_power(self.image, f"{self.image}.{len(self.cuts)}"), text))

    def watch(self, process, chance, between):
        """Read a command's rows as they come, and cut the power at each block; `between` is the
        chance of a cut without one.
        """
        text, end = b"", time.monotonic() + TRUE_TIME
        pipe, ready = process.stdout.fileno(), select.poll()
        ready.register(pipe, select.POLLIN)
        while time.monotonic() < end:
            if not ready.poll(chance.uniform(50, 500)):
                if chance.random() < between:
                    self.cut(text)
                continue
            data = os.read(pipe, 1 << 20)
            if not data:
                return text
            text += data
            self.cut(text)
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError(f"it did not end within {TRUE_TIME} s")

    def stop(self):
        """Unmount the original, so that its copies can be looked at."""
        self.mounts.unmount(self.place)

    def copies(self):
        """Yield (number, directory, rows that had left) of each cut, its copy mounted."""
        for number, (copy, text) in enumerate(self.cuts):
            if self.kind == "btrfs":
                # else it prefers the copy that it saw last
                do("btrfs", "device", "scan", "--forget")
            with self.mounts.mounting(f"cut-{self.name}", copy, self.again) as place:
                yield number, place / "dest", rows_of(text.decode("utf-8", "surrogateescape"))
            os.unlink(copy)


@pytest.fixture
def host(mounts, tmp_path):
    """A file system that can copy an image at once."""
    return mounts.mount("host", make_image(tmp_path / "host.img", HOST, XFS))


def make_world(guest, folder, seed, seconds, rate, large=False):
    """Return a World with several versions of some keys, its destination in the guest."""
    bodies = bodies_of(seed, seconds, rate, large)
    world = World(folder, bodies, dest=guest.dest)
    chance = random.Random(seed)
    for key in chance.sample(sorted(bodies), 6):
        world.fake.put(world.bucket, key, chance.randbytes(chance.randrange(1, 400_000)))
    world.write_list("--versions")
    return world


def fetch(world, rate, wrap=()):
    """Start s3-fetch."""
    return [world.start("s3-fetch", "-q", "-j", 2, "-c", 4, "-d", world.dest, "--limit-rate", rate,
                        world.list, wrap=wrap)]


def fetch_and_verify(world, rate):
    """Start s3-fetch | s3-verify."""
    first, = fetch(world, rate)
    last = world.start("s3-verify", "-q", "-j", 1, "-d", world.dest, stdin=first.stdout)
    first.stdout.close()
    return [first, last]


def verify_strange(world, rate):
    """Start s3-verify on files that another tool has just left, and never flushed."""
    for row in rows_of(world.list.read_text()):
        version = world.fake.get(world.bucket, row["key"], row["version_id"])
        if row["is_latest"] == "true":
            path = world.dest / world.bucket / row["key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(version.body)
    return [world.start("s3-verify", "-q", "-j", 1, "-d", world.dest, world.list)]


def run_and_cut(guest, world, start, rate, seed, between=0.3):
    """Run a pipeline to its end, the power cut again and again; return (all that left it, its exit
    statuses, what was said).
    """
    processes = start(world, rate)
    try:
        text = guest.watch(processes[-1], random.Random(seed), between)
        status = [process.wait(TRUE_TIME) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    guest.cut(text)         # after its end, too
    said = [process.stderr.read().decode() for process in processes]
    for process in processes:
        process.stdout.close()
        process.stderr.close()
    world.tell_truth(Ran(status[-1], text.decode(), said[-1], 0.0, rows_of(text.decode())))
    return text, status, said


def torn(world, truth):
    """Return the final names under which the bytes are none that S3 ever had there."""
    return [path for path,
            body in world.files().items() if hashlib.sha256(body).digest() not in truth[path]]


def check_copies(guest, world, count, resume, are_ours):
    """Look at each copy: every row that had left has its file, and the same command finishes the
    work.

    No file of s3-fetch has its name without its bytes, whether or not its row had left. What
    another tool left may (`are_ours` is false): the next run makes it whole.
    """
    truth = world.truth()
    for number, dest, rows in guest.copies():
        with count.case(f"{guest.name}, cut {number} of {len(guest.cuts)}, after {len(rows)} rows"):
            there = world.at(dest)
            there.believe(rows)
            wrong = torn(there, truth)
            assert not (wrong and are_ours), f"names without their bytes: {wrong}"
            if wrong or resume(number):
                there.resume()
            there.look(truth)


def cut_power_of(cases, mounts, host, tmp_path, what, start, seeds, seconds, rate, resume,
                 large=False):
    """Cut runs on all three file systems at once; return how many cuts there were, and how many
    after rows that had left.
    """
    count, after = cases(what), 0
    for seed in seeds:
        guests = [Guest(mounts, host, kind, f"{kind} {seed}") for kind in KINDS]
        worlds = [make_world(guest, tmp_path / guest.name, seed, seconds, rate, large)
                  for guest in guests]
        try:
            with ThreadPoolExecutor(len(guests)) as pool:
                list(pool.map(lambda one: run_and_cut(*one, start, rate, seed),
                              zip(guests, worlds)))
            for guest, world in zip(guests, worlds):
                guest.stop()
                after += sum(bool(rows_of(text.decode())) for _, text in guest.cuts)
                check_copies(guest, world, count, resume, start is not verify_strange)
                os.unlink(guest.image)
        finally:
            for world in worlds:
                world.fake.stop()
        for world in worlds:
            world.remove()
    return count.run, after


def test_power_cuts(cases, mounts, host, tmp_path):
    run, after = cut_power_of(cases, mounts, host, tmp_path, "power cut", fetch, [1], 7, 1_500_000,
                              lambda number: number % 3 == 0)
    assert run >= 30 and after >= 20, f"only {run} cuts, {after} of them after rows had left"


def test_power_cuts_after_verify(cases, mounts, host, tmp_path):
    """Rows that leave the last stage of a pipeline are as durable."""
    run, after = cut_power_of(cases, mounts, host, tmp_path, "power cut below s3-fetch | s3-verify",
                              fetch_and_verify, [2], 3, 1_500_000, lambda number: number % 4 == 0)
    assert after >= 9, f"only {run} cuts, {after} of them after rows had left"


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("start, seeds, large", [(fetch, range(10, 18), False),
                                                 (fetch, range(20, 23), True),
                                                 (fetch_and_verify, range(30, 34), False),
                                                 (verify_strange, range(40, 50), False)],
                         ids=["fetch", "fetch of large objects", "fetch and verify", "verify"])
def test_many_power_cuts(cases, mounts, host, tmp_path, start, seeds, large):
    """Objects in ranges, too: from 64 MiB on."""
    what = f"power cut ({start.__name__.replace('_', ' ')}{', large' if large else ''})"
    seconds, rate, often = (4, 6_000_000, 4) if large else (14, 1_500_000, 2)
    run, after = cut_power_of(cases, mounts, host, tmp_path, what, start, seeds, seconds, rate,
                              lambda number: number % often == 0, large)
    assert after > run / 3, f"only {after} of {run} cuts were after rows had left"


def test_power_cuts_of_files_that_others_left(cases, mounts, host, tmp_path):
    """s3-verify says nothing of bytes that are right, but only in memory."""
    what = "power cut below s3-verify of what another tool left"
    run, after = cut_power_of(cases, mounts, host, tmp_path, what, verify_strange, [3], 2,
                              1_500_000, lambda number: number == 0)
    assert after >= 3, f"only {run} cuts, {after} of them after rows had left"


def lost_rows(guest, world):
    """Return how many rows had left, and in how many of them a cut showed files that were not
    there, or not right.
    """
    left = lost = 0
    for _, dest, rows in guest.copies():
        there = world.at(dest)
        for row in rows:
            left += 1
            try:
                there.believe([row])
            except AssertionError:
                lost += 1
    return left, lost


def test_a_lying_sync_loses_files(cases, mounts, host, tmp_path):
    """The control: what flushes nothing but says so must be caught, on each file system, or the
    cuts show nothing.
    """
    count = cases("control: power cut below a sync that lies")
    for kind in KINDS:
        trace = tmp_path / f"{kind}.trace"
        guest = Guest(mounts, host, kind, f"lied to {kind}")
        with count.case(kind), make_world(guest, tmp_path / guest.name, 4, 2, 2_000_000) as world:
            _, status, said = run_and_cut(guest, world,
                                          partial(fetch, wrap=strace(trace, LIES, quick=True)),
                                          3_000_000, 4)
            assert status == [0], said
            assert any("syncfs" in line for line in injected(trace)), "no sync was lied about"
            guest.stop()
            left, lost = lost_rows(guest, world)
            assert left and lost, f"a sync that lies lost {lost} files of {left}"
