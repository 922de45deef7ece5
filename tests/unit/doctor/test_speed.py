"""What is concluded from measurements, and what is asked for: decided without measuring."""

import time
from types import SimpleNamespace

import pytest
from lxml import etree

from s3kit.doctor.plot import drawing
from s3kit.doctor.sampling import Step
from s3kit.doctor.speed import Speed, doubling
from s3kit.manifest.row import Row
from s3kit.manifest.states import ARCHIVED_CLASSES
from s3kit.transfer.engine import READ
from s3kit.transfer.sizes import LARGE

MIB = 1 << 20


def measured(steps, size=4096, disk=1000 * MIB, hashing=1000 * MIB, cores=4, most=(4, 128)):
    """Return a Speed that has measured {(workers, connections): requests a second}, each request an
    object of `size` bytes.
    """
    speed = object.__new__(Speed)
    speed.sizes, speed.disk, speed.flush, speed.no_disk, speed.hashing, speed.cores = [
        size], disk, 0.001, "", hashing, cores
    speed.most_workers, speed.most_connections = most
    speed.bucket, speed.args = "b", SimpleNamespace(dest=".")
    speed.done = [Step(workers, connections, 1.0, rate * size, rate, min(cores, rate * 0.0002),
                       (0.01, 0.02), 0) for (workers, connections), rate in steps.items()]
    return speed


@pytest.mark.parametrize("rates, knee", (
    # flat from four on
    ({(1, 1): 100, (1, 2): 200, (1, 4): 400, (1, 8): 410, (1, 16): 405}, (1, 4)),
    # still rising
    ({(1, 1): 100, (1, 2): 200, (1, 4): 400}, (1, 4)),
    # one is enough
    ({(1, 1): 100, (1, 2): 90, (1, 4): 95}, (1, 1)),
    # workers help, to a point
    ({(1, 16): 1000, (1, 32): 1900, (2, 32): 3900, (4, 32): 4000}, (2, 32)),
    # a bad moment in between
    ({(1, 8): 100, (1, 16): 400, (1, 32): 50, (1, 64): 420}, (1, 16))))
def test_the_knee(rates, knee):
    """The fewest connections that are about as fast as any."""
    speed = measured(rates)
    found = speed.knee(speed.done)
    assert (found.workers, found.connections) == knee
    told = dict(speed.advice())["knee"]
    assert ("no more were tried" in told) == (knee[0] * knee[1]
                                              == max(workers * number for workers, number in rates))


def test_a_bad_moment_is_looked_at_again():
    """What is near the best is measured again before the advice; what is far from it is not."""
    speed = measured({(1, 1): 100, (1, 2): 210, (1, 4): 200, (1, 8): 390})
    speed.ends, speed.left, asked = time.monotonic() + 60, 1 << 30, []

    def measure(workers, connections, seconds, most):
        asked.append(connections)
        return Step(workers, connections, 3.0, 4096 * 1200, 1200 if connections > 2 else 600, 0.1,
                    (0.01,), 0)
    speed.measure = measure
    assert [step.connections for step in speed.look_again()] == asked == [2, 4, 8]
    assert (speed.knee(speed.done).connections == 4 and speed.done[2].requests == 1400
            and speed.done[2].seconds == 4.0)
    assert speed.left == (1 << 30) - 3 * 4096 * 1200
    speed.ends = time.monotonic()
    assert not list(speed.look_again()), "no time is left"


@pytest.mark.parametrize("more, limit", (({}, "network"), ({"disk": MIB}, "disk"),
                                         ({"hashing": 2 * MIB, "cores": 1}, "cpu"),
                                         ({"disk": 0.0}, "network")))
def test_the_limit(more, limit):
    """Whatever does least."""
    speed = measured({(1, 1): 300, (1, 2): 600, (1, 4): 1000}, **more)
    speed.no_disk = "" if speed.disk else "'.' cannot be written to"
    told = speed.verdict()
    assert told["limit"] == limit and (told["disk_bytes_per_second"] is None) == (not speed.disk)
    assert (told["jobs"], told["connections"]) == (1, 4)


def test_more_workers_where_one_cannot_hash_it_all():
    """The network brings more than one core can take: as many workers as that needs, connections
    shared out.
    """
    told = measured({(1, 16): 50, (1, 32): 100}, size=16 * MIB, hashing=500 * MIB,
                    disk=4000 * MIB).verdict()
    assert told["knee"] == [1, 32] and told["jobs"] == 4 and told["connections"] == 8


def test_batches_are_those_of_s3_fetch():
    """Small objects by 64 or 16 MiB, large ones in ranges, some together; the same at every step.
    """
    def batches(size, number=3):
        speed = object.__new__(Speed)
        speed.bucket, speed.rows = "b", [Row("b", f"k{n}", size=str(size), etag="e")
                                         for n in range(10)]
        made = speed.batches(2)
        return [next(made) for _ in range(number)]

    assert ([len(batch) for batch in batches(1000)] == [64, 64, 64]
            and [len(batch) for batch in batches(4 * MIB)] == [4, 4, 4])
    assert (all((job.start, job.end) == (0, 1000) for job in batches(1000)[0])
            and batches(1000) == batches(1000))
    large = batches(2 * LARGE)
    assert all(len(batch) <= 4 and batch[0].end - batch[0].start >= READ for batch in large)
    assert ([job.start for job in large[0] + large[1]]
            == sorted(job.start for job in large[0] + large[1]))


def test_objects_that_can_be_read():
    """Neither empty nor archived ones, nor keys that libcurl cannot sign; pages until there are
    some, but not for ever.
    """
    speed = object.__new__(Speed)
    speed.bucket, speed.endpoint = "b", None
    rows = [Row("b", "empty", size="0"), Row("b", "../up", size="5"),
            *(Row("b", name, size="5", storage_class=name) for name in ARCHIVED_CLASSES)]
    pages = [SimpleNamespace(rows=rows),
             SimpleNamespace(rows=[*rows, Row("b", "good", size="5", storage_class="STANDARD")])]
    assert ([row.key for row in speed.choose(SimpleNamespace(pages=lambda *_: iter(pages)), "")]
            == ["good"])
    with pytest.raises(Exception, match="nothing to read"):
        speed.choose(SimpleNamespace(pages=lambda *_: iter([pages[0]] * 1000)), "")


@pytest.mark.parametrize("most, numbers", ((1, [1]), (8, [1, 2, 4, 8]), (6, [1, 2, 4, 6])))
def test_doubling(most, numbers):
    """Up to and with the last."""
    assert list(doubling(most)) == numbers


def test_the_drawing():
    """Is XML, has every step and the knee, and what a bucket is called acts on nothing."""
    speed = measured({(1, 1): 100, (1, 2): 200, (2, 2): 50})
    root = etree.fromstring(drawing("s3://<b>&", speed.done, speed.done[1]))
    words = "|".join(root.itertext())
    assert "s3://<b>&" in words and "knee" in words and all(step in words
                                                            for step in ("1 x 1", "1 x 2", "2 x 2"))
    for path in root.iter("{*}path"):
        points = [tuple(map(float, point.split()))
                  for point in path.get("d").removeprefix("M ").split(" L ")]
        assert len(points) == 3 and all(0 <= x <= 720 and 0 <= y <= 400 for x, y in points)
