"""Sorting on disk: as sorted() has it, whatever the number of parts."""

import errno
import random
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.filter import strategies

from s3kit.errors import Cut, Fault
from s3kit.manifest import sorter as module
from s3kit.manifest.row import Row
from s3kit.manifest.sorter import OBJECT, VERSION, Sort, Sorter


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Let few rows be many."""
    monkeypatch.setattr(module, "LIMIT", 2500)
    monkeypatch.setattr(module, "FAN", 2)
    monkeypatch.setattr(module, "CHUNK", 2)


def utf8(row):
    """Return a row's name in S3's order."""
    return row.bucket.encode(), row.key.encode(), row.version_id.encode()


@given(strategies.batches(st.one_of(strategies.rows, strategies.nonsense), 40))
@settings(max_examples=100)
def test_as_sorted_has_it(batches):
    """By UTF-8 bytes, rows of one key as they came, and the same again when asked again."""
    found = Sorter(VERSION).add_all(batches)
    expected = sorted(strategies.flat(batches), key=utf8)
    assert list(map(repr, found)) == list(map(repr, expected)) == list(map(repr, found))


def test_what_is_in_order_is_one_run():
    """And what is not is merged, so that few files are open."""
    rows = [Row("b", f"{number:04}") for number in range(200)]
    found = Sorter(OBJECT).add_all([[row] for row in rows])
    assert len(found.runs) == 1 and [row.key for row in found] == [row.key for row in rows]
    random.Random(1).shuffle(rows)
    found = Sorter(OBJECT).add_all([[row] for row in rows])
    assert 1 < len(found.runs) < 10
    assert [row.key for row in found] == sorted(row.key for row in rows)


def test_large_rows_are_few_in_memory():
    """What is held is measured in bytes."""
    found = Sorter(OBJECT)
    for number in range(3):
        found.add([Row("b", str(number), error="x" * 3000, extra={"x": "y" * 3000})])
        assert not found.rows
    assert [row.extra["x"][:1] for row in found] == ["y"] * 3


def test_a_cut_comes_after_what_came():
    """In order."""
    def batches():
        yield [Row("b", "2"), Row("b", "1")]
        raise Cut("cut")
    found = Sort(OBJECT)(batches())
    assert [row.key for row in next(found)] == ["1", "2"]
    with pytest.raises(Cut):
        next(found)


@pytest.mark.parametrize("broken, words", [
    ("write", "cannot keep rows in '.*': No space left on device .TMPDIR names another"),
    ("open", "cannot keep rows on disk: No usable temporary directory .TMPDIR names another")])
def test_no_room(monkeypatch, broken, words):
    """The fault says where."""
    def fail(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    def nowhere():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory")
    if broken == "write":
        monkeypatch.setattr(module.Run, "write", fail)
    else:
        monkeypatch.setattr(tempfile, "gettempdir", nowhere)
        monkeypatch.setattr(tempfile, "TemporaryFile", nowhere)
    with pytest.raises(Fault, match=words):
        Sorter(OBJECT).add([Row("b", str(number)) for number in range(3)])
