"""What the ledger cannot explain of both sides."""

import pytest
from fakes3 import FakeS3

from s3kit.manifest.row import FAILED, STORED
from s3kit.manifest.stored_at import GONE, REPLACED
from s3kit.relay.audit import Audit
from s3kit.relay.deliveries import Deliveries
from s3kit.relay.side_listing import SideListing
from unit.relay.ends import side_of


@pytest.fixture
def world(fake, tmp_path):
    """Return (Deliveries, sides, target) where each of four keys was delivered, all is well."""
    fake.bucket("b", versioning="Enabled")
    with FakeS3() as far:
        far.bucket("far", versioning="Enabled")
        deliveries = Deliveries(str(tmp_path / "relay.sqlite3"), "b")
        deliveries.take_route("s3://b/", "s3://far/", "id")
        ids = {}
        for key in ("a", "b", "c", "d"):
            fake.put("b", key, b"body")
            ids[key] = far.put("far", key, b"body")
        sides = side_of("source", fake, ("b", "")), side_of("target", far, ("far", ""))
        for batch in SideListing(sides[0]).batches():
            deliveries.see(batch, 1, "")
        deliveries.record([each._replace(
            state=STORED, stored_at=f"s3://far/{each.key}?versionId={ids[each.key]}")
            for each in deliveries.waiting(1 << 40, 100, False)])
        yield deliveries, sides, far
        deliveries.close()


def audited(deliveries, sides):
    """Return ({name: why}, how many are explained) of an Audit."""
    told = {}
    made = Audit(deliveries, sides, told.__setitem__, lambda: None)
    made.run()
    assert made.found == len(told)
    return {name.partition("?")[0]: why for name, why in told.items()}, made.explained


def test_all_is_explained(world):
    assert audited(*world[:2]) == ({}, 4)


def test_what_cannot_be_explained(world, fake):
    deliveries, sides, far = world
    far.delete("far", "a")
    far.put("far", "b", b"body")
    far.put("far", "foreign", b"x")
    fake.put("b", "new", b"new")
    failed = next(each for each in deliveries.stored() if each.key == "c")
    deliveries.record([failed._replace(state=FAILED, error="no luck")])
    assert audited(deliveries, sides) == ({
        "s3://b/a": GONE, "s3://b/b": REPLACED, "s3://b/c": "is not delivered (failed): no luck",
        "s3://b/new": "is not known: it came after the last listing",
        "s3://far/c": "is at the target, and was not delivered",
        "s3://far/foreign": "is at the target, and was not delivered"}, 1)
