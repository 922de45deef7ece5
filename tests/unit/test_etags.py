"""ETags are opaque."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.etags import bare, is_same, old, quoted

PLAIN = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7e, exclude_characters='"'),
                min_size=1).filter(lambda text: not text.startswith("W/"))


@given(PLAIN, st.booleans())
def test_it_goes_back_as_it_came(text, is_weak):
    """Letter by letter."""
    came = ("W/" if is_weak else "") + f'"{text}"'
    assert quoted(bare(came)) == came
    assert is_same(bare(came), bare(came)) and is_same(bare(came), old(bare(came)))


def test_quotes_are_http_s():
    """Some servers leave them out."""
    assert (bare("AbC="), bare('"AbC="'), bare('W/"x"'), bare("")) == ("AbC=", "AbC=", 'W/"x"', "")


@pytest.mark.parametrize("one, other, expected", [
    ("AbC", "abc", True),       # as it was written down before 0.2
    ('W/"AbC"', "abc", True), ('W/"abc"', "abc", True),
    ("AbC", "aBC", False), ("abc", "abd", False), ("CAFE", "CAFe", False)])
def test_the_same(one, other, expected):
    """Letters in capitals are others, but for the old spelling."""
    assert is_same(one, other) is is_same(other, one) is expected
