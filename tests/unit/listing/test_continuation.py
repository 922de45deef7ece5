"""Where a listing goes on: after an entry of its page, whatever the server says."""

from types import SimpleNamespace
from urllib.parse import quote

import pytest

from s3kit.errors import Fault
from s3kit.listing.continuation import key_query, marker_query, query_after
from s3kit.manifest.row import Row
from s3kit.s3.xml import read_encoded


def page_of(*entries, prefixes=(), versions=True):
    """Return a page of (key, version id), a delete marker where a third value says so."""
    rows = [Row("b", key, version, is_delete_marker=str(bool(more)).lower(),
                last_modified=more[0] if more else "2024-01-01T00:00:00Z")
            for key, version, *more in entries]
    return SimpleNamespace(bucket="b", rows=rows, prefixes=list(prefixes), versions=versions,
                           key=read_encoded)


def told(key=None, version=None, truncated="true", **more):
    """Return what a server says beside the entries."""
    found = {"IsTruncated": truncated, "NextKeyMarker": key, "NextVersionIdMarker": version} | more
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("marker, version", [
    ("a%252Fz", "v"), ("a%2Fz", "v"), ("a%252Fz", "null"), ("a/z", "w"), (None, None),
    ("a%2Fz[minio_cache:v2,return:]", "v"), ("zzz", "v")])
def test_after_the_last_row(marker, version):
    """Its own key and version: a marker may be encoded or not, made up, or missing."""
    page = page_of(("a%2Fa", "u"), ("a%2Fz", "v"))
    assert query_after(page, told(marker, version)) == marker_query("a%2Fz", "v")


@pytest.mark.parametrize("prefixes, last", [(["a/", "c/"], "c/"), (["a/"], "b")])
def test_after_a_prefix(prefixes, last):
    """If it comes after the last row; it has no version."""
    page = page_of(("b", "v"), prefixes=prefixes)
    assert query_after(page, told("?", "w")) == marker_query(last, "v" if last == "b" else "")


def test_kinds_that_come_apart():
    """Delete markers after all versions: the page ends with whatever has the greatest key; of one
    key's the older, or the one that the server names.
    """
    page = page_of(("a", "1"), ("c", "2"), ("b", "3", "2025-01-01T00:00:00Z"))
    assert query_after(page, told()) == marker_query("c", "2")
    page = page_of(("a", "1"), ("c", "2"), ("c", "3", "2025-01-01T00:00:00Z"))
    assert query_after(page, told()) == marker_query("c", "2")
    assert query_after(page, told("c", "3")) == marker_query("c", "3")


def test_an_order_of_its_own():
    """A server may name another last entry than UTF-8's order has; never one that is not there."""
    page = page_of(("a", "1"), ("c", "2"), ("D", "3", "2025-01-01T00:00:00Z"))
    assert query_after(page, told("D", "3")) == marker_query("D", "3")
    assert query_after(page, told("E", "3")) == marker_query("c", "2")


def test_a_page_without_entries():
    """The server's word must do: of two readings that which leaves out less."""
    assert query_after(page_of(), told("a%2Fb", "v")) == marker_query("a%2Fb", "v")
    assert query_after(page_of(), told("a%7Eb", "v")) == marker_query("a%7Eb", "v")
    with pytest.raises(Fault, match="goes on, but not where"):
        query_after(page_of(), told())


def test_current_objects():
    """A token goes back as it came; without one, after the last key, in the words of both versions
    of the listing.
    """
    page = page_of(("a", ""), ("b c", ""), versions=False)
    token = told(NextContinuationToken=" a+b/= ")
    assert query_after(page, token) == f"continuation-token={quote(' a+b/= ', safe='')}"
    for without in (told(), told(NextMarker="b%20c"), told(NextMarker="else")):
        assert query_after(page, without) == key_query("b c") == "marker=b%20c&start-after=b%20c"


@pytest.mark.parametrize("said, goes_on", [("true", True), ("True", True), (" TRUE\n", True),
                                           ("false", False), (" False ", False), (None, False),
                                           ("", False)])
def test_what_ends_a_listing(said, goes_on):
    """Only false, or nothing."""
    assert bool(query_after(page_of(("a", "1")), told(truncated=said))) == goes_on


@pytest.mark.parametrize("said", ["1", "yes", "tru", "truefalse"])
def test_neither_true_nor_false(said):
    """Nobody knows then."""
    with pytest.raises(Fault, match="does not say whether it goes on"):
        query_after(page_of(("a", "1")), told(truncated=said))


@pytest.mark.parametrize("name", ["NextKeyMarker", "NextMarker", "NextContinuationToken"])
def test_a_page_that_only_says_where(name):
    """Without IsTruncated it goes on as well; beside false it does not."""
    page = page_of(("a", "1"), versions=name == "NextKeyMarker")
    assert query_after(page, {name: "a"})
    assert not query_after(page, {name: "a", "IsTruncated": "false"})
