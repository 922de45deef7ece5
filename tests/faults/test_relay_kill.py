"""kill -9 of s3-relay and of each process below it at random times: nothing is lost, nothing comes
twice, and what it started goes on by itself.
"""

import os
import random
import signal
import time

import pytest

from faults.relay_oracle import RelayWorld, Samples, bodies_of, tree
from faults.test_kill import is_alive, wait_until

ROLES = ("fetch", "put worker", "relay", "put", "fetch worker", "manifest", "probe")
SECONDS = 8             # that a process of a kind is waited for


class Killing:
    """A relay whose processes are killed in turn; `hit` are those that were."""

    def __init__(self, world, seed):
        self.world, self.chance, self.hit, self.number = world, random.Random(seed), [], 0
        self.process = self.begin()

    def begin(self):
        """Start s3-relay for ever."""
        return self.world.begin("--every", "1s")

    def feed(self):
        """Put more objects into the source."""
        self.number += 1
        self.world.add({f"more{self.number}/{n}": self.chance.randbytes(
            self.chance.randrange(1, 60_000)) for n in range(6)})

    def victims(self, role):
        """Return the ids of processes of a kind."""
        return [pid for pid, name in tree(self.process.pid) if name == role]

    def kill(self, role):
        """Kill one process of a kind at a random moment."""
        self.feed()
        time.sleep(self.chance.random() * 0.5)
        if not wait_until(lambda: self.victims(role), SECONDS if role != "probe" else 0.1):
            return
        below = [pid for pid, _ in tree(self.process.pid)[1:]]
        victims = self.victims(role)
        if not victims:
            return
        try:
            os.kill(self.chance.choice(victims), signal.SIGKILL)
        except ProcessLookupError:      # it has ended by itself meanwhile
            return
        self.hit.append(role)
        if role == "relay":
            self.world.end(self.process)
            assert wait_until(lambda: not any(map(is_alive, below)), 5), "orphans are left"
            self.world.look()
            self.process = self.begin()
        else:
            time.sleep(0.05)
            assert self.process.poll() is None, f"it ended when a {role} was killed"

    def rest(self):
        """End it."""
        self.world.stop(self.process)
        self.world.look()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("kills, small", [
    pytest.param(5, 30, marks=pytest.mark.timeout(600)),
    pytest.param(50, 20_000, marks=[
        pytest.mark.long, pytest.mark.timeout(3600)])])
def test_random_kills(cases, tmp_path, kills, small):
    count, budget = cases("kill -9 of each process of s3-relay in turn"), 32 << 20
    with RelayWorld(tmp_path, bodies_of(kills, small), 2, ["--budget", budget]) as world, Samples(
            world.volumes, world.work) as samples:
        world.near.latency = world.far.latency = 0.02
        killing = Killing(world, kills)
        for n in range(kills):
            role = ROLES[n % len(ROLES)]
            with count.case(f"kill {n}, {role}"):
                killing.kill(role)
        with count.case("the end"):
            killing.rest()
            world.near.latency = world.far.latency = 0
            world.resume(timeout=1800)
            before = len(world.near.log)
            world.resume()
            assert not world.asked_again(before), "what is delivered was fetched again"
            samples.check(budget=budget)
    assert len(killing.hit) >= kills * 0.7, f"only {killing.hit}"
