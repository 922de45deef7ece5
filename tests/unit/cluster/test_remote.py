import asyncio
import pickle
import sys
import time
from types import SimpleNamespace

import pytest
from fakedask import FakeClient, distributed, with_worker

from s3kit.cluster import remote
from s3kit.cluster.parcel import Answer, Parcel, Sealed, Setup, seal, unseal
from s3kit.cluster.probe import Probe


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", distributed())
    client = FakeClient("tcp://a")
    yield client.workers["tcp://a"]
    for run in list(remote.SITES):
        remote.forget(run)


def test_a_greeting(worker, tmp_path):
    worker.state.nthreads = 3
    found = unseal(asyncio.run(remote.greet(seal(Setup("r", "s3-fetch")), dask_worker=worker)))
    assert (found.processes, found.trouble) == (3, "") and found.host and found.pid
    setup = Setup("r", "s3-fetch", str(tmp_path / "no"), Probe("probe-1", ""))
    found = unseal(asyncio.run(remote.greet(seal(setup), dask_worker=worker)))
    assert found.trouble == f"'{tmp_path}/no' is not there"


def test_nothing_is_raised_for_dask_to_write_down(worker):
    """What it would write beside the trace are our arguments."""
    theirs = Sealed(pickle.dumps(("0.0.1", b"")))
    assert "has s3kit 0.0.1" in unseal(with_worker(worker, remote.do, theirs)).lost
    assert unseal(asyncio.run(remote.greet(theirs))) is None
    broken = seal(SimpleNamespace(setup=None))
    answer = unseal(with_worker(worker, remote.do, broken))
    assert isinstance(answer, Answer) and "AttributeError" in answer.fault
    assert remote.hear(theirs) is None and remote.hear(seal(5)) is None
    greeting = unseal(asyncio.run(remote.greet(seal(5), dask_worker=worker)))
    assert "AttributeError" in greeting.trouble


def test_a_run_has_one_site_until_it_is_forgotten(worker):
    setup = Setup("r", "s3-restore")
    site = remote.site_of(setup, worker)
    assert remote.site_of(setup, worker) is site
    heard = []
    site.executor = SimpleNamespace(tell=lambda message, keep: heard.append(message),
                                    shutdown=lambda **_: heard.append("over"))
    remote.hear(seal(("r", [("slow", None)])))
    remote.hear(seal(("another", [("slow", None)])))
    remote.forget("r")
    end = time.monotonic() + 10
    while "over" not in heard and time.monotonic() < end:
        time.sleep(0.01)
    assert heard == [("slow", None), "over"] and remote.site_of(setup, worker) is not site


def test_a_parcel_that_has_no_work(worker):
    parcel = Parcel(Setup("r2", "s3-restore"), b"no pickle", [], [1])
    assert "UnpicklingError" in unseal(with_worker(worker, remote.do, seal(parcel))).fault
