"""Hostile places: things in the way, a racing process that swaps in links, a destination that goes
away or is `/`.

Whatever lies in the destination, nothing outside it is ever changed, nothing hangs, and what can be
fetched is.
"""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults.oracle import World, mixed
from s3kit.disk.tree import part_name

HANGS = 120             # seconds after which something does
LONG = [pytest.mark.long, pytest.mark.timeout(7200)]
SMALL, MIDDLE, LARGE = "dir0/small0", "dir0/deep/er/middle0", "large"


# --- things in the way


def link_to_directory(world, place):
    place.symlink_to(world.beside)


def link_to_file(world, place):
    place.symlink_to(world.beside / "file")


def dangling_link(world, place):
    place.symlink_to(world.beside / "new")


def link_to_itself(world, place):
    place.symlink_to(place.name)


def fifo(world, place):
    os.mkfifo(place)


def unix_socket(world, place):
    folder = os.open(place.parent, os.O_RDONLY)     # its path may be too long for a socket
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{folder}/{place.name}")
    os.close(folder)


def device(world, place):
    os.mknod(place, 0o600 | 0o020000, os.makedev(1, 3))


def hard_link(world, place):
    os.link(world.beside / "file", place)


def directory(world, place):
    (place / "inside").mkdir(parents=True)


THINGS = [link_to_directory, link_to_file, dangling_link, link_to_itself, fifo, unix_socket, device,
          hard_link, directory]
OF_ROWS = {         # where a thing is in the way of one row alone
    "a file": lambda world, key: f"b/{key}",
    "its directory": lambda world, key: f"b/{os.path.dirname(key)}",
    "a directory above": lambda world, key: f"b/{os.path.dirname(os.path.dirname(key))}",
    "its part": lambda world, key: part_of(world, key),
}
OF_LARGE = {"a large file": OF_ROWS["a file"], "a large part": OF_ROWS["its part"],
            "a journal": lambda world, key: f"{part_of(world, key)}.journal",
            "a journal beside its part": lambda world, key: f"{part_of(world, key)}.journal"}
OF_ALL = {  # in the way of all rows; the thing of the quick run
    "b": hard_link, ".s3kit": link_to_directory, ".s3kit/parts": link_to_directory,
    ".s3kit/ledger.sqlite3": dangling_link, ".s3kit/ledger.sqlite3-wal": hard_link,
    ".s3kit/ledger.sqlite3-shm": link_to_file}


def part_of(world, key):
    """Return the path of a key's part file."""
    version = world.fake.get(world.bucket, key)
    return f".s3kit/parts/{part_name(world.bucket, key, version.id, version.etag)}"


def put_in(world, thing, place):
    """Put a thing at a place below the destination."""
    at = world.dest / place
    at.parent.mkdir(parents=True, exist_ok=True)
    thing(world, at)
    return at


def take_away(at):
    """Remove a thing, if it is still there."""
    if at.is_dir() and not at.is_symlink():
        shutil.rmtree(at)
    elif os.path.lexists(at):
        at.unlink()


def run_both(world):
    """Fetch and verify; check what must hold of both whatever is in the way; return both."""
    ran = world.fetch(timeout=HANGS)
    check = world.verify(timeout=HANGS)
    assert world.outside() == world.calm, "something outside the destination changed"
    assert ("Traceback" not in ran.err + check.err
            and "died" not in ran.err + check.err), ran.err + check.err
    assert ran.status in (0, 1, 3) and (ran.status == 0 or ran.err), f"{ran.status} {ran.err}"
    world.believe(ran.rows + check.rows)
    return ran, check


def judge_rows(world, count, things):
    """Count each thing as a case: its row arrived beside it or says what is in the way, and arrives
    when it has gone.
    """
    states = {}
    with count.case("all of them at once"):
        ran, check = run_both(world)
        states = {row["key"]: row for row in ran.rows}
        assert len(states) == len(world.fake.objects(
            world.bucket)), f"{ran.status}, {len(states)} rows: {ran.err}"
    if not states:
        return
    for key, at in things.items():
        with count.case(key):
            row = states[key]
            assert row["state"] == "fetched" or (row["state"] in ("conflict", "failed")
                                                 and row["error"]), row
        take_away(at)
    with count.case("all of them gone"):
        assert ran.status == int(any(states[key]["state"] != "fetched"
                                     for key in things)), ran.status
        assert all(row["state"] == "fetched" for key,
                   row in states.items() if key not in things), "others were hindered"
        world.look(world.truth_by_names())
        again = world.fetch()
        assert again.status == 0, again.err
        world.tell_truth(again)
        world.look(world.truth_by_names())
        world.nothing_left()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("size", [10, 400_000], ids=["memory", "streamed"])
