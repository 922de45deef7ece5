"""Dealing: never more than there is room for, and nothing that fits starves."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.relay.rows import delivery, row, seen

from s3kit.relay import dealing
from s3kit.relay.dealing import Dealer, queue
from s3kit.relay.deliveries import BLOCK, Deliveries, charge
from s3kit.relay.posts import WINDOW
from s3kit.relay.volumes import Volume


NUMBERS = itertools.count()


class Shelf(Volume):
    """A volume that has so many blocks of room, without a disk."""

    def __init__(self, path, blocks):
        super().__init__(path, blocks * BLOCK, 0)
        self.free = self.total = 1 << 50
        self.inodes = 1 << 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where ledgers are made, one for each example."""
    return tmp_path_factory.mktemp("ledgers")


@pytest.fixture
def ledger(folder):
    """A ledger of its own."""
    made = opened(folder)
    yield made
    made.close()


def opened(folder):
    """Return a new ledger."""
    made = Deliveries(str(folder / f"{next(NUMBERS)}.sqlite3"), "a")
    made.take_route("s3://a/", "s3://b/", "id")
    return made


def dealt(ledger, volumes):
    """Return {key: path of its volume} of what was dealt, in the ledger's order."""
    return {each.key: volume.path for volume in volumes
            for each in ledger.on_volume(volume.path, "listed", "", 10_000)}


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40 * BLOCK), max_size=15),
       st.lists(st.integers(0, 60), min_size=1, max_size=3), st.booleans(), st.randoms())
def test_no_more_than_there_is_room_for_and_all_at_last(folder, sizes, blocks, by_size, chance):
    """Rows arrive and leave in any order: each volume has what was reserved there and no more, what
    no volume can ever take is told, and all else is dealt.
    """
    ledger = opened(folder)
    volumes = [Shelf(f"/{number}", each) for number, each in enumerate(blocks)]
    seen(ledger, *(row(f"{number:02}", size) for number, size in enumerate(sizes)))
    dealer, out, served = Dealer(ledger, volumes, by_size), {}, set()
    large = {before.key for before, _ in dealer.too_large()}
    while True:
        dealer.is_due = True
        count = dealer.deal()
        new = {key: path for key, path in dealt(ledger, volumes).items() if key not in out}
        assert len(new) == count and not served & new.keys()
        out |= new
        for volume in volumes:
            held = sum(charge(sizes[int(key)]) for key in out if out[key] == volume.path)
            assert volume.dealt == held <= volume.budget
        if not out:
            break
        key = chance.choice(sorted(out))
        before = ledger.find(delivery(key, sizes[int(key)]).name)
        ledger.record([before._replace(state="stored")])
        for volume in volumes:
            volume.change(before, before._replace(state="stored"))
        del out[key]
        served.add(key)
    assert served | large == {f"{number:02}" for number in range(len(sizes))} and not served & large
    ledger.close()


def test_the_largest_first_or_by_key(ledger):
    seen(ledger, row("a", 10), row("b", 90_000), row("c", 50_000))
    for by_size, first in ((True, "b"), (False, "a")):
        shelf = Shelf(f"/{by_size}", 40)
        dealer = Dealer(ledger, [shelf], by_size, 1)
        assert dealer.deal() == 1 and dealt(ledger, [shelf]).keys() == {first}


def test_one_that_fits_nowhere_stops_no_other(ledger):
    seen(ledger, row("a", 30 * BLOCK), row("b", 10), row("c", 20))
    shelf = Shelf("/v", 10)
    assert Dealer(ledger, [shelf], False).deal() == 2
    assert dealt(ledger, [shelf]).keys() == {"b", "c"}


def test_two_versions_of_a_key_are_not_dealt_together(ledger):
    seen(ledger, row(size=10), row(size=20, last_modified="2026-01-02T03:04:06Z"))
    shelf = Shelf("/v", 100)
    dealer = Dealer(ledger, [shelf], True)
    assert dealer.deal() == 1
    dealer.is_due = True
    assert dealer.deal() == 0 and shelf.rows["listed"] == 1


