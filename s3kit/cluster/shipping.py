"""Parcels to the nodes of a cluster and their answers; what is lost on the way goes again."""

import asyncio
import pickle

from s3kit.cluster import remote
from s3kit.cluster.gathering import Gathering
from s3kit.cluster.node import Shipment
from s3kit.cluster.parcel import Parcel, WrongVersion, seal, unseal
from s3kit.errors import Fault, reason
from s3kit.executor import settle
from s3kit.pipeline.pool import LIVES, WorkerDied, WorkerFault

DEPTH = 2               # parcels of one node on their way: it never waits for the next
# Dask's exceptions for a task whose workers died, or that somebody has cancelled
BROKEN_OFF = ("KilledWorker", "FutureCancelledError", "CancelledError")


class Shipping:
    """What `pool` (a ClusterPool) sends; `broken` is what must end the run, if anything. All
    batches are of one work.
    """

    def __init__(self, pool):
        self.pool, self.gathering = pool, Gathering()
        self.parcels, self.packed, self.tasks, self.broken = 0, None, set(), None

    def start(self, coroutine):
        """Let something be done beside us."""
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def stop(self):
        """Do nothing more."""
        for task in self.tasks:
            task.cancel()

    def hand_out(self):
        """Give what waits to the nodes with least to do."""
        free = [node for node in self.pool.nodes() if len(node.shipments) < DEPTH]
        while free:
            node = min(free, key=lambda each: (len(each.shipments), each.load))
            with self.pool.lock:
                batches = self.gathering.take(
                    node.address, sum(DEPTH - len(each.shipments) for each in free))
            if batches:
                self.send(node, batches)
            if not batches or len(node.shipments) >= DEPTH:
                free.remove(node)

    def send(self, node, batches):
        """Send batches to a node, as one task."""
        self.parcels += 1
        if self.packed is None:
            self.packed = pickle.dumps(batches[0].work)
        jobs = [job for batch in batches for job in batch.value]
        setup = self.pool.setup
        parcel = Parcel(setup, self.packed, node.by_its_clock(self.messages_for(jobs)), jobs)
        node.heard()
        shipment = Shipment(batches)
        node.shipments.append(shipment)     # whatever becomes of it, somebody waits for its batches
        shipment.future = self.pool.client.submit(
            remote.do, seal(parcel), key=f"{setup.name}-{setup.run}-{self.parcels}",
            workers=[node.address], allow_other_workers=False, pure=False, retries=0)
        shipment.task = self.start(self.carry(node, shipment))

    def messages_for(self, jobs):
        """Return what a node must have heard before it does some jobs: endpoints of their buckets
        alone, for of those there may be thousands.
        """
        buckets = {job.bucket for job in jobs if hasattr(job, "bucket")}
        return [(kind, [one for one in value if one.bucket in buckets])
                if kind == "endpoints" else (kind, value)
                for kind, value in self.pool.messages.kept()]

    async def carry(self, node, shipment):
        """Wait for an answer and take it."""
        try:
            sealed = await shipment.future
            if shipment in node.shipments:
                self.take(node, shipment, unseal(sealed))
        except (Exception, asyncio.CancelledError) as error:
            if shipment in node.shipments:
                self.failed(node, shipment, error)
        finally:
            self.pool.turned.set()

    def take(self, node, shipment, answer):
        """Take an Answer."""
        if answer.fault:
            self.broken = WorkerFault(answer.fault)
        elif answer.stop:
            self.broken = Fault(answer.stop)
        elif answer.lost:
            self.lose(node, answer.lost)
            self.pool.members.refuse(node.address, answer.lost, node.host)
        else:
            node.shipments.remove(shipment)
            shipment.future.release()
            self.pool.take(answer.news)
            at = 0
            for batch in shipment.batches:
                settle(batch.future.set_result, answer.outcomes[at:at + batch.size])
                at += batch.size

    def failed(self, node, shipment, error):
        """A task has no answer: its worker has died under it, or it cannot be run."""
        name = type(error).__name__
        if self.pool.client.status != "running":
            self.broken = self.pool.members.gone("connection lost")
        elif name in BROKEN_OFF:
            self.lose(node, "its work was broken off")
        elif isinstance(error, WrongVersion):
            self.broken = Fault(f"worker {node.address}: {error}")
        else:
            self.broken = Fault(f"the cluster cannot run s3kit ({name}: {reason(error)}): its "
                                "scheduler and workers need the same s3kit as we")

    def lose(self, node, why):
        """A node is not to be used any more: what it held goes to others."""
        self.pool.members.nodes.pop(node.address, None)
        shipments, node.shipments = node.shipments, []
        with self.pool.lock:
            self.gathering.lose(node.address)
            for shipment in reversed(shipments):
                for batch in reversed(shipment.batches):
                    self.put_back(batch, f"{node.host}: {why}")
        for shipment in shipments:
            if shipment.task is not asyncio.current_task():
                shipment.task.cancel()
        self.start(self.pool.client.cancel([each.future for each in shipments], force=True))

    def put_back(self, batch, why):
        """Have another node do a batch, if it may be tried again; the lock is held."""
        batch.deaths += 1
        if batch.deaths < LIVES:
            self.gathering.add(batch, first=True)
        else:
            settle(batch.future.set_exception,
                   WorkerDied(f"its worker died {LIVES} times (the last on {why})"))