def test_things_in_the_way_of_rows(cases, tmp_path, size):
    count, chance = cases("a thing in the way of a row"), random.Random(size)
    keys = {f"{place}/{thing.__name__}/in/file": (thing, place) for place in OF_ROWS
            for thing in THINGS}
    bodies = {key: chance.randbytes(size) for key in [*keys, "another", "in/other/places"]}
    with World(tmp_path, bodies) as world:
        things = {key: put_in(world, thing, OF_ROWS[place](world, key)) for key,
                  (thing, place) in keys.items()}
        world.calm = world.outside()
        judge_rows(world, count, things)


@pytest.mark.system("minutes")
@pytest.mark.parametrize("chosen", [[("a large part", hard_link), ("a journal", directory),
                                     ("a journal beside its part", fifo)], pytest.param(
                                         [(place, thing) for place in OF_LARGE for thing in THINGS],
                                         marks=LONG)], ids=["some", "all"])
def test_things_in_the_way_of_large_rows(cases, tmp_path, chosen):
    count, body = cases("a thing in the way of a row"), bytes(64 << 20)
    keys = {f"{place}/{thing.__name__}/in/file": (thing, place) for place, thing in chosen}
    with World(tmp_path, dict.fromkeys([*keys, "another"], body)) as world:
        things = {key: put_in(world, thing, OF_LARGE[place](world, key)) for key,
                  (thing, place) in keys.items()}
        for key in keys:
            if "beside" in key:
                (world.dest / part_of(world, key)).write_bytes(body)
        world.calm = world.outside()
        judge_rows(world, count, things)


@pytest.mark.system("minutes")
@pytest.mark.parametrize("things", [None, pytest.param(THINGS, marks=LONG)], ids=["one", "all"])
def test_things_in_the_way_of_all(cases, tmp_path, things):
    count = cases("a thing in the way of all rows")
    with World(tmp_path / "listed", {"a": b"1", "b/c": b"2"}) as listed:
        listed.write_list()
        for at, (place, usual) in enumerate(OF_ALL.items()):
            for thing in things or [usual]:
                world = listed.elsewhere(tmp_path / f"{at} {thing.__name__}")
                with count.case(f"{thing.__name__} in place of {place}"):
                    there = put_in(world, thing, place)
                    world.calm = world.outside()
                    run_both(world)
                    take_away(there)
                    again = world.fetch()
                    assert again.status == 0, again.err
                    world.look(world.truth_by_names())
                    world.nothing_left()


# --- the destination itself


ROOT_OF = """
for entry in /*; do
    if [ -L "$entry" ]; then cp -P "$entry" "$1$entry"
    elif [ -d "$entry" ]; then mkdir "$1$entry" && mount --rbind "$entry" "$1$entry"
    fi
done
mkdir "$1/bound" && mount --bind "$1" "$1/bound" || exit 99
ln -s / "$1/link" && ln -s link/. "$1/link-to-link" || exit 99
root=$1; shift
exec chroot "$root" "$@"
"""
ROOTS = ["/", "/.", "//", "///", "/tmp/..", "/no/..", "/no/such/../..", "/../..", "/link", "/link/",
         "/link-to-link", "/bound", "/bound/no/..", "."]


@pytest.mark.system("unshare", "mount", "root")
@pytest.mark.parametrize("command, roots", [("s3-fetch", ROOTS), ("s3-verify", ROOTS[::5])],
                         ids=["s3-fetch", "s3-verify"])
def test_the_destination_is_root(cases, tmp_path, command, roots):
    """By whatever name: refused before anything is made.

    `/` is a directory of the test's, below which all others are bound.
    """
    count = cases("the destination is /")
    with World(tmp_path / "w", {"a": b"1"}) as world:
        world.write_list()
        for at, name in enumerate(roots):
            root = tmp_path / f"root{at}"
            root.mkdir()
            with count.case(f"{command} -d {name}"):
                wrap = ["unshare", "-m", "sh", "-c", ROOT_OF, "sh", root]
                ran = world.run(command, "-d", name, world.list, wrap=wrap, timeout=HANGS)
                assert ran.status == 3, (
                    f"{ran.status} {ran.err} (this test needs root, unshare and bind mounts)")
                assert "the destination must not be '/'" in ran.err, ran.err
                made = ({entry.name for entry in root.iterdir()}
                        - {entry.name for entry in Path("/").iterdir()})
                assert made == {"bound", "link", "link-to-link"}, f"made in /: {made}"
                assert not (root / ".s3kit").exists() and not list((root / "bound").iterdir())


@pytest.mark.system("minutes")
def test_the_destination_is_a_link(cases, tmp_path):
    """People keep their data behind links: theirs are followed, and stay."""
    count = cases("the destination is a link")
    for at, target in enumerate(["real", "../near/real", "dest2"]):
        with World(tmp_path / str(at)) as world, count.case(f"to {target}"):
            real = world.dest.parent / "real"
            real.mkdir()
            (world.dest.parent / "dest2").symlink_to("real")
            world.dest.symlink_to(target)
            link, world.dest = world.dest, real
            world.calm = world.outside()
            for word in ("s3-fetch", "s3-verify"):
                ran = world.run(word, "-j", 2, "-d", link,
                                world.list if world.list.exists() else world.write_list())
                assert ran.status == 0, ran.err
                world.settle(ran)
            assert link.is_symlink()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("rounds", [3, pytest.param(60, marks=LONG)])
