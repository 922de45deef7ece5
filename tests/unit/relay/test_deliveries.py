"""The ledger of s3-relay: a row's way, what is tried again, and what has its room."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_keys import KEYS
from unit.relay.rows import GONE_BY, LONG_AGO, changed, delivery, found, row, seen

from s3kit.disk.sqlite_errors import Broken
from s3kit.errors import Usage
from s3kit.relay import deliveries as module
from s3kit.relay.deliveries import BLOCK, Deliveries, charge, delivery_of

FIRST = delivery().name


@pytest.fixture
def ledger(tmp_path):
    """The ledger of a relay that has begun."""
    made = Deliveries(str(tmp_path / "relay.sqlite3"), "a")
    made.take_route("s3://a/", "s3://b/", "id")
    yield made
    made.close()


def keys_of(deliveries):
    """Return the keys of some."""
    return [each.key for each in deliveries]


def waiting(ledger, room=1 << 60, most=100, by_size=False):
    """Return the keys that wait."""
    return keys_of(ledger.waiting(room, most, by_size))


# --- whose it is


def test_the_route_is_that_of_one_relay(ledger):
    assert ledger.take_route("s3://a/", "s3://b/", "other") == "id"
    for route in (("s3://a/", "s3://c/"), ("s3://b/", "s3://a/"), ("s3://a/x", "s3://b/")):
        with pytest.raises(Usage, match="from s3://a/ to s3://b/.*--work"):
            ledger.take_route(*route, "other")


def test_what_is_written_is_there_after_a_kill(ledger):
    """Another connection has it at once, and SQLite flushes each transaction."""
    seen(ledger, row())
    assert ledger.one("PRAGMA synchronous") == (2,)
    other = Deliveries(ledger.path)
    assert found(other, "k") is not None
    other.close()


def test_damage_is_said_with_what_to_do(tmp_path):
    (tmp_path / "relay.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(Broken, match="damaged.*files on the volumes are used"):
        Deliveries(str(tmp_path / "relay.sqlite3"))


# --- a row's way


def test_the_way(ledger):
    """Listed, dealt, fetched, stored: it waits, has its room, has it still, and is no more seen."""
    seen(ledger, row())
    assert waiting(ledger) == ["k"] and ledger.reserved() == {}
    ledger.deal([(found(ledger, "k"), "/v")])
    assert waiting(ledger) == [] and found(ledger, "k").dealt_at
    assert ledger.reserved() == {("/v", "listed"): (1, charge(100))}
    assert ledger.census() == {"dealt": (1, 100)}
    assert keys_of(ledger.on_volume("/v", "listed", "", 9)) == ["k"]
    changed(ledger, "k", state="fetched")
    assert ledger.reserved() == {("/v", "fetched"): (1, charge(100))}
    assert not ledger.on_volume("/v", "listed", "", 9)
    changed(ledger, "k", state="stored", far_proof="crc32", stored_at="s3://b/k")
    assert ledger.reserved() == {} and keys_of(ledger.stored()) == ["k"]
    seen(ledger, row(), failed_before=GONE_BY)
    after = found(ledger, "k")
    assert (after.state, after.far_proof, after.stored_at) == ("stored", "crc32", "s3://b/k")


def test_a_row_has_what_the_commands_need(ledger):
    source = row(version_id="v", storage_class="GLACIER", checksum_algorithm="CRC32",
                 checksum_type="FULL_OBJECT", checksum="c")
    seen(ledger, source)
    [there] = ledger.waiting(1000, 1, True)
    made = there._replace(path="p", digest="d", proof="crc32").row("a")
    for column in ("bucket", "key", "version_id", "size", "last_modified", "etag", "storage_class",
                   "checksum_algorithm", "checksum_type", "checksum"):
        assert getattr(made, column) == getattr(source, column), column
    assert (made.state, made.path, made.digest, made.proof) == ("listed", "p", "d", "crc32")


@pytest.mark.parametrize("columns", [{"last_modified": "2026-01-02T03:04:06Z"}, {"etag": "f"},
                                     {"version_id": "v"}])
def test_another_version_is_another_row(ledger, columns):
    seen(ledger, row())
    seen(ledger, row(**columns))
    assert waiting(ledger) == ["k", "k"]


def test_odd_keys_stay_apart(ledger):
    """Each key is found, and none for another."""
    seen(ledger, *(row(key, number) for number, key in enumerate(KEYS)))
    ledger.deal([(each, "/v") for each in ledger.waiting(1 << 60, 1000, True)])
    for number, key in enumerate(KEYS):
        assert ledger.find(delivery(key).name).size == number
    pages, cursor = [], ""
    while page := ledger.on_volume("/v", "listed", cursor, 7):
        pages += keys_of(page)
        cursor = pages[-1]
    assert pages == sorted(KEYS, key=str.encode)


def test_a_row_without_bytes(ledger):
    """It waits, and has room for its name."""
    seen(ledger, row(size=0))
    assert waiting(ledger, room=0) == ["k"]
    ledger.deal([(found(ledger, "k"), "/v")])
    assert ledger.reserved() == {("/v", "listed"): (1, BLOCK)}


@settings(max_examples=20)
@given(st.lists(st.integers(0, 1 << 45), min_size=1, max_size=20))
def test_what_is_reserved_is_what_is_charged(tmp_path_factory, sizes):
    """In SQL as in Python: whole blocks, and one more."""
    ledger = Deliveries(str(tmp_path_factory.mktemp("ledger") / "relay.sqlite3"), "a")
    ledger.record([delivery(str(number), size, volume="/v", state=state)
                   for number, (size, state) in enumerate(zip(sizes, itertools.cycle(
                       ("listed", "fetched", "failed"))))])
    assert {size for _, size in ledger.reserved().values()} == {
        sum(map(charge, sizes[start::3])) for start in range(min(3, len(sizes)))}
    ledger.close()
    for size in sizes:
        assert charge(size) % BLOCK == 0 and size + BLOCK <= charge(size) < size + 2 * BLOCK


# --- listings


def test_what_waits_and_is_not_listed_any_more_has_vanished(ledger):
    """What is on its way is not: its bytes may be here already."""
    seen(ledger, *(row(key) for key in ("waits", "dealt", "fetched", "stored", "stays")))
    for key, state in (("dealt", "listed"), ("fetched", "fetched"), ("stored", "stored")):
        changed(ledger, key, state=state, volume="/v")
    number = seen(ledger, row("stays"), row("new"))
    assert ledger.end_listing(number) == 1
    assert {state: rows for state, (rows, _) in ledger.census().items()} == {
        "vanished": 1, "dealt": 1, "fetched": 1, "stored": 1, "listed": 2}
    assert found(ledger, "waits").state == "vanished" and ledger.end_listing(number) == 0


def test_a_row_that_is_released_while_a_listing_runs(ledger):
    """It was seen in this one, whatever was recorded of it meanwhile."""
    seen(ledger, row())
    ledger.deal([(found(ledger, "k"), "/v")])
    number = seen(ledger, row())
    ledger.release(["/w"])
    assert waiting(ledger) == ["k"] and ledger.end_listing(number) == 0


@pytest.mark.parametrize("volume, state, stays", [
    ("", "failed", False), ("", "vanished", False), ("", "missing", False),
    ("/v", "stored", True), ("/v", "unverifiable", True)])
def test_what_failed_is_seen_again(ledger, volume, state, stays):
    """It waits anew, its tries forgotten, if it failed long enough ago."""
    seen(ledger, row())
    before = changed(ledger, "k", state=state, volume=volume, tries=3)
    seen(ledger, row(), failed_before=LONG_AGO)
    assert (found(ledger, "k").state, found(ledger, "k").tries) == (state, 3)
    seen(ledger, row(), failed_before=GONE_BY)
    after = found(ledger, "k")
    assert (after.state, after.tries) == ((before.state, 3) if stays else ("listed", 0))


def test_what_is_on_its_way_stays_there_when_it_is_seen(ledger):
    seen(ledger, row("dealt"), row("fetched"))
    for key, state in (("dealt", "listed"), ("fetched", "fetched")):
        changed(ledger, key, state=state, volume="/v", tries=2)
    seen(ledger, row("dealt"), row("fetched"), failed_before=GONE_BY)
    for key, state in (("dealt", "listed"), ("fetched", "fetched")):
        after = found(ledger, key)
        assert (after.state, after.volume, after.tries) == (state, "/v", 2)


def test_what_is_recorded_late_is_in_the_last_listing_all_the_same(ledger):
    """A command has had it since the listing before."""
    seen(ledger, row())
    given = found(ledger, "k")
    assert ledger.is_listed(FIRST)
    ledger.begin_listing()
    assert not ledger.is_listed(FIRST)
    ledger.see([row()], 2, LONG_AGO)
    assert ledger.is_listed(FIRST)
    ledger.record([given._replace(state="fetched")])
    assert ledger.is_listed(FIRST) and found(ledger, "k").state == "fetched"


# --- versions that follow each other

NEWER = "2026-01-02T03:04:06Z"


@pytest.fixture
def clock(monkeypatch):
    """The time, as the ledger has it, in a list."""
    made = [100]
    monkeypatch.setattr(module, "now", lambda: f"2026-01-01T00:{made[0]:05}Z")
    return made


@pytest.mark.parametrize("state", ["stored", "unverifiable"])
@pytest.mark.parametrize("seconds", [1, -1000])
def test_what_is_current_again_is_delivered_again(ledger, clock, state, seconds):
    """Once, also where the clock was set back meanwhile."""
    newer = row(last_modified=NEWER)
    seen(ledger, row())
    changed(ledger, "k", state="stored", volume="/v", path="p")
    clock[0] += 1
    seen(ledger, row(), newer, row("other"))
    assert found(ledger, "k").state == "stored"
    changed(ledger, delivery_of(newer, 1).name, state=state, volume="/v", path="p")
    seen(ledger, newer)
    assert found(ledger, "k").state == "stored", "only what is listed"
    clock[0] += seconds
    number = seen(ledger, row())
    again = found(ledger, "k")
    assert (again.state, again.volume, again.listing) == ("listed", "", number)
    changed(ledger, "k", state="stored", volume="/v", path="p")
    for _ in range(2):
        seen(ledger, row())
        assert found(ledger, "k").state == "stored"


# --- dealing


def test_who_waits_and_in_which_order(ledger):
    sizes = {"a": 3, "b": 1, "c": 7, "d": 5}
    seen(ledger, *(row(key, size) for key, size in sizes.items()))
    assert waiting(ledger, 7, 9, True) == ["c", "d", "a", "b"]
    assert waiting(ledger, 5, 2, True) == ["d", "a"]
    assert waiting(ledger, 5, 2, False) == ["a", "b"] and waiting(ledger, 0) == []
    assert [keys_of(ledger.too_large(4, most)) for most in (9, 1)] == [["d", "c"], ["d"]]
    assert ledger.waiting_at("c", 7).key == "c" and ledger.waiting_at("c", 5) is None


@pytest.mark.parametrize("state, waits", [
    ("listed", False), ("fetched", False), ("stored", True), ("failed", True), ("vanished", True)])
def test_two_versions_of_a_key_are_not_under_way_together(ledger, state, waits):
    """They would race to one target."""
    seen(ledger, row())
    changed(ledger, "k", state=state, volume="/v")
    seen(ledger, row(last_modified="2026-01-02T03:04:06Z"), row("other"))
    for by_size in (True, False):
        assert sorted(waiting(ledger, by_size=by_size)) == ["k"] * waits + ["other"]


def test_the_newest_waiting_version_is_what_a_file_is_taken_for(ledger):
    seen(ledger, row(), row(last_modified="2026-02-01T00:00:00Z"),
         row(last_modified="2025-02-01T00:00:00Z"))
    assert ledger.waiting_at("k", 100).last_modified == "2026-02-01T00:00:00Z"


def test_release(ledger):
    """What has not come to volumes that are not among ours waits again; what has come stays."""
    seen(ledger, *map(row, ("a", "b", "c", "d")))
    for key, volume, state in (("a", "/v", "listed"), ("b", "/w", "listed"),
                               ("c", "/w", "fetched"), ("d", "/w", "failed")):
        changed(ledger, key, volume=volume, state=state)
    ledger.release(["/v"])
    assert waiting(ledger) == ["b"]
    assert ledger.reserved().keys() == {("/v", "listed"), ("/w", "fetched"), ("/w", "failed")}
    ledger.release([])
    assert waiting(ledger) == ["a", "b"]


# --- what people ask


def test_outages_have_the_time_of_their_beginning(ledger, monkeypatch):
    times = iter(["1", "2", "3"])
    monkeypatch.setattr(module, "now", lambda: next(times))
    ledger.note_outage("source", "no route")
    ledger.note_outage("source", "no DNS")
    assert ledger.all("SELECT * FROM outage") == [("source", "1", "no route")]
    ledger.note_outage("source", "")
    assert ledger.all("SELECT * FROM outage") == []


def test_volumes_are_known_until_they_are_lost(ledger):
    for path in ("/v", "/w", "/v"):
        ledger.add_volume(path)
    assert ledger.volumes() == {"/v", "/w"}
    ledger.lose("/v")
    assert ledger.volumes() == {"/w"}


@pytest.mark.parametrize("state, after", [
    ("listed", "listed"), ("fetched", "listed"), ("failed", "listed"), ("mismatch", "listed"),
    ("unverifiable", "unverifiable"), ("stored", "stored")])
def test_what_was_on_a_lost_volume(ledger, state, after):
    """It waits again, but for what is at the target; what is elsewhere stays."""
    seen(ledger, row(), row("other"))
    for key, volume in (("k", "/v"), ("other", "/w")):
        changed(ledger, key, state=state, volume=volume, path="p", digest="d", tries=2)
    other = found(ledger, "other")
    ledger.lose("/v")
    lost = found(ledger, "k")
    assert (lost.state, lost.volume) == (after, "/v" if state == "stored" else "")
    assert waiting(ledger) == ["k"] * (after == "listed") and found(ledger, "other") == other
    assert after != "listed" or (lost.path, lost.digest, lost.tries) == ("", "", 0)


def test_what_was_overwritten_is_not_fetched_after_a_loss(ledger):
    """It would take the place of the newer, which was delivered since."""
    newer = row(last_modified="2026-01-02T03:04:06Z")
    seen(ledger, row(), newer)
    changed(ledger, "k", state="failed", volume="/v", path="p")
    changed(ledger, delivery_of(newer, 1).name, state="stored", volume="/w", path="p")
    ledger.lose("/v")
    assert found(ledger, "k").state == "vanished" and not waiting(ledger)
