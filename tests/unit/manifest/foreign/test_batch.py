"""Manifests of S3 Batch Operations: read, written, and there and back."""

import csv
import io
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odd_keys import KEYS

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.batch import reader, writer
from s3kit.manifest.row import FAILED, Row

KEY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
VERSION = st.text(st.sampled_from("abcXYZ019._-+/="), min_size=1, max_size=32) | st.just("null")


def read(*pieces, bucket="", columns=None, is_by_hand=False):
    """Return (rows, reader) of a manifest that comes in pieces."""
    made = reader("batch", bucket, columns)
    made.is_by_hand = is_by_hand
    return [row for piece in pieces for row in made.feed(piece)] + made.close(), made


def write(rows):
    """Return rows as a manifest."""
    made = writer("batch")
    return made.begin([]) + b"".join(made.rows([row]) for row in rows) + made.end(len(rows))


def test_as_amazon_documents_it():
    """The examples of the user's guide, with versions and without."""
    rows, _ = read(b"Examplebucket,photos/jpgs/objectkey4,6EqlikJJxLTsHsnbZbSRffn24_eh5Ny4\n"
                   b"Examplebucket,object%20key%20with%20spaces,9HkPvDaZY5MVbMhn6TMn1YTb5ArQAo3w\n")
    assert rows == [Row("Examplebucket", "photos/jpgs/objectkey4",
                        "6EqlikJJxLTsHsnbZbSRffn24_eh5Ny4", state="listed"),
                    Row("Examplebucket", "object key with spaces",
                        "9HkPvDaZY5MVbMhn6TMn1YTb5ArQAo3w", state="listed")]
    rows, made = read(b"b,objectkey1\r\nb,photos/jpgs/object+key2", is_by_hand=True)
    assert [row.key for row in rows] == ["objectkey1", "photos/jpgs/object key2"]
    assert made.count == 2 and not made.extras


def test_odd_keys_however_they_were_encoded():
    """By quote as here, by quote_plus as in Amazon's samples, each cell quoted or not."""
    assert [row.key for row in read(write([Row("b", key) for key in KEYS]))[0]] == KEYS
    for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL):
        text = io.StringIO()
        csv.writer(text, quoting=quoting).writerows(["b", quote_plus(key), "null"] for key in KEYS)
        rows, _ = read(text.getvalue().encode())
        assert [(row.key, row.version_id) for row in rows] == [(key, "null") for key in KEYS]


@given(st.lists(KEY), st.lists(VERSION, min_size=1), st.booleans(), st.integers(1, 50))
def test_there_and_back(keys, versions, has_versions, step):
    """Every key; and no cell needs a quote, so that any reader of lines can take it."""
    rows = [Row("b", key, versions[at % len(versions)] if has_versions else "", state="listed")
            for at, key in enumerate(keys)]
    data = write(rows)
    assert b'"' not in data and data.count(b"\n") == len(rows)
    assert read(*(data[at:at + step] for at in range(0, len(data), step)))[0] == rows


@pytest.mark.parametrize("rows, why", [
    ([Row("b", "k", "v"), Row("b", "l")], "all have version ids, or none"),
    ([Row("b", "k"), Row("b", "l", "null")], "all have version ids, or none"),
    ([Row("b", "k"), Row("c", "k")], "objects of one bucket, here 'b'"),
    ([Row("b", "k", "v", "true", "true")], "no delete markers"),
    ([Row("b", "k", is_latest="false")], "not the latest"),
    ([Row("b", "k", "v,w")], "version id"), ([Row("b", "k", 'v"')], "version id"),
    ([Row("b", "", error="line 1: no key", verbatim={"bucket": "b"})], "line 1: no key")])
def test_what_a_job_cannot_take(rows, why):
    """It is named, and why."""
    with pytest.raises(Fault, match=why) as raised:
        write(rows)
    assert str(raised.value).startswith(rows[-1].name)


@pytest.mark.parametrize("line, why", [
    (b"b,%zz", "encodes nothing"), (b"b,", "no key"), (b",k", "no bucket"), (b"b", "1 columns"),
    (b"b,k,v", "3 columns, not 2"), (b'b,"k"x', "not CSV"), (b"b,k\xff", "not Unicode")])
def test_lines_that_make_no_sense(line, why):
    """They are failed rows with their numbers, and stop nothing."""
    rows, made = read(b"b,first\n", line + b"\nb,last\n")
    assert [row.state for row in rows] == ["listed", FAILED, "listed"] and not made.stop
    assert rows[1].error.startswith("line 2: ") and why in rows[1].error and rows[1].verbatim


def test_a_line_that_was_cut_before_its_version():
    """It never names whatever S3 has now."""
    rows, made = read(b"b,k,v\nb,l,")
    assert [row.key for row in rows] == ["k"] and isinstance(made.stop, Cut)


def test_a_last_line_without_an_end():
    """In a file a person may have left it out; from a pipe half of a key would be another's."""
    for text in (b"b,k\nb,2024/a", b'b,k\nb,"2024/a"'):
        rows, made = read(text, is_by_hand=True)
        assert [row.key for row in rows] == ["k", "2024/a"] and made.lacks_end and not made.stop
        rows, made = read(text)
        assert [row.key for row in rows] == ["k"] and isinstance(made.stop, Cut)
    rows, made = read(b"b,k\n")
    assert len(rows) == 1 and not made.lacks_end


def test_columns():
    """Fields in another order, some to be ignored, a bucket that is only told."""
    rows, _ = read(b"x,k+1,y,v\n", columns=["Ignore", "Key", "ignore", "VersionId"], bucket="b")
    assert rows == [Row("b", "k 1", "v", state="listed")]
    rows, made = read(b"b,k,v,w\nb,k,v,w\n")
    assert rows == [] and "give --columns" in str(made.stop)
    rows, made = read(b'b,a\nb,"k\nb,l\n')
    assert [row.key for row in rows] == ["a"] and isinstance(made.stop, Cut)
    assert read(b"")[0] == []
