import subprocess
import sys
from types import SimpleNamespace

import pytest

from s3kit.cluster import hiring
from s3kit.cluster import workers as module
from s3kit.cluster.workers import control_of, workers_of
from s3kit.s3.calls import Control

STAGE = SimpleNamespace(hear=lambda note: None)
TREE = SimpleNamespace(place=(1, 2))


@pytest.fixture
def pools(monkeypatch):
    """What pools were made."""
    found = []

    def pool(jobs, hear):
        found.append(jobs)
        return SimpleNamespace(tell=lambda *_, **__: None)

    monkeypatch.setattr(module, "Pool", pool)
    return found


def test_workers_of_this_machine(pools):
    args = SimpleNamespace(scheduler=None, jobs=2, limit_rate=100, limit_requests=50)
    found = workers_of(args, STAGE, TREE, connections=8, ahead=2)
    assert (found.connections, found.share, found.place) == (8, 8.0, (1, 2))
    assert (found.rate, found.requests) == (50.0, 25.0)
    assert found.limit == 2 * 2 * 64 and pools == [2]


def test_as_many_rows_as_fill_many_connections(pools):
    args = SimpleNamespace(scheduler=None, jobs=2, limit_requests=0)
    assert workers_of(args, STAGE, TREE, connections=100, ahead=2).limit == 2 * 200
    assert workers_of(args, STAGE, TREE, connections=100).limit == 2 * 2 * 64
    assert workers_of(args, STAGE, TREE, connections=100).share == 32
    assert workers_of(args, STAGE, TREE, connections=100, few=5).share == 5


def test_those_of_a_cluster(pools, monkeypatch):
    args = SimpleNamespace(scheduler="tcp://s:1", jobs=2)
    monkeypatch.setattr(hiring, "hired", lambda *values: values)
    assert workers_of(args, STAGE, TREE, 8, few=5) == (args, STAGE, TREE, 8, 5) and not pools
    monkeypatch.setattr(hiring, "hired_for_requests", lambda *values: values)
    assert control_of(args, STAGE) == (args, STAGE)


def test_requests_of_this_machine():
    control = control_of(SimpleNamespace(scheduler=None, connections=3), STAGE)
    try:
        assert isinstance(control, Control) and control.connections == 3
    finally:
        control.shutdown()


@pytest.mark.parametrize("command", ["fetch", "put", "verify"])
def test_a_parent_that_moves_files_needs_no_libcurl(command):
    """It would cost each start, and each worker has its own."""
    line = f"import sys, s3kit.{command}.run; sys.exit('pycurl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", line]).returncode == 0
