"""The undo file: a manifest that grows, run after run."""

import os

import pytest

from s3kit.errors import Fault
from s3kit.manifest.row import Row
from s3kit.prune.undo import Undo


def test_runs_add_to_it(tmp_path):
    path = tmp_path / "undo.csv"
    for key in ("one", "two"):
        undo = Undo(path)
        undo.write([Row("b", key)])
        undo.close()
    lines = path.read_text().splitlines()
    assert (lines[0].startswith("bucket,key,")
            and [line.split(",")[1] for line in lines[1:]] == ["one", "two"])
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_says_where_a_copy_is(tmp_path):
    """And of what type the object was. A file of an older version has no column for it, and gets
    none in its middle.
    """
    path = tmp_path / "undo.csv"
    stored = Row("b", "k", extra={"stored_at": "s3://far/k", "content_type": "text/plain",
                                  "mine": "x"})
    for _ in range(2):
        undo = Undo(path)
        undo.write([stored, Row("b", "j")])
        undo.close()
    lines = path.read_text().splitlines()
    assert ",error,stored_at,content_type," in lines[0]
    assert [",s3://far/k,text/plain," in line for line in lines[1:]] == [True, False] * 2
    assert len({line.count(",") for line in lines}) == 1
    for head, end in ((",stored_at", ",s3://far/k"), ("", "")):
        path.write_text(lines[0].partition(",stored_at")[0] + head + "\n")
        undo = Undo(path)
        undo.write([stored])
        undo.close()
        lines = path.read_text().splitlines()
        assert len({line.count(",") for line in lines}) == 1 and lines[1].endswith("," + end)


def test_what_is_not_a_file(tmp_path):
    """A directory, or a pipe that nobody could undo from."""
    with pytest.raises(Fault):
        Undo(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(Fault, match="is not a file"):
        Undo(tmp_path / "pipe")
    os.close(reader)
