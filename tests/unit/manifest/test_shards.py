"""The mark of a shard."""

import os

import pytest

from s3kit.errors import Fault
from s3kit.manifest import csv_form, xml_form
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
    writer = form.Writer(shard)
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