@pytest.mark.parametrize("how", ["removed", "moved", "a link"])
def test_the_destination_vanishes(cases, tmp_path, how, rounds):
    """Mid-run: it ends, what is elsewhere stays as it is, and the next run makes good for it."""
    count = cases(f"the destination is {how} while s3-fetch runs")
    with World(tmp_path / "listed", mixed(1, small=150, middle=6)) as listed:
        listed.write_list()
        listed.fake.latency = 0.005
        for seed in range(rounds):
            world, first = (listed.elsewhere(tmp_path / str(seed)),
                            random.Random(seed).choice((0, 0, 1, 20, 80, 140)))
            gone = world.folder / "gone"
            with count.case(f"seed {seed}, after {first} requests"):
                asked = len(world.fake.log)
                process = world.start("s3-fetch", "-j", 2, "-d", world.dest, world.list)
                while (not (world.dest / ".s3kit" / "ledger.sqlite3").exists()
                       or len(world.fake.log) < asked + first):
                    assert process.poll() is None
                    time.sleep(0.001)
                os.rename(world.dest, gone)
                if how == "removed":
                    shutil.rmtree(gone, ignore_errors=True)
                if how == "a link":
                    world.dest.symlink_to(world.beside)
                ran = world.finish(process, time.monotonic(), HANGS)
                assert "Traceback" not in ran.err and "died" not in ran.err, ran.err
                assert world.outside() == world.calm, "something outside the destination changed"
                assert ran.status != 0 or len(ran.rows) == 157 and "#end" in ran.out, ran.status
                if world.dest.is_symlink():
                    world.dest.unlink()
                listed.fake.latency = 0
                world.resume()
                listed.fake.latency = 0.005
            shutil.rmtree(world.folder)


# --- a process that swaps while we run


RACER = """
import ctypes, os, sys
libc, swaps = ctypes.CDLL(None), 0
at, other, stop = map(os.fsencode, sys.argv[1:])
print("ready", flush=True)
while not os.path.exists(stop):
    for _ in range(50):
        swaps += libc.renameat2(-100, at, -100, other, 2) == 0        # RENAME_EXCHANGE
if swaps % 2:
    libc.renameat2(-100, at, -100, other, 2)
print(swaps)
"""
TARGETS = {"b": "", "b/dir1": "", "b/dir0/deep": "dir", "b/dir0/small0": "file",
           ".s3kit/parts": "dir"}
SWAPS = 2000


@contextmanager
def racing(at, other, stop):
    """Have a process exchange two names as quickly as it can; yield a list that then gets the
    number of its swaps.
    """
    racer = subprocess.Popen([sys.executable, "-c", RACER, at, other, stop], stdout=subprocess.PIPE,
                             text=True)
    swaps = []
    try:
        assert racer.stdout.readline() == "ready\n"
        yield swaps
    finally:
        stop.touch()
        swaps.append(int(racer.communicate()[0]))
        stop.unlink()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("rounds", [1, pytest.param(40, marks=LONG)])
@pytest.mark.parametrize("target", TARGETS)
def test_a_racer(cases, tmp_path, target, rounds):
    """A name in the destination is now ours, now a link to what must not be touched."""
    count, total = cases(f"a racer at {target}"), 0
    with World(tmp_path / "listed", mixed(5, small=300, middle=9)) as listed:
        listed.write_list()
        for seed in range(rounds):
            world = listed.elsewhere(tmp_path / str(seed))
            at, other = world.dest / target, world.folder / "link"
            other.symlink_to(world.beside / TARGETS[target])
            if TARGETS[target] == "file":
                at.parent.mkdir(parents=True)
                at.write_text("what was there before")
            else:
                at.mkdir(parents=True)
            world.calm = world.outside()
            with count.case(f"round {seed}"):
                with racing(at, other, world.folder / "stop") as swaps:
                    ran = world.fetch(timeout=HANGS)
                    check = world.verify(timeout=HANGS)
                total += swaps[0]
                assert world.outside() == world.calm, "something outside the destination changed"
                assert ("Traceback" not in ran.err + check.err
                        and "died" not in ran.err + check.err), ran.err + check.err
                assert ran.status in (0, 1, 3) and check.status in (
                    0, 1, 3, 5), (ran.status, check.status)
                if TARGETS[target] != "file":
                    world.believe(ran.rows + check.rows)
                take_away(other)
                world.resume()
                assert world.verify().status == 0
            shutil.rmtree(world.folder)
    assert total >= SWAPS * rounds, f"only {total} swaps"
