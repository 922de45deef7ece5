"""The orders that people name."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.filter import strategies

from s3kit.filter.order import check_columns, columns_of, key_of
from s3kit.manifest.row import Row
from s3kit.units import known_ns, number

TEXTS = st.text(st.characters(codec="utf-8"), max_size=3)


def test_names():
    """As everywhere a column's name may be spelt; unknown columns keep theirs."""
    assert columns_of("-Size, VersionId,-owner") == [
        ("size", True), ("version_id", False), ("owner", True)]
    for text in ("", "size,,key", "-"):
        with pytest.raises(ValueError, match="names of columns"):
            columns_of(text)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
@settings(max_examples=100)
def test_text(pairs):
    """As UTF-8 bytes, also turned round."""
    rows = [Row("b", key, extra={"owner": owner}) for key, owner in pairs]
    found = sorted(rows, key=key_of(columns_of("-key,owner")))

    def compared(one, other):
        first, second = one.key.encode(), other.key.encode()
        if first != second:
            return 1 if first < second else -1
        first, second = one.extra["owner"].encode(), other.extra["owner"].encode()
        return (first > second) - (first < second)
    assert found == sorted(rows, key=functools.cmp_to_key(compared))
    plain = sorted(rows, key=key_of(columns_of("bucket,key")))
    assert plain == sorted(rows, key=lambda row: row.key.encode())


@given(strategies.batches(), st.booleans())
@settings(max_examples=100)
def test_numbers_and_times(batches, turned):
    """As what they are; unknown ones before all others, or behind them where turned."""
    rows = strategies.flat(batches)
    for column, read in (("size", number), ("last_modified", known_ns)):
        found = sorted(rows, key=key_of([(column, turned)]))
        values = [read(getattr(row, column)) for row in found]
        known = [value for value in values if value is not None]
        unknown = [None] * (len(values) - len(known))
        assert known == sorted(known, reverse=turned)
        assert values == (known + unknown if turned else unknown + known)


def test_optional_columns():
    """They are ours under any name, also where no row has them."""
    columns = columns_of("ContentType,-stored-at")
    assert columns == [("content_type", False), ("stored_at", True)]
    check_columns(columns, [])
    rows = [Row("b", "k", extra={"content_type": "text/plain"}), Row("b", "l")]
    assert [row.key for row in sorted(rows, key=key_of(columns))] == ["l", "k"]
