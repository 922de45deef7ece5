"""What a restore costs, and how long it takes."""

import json

import pytest

from s3kit.errors import Fault
from s3kit.restore.pricing import GB, TABLE, Estimate, Prices, show_hours

with open(TABLE, encoding="utf-8") as file:
    PRICES = json.load(file)


def written(tmp_path, **changed):
    """Write a table of prices; a value of None is left out. Return its path."""
    table = {"source": "made up", "date": "2026-01-01", "currency": "EUR", "copy_gb_month": 3,
             "retrieval": {"GLACIER": {"Bulk": {"gb": 2, "thousand": 10, "hours": [0.5, 100]}}}}
    table |= changed
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({name: value for name, value in table.items()
                                if value is not None}))
    return str(path)


def estimate(path, days=30, most=1000, most_bytes=None):
    """Return an Estimate by a table."""
    return Estimate(Prices(path), days, most, most_bytes)


def test_the_table_that_comes_with_us():
    """It has every tier of both classes; DEEP_ARCHIVE has no Expedited."""
    assert set(Prices().retrieval) == {
        ("GLACIER", "Expedited"), ("GLACIER", "Standard"), ("GLACIER", "Bulk"),
        ("DEEP_ARCHIVE", "Standard"), ("DEEP_ARCHIVE", "Bulk")}
    assert Prices().copy == PRICES["copy_gb_month"]


def test_what_it_costs(tmp_path):
    """Bytes, requests, and the copies for as long as they are kept."""
    found = estimate(written(tmp_path), days=15)
    for _ in range(500):
        found.add("GLACIER", "Bulk", GB // 10)
    assert (found.objects, found.bytes) == (500, 500 * (GB // 10))
    assert found.cost("GLACIER", "Bulk") == pytest.approx(50 * 2 + 500 / 1000 * 10)
    words = [" ".join(line.split()) for line in found.lines()]
    assert words == ["GLACIER 500 50G Bulk 30 min to 4 days 105.00 EUR",
                     "copies of 50G for 15 days: 75.00 EUR",
                     "in all: 500 objects, 180.00 EUR, without transfer",
                     "prices of 2026-01-01: made up"]


def test_what_is_not_known_makes_the_sum_the_least(tmp_path):
    """Sizes that rows do not say, and classes that the table does not have."""
    found = estimate(written(tmp_path))
    found.add("GLACIER", "Bulk", None)
    found.add("NEWER_CLASS", "Bulk", GB)
    found.note("readable already")
    found.note("readable already")
    assert found.cost("NEWER_CLASS", "Bulk") is None
    words = [" ".join(line.split()) for line in found.lines()]
    assert words[0].endswith("0.01 EUR (1 of unknown size)")
    assert words[1] == "NEWER_CLASS 1 1.0G Bulk hours unknown price unknown"
    assert words[2] == "2: readable already"
    assert words[4] == "in all: 2 objects, at least 3.01 EUR, without transfer"


def test_nothing_to_ask_for(tmp_path):
    """Only what there is to say of rows that cost nothing."""
    found = estimate(written(tmp_path))
    found.note("asked for already")
    assert list(found.lines()) == ["1: asked for already", "nothing is to be asked for"]
    assert (found.objects, found.bytes, found.rounds()) == (0, 0, 1)


@pytest.mark.parametrize("most, most_bytes, rounds, said", [
    (1000, None, 1, None), (10, None, 1, None), (9, None, 2, "no more than 9 are pending"),
    (1000, 10 * GB, 1, None), (1000, 3 * GB, 4, "no more than 1,000 or 3.0G are pending"),
    (2, 3 * GB, 5, "no more than 2 or 3.0G are pending")])
def test_one_group_after_another(tmp_path, most, most_bytes, rounds, said):
    """By rows or by bytes, whichever is the less; each takes as long as the slowest."""
    found = estimate(written(tmp_path), most=most, most_bytes=most_bytes)
    for _ in range(10):
        found.add("GLACIER", "Bulk", GB)
    assert found.rounds() == rounds
    told = [line for line in found.lines() if line.startswith("no more than")]
    if said:
        assert told[0].startswith(said)
        assert told[0].endswith(f"up to {show_hours(rounds * 100)} in all")
    else:
        assert told == []


@pytest.mark.parametrize("amount, said", [
    (None, "price unknown"), (0, "0.00 EUR"), (0.004, "under 0.01 EUR"), (0.005, "0.01 EUR"),
    (1234567.891, "1,234,567.89 EUR")])
def test_sums_for_people(tmp_path, amount, said):
    """What is not free does not look free."""
    assert estimate(written(tmp_path)).money(amount) == said


@pytest.mark.parametrize("hours, said", [
    (0.001, "1 min"), (0.5, "30 min"), (1, "1 h"), (72, "72 h"), (73, "3 days"), (480, "20 days")])
def test_hours_for_people(hours, said):
    assert show_hours(hours) == said


@pytest.mark.parametrize("changed, said", [
    ({"date": None}, "it has no 'date'"), ({"retrieval": None}, "it has no 'retrieval'"),
    ({"copy_gb_month": "much"}, "could not convert"), ({"retrieval": []}, "no attribute"),
    ({"retrieval": {"GLACIER": {"Bulk": {"gb": 1, "thousand": 1}}}}, "it has no 'hours'"),
    ({"retrieval": {"GLACIER": {"Bulk": {"gb": 1, "thousand": 1, "hours": [1]}}}},
     "hours are two numbers")])
def test_a_file_that_is_not_a_table(tmp_path, changed, said):
    """It is said what is wrong with it."""
    path = written(tmp_path, **changed)
    with pytest.raises(Fault, match=f"cannot use the prices in '{path}': .*{said}"):
        Prices(path)


def test_a_file_that_cannot_be_read(tmp_path):
    """Nor one that is not JSON."""
    with pytest.raises(Fault, match="No such file"):
        Prices(str(tmp_path / "none"))
    (tmp_path / "text").write_text("prices: high")
    with pytest.raises(Fault, match="cannot use the prices"):
        Prices(str(tmp_path / "text"))
