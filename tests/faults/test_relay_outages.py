"""Sides that are out, and networks that break: s3-relay waits and goes on, and the other half works
as long as there is room.
"""

import random
import time
from contextlib import ExitStack, contextmanager

import pytest

from faults.proxy import Proxy
from faults.relay_oracle import FAR, PREFIX, RelayWorld, Samples, bodies_of
from faults.test_kill import wait_until

pytestmark = pytest.mark.system("minutes")

BUDGET = 32 << 20       # of each volume, where there are many objects
WAITS, BACK = "waiting until it can be reached", "can be reached again"


def refusing(fake):
    """Return a rule: all connections are closed without an answer."""
    return fake.fault("refuse", method=None, times=None)


def slowing(fake):
    """Return a rule: all are told to slow down."""
    return fake.fault("status", method=None, times=None, status=503, code="SlowDown")


def full(fake):
    """Return a rule: nothing is stored, for there is no room."""
    return fake.fault("status", times=None, method="PUT", status=507, code="InsufficientStorage")


def unknown(fake):
    """Return a rule: our key is not known, as after it was changed."""
    return fake.fault("status", method=None, times=None, status=403, code="InvalidAccessKeyId")


@contextmanager
def out(fake, how):
    """Have a side be out for a while."""
    rule = how(fake)
    try:
        yield
    finally:
        fake.faults.remove(rule)


def moved(world):
    """Return (files that lie on volumes or went through, objects that have arrived)."""
    return (len(world.rows("state IN ('fetched', 'stored')")), len(world.far.versions(FAR)))


def go_through(world, sides, how, seconds):
    """Relay through an outage of sides that begins as soon as something has arrived; return (Ran,
    what had moved when it began, and when it ended).
    """
    process = world.begin("--once", "--retries", 0)
    assert wait_until(lambda: moved(world)[1] >= 3, 60), "nothing arrives"
    with ExitStack() as stack:
        for side in sides:
            stack.enter_context(out(side, how))
        time.sleep(0.5)         # for what is under way
        before = moved(world)
        at_stake = before[1] if world.far in sides else before[0]
        assert at_stake < len(world.bodies), "all had been moved before the outage"
        time.sleep(seconds)
        after = moved(world)
    return world.end(process, 60 + 4 * seconds + len(world.bodies) / 10), before, after


@pytest.mark.parametrize("seconds", [
    pytest.param(4, marks=pytest.mark.timeout(600)),
    pytest.param(60, marks=[
        pytest.mark.long, pytest.mark.timeout(3600)])])
