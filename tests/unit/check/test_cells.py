"""Cells that make no sense, and cells that were hardly meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.check.cells import faults, misspelt, oddities
from s3kit.manifest.csv_form import Reader
from s3kit.manifest.row import COLUMNS, Row, from_values

CELL = st.text("ab%é #E+1.,\n\udc80", max_size=6) | st.sampled_from(("true", "listed", "5", "#N/A"))


def columns(row):
    """Return the columns with faults."""
    return [column for column, _ in faults(row)]


def row_of(text):
    """Return the row of a line of a bare manifest with a header of bucket, key, size, state."""
    row, = Reader().feed(f"bucket,key,size,state\n{text}\n".encode())
    return row


@pytest.mark.parametrize("text, found", [
    (",a,big,done", ["bucket", "size", "state"]), ("b,,1,", ["key"]),
    ("b,100%,-1,", ["key", "size"]),
    ("b,a,1,,9", [""]), ('b,"a"c,1,', [""]), ("b,%FF,1,listed", ["key"])])
def test_every_fault_of_a_row(text, found):
    """Not the first alone; where cells are no columns, the row itself."""
    assert columns(row_of(text)) == found


def test_what_was_expected():
    """And what is there instead."""
    assert list(faults(row_of("b,a,1.0,"))) == [
        ("size", "size '1.0' is not a number of bytes: without the decimal point it is 1 "
         "(expected: the number of bytes in digits)")]
    assert list(faults(row_of(",a,1,"))) == [
        ("bucket", "no bucket (give --bucket B for rows without one)")]


@settings(max_examples=100)
@given(st.lists(CELL, min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_rows_that_make_no_sense_have_faults(cells):
    """Whatever ended the row is among them."""
    row = from_values(list(cells), 7)
    if row.verbatim is not None:
        assert any(why.startswith(row.error.removeprefix("line 7: ")) for _, why in faults(row))
    else:
        list(oddities(row, True))


@pytest.mark.parametrize("options, is_bare, found", [
    ({"last_modified": "31.01.26"}, False, ["last_modified"]), ({"key": " a"}, False, []),
    ({"key": " a"}, True, ["key"]), ({"key": "#NAME?"}, True, ["key"]),
    ({"key": "1.2E+12"}, True, ["key"]), ({"path": "../x"}, False, ["path"]),
    ({"etag": "a b"}, False, ["etag"]), ({"checksum": "no!"}, False, ["checksum"]),
    ({"digest": "md5"}, False, ["digest"]),
    ({"last_modified": "2026-01-31T12:00:00Z", "etag": '"d41d-2', "checksum": "sUmeCqrLO7M=",
      "digest": "xxh3-128:0a", "path": "b/k", "version_id": "3sL4kqt.l_4-"}, True, []),
    ({"checksum": "sUmeCg==-12"}, False, [])])
def test_oddities(options, is_bare, found):
    """What commands would take; keys are looked at only where people write them."""
    row = Row(**{"bucket": "b", "key": "k"} | options)
    assert [column for column, _ in oddities(row, is_bare)] == found


@pytest.mark.parametrize("names, found", [
    (["bucket", "key", "verison_id"], ["version_id"]), (["bucket", "key", "Versions Id"],
                                                        ["version_id"]),
    (["key", "etags"], ["etag"]), (["key", "version_id", "verison_id"], []),
    (["key", "note", "album"], []), (["Key", "Version ID"], []),
    (["key", "stord_at"], ["stored_at"]), (["key", "ContentType", "Metadata"], [])])
def test_names_of_columns_that_are_nearly_ours(names, found):
    """A pin under another name is no pin."""
    assert [why.rpartition("was ")[2].removesuffix(" meant?") for why in misspelt(names)] == found
