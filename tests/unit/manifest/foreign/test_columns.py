"""Whole columns turned to rows, and the same one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.errors import Fault
from s3kit.manifest.foreign.columns import NAMES, Table, decoded, is_clean, meaning, other_name
from s3kit.manifest.row import FAILED, fault_of

CELLS = {"Bucket": ["b", "src", "", "a/b"], "Key": ["k", "é", "", "k" * 1025, "é" * 513, "\udcff"],
         "Size": ["", "1", "9" * 18, "9" * 20, "-1", "²"], "IsLatest": ["", "true", "TRUE", "x"],
         "Owner": ["", "o", "\udcff"]}


def test_names():
    """However the formats spell them; what is none of them keeps its own."""
    assert [meaning(name) for name in ("Key", "e_tag", "ETag", "LastModifiedDate", "is_latest",
                                       "Last Modified", "State", "keys")] == [
        "key", "etag", "etag", "last_modified", "is_latest", "last_modified", "", ""]
    assert other_name("ObjectOwner") == "ObjectOwner"
    assert other_name("Checksum") == "InventoryChecksum"
    assert set(NAMES.values()) < {*NAMES.values(), "state"}


def test_decoded():
    """Once, blanks too; what makes no sense is not guessed at."""
    assert decoded("a+b%2Bc%2520d%0A%E6%97%A5") == "a b+c%20d\n日"
    for text in ("%", "a%2", "%zz", "%FF", "%ED%A0%80"):
        with pytest.raises(ValueError):
            decoded(text)


@given(st.lists(st.tuples(*map(st.sampled_from, CELLS.values())), min_size=1, max_size=6))
def test_whole_columns_are_judged_as_each_row(records):
    """What passes at once has no row that would have failed."""
    table = Table(CELLS)
    columns = list(zip(*records))
    rows = table.rows(columns, lambda at: f"line {at}")
    for at, (row, record) in enumerate(zip(rows, records)):
        wrong = row.verbatim is not None
        assert wrong == (row.state == FAILED) == (row.error[:7] == f"line {at}:"[:7])
        assert wrong or not fault_of(row) and "\udcff" not in "".join(record)
        if wrong:
            assert row.verbatim["key"] == record[1]
    cells = {name: [getattr(row, name) for row in rows]
             for name in ("bucket", "key", "size", "is_latest")}
    if is_clean(cells, columns):
        assert not any(row.verbatim for row in rows)


def test_a_bucket_for_rows_without():
    """--bucket, or the manifest's source."""
    table = Table(["Key"], "b")
    assert [row.bucket for row in table.rows([["k"]], str)] == ["b"]
    table = Table(["Bucket", "Key"], "b")
    assert [row.bucket for row in table.rows([["", "x"], ["k", "k"]], str)] == ["b", "x"]


@pytest.mark.parametrize("names, why", [(["Bucket"], "no column Key"), ([], "no column Key"),
                                        (["Key", "key"], "the same name"),
                                        (["Key", "A", "A"], "the same name")])
def test_schemas_that_make_no_sense(names, why):
    """They are not guessed at."""
    with pytest.raises(Fault, match=why):
        Table(names)
