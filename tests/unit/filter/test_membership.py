"""--minus and --common against a plain model, with inputs in any order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.filter import strategies

from s3kit.errors import Cut, Fault
from s3kit.filter import membership as module
from s3kit.filter.membership import Membership
from s3kit.manifest.row import Row
from s3kit.manifest.sorter import OBJECT


def is_named(row, other):
    """Return whether any row of `other` names a row."""
    return any(OBJECT(row) == OBJECT(one) and (
        row.version_id == one.version_id or "" in (row.version_id, one.version_id))
        for one in other)


@given(strategies.batches(st.one_of(strategies.rows, strategies.nonsense)), strategies.batches(),
       st.booleans())
@settings(max_examples=100)
def test_as_a_plain_model_has_it(batches, other, keeps):
    """Unsorted inputs, several versions, versions that nobody named."""
    rows, others = strategies.flat(batches), strategies.flat(other)
    expected = [row for row in rows
                if row.verbatim is not None or is_named(row, others) is keeps]
    found = strategies.said(Membership(iter(other), keeps)(iter(batches)))
    assert sorted(found) == sorted(map(repr, expected))


@given(strategies.batches(), strategies.batches(), st.booleans())
@settings(max_examples=50)
def test_an_input_in_order_stays_as_it_is(batches, other, keeps):
    """Versions of a key, too, are as they came."""
    batches = strategies.sorted_batches(batches)
    expected = [row for row in strategies.flat(batches)
                if is_named(row, strategies.flat(other)) is keeps]
    found = strategies.said(Membership(iter(other), keeps)(iter(batches)))
    assert found == list(map(repr, expected))


def test_a_key_with_very_many_versions(monkeypatch):
    """Is found, though its versions lie on the disk."""
    monkeypatch.setattr(module, "HELD", 3)
    other = [[Row("b", "k", f"v{number}") for number in range(10)]]
    rows = [[Row("b", "k", f"v{number}") for number in range(12)] + [Row("b", "l", "v1")]]
    found = strategies.flat(Membership(other, False)(rows))
    assert [f"{row.key} {row.version_id}" for row in found] == ["k v10", "k v11", "l v1"]


def test_rows_go_on_at_once():
    """An input in order is not held; the first that is not is where sorting begins."""
    def batches():
        for key in "abdc":
            asked.append(key)
            yield [Row("b", key)]
    asked = []
    found = Membership([], False)(batches())
    assert next(found)[0].key == "a" and asked == ["a"]
    assert [row.key for rows in found for row in rows] == ["b", "d", "c"]


def test_the_other_must_be_whole():
    """And make sense, or nobody knows what it names: nothing goes on."""
    def cut():
        yield [Row("b", "k")]
        raise Cut("cut")
    with pytest.raises(Cut):
        next(Membership(cut(), False)([[Row("b", "k")]]))
    row = Row(state="failed", error="line 3: no key", verbatim={})
    with pytest.raises(Fault, match="old.csv: line 3: no key: what this row names is not known"):
        next(Membership([[row]], True, "old.csv")([[Row("b", "k")]]))


def test_a_cut_input():
    """What came is answered, also where it was not in order; then the cut is known."""
    def batches():
        yield [Row("b", "2")]
        yield [Row("b", "1")]
        raise Cut("cut")
    found = Membership([[Row("b", "2")]], False)(batches())
    assert [row.key for row in next(found)] == ["1"]
    with pytest.raises(Cut):
        next(found)
