"""NDJSON: there and back, by hand, of s3ls, and cut."""

import io
import json

import pytest
from foreignruns import read
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_keys import KEYS

from s3kit.errors import Cut, Fault
from s3kit.manifest import csv_form, xml_form
from s3kit.manifest.foreign import ndjson
from s3kit.manifest.row import COLUMNS, STATES, Row

TEXT = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["007", "NA", "null", "9223372036854775807", "=1+1", "1e5", "true", '"q"'])
ROWS = st.builds(
    lambda columns, extra: Row(**columns, extra={"note": extra} if extra else None),
    st.fixed_dictionaries({
        "bucket": st.just("b"), "key": st.sampled_from(KEYS) | TEXT.filter(bool),
        "size": st.sampled_from(["", "0", "9223372036854775807"]),
        "is_latest": st.sampled_from(["", "true", "false"]),
        "is_delete_marker": st.sampled_from(["", "true", "false"]),
        "state": st.sampled_from(["", *STATES]), "path": st.sampled_from(["", *KEYS]),
        "etag": st.sampled_from(["", 'W/"e"', "e-2"]), "version_id": TEXT, "error": TEXT}), TEXT)


def written(form, rows, extras=("note",)):
    """Return rows as bytes."""
    writer = form.Writer()
    return writer.begin(extras) + writer.rows(rows) + writer.end(len(rows))


def again(form, data):
    """Return the rows of bytes that are whole."""
    reader = form.Reader()
    rows, stop = read(reader, data)
    assert stop is None and reader.marked and reader.ended and not reader.miscounts
    return rows, reader.extras


def spelt(rows):
    """Return rows without control characters that no CSV cell is read with as it is written."""
    return [row for row in rows if "\0" not in "".join(getattr(row, name) for name in COLUMNS)]


@settings(max_examples=100)
@given(st.lists(ROWS, max_size=5).map(spelt))
def test_there_and_back(rows):
    """NDJSON to NDJSON, and CSV to NDJSON to CSV, is the same to the byte."""
    rows = [row for row in rows if "\0" not in ((row.extra or {}).get("note", ""))]
    assert again(ndjson, written(ndjson, rows)) == (rows, ["note"])
    data = written(csv_form, rows)
    through, extras = again(ndjson, written(ndjson, again(csv_form, data)[0]))
    assert written(csv_form, through, extras) == data


@settings(max_examples=100)
@given(st.lists(ROWS, max_size=5).map(spelt))
def test_csv_to_xml_and_back(rows):
    """The same to the byte, but for what XML cannot carry outside of keys."""
    for row in rows:
        row.extra = None
        for name in ("version_id", "error"):
            setattr(row, name, xml_form.FORBIDDEN.sub("", getattr(row, name)))
    data = written(csv_form, rows, ())
    through = again(xml_form, written(xml_form, again(csv_form, data)[0], ()))[0]
    assert written(csv_form, through, ()) == data


def test_nonsense_stays_nonsense():
    """Rows that made no sense in CSV come back as they were, and are not read as keys."""
    data = (b"#s3kit manifest 1\nbucket,key,note\nb,%zz,x\nb,ok,y\n,\xff,\n1,2,3,4\n"
            b"#end rows=4\n")
    rows, extras = again(csv_form, data)
    assert [row.state for row in rows] == ["failed", "", "failed", "failed"]
    through, names = again(ndjson, written(ndjson, rows, extras))
    assert written(csv_form, through, names) == written(csv_form, rows, extras)
    assert [row.verbatim is None for row in through] == [False, True, False, False]


def test_what_it_looks_like():
    """Keys are as they are, empty columns left out, all is text."""
    row = Row("b", "100%\n\u2028", size="5", state="listed", extra={"n": "1"})
    assert written(ndjson, [row], ["n"]).decode() == (
        '{"s3kit_manifest":"1","extras":["n"]}\n'
        '{"bucket":"b","key":"100%\\n\u2028","size":"5","state":"listed","n":"1"}\n'
        '{"end":{"rows":1}}\n')
    assert written(ndjson, [], []) == b'{"s3kit_manifest":"1"}\n{"end":{"rows":0}}\n'


def test_a_shard_says_so():
    """In the first line, and it is read there."""
    writer = ndjson.Writer()
    writer.shard = "2/4"
    data = writer.begin([]) + writer.end(0)
    assert data.startswith(b'{"s3kit_manifest":"1","shard":"2/4"}\n')
    reader = ndjson.Reader()
    assert read(reader, data + data) == ([], None) and reader.shards == ["2/4", "2/4"]


