"""Rows on a Dask cluster of real processes: workers, the scheduler and the parent are killed."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cluster import Cluster
from conftest import BIN, ROOT, clean_env, env_of

from manifests import read_rows

FLUSHED = re.compile(r"syncfs\(\d+(?: <unfinished|\) += 0)")
NAMED = re.compile(r'rename\w*\(.*\.part"')


def start(fake, cluster, *argv, env=None):
    """Start a command of ours on a cluster, with an environment's settings for the fake if they
    are not its own; return its process.
    """
    return subprocess.Popen([sys.executable, str(BIN / argv[0]), "--scheduler", cluster.address,
                             *map(str, argv[1:])], env=clean_env(env or env_of(fake)),
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


def traced(place):
    """Return the words before a worker's command that have its flushes and names written down."""
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=syncfs,/^rename", "-o",
            str(place / "trace-{number}")]


def kept(worker):
    """Return whether a worker's process, which is `traced`, has named files, the bytes of the first
    of them flushed before and all names after.
    """
    lines = Path(worker.args[worker.args.index("-o") + 1]).read_text().splitlines()
    flushes, names = ([number for number, line in enumerate(lines) if wanted.search(line)]
                      for wanted in (FLUSHED, NAMED))
    return bool(flushes and names) and flushes[0] < names[0] and names[-1] < flushes[-1]


def facts(manifest):
    """Return what a manifest says of each row, in order of their keys. Its bytes are told by our
    digest; a file that was complete when its worker died is proven by the row's ETag, others by the
    checksum that came with them.
    """
    rows = list(read_rows(manifest))
    assert {row.proof for row in rows} <= {"crc64nvme", "etag-md5"}
    return sorted((row.key, row.version_id, row.state, row.size, row.etag, row.path, row.digest,
                   row.error) for row in rows)


@pytest.mark.system("strace")
def test_a_worker_that_is_killed_takes_nothing_with_it(fake, run, place, tmp_path):
    """Files, a large one among them, are those of a run alone, flushed by those who wrote them; and
    nothing that Dask writes or shows has the secret.
    """
    bodies, dest = fill(fake, 400, large=70 << 20), tmp_path / "dest"
    env = env_of(fake)
    run("s3-manifest", "s3://b/", "-o", tmp_path / "all.csv", env=env)
    fake.latency = 0.05
    with Cluster(place, 2, before=traced(place)) as cluster:
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
        assert kept(cluster.workers[0])     # the other has come late
    assert files(dest) == bodies
    run("s3-fetch", "-d", tmp_path / "alone", "-o", tmp_path / "alone.csv", tmp_path / "all.csv",
        env=env)
    assert facts(tmp_path / "m.csv") == facts(tmp_path / "alone.csv")
    assert not os.listdir(dest / ".s3kit/parts") and not list(dest.glob(".s3kit/probe-*"))
    assert "s3kit" in shown and fake.secret_key not in shown


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.system("strace")
def test_whoever_is_killed_the_end_is_that_of_one_run(fake, run, place, tmp_path):
    """20,000 objects, four workers: ten of these are killed at random, the scheduler once, the
    parent once. No file is there twice or missing, and each worker has flushed its own.
    """
    bodies, dest, env = fill(fake, 20_000), tmp_path / "dest", env_of(fake)
    listed, out = tmp_path / "all.csv", tmp_path / "m.csv"
    assert run("s3-manifest", "s3://b/", "-o", listed, env=env).status == 0
    noise, statuses = random.Random(os.environ.get("SEED", "18")), []
    victims = ["worker"] * 10 + ["scheduler", "parent"]
    noise.shuffle(victims)
    with Cluster(place, 4, before=traced(place)) as cluster:
        def begun():
            return start(fake, cluster, "s3-fetch", "-d", dest, "-o", out, "--limit-requests",
                         "200", listed)

        parent = begun()
        for victim in victims:
            time.sleep(noise.uniform(2.0, 4.0))
            assert parent.poll() is None, ended(parent)
            if victim == "worker":
                cluster.kill(noise.choice(cluster.workers))
                cluster.start_worker()
            elif victim == "scheduler":
                cluster.kill(cluster.scheduler)
                status, said = ended(parent)
                assert status == 3 and "the same command goes on" in said, said
                for worker in list(cluster.workers):
                    cluster.kill(worker)
                cluster.start_scheduler()
                for _ in range(4):
                    cluster.start_worker()
                parent = begun()
            else:
                cluster.kill(parent)
                parent = begun()
        while not statuses or statuses[-1][0] == 1 and len(statuses) < 3:
            statuses.append(ended(parent, 600))     # 1: a row was three times with one who died
            parent = begun()
        status, said = ended(parent)
        assert list(map(kept, cluster.workers)) == [True] * 4
        assert run("s3-verify", "--scheduler", cluster.address, "-d", dest, "-o",
                   tmp_path / "v.csv", out, env=env, timeout=300).status == 0
        assert fake.secret_key not in cluster.logs()
    assert statuses[-1][0] == 0 and status == 0, (statuses, said)
    assert "20,000 rows already there" in said, said
    assert files(dest) == bodies and not os.listdir(dest / ".s3kit/parts")
    run("s3-fetch", "-d", tmp_path / "alone", "-o", tmp_path / "alone.csv", listed, env=env,
        timeout=600)
    assert facts(out) == facts(tmp_path / "alone.csv") and len(facts(out)) == 20_000


BROKEN = """import sys
if "distributed.cli.dask_worker" in " ".join(sys.orig_argv):
    import s3kit.cluster.remote as remote
    from s3kit.cluster.parcel import unseal

    def do(sealed):
        raise ValueError(sealed)

    do.__module__, do.__qualname__ = remote.__name__, "do"
    remote.do = do
"""


@pytest.mark.long
def test_what_dask_writes_of_a_task_that_fails_has_no_secret(fake, place, tmp_path):
    """Ours do not; but Dask writes down the arguments of one that does, whatever the reason."""
    fill(fake, 10)
    patch = tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(BROKEN)
    env = {"PYTHONPATH": f"{patch}:{ROOT}", "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "debug"}
    (tmp_path / "keys").write_text("00/00000\n")
    with Cluster(place, 1, env=env) as cluster:
        status, said = ended(start(fake, cluster, "s3-fetch", "-d", tmp_path / "dest", "--bucket",
                                   "b", "--keys", tmp_path / "keys", "-o", tmp_path / "m.csv"))
        pages = cluster.page("info/main/workers.html") + cluster.page("info/main/logs.html")
    assert status == 3 and "the cluster cannot run s3kit (ValueError" in said, said
    logs = cluster.logs()
    assert "Compute Failed" in logs and "<s3kit, " in logs
    assert fake.secret_key not in said + logs + pages
