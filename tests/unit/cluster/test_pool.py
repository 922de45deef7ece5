"""ClusterPool, its Shipping and its Members, with workers that are threads of this process."""

import sys
import time
from concurrent.futures import wait
from typing import NamedTuple

import pytest
from fakedask import FakeClient, distributed

from s3kit.cluster import pool as module
from s3kit.cluster import members, remote, shipping
from s3kit.cluster.parcel import Setup
from s3kit.cluster.pool import ClusterPool
from s3kit.errors import Fault
from s3kit.pipeline.pool import WorkerDied, WorkerFault


class Doubling(NamedTuple):
    """A work without files whose jobs are numbers."""

    factor: int = 2

    def engine(self):
        from s3kit.pipeline.worker import Plain
        return Plain(self)


class Threads:
    """Stands for a Pool: its work is done at once; `heard` are the messages."""

    heard = []

    def __init__(self, processes, on_note):
        self.on_note, self.workers, self.load = on_note, {}, 0

    def submit(self, work, value, holder=0):
        from concurrent.futures import Future
        future = Future()
        if 13 in value:
            raise ValueError("nobody expects 13")
        self.on_note(("moved", len(value)))
        future.set_result([number * work.factor for number in value])
        return future

    def tell(self, message, keep=False):
        self.heard.append(message)

    def shutdown(self, **_):
        pass


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", distributed())
    monkeypatch.setattr("s3kit.cluster.site.Pool", Threads)
    monkeypatch.setattr("s3kit.cluster.site.extent", lambda job: 0)
    monkeypatch.setattr("s3kit.cluster.gathering.LINGER", 0.05)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    Threads.heard = []
    found = FakeClient("a", "b")
    monkeypatch.setattr(module, "connected", found.connected)
    return found


@pytest.fixture
def notes():
    return []


@pytest.fixture
def a_pool(client, notes, request):
    """Return a function that makes a ClusterPool for the workers of `client`."""
    made = []

    def a_pool():
        run = f"r{len(made)}-{request.node.name}"
        made.append(ClusterPool("tcp://s:1", 1, Setup(run, "s3-fetch"), notes.append,
                                lambda nodes: None, notes.append))
        return made[-1]

    yield a_pool
    for each in made:
        each.shutdown(cancel_futures=True)


WORK = Doubling()


def batches(pool, count, rows=64):
    return [pool.submit(WORK, [1000 * number + each for each in range(100, 100 + rows)])
            for number in range(count)]


def until(is_so):
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_batches_go_in_parcels_and_their_answers_come_back(client, a_pool, notes):
    pool = a_pool()
    futures = batches(pool, 100)
    assert [future.result(20) for future in futures] == [
        [2 * (1000 * number + each) for each in range(100, 164)] for number in range(100)]
    assert len(client.sent) <= 20 and {address for _, address in client.sent} == {"a", "b"}
    assert all(key.startswith(f"s3-fetch-{pool.setup.run}-") for key, _ in client.sent)
    until(lambda: sum(value for kind, value in notes if kind == "moved") == 6400)
    pool.shutdown()
    assert all(("forget", (pool.setup.run,)) in worker.calls for worker in client.workers.values())


def test_no_worker_has_more_than_two_parcels(client, a_pool):
    for worker in client.workers.values():
        worker.is_held = True
    pool = a_pool()
    futures = batches(pool, 200)
    until(lambda: len(client.sent) == 4)
    time.sleep(0.3)
    assert len(client.sent) == 4
    for worker in client.workers.values():
        worker.is_held = False
    assert not wait(futures, 20).not_done


def test_what_a_lost_worker_held_is_done_by_another(client, a_pool):
    client.workers["a"].is_held = True
    pool = a_pool()
    futures = batches(pool, 60)
    until(lambda: any(address == "a" for _, address in client.sent))
    del client.workers["a"]
    assert not wait(futures, 20).not_done
    assert all(future.result() for future in futures) and client.cancelled


def test_a_batch_may_cost_three_workers(client, a_pool):
    client.workers.pop("b")
    for worker in client.workers.values():
        worker.is_held = True
    pool = a_pool()
    future, = batches(pool, 1)
    for number in range(shipping.LIVES):
        until(lambda: len(client.sent) == number + 1)
        address = client.sent[-1][1]
        client.workers |= FakeClient(f"next{number}").workers
        client.workers[f"next{number}"].client = client
        client.workers[f"next{number}"].is_held = True
        del client.workers[address]
    with pytest.raises(WorkerDied, match="its worker died 3 times .the last on .*: it is gone"):
        future.result(20)


