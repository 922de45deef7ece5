"""s3-put and s3-restore on a Dask cluster of real processes: a worker is killed, keys expire, the
scheduler dies, and the end is that of a run alone.
"""

import random
from types import SimpleNamespace

import pytest
from cluster import Cluster

from commands.test_restore import WAIT, asked, fill, flying, listed
from faults.test_cluster import ended, start
from faults.test_credentials import Process
from manifests import read_rows

pytestmark = [pytest.mark.long, pytest.mark.timeout(600), pytest.mark.system("minutes")]


class Keys:
    """Temporary keys of a fake S3, which a process gives; `env` has commands ask it."""

    def __init__(self, fake, folder):
        self.fake, self.process = fake, Process(SimpleNamespace(fake=fake, folder=folder))
        self.process.give("one", minutes=2)     # else nobody asks for others
        self.env = self.process.world.env

    def change(self):
        """Let them expire; there are others."""
        self.process.give("two")
        self.fake.credentials["one"].expired = True


def suffering(cluster, begin, keys, done):
    """Run a command, which `begin()` starts, on a cluster of two workers, and again when it has
    lost its scheduler; return what the second said. `done()` is the share that is done.
    """
    process = begin()
    for share, trouble in ((0.1, lambda: (cluster.kill(cluster.workers[0]),
                                          cluster.start_worker())), (0.3, keys.change),
                           (0.5, lambda: cluster.kill(cluster.scheduler))):
        cluster.until(lambda share=share: process.poll() is not None or done() > share)
        assert process.poll() is None, ended(process)
        trouble()
    status, said = ended(process)
    assert status == 3 and "the same command goes on" in said, said
    assert keys.fake.requests(status=400), "no key has expired"
    for worker in list(cluster.workers):
        cluster.kill(worker)
    cluster.start_scheduler()
    cluster.start_worker()
    cluster.start_worker()
    status, said = ended(begin())
    assert status == 0, said
    assert not any(f"{what} of {name}" in cluster.logs() for what in ("secret", "token")
                   for name in ("one", "two"))
    return said


def facts(manifest):
    """Return what a manifest says, row by row; what was there already has a time, too."""
    rows = list(read_rows(manifest))
    for row in rows:
        row.last_modified = ""
    return sorted(map(repr, rows))


def test_put(fake, run, tmp_path, place):
    source, chance, count = tmp_path / "source", random.Random(18), 2000
    bodies = {f"{number % 9}/{number}": chance.randbytes(chance.randrange(3000))
              for number in range(count)} | {"large": chance.randbytes(40 << 20)}
    for key, body in bodies.items():
        path = source / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    fake.bucket("b")
    keys, fake.latency = Keys(fake, tmp_path), 0.05

    def argv(out):
        return ["s3-put", "--to", "s3://b/", "-o", tmp_path / out, source]

    with Cluster(place, 2) as cluster:
        suffering(cluster, lambda: start(fake, cluster, *argv("c.csv"), env=keys.env), keys,
                  lambda: len(fake.requests("PUT", status=200)) / count)
    assert {each.key: bytes(each.body) for each in fake.objects("b")} == bodies
    again = run(*argv("alone.csv"), env=keys.env)
    assert again.status == 0, again.err
    assert facts(tmp_path / "c.csv") == facts(tmp_path / "alone.csv")


def test_restore(fake, run, tmp_path, place):
    """Nothing is asked for twice, and rows go on when they can be read."""
    count = 2000
    fill(fake, count, [("GLACIER", None)])
    listing, keys, fake.latency = listed(fake, run, tmp_path), Keys(fake, tmp_path), 0.05

    def argv(out):
        return ["s3-restore", "--yes", *WAIT, "--max-pending", count, "-o", tmp_path / out, listing]

    with flying(fake, 60), Cluster(place, 2) as cluster:
        suffering(cluster, lambda: start(fake, cluster, *argv("c.csv"), env=keys.env), keys,
                  lambda: len(asked(fake, 202)) / count)
    assert len(asked(fake, 202)) == count
    assert run(*argv("alone.csv"), env=keys.env).status == 0
    assert facts(tmp_path / "c.csv") == facts(tmp_path / "alone.csv")
    assert {row.state for row in read_rows(tmp_path / "c.csv")} == {"restored"}
