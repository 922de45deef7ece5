"""Manifests put together, against a plain model."""

import pytest
from hypothesis import given, settings
from unit.filter import strategies

from s3kit.errors import Fault
from s3kit.filter.joining import Merge, newest_first
from s3kit.manifest.row import Row
from s3kit.manifest.sorter import OBJECT, VERSION
from s3kit.manifest.versions import age


def merged(batches, *marks, of=0):
    """Return the rows of all manifests as one."""
    given = strategies.Given(batches, *marks)
    return strategies.flat(Merge(given, of)(given.batches()))


def model(batches):
    """Return what `Merge` does: the last row of each version, versions by age."""
    last = {VERSION(row): row for row in strategies.flat(batches)}
    names = sorted({name[:2] for name in last}, key=lambda name: [text.encode() for text in name])
    return [row for name in names for row in sorted(
        (row for _, row in sorted(last.items()) if OBJECT(row) == name), key=age, reverse=True)]


@given(strategies.batches())
@settings(max_examples=100)
def test_the_last_row_of_each_version(batches):
    """Whatever it says; in S3's order."""
    found = merged(batches)
    expected = model(batches)
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
    assert list(map(OBJECT, found)) == list(map(OBJECT, expected))
    assert list(map(age, found)) == list(map(age, expected))


def test_nonsense_stays():
    """All of it, though it has the same name."""
    rows = [Row("b", "k", state="failed", verbatim={"key": "k"}) for _ in range(2)]
    rows.append(Row("b", "k"))
    assert len(merged([rows])) == 3


def test_ties_stay_as_they_came():
    """S3 lists the newer first, and times are of whole seconds."""
    rows = [Row("b", "k", version, last_modified="2026-01-01T00:00:00Z") for version in "312"]
    assert [row.version_id for row in strategies.flat(newest_first(rows))] == ["3", "1", "2"]


@pytest.mark.parametrize("marks, words", [
    (["1/3", "3/3"], "of the shards, 2/3 is missing"),
    (["1/2", "1/2", "2/2"], r"1/2 \(0.csv, 1.csv\) is there twice"),
    (["1/20"], None), (["2/2", ""], "1/2 is missing"),
    (["1/20", "2/20"], "3/20, .*, 12/20 and 8 more are missing"),
    (["2/2", "1/2"], None), (["1/2", "2/2", ""], None), ([""], None)])
def test_shards(marks, words):
    """All are there once, or the same one comes again; else no row goes on."""
    rows = [[Row("b", "k")]]
    if words:
        with pytest.raises(Fault, match=words):
            merged(rows, *marks)
    else:
        assert merged(rows, *marks) == rows[0]
    assert Merge(strategies.Given(rows, *marks)).shard() == (marks[0] if len(marks) == 1 else "")


@pytest.mark.parametrize("marks, of, words", [
    (["1/2"], 2, "of the shards, 2/2 is missing"),
    (["1/2", "1/2"], 2, "2/2 is missing"),
    (["1/1", "1/1"], 1, r"1/1 \(0.csv, 1.csv\) is there twice"),
    (["1/2", "2/2", ""], 2, r"2.csv: this is no shard, not one of 2 \(--shards\)"),
    (["1/2", "2/2"], 4, r"0.csv: this is shard 1/2, not one of 4 \(--shards\)"),
    ([""], 2, "0.csv: this is no shard"),
    (["2/2", "1/2"], 2, None), (["1/1"], 1, None)])
def test_as_many_shards_as_are_asked_for(marks, of, words):
    """Also where those that came look like all there ever were."""
    rows = [[Row("b", "k")]]
    if words:
        with pytest.raises(Fault, match=words):
            merged(rows, *marks, of=of)
    else:
        assert merged(rows, *marks, of=of) == rows[0]