@pytest.mark.parametrize("gone, how", [
    ("near far", refusing), pytest.param("far", refusing, marks=pytest.mark.long),
    pytest.param("near", refusing, marks=pytest.mark.long),
    pytest.param("far", slowing, marks=pytest.mark.long),
    pytest.param("near", slowing, marks=pytest.mark.long),
    pytest.param("far", full, marks=pytest.mark.long),
    pytest.param("far", unknown, marks=pytest.mark.long)],
    ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_a_side_is_out(cases, tmp_path, gone, how, seconds):
    size = 90 if seconds < 10 else 20_000 if how is refusing else 150
    count, bodies = cases("a side is out for a while"), bodies_of(3, size, min(size // 15, 40), 1)
    options = ["--budget", BUDGET] if size > 1000 else ["-c", 4]
    with count.case(f"{gone}, {how.__name__}"), RelayWorld(tmp_path, bodies, 2, options) as world:
        world.near.latency, world.far.latency = (0.01, 0.01) if size > 1000 else (0.4, 0.05)
        with Samples(world.volumes, world.work) as samples:
            ran, before, after = go_through(world, [getattr(world, side) for side in gone.split()],
                                            how, seconds)
        assert ran.status == 0, f"{ran.err} {world.census()}"
        if size > 1000:
            samples.check(budget=BUDGET)
        world.settle()
        # what fails shortly before the end counts: then its side can be reached
        assert seconds < 10 or not world.rows("tries > 0"), "an outage was counted as a failure"
        assert after[1] == before[1] or "far" not in gone, "it arrived where nothing can arrive"
        sides = {"near": "source", "far": "target"}
        for side in gone.split():
            name = sides[side]
            said = [line for line in ran.err.splitlines() if f"{name}: " in line]
            waits, back = (sum(words in line for line in said) for words in (WAITS, BACK))
            # a short one may end before the question does
            assert waits == back <= 1 and (waits or how is slowing or seconds < 10), (
                f"an outage is said once when it begins and when it is over: {ran.err}")


@pytest.mark.timeout(600)
def test_the_other_half_goes_on(cases, tmp_path):
    """While nothing can be delivered all is fetched that there is room for; what lies there is
    delivered while the source is out.
    """
    count = cases("the other half goes on")
    with count.case("far, then near"), RelayWorld(tmp_path, bodies_of(5)) as world:
        with out(world.far, refusing):
            process = world.begin("--every", "1s")
            assert wait_until(lambda: moved(world)[0] == len(world.bodies), 60), world.census()
            world.stop(process)
        world.look()
        with out(world.near, refusing):
            before, process = len(world.near.log), world.begin("--once")
            assert wait_until(lambda: moved(world)[1] == len(world.bodies), 60), world.census()
        assert world.end(process).status == 0
        world.settle()
        assert not world.asked_again(before), "what lay on the volumes was fetched again"


@pytest.mark.parametrize("size", [
    pytest.param(30, marks=pytest.mark.timeout(600)),
    pytest.param(20_000, marks=[
        pytest.mark.long, pytest.mark.timeout(3600)])])
def test_the_network_breaks_within_bodies(cases, tmp_path, size):
    count, chance = cases("connections of s3-relay are cut within bodies"), random.Random(size)
    bodies = bodies_of(6, size, min(size // 6, 70), min(1 + size // 100, 5))
    with count.case(f"{size}"), RelayWorld(tmp_path, bodies) as world, Proxy() as proxy, Samples(
            world.volumes, world.work) as samples:
        proxy.cut = lambda: chance.randrange(60_000) if chance.random() < 0.4 else None
        world.far.fault("cut", step="PutObject", at=100, times=size // 8, where=lambda request: (
            chance.random() < 0.3))
        world.far.fault("lost", step="PutObject", times=size // 10)
        world.far.fault("lost", step="CompleteMultipartUpload", times=1)
        ran = world.once(*["--budget", BUDGET] * (size > 1000), env=proxy.env, timeout=3000)
        assert ran.status == 0, f"{ran.err} {world.census()}"
        world.settle()
        if size > 1000:
            samples.check(budget=BUDGET)
        assert proxy.cuts > 3, "nothing was cut"


@pytest.mark.timeout(600)
def test_a_row_that_always_fails_fails_alone(cases, tmp_path):
    """It is tried three times, named, and in the way of nobody; the next run tries it again. What
    could not be put stays on its volume, and is not fetched again.
    """
    count, unread, unput = cases("rows of s3-relay that always fail"), "dir1/small1", "dir2/small2"
    with RelayWorld(tmp_path, bodies_of(7, 20, 1, 0)) as world, count.case("one of each half"):
        world.near.fault("flip", key=unread, times=None)
        world.far.fault("status", key=PREFIX + unput, method="PUT", times=None, status=400,
                        code="InvalidRequest")
        ran = world.once("--retries", 0)
        assert ran.status == 1 and unread in ran.err and unput in ran.err, ran.err
        world.look()
        failed = {row["key"]: row["tries"] for row in world.rows("state = 'failed'")}
        assert failed == {unread: 3, unput: 3}, world.census()
        assert len(world.rows("state = 'stored'")) == len(world.bodies) - 2, world.census()
        assert world.places(unput), "what nobody could put is gone"
        before = len(world.near.log)
        world.resume()
        assert {request.key for request in world.asked_again(before)} == {unread}
