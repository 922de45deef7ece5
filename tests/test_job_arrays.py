"""An array of jobs on several machines, here processes with a destination of their own each, that
share what a server takes.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from conftest import BIN, clean_env, env_of
from rates import RateLimit

from manifests import read_rows

NODES = 4


def start(folder, env, *argv):
    """Start a command in a process group of its own, its stderr in a file; return the Popen."""
    with open(folder / f"{time.monotonic_ns()}.err", "w") as err:
        return subprocess.Popen([sys.executable, str(BIN / argv[0]), *map(str, argv[1:])],
                                cwd=folder, env=clean_env(env), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=err, start_new_session=True)


def filled(fake, count, versions=1):
    """Make a bucket of small objects."""
    fake.bucket("b", versioning="Enabled")
    for number in range(count):
        for version in range(versions):
            fake.put("b", f"{number % 7}/k{number:05d}", f"{number} {version}".encode())


class Array:
    """Jobs of an array: `each` is one's share of the requests a second, or None."""

    def __init__(self, folder, fake, shards, each=None):
        self.folder, self.env, self.shards = folder, env_of(fake), shards
        self.options = ["--limit-requests", f"{each}/s"] if each else []

    def begin(self, run, shard, node):
        """Start a shard's s3-fetch on a node; return its process."""
        part = self.folder / f"shard-{shard}.csv"
        if not part.exists():
            done = run("s3-filter", "--shard", f"{shard}/{self.shards}", self.folder / "all.csv",
                       "-o", part)
            assert done.status == 0, done.err
        return start(self.folder, self.env, "s3-fetch", "-q", "-j", 1, *self.options, "-d",
                     self.folder / f"node-{node}", part, "-o", self.folder / f"part-{shard}.csv")

    def merged(self, run):
        """Return the text of the merged manifest."""
        parts = sorted(self.folder.glob("part-*.csv"))
        done = run("s3-filter", "--merge", "--shards", self.shards, *parts)
        assert done.status == 0, done.err
        return done.out


def bytes_below(folders, is_shared=False):
    """Return {path below its folder: bytes} of the files in some destinations; none is in two,
    unless that may be.
    """
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            name = str(path.relative_to(folder))
            if path.is_file() and ".s3kit" not in name:
                assert is_shared or name not in found
                found[name] = path.read_bytes()
    return found


def said(text):
    """Return what a manifest says of each version, but not how its file was proven: that of one
    whose s3-fetch was killed before it could note it is proven by S3's ETag when it is met again.
    """
    rows = read_rows(text)
    assert all(row.state == "fetched" and row.proof for row in rows)
    return [(row.bucket, row.key, row.version_id, row.is_latest, row.size, row.etag,
             row.last_modified, row.path, row.digest) for row in rows]


def alone(fake, tmp_path, run, count):
    """List a bucket of so many objects, and fetch them in a single run with nobody's leave; return
    what its manifest says and the files, {path: bytes}.
    """
    filled(fake, count)
    env = env_of(fake)
    done = run("s3-manifest", "--versions", "s3://b/", "-o", tmp_path / "all.csv", env=env)
    assert done.status == 0, done.err
    done = run("s3-fetch", "-q", "-d", tmp_path / "single", tmp_path / "all.csv", env=env,
               timeout=600)
    assert done.status == 0, done.err
    (tmp_path / "single.csv").write_text(done.out)
    merged = run("s3-filter", "--merge", tmp_path / "single.csv").out
    return said(merged), bytes_below([tmp_path / "single"])


def test_four_nodes_and_one_that_is_killed(fake, tmp_path, run):
    """A single run goes as fast as it can, and the server slows it down, without a row that fails.
    Of four nodes each takes its share of the rate, and none is slowed down; one is killed and run
    again; what is merged is what the single run has.
    """
    limit = RateLimit(150).slow_down(fake)
    single, files = alone(fake, tmp_path, run, 240)
    assert limit.slowed > 0 and len(single) == len(files) == 240
    before, limit.slowed = len(fake.log), 0
    array = Array(tmp_path, fake, NODES, each=30)
    jobs = {shard: array.begin(run, shard, shard) for shard in range(1, NODES + 1)}
    while len(fake.log) < before + 80:
        time.sleep(0.02)
    os.killpg(jobs[2].pid, signal.SIGKILL)
    assert jobs[2].wait() == -signal.SIGKILL and not (tmp_path / "part-2.csv").exists()
    assert [jobs[shard].wait(60) for shard in (1, 3, 4)] == [0, 0, 0]
    done = run("s3-filter", "--merge", "--shards", NODES, *tmp_path.glob("part-*.csv"))
    assert (done.status, done.out) == (3, "")
    assert done.err == "s3-filter: of the shards, 2/4 is missing\n"
    assert array.begin(run, 2, 2).wait(60) == 0
    assert limit.slowed == 0
    assert said(array.merged(run)) == single
    assert bytes_below([tmp_path / f"node-{node}" for node in range(1, NODES + 1)]) == files
    gets = [record for record in fake.log[before:] if record.method == "GET" and record.key]
    assert 240 <= len(gets) <= 240 + 60         # those of the one that was killed, at most