def test_no_volume_gets_more_rows_than_its_command_takes(ledger, monkeypatch):
    monkeypatch.setattr(dealing, "WINDOW", 5)
    monkeypatch.setattr(dealing, "AT_ONCE", 2)
    seen(ledger, *(row(f"{number:02}", 0) for number in range(20)))
    shelf = Shelf("/v", 1000)
    assert WINDOW > 5 <= Dealer(ledger, [shelf], True).deal() <= 6


def test_volumes_in_trouble_get_nothing(ledger):
    seen(ledger, row("a"), row("b", 1000 * BLOCK))
    volumes = [Shelf("/v", 50), Shelf("/w", 100)]
    volumes[1].trouble = "it is read-only"
    dealer = Dealer(ledger, volumes, True)
    assert dealer.too_large() == [], "it may have room for it"
    assert dealer.deal() == 1 and set(dealt(ledger, volumes).values()) == {"/v"}
    volumes[1].trouble = ""
    [(before, after)] = dealer.too_large()
    assert (before.key, after.state) == ("b", "failed")
    assert after.error == ("3.9M does not fit on any volume (the largest takes 392K)")


def test_a_row_without_bytes_on_the_smallest_volume(ledger):
    """It is not too large, and so it has its room."""
    seen(ledger, row(size=0))
    for blocks, fits in ((1, False), (2, True)):
        dealer = Dealer(ledger, [Shelf("/v", blocks)], True)
        assert (dealer.too_large() == [], dealer.deal()) == (fits, int(fits))


def test_what_fits_exactly(ledger):
    """What is not too large does get its room, to the block."""
    shelf = Shelf("/v", 10)
    limit = 8 * BLOCK
    seen(ledger, row("fits", limit), row("large", limit + 1))
    dealer = Dealer(ledger, [shelf], True)
    assert [before.key for before, _ in dealer.too_large()] == ["large"]
    assert dealer.deal() == 1 and dealt(ledger, [shelf]).keys() == {"fits"}


# --- which volume


def test_the_faster_one_is_preferred(ledger):
    """In the ratio of their speeds."""
    seen(ledger, *(row(f"{number:02}", 10 * BLOCK) for number in range(40)))
    volumes = [Shelf("/slow", 10_000), Shelf("/fast", 10_000)]
    volumes[0].speed, volumes[1].speed = 1e6, 3e6
    Dealer(ledger, volumes, True).deal()
    assert abs(volumes[1].rows["listed"] - 30) <= 1


def test_the_one_with_less_to_do_and_then_with_more_room(ledger):
    volumes = [Shelf("/a", 100), Shelf("/b", 200)]
    assert min(volumes, key=lambda each: queue(each, 10, volumes)).path == "/b"
    volumes[1].count("listed", 20, 1)
    assert min(volumes, key=lambda each: queue(each, 10, volumes)).path == "/a"


def test_an_unknown_speed_is_that_of_the_others():
    volumes = [Shelf("/a", 100), Shelf("/b", 100), Shelf("/c", 100)]
    volumes[0].speed, volumes[1].speed = 100.0, 300.0
    assert queue(volumes[2], 400, volumes)[0] == 2
    assert queue(volumes[2], 400, volumes[2:])[0] == 400


# --- rounds, and how often


def test_a_round(ledger):
    """No more is dealt than until it is full, which the last row may overshoot."""
    seen(ledger, *(row(str(number), 10) for number in range(9)))
    dealer = Dealer(ledger, [Shelf("/v", 1000)], False, 25)
    assert dealer.deal() == 3 and dealer.given == 30 and dealer.is_round_full()
    dealer.is_due = True
    assert dealer.deal() == 0
    dealer.given, dealer.is_due = 0, True
    assert dealer.deal() == 3 and not Dealer(ledger, [], False).is_round_full()


def test_it_does_not_look_more_often_than_it_must(ledger, monkeypatch):
    """Every second, or when something has changed: a look reads the ledger."""
    at = [100.0]
    monkeypatch.setattr(dealing.time, "monotonic", lambda: at[0])
    dealer = Dealer(ledger, [Shelf("/v", 1000)], False)
    assert dealer.deal() == 0
    seen(ledger, row())
    assert dealer.deal() == 0
    at[0] += 1.0
    assert dealer.deal() == 1
    seen(ledger, row("new"))
    dealer.is_due = True
    assert dealer.deal() == 1
