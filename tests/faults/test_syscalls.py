"""System calls that fail: one error at one call that touches the destination, full disks, quotas,
limits, read-only mounts.
"""

import fcntl
import os
import random
import re
import shutil
import struct
import time
from collections import Counter
from pathlib import Path

import pytest

from faults.images import do, make_image
from faults.inject import CALL, check_hits, injected, paths_below, strace
from faults.oracle import PRESENT, World, mixed, rows_of

CALLS = ("openat", "mkdir", "mkdirat", "write", "pwrite64", "renameat", "unlink", "unlinkat",
         "ftruncate", "fchmod", "utimensat", "fsync", "fdatasync", "syncfs", "fallocate", "flock",
         "close", "pread64", "preadv", "read", "newfstatat", "fcntl", "getdents64", "fstatfs",
         "rename")
ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EMFILE", "EACCES", "EROFS", "EINTR")
SHUT_DOWN = 0x8004587D          # EXT4_IOC_SHUTDOWN, XFS_IOC_GOINGDOWN
NO_SPACE = ("ENOSPC", "EDQUOT")
# calls that say so where there is none
NEEDS_SPACE = ("openat", "mkdirat", "write", "pwrite64", "renameat", "fallocate")


class Recorded:
    """The calls of a faultless run that touch the destination: `most` has how many of each kind one
    thread makes.
    """

    def __init__(self, folder, do, bodies):
        trace = folder / "recorded"
        with World(folder / "first", bodies) as world:
            if do == World.verify:
                world.fetch()
            ran = do(world, wrap=strace(trace, calls=CALLS))
            assert ran.status == 0, ran.err
            self.paths = paths_below(trace, world.dest)
        world.remove()
        with World(folder / "first", bodies) as world:
            if do == World.verify:
                world.fetch()
            ran = do(world, wrap=strace(trace, calls=CALLS, quick=True, paths=self.of(world)))
            assert ran.status == 0, ran.err
        world.remove()
        counts = Counter(match.groups()[:2] for match
                         in map(CALL.match, trace.read_text(errors="replace").splitlines())
                         if match)
        self.most = {}
        for (_, call), count in counts.items():
            self.most[call] = max(count, self.most.get(call, 0))

    def of(self, world):
        """Return the paths in a World's destination."""
        return [f"{world.dest}{path}" for path in self.paths]

    def cases(self, most, seed):
        """Return so many of the (call, error, n), all pairs of call and error among them before a
        pair comes again.
        """
        chance, left = random.Random(seed), {}
        for call, count in sorted(self.most.items()):
            for error in ERRORS:
                left[call, error] = chance.sample(range(1, count + 1), count)
        chosen = []
        while left and len(chosen) < most:
            for pair in chance.sample(sorted(left), len(left)):
                chosen.append((*pair, left[pair].pop()))
                if not left[pair]:
                    del left[pair]
        return chosen[:most]


def fail_calls(cases, tmp_path, kind, do, bodies, most, seed):
    """Have one call fail in runs of a command, each in a World of its own, and resume them."""
    count, hit, recorded = cases(kind), 0, Recorded(tmp_path, do, bodies)
    for call, error, n in recorded.cases(most, seed):
        trace = tmp_path / "trace"
        with count.case(f"{call} {error} {n}"), World(tmp_path / "world", bodies) as world:
            world.write_list()
            if do == World.verify:
                world.fetch()
            ran = do(world, wrap=strace(trace, [f"{call}:error={error}:when={n}"], quick=True,
                                        paths=recorded.of(world)))
            met = injected(trace)
            hit += bool(met)
            world.look()
            world.tell_truth(ran)
            assert ran.status in (0, 1, 3), f"it ended with {ran.status}: {ran.err}"
            assert ((ran.status == 3)
                    == ("#end rows=" not in ran.out)), f"status {ran.status}, but: {ran.out[-80:]}"
            assert (ran.status == 0
                    or ran.err.count("\n") + (ran.status == 3) > 1), f"it says nothing: {ran.err}"
            if error in NO_SPACE and call in NEEDS_SPACE and met and do == World.fetch:
                assert ran.status == 3, f"no space, but it ended with {ran.status}: {ran.err}"
            world.resume()
            if do == World.verify:
                world.settle(world.verify())
        world.remove()
    check_hits(hit, count.run)


