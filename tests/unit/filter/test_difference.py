"""--diff against a plain model, and what users of two days' listings expect."""

from itertools import groupby

import pytest
from hypothesis import given, settings
from unit.filter import strategies
from unit.filter.strategies import Given

from s3kit.errors import Cut, Fault, Usage
from s3kit.filter.difference import Difference, parse_map
from s3kit.filter.likeness import compare
from s3kit.manifest.row import Row
from s3kit.manifest.sorter import OBJECT, VERSION

OLD, NEW = 0, 1


def changes(old, new, maps=()):
    """Return {(bucket, key, version): change} of what is not the same, and the Difference."""
    found = Difference(Given([old]), Given([new]), maps)
    rows = strategies.flat(found.batches())
    assert len({VERSION(row) for row in rows}) == len(rows) == sum(found.counts.values())
    return {f"{row.key}{row.version_id}": row.extra["change"] for row in rows}


def copies(batches):
    """Return rows of their own: a Difference writes into the rows that it is given."""
    return [[Row(*(getattr(row, name) for name in Row.__slots__)) for row in rows]
            for rows in batches]


def current_of(rows):
    """Return the row among a key's that may be its current one, or None."""
    rows = sorted((row for row in rows if row.is_latest != "false"), key=lambda row: row.version_id)
    return max(rows, key=lambda row: row.is_latest, default=None)


def model(old, new):
    """Return the sorted texts of (row, change, what it rests on)."""
    sides = [{VERSION(row): row for row in strategies.flat(side)} for side in (old, new)]
    found = []
    for name in {name[:2] for side in sides for name in side}:
        here = [{key: row for key, row in side.items() if key[:2] == name} for side in sides]
        for key in here[OLD].keys() & here[NEW].keys():
            found.append((here[NEW][key], *compare(here[OLD][key], here[NEW][key])))
        left = [[row for key, row in here[side].items() if key not in here[1 - side]]
                for side in (OLD, NEW)]
        one, other = map(current_of, left)
        if one and other and (len(here[OLD]) == len(here[NEW]) == 1
                              or "" in (one.version_id, other.version_id)):
            found.append((other, *compare(one, other)))
            left = [[row for row in left[OLD] if row is not one],
                    [row for row in left[NEW] if row is not other]]
        found += [(row, "removed", "") for row in left[OLD]] + [
            (row, "added", "") for row in left[NEW]]
    return sorted(map(repr, found))


@given(strategies.batches(), strategies.batches())
@settings(max_examples=100)
def test_as_a_plain_model_has_it(old, new):
    """In any order, with any versions, in S3's order of keys."""
    expected = model(old, new)
    rows = strategies.flat(Difference(Given(copies(old)), Given(copies(new))).batches())
    told = [(row.extra.pop("change"), row.extra.pop("rests_on")) for row in rows]
    for row in rows:
        row.extra = None
    assert sorted(repr((row, *how)) for row, how in zip(rows, told)) == expected
    names = [OBJECT(row) for row in rows]
    assert [name for name, _ in groupby(names)] == sorted(
        set(names), key=lambda name: [text.encode() for text in name])


V1, V2 = (Row("b", "k", name, "true", size=size) for name, size in (("v1", "1"), ("v2", "2")))
OLD_V1 = Row("b", "k", "v1", "false", size="1")
BARE = Row("b", "k", size="2")


@pytest.mark.parametrize("old, new, expected", [
    ([V1], [V2], {"kv2": "changed"}),               # listings of what is current
    ([V1], [V2, OLD_V1], {"kv1": "same", "kv2": "added"}),
    ([V2, OLD_V1], [V2], {"kv1": "removed", "kv2": "same"}),
    ([BARE], [V2, OLD_V1], {"kv1": "added", "kv2": "same"}),
    ([V1], [BARE], {"k": "changed"}),
    ([V1], [], {"kv1": "removed"}),
    ([], [V1], {"kv1": "added"}),
    ([BARE, V1], [BARE], {"k": "same", "kv1": "removed"})])
def test_two_days(old, new, expected):
    """What was put again has changed; what came beside it was added."""
    assert changes(*copies([old, new])) == expected


def test_two_buckets():
    """Names are mapped, versions are the bucket's own, and rows keep their names."""
    maps = [parse_map("s3://a/x=y/=s3://b/")]
    old = [Row("a", "x=y/k", "v1", "true", size="2"), Row("a", "x=y/k", "v0", "false"),
           Row("a", "x=y/gone", size="1"), Row("a", "other")]
    new = [Row("b", "k", "w1", "true", size="2"), Row("b", "k", "w0", "false"), Row("b", "new")]
    assert changes(old, new, maps) == {"kw1": "same", "kw0": "added", "x=y/kv0": "removed",
                                       "x=y/gone": "removed", "other": "removed", "new": "added"}


def test_nonsense():
    """Is not to be compared, though both say the same."""
    rows = [Row("b", "k", state="failed", verbatim={"key": "k"}) for _ in range(2)]
    found = Difference(Given([rows[:1]]), Given([rows[1:]]))
    assert [row.extra for row in strategies.flat(found.batches())] == [
        {"change": "unknown", "rests_on": ""}] * 2
    assert found.status() == 5 and found.summary()[-1] == "2 not to be compared"


def test_the_last_word():
    """Counts, and how sure they are."""
    rows = [Row("b", "k", size="1"), Row("b", "m", size="1", etag="0" * 32)]
    found = Difference(Given(copies([rows])), Given([rows]))
    list(found.batches())
    assert found.status() == 0
    assert found.summary() == ["0 added", "0 removed", "0 changed", "2 same (1 by size alone)"]
    found = Difference(Given([[Row("b", "k")]]), Given([[Row("b", "k")]]))
    list(found.batches())
    assert found.status() == 5
    found = Difference(Given([[Row("b", "k")]]), Given([]))
    list(found.batches())
    assert found.status() == 1


def test_what_was_cut_is_not_compared():
    """Else all that did not come would be removed."""
    def cut():
        yield [Row("b", "k")]
        raise Cut("cut")
    with pytest.raises(Cut):
        next(Difference(Given([[Row("b", "a")]]), Given(cut())).batches())


@pytest.mark.parametrize("old, new, words", [
    (["1/2"], [""], "the first is 1/2, the second is whole"),
    (["1/2"], ["2/2"], "the first is 1/2, the second is 2/2"),
    ([""], ["1/3", "2/3"], "the first is whole, the second is 1/3, 2/3")])
def test_different_shards(old, new, words):
    """Are not compared: nearly everything would be added or removed."""
    with pytest.raises(Fault, match=words):
        next(Difference(Given([], *old), Given([], *new)).batches())
    for same in (old, new, ["1/2", "2/2"]):
        for whole in ([""], ["1/2", "2/2"]) if same == ["1/2", "2/2"] else (same,):
            assert not list(Difference(Given([], *same), Given([], *whole)).batches())


@pytest.mark.parametrize("text", ["s3://a/", "a=s3://b", "s3://=s3://b", "s3://a/=b/"])
def test_maps_that_make_no_sense(text):
    with pytest.raises(Usage):
        parse_map(text)
