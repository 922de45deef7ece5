"""What the elements of S3's listings mean."""

import pytest
from lxml import etree

from s3kit.manifest import entries
from s3kit.manifest.row import Row


@pytest.mark.parametrize("said, expected", [
    ("2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00Z"), ("", ""), ("soon", "soon"),
    ("2026-01-31T12:00:00.120Z", "2026-01-31T12:00:00.120Z"),
    ("Fri, 21 Dec 2012 00:00:00 GMT", "2012-12-21T00:00:00Z")])
def test_times(said, expected):
    assert entries.in_iso(said) == expected


@pytest.mark.parametrize("said, expected", [
    (("true", ""), "ongoing"), (("false", ""), ""), (("", ""), ""),
    (("false", "2026-01-31T00:00:00.000Z"), "ready until 2026-01-31T00:00:00Z")])
def test_restores(said, expected):
    assert entries.restore_in(said) == expected


@pytest.mark.parametrize("space", ["", " xmlns='http://s3.amazonaws.com/doc/2006-03-01/'"])
@pytest.mark.parametrize("key", ["k", "a&#9;tab"])
def test_one_entry_in_both_ways(space, key):
    """A tab in a value is read element by element, and says the same."""
    root = etree.fromstring(
        f"<L{space}><Version><Key>{key}</Key><ETag>\"e\"</ETag><IsLatest> TRUE</IsLatest>"
        "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA1</ChecksumAlgorithm>"
        "<Size>1</Size></Version></L>")
    columns = entries.columns_of(root, 1)
    assert entries.rows_of("b", columns, str.upper, True) == [
        Row("b", key.replace("&#9;", "\t").upper(), is_latest="true", is_delete_marker="false",
            size="1", etag="e", checksum_algorithm="CRC32 SHA1", state="listed")]
