"""Text for people: whatever an object is called, it cannot act on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.text import count, visible


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
