"""The Dask workers that a run may use: they are there, see the destination and have our s3kit."""

import asyncio
import time

from s3kit.cluster import remote
from s3kit.cluster.node import Node
from s3kit.cluster.parcel import Greeting, WrongVersion, unseal
from s3kit.errors import Fault, Usage, reason
from s3kit.text import count

ANSWER_SECONDS = 30.0       # that the scheduler may take to say which workers there are
SILENT_SECONDS = 45.0       # without a word, after which what a node holds goes to others
SILENT = "it says nothing"  # the trouble of such a node
ALONE_SECONDS = 20.0        # without a worker after which people hear of it


class Members:
    """The nodes, `{address: Node}`, as the scheduler of a Client knows them; `sealed` is the Setup
    that they are greeted with. `say(text)` tells people.
    """

    def __init__(self, client, scheduler, sealed, say):
        self.client, self.scheduler, self.sealed, self.say = client, scheduler, sealed, say
        self.nodes, self.refused, self.greeting = {}, {}, {}
        self.alone_since, self.alone_said = time.monotonic(), 0.0

    async def begin(self):
        """Greet all that are there. Raises Usage where one of them can have no work, Fault where
        the scheduler is gone.
        """
        await self.look()
        await asyncio.gather(*self.greeting.values())
        for node, trouble in self.refused.items():
            raise Usage(f"worker {node} can have no work: {trouble}")

    async def look(self):
        """Ask the scheduler who is there; return the nodes that are lost. Raises Fault."""
        self.check()
        try:
            there = await asyncio.wait_for(self.client.nthreads(), ANSWER_SECONDS)
        except (OSError, asyncio.TimeoutError) as error:
            raise self.gone(reason(error)) from None
        for address in there:
            if not (address in self.nodes or address in self.refused or address in self.greeting):
                self.greeting[address] = asyncio.create_task(self.greet(address))
        for address in [each for each in self.refused if each not in there]:
            del self.refused[address]
        silent = [node for node in self.nodes.values() if node.is_silent(SILENT_SECONDS)]
        for node in silent:
            self.refuse(node.address, SILENT, node.host)
        return silent + [node for node in self.nodes.values()
                         if node.address not in there and node not in silent]

    def check(self):
        """Raise Fault where the scheduler is gone."""
        if self.client.status != "running":
            raise self.gone("connection lost")

    def gone(self, why):
        """Return the Fault that says that the scheduler is gone."""
        return Fault(f"the scheduler at {self.scheduler} is gone ({why}): when it is there again, "
                     "the same command goes on")

    async def greet(self, address):
        """Ask a worker who it is; it is a node then, or refused."""
        try:
            found = await self.client.run(remote.greet, self.sealed, workers=[address],
                                          on_error="return")
            greeting = understood(found.get(address))
        except Exception as error:      # it went away again, or the scheduler did
            greeting = None if isinstance(error, OSError) else Greeting("", 0, 0, reason(error))
        if greeting and greeting.trouble:
            self.refuse(address, greeting.trouble, greeting.host)
        elif greeting:
            self.nodes[address] = Node(address, greeting)
        del self.greeting[address]

    def refuse(self, address, trouble, host=""):
        """Have no work for a worker; people hear why."""
        self.refused[address] = trouble
        self.say(f"warning: worker {address}{f' on {host}' if host else ''} can have no work: "
                 f"{trouble}")

    def heard(self, address):
        """A node has said something; one that was silent may be greeted again."""
        if self.refused.get(address) == SILENT:
            del self.refused[address]

    def tell_if_alone(self):
        """Tell people where there is no worker for long; return whether there is none."""
        now = time.monotonic()
        if self.nodes:
            self.alone_since, self.alone_said = now, 0.0
            return False
        waited = now - self.alone_since
        if waited - self.alone_said > max(ALONE_SECONDS, self.alone_said):
            self.alone_said = waited
            refused = (f", {count(len(self.refused), 'worker')} can have no work"
                       if self.refused else "")
            self.say(f"no worker has come to the scheduler at {self.scheduler} for {waited:.0f} s: "
                     f"waiting{refused}")
        return True


def understood(answer):
    """Return the Greeting that a worker has answered with; one of trouble where it cannot; None
    where it is gone.
    """
    if answer is None or isinstance(answer, OSError):
        return None
    if isinstance(answer, Exception):
        return Greeting("", 0, 0, f"it cannot run s3kit: {reason(answer)}")
    try:
        return unseal(answer)
    except WrongVersion as wrong:
        return Greeting("", 0, 0, str(wrong))
