"""What rclone lsf writes."""

from pathlib import Path

import pytest
from foreignruns import read

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.rclone_lsf import reader
from s3kit.manifest.row import LISTED, Row

GOLDEN = Path(__file__).resolve().parents[3] / "support" / "golden"
COLUMNS = ["key", "size", "hash", "ModTime", "tier"]


def lsf(text, *columns, form="rclone-lsf"):
    """Return the rows of lines of rclone lsf."""
    rows, stop = read(reader(form, "b", columns or None), text.encode())
    assert stop is None
    return rows


@pytest.mark.parametrize("step", [1, None])
def test_what_rclone_wrote(step):
    """A key with the separator in it is not guessed, nor is a directory; a time without a zone is
    no time of S3's.
    """
    made = reader("rclone-lsf", "b", COLUMNS)
    rows, stop = read(made, (GOLDEN / "rclone-lsf.txt").read_bytes(), step)
    good = [row for row in rows if not row.verbatim]
    assert (stop, made.count, made.extras) == (None, 19, ["ModTime"])
    assert [row.key for row in good] == [" lead", "#c", "007", "=1+1", "a%20b", 'c,d "q"', "cr\r",
                                         "empty", "plain", "t\tb", "x\u240ay", "x\ny", "é", "d/e/f"]
    assert good[8] == Row("b", "plain", size="3", state=LISTED,
                          digest="md5:900150983cd24fb0d6963f7d28e17f72",
                          extra={"ModTime": "2026-11-29 03:06:55"})
    assert [row.error.partition(" (")[0] for row in rows if row.verbatim] == [
        "line 6: 6 columns, not 5",
        "line 9: a directory, or a key that ends in '/': rclone lsf does not say which",
        "line 16: a directory, or a key that ends in '/': rclone lsf does not say which",
        "line 17: rclone writes other keys in the same way: which it is nobody can tell",
        "line 18: a directory, or a key that ends in '/': rclone lsf does not say which"]
    assert all(row.state == "failed" for row in rows if row.verbatim)


@pytest.mark.parametrize("step", [1, None])
def test_what_rclone_wrote_as_csv(step):
    """Quoted cells; a time with a zone is taken where it is said to be S3's."""
    made = reader("rclone-lsf-csv", "b", ["sha1", "last_modified", "size", "key"])
    rows, stop = read(made, (GOLDEN / "rclone-lsf.csv").read_bytes(), step)
    assert (stop, len(rows), len([row for row in rows if row.verbatim])) == (None, 16, 1)
    assert {"a;b", 'c,d "q"', " lead", "x\ny"} < {row.key for row in rows}
    assert rows[9] == Row("b", "plain", size="3", last_modified="2026-11-29T04:06:55+01:00",
                          digest="sha1:a9993e364706816aba3e25717850c26c9cd0d89d", state=LISTED,
                          extra={"ModTime": ""})


def test_paths_alone():
    """rclone's default: all of a line is the path."""
    assert [row.key for row in lsf("a;b\nc\r\n\nd/e,f\n")] == ["a;b", "c", "d/e,f"]
    assert [row.key for row in lsf("a;b\n\"c,d\"\n", form="rclone-lsf-csv")] == ["a;b", "c,d"]


@pytest.mark.parametrize("time, taken", [
    ("2026-11-29T03:06:55Z", True), ("2026-11-29T03:06:55.123456789+02:00", True),
    ("2026-11-29 03:06:55", False), ("2026-11-29T03:06:55", False), ("1795923477", False),
    ("2026-13-29T03:06:55Z", False), ("", False)])
def test_times(time, taken):
    """Only one with a zone can be compared with another; what else it is, is carried along."""
    row = lsf(f"k;{time}\n", "key", "last_modified")[0]
    assert (row.last_modified, row.extra) == (
        (time, {"ModTime": ""}) if taken else ("", {"ModTime": time}))


@pytest.mark.parametrize("kind, text, digest", [
    ("hash", "A" * 32, "md5:" + "a" * 32), ("md5", "", ""), ("hash", "ERROR", ""),
    ("hash", "UNSUPPORTED", ""), ("sha256", "b" * 64, "sha256:" + "b" * 64),
    ("xxh128", "c" * 32, "xxh128:" + "c" * 32)])
def test_hashes(kind, text, digest):
    row = lsf(f"{text};k\n", kind, "key")[0]
    assert (row.digest, row.state) == (digest, LISTED)


@pytest.mark.parametrize("kind, text, why", [
    ("hash", "a" * 40, "a hash of 40 digits may be of several kinds"),
    ("hash", "zz", "of 2 digits"), ("hash", "z" * 32, "hexadecimal"),
    ("sha1", "a" * 32, "not a digest of sha1")])
def test_hashes_that_are_not_guessed(kind, text, why):
    """Others than MD5 have as many digits as other kinds of other stores."""
    row = lsf(f"{text};k\n", kind, "key")[0]
    assert row.state == "failed" and row.error.startswith("line 1: ") and why in row.error


@pytest.mark.parametrize("line, why", [
    ("k", "1 columns, not 2"), ("k;1;2", "3 columns, not 2"), ("k;x", "not a number"),
    ("k;-1", "does not know the size"), (";1", "no key"), ("\uff0e\uff0e/k;1", "in the same way")])
def test_lines_that_make_no_sense(line, why):
    row = lsf(f"good;1\n{line}\n", "key", "size")[1]
    assert row.state == "failed" and row.error.startswith("line 2: ") and why in row.error


def test_other_columns():
    """They go along under their names, but for those to be left out."""
    row = lsf("k;text/plain;x;y\n", "key", "mime", "Ignore", "ignore")[0]
    assert row.extra == {"mime": "text/plain"}


@pytest.mark.parametrize("columns, why", [
    (["size"], "must be 'key'"), (["key", "path"], "no column 'path'"),
    (["key", "md5", "sha1"], "mean the same"), (["key", "size", "Size"], "mean the same"),
    (["key", "VersionId"], "no column 'version_id'"), (["key", "e", "e"], "mean the same")])
def test_columns_that_cannot_be(columns, why):
    for form in ("rclone-lsf", "rclone-lsf-csv"):
        with pytest.raises(Fault, match=why):
            reader(form, "b", columns)


@pytest.mark.parametrize("form", ["rclone-lsf", "rclone-lsf-csv"])
def test_a_cut_list(form):
    """A key or a size that was cut is another one."""
    rows, stop = read(reader(form, "b", None), b"abc\ndef")
    assert [row.key for row in rows] == ["abc"] and isinstance(stop, Cut)
