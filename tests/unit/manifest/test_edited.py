"""Cells that spreadsheets have changed: each is told for what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.manifest.edited import why_no_size, why_spoilt

ROUNDED = ": a spreadsheet has rounded it, and what it was is lost"


@pytest.mark.parametrize("text, why", [
    ("1.05E+06", ROUNDED), ("1,05E+06", ROUNDED), ("1E+15", ROUNDED), ("1e6", ROUNDED),
    ("1,048,576", ": without separators it is 1048576"),
    ("1.048.576", ": without separators it is 1048576"),
    ("1 048 576", ": without separators it is 1048576"),
    ("1\u00a0048", ": without separators it is 1048"), ("1'048", ": without separators it is 1048"),
    ("1048576.0", ": without the decimal point it is 1048576"),
    ("1048576,00", ": without the decimal point it is 1048576"),
    (" 12", ": there are blanks around it"), ("1,048.576", ""), ("1 MB", ""), ("-1", ""),
    ("12,34", ""), ("1.5", ""), ("#NAME?", ""), ("many", "")])
def test_sizes(text, why):
    """What a spreadsheet, or a table's program, has made of them."""
    assert why_no_size(text) == why


@pytest.mark.parametrize("text", ["#NAME?", "#VALUE!", "#REF!", "#N/A", "#DIV/0!", "1.23457E+15",
                                  "1,2E+31", "-4E+20"])
def test_what_was_an_id(text):
    """An error in its place, or a number that it was taken for."""
    assert why_spoilt("etag", text).startswith(f"etag '{text}' ")


@given(st.text("0123456789abcdefE+#.-_/=", max_size=34))
def test_an_id_of_a_server_is_left_alone(text):
    """Ids are opaque: only what is a whole number in scientific notation is none."""
    why = why_spoilt("version_id", text)
    assert bool(why) == (text.upper().count("E") == 1 and why.endswith("is lost"))


def test_digits_that_are_hexadecimal():
    """An ETag of five letters can look like a number; a spreadsheet would have written `+`."""
    assert [why_spoilt("etag", text) for text in ("1e5", "0E0", "12e34")] == [""] * 3
