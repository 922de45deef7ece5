from types import SimpleNamespace

from s3kit.cluster import node as module
from s3kit.cluster.node import AtWork, Node, Shipment
from s3kit.cluster.parcel import Greeting
from s3kit.pipeline.worker_process import Batch


def test_a_node_that_says_nothing_is_silent_only_with_work(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    node = Node("tcp://a", Greeting("farm", 7, 2))
    now[0] += 60
    assert not node.is_silent(45)
    node.shipments.append(Shipment([Batch(1, None, [1, 2]), Batch(2, None, [3])]))
    assert node.is_silent(45) and node.load == 3
    node.heard(SimpleNamespace(at_work=[("farm:8", 3, None)], clock=0.0))
    assert not node.is_silent(45) and node.processes_at_work == [("farm:8", 3, None)]
    node.heard()
    assert node.processes_at_work == [("farm:8", 3, None)]


def test_what_a_process_is_at():
    assert AtWork(("farm:8", 3, None)).at_work() == ("farm:8", 3, None)


def test_a_lease_never_ends_later_there_than_here(monkeypatch):
    """Clocks of machines differ, and what a node says of its own takes its time to come."""
    ours, theirs = [1000.0], [50.0]
    monkeypatch.setattr(module, "clock", lambda: ours[0])

    def said():
        at = theirs[0]
        for clock in (ours, theirs):
            clock[0] += 3       # on its way
        return at

    node = Node("tcp://a", Greeting("farm", 7, 2, clock=said()))
    left = 30.0
    (kind, until), other = node.by_its_clock([("lease", ours[0] + left), ("share", 2.0)])
    assert (kind, other) == ("lease", ("share", 2.0))
    assert theirs[0] + left - 3 == until
    node.heard(SimpleNamespace(at_work=[], clock=theirs[0]))
    assert node.by_its_clock([("lease", ours[0] + left)]) == [("lease", theirs[0] + left)]
    for certain in (None, 0.0):     # none is needed; it is lost
        assert node.by_its_clock([("lease", certain)]) == [("lease", certain)]