@pytest.mark.long
def test_many_shards_and_many_kills(fake, tmp_path, run):
    """40 shards of 8,000 objects on four nodes, one killed every two seconds at random, sixteen
    times.
    """
    chance, limit = random.Random(4), RateLimit(1000).slow_down(fake)
    single, files = alone(fake, tmp_path, run, 8000)
    limit.slowed, array, kills = 0, Array(tmp_path, fake, 40, each=150), 16
    todo, jobs = list(range(1, 41)), {}
    at = time.monotonic() + 2
    while todo or jobs:
        for node in range(NODES):
            if node not in jobs and todo:
                shard = todo.pop(0)
                jobs[node] = shard, array.begin(run, shard, node)
        if kills and time.monotonic() > at and jobs:
            os.killpg(chance.choice(list(jobs.values()))[1].pid, signal.SIGKILL)
            kills, at = kills - 1, time.monotonic() + 2
        for node, (shard, job) in list(jobs.items()):
            if job.poll() is not None:
                assert job.returncode in (0, -signal.SIGKILL)
                todo += [shard] if job.returncode else []
                del jobs[node]
        time.sleep(0.01)
    assert not kills and limit.slowed == 0
    assert said(array.merged(run)) == single
    # a shard that another node began has some of its files there, too
    found = bytes_below([tmp_path / f"node-{node}" for node in range(NODES)], is_shared=True)
    assert found == files


JOURNEY = (
    ("s3-fetch", "-j", 2, "-d", "there", "m.csv", "-o", "fetched.csv"),
    # of a list of keys, which says nothing else, S3 is asked
    ("s3-verify", "-j", 2, "-d", "there", "--bucket", "b", "--keys", "keys.txt", "-o",
     "verified.csv"),
    ("s3-put", "-j", 2, "-d", "there", "--to", "s3://c/", "fetched.csv"),
    ("s3-restore", "--yes", "cold.csv"),
    ("s3-prune", "--yes", "-d", "there", "verified.csv"))
OBJECTS = 36


def test_every_command_keeps_to_it(fake, tmp_path, run):
    """Objects at 60 requests a second take most of one, with two workers, too; at no time does the
    server see more.
    """
    env = env_of(fake)
    for bucket in "bc":
        fake.bucket(bucket)
    fake.bucket("cold")
    for number in range(OBJECTS):
        fake.put("b", f"k{number}", b"x" * number)
        fake.put("cold", f"k{number}", b"x", storage_class="GLACIER")
    (tmp_path / "keys.txt").write_text("".join(f"k{number}\n" for number in range(OBJECTS)))
    for bucket, name in ("b", "m.csv"), ("cold", "cold.csv"):
        assert run("s3-manifest", f"s3://{bucket}/", "-o", name, env=env).status == 0
    for command, *words in JOURNEY:
        before, limit = len(fake.log), RateLimit(1000, seconds=0.25).slow_down(fake)
        done = run(command, "--limit-requests", "60/s", *words, env=env)
        assert done.status == 0, done.err
        assert len(fake.log) - before >= OBJECTS
        assert limit.peak <= 60 * 0.3 + 4, f"{command}: {limit.peak} in a quarter of a second"


def test_listings_keep_to_it(fake, tmp_path, run):
    """Pages, too, however many are asked for at once."""
    filled(fake, 60, versions=80)
    fake.latency = 0.02
    for words in (["s3-manifest", "--versions"], ["s3-list", "-R", "--versions"]):
        before, began = len(fake.log), time.monotonic()
        done = run(words[0], "--limit-requests", "10", *words[1:], "s3://b/", env=env_of(fake))
        assert done.status == 0 and done.out.count("/k") == 4800
        pages = len(fake.log) - before
        assert pages >= 5 and time.monotonic() - began >= (pages - 3) / 10


@pytest.mark.parametrize("rate", ["0", "-1", "fast", "10/m", "1.5"])
def test_rates_that_are_none(run, rate):
    """0 would be nothing at all, or everything: it is refused."""
    done = run("s3-fetch", f"--limit-requests={rate}", input="#s3kit manifest 1\n")
    assert done.status == 2 and "is not a number of at least 1" in done.err
