"""What follows from a listing: what is tried again on volumes, and what is of no use there."""

from types import SimpleNamespace

import pytest
from unit.relay.rows import GONE_BY, LONG_AGO, changed, row, seen

from s3kit.relay import following as module
from s3kit.relay.deliveries import Deliveries, charge, delivery_of
from s3kit.relay.following import Following

NEWER = "2026-01-02T03:04:06Z"


@pytest.fixture
def ledger(tmp_path):
    """The ledger of a relay that has begun."""
    made = Deliveries(str(tmp_path / "relay.sqlite3"), "a")
    made.take_route("s3://a/", "s3://b/", "id")
    yield made
    made.close()


@pytest.fixture
def following(ledger):
    """What follows there, with a volume; nothing is too large."""
    volume = SimpleNamespace(path="/v", trouble="")
    return Following(ledger, SimpleNamespace(too_large=list, volumes=[volume]))


def test_what_failed_on_a_volume_goes_on_from_there(ledger, following):
    """Those alone that are in the listing, and failed long enough ago."""
    seen(ledger, row("k"), row("gone"))
    for key in ("k", "gone"):
        changed(ledger, key, state="failed", volume="/v", tries=3)
    number = seen(ledger, row("k"), failed_before=GONE_BY)
    assert ledger.reserved() == {("/v", "failed"): (2, 2 * charge(100))}
    assert following.again(number, LONG_AGO) == []
    [(before, after)] = following.again(number, GONE_BY)
    assert (before.key, before.state) == ("k", "failed")
    assert after == before._replace(state="fetched") and after.tries == 0
    ledger.record([after])
    assert following.again(number, GONE_BY) == []
    assert [each.key for each in ledger.on_volume("/v", "fetched", "", 9)] == ["k"]


def test_what_failed_on_volumes_comes_in_pieces(ledger, following, monkeypatch):
    """Each has what the one before has not; of two versions of a key one goes at a time."""
    monkeypatch.setattr(module, "AT_ONCE", 2)
    later = row("0", last_modified="2026-01-02T03:04:06Z")
    rows = [*map(row, "01234"), later]
    seen(ledger, *rows)
    for each in rows:
        changed(ledger, delivery_of(each, 1).name, state="failed", volume="/v", path="p")
    number, sizes = seen(ledger, *rows, failed_before=GONE_BY), []
    while piece := following.again(number, GONE_BY):
        ledger.record([after for _, after in piece])
        sizes.append(len(piece))
    assert sum(sizes) == 5 and max(sizes) == 2
    assert {state: rows for state, (rows, _) in ledger.census().items()} == {
        "fetched": 5, "failed": 1}


@pytest.mark.parametrize("tries, is_due, goes", [
    (1, False, True), (3, False, False), (3, True, True)])
def test_a_file_that_was_wrong_is_fetched_anew(ledger, following, tries, is_due, goes):
    """When the source has shown its version: at once while there are tries left, else when all that
    failed is tried again.
    """
    seen(ledger, row())
    changed(ledger, "k", state="mismatch", volume="/v", path="p", digest="d", proof="crc32",
            tries=tries)
    before = GONE_BY if is_due else LONG_AGO
    assert following.again(2, before) == [], "the source has not shown it"
    found_again = following.again(seen(ledger, row(), failed_before=before), before)
    assert [(after.state, after.volume, after.path, after.digest, after.proof)
            for _, after in found_again] == [("listed", "/v", "", "", "")] * goes


def test_a_version_that_failed_waits_for_the_newer_one(ledger, following):
    """Nor do they go together when the older is seen again."""
    seen(ledger, row())
    changed(ledger, "k", state="failed", volume="/v")
    newer = row(last_modified="2026-01-02T03:04:06Z")
    seen(ledger, newer)
    ledger.deal([(ledger.waiting(1000, 1, True)[0], "/w")])
    number = seen(ledger, row(), failed_before=GONE_BY)
    assert following.again(number, GONE_BY) == []


@pytest.mark.parametrize("state", ["failed", "conflict", "mismatch"])
def test_what_was_overwritten_and_failed_gives_its_room_back(ledger, following, state):
    """When the newer is delivered, and no other of its key is there, whose file it may be."""
    newer = row(last_modified=NEWER)
    newest = row(last_modified="2026-01-02T03:04:07Z")
    seen(ledger, row())
    changed(ledger, "k", state=state, volume="/v", path="p")
    number = seen(ledger, newer)
    assert following.superseded(number) == []
    changed(ledger, delivery_of(newer, 1).name, state="stored", volume="/w", path="p")
    assert following.superseded(1) == [], "it was just seen"
    following.dealer.volumes[0].trouble = "it is not mounted"
    assert following.superseded(number) == [], "its file cannot be removed"
    following.dealer.volumes[0].trouble = ""
    [(before, after)] = following.superseded(number)
    assert (before.state, after.state, after.volume, after.path) == (state, "vanished", "", "")
    seen(ledger, newest)
    changed(ledger, delivery_of(newest, 1).name, state="fetched", volume="/v", path="p")
    assert following.superseded(number) == []
    changed(ledger, delivery_of(newest, 1).name, state="stored")
    ledger.record([after])
    assert following.superseded(number) == [] and ledger.reserved() == {}
