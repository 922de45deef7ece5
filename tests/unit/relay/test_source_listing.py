"""The source's listings: when one is due, and what its rows and its end change."""

from types import SimpleNamespace

import pytest
from unit.relay.rows import changed, found, row, seen

from s3kit.errors import Fault
from s3kit.relay import following
from s3kit.relay import source_listing as module
from s3kit.relay.deliveries import Deliveries
from s3kit.relay.source_listing import Listings, SourceListing


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A ledger, a source, a dealer and a clock; `listings(every)` makes Listings whose processes
    are stubs.
    """
    made = SimpleNamespace(at=1000.0, started=[], outages=[], work=0)
    monkeypatch.setattr(module.time, "monotonic", lambda: made.at)
    made.ledger = Deliveries(str(tmp_path / "relay.sqlite3"), "a")
    made.ledger.take_route("s3://a/", "s3://b/", "id")

    def worked():
        made.work += 1
    made.source = SimpleNamespace(is_up=True, is_asked=False, worked=worked,
                                  go_out=lambda *of: made.outages.append(of))
    made.large = []
    made.dealer = SimpleNamespace(given=7, is_due=False, is_full=False, volumes=[])
    made.dealer.too_large = lambda: made.large.pop(0) if made.large else []
    made.dealer.is_round_full = lambda: made.dealer.is_full

    def start(source, hear):
        made.started.append(SimpleNamespace(is_stopped=False))
        made.started[-1].stop = lambda: setattr(made.started[-1], "is_stopped", True)
        return made.started[-1]
    monkeypatch.setattr(module, "SourceListing", start)
    made.listings = lambda every: Listings(SimpleNamespace(every=every), made.source,
                                           made.ledger, made.dealer, print)
    yield made
    made.ledger.close()


def test_one_alone(world):
    """As with --once: no other follows one that was whole."""
    listings = world.listings(None)
    listings.turn()
    listings.turn()
    assert len(world.started) == 1 and world.dealer.given == 0 and not listings.is_done
    assert listings.end(True, "") == 0 and not listings.is_done and world.work == 1
    assert listings.settle() == [] and listings.is_done
    world.at += 1e6
    listings.turn()
    assert len(world.started) == 1


def test_one_after_the_other(world):
    """From beginning to beginning; one that takes longer is not joined by another."""
    listings, begun = world.listings(60.0), []
    for second in range(400):
        listings.turn()
        begun += [second] * (len(world.started) - len(begun))
        if listings.running and second - begun[-1] >= (100 if len(begun) == 3 else 5):
            listings.end(True, "")
        world.at += 1
    assert begun == [0, 60, 120, 221, 281, 341]


def test_when_a_round_has_arrived_it_is_due(world):
    """Whatever --every says."""
    listings = world.listings(3600.0)
    listings.turn()
    listings.end(True, "")
    world.at += 1
    listings.turn()
    assert len(world.started) == 1
    world.dealer.is_full = True
    listings.turn()
    assert len(world.started) == 2


@pytest.mark.parametrize("field, value", [("is_up", False), ("is_asked", True)])
def test_a_source_that_is_out_is_not_listed(world, field, value):
    """The first listing does not wait for the first question."""
    listings = world.listings(None)
    listings.number = int(field == "is_asked")
    setattr(world.source, field, value)
    listings.turn()
    assert not world.started
    setattr(world.source, field, not value)
    listings.turn()
    assert len(world.started) == 1


def test_one_that_was_cut(world):
    """It is the source's outage, and begun again at once; nothing has vanished of it."""
    listings = world.listings(60.0)
    listings.turn()
    listings.take([row("k")])
    listings.end(True, "")
    world.at += 60
    listings.turn()
    assert not list(settled(listings)) and listings.end(False, "S3 says no") == 0
    assert world.outages == [("S3 says no", True)] and world.work == 1
    assert found(world.ledger, "k").state == "listed" and listings.is_done
    listings.turn()
    assert len(world.started) == 3


def test_rows_wait_and_those_that_are_gone_do_not(world):
    listings = world.listings(60.0)
    listings.turn()
    assert listings.take([row("stays"), row("goes")]) == [] and world.dealer.is_due
    assert listings.end(True, "") == 0
    world.at += 60
    listings.turn()
    listings.take([row("stays")])
    assert listings.end(True, "") == 1
    assert {key: found(world.ledger, key).state for key in ("stays", "goes")} == {
        "stays": "listed", "goes": "vanished"}


def settled(listings):
    """Yield what follows from a listing, written down piece by piece."""
    while changed := listings.settle():
        listings.deliveries.record([after for _, after in changed])
        yield from changed


def test_what_follows_comes_in_pieces(world, monkeypatch):
    """It is not done before; that of a listing that ends meanwhile comes, too."""
    monkeypatch.setattr(following, "AT_ONCE", 2)
    listings, rows = world.listings(60.0), [row(str(number)) for number in range(5)]
    seen(world.ledger, *rows)
    for each in rows:
        changed(world.ledger, each.key, state="failed", volume="/v")
    world.large = [[("too", "large")], []]
    for number in range(2):
        listings.turn()
        listings.take(rows)
        listings.end(True, "")
        world.at += 60
        assert not listings.is_done
        if not number:
            changed_ones = listings.settle()
            assert len(changed_ones) == 2
            world.ledger.record([after for _, after in changed_ones])
    sizes = []
    while changed_ones := listings.settle():
        sizes.append(len(changed_ones))
        if changed_ones != [("too", "large")]:
            world.ledger.record([after for _, after in changed_ones])
    assert sizes == [2, 1, 1] and listings.is_done


def test_what_failed_before(world, monkeypatch):
    """The first listing of a run takes up all that failed in earlier runs, later ones what failed
    an hour ago.
    """
    hour, clock = 3600, [1_000_000_000]
    monkeypatch.setattr(module.time, "time", lambda: clock[0])      # time is one module everywhere
    seen(world.ledger, row("far"), row("near"))
    changed(world.ledger, "far", state="failed")
    changed(world.ledger, "near", state="failed", volume="/v")
    clock[0] += 1
    listings = world.listings(60.0)

    def listing():
        world.at += 60
        listings.turn()
        listings.take([row("far"), row("near")])
        listings.end(True, "")
        again = list(settled(listings))
        assert all(before.state == "failed" for before, _ in again)
        return found(world.ledger, "far").state, [after.state for _, after in again]
    assert listing() == ("listed", ["fetched"])
    for key in ("far", "near"):
        changed(world.ledger, key, state="failed")
    assert listing() == ("failed", [])
    clock[0] += hour - 1
    assert listing() == ("failed", [])
    clock[0] += 1
    listing()
    assert listing() == ("listed", ["fetched"])


def test_it_is_stopped(world):
    listings = world.listings(None)
    listings.stop()
    listings.turn()
    listings.stop()
    assert world.started[0].is_stopped


# --- one listing


@pytest.mark.parametrize("fault, events", [
    (None, [("listed", [1]), ("listed", [2]), ("listing ended", True, "")]),
    (Fault("it was cut"), [("listed", [1]), ("listed", [2]),
                           ("listing ended", False, "it was cut")])])
def test_its_rows_are_handed_on_and_then_its_end(monkeypatch, fault, events):
    def batches():
        yield [1]
        yield [2]
        if fault:
            raise fault
    monkeypatch.setattr(module, "SideListing", lambda side: SimpleNamespace(
        batches=batches, stop=print))
    monkeypatch.setattr(module.threading, "Thread", lambda target, **named: SimpleNamespace(
        start=target))
    heard = []
    SourceListing(None, heard.append)
    assert heard == events
