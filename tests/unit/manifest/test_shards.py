"""The mark of a shard."""

import os

import pytest

from s3kit.errors import Fault
from s3kit.manifest import csv_form, foreign, xml_form
from s3kit.manifest.row import Row
from s3kit.manifest.shards import mark_of, missing_shards, parse_shard
from s3kit.manifest.streams import Input


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "01/4", "1/4/4", "1/1000000", "a/b",
                                  " 1/4", "1/4\n", "\u0661/4"])
def test_what_is_not_a_shard(text):
    with pytest.raises(ValueError, match="is not a shard"):
        parse_shard(text)


def test_marks():
    assert parse_shard("16/16") == (16, 16) and mark_of("2/4") == "2/4" and mark_of("") == ""
    with pytest.raises(Fault, match="'5/4' is not a shard"):
        mark_of("5/4")


@pytest.mark.parametrize("marks, missing", [
    ([], []), (["", ""], []), (["1/1"], []), (["2/4", "", "4/4"], ["1/4", "3/4"]),
    (["2/2", "1/2", "1/2"], []), (["1/2", "1/3", "2/3"], ["2/2", "3/3"])])
def test_missing_shards(marks, missing):
    assert missing_shards(marks) == missing


@pytest.mark.parametrize("form", [csv_form, xml_form])
@pytest.mark.parametrize("shard", ["", "3/7"])
def test_the_head_has_the_mark(form, shard, tmp_path):
    """Both forms carry it, and a manifest without it is as before."""
    writer = form.Writer()
    writer.shard = shard
    (tmp_path / "m").write_bytes(writer.begin(["x"]) + writer.rows([Row("b", "k")]) + writer.end(1))
    fd = os.open(tmp_path / "m", os.O_RDONLY)
    source = Input(fd, "m")
    assert [row.key for rows in source.batches() for row in rows] == ["k"]
    os.close(fd)
    assert source.shards == [shard]


def read(text):
    """Return (rows, marks, fault) of a CSV text."""
    reader = csv_form.Reader()
    rows = reader.feed(text.encode()) + reader.close()
    return [row.key for row in rows], reader.shards, reader.stop


def test_manifests_one_after_another():
    """Each has its own mark, or none."""
    head = "#s3kit manifest 1\n"
    one, two = f"{head}#shard 1/2\nbucket,key\nb,k\n#end rows=1\n", f"{head}key\n#end rows=0\n"
    assert read(one + two) == (["k"], ["1/2", ""], None)


def test_a_bare_input_is_what_somebody_made_of_the_shard():
    """Its mark says nothing any more; it is not a row either."""
    assert read("#shard 1/2\nbucket,key\nb,k\n#end rows=1\n") == (["k"], [], None)
    assert read("b,k\n#shard 1/2\nb,l\n")[0] == ["k", "l"]


def test_a_key_may_look_like_a_mark():
    reader = csv_form.Reader("b", ["key"])
    rows = reader.feed(b"#shard 1/2\nk\n") + reader.close()
    assert [row.key for row in rows] == ["#shard 1/2", "k"]


def test_the_head_is_looked_at_no_further(tmp_path, monkeypatch):
    """Other tools' forms, which may name gigabytes to read, are not opened for it."""
    monkeypatch.setattr(foreign, "opened", lambda *_: pytest.fail("opened"))
    monkeypatch.setattr(foreign, "reader", lambda *_: pytest.fail("read"))
    for text, form, shard in (("#s3kit manifest 1\n#shard 1/2\nkey\n" + "x,\n" * 99, None, "1/2"),
                              ("key\nk\n", None, ""), ("k\n", "keys", "")):
        (tmp_path / "m").write_text(text)
        with open(tmp_path / "m", "rb", 0) as file:
            assert Input(file.fileno(), "m", form=form).shard_of_head() == shard


def test_shards_that_follow_one_another_are_told(tmp_path):
    """The head of what is written came before the second."""
    text = "".join(f"#s3kit manifest 1\n#shard {mark}\nbucket,key\n#end rows=0\n"
                   for mark in ("1/2", "2/2"))
    (tmp_path / "m").write_text(text)
    with open(tmp_path / "m", "rb", 0) as file:
        source = Input(file.fileno(), "m")
        assert list(source.batches()) == [] and source.shards == ["1/2", "2/2"]
    assert source.warnings == ["m: several shards follow one another, and what is written says "
                               "that of the first, '1/2' (s3-filter --merge takes them as files)"]
