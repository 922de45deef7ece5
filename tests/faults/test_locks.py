"""Several s3-fetch on one destination, some of them killed: no object twice, no file torn, no lock
left.
"""

import os
import random
import signal
import time

import pytest

from faults.oracle import World, mixed


def crowd(world, chance, contenders, killed):
    """Start several fetches at about the same time, kill some, return [Ran] of the others."""
    processes = []
    for _ in range(contenders):
        processes.append(world.start("s3-fetch", "-j", 1, "-c", 4, "-d", world.dest, world.list))
        time.sleep(chance.random() * 0.05)
    time.sleep(0.2 + chance.random() * 0.4)
    for process in chance.sample(processes, killed):
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        processes.remove(process)
    return [world.finish(process, time.monotonic()) for process in processes]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("rounds", [5, pytest.param(250, marks=[
    pytest.mark.long, pytest.mark.timeout(7200)])])
@pytest.mark.parametrize("contenders, killed", [(3, 0), (3, 1)])
def test_contenders(cases, tmp_path, contenders, killed, rounds):
    count = cases(f"{contenders} fetches at once" + f", {killed} of them killed" * bool(killed))
    for seed in range(rounds):
        with count.case(f"seed {seed}"), World(tmp_path / f"{seed}",
                                               mixed(seed, small=60, middle=10)) as world:
            world.write_list()
            world.fake.latency = 0.01
            for ran in crowd(world, random.Random(seed), contenders, killed):
                assert ran.status == 0, ran.err
                world.tell_truth(ran)
            world.look()
            asked = len(world.fake.requests(method="GET", where=lambda request: request.key))
            assert asked <= 71 + 4 * killed, (
                f"{asked} GETs of 71 objects: more than what the killed had under way came twice")
            world.fake.latency = 0
            world.resume()
        world.remove()
