"""What s5cmd lists."""

import pytest
from foreignruns import LISTINGS, listing, read
from odd_keys import KEYS

from s3kit.errors import Cut
from s3kit.manifest.foreign.s5cmd_ls import Reader
from s3kit.manifest.row import Row


@pytest.mark.parametrize("step", [1, 999, None])
def test_a_real_listing(step):
    """Keys are text, not URLs; an empty object has size 0."""
    rows, stop = listing(Reader(), "s5cmd.json", step)
    assert stop is None and not [row for row in rows if row.verbatim]
    keys = [row.key for row in rows]
    assert keys == sorted(keys, key=str.encode) and {row.bucket for row in rows} == {"printable"}
    assert {"a%20b", "100%", "a+b", "#s3kit manifest 1", "//two", "trail/"} <= {*keys} & {*KEYS}
    assert {row.size for row in rows if row.key.endswith("/")} == {"0"}
    assert next(row for row in rows if row.key == "cold") == Row(
        "printable", "cold", size="3", last_modified="2026-11-29T02:07:12Z",
        etag="7bdff76536f12a7c5ffde207e72cfe3a", storage_class="GLACIER", state="listed")


def test_all_versions():
    """What has neither size nor ETag nor class is a delete marker, and not an empty object."""
    rows, stop = listing(Reader(), "s5cmd-versions.json")
    markers = [row for row in rows if row.is_delete_marker]
    assert stop is None and [(row.key, row.size, row.is_marker) for row in markers] == [
        ("plain", "", True)]
    assert len([row for row in rows if row.key == "plain"]) == 3
    row = read(Reader(), b'{"key":"s3://b/k","etag":"e","size":1,"version_id":"v"}')[0][0]
    assert row.version_id == "v"


def test_directories_are_not_objects():
    rows, stop = listing(Reader(), "s5cmd-directory.json")
    assert stop is None and [row.verbatim["key"] for row in rows if row.verbatim] == [
        "../", "/", "p/", "trail/", "x/"]
    assert "line 1: a directory" in rows[0].error


def test_an_error_among_the_lines():
    """All rows come, but not as a whole."""
    error, lines = ((LISTINGS / name).read_bytes() for name in ("s5cmd-error.json", "s5cmd.json"))
    rows, stop = read(Reader(), lines[:lines.index(b"\n") + 1] + error + lines)
    assert len(rows) == len(lines.splitlines()) + 1 and isinstance(stop, Cut)
    assert str(stop).startswith("line 2: s5cmd says: NoSuchBucket: ")


def test_nonsense_is_named():
    """Buckets, local files."""
    rows, _ = read(Reader(), b'{"created_at":"2026","name":"b"}\n{"key":"/tmp/x","size":1}\n'
                   b'{"key":"s3://b","etag":"e"}\n')
    assert [row.error.partition(":")[0] for row in rows] == ["line 1", "line 2", "line 3"]