LARGE = {"large": random.Random(1).randbytes((64 << 20) + 777), "small": b"small"}


@pytest.mark.system("strace")
def test_failing_calls(cases, tmp_path):
    fail_calls(cases, tmp_path, "a system call of s3-fetch fails", World.fetch, mixed(), 18, 1)


@pytest.mark.system("strace")
def test_failing_calls_on_a_large_object(cases, tmp_path):
    fail_calls(cases, tmp_path, "a system call fails (ranges)", World.fetch, LARGE, 6, 2)


@pytest.mark.system("strace")
def test_failing_calls_of_verify(cases, tmp_path):
    fail_calls(cases, tmp_path, "a system call of s3-verify fails", World.verify, mixed(), 8, 3)


@pytest.mark.system("strace")
@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(10, 14))
@pytest.mark.parametrize("do, bodies, most, kind", [(World.fetch, mixed(1, small=12, middle=4), 200,
                                                     "a system call of s3-fetch fails"), (
                                                         World.fetch, LARGE, 50,
                                                         "a system call fails (ranges)"), (
                                                             World.verify, mixed(), 50,
                                                             "a system call of s3-verify fails")],
                         ids=["fetch", "large", "verify"])
def test_many_failing_calls(cases, tmp_path, do, bodies, most, kind, seed):
    fail_calls(cases, tmp_path, kind, do, bodies, most, seed)


# --- the sync that says that it failed


@pytest.mark.system("strace")
@pytest.mark.parametrize("error", ["EIO", "EDQUOT"])
def test_a_failed_sync_is_never_believed(cases, tmp_path, error):
    """Not a row leaves as fetched or verified, no file stays under its name; s3-verify leaves the
    files alone.
    """
    count, trace = cases("a sync that fails"), tmp_path / "trace"
    wrap = strace(trace, [f"syncfs:error={error}"], quick=True)
    with count.case(f"s3-fetch {error}"), World(tmp_path / "fetch", mixed()) as world:
        ran = world.fetch(wrap=wrap)
        assert injected(trace), "no sync failed"
        assert ran.status == 3 and not [row for row in ran.rows
                                        if row["state"] in PRESENT], f"{ran.status}: {ran.err}"
        assert not world.files(), (
            f"it left files that may not be on the disk: {list(world.files())}")
        world.tell_truth(ran)
        world.resume()
    with count.case(f"s3-verify {error}"), World(tmp_path / "verify", mixed()) as world:
        world.fetch()
        shutil.rmtree(world.dest / ".s3kit")
        before = world.files()
        ran = world.verify(wrap=wrap)
        assert injected(trace), "no sync failed"
        assert ran.status == 3 and not [row for row in ran.rows
                                        if row["state"] in PRESENT], f"{ran.status}: {ran.err}"
        assert world.files() == before, "s3-verify removed files that nobody told it to remove"
        world.settle(world.verify())


@pytest.mark.system("strace")
def test_a_sync_that_fails_once(cases, tmp_path):
    """The kernel tells of it once, and the next flush says that all is well: what was written
    before is lost nevertheless.

    The run ends: no row that answers later may be believed by a later flush, and no part is left
    whose bytes the next run would read from memory, not even the ranges of a large object.
    """
    trace, bodies = tmp_path / "trace", mixed() | {"large": random.Random(1).randbytes(66 << 20)}
    with (cases("a sync that fails").case("the first EIO"),
          World(tmp_path / "world", bodies) as world):
        ran = world.fetch(wrap=strace(trace, ["syncfs:error=EIO:when=1"], quick=True))
        assert injected(trace), "no sync failed"
        failed = [row for row in ran.rows if "cannot make it durable" in row["error"]]
        assert (ran.status == 3 and failed
                and "#end rows=" not in ran.out), f"{ran.status}: {ran.err}"
        left = [row["key"] for row in failed if f"{world.bucket}/{row['key']}" in world.files()]
        assert not left, f"it left files that may not be on the disk: {left}"
        parts = os.listdir(world.dest / ".s3kit" / "parts")
        assert not parts, f"it left parts that may not be on the disk: {parts}"
        world.tell_truth(ran)
        world.resume()


