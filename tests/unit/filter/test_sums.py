"""Sums, in memory and on disk."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from unit.filter import strategies

from s3kit.filter import sums as module
from s3kit.filter.sums import PREFIX, Sums, json_lines, kind_of, lines, prefix_of, table
from s3kit.manifest.row import Row


@pytest.mark.parametrize("held", [1, 100])
def test_as_a_counter_has_it(held, monkeypatch):
    """Wherever the sums lie: rows, bytes and what is not known, both orders."""
    monkeypatch.setattr(module, "HELD", held)

    @given(strategies.batches())
    @settings(max_examples=50)
    def check(batches):
        found, rows = Sums(), strategies.flat(batches)
        counts, sizes, unknown = Counter(), Counter(), Counter()
        for row in rows:
            name = row.bucket, row.key
            found.add(name, row)
            counts[name] += 1
            sizes[name] += int(row.size or 0)
            unknown[name] += not row.size
        expected = [(name, counts[name], sizes[name], unknown[name]) for name in sorted(counts)]
        assert list(found.by_name()) == expected
        assert list(found.largest_first()) == sorted(
            expected, key=lambda one: (-one[2], -one[1], one[0]))
    check()


@pytest.mark.parametrize("held", [1, 100])
def test_more_bytes_than_sqlite_counts(held, monkeypatch):
    """A file may say of each object what it likes."""
    monkeypatch.setattr(module, "HELD", held)
    found = Sums()
    for key in "abab":
        found.add((key, ""), Row("b", key, size=str(2**63 - 1)))
    assert [size for _, _, size, _ in found.largest_first()] == [2**64 - 2] * 2


@pytest.mark.parametrize("key, depth, prefix", [
    ("a/b/c", 0, ""), ("a/b/c", 1, "a/"), ("a/b/c", 2, "a/b/"), ("a/b/c", 3, "a/b/"),
    ("a", 1, ""), ("a/", 1, "a/"), ("//x", 1, "/"), ("//x", 2, "//"), ("//x", 9, "//")])
def test_prefixes(key, depth, prefix):
    """Are the folders that a key lies in, as many as there are."""
    assert prefix_of(depth)(Row("b", key)) == ("b", prefix)


def test_kinds():
    """A delete marker has no class, and no size that is missing."""
    rows = [Row("b", "k", size="1", state="verified", proof="sha256"),
            Row("b", "k", is_delete_marker="true"), Row("b", "l", storage_class="GLACIER")]
    assert list(map(kind_of, rows)) == [("b", "verified", "", "sha256"), ("b", "", "MARKER", ""),
                                        ("b", "", "GLACIER", "")]
    text = "".join(lines([rows], None, False)).splitlines()
    assert text[0].split() == ["rows", "bytes", "bucket", "state", "storage_class", "proof"]
    assert [line.split() for line in text[1:]] == [
        ["1", "0", "b", "-", "GLACIER", "-", "(1", "of", "unknown", "size)"],
        ["1", "0", "b", "-", "MARKER", "-"],
        ["1", "1", "b", "verified", "-", "sha256"],
        ["3", "1", "total", "(1", "of", "unknown", "size)"]]


def test_forms():
    """Nothing of a name acts on a terminal; JSON has all of it."""
    sums = [(("b", "a\x1b/"), 1000, 2048, 0)]
    assert list(table(sums, PREFIX))[1].split() == ["1,000", "2,048", "s3://b/a\\x1b/"]
    (line,) = json_lines(sums, PREFIX)
    assert json.loads(line) == {"bucket": "b", "prefix": "a\x1b/", "rows": 1000, "bytes": 2048,
                                "rows_of_unknown_size": 0}
    assert list(lines([], 1, True)) == []
