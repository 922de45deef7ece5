"""How a relay stands: what its ledger says, for programs and for people."""

import json

import pytest
from unit.relay.rows import changed, row, seen

from s3kit.relay import deliveries as module
from s3kit.relay.deliveries import BLOCK, Deliveries
from s3kit.relay.standing import MOST_ERRORS, facts_of, status_of, table, what_is_left


@pytest.fixture
def ledger(tmp_path):
    """A ledger that is open, as while a relay works."""
    made = Deliveries(str(tmp_path / "relay.sqlite3"), "a")
    yield made
    made.close()


def of(rows, size):
    """Return an amount."""
    return {"rows": rows, "bytes": size}


def test_of_an_empty_ledger(ledger):
    facts = facts_of(ledger.path)
    assert (facts["source"], facts["rows"], facts["volumes"], facts["errors"]) == ("", {}, [], [])
    assert facts["last_hour"] == of(0, 0) and facts["seconds_left"] is None
    assert facts["oldest_waiting"] is None and list(table(facts))


def test_the_facts(ledger, monkeypatch):
    ledger.take_route("s3://a/", "s3://b/", "id")
    for volume in ("/v", "/w"):
        ledger.add_volume(volume)
    monkeypatch.setattr(module, "now", lambda: "2001-01-01T00:00:00Z")
    seen(ledger, row("old", 1000), row("waits", 10))
    changed(ledger, "old", state="stored", volume="/v")
    monkeypatch.undo()
    seen(ledger, row("dealt", 100), row("fetched", 200), row("stored", 360), row("failed", 7),
         row("fails", 7), row("unproven", 5), row("gone", 3))
    for key, state, error in (("dealt", "listed", ""), ("fetched", "fetched", ""),
                              ("stored", "stored", ""), ("failed", "failed", "no"),
                              ("fails", "mismatch", "no"), ("unproven", "unverifiable", "S3!"),
                              ("gone", "vanished", "away")):
        changed(ledger, key, state=state, volume="/v" if state != "vanished" else "", error=error)
    ledger.note_outage("source", "no route")
    facts = facts_of(ledger.path)
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["source"], facts["target"]) == ("s3://a/", "s3://b/")
    assert facts["rows"] == {"dealt": of(1, 100), "failed": of(1, 7), "fetched": of(1, 200),
                             "listed": of(1, 10), "mismatch": of(1, 7), "stored": of(2, 1360),
                             "unverifiable": of(1, 5), "vanished": of(1, 3)}
    assert facts["last_hour"] == of(1, 360)
    assert facts["seconds_left"] == round((10 + 100 + 200) / 360 * 3600)
    assert facts["oldest_waiting"] == "2001-01-01T00:00:00Z"
    assert facts["volumes"] == [
        {"path": "/v", "to_come": of(1, 2 * BLOCK), "there": of(4, 8 * BLOCK)},
        {"path": "/w", "to_come": of(0, 0), "there": of(0, 0)}]
    assert [(each["side"], each["why"]) for each in facts["outages"]] == [("source", "no route")]
    assert facts["errors"] == [{"error": "no", "rows": 2}, {"error": "S3!", "rows": 1}]
    text = "\n".join(table(facts))
    for words in ("s3://a/ to s3://b/", "/v: 1 to come (8.0K), 4 there (32K)",
                  "source is out since", "2 rows: no", "1 row: S3!"):
        assert words in text


def test_the_most_frequent_errors(ledger):
    ledger.take_route("s3://a/", "s3://b/", "id")
    seen(ledger, *(row(f"{number:03}") for number in range(40)))
    for number in range(40):
        changed(ledger, f"{number:03}", state="failed", error=f"error {min(number, 20)}")
    errors = facts_of(ledger.path)["errors"]
    assert len(errors) == MOST_ERRORS and errors[0] == {"error": "error 20", "rows": 20}


@pytest.mark.parametrize("census, status, left", [
    ({}, 0, []), ({"stored": (2, 1), "vanished": (1, 1)}, 0, []),
    ({"unverifiable": (1, 1)}, 5, ["1 unverifiable"]),
    ({"listed": (1, 1), "dealt": (1, 1), "fetched": (1, 1)}, 1, ["3 rows left"]),
    ({"failed": (1, 1), "mismatch": (1, 1), "unverifiable": (1, 1)}, 1,
     ["1 unverifiable", "2 rows failed"])])
def test_what_a_census_means(census, status, left):
    assert status_of(census) == status and list(filter(None, what_is_left(census))) == left
