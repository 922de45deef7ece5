"""Lists of keys, by line and by NUL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.keys import reader, writer
from s3kit.manifest.foreign.text_lines import HOLD
from s3kit.manifest.row import FAILED, LISTED, Row

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def read(form, *pieces, bucket="b"):
    """Return the rows of a list that comes in pieces."""
    made = reader(form, bucket, None)
    return [row for piece in pieces for row in made.feed(piece)] + made.close()


def write(form, rows):
    """Return rows as a list of keys."""
    made = writer(form)
    return made.begin([]) + made.rows(rows) + made.end(len(rows))


def test_keys_are_text_as_they_stand():
    """No quotes, no commas, no percent-encoding, no numbers, no header; lines end in LF or CR LF.
    """
    lines = ['007', 'NA', 'key', 'bucket,key', '"a"', "a%20b", " x ", "#c", "a\\nb"]
    for end in ("\n", "\r\n"):
        rows = read("keys", ("\ufeff" + end.join([*lines, ""])).encode())
        assert [row.key for row in rows] == lines
        assert {(row.bucket, row.state, row.path) for row in rows} == {("b", LISTED, "")}


@given(st.lists(KEYS.filter(lambda key: "\0" not in key) | st.just("\ufeffbom")), st.integers(1, 9))
def test_nul_carries_every_key(keys, step):
    """Whatever the pieces in which it comes, and what is written is read as it was."""
    data = write("keys0", [Row("b", key) for key in keys])
    pieces = [data[at:at + step] for at in range(0, len(data), step)]
    assert [row.key for row in read("keys0", *pieces)] == keys


@pytest.mark.parametrize("form, row, why", [
    ("keys", Row("b", "a\nb"), "end of its line"), ("keys", Row("b", "a\r"), "end of its line"),
    ("keys0", Row("b", "k", is_delete_marker="true"), "delete markers"),
    ("keys", Row("b", "k", is_latest="false"), "older versions"),
    ("keys", Row("b", "k", "v1"), "does not say that it is the latest"),
    ("keys0", Row("b", "k", "null"), "does not say that it is the latest"),
    ("keys", Row(state=FAILED, error="line 3: no key", verbatim={"key": ""}), "line 3: no key")])
def test_what_a_list_of_keys_cannot_carry(form, row, why):
    """It would name something else, or nothing."""
    with pytest.raises(Fault, match=why):
        write(form, [Row("b", "good"), row])


@pytest.mark.parametrize("row", [Row("b", "k", "v1", is_latest="true"), Row("b", "k", etag="e")])
def test_what_is_the_latest_by_its_own_word(row):
    assert write("keys", [row]) == b"k\n"


def test_a_list_does_not_begin_with_a_byte_order_mark_of_a_key():
    """It would be taken for that of an editor; behind another key it is one's own."""
    with pytest.raises(Fault, match="byte order mark"):
        write("keys", [Row("b", "\ufeffbom")])
    keys = ["k", "\ufeffbom"]
    data = write("keys", [Row("b", key) for key in keys])
    assert [row.key for row in read("keys", data)] == keys


@pytest.mark.parametrize("form, is_by_hand, is_taken", [
    ("keys", True, True), ("keys", False, False), ("keys0", True, False)])
def test_a_last_key_without_an_end(form, is_by_hand, is_taken):
    """An editor may leave it out of lines; else half of a key would name another object."""
    made, end = reader(form, "b", None), b"\n" if form == "keys" else b"\0"
    made.is_by_hand = is_by_hand
    rows = made.feed(b"2024/a" + end + b"2024/b") + made.close()
    assert [row.key for row in rows] == ["2024/a", "2024/b"][:1 + is_taken]
    assert (isinstance(made.stop, Cut), made.lacks_end) == (not is_taken, is_taken)


def test_lines_that_make_no_sense():
    """No bucket, more than 1,024 bytes, no UTF-8: failed rows that say their line."""
    rows = read("keys", b"a\n\n" + b"x" * 1025 + b"\nb\xff\n")
    assert [(row.state, row.error) for row in rows[1:]] == [
        (FAILED, "line 3: the key is longer than 1024 bytes"),
        (FAILED, "line 4: the key is not Unicode text")]
    assert "line 1: no bucket" in read("keys", b"a\n", bucket="")[0].error


def test_what_never_ends_is_no_list_of_keys():
    """It is not gathered for ever."""
    made = reader("keys", "b", None)
    assert made.feed(b"a\n" + b"x" * (HOLD + 1)) == read("keys", b"a\n")
    assert str(made.stop) == f"line 2: no end within {HOLD:,} characters"
    assert made.feed(b"\nb\n") == []
