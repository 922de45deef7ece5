"""The workers of a Dask cluster, behind the face of concurrent.futures.Executor that
pipeline.pool.Pool has: to the rest of a command they are the same.

Each task is a parcel of many batches for one Dask worker, which we choose: what a worker holds when
it is lost goes to others, and costs each of its batches one try. Dask itself tries nothing again.
"""

import asyncio
import pickle
import time
from concurrent.futures import Future

from s3kit.cluster import probe, remote
from s3kit.cluster.connection import connected, within
from s3kit.cluster.members import Members
from s3kit.cluster.node import AtWork
from s3kit.cluster.parcel import seal
from s3kit.cluster.shipping import Shipping
from s3kit.executor import LoopExecutor, settle
from s3kit.pipeline.messages import Messages
from s3kit.pipeline.worker_process import Batch

LOOK_SECONDS = 1.0      # between two looks at which workers there are
TURN_SECONDS = 0.1      # a few rows have waited long enough then
SPREAD_SECONDS = 1.0    # between messages to all that need no haste: each is a line in their logs
NO_HASTE = ("share", "limits", "lease")
LOST_LEASE = "lease", 0.0
LEASE_SECONDS = 10.0    # between such messages of the lease alone, which holds three times as long


class ClusterPool(LoopExecutor):
    """The workers at a `scheduler`, for the run of a Setup.

    `on_note(note)` is called, in the pool's own thread, with what workers say between answers, and
    `on_change(nodes)` now and then with the Nodes that there are; `say(text)` tells people. `jobs`
    is how many workers a cluster of our own has. `steps` counts what shows that somebody is there.
    Raises Fault, Usage.
    """

    def __init__(self, scheduler, jobs, setup, on_note, on_change, say):
        super().__init__("cluster")
        self.scheduler, self.jobs, self.setup = scheduler, jobs, setup
        self.on_note, self.on_change, self.say = on_note, on_change, say
        self.messages, self.held_back = Messages(), {}
        self.client = self.members = None
        self.shipping = Shipping(self)
        self.tickets = self.steps = self.load = 0
        self.looking, self.looked, self.spread_at = None, 0.0, 0.0
        self.begun = Future()
        self.thread.start()
        try:
            self.begun.result()
        except BaseException:
            self.shutdown(wait=False, cancel_futures=True)
            raise

    # --- the face

    def submit(self, work, value, holder=0):
        """Have a worker do `value`, a list of jobs for a `work`; return the Future of the outcomes.

        `holder` is for who has workers of his own: ours hold nothing. Raises RuntimeError after
        `shutdown`, and the pool's fault if there is one.
        """
        with self.lock:
            self.check_open()
            self.tickets += 1
            batch = Batch(self.tickets, work, value)
            self.shipping.gathering.add(batch)
            is_enough = self.shipping.gathering.is_enough
        if is_enough:
            self.wake()
        return batch.future

    def warm(self, work):
        """Nothing is started for it: the workers are there."""

    def tell(self, message, keep=False):
        """Let all workers hear a message (kind, value); with `keep`, those that come later as well.
        """
        self.messages.add(message, keep)
        self.wake()

    @property
    def workers(self):
        """{name: AtWork} of the processes of all nodes."""
        return {said[0]: AtWork(said) for node in self.nodes() for said in node.processes_at_work}

    def nodes(self):
        """Return the nodes."""
        return list(self.members.nodes.values()) if self.members else []

    @property
    def processes(self):
        """How many processes of ours the nodes have together."""
        return sum(node.processes for node in self.nodes())

    def outstanding(self):
        """Return the Futures of what waits and of what workers hold."""
        held = [batch for node in self.nodes() for shipment in node.shipments
                for batch in shipment.batches]
        return [batch.future for batch in (*held, *self.shipping.gathering.batches())]

    # --- the thread

    def loop(self):
        """Be the client of a scheduler until all is done."""
        try:
            asyncio.run(self.live())
        except BaseException as fault:
            settle(self.begun.set_exception, fault)
            raise
        finally:
            if self.setup.probe:
                probe.remove(self.setup.destination, self.setup.probe)

    async def live(self):
        """Greet workers, hand out, take back."""
        self.turned = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.wake_out, self.woken)
        async with connected(self.scheduler, self.jobs) as self.client:
            self.members = Members(self.client, self.scheduler, seal(self.setup), self.say)
            self.client.subscribe_topic(remote.TOPIC, self.hear)
            await self.members.begin()
            self.on_change(self.nodes())
            self.begun.set_result(None)
            try:
                while not self.is_over():
                    await self.turn()
            finally:
                await self.leave()

    async def leave(self):
        """Have the workers forget the run."""
        self.shipping.stop()
        addresses = [node.address for node in self.nodes()]
        if addresses and self.client.status == "running":
            await within(self.client.run(remote.forget, self.setup.run, workers=addresses,
                                         on_error="ignore"))

    def woken(self):
        """Somebody has something for us."""
        self.drain()
        self.turned.set()

    def is_over(self):
        """Return whether nothing is left to do, or nobody waits for it."""
        with self.lock:
            is_held = any(node.shipments for node in self.nodes())
            return self.gone or self.ending and not (self.shipping.gathering or is_held)

    async def turn(self):
        """Look who is there, send what there is, wait a little. Raises what has gone wrong."""
        if self.shipping.broken:
            raise self.shipping.broken
        self.members.check()
        now = time.monotonic()
        self.look(now)
        self.spread(now)
        self.shipping.hand_out()
        try:
            await asyncio.wait_for(self.turned.wait(), TURN_SECONDS)
        except asyncio.TimeoutError:
            pass
        self.turned.clear()

    def look(self, now):
        """Look from time to time which nodes there are; nothing waits for a scheduler that is slow
        to say it.
        """
        if self.looking and self.looking.done():
            looking, self.looking = self.looking, None
            for node in looking.result():
                self.shipping.lose(node, "it is gone")
            self.on_change(self.nodes())
            self.steps += self.members.tell_if_alone()
        elif not self.looking and now - self.looked >= LOOK_SECONDS:
            self.looked, self.looking = now, self.shipping.start(self.members.look())

    def spread(self, now):
        """Let those hear what was told to all that have work; parcels tell it to others."""
        told = []
        for kind, value in self.messages.take():
            if kind in NO_HASTE and (kind, value) != LOST_LEASE:
                self.held_back[kind] = value
            else:
                told.append((kind, value))
        haste = LEASE_SECONDS if self.held_back.keys() == {"lease"} else SPREAD_SECONDS
        if self.held_back and now - self.spread_at > haste:
            told += self.held_back.items()
            self.held_back, self.spread_at = {}, now
        for node in self.nodes() if told else ():
            if node.shipments:
                sealed = seal((self.setup.run, node.by_its_clock(told)))
                self.shipping.start(self.client.run(remote.hear, sealed, workers=[node.address],
                                                    on_error="ignore"))

    def hear(self, event):
        """Take what a node says between answers: (time, {run: Report})."""
        report = event[1].get(self.setup.run)
        if report:
            self.take(pickle.loads(report))

    def take(self, report):
        """Take a Report."""
        self.steps += 1
        node = self.members.nodes.get(report.node)
        self.members.heard(report.node)
        if node:
            node.heard(report)
        for note in report.notes:
            self.on_note(note)
