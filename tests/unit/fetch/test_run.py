"""The run of one s3-fetch: its parts are put together, and rows go through them."""

import os
from hashlib import md5
from types import SimpleNamespace

import pytest
from conftest import env_of, set_aws
from rowruns import noted_run, people_of, streams_of

from s3kit.disk.tree import OURS, Tree
from s3kit.errors import SOME_FAILED, Cut, Fault
from s3kit.fetch import run as module
from s3kit.fetch.rehearsal import Rehearsal
from s3kit.fetch.run import run
from s3kit.manifest.row import FETCHED, LISTED, VANISHED, VERIFIED, Row
from s3kit.pipeline.flow import BATCH_ROWS
from s3kit.pipeline.pool import DEPTH, Pool

OPTIONS = {
    "prog": "s3-fetch", "quiet": False, "verbose": False, "in_place": False, "rules": None,
    "min_size": None, "max_size": None, "newer": None, "older": None, "storage_class": None,
    "dry_run": False, "jobs": 1, "connections": 2, "limit_rate": 0, "limit_requests": 0,
    "retries": 0,
    "scheduler": None, "with_metadata": False, "again": False, "source_times": False,
    "profile": None, "region": None, "endpoint_url": None, "no_sign_request": False,
    "request_payer": None, "ca_bundle": None, "no_verify_ssl": False, "read_timeout": 300}


@pytest.fixture
def bucket(fake, monkeypatch):
    """A fake S3 in this process's environment, whose bucket has two keys."""
    set_aws(monkeypatch, env_of(fake))
    for key in ("k", "l"):
        fake.put("b", key, key.encode())
    return fake


@pytest.fixture
def noted(monkeypatch):
    """What the run does with its Pool and its Stage, whose rows go nowhere: [(what, value)]."""
    return noted_run(monkeypatch)


def done(tmp_path, rows, cut=None, **options):
    """Run s3-fetch on rows; return (what run returns, [(key, state)] of the rows that left)."""
    source, sink, left = streams_of([rows], cut)
    args = SimpleNamespace(**OPTIONS | {"dest": str(tmp_path / "d")} | options)
    return run(args, (source, sink), people_of(args)), sorted(left)


def rows_of(*keys):
    """Return Rows as a listing has them."""
    return [Row("b", key, size="1", state=LISTED) for key in keys]


def test_rows_get_their_files(bucket, tmp_path):
    """What there is not fails; what others have done passes; the ledger knows the rest."""
    found, left = done(tmp_path, [*rows_of("k", "l", "none"), Row("b", "v", state=VERIFIED)])
    assert left == [("k", FETCHED), ("l", FETCHED), ("none", VANISHED), ("v", VERIFIED)]
    assert (tmp_path / "d/b/k").read_text() == "k" and (tmp_path / "d/b/l").read_text() == "l"
    assert found.fetched == 2 and found.moved_bytes == 2 and found.status() == SOME_FAILED
    asked = len(bucket.log)
    again, left = done(tmp_path, [Row("b", "k", size="1", etag=md5(b"k").hexdigest())])
    assert (again.deciding.kept, left) == (1, [("k", FETCHED)]) and len(bucket.log) == asked


def test_a_cut_input(bucket, tmp_path):
    """What came before the cut is fetched, then it is raised."""
    with pytest.raises(Cut):
        done(tmp_path, rows_of("k"), Cut("cut"))
    assert (tmp_path / "d/b/k").read_text() == "k"


def test_a_dry_run_makes_nothing(tmp_path):
    """Neither the destination nor a worker."""
    found, left = done(tmp_path, rows_of("k"), dry_run=True, endpoint_url="http://127.0.0.1:9")
    assert isinstance(found, Rehearsal) and left == [("k", LISTED)]
    assert not (tmp_path / "d").exists()


def test_what_workers_know(noted, tmp_path):
    """An absolute destination, their share of the rate; and how many rows may be on their way."""
    done(tmp_path, [], jobs=4, connections=3, limit_rate=1000, limit_requests=10)
    work, destination, ledger, limit, _ = dict(noted)["open"]
    assert (work.destination, work.endpoints, work.connections, work.rate, work.requests,
            work.make) == (str(tmp_path / "d"), {}, 3, 250, 2.5, True)
    assert work.place == Tree(str(tmp_path / "d")).place
    assert destination.are_ours and destination.ledger is not ledger
    assert dict(noted)["workers"] == 4 and limit == 4 * DEPTH * BATCH_ROWS
    done(tmp_path, [], jobs=1, connections=DEPTH * BATCH_ROWS)
    assert noted[-2][1][3] == 2 * DEPTH * BATCH_ROWS


def test_workers_are_started_early_the_first_time(noted, tmp_path, monkeypatch):
    """Later runs may need none."""
    done(tmp_path, [])
    assert [what for what, _ in noted] == ["workers", "warm", "open", "run"]
    assert dict(noted)["warm"] == dict(noted)["open"][0]
    monkeypatch.setattr("s3kit.disk.ledger.Ledger.is_empty", lambda ledger: False)
    noted.clear()
    done(tmp_path, [])
    assert [what for what, _ in noted] == ["workers", "open", "run"]


def test_what_earlier_runs_have_left(noted, tmp_path, monkeypatch):
    """It is swept, and the verb knows of the rest."""
    swept = []
    monkeypatch.setattr(module, "sweep", lambda tree: swept.append(tree.path) or {"part"})
    found, _ = done(tmp_path, [])
    assert swept == [str(tmp_path / "d")] and found.deciding.left == {"part"}
    assert dict(noted)["run"] is found
    assert os.path.isdir(tmp_path / "d" / OURS)


@pytest.mark.parametrize("network", ["", "NFS"])
def test_locks_between_machines(noted, tmp_path, monkeypatch, capsys, network):
    """Where they cannot be trusted a lease holds, workers know how long, and so does who writes
    the ledger.
    """
    monkeypatch.setattr(Tree, "network", lambda tree: network)
    done(tmp_path, [])
    assert not capsys.readouterr().err
    told = [value for what, value in noted if what == "tell"]
    assert [kind for kind, _ in told] == ["lease"] * bool(network)
    assert bool(network) == (tmp_path / "d" / OURS / "lease.1").exists()
    check = dict(noted)["open"][1].check
    if network:
        with pytest.raises(Fault, match="the lease on the destination has run out"):
            check()         # it has ended
    else:
        check()


def test_workers_end_with_the_run(bucket, tmp_path, monkeypatch):
    """None is left behind; they may go while the last files are flushed."""
    ended, shutdown = [], Pool.shutdown
    monkeypatch.setattr(Pool, "shutdown", lambda pool, **how: (ended.append(how),
                                                               shutdown(pool, **how)))
    done(tmp_path, [])
    assert ended == [{"wait": False}, {}]