@pytest.mark.system("strace")
def test_a_manifest_that_cannot_be_replaced(cases, tmp_path):
    """-o: the old file stays whole until the new one is on the disk."""
    count, trace = cases("a manifest that cannot be replaced"), tmp_path / "trace"
    with World(tmp_path / "world", mixed()) as world:
        for call, error in (("openat", "EMFILE"), ("fchmod", "EIO"), ("fdatasync", "EIO"),
                            ("renameat", "EDQUOT"), ("fsync", "EIO")):
            with count.case(f"{call} {error}"):
                world.list.write_text("the old one")
                paths = [world.folder] if call == "openat" else []
                wrap = strace(trace, [f"{call}:error={error}"], paths=paths)
                ran = world.run("s3-manifest", "-o", world.list, "s3://b", wrap=wrap)
                assert injected(trace), "nothing failed"
                refused(ran)
                # The directory's flush comes when the new manifest has the name already.
                text = world.list.read_text()
                is_new = call == "fsync" and len(rows_of(text)) == len(mixed())
                assert text == "the old one" or is_new, "the old manifest is gone"
        with count.case("a file of limited size"):
            world.list.write_text("the old one")
            refused(world.run("s3-manifest", "-o", world.list, "s3://b",
                              wrap=["prlimit", "--fsize=300"]))
            assert world.list.read_text() == "the old one"
        assert (not list(world.folder.glob("*.new"))
                + list(world.folder.glob(".*.new"))), "what could not be used was left"
        world.write_list()
        world.resume()


def refused(ran):
    """Check that a command says that it could not do its work, in words."""
    assert (ran.status == 3 and ran.err.strip()
            and "Traceback" not in ran.err), f"{ran.status}: {ran.err}"


# --- real limits


def no_space(cases, mounts, tmp_path, what, sizes, bodies, more):
    """Fetch into file systems that are too small, make them larger, and go on; return what was
    said.
    """
    count, said = cases(f"a full disk ({what})"), []
    for size in sizes:
        name = f"{what}-{size}"
        place = mounts.mount(name, "small", f"{what}={size}", "tmpfs")
        with count.case(f"{what}={size}"), World(tmp_path / name, bodies,
                                                 dest=place / "dest") as world:
            ran = world.fetch()
            world.look()
            world.tell_truth(ran)
            assert (ran.status == 3 and "#end rows="
                    not in ran.out), f"no space, but it ended with {ran.status}: {ran.err}"
            assert re.search("No space left on device|disk is full|disk I/O error|unable to open",
                             ran.err), ran.err
            assert ("No space left on device in" not in ran.err
                    or re.search(r"is under way needs [0-9.]+[KM]", ran.err)), ran.err
            said.append(ran.err)
            mounts.remount(place, f"{what}={more}")
            world.resume()
        mounts.unmount(place)
        world.remove()
    return said


@pytest.mark.system("mount", "root")
def test_no_space(cases, mounts, tmp_path):
    """From so little that not even the ledger fits to nearly enough: whatever comes last finds no
    space.
    """
    said = no_space(cases, mounts, tmp_path, "size", ["8k", "64k", "100k", "160k", "400k", "1m"],
                    mixed(), "64m")
    assert any("ledger" in text for text in said) and any("is under way needs" in text
                                                          for text in said), said


@pytest.mark.system("mount", "root")
def test_no_inodes(cases, mounts, tmp_path):
    no_space(cases, mounts, tmp_path, "nr_inodes", [2, 4, 5, 7, 9, 14], mixed(), 1000)


