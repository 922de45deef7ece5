import os
from types import SimpleNamespace

import pytest

from s3kit.cluster import hiring
from s3kit.cluster.gathering import ROWS
from s3kit.s3.window import Round


class FakePool:
    """A ClusterPool of `processes` on one node: `told` are its messages."""

    processes = 2

    def __init__(self, scheduler, jobs, setup, hear, changed, say):
        self.scheduler, self.jobs, self.setup = scheduler, jobs, setup
        self.hear, self.changed, self.told, self.load = hear, changed, [], 0
        changed(self.nodes())

    def nodes(self):
        return [SimpleNamespace(processes=self.processes)] * bool(self.processes)

    def tell(self, message, keep=False):
        self.told.append((*message, keep))


@pytest.fixture
def stage(monkeypatch):
    monkeypatch.setattr(hiring, "ClusterPool", FakePool)
    heard = []
    return SimpleNamespace(hear=heard.append, heard=heard, flow=None,
                           tally=SimpleNamespace(say=heard.append))


def args_of(dest, **more):
    return SimpleNamespace(**{"scheduler": "tcp://s:1", "jobs": 3, "dest": dest, "limit_rate": 0,
                              "limit_requests": 0, "prog": "s3-fetch", "connections": None} | more)


def test_what_workers_are_told_first(stage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = hiring.hired(args_of("."), stage, None, 10, 0)
    setup = found.executor.setup
    assert setup.destination == str(tmp_path) and setup.name == "s3-fetch"
    assert os.path.exists(tmp_path / ".s3kit" / setup.probe.name)
    assert (found.connections, found.share, found.rate, found.place) == (10, 10.0, 0.0, None)
    assert not found.executor.told
    assert found.limit == 3 * ROWS


def test_what_is_allowed_to_all_grows_with_them(stage, tmp_path):
    """Rates and requests are shared out anew whenever workers come or go."""
    args = args_of(str(tmp_path), limit_rate=600, limit_requests=60)
    found = hiring.hired(args, stage, None, 10, 4)
    pool, stage.flow = found.executor, SimpleNamespace(limit=found.limit)
    assert (found.rate, found.requests, found.share) == (300.0, 30.0, 4.0)
    assert pool.told == [("limits", (300.0, 30.0), True)]
    nodes = [SimpleNamespace(processes=2)] * 3
    pool.changed(nodes)
    pool.changed(nodes)
    assert pool.told[1:] == [("share", 8 / 6, True), ("limits", (100.0, 10.0), True)]
    assert stage.flow.limit == 7 * ROWS
    for _ in range(3):
        pool.hear(("round", Round(20, 2.0, 2.0, 0, True)))
    assert pool.told[-1] == ("share", 10.0, True)
    pool.changed([])
    assert stage.flow.limit == 3 * ROWS
    pool.hear(("moved", 5))
    assert stage.heard == [("moved", 5)]


def test_requests_without_files(stage):
    pool = hiring.hired_for_requests(args_of("/nowhere", connections=7, jobs=None), stage)
    assert (pool.setup.destination, pool.setup.probe, pool.setup.connections) == ("", None, 7)
    pool.hear(("moved", 1))
    assert stage.heard == [("moved", 1)]


def test_nobody_is_there_yet(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(FakePool, "processes", 0)
    found = hiring.hired(args_of(str(tmp_path), limit_rate=600), stage, None, 10, 0)
    assert (found.limit, found.rate) == (3 * ROWS, 600.0)
