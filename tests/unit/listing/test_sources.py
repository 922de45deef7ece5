"""Rows in the order of their keys and ages, however a server sends them."""

from types import SimpleNamespace

from s3kit.listing.sources import bucket_lines, versions_in_order
from s3kit.manifest.row import Row


def test_versions_are_put_in_the_order_of_their_times():
    """A server that sends versions and markers apart: as texts `12:00:00.500Z` would be the older.
    """
    rows = [Row("b", "a", "1", last_modified="2026-01-01T12:00:00Z"),
            Row("b", "z", "9", last_modified="2026-01-01T12:00:00Z"),
            Row("b", "a", "2", last_modified="2026-01-01T12:00:00.500Z")]
    (ordered,) = versions_in_order([SimpleNamespace(rows=rows)])
    assert [(row.key, row.version_id) for row in ordered] == [("a", "2"), ("a", "1"), ("z", "9")]


def test_a_file_of_buckets_from_another_editor(tmp_path):
    """Byte order mark, CR LF, comments, blanks; only line ends end a line."""
    (tmp_path / "names").write_bytes("\ufeffaaa\r\n# x\r\n s3://b/p\u2028q # y\n\n".encode())
    assert bucket_lines(tmp_path / "names") == ["aaa", "s3://b/p\u2028q"]
