"""The manifests that a command reads and writes: files, stdin, stdout, and what they may not be."""

import io
import os
from types import SimpleNamespace

import pytest
from descriptors import open_descriptors
from hypothesis import given
from hypothesis import strategies as st

from s3kit.cli import streams
from s3kit.cli.standard import NotWritten
from s3kit.cli.streams import Shown, Sink, Source, closing, form_of_name
from s3kit.errors import Cut, Fault, Usage
from s3kit.manifest.row import Row
from s3kit.manifest.streams import Input

CSV = "#s3kit manifest 1\nbucket,key,extra\nb,k1,x\nb,k2,y\n#end rows=2\n"


def args(*files, **more):
    """Return parsed options with these files."""
    given = {"prog": "s3-fetch", "file": list(files), "bucket": None, "columns": None,
             "format": None, "output": None, "in_place": False}
    return SimpleNamespace(**given | more)


def read(path):
    """Return the rows of a manifest."""
    with open(path, "rb") as file:
        return [row for rows in Input(os.dup(file.fileno()), str(path)).batches() for row in rows]


@pytest.fixture
def stdin(monkeypatch, tmp_path):
    """Return a function that makes a text standard input."""
    before = os.dup(0)

    def become(text):
        path = tmp_path / "stdin"
        path.write_text(text)
        fd = os.open(path, os.O_RDONLY)
        os.dup2(fd, 0)
        os.close(fd)
    yield become
    os.dup2(before, 0)
    os.close(before)


# --- reading

HALF = CSV.replace("\n", "\n#shard 1/2\n", 1)
THIRD = HALF.replace("1/2", "1/3")
NDJSON = """{"s3kit_manifest":"1","shard":"1/2"}\n{"bucket":"b","key":"k"}\n{"end":{"rows":1}}\n"""


def mark_in(text):
    """Return the mark in the head of a manifest, or ''."""
    return next((mark for mark in ("1/2", "1/3") if mark in text), "")


@pytest.mark.parametrize("texts, mark", [
    ([HALF], "1/2"), ([CSV], ""), ([HALF, HALF], "1/2"), ([HALF, HALF.replace("1/2", "2/2")], ""),
    ([THIRD, THIRD.replace("1/3", "3/3")], "1/3"), ([HALF, THIRD], "1/2"), ([NDJSON, HALF], "1/2"),
    ([HALF, CSV], ""), ([CSV, HALF], ""), ([HALF, "no,manifest\n" * 99], ""), ([HALF, None], "")])
def test_the_mark_of_a_shard_is_that_of_all_inputs(tmp_path, texts, mark):
    """Where they are of all shards there is none; where of some, no part looks like the whole."""
    for at, text in enumerate(texts):
        if text is not None:
            (tmp_path / str(at)).write_text(text)
    source = Source(args(*(str(tmp_path / str(at)) for at in range(len(texts)))))
    assert source.shards() == [""] or not source.shards()
    next(source.batches())
    assert source.shard() == mark
    assert source.shards()[0] == mark_in(texts[0])


def test_a_pipe_is_not_touched_before_its_turn(tmp_path, stdin):
    """Of what comes through it nobody knows what it will be."""
    (tmp_path / "a").write_text(HALF)
    stdin(HALF)
    source = Source(args(str(tmp_path / "a"), "-"))
    assert next(source.batches()) and source.shard() == ""
    assert os.lseek(0, 0, os.SEEK_CUR) == 0


def test_several_files_are_one_stream(tmp_path, stdin, capsys):
    """In their order; `-` is stdin; unknown columns and the first form are known afterwards."""
    (tmp_path / "a.csv").write_text(CSV)
    stdin("key\nk3\n")
    source = Source(args(str(tmp_path / "a.csv"), "-", bucket="c"))
    assert (source.form, list(source.extras())) == ("csv", [])
    rows = [row for rows in source.batches() for row in rows]
    assert [(row.bucket, row.key) for row in rows] == [("b", "k1"), ("b", "k2"), ("c", "k3")]
    assert rows[0].extra == {"extra": "x"} and len(source.readers) == 2


def test_standard_input_if_none(stdin):
    stdin(CSV)
    assert len([row for rows in Source(args()).batches() for row in rows]) == 2


