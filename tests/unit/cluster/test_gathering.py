from collections import deque
from types import SimpleNamespace

import pytest

from s3kit.cluster import gathering
from s3kit.cluster.gathering import Gathering
from s3kit.pipeline.worker_process import Batch
from s3kit.transfer.job import Job


def job(number=0, size=1000, kind="get", path="", inode=0, end=0):
    return Job(kind, "b", f"k{number}", "", "", size, -1, path or f"b/k{number}", inode=inode,
               end=end)


def batch(rows=64, **facts):
    return Batch(0, None, [job(number, **facts) for number in range(rows)])


def rows(batches):
    return sum(each.size for each in batches)


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(gathering, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_thousand_rows_make_a_parcel(clock):
    these = Gathering()
    for _ in range(100):
        these.add(batch())
    taken = these.take("a", 4)
    assert gathering.ROWS <= rows(taken) < gathering.ROWS + 64 and these.is_enough
    assert rows(taken) + rows(these.batches()) == 6400 and bool(these)


def test_few_rows_wait_for_more_and_are_then_shared_out(clock):
    these = Gathering()
    for _ in range(8):
        these.add(batch())
    assert these.take("a", 4) == [] and not these.is_enough
    clock[0] += gathering.LINGER
    assert [rows(these.take(node, slots)) for node, slots in
            (("a", 4), ("b", 3), ("c", 2), ("d", 1))] == [128, 128, 128, 128]
    assert not these and these.take("a", 4) == [] and these.rows == these.weight == 0


def test_large_files_wait_for_nobody_and_make_small_parcels(clock):
    these = Gathering()
    for _ in range(20):
        these.add(batch(1, size=60 << 20))
    taken = these.take("a", 2)
    assert 4 <= len(taken) <= 10
    assert sum(each.value[0].size for each in taken) <= gathering.BYTES + (60 << 20)


def test_ranges_of_one_object_go_to_one_node(clock):
    these = Gathering()
    pieces = [batch(1, kind="range", path="1.part", inode=5, end=16 << 20) for _ in range(4)]
    others = [batch(1, kind="range", path="2.part", inode=6, end=16 << 20) for _ in range(2)]
    these.add(pieces[0])
    assert these.take("a", 2) == [pieces[0]]
    for each in (*pieces[1:], *others):
        these.add(each)
    assert these.take("b", 1) == others
    assert these.take("a", 2) == pieces[1:]


def test_what_is_tied_to_a_node_that_is_lost_goes_to_another(clock):
    these = Gathering()
    first, second = (batch(1, kind="range", path="1.part", inode=5, end=16 << 20)
                     for _ in range(2))
    these.add(first)
    assert these.take("a", 1) == [first]
    these.add(second)
    assert these.take("b", 1) == []
    these.lose("a")
    these.add(first, first=True)
    assert these.take("b", 1) == [first, second]


def test_what_nobody_waits_for_is_left_out(clock):
    these = Gathering()
    gone, wanted = batch(), batch()
    gone.future.cancel()
    these.add(gone)
    these.add(wanted)
    clock[0] += gathering.LINGER
    assert these.take("a", 1) == [wanted]


class Unread(deque):
    """A queue that nobody goes through."""

    def __iter__(self):
        raise AssertionError("all that waits was looked at")


def test_a_long_queue_is_dealt_from_its_end():
    """Each turn of the pool takes from it: what that costs must not grow with the queue."""
    these = Gathering()
    these.free = Unread()
    for _ in range(100):
        these.add(batch(1)), these.add(batch(64))
    taken = []
    while found := rows(these.take("a", 1)):
        taken.append(found)
    assert taken == [1040] * 6 and these.rows == 260      # which wait for more
