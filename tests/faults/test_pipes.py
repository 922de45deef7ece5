"""A stage of a pipeline that is killed, or whose reader goes away: those after it know that their
input was cut.
"""

import os
import random
import signal
import subprocess
import time

import pytest
from contract import until

from faults.oracle import World, mixed, rows_of

STAGES = ("s3-manifest", "s3-fetch", "s3-verify")


def goes_on(request):
    """Return whether it asks for a page that is not the first."""
    return not {"key-marker", "continuation-token", "start-after"}.isdisjoint(request.query)


def pipeline(world):
    """Start the three; return the processes, the last one's output still to be read."""
    words = [["s3-manifest", f"s3://{world.bucket}"], ["s3-fetch", "-j", 2, "-d", world.dest],
             ["s3-verify", "-j", 2, "-d", world.dest]]
    processes = []
    for argv in words:
        before = processes[-1].stdout if processes else subprocess.DEVNULL
        processes.append(world.start(*argv, stdin=before))
        if processes[1:]:
            before.close()      # only the next stage holds it
    return processes


def asked_for(world):
    """Return how many objects' bytes have been asked for."""
    return len(world.fake.requests(method="GET", where=lambda request: request.key))


@pytest.mark.system("minutes")
@pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=[
    pytest.mark.long, pytest.mark.timeout(7200)])])
@pytest.mark.parametrize("victim", range(3), ids=STAGES)
def test_a_killed_stage(cases, tmp_path, victim, rounds):
    count = cases(f"{STAGES[victim]} killed in a pipeline")
    for seed in range(rounds):
        chance = random.Random(seed)
        with count.case(f"seed {seed}"), World(tmp_path / f"{seed}",
                                               mixed(seed, small=1200, middle=5)) as world:
            world.fake.latency = 0.004
            if not victim:
                # on its second page, with the first handed on
                world.fake.fault("hang", key="", where=goes_on)
            processes = pipeline(world)
            begun = chance.randrange(900)       # of the page that s3-manifest has handed on
            until(lambda: processes[victim].poll() is not None or asked_for(world) >= begun, 60)
            was_alive = processes[victim].poll() is None
            if was_alive:
                os.killpg(processes[victim].pid, signal.SIGKILL)
            ran = world.finish(processes[2], time.monotonic())
            for process in processes[:2]:
                process.stderr.read()
                process.wait(20)
            states = [process.returncode for process in processes]
            world.look()
            world.believe(ran.rows)
            if was_alive:
                assert "#end rows=" not in ran.out, "an end mark after a cut"
                assert states[victim] == -signal.SIGKILL
                assert all(state == 3 for state
                           in states[victim + 1:]), f"the stages after it ended with {states}"
            else:
                assert states == [0, 0, 0] and len(rows_of(ran.out)) == 1206
            world.fake.latency = 0
            world.fake.faults.clear()       # who was killed early did not come to it
            world.resume()
        world.remove()
