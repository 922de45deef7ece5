"""Rows on a Dask cluster of real processes: workers, the scheduler and the parent are killed."""

import os
import random
import re
import signal
import subprocess
import sys

import pytest
from cluster import Cluster
from conftest import BIN, clean_env, env_of
from fakes3 import FakeS3

from manifests import read_rows

SYNC = re.compile(r"^(?:\d+ +)?syncfs\(\d+\) += 0", re.MULTILINE)


def start(fake, cluster, *argv):
    """Start a command of ours on a cluster; return its process."""
    return subprocess.Popen([sys.executable, str(BIN / argv[0]), "--scheduler", cluster.address,
                             *map(str, argv[1:])], env=clean_env(env_of(fake)),
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def ended(process, timeout=120):
    """Return (status, stderr) of a process when it has ended."""
    try:
        _, said = process.communicate(timeout=timeout)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, said


def fill(fake, count, large=0):
    """Put objects into a bucket; return {key: bytes}."""
    noise = random.Random(18)
    bodies = {f"{number % 40:02}/{number:05}": noise.randbytes(noise.randrange(1, 3000))
              for number in range(count)}
    if large:
        bodies["large"] = noise.randbytes(large)
    for key, body in bodies.items():
        fake.put("b", key, body)
    return bodies


def files(dest):
    """Return {key: bytes} of what lies below a destination."""
    return {str(path.relative_to(dest / "b")): path.read_bytes()
            for path in (dest / "b").rglob("*") if path.is_file()}


def facts(manifest):
    """Return what a manifest says of each row, in order of their keys. Its bytes are told by our
    digest; a file that was complete when its worker died is proven by the row's ETag, others by the
    checksum that came with them.
    """
    rows = list(read_rows(manifest))
    assert {row.proof for row in rows} <= {"crc64nvme", "etag-md5"}
    return sorted((row.key, row.version_id, row.state, row.size, row.etag, row.path, row.digest,
                   row.error) for row in rows)


@pytest.fixture
def fake():
    with FakeS3() as server:
        yield server


@pytest.fixture
def place(tmp_path):
    """A folder for the logs of a cluster."""
    made = tmp_path / "cluster"
    made.mkdir()
    return made


@pytest.mark.system("strace")
def test_a_worker_that_is_killed_takes_nothing_with_it(fake, run, place, tmp_path):
    """Files, a large one among them, are those of a run alone, flushed by those who wrote them; and
    nothing that Dask writes or shows has the secret.
    """
    bodies, dest = fill(fake, 400, large=70 << 20), tmp_path / "dest"
    env = env_of(fake)
    run("s3-manifest", "s3://b/", "-o", tmp_path / "all.csv", env=env)
    fake.latency = 0.05
    trace = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=syncfs", "-o",
             str(place / "trace-{number}")]
    with Cluster(place, 2, before=trace) as cluster:
        process = start(fake, cluster, "s3-fetch", "-d", dest, "-o", tmp_path / "m.csv",
                        tmp_path / "all.csv")
        cluster.until(lambda: len(fake.requests(method="GET", bucket="b")) > 100)
        cluster.kill(cluster.workers[0])
        cluster.start_worker()
        shown = "".join(map(cluster.page, (
            "info/main/workers.html", "json/counts.json", "metrics", "health",
            "json/identity.json", "info/main/logs.html")))
        status, said = ended(process)
        assert status == 0, said + cluster.logs()[-3000:]
        shown += cluster.logs()
    assert files(dest) == bodies
    run("s3-fetch", "-d", tmp_path / "alone", "-o", tmp_path / "alone.csv", tmp_path / "all.csv",
        env=env)
    assert facts(tmp_path / "m.csv") == facts(tmp_path / "alone.csv")
    assert not os.listdir(dest / ".s3kit/parts") and not list(dest.glob(".s3kit/probe-*"))
    assert "s3kit" in shown and fake.secret_key not in shown
    assert SYNC.search((place / "trace-2").read_text())
