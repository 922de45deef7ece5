"""What rclone check --combined writes."""

from pathlib import Path

import pytest
from foreignruns import read

from s3kit.errors import Cut
from s3kit.manifest.foreign.rclone_check import reader
from s3kit.manifest.row import FAILED, LISTED, Row

DATA = (Path(__file__).resolve().parents[3] / "support" / "golden" /
        "rclone-check.txt").read_bytes()


@pytest.mark.parametrize("step", [1, None])
def test_what_rclone_wrote(step):
    """Equal is not proven, for it may be of equal size; all else has failed, in rclone's words."""
    rows, stop = read(reader("rclone-check", "b", None), DATA, step)
    assert (stop, len(rows), {row.proof for row in rows}) == (None, 17, {""})
    assert [row for row in rows if row.state == LISTED] == [
        Row("b", "x\ny", state=LISTED, path="x\ny"), Row("b", "d/e/f", state=LISTED, path="d/e/f")]
    said = {row.key: row.error for row in rows if row.state == FAILED}
    assert said["plain"] == "rclone check: the two sides differ"
    assert said["only"] == "rclone check: only in the destination"
    assert said[" lead"] == said["a;b"] == said["\u00e9"] == "rclone check: only in the source"
    assert [row.key for row in rows if row.verbatim] == ["\uff0e\uff0e/up"]


def test_errors_and_places():
    """A file that may lie elsewhere has no path."""
    rows, _ = read(reader("rclone-check", "b", None), b"! k\r\n\n= /a\n= a/../b\n")
    assert [(row.key, row.path, row.state) for row in rows] == [
        ("k", "k", FAILED), ("/a", "", LISTED), ("a/../b", "", LISTED)]
    assert rows[0].error == "rclone check: it could not be read or compared"


@pytest.mark.parametrize("line", ["k", "=k", "= ", "~ k", "= d/", "2026/11/29 ERROR : k"])
def test_lines_that_make_no_sense(line):
    row = read(reader("rclone-check", "b", None), f"= good\n{line}\n".encode())[0][1]
    assert row.state == FAILED and row.error.startswith("line 2: not a sign of rclone check")


def test_a_cut_list():
    assert isinstance(read(reader("rclone-check", "b", None), b"= ab\n= a")[1], Cut)
