import asyncio
from concurrent.futures import Future
from threading import Lock
from types import SimpleNamespace

from s3kit.cluster.node import Node, Shipment
from s3kit.cluster.parcel import Answer, Greeting
from s3kit.cluster.shipping import Shipping
from s3kit.errors import Fault
from s3kit.pipeline.messages import Messages
from s3kit.pipeline.worker_process import Batch
from s3kit.transfer.job import Job


def job(bucket):
    return Job("get", bucket, "k", "", "", 1, -1, "p")


def shipping_of(**facts):
    async def cancel(futures, force):
        """Nothing is there."""

    pool = SimpleNamespace(lock=Lock(), messages=Messages(), take=lambda news: None,
                           client=SimpleNamespace(cancel=cancel), turned=SimpleNamespace(
                               set=lambda: None), **facts)
    return Shipping(pool)


def test_a_parcel_has_the_endpoints_of_its_own_buckets():
    shipping = shipping_of()
    endpoints = [SimpleNamespace(bucket=f"b{number}") for number in range(1000)]
    shipping.pool.messages.add(("endpoints", endpoints), keep=True)
    shipping.pool.messages.add(("share", 2.0), keep=True)
    assert shipping.messages_for([job("b5"), job("b7"), job("b5")]) == [
        ("endpoints", [endpoints[5], endpoints[7]]), ("share", 2.0)]


def test_each_batch_gets_its_own_part_of_an_answer():
    shipping, node = shipping_of(), Node("a", Greeting("h", 1, 1))
    shipment = Shipment([Batch(1, None, [1, 2]), Batch(2, None, [3])])
    shipment.future = SimpleNamespace(release=lambda: None)
    node.shipments.append(shipment)
    shipping.take(node, shipment, Answer(["x", "y", "z"]))
    assert [batch.future.result() for batch in shipment.batches] == [["x", "y"], ["z"]]
    assert not node.shipments


def test_what_a_worker_will_not_do_others_may():
    """One that ends, or does not see the destination any more, is not asked again."""
    said, node = [], Node("a", Greeting("h", 1, 1))
    members = SimpleNamespace(nodes={"a": node}, refuse=lambda *words: said.append(words))
    shipping = shipping_of(members=members)
    shipment = Shipment([Batch(1, None, [job("b")])])
    shipment.future, shipment.task = Future(), SimpleNamespace(cancel=lambda: None)
    node.shipments.append(shipment)

    async def go():
        shipping.take(node, shipment, Answer(lost="'/data' is not there"))

    asyncio.run(go())
    assert said == [("a", "'/data' is not there", "h")] and not members.nodes
    assert shipping.gathering.batches() == shipment.batches and shipment.batches[0].deaths == 1


def test_what_must_end_the_run():
    shipping, node = shipping_of(), Node("a", Greeting("h", 1, 1))
    shipping.take(node, None, Answer(stop="h: cannot make files durable"))
    assert isinstance(shipping.broken, Fault) and "durable" in str(shipping.broken)
    shipping.take(node, None, Answer(fault="Traceback ..."))
    assert "Traceback" in str(shipping.broken)
