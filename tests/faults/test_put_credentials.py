"""Credentials that expire under s3-put: it goes on with new ones, or ends and says what stays; no
row fails for it.
"""

import pytest

from faults.put_oracle import PREFIX, PutWorld, small_and_large
from faults.test_credentials import Process, at_request, expire

BODIES = small_and_large(7, 5, 1)
THERE = {PREFIX + path: b"another's, from before" for path in BODIES}


def world_of(folder, is_fresh):
    """Return (PutWorld, Process that has given the first credentials)."""
    world = PutWorld(folder, BODIES, there={} if is_fresh else THERE)
    process = Process(world)
    process.give("one", minutes=2)      # else nobody asks for others
    return world, process


@pytest.mark.parametrize("number, is_fresh", [(0, True), (3, True), (3, False), (8, True),
                                              (11, False), (10, True), (15, False)])
def test_renewed(cases, tmp_path, number, is_fresh):
    """Whichever request meets it first: of HEAD S3 tells by the status alone."""
    world, process = world_of(tmp_path, is_fresh)
    with cases("credentials that expire below s3-put").case(f"request {number}"), world:
        at_request(world, number, expire(world, process, "one", "two"))
        ran = world.put()
        assert ran.status == 0, f"{ran.status}: {ran.err}"
        world.settle(ran)


@pytest.mark.parametrize("number", [3, 8, 10])
def test_not_renewed(cases, tmp_path, number):
    """The run ends with 3; what it has begun is not forgotten, and the next one ends it."""
    world, process = world_of(tmp_path, True)
    with cases("credentials that expire for good below s3-put").case(f"request {number}"), world:
        at_request(world, number, expire(world, process, "one"))
        ran = world.put()
        assert ran.status == 3 and "#end rows=" not in ran.out, f"{ran.status}: {ran.err}"
        assert not [row for row in ran.rows if row["state"] == "failed"], ran.err
        world.tell_truth(ran)
        world.look()
        process.give("two")
        world.resume()
