"""What is concluded from measurements: decided without measuring."""

import pytest
from unit.doctor.conftest import MIB, measured

from s3kit.doctor.advice import HEAD, advice, row_of, verdict
from s3kit.doctor.machine import Disk


@pytest.mark.parametrize("more, limit", (({}, "network"), ({"disk": MIB}, "disk"),
                                         ({"hashing": 2 * MIB, "cores": 1}, "cpu"),
                                         ({"disk": 0.0}, "network")))
def test_the_limit(more, limit):
    """Whatever does least."""
    speed = measured({(1, 1): 300, (1, 2): 600, (1, 4): 1000}, **more)
    if not speed.disk.rate:
        speed.disk = Disk(".", why="'.' cannot be written to")
    told = verdict(speed)
    assert told["limit"] == limit
    assert (told["disk_bytes_per_second"] is None) == (not speed.disk.rate)
    assert (told["jobs"], told["connections"]) == (1, 4)


def test_more_workers_where_one_cannot_hash_it_all():
    """The network brings more than one core can take: as many workers as that needs, connections
    shared out.
    """
    told = verdict(measured({(1, 16): 50, (1, 32): 100}, size=16 * MIB, hashing=500 * MIB,
                            disk=4000 * MIB))
    assert told["knee"] == [1, 32] and told["jobs"] == 4 and told["connections"] == 8


def test_what_is_said():
    """A line for each part, and one more where S3 slowed us down."""
    speed = measured({(1, 1): 100, (1, 2): 200})
    told = dict(advice(speed))
    assert list(told) == ["network", "disk", "cpu", "limit", "knee", "use"]
    assert told["disk"] == "1.0G/s written to '.' and flushed; a flush takes 1.0 ms"
    assert told["use"] == "s3-fetch -j 1 -c 2 -d data" and "no more were tried" in told["knee"]
    speed.done[1] = speed.done[1]._replace(slowed=2)
    speed.disk = Disk(".", why="'.' cannot be written to: no")
    told = dict(advice(speed))
    assert told["S3"].startswith("slowed us down")
    assert told["disk"] == "not measured: '.' cannot be written to: no"


def test_the_table_is_aligned():
    """Each column ends where its head does."""
    (step,) = measured({(1, 2): 1000}).done
    assert row_of(step).split() == ["1", "2", "3.9M/s", "1,000", "20.0", "ms", "20.0", "ms",
                                    "0.20"]
    assert len(row_of(step)) == len(HEAD)
