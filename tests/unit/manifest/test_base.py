"""The face that whoever reads or writes a manifest relies on, of every form."""

import pytest

from s3kit.manifest import base, csv_form, foreign, streams, xml_form

STREAMS = [name for name in foreign.READ if not foreign.needs_path(name)]
WRITTEN = ["csv", "bare", "xml", *foreign.WRITTEN]


@pytest.mark.parametrize("name", STREAMS)
def test_readers(name):
    """What was not read yet has no end mark, no shard and nothing untold."""
    reader = foreign.reader(name, "b", None)
    assert isinstance(reader, base.Reader) and reader.form == name
    assert not (reader.marked or reader.ended or reader.stop or reader.comments or reader.count)
    assert not list(reader.miscounts) and set(reader.shards) <= {""} and reader.is_sorted


def test_readers_of_ours():
    """CSV owes an end mark when its first line has said so, XML always."""
    for reader, marked in ((csv_form.Reader(), False), (xml_form.Reader(), True)):
        assert isinstance(reader, base.Reader) and (reader.marked, reader.ended) == (marked, False)


@pytest.mark.parametrize("name", WRITTEN)
def test_writers(name):
    """What says by itself that it is whole has an end, and only that has a head or an end mark;
    a BagIt manifest comes at once.
    """
    writer = streams.writer_of(name)
    assert isinstance(writer, base.Writer) and writer.shard == ""
    head, end = writer.begin(["x"]), b"" if name == "bagit" else writer.end(0)
    assert bool(end) == writer.is_marked and bool(head) == (writer.is_marked or name == "bare")
