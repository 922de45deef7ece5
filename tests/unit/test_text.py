"""Text for people: whatever an object is called, it cannot act on a terminal."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.errors import Fault
from s3kit.text import cause_of, command, count, is_unicode, read_text, to_bytes, visible


@pytest.mark.parametrize("text, shown", [
    ("2024/ä b.jpg", "2024/ä b.jpg"),
    ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
    ("a\nb\tc\rd\0", r"a\x0ab\x09c\x0dd\x00"),
    ("\x7f\x9b2J", r"\x7f\x9b2J"),
    ("gpj\u202e.exe", r"gpj\u202e.exe"),
    ("\u2066a\u2028b\ufeff", r"\u2066a\u2028b\ufeff"),
    ("\udcff.txt", r"\udcff.txt"),
    ("\U0001f600", "\U0001f600")])
def test_what_people_see(text, shown):
    """Letters stay letters; whatever could act is written out."""
    assert visible(text) == shown


@given(st.text(st.characters(), max_size=50))
def test_nothing_shown_can_act(text):
    """No control, line separator, surrogate or change of direction is ever shown as it is, on one
    line.
    """
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")]
    assert not [c for c in shown if unicodedata.bidirectional(c) in
                ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")]
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_ordinary_text_is_left_alone(text):
    """Ordinary names of every script stay as they are, unless they hold a mark of direction."""
    assert visible(text) == text


def test_other_things_are_shown_as_text():
    """An exception or a number may be given as it is."""
    assert visible(ValueError("bad\x1b")) == r"bad\x1b"


def test_counts():
    """One row, many rows."""
    assert [count(n, "row") for n in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]


def test_what_can_be_sent():
    """Bytes of a command line that are not UTF-8 cannot."""
    assert is_unicode("") and is_unicode("a") and is_unicode("\u00fc\U0001f600")
    assert not is_unicode(b"a\xff".decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("content", [b"a\r\nb", b"\xef\xbb\xbfa\nb"])
def test_a_file_that_people_write(tmp_path, content):
    """Its byte order mark and its line ends are their editor's."""
    (tmp_path / "names").write_bytes(content)
    assert read_text(tmp_path / "names") == "a\nb"


@pytest.mark.parametrize("content, why", [(b"\xff\xfea\0", "it is not UTF-8 text"),
                                          (None, "No such file or directory")])
def test_a_file_that_cannot_be_read(tmp_path, content, why):
    """It is named."""
    if content:
        (tmp_path / "names").write_bytes(content)
    with pytest.raises(Fault, match=f"cannot read '.*names': {why}"):
        read_text(tmp_path / "names")


@given(st.binary(max_size=9), st.sampled_from(["", "\ud800", "\udc7f", "\udfff"]))
def test_what_is_no_unicode_is_written_all_the_same(data, lone):
    """Bytes that were read as surrogates go back as they came; others have no bytes."""
    text = data.decode("utf-8", "surrogateescape")
    assert to_bytes(text + lone) == data + ("\ufffd" * len(lone)).encode()


@pytest.mark.parametrize("words, dest, line", [
    (["s3-fetch", "a b.csv"], "it's", """s3-fetch 'a b.csv' -d 'it'"'"'s'"""),
    (["s3-fetch"], ".", "s3-fetch")])
def test_commands_can_be_pasted(words, dest, line):
    """A shell reads what was meant; the current directory goes without saying."""
    assert command(*words, dest=dest) == line


@pytest.mark.parametrize("one, other", [
    ("12 bytes came, not 40", "7 bytes came, not 9,000"),
    ("cannot write 'a/b': No space left on device", "cannot write 'it's': No space left on device"),
    ("s3://b/k is not there", "s3://b/another is not there"),
    ("S3 says Denied: no right to \"arn:aws:s3:::b/a b\"", "S3 says Denied: no right to \"c\""),
    ("S3 sent another object: ETag 9e107d9d372bb6826bd81d3542a419d6-12, not 1",
     "S3 sent another object: ETag d41d8cd98f00b204e9800998ecf8427e, not 12"),
    ("S3 sent another version: 3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY",
     "S3 sent another version: L4kqtJlcpXroDTDmJ/rmSpXd3dIbrHY.x0"),
    ("the file has 12 bytes, and S3 takes 5.0G at most",
     "the file has 1,200 bytes, and S3 takes 50M at most")])
def test_errors_of_one_cause_have_it_in_common(one, other):
    assert cause_of(one) == cause_of(other)


def test_causes_that_differ_are_told_apart():
    """S3's codes, HTTP's statuses within them, and words stay; what could act on a terminal does
    not.
    """
    assert len({cause_of(f"S3 says {code}") for code in ("NoSuchKey", "HTTP503", "HTTP404")}) == 3
    assert cause_of("S3 says NoSuchKey: The specified key does not exist.") == (
        "S3 says NoSuchKey: The specified key does not exist.")
    assert "\x1b" not in cause_of("\x1b[2J") and len(cause_of("x" * 5000)) == 200


@pytest.mark.parametrize("text", [
    "the checksum in S3's answer is not that of the object's bytes", "S3 says 403",
    "S3 says HTTP404", "the bytes do not match S3's crc32", "libcurl error 7",
    "its name is not UTF-8 text", "it is written %25", "Couldn't connect to the server"])
def test_words_of_a_cause_stay(text):
    """An apostrophe opens no name; numbers that are words, or in them, are none."""
    assert cause_of(text) == text


def test_a_name_that_is_known_may_have_quotes():
    """Others may not: they end where a quote does."""
    assert cause_of("there is no file 'a' b'", "a' b") == "there is no file '...'"


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_name_is_seen_in_a_cause(text, name):
    """Whatever it is, where the row is known."""
    known = "there is no file '...'"
    assert cause_of(f"there is no file '{name}'", name) == known
    assert len(cause_of(text)) <= 200


def test_a_cause_is_found_in_no_time():
    """Texts that expressions could be slow with, of a megabyte."""
    begun = time.process_time()
    for text in ("a-" * 500_000, "'" * 1_000_000, "a." * 500_000, "\"' " * 300_000,
                 "1" * 1_000_000):
        cause_of(text)
    assert time.process_time() - begun < 1
