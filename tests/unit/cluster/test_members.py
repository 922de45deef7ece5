import asyncio

import pytest
from fakedask import FakeClient

from s3kit.cluster import members as module
from s3kit.cluster.members import Members
from s3kit.cluster.node import Shipment
from s3kit.cluster.parcel import Greeting, Sealed, Setup, seal
from s3kit.cluster.probe import Probe
from s3kit.errors import Fault, Usage


def members_of(client, said, setup=Setup("r", "s3-fetch")):
    return Members(client, "tcp://s:1", seal(setup), said.append)


async def begun(members):
    await members.begin()
    return members


async def settled(members):
    """Look, and let those that are there be greeted."""
    lost = await members.look()
    await asyncio.gather(*members.greeting.values())
    return lost


def test_workers_are_greeted_and_lost():
    client, said = FakeClient("a", "b"), []

    async def go():
        members = await begun(members_of(client, said))
        first = {each: node.processes for each, node in members.nodes.items()}
        del client.workers["a"]
        lost = await settled(members)
        return first, [node.address for node in lost]

    assert asyncio.run(go()) == ({"a": 1, "b": 1}, ["a"]) and not said


def test_where_the_destination_is_another_nothing_begins(tmp_path, monkeypatch):
    monkeypatch.setattr("s3kit.cluster.probe.SECONDS", 0)
    setup = Setup("r", "s3-fetch", str(tmp_path), Probe("probe-1", "x"))
    with pytest.raises(Usage, match="worker a can have no work: '.*' is another directory there"):
        asyncio.run(begun(members_of(FakeClient("a"), [], setup)))


def test_one_that_comes_later_and_is_not_right_has_no_work(monkeypatch):
    client, said = FakeClient("a"), []

    async def run(function, *args, workers, on_error):
        return {workers[0]: answers.pop(0)}

    async def go():
        members = await begun(members_of(client, said))
        client.run = run
        client.workers |= FakeClient("b", "c", "d").workers
        await settled(members)
        await settled(members)
        return list(members.nodes)

    answers = [Sealed(seal(1).data.replace(module.unseal.__globals__["__version__"].encode()
                                           if "__version__" in module.unseal.__globals__
                                           else b"0.1.0", b"0.0.0")),
               ModuleNotFoundError("No module named 's3kit'"), OSError("gone again")]
    answers += [OSError("gone again")]
    assert asyncio.run(go()) == ["a"]
    assert said == ["warning: worker b can have no work: the other has s3kit 0.0.0, not 0.1.0",
                    "warning: worker c can have no work: it cannot run s3kit: "
                    "No module named 's3kit'"]


def test_a_worker_that_is_silent_with_work_is_lost(monkeypatch):
    client = FakeClient("a")

    async def go():
        members = await begun(members_of(client, []))
        members.nodes["a"].shipments.append(Shipment([]))
        members.nodes["a"].heard_at -= module.SILENT_SECONDS + 1
        lost = [node.address for node in await members.look()]
        members.nodes.clear()
        refused = dict(members.refused)
        await settled(members)
        assert not members.nodes
        members.heard("a")
        await settled(members)
        return lost, refused, list(members.nodes)

    assert asyncio.run(go()) == (["a"], {"a": "it says nothing"}, ["a"])


def test_a_scheduler_that_is_gone():
    client = FakeClient("a")

    async def go():
        members = await begun(members_of(client, []))
        client.status = "connecting"
        await members.look()

    with pytest.raises(Fault, match="the scheduler at tcp://s:1 is gone .* the same command goes"):
        asyncio.run(go())


def test_people_hear_that_no_worker_comes(monkeypatch):
    now, said = [100.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    members = members_of(FakeClient(), said)
    for _ in range(100):
        assert members.tell_if_alone()
        now[0] += 1
    assert said == [f"no worker has come to the scheduler at tcp://s:1 for {waited} s: waiting"
                    for waited in (21, 43, 87)]
    members.nodes["a"] = Greeting("", 0, 0)
    assert not members.tell_if_alone()