def test_the_form_is_the_first_input_s(tmp_path):
    output = Sink(args(output=str(tmp_path / "a.xml")), lambda: "csv")
    output.write([Row("b", "k")])
    output.close()
    (tmp_path / "b.csv").write_text(CSV)
    source = Source(args(str(tmp_path / "a.xml"), str(tmp_path / "b.csv")))
    assert len([row for rows in source.batches() for row in rows]) == 3 and source.form == "xml"


def test_an_empty_input_has_a_form_too(tmp_path):
    (tmp_path / "a.csv").write_text("#s3kit manifest 1\nbucket,key\n#end rows=0\n")
    source = Source(args(str(tmp_path / "a.csv")))
    assert [row for rows in source.batches() for row in rows] == [] and source.form == "csv"


@pytest.mark.parametrize("files, says", [
    (["--dry"], "unknown option '--dry' (a file of that name is './--dry')"),
    (["-", "a", "-"], "'-' can be read once")])
def test_files_that_cannot_be_meant(files, says):
    with pytest.raises(Usage) as told:
        Source(args(*files))
    assert str(told.value) == says


@pytest.mark.parametrize("command, behind", [
    ("s3-fetch", "s3-fetch -d DIR"), ("s3-filter", "s3-filter"),
    ("s3-put", "s3-fetch -d DIR | s3-put -d DIR --to s3://...")])
def test_an_address_in_place_of_a_manifest(command, behind):
    """Is a wrong use, and the line that does what is meant is said."""
    with pytest.raises(Usage) as told:
        Source(args("s3://b/a b", prog=command))
    assert str(told.value) == f"takes a manifest: s3-manifest 's3://b/a b' | {behind}"


@pytest.mark.parametrize("form", ["keys", "keys0"])
def test_a_list_of_keys_without_a_bucket(tmp_path, form):
    """Is a wrong use, not as many failed rows; s3-put has one of its own."""
    with pytest.raises(Usage, match="a list of keys names no bucket: --bucket B"):
        Source(args("l", from_form=form))
    assert Source(args("l", from_form=form, bucket="b")).told == form


def test_a_directory_in_place_of_a_manifest(tmp_path):
    """Is one that -d should name, where a command has that; some forms are folders."""
    with pytest.raises(Usage, match=rf"is a directory \(-d {tmp_path} says where files lie\)$"):
        Source(args(str(tmp_path)))
    with pytest.raises(Usage, match="is a directory$"):
        Source(args(str(tmp_path), prog="s3-restore"))
    assert Source(args(str(tmp_path), from_form="bagit")).files == [str(tmp_path)]


def test_a_file_may_be_read_twice_beside_stdin():
    assert Source(args("a", "a", "-")).files == ["a", "a", "-"]


def test_a_terminal_is_not_a_manifest(monkeypatch):
    """Nobody types one: what is missing is said."""
    monkeypatch.setattr(os, "isatty", lambda fd: True)
    with pytest.raises(Usage, match="a manifest is expected on stdin or as FILE, like: s3-manif"):
        Source(args())
    assert Source(args("a")).files == ["a"]
    given = args()
    given.takes_trees = True
    with pytest.raises(Usage, match="or a directory, .* like: s3-[a-z]+ --to s3://bucket/ DIR$"):
        Source(given)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(Fault) as told:
        list(Source(args(str(tmp_path / "none"))).batches())
    assert str(told.value) == f"cannot open '{tmp_path}/none': No such file or directory"


def test_an_input_that_was_cut(tmp_path):
    """Its rows come first, then Cut."""
    (tmp_path / "a.csv").write_text(CSV.removesuffix("#end rows=2\n"))
    rows = []
    with pytest.raises(Cut):
        for batch in Source(args(str(tmp_path / "a.csv"))).batches():
            rows += batch
    assert len(rows) == 2


def test_files_are_closed(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)
    before = open_descriptors()
    for _ in Source(args(*[str(tmp_path / "a.csv")] * 3)).batches():
        pass
    assert open_descriptors() == before


# --- writing


@pytest.mark.parametrize("path, form", [
    ("m.csv", "csv"), ("m.xml", "xml"), ("m.xml.gz", "xml"), ("m.csv.zst", "csv"),
    ("d.xml/m.csv.zstd", "csv"), ("m.gz", ""), ("m", ""), ("", ""), ("m.txt", ""), ("xml", "")])
