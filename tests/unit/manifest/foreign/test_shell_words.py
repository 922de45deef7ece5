"""Words of a line as a shell takes them."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.manifest.foreign.shell_words import words_of


@pytest.mark.parametrize("text, words", [
    ("cp a\t b", ["cp", "a", "b"]), ("'it'\\''s' a\\ b", ["it's", "a b"]), ("'' x", ["", "x"]),
    (r'"a\$b \q \"x\" \\"', [r'a$b \q "x" \ '[:-1]]), ("a'b'\"c\"\\d#e", ["abcd#e"]),
    ("'a\\'", ["a\\"]), ("$HOME `x` *", ["$HOME", "`x`", "*"])])
def test_words(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize("text", ["'a", "cp \"a", "a\\", "a'b'c'", '"a\\"'])
def test_bad_quotes(text):
    with pytest.raises(ValueError, match="never closed"):
        words_of(text)


@settings(max_examples=100)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_what_is_quoted_is_what_it_was(words):
    assert words_of(shlex.join(words)) == words
