"""Rows whose keys stand as they are."""

import pytest

from s3kit.manifest.foreign.plain import nonsense, plain_row
from s3kit.manifest.row import Row, values


def test_a_row():
    """A percent sign is nothing but that; the state is `listed` unless another is given."""
    assert plain_row({"bucket": "b", "key": "100%41"}, "line 1") == Row("b", "100%41",
                                                                        state="listed")
    assert plain_row({"bucket": "b", "key": "k", "state": ""}, "line 1") == Row("b", "k")


@pytest.mark.parametrize("columns, why", [
    ({"key": "k"}, "no bucket"), ({"bucket": "b"}, "no key"),
    ({"bucket": "b", "key": "k", "size": "5.0"}, "size '5.0'"),
    ({"bucket": "b", "key": "k\udcff"}, "the key is not Unicode"),
    ({"bucket": "b", "key": "k", "etag": "\ud800"}, "the column 'etag' is not Unicode")])
def test_nonsense_is_a_failed_row(columns, why):
    """Its columns are written as they came, the key as a manifest has keys."""
    row = plain_row(dict(columns, path="%"), "line 7")
    assert row.state == "failed" and row.error.startswith("line 7: ") and why in row.error
    assert values(row)[1] == columns.get("key", "") and row.verbatim["path"] == "%25"


def test_text_that_is_nothing():
    assert values(nonsense("x" * 2000, "line 2", "what"))[1] == "x" * 1024
