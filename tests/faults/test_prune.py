"""Deletion: when S3 is asked to delete a version, its bytes are on the disk, and its proof held a
moment ago.
"""

import random
import re
import signal
import sqlite3
import time
from contextlib import closing
from xml.sax.saxutils import unescape

import pytest

from faults.images import XFS, make_image
from faults.oracle import TRUE_TIME, World, mixed, rows_of
from faults.test_power import Guest


def asked_to_delete(request):
    """Return {(key, version id)} that a request asks to delete."""
    if request.method == "DELETE":
        return {(request.key, request.query.get("versionId", ""))}
    if request.method == "POST" and "delete" in request.query:
        return {(unescape(key), version) for key, version in re.findall(
            "<Key>([^<]*)</Key><VersionId>([^<]*)</VersionId>", request.body.decode())}
    return set()


def pipeline(world, rate=900_000):
    """Start s3-fetch | s3-verify | s3-prune --yes; return the processes."""
    processes = []
    for argv in (["s3-fetch", "-q", "-j", 1, "-c", 4, "-d", world.dest, "--limit-rate", rate,
                  world.list], ["s3-verify", "-q", "-j", 1, "-d", world.dest],
                 ["s3-prune", "-q", "--yes", "-d", world.dest]):
        options = {"stdin": processes[-1].stdout} if processes else {}
        processes.append(world.start(*argv, **options))
        if options:
            options["stdin"].close()
    return processes


def finish(processes):
    """Wait for a pipeline; return what left it."""
    out, _ = processes[-1].communicate(timeout=TRUE_TIME)
    for process in processes[:-1]:
        process.stderr.read()
        process.wait(TRUE_TIME)
    return out.decode()


@pytest.mark.system("mkfs.ext4", "mkfs.xfs", "root")
@pytest.mark.parametrize("kind, versioning", [
    ("ext4", "Enabled"), pytest.param("xfs", None, marks=pytest.mark.long)])
def test_power_cuts_as_a_delete_arrives(cases, mounts, tmp_path, kind, versioning):
    """By the order of the server's requests: at the instant a delete arrives the disk has what it
    names.
    """
    count = cases("power cut as S3 is asked to delete")
    host = mounts.mount("host", make_image(tmp_path / "host.img", 16 << 30, XFS))
    guest = Guest(mounts, host, kind, kind)
    chance = random.Random(3)
    with World(tmp_path / "world", mixed(3, small=700, middle=3), dest=guest.dest,
               versioning=versioning) as world:
        world.write_list(*["--versions"] * bool(versioning))
        bodies = {(version.key, version.id if versioning else ""): version.body
                  for version in world.fake.versions(world.bucket)}
        named = []

        def before(request):
            names = asked_to_delete(request) & set(bodies)
            if names and (len(named) < 3 or chance.random() < 0.1):
                named.append(names)
                guest.cut(b"")
        world.fake.hook = before
        text = finish(pipeline(world, rate=300_000))     # rows leave in groups
        world.fake.hook = None
        states = {row["state"] for row in rows_of(text)}
        assert states == {"pruned"}, states
        assert not world.fake.versions(world.bucket)
        guest.stop()
        paths = {(row["key"], row["version_id"]): row["path"] for row in rows_of(text)}
        for number, dest, _ in guest.copies():
            with count.case(f"{kind}, {versioning}, delete {number} of {len(named)} names"):
                known = ledger_of(dest)
                for name in named[number]:
                    assert known.get(name) == "pruned", (
                        f"the ledger does not know that S3 was asked to delete {name}: "
                        f"{known.get(name)}")
                    path = dest / paths[name]
                    assert path.is_file() and path.read_bytes() == bodies[
                        name], f"S3 was asked to delete {name}, which is not on the disk"
        assert count.run >= 3


def ledger_of(dest):
    """Return {(key, version id): state} of the ledger of a destination, or of what a power cut left
    of it.
    """
    with closing(sqlite3.connect(dest / ".s3kit" / "ledger.sqlite3")) as base:
        return {(key, version): state for key, version,
                state in base.execute("SELECT key, version_id, state FROM object")}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=[
    pytest.mark.long, pytest.mark.timeout(7200)])])
def test_killed_pipelines_that_delete(cases, tmp_path, rounds):
    """kill -9 of any stage at any time: every version is here with its bytes or still in S3, and a
    resume ends it.
    """
    count = cases("kill -9 in a pipeline that deletes")
    for seed in range(rounds):
        chance = random.Random(seed)
        with count.case(f"seed {seed}"), World(tmp_path / f"{seed}",
                                               mixed(seed, small=120, middle=4),
                                               versioning=chance.choice(
                                                   ["Enabled", None])) as world:
            world.write_list()
            versions = {(version.key, version.id): version
                        for version in world.fake.versions(world.bucket)}
            world.fake.latency = 0.01
            processes = pipeline(world, 20_000_000)
            time.sleep(0.2 + chance.random() * 1.5)
            victim = chance.choice(processes)
            if victim.poll() is None:
                victim.send_signal(signal.SIGKILL)
            text = finish(processes)
            assert rows_of(text) is not None
            all_here_or_there(world, versions)
            world.fake.latency = 0
            text = (finish(pipeline(world, 50_000_000)) if world.fake.versions(world.bucket)
                    else text)
            all_here_or_there(world, versions)
        world.remove()


def all_here_or_there(world, versions):
    """Check that each version is in S3 as it was, or on the disk with its bytes."""
    there = {(version.key, version.id) for version in world.fake.versions(world.bucket)}
    here = set(map(bytes, world.files().values()))
    lost = [name for name,
            version in versions.items() if name not in there and bytes(version.body) not in here]
    assert not lost, f"neither in S3 nor here: {lost[:3]}"
