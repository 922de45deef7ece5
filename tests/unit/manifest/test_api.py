"""Manifests for programs in Python."""

import gzip
import io
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from s3kit import manifest
from s3kit.manifest import Cut, Fault, Row
from s3kit.manifest.api import TOGETHER

ROOT = Path(__file__).parents[3]
ROWS = [Row("b", "a", "v1", size="1", extra={"note": "x"}), Row("b", "ä\n=", extra={"note": ""})]


@pytest.mark.parametrize("form, name", [("csv", "m.csv"), ("xml", "m.xml"), ("csv", "m.csv.gz"),
                                        ("xml", "m.zst")])
def test_what_is_written_is_read(form, name, tmp_path):
    """By path, as text and not, and by file."""
    assert manifest.write(tmp_path / name, ROWS, form=form) == 2
    found = list(manifest.read(str(tmp_path / name)))
    assert [(row.key, row.version_id) for row in found] == [("a", "v1"), ("ä\n=", "")]
    assert found[0] == ROWS[0]
    with open(tmp_path / name, "rb") as file:
        assert list(manifest.read(file)) == found
        assert not file.closed


@pytest.mark.parametrize("form", ["csv", "xml"])
def test_a_file_need_not_be_of_the_system(form):
    """io.BytesIO, and whatever has read or write."""
    file = io.BytesIO()
    assert manifest.write(file, iter(ROWS), form) == 2
    file.seek(0)
    assert [row.key for row in manifest.read(file)] == ["a", "ä\n="]
    assert not file.closed


def test_nothing_is_written_before_the_path_is_replaced(tmp_path):
    """An exception of the iterable leaves what was there, and no file beside it."""
    path = tmp_path / "m"
    path.write_text("mine")

    def rows():
        yield from ROWS * TOGETHER
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        manifest.write(path, rows())
    assert (path.read_text(), [*tmp_path.iterdir()]) == ("mine", [path])
    file = io.BytesIO()
    with pytest.raises(RuntimeError, match="no more"):
        manifest.write(file, rows())
    assert b"#end" not in file.getvalue()
    with pytest.raises(Cut):
        list(manifest.read(io.BytesIO(file.getvalue())))


@pytest.mark.parametrize("row, kind, why", [
    (Row("b", "k", size=5), TypeError, "row 1: size is text, not int"),
    (Row("b", "k", extra={"n": 1}), TypeError, "row 1: n is text, not int"),
    (Row("b", ""), ValueError, "row 1: no key"),
    (Row("b", "k", state="done"), ValueError, "row 1: 'done' is not a state")])
def test_rows_that_make_no_sense_are_not_written(row, kind, why, tmp_path):
    """What a program did wrong is an exception, not a manifest with a failed row."""
    with pytest.raises(kind, match=f"^{why}$"):
        manifest.write(tmp_path / "m", [row])
    assert not [*tmp_path.iterdir()]


def test_rows_that_were_read_so_are(tmp_path):
    """They are passed on as they were."""
    path = tmp_path / "m"
    path.write_text("bucket,key,size\nb,k,big\n")
    row, = manifest.read(path)
    assert (row.state, row.verbatim["size"]) == (manifest.FAILED, "big")
    assert manifest.write(path, [row]) == 1
    assert next(manifest.read(path)).error.endswith("size 'big' is not a number of bytes")


def test_columns_of_ones_own(tmp_path):
    """CSV has those of the first rows: none is lost unseen. XML has all."""
    rows = [*[Row("b", f"k{number}") for number in range(TOGETHER)],
            Row("b", "k", extra={"late": "1"})]
    with pytest.raises(ValueError, match="row 257 has columns that .* not: late"):
        manifest.write(tmp_path / "m", rows)
    manifest.write(tmp_path / "m", rows, form="xml")
    assert [*manifest.read(tmp_path / "m")][-1].extra == {"late": "1"}


@pytest.mark.parametrize("form", ["csv", "xml", "ndjson"])
def test_optional_columns(form, tmp_path):
    """A program sets and reads them as a command does."""
    rows = [Row("b", "k"), Row("b", "l")]
    rows[1].set_optional("content_type", "text/plain")
    manifest.write(tmp_path / "m", rows, form=form)
    found = [row.optional("content_type") for row in manifest.read(tmp_path / "m")]
    assert found == ["", "text/plain"]


@pytest.mark.parametrize("text, kind", [
    (b"", Cut), (b"#s3kit manifest 1\nbucket,key\nb,k\n", Cut), (b"a;b\n", Fault),
    (gzip.compress(b"key\nk\n", mtime=0)[:-9], Cut),
    (b"#s3kit manifest 1\nbucket,key\nb,k\n#end rows=2\n", Cut)])
def test_what_is_not_whole(text, kind):
    """The commands' exceptions; the rows before it come."""
    rows = manifest.read(io.BytesIO(text), bucket="b")
    with pytest.raises(kind):
        assert [row.key for row in rows] == ["k"]


def test_an_untrue_count_in_a_file_warns(tmp_path):
    """A person may have edited it."""
    (tmp_path / "m").write_text("#s3kit manifest 1\nbucket,key\nb,k\n#end rows=2\n")
    with pytest.warns(UserWarning, match="the end mark says 2 rows, 1 came"):
        assert len([*manifest.read(tmp_path / "m")]) == 1


def test_options_of_the_commands(tmp_path):
    """--bucket, --columns, --from."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row, = manifest.read(io.BytesIO(b"k,v1\n"), bucket="b", columns=["key", "version_id"])
        assert row.name == "s3://b/k?versionId=v1"
        row, = manifest.read(io.BytesIO(b"k,v1\n"), bucket="b", form="keys")
        assert row.key == "k,v1"


def test_what_a_program_does_wrong(tmp_path):
    """Exceptions of Python's own."""
    with pytest.raises(FileNotFoundError):
        next(manifest.read(tmp_path / "none"))
    with pytest.raises(TypeError, match="binary"):
        next(manifest.read(io.StringIO("key\n")))
    for call in (lambda: next(manifest.read(io.BytesIO(), form="no")),
                 lambda: manifest.write(io.BytesIO(), [], form="no")):
        with pytest.raises(ValueError, match="'no' is not one of csv, xml"):
            call()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        manifest.nothing


def test_a_command_loads_none_of_it():
    """The names are there when they are used."""
    script = ("import sys, s3kit.manifest\n"
              "print([name for name in sys.modules if name.startswith('s3kit.manifest.')])\n"
              "from s3kit.manifest import Row\nprint('s3kit.manifest.api' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\nFalse\n", "")