@pytest.mark.system("mount", "root")
def test_no_space_for_a_large_object(cases, mounts, tmp_path):
    no_space(cases, mounts, tmp_path, "size", ["20m", "64m"], LARGE, "200m")


@pytest.mark.system("minutes")
def test_limits_of_the_process(cases, tmp_path):
    """Few descriptors, small files: what fails says why, and the next run, without the limit, goes
    on.
    """
    count = cases("a limit of the process")
    limits = ([f"--nofile={most}" for most in (16, 17, 18, 20, 24, 32)]
              + [f"--fsize={most}" for most in (4096, 40_000, 500_000)])
    for limit in limits:
        with count.case(limit), World(tmp_path / limit.strip("-"), mixed()) as world:
            world.write_list()
            ran = world.fetch(wrap=["prlimit", limit])
            world.look()
            world.tell_truth(ran)
            assert ran.status in (0, 1, 3) and (ran.status == 0
                                                or ran.err), f"{ran.status}: {ran.err}"
            assert ran.status or "fsize" not in limit, "the limit was not felt"
            world.resume()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("command", ["s3-fetch", "s3-verify"])
def test_an_output_that_takes_nothing(cases, tmp_path, command):
    """A manifest that nobody can have got is no success, and the files that came are kept."""
    count = cases("a full or closed stdout")
    for name, shell in (("full", 'exec "$@" >/dev/full'), ("closed", 'exec "$@" >&-')):
        with count.case(f"{command}, {name}"), World(tmp_path / name, mixed()) as world:
            world.write_list()
            if command == "s3-verify":
                world.fetch()
            ran = world.run(command, "-j", 2, "-d", world.dest, world.list,
                            wrap=["sh", "-c", shell, "sh"])
            world.look()
            refused(ran)
            world.resume()


def break_ext4(place, image):
    """Have ext4 find a fault in itself, after which it is read-only."""
    loop = do("losetup", "-n", "-O", "NAME", "-j", image).strip().rpartition("/")[2]
    Path(f"/sys/fs/ext4/{loop}/trigger_fs_error").write_text("a fault on purpose")


def shut_down(place, image):
    """Have a file system stop as if its disk had gone."""
    folder = os.open(place, os.O_RDONLY)
    try:
        # nothing that is not on the disk goes there any more
        fcntl.ioctl(folder, SHUT_DOWN, struct.pack("I", 2))
    finally:
        os.close(folder)


@pytest.mark.system("mkfs.ext4", "mkfs.xfs", "root")
@pytest.mark.parametrize("kind, options, end", [("ext4", "errors=remount-ro", break_ext4),
                                                ("ext4", "", shut_down), ("xfs", "", shut_down)],
                         ids=["ext4 turns read-only", "ext4 goes", "xfs goes"])
def test_a_file_system_that_fails(cases, mounts, tmp_path, kind, options, end):
    """In the middle of a run: what had left as fetched is there when the file system is mounted
    again.
    """
    count = cases("a file system that fails in the middle of a run")
    for at in (0.2, 0.7):
        name = f"{end.__name__} {kind} {at}"
        image = make_image(tmp_path / name, 320 << 20, (f"mkfs.{kind}", "-q"))
        place = mounts.mount(name, image, options)
        with count.case(name), World(tmp_path / f"world {name}", mixed(5, small=500, middle=6),
                                     dest=place / "dest") as world:
            world.write_list()
            process = world.start("s3-fetch", "-j", 2, "-c", 4, "--limit-rate", 3_000_000, "-d",
                                  world.dest, world.list)
            wanted = at * len(world.fake.objects(world.bucket))
            while len(world.fake.requests(method="GET",
                                          status=200)) < wanted and process.poll() is None:
                time.sleep(0.01)
            end(place, image)
            ran = world.finish(process, time.monotonic())
            mounts.unmount(place)
            place = mounts.mount(name, image)
            world.tell_truth(ran)
            assert ran.status in (1, 3) and ran.err, f"{ran.status}: {ran.err}"
            world.resume()
        mounts.unmount(place)
        world.remove()
