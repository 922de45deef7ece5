"""Rows in the order of their keys and ages, however a server sends them."""

from types import SimpleNamespace

import pytest

from s3kit.errors import Fault
from s3kit.listing.sources import bucket_lines, current, decidable, versions_in_order
from s3kit.manifest.row import Row
from s3kit.manifest.versions import as_of
from s3kit.units import parse_time


def test_versions_are_put_in_the_order_of_their_times():
    """A server that sends versions and markers apart: as texts `12:00:00.500Z` would be the older.
    """
    rows = [Row("b", "a", "1", last_modified="2026-01-01T12:00:00Z"),
            Row("b", "z", "9", last_modified="2026-01-01T12:00:00Z"),
            Row("b", "a", "2", last_modified="2026-01-01T12:00:00.500Z")]
    (ordered,) = versions_in_order([SimpleNamespace(rows=rows)])
    assert [(row.key, row.version_id) for row in ordered] == [("a", "2"), ("a", "1"), ("z", "9")]


def version(key, name, when, **more):
    """Return a Row of a version."""
    return Row("b", key, name, last_modified=when, **more)


MOMENTS = [f"2026-01-01T12:00:00.{fraction}Z" for fraction in ("122", "123", "123456", "124")]


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("size", [1, 2, 9])
def test_the_very_moment(at, order, size):
    """A version is there from its own moment on, to the microsecond, whichever way a server lists
    and wherever a page ends.
    """
    rows = [version(key, when, when) for key in "ab" for when in MOMENTS[::order]]
    rows.append(version("c", MOMENTS[0], MOMENTS[0], is_delete_marker="true"))
    pages = [rows[start:start + size] for start in range(0, len(rows), size)]
    found = [row for chosen in as_of(pages, parse_time(MOMENTS[at])) for row in chosen]
    assert [(row.key, row.version_id) for row in found] == [("a", MOMENTS[at]), ("b", MOMENTS[at])]


def test_rows_that_do_not_say_enough():
    """Are not passed over: nobody could tell from the manifest that they are missing."""
    with pytest.raises(Fault, match="does not say when s3://b/k.versionId=1 is from"):
        list(as_of([[version("k", "1", "")]], parse_time(MOMENTS[0])))
    with pytest.raises(Fault, match="does not say which versions are the latest"):
        list(current([[version("k", "1", MOMENTS[0])]]))


@pytest.mark.parametrize("name, cells, text", [
    ("newer", {"last_modified": ""}, "when .* is from: --newer"),
    ("older", {"last_modified": "yesterday"}, "when .* is from: --newer"),
    ("min_size", {"size": ""}, "how large .* is: --min-size"),
    ("max_size", {"size": "1.5"}, "how large .* is: --min-size")])
def test_rows_that_do_not_say_what_decides(name, cells, text):
    """Are not left out: the listing ends there, by name."""
    nothing = {"newer": None, "older": None, "min_size": None, "max_size": None}
    good = {"last_modified": MOMENTS[0], "size": "1"}
    pages = [[Row("b", "j", **good)], [Row("b", "k", **good | cells)]]
    assert list(decidable(pages, SimpleNamespace(**nothing))) == pages
    with pytest.raises(Fault, match=text.replace(".*", "s3://b/k")):
        list(decidable(pages, SimpleNamespace(**nothing | {name: 1})))
    marker = [[Row("b", "k", **good | {"size": ""}, is_delete_marker="true")]]
    assert list(decidable(marker, SimpleNamespace(**nothing | {"min_size": 1}))) == marker


def test_a_file_of_buckets_from_another_editor(tmp_path):
    """Byte order mark, CR LF, comments, blanks; only line ends end a line."""
    (tmp_path / "names").write_bytes("\ufeffaaa\r\n# x\r\n s3://b/p\u2028q # y\n\n".encode())
    assert bucket_lines(tmp_path / "names") == ["aaa", "s3://b/p\u2028q"]