def test_the_form_that_a_name_tells(path, form):
    assert form_of_name(path) == form


@pytest.mark.parametrize("chosen, name, source, form", [
    ("xml", "m.csv", "csv", "xml"), (None, "m.xml", "csv", "xml"), (None, "m", "xml", "xml"),
    (None, "m", "csv", "csv")])
def test_the_form_that_is_written(tmp_path, chosen, name, source, form):
    """As -f says, or as the name, or as the input."""
    sink = Sink(args(format=chosen, output=str(tmp_path / name)), lambda: source)
    sink.write([Row("b", "k")])
    sink.close()
    data = (tmp_path / name).read_bytes()
    assert data.startswith(b"<manifest") is (form == "xml")
    assert read(tmp_path / name) == [Row("b", "k")]


def test_the_form_of_no_rows(tmp_path):
    """Is asked for at the end: no batch has come that would tell it."""
    sink = Sink(args(output=str(tmp_path / "m")), lambda: "xml")
    sink.close()
    assert (tmp_path / "m").read_bytes().startswith(b"<manifest")


def test_in_place_is_of_one_file(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(CSV)
    sink = Sink(args(str(path), in_place=True), lambda: "csv")
    assert path.read_text() == CSV, "not before the end"
    sink.write([Row("b", "k")])
    sink.close()
    assert read(path) == [Row("b", "k")]
    for wrong in (args("a", "b", in_place=True), args("-", in_place=True), args(in_place=True),
                  args("a", in_place=True, output="b")):
        with pytest.raises(Usage, match="-i rewrites one FILE, and goes with no -o"):
            Sink(wrong, lambda: "csv")


@pytest.mark.parametrize("text, told", [("<downloads/>", None), ("", "keys"), ("k\n", "keys")])
def test_another_tool_s_file_is_not_rewritten(tmp_path, text, told):
    """-i would put a manifest in its place, and a database would be gone."""
    path = tmp_path / "theirs"
    path.write_text(text)
    given = args(str(path), in_place=True, from_form=told, bucket="b")
    source = Source(given)
    with pytest.raises(Fault, match="theirs: -i would put a manifest in the place of another"):
        with closing(Sink(given, lambda: source.form)) as sink:
            for rows in source.batches():
                sink.write(rows)
    assert path.read_text() == text and os.listdir(tmp_path) == ["theirs"]


def test_a_prefix_goes_before_each_key(tmp_path):
    """But not before what makes no sense, nor beyond what a key may have."""
    path = tmp_path / "keys.txt"
    path.write_bytes(b"a%41\n\xff\n" + b"x" * 1020 + b"\n")
    source = Source(args(str(path), from_form="keys", bucket="b", prefix="run1/"))
    rows = [row for rows in source.batches() for row in rows]
    assert [row.error for row in rows] == [
        "", "line 2: the key is not Unicode text",
        "with the prefix: the key is longer than 1024 bytes"]
    assert rows[0].key == "run1/a%41" and rows[2].verbatim["key"] == "x" * 1020


MADE = ("stored_at", "metadata")


@pytest.mark.parametrize("form", ["csv", "xml", "ndjson"])
def test_columns_that_a_command_makes_are_never_late(tmp_path, capsys, form):
    """They are in the head before a row has one, behind the input's own; none is lost."""
    sink = Sink(args(output=str(tmp_path / "m")), lambda: form, makes=MADE)
    rows = [Row("b", "k", extra={"note": "x"}), Row("b", "l")]
    sink.write(rows[:1], ["note", "metadata"])
    rows[1].set_optional("stored_at", "s3://c/l")
    sink.write(rows[1:], ["note", "metadata"])
    sink.close()
    assert capsys.readouterr().err == ""
    head = (tmp_path / "m").read_text().splitlines()
    assert form != "csv" or head[1].endswith(",error,note,metadata,stored_at")
    assert form != "ndjson" or '"extras":["note","metadata","stored_at"]' in head[0]
    found = [row for row in read(tmp_path / "m")]
    assert [row.optional("stored_at") for row in found] == ["", "s3://c/l"]
    assert found[0].extra["note"] == "x"


def test_the_head_of_no_rows_names_them_too(tmp_path):
    sink = Sink(args(output=str(tmp_path / "m")), lambda: "csv", makes=MADE)
    sink.close()
    assert ",error,stored_at,metadata\n#end rows=0\n" in (tmp_path / "m").read_text()


def test_what_is_abandoned_is_not_there(tmp_path):
    """A file is replaced by a whole one or not at all."""
    (tmp_path / "m.csv").write_text(CSV)
    sink = Sink(args(output=str(tmp_path / "m.csv")), lambda: "csv")
    sink.write([Row("b", "k")])
    sink.abandon()
    assert (tmp_path / "m.csv").read_text() == CSV and os.listdir(tmp_path) == ["m.csv"]


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(Fault) as told:
        Sink(args(output=str(tmp_path / "none" / "m.csv")), lambda: "csv")
    assert str(told.value) == (f"cannot write '{tmp_path}/none/m.csv': "
                               "No such file or directory")


@pytest.mark.parametrize("path, kind", [(None, NotWritten), ("m.csv", Fault)])
def test_an_error_of_writing_names_what_was_written(tmp_path, path, kind):
    sink = Sink(args(output=path and str(tmp_path / path)), lambda: "csv")

    def full(rows, extras):
        raise OSError(28, "No space left on device")
    sink.output = SimpleNamespace(write=full, begun=True, form="csv")
    with pytest.raises(kind, match="No space left on device") as told:
        sink.write([Row("b", "k")])
    assert path is None or f"cannot write '{tmp_path}/{path}'" in str(told.value)


@pytest.mark.parametrize("given, source_rows, is_shown", [
    ({}, False, False), ({"output": "-"}, False, True), ({}, True, True)])
def test_on_a_terminal_people_get_the_summary(monkeypatch, given, source_rows, is_shown):
    """And rows only where they asked for them; then nothing acts on the terminal."""
    monkeypatch.setattr(streams.os, "isatty", lambda fd: True)
    sink = Sink(args(**given), lambda: "csv", source_rows)
    assert bool(sink.output) is is_shown
    assert not is_shown or isinstance(sink.output.file, Shown)
    if not is_shown:
        sink.write([Row("b", "k")])
        sink.close()
        sink.abandon()


def test_columns_that_came_too_late_for_csv_are_named(tmp_path, capsys):
    sink = Sink(args(output=str(tmp_path / "m.csv")), lambda: "csv")
    sink.write([Row("b", "k")], [])
    sink.write([Row("b", "k", extra={"late": "x"})], ["late"])
    sink.close()
    assert capsys.readouterr().err == (
        "s3-fetch: warning: columns first seen after CSV's header was written are lost: late "
        "(-f xml keeps them)\n")


@given(st.lists(st.text(st.characters(blacklist_characters="\n"), max_size=8), max_size=3))
def test_what_is_shown_on_a_terminal_acts_on_nothing(lines):
    """Lines stay lines, bytes that are not UTF-8 are written out, and all of it is written."""
    class Slow(io.BytesIO):
        def write(self, data):
            """Take one byte at a time, as a terminal may."""
            return super().write(data[:1])
    file = Slow()
    data = b"".join(line.encode("utf-8", "surrogatepass") + b"\n" for line in lines)
    data += b"\x1b[2J\xff"
    assert Shown(file).write(data) == len(data)
    shown = file.getvalue().decode()
    assert shown.count("\n") == len(lines) and shown.endswith("\\x1b[2J\\udcff")
    assert not set(shown) & {"\x1b", "\r", "\x07", "\u202e", "\x9b"}


# --- closing


class Noted:
    """Notes what it is asked for; `fails` at one of it."""

    def __init__(self, fails=""):
        self.calls, self.fails = [], fails

    def __getattr__(self, name):
        def call():
            self.calls.append(name)
            if name == self.fails:
                raise OSError(name)
        return call


def test_all_went_well():
    sink, other = Noted(), Noted()
    with closing(sink, other):
        pass
    assert (sink.calls, other.calls) == (["close"], ["close"])


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_what_failed_has_no_end_mark(error):
    sink, other = Noted(), Noted()
    with pytest.raises(error):
        with closing(sink, other):
            raise error
    assert (sink.calls, other.calls) == (["abandon"], ["close"])


def test_what_cannot_be_closed_is_abandoned():
    sink, other = Noted("close"), Noted()
    with pytest.raises(OSError):
        with closing(sink, other):
            pass
    assert (sink.calls, other.calls) == (["close", "abandon"], ["close"])