def test_a_fault_of_ours_ends_the_run_with_its_trace(a_pool):
    pool = a_pool()
    future = pool.submit(WORK, [13])
    with pytest.raises(WorkerFault, match="nobody expects 13"):
        future.result(20)
    until(lambda: pool.fault)
    with pytest.raises(WorkerFault):
        pool.submit(WORK, [1])


def test_a_scheduler_that_is_gone_ends_the_run(client, a_pool):
    for worker in client.workers.values():
        worker.is_held = True
    pool = a_pool()
    future, = batches(pool, 1)
    client.status = "connecting"
    with pytest.raises(Fault, match="is gone"):
        future.result(20)


class FutureCancelledError(Exception):
    """Stands for Dask's, which is nobody's kind."""


@pytest.mark.parametrize("status", ["running", "connecting"])
def test_a_task_that_dask_has_cancelled(client, a_pool, status):
    """By who may use the scheduler: then another worker does it. Or because it is gone."""
    does = client.do

    async def fail(*values):
        client.do, client.status = does, status
        raise FutureCancelledError("scheduler-connection-lost")

    client.do = fail
    future, = batches(a_pool(), 1)
    if status == "running":
        assert future.result(20) and len(client.sent) == 2
    else:
        with pytest.raises(Fault, match="the scheduler at tcp://s:1 is gone"):
            future.result(20)


def test_what_cannot_be_run_there(client, a_pool, monkeypatch):
    async def fail(*_):
        raise RuntimeError("Error during deserialization of the task graph")

    monkeypatch.setattr(client, "do", fail)
    future, = batches(a_pool(), 1)
    with pytest.raises(Fault, match="the cluster cannot run s3kit .RuntimeError: Error during .*: "
                                    "its scheduler and workers need the same s3kit"):
        future.result(20)


def test_messages_travel_with_parcels_and_reach_who_is_at_work(client, a_pool):
    pool = a_pool()
    pool.tell(("share", 4.0), keep=True)
    batches(pool, 1)[0].result(20)
    assert ("share", 4.0) in Threads.heard
    client.workers["a"].is_held = True
    held = batches(pool, 60)
    until(lambda: any(node.address == "a" and node.shipments for node in pool.nodes()))
    pool.tell(("slow", None))
    until(lambda: ("slow", None) in Threads.heard)
    client.workers["a"].is_held = False
    wait(held, 20)


def test_a_lost_lease_is_told_at_once(client, a_pool, monkeypatch):
    """That one is longer is told now and then."""
    monkeypatch.setattr(module, "LEASE_SECONDS", 3600)
    pool = a_pool()
    pool.spread_at = time.monotonic()
    pool.tell(("lease", 1e9), keep=True)
    batches(pool, 1)[0].result(20)
    client.workers["a"].is_held = True
    batches(pool, 60)
    until(lambda: any(node.address == "a" and node.shipments for node in pool.nodes()))
    pool.tell(("lease", 2e9), keep=True)
    pool.tell(("lease", 0.0), keep=True)
    until(lambda: ("lease", 0.0) in Threads.heard)
    client.workers["a"].is_held = False


def test_workers_that_come_later_have_work(client, a_pool):
    client.workers.clear()
    pool = a_pool()
    futures = batches(pool, 3)
    until(lambda: pool.steps > 2)       # which shows that somebody waits
    client.workers |= FakeClient("late").workers
    client.workers["late"].client = client
    assert not wait(futures, 20).not_done and {where for _, where in client.sent} == {"late"}


def test_breaking_off_waits_for_nobody(client, a_pool):
    for worker in client.workers.values():
        worker.is_held = True
    pool = a_pool()
    futures = batches(pool, 3)
    until(lambda: client.sent)
    began = time.monotonic()
    pool.shutdown(cancel_futures=True)
    assert time.monotonic() - began < 15 and all(future.cancelled() for future in futures)


def test_what_cannot_begin_raises_at_once(client, monkeypatch):
    def fail(*_):
        raise Fault("cannot reach the scheduler")

    monkeypatch.setattr(module, "connected", fail)
    with pytest.raises(Fault, match="cannot reach"):
        ClusterPool("tcp://s:1", 1, Setup("r", "s3-fetch"), None, None, None)


def test_a_silent_worker_is_not_waited_for_for_ever(client, a_pool, monkeypatch):
    monkeypatch.setattr(members, "SILENT_SECONDS", 0.2)
    client.workers["a"].is_held = True
    futures = batches(a_pool(), 40)
    del client.workers["b"]
    client.workers |= FakeClient("c").workers
    client.workers["c"].client = client
    assert not wait(futures, 20).not_done


def test_names_of_tasks_are_those_that_dask_can_load():
    assert remote.do.__module__ == "s3kit.cluster.remote"
