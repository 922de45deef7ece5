"""The rows of what lies in a directory."""

import os

import pytest

from s3kit.errors import Fault
from s3kit.manifest.local_tree import tree_rows


@pytest.fixture
def top(tmp_path):
    """Return a directory with files two levels down, and what is no file."""
    for name in ("b/a/x", "b/a%vV1", "b/z", "loose"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "b" / "link").symlink_to("z")
    os.mkfifo(tmp_path / "b" / "fifo")
    (tmp_path / ".s3kit").mkdir()
    (tmp_path / ".s3kit" / "ledger").write_text("")
    return tmp_path


def found(top, *given, **options):
    """Return [(bucket, key, version, path)] of all rows."""
    return [(row.bucket, row.key, row.version_id, row.path)
            for rows in tree_rows(str(top), *given, **options) for row in rows]


def test_any_tree(top):
    """The key is the path; links, FIFOs and our own folder are not there."""
    assert found(top, "mine") == [("mine", name, "", name)
                                  for name in ("loose", "b/a%vV1", "b/z", "b/a/x")]


def test_a_destination(top):
    """By its look, or because the caller says so: names are what the paths stand for."""
    expected = [("mine", "loose", "", "loose"), ("b", "a", "V1", "b/a%vV1"), ("b", "z", "", "b/z"),
                ("b", "a/x", "", "b/a/x")]
    assert found(top, "mine", ours=True) == expected
    (top / ".s3kit" / "parts").mkdir()
    assert found(top, "mine") == expected


def test_what_is_not_there(tmp_path):
    """Does not look empty."""
    with pytest.raises(Fault, match="cannot read '.*gone/': No such file"):
        found(tmp_path / "gone", "")
