"""The CSV of S3-Version-Utilities, whose quote is a backslash."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from odd_keys import KEYS

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.svu import reader, writer
from s3kit.manifest.row import FAILED, LISTED, Row

# Written, and read back, by the csv module of Python 2.7, as the two programs use it.
DATA = (Path(__file__).resolve().parents[3] / "support" / "golden" / "svu.csv").read_bytes()
TEXT = (st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1,
                max_size=20)
        | st.text("\\,\r\n\"a\ufeff", min_size=1, max_size=8))


def read(data, step=1 << 20, bucket="b"):
    """Return the rows of a list that comes in pieces."""
    made = reader("svu", bucket, None)
    rows = [row for at in range(0, len(data), step) for row in made.feed(data[at:at + step])]
    return rows + made.close()


def write(rows):
    """Return rows as bytes."""
    made = writer("svu")
    return made.begin([]) + made.rows(rows) + made.end(len(rows))


ROWS = [Row("b", key, f"v{at}.Fh_x", state=LISTED) for at, key in enumerate(KEYS)]


@pytest.mark.parametrize("step", [1 << 20, 5])
def test_what_python_2_wrote(step):
    """Odd keys and their versions come as they were."""
    assert read(DATA, step) == ROWS


def test_what_is_written_is_what_python_2_wrote():
    """Byte for byte, but for a byte order mark, which a reader would take for an editor's."""
    assert write([row for row in ROWS if "bom" not in row.key]) == b"".join(
        line for line in DATA.splitlines(keepends=True) if b"bom" not in line)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=8), st.integers(1, 9))
@example([("\ufeffbom", "v")], 1)
def test_what_is_written_is_read_as_it_was(pairs, step):
    """Whatever the pieces in which it comes."""
    rows = [Row("b", key, version, state=LISTED) for key, version in pairs]
    assert read(write(rows), step) == rows


def test_lists_made_by_hand():
    """LF for CR LF, empty lines; nothing is a number or percent-encoded."""
    rows = read(b"\xef\xbb\xbfindex.php,e1nija2G4WJ4p_7YHz8gad2o3.P2RQhm\n\r\n007,NA\na%20b,null\n")
    assert [(row.key, row.version_id) for row in rows] == [
        ("index.php", "e1nija2G4WJ4p_7YHz8gad2o3.P2RQhm"), ("007", "NA"), ("a%20b", "null")]


@pytest.mark.parametrize("line, why", [
    (b"only-a-key\r\n", "not a key and its version"), (b"a,v,w\r\n", "not a key and its version"),
    (b"cut,\n", "not a key and its version"), (b",v\r\n", "no key"),
    (b"\\foo\\bar,v1\r\n", "not CSV"),
    (b"a\xff,v\r\n", "the key is not Unicode text")])
def test_lines_that_make_no_sense(line, why):
    """They are failed rows; a version that is not there never becomes whatever S3 has now."""
    row = read(b"good,v\r\n" + line)[1]
    assert (row.state, row.error, row.verbatim is None) == (FAILED, f"line 2: {why}", False)


def test_a_quote_that_is_never_closed_is_a_cut():
    """What follows may be the inside of a key."""
    made = reader("svu", "b", None)
    assert len(made.feed(b"good,v\r\n\\cut,v1\r\nb,v\r\n")) == 1 and made.close() == []
    assert isinstance(made.stop, Cut)


def test_rows_need_a_bucket():
    """The list does not name it."""
    assert "give --bucket" in read(b"a,v\r\n", bucket="")[0].error


@pytest.mark.parametrize("row, why", [
    (Row("b", "k"), "no version"), (Row("b", "k", "v", is_delete_marker="true"), "delete markers"),
    (Row("c", "k", "v"), "of 'b'"), (Row("b", "\0", "v"), "NUL"),
    (Row(state=FAILED, error="line 3: no key", verbatim={"key": ""}), "line 3: no key")])
def test_what_it_cannot_carry(row, why):
    """It would name something else, or nothing."""
    with pytest.raises(Fault, match=why):
        write([Row("b", "good", "v"), row])