def test_a_cut_one_shows_it():
    """Wherever it is cut; an end mark that is not true is told."""
    data = written(ndjson, [Row("b", "k"), Row("b", "l")])
    for at in range(len(data) - 1):
        reader = ndjson.Reader()
        _, stop = read(reader, data[:at])
        assert stop or not reader.ended
    reader = ndjson.Reader()
    read(reader, data.replace(b'"rows":2', b'"rows":3'))
    assert reader.ended and reader.miscounts == [(3, 2)]
    for bad, kind in ((data + b'{"bucket":"b","key":"x"}\n', Cut), (data[:-19] + data, Cut),
                      (data.replace(b't":"1"', b't":"2"'), Fault)):
        assert isinstance(read(ndjson.Reader(), bad)[1], kind)
    assert len(read(ndjson.Reader(), data + data)[0]) == 4


def test_by_hand():
    """Numbers keep their digits, names may be spelt otherwise, and a column is there once."""
    data = (b'{"key": "a%20b", "Version-Id": 9007199254740993, "ETag": "\\"e\\"", "Size": 5, '
            b'"is_latest": true, "more": [1, {"a": null}]}\n{"bucket": "c", "key": "k", "size": '
            b'"5", "IsLatest": "TRUE"}\n{"key": "k", "size": "5", "Size": 6}\n{"size": 1}\n')
    reader = ndjson.Reader("b")
    rows, stop = read(reader, data)
    assert stop is None and rows[:2] == [
        Row("b", "a%20b", "9007199254740993", "true", size="5", etag="e",
            extra={"more": '1 {"a": null}'}), Row("c", "k", is_latest="true", size="5")]
    assert [row.error for row in rows[2:]] == ["line 3: the column 'size' is there twice",
                                               "line 4: no key"]
    assert (reader.marked, reader.extras) == (False, ["more"])


def test_optional_columns():
    """Under our names; a column in two spellings makes no sense."""
    row = Row("b", "k", extra={"stored_at": "s3://c/k"})
    assert b'"stored_at":"s3://c/k"}' in written(ndjson, [row], ["stored_at"])
    reader = ndjson.Reader("b")
    rows, _ = read(reader, b'{"key": "k", "StoredAt": "s3://c/k"}\n'
                           b'{"key": "k", "StoredAt": "1", "stored-at": "2"}\n')
    assert rows[0] == row and reader.extras == ["stored_at"]
    assert rows[1].error == "line 2: the column 'stored_at' is there twice"


# Composed from its source, display/json.rs of s3ls-rs 40ae5d5.
S3LS = [{"Prefix": "logs/"},
        {"Key": "a\nb", "LastModified": "2026-01-01T00:00:00Z", "ETag": '"e"',
         "ChecksumAlgorithm": ["CRC32"], "ChecksumType": "FULL_OBJECT", "Size": 5,
         "StorageClass": "GLACIER", "VersionId": "v", "IsLatest": False,
         "Owner": {"ID": "x"}, "RestoreStatus": {"IsRestoreInProgress": True}},
        {"Key": "gone", "VersionId": "w", "IsLatest": True, "LastModified": "2026-01-01T00:00:00Z",
         "DeleteMarker": True},
        {"Summary": {"TotalObjects": 1, "TotalSize": 5, "TotalDeleteMarkers": 1}}]


def test_s3ls():
    """Objects, delete markers, prefixes of which nothing is listed, and the number at the end."""
    data = "".join(json.dumps(line) + "\n" for line in S3LS).encode()
    reader = ndjson.Reader("b")
    rows, stop = read(reader, data)
    assert stop is None and not reader.miscounts and not reader.marked
    assert rows[0].error == "line 1: a common prefix: what is below it is not listed"
    assert rows[1:] == [
        Row("b", "a\nb", "v", "false", "false", "5", "2026-01-01T00:00:00Z", "e", "GLACIER",
            "CRC32", "FULL_OBJECT", restore="ongoing", state="listed"),
        Row("b", "gone", "w", "true", "true", last_modified="2026-01-01T00:00:00Z",
            state="listed")]
    read(reader := ndjson.Reader("b"), data.replace(b'"TotalObjects": 1', b'"TotalObjects": 7'))
    assert reader.miscounts == [(7, 1)]


def test_text_that_is_no_unicode():
    """JSON can name half of a character: the row makes no sense, and every form writes it."""
    reader = ndjson.Reader("b")
    data = b'{"key": "\\ud800", "\\ud800": "\\udc80"}\n{"key": "k", "x": "\\ud800"}'
    rows, stop = read(reader, data)
    assert stop is None and [row.state for row in rows] == ["failed", ""]
    for form in (csv_form, xml_form, ndjson):
        assert written(form, rows, reader.extras)
    assert read(ndjson.Reader(), b'{"s3kit_manifest":"1","extras":true}\n{"end":{"rows":0}}') == (
        [], None)


@pytest.mark.parametrize("line", [b'{"end": 1}', b'{"verbatim": 1}', b'{"other": {"rows": 1}}',
                                  b'{"Summary": "x"}'])
def test_what_only_looks_like_a_mark(line):
    """It is a row that makes no sense."""
    rows, stop = read(ndjson.Reader("b"), io.BytesIO(line).read())
    assert stop is None and rows[0].error == "line 1: no key"
