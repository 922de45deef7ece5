"""Shards: disjoint, whole, the versions of a key together, by a hash that never changes."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Fault
from s3kit.filter.sharding import Shard, name_of, shard_of_shard
from s3kit.manifest.row import Row
from s3kit.manifest.shards import LARGEST

# The shard of 1,000 that a key is in, for ever: manifests of today and of next year are compared.
PLACES = {("photos", "a.jpg"): 15, ("photos", "b.jpg"): 936, ("videos", "a.jpg"): 319,
          ("photos", "100%"): 917, ("photos", "\u00fcber/\u65e5\u672c.txt"): 916,
          ("photos", "\0"): 526, ("p", "hotos"): 979}
KEYS = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=8)
ROWS = st.lists(st.builds(Row, st.sampled_from("bc"), KEYS, st.sampled_from(["", "v1", "v2"])),
                max_size=20)


def shard(rows, number, of, *marks):
    """Return the rows of a shard of an input with these marks, one if they are of one shard."""
    marks = list(marks) or [""]
    source = SimpleNamespace(shard=lambda: marks[0] if len(marks) == 1 else "",
                             shards=lambda: marks)
    operation = Shard(number, of, source)
    return [row for batch in operation(iter([rows] if rows else [])) for row in batch], operation


@pytest.mark.parametrize("bucket, key", PLACES)
def test_a_key_is_in_the_same_shard_for_ever(bucket, key):
    found = [number for number in range(1, 1001) if shard([Row(bucket, key)], number, 1000)[0]]
    assert found == [PLACES[bucket, key]]


@given(ROWS, st.integers(1, 5))
@settings(max_examples=100)
def test_shards_are_disjoint_and_whole(rows, of):
    """Each row in one, in the order of the input, with all versions of its key."""
    parts = [shard(rows, number, of)[0] for number in range(1, of + 1)]
    order = {id(row): at for at, row in enumerate(rows)}
    at = [[order[id(row)] for row in part] for part in parts]
    assert all(found == sorted(found) for found in at)
    assert sorted(map(repr, rows)) == sorted(repr(row) for part in parts for row in part)
    homes = [{(row.bucket, row.key) for row in part} for part in parts]
    assert sum(map(len, homes)) == len({(row.bucket, row.key) for row in rows})


def test_the_border_of_bucket_and_key_counts():
    assert name_of(Row("a", "bc")) != name_of(Row("ab", "c"))


def test_a_row_that_makes_no_sense_is_in_one_shard_whatever_its_bytes():
    """By its cells as they came, so that it is in the same one when it is read again."""
    rows = [Row("b", "k", state="failed", verbatim={"bucket": "b", "key": "100%\udcff"}),
            Row(state="failed", verbatim={"key": "no,csv"})]
    for row in rows:
        assert sum(len(shard([row], number, 7)[0]) for number in range(1, 8)) == 1


@given(st.integers(1, 12), st.integers(1, 12), st.data())
@settings(max_examples=100)
def test_a_shard_of_a_shard(of, other, data):
    """It is one of more, or nothing."""
    number, k = data.draw(st.integers(1, of)), data.draw(st.integers(1, other))
    mark = shard_of_shard(f"{number}/{of}", f"{k}/{other}")
    both = [hash for hash in range(of * other)
            if hash % of == number - 1 and hash % other == k - 1]
    assert bool(mark) == bool(both)
    if mark:
        at, parts = map(int, mark.split("/"))
        assert both == list(range(at - 1, of * other, parts))


def test_a_shard_of_more_than_a_mark_can_say():
    assert shard_of_shard(f"1/{LARGEST}", f"1/{LARGEST - 1}") == f"1/{LARGEST}"


def test_what_another_shard_cannot_have():
    """Nothing of it is no empty manifest, but a wrong file; what has rows is a shard of its own."""
    rows = [Row("b", f"k{number}") for number in range(40)]
    half = shard(rows, 1, 2)[0]
    with pytest.raises(Fault, match="the input is shard 1/2, and has no rows of shard 2/4"):
        shard(half, 2, 4, "1/2")
    found, operation = shard(half, 3, 4, "1/2")
    assert found == shard(rows, 3, 4)[0] and operation.shard() == "3/4"
    assert shard(half, 2, 3, "1/2")[1].shard() == "5/6"
    assert shard(half, 2, 4, "1/2", "2/2")[0] == []       # of two inputs nobody can say
    assert shard([], 2, 4, "1/2")[1].shard() == "2/4"
