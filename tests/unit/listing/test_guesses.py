"""Keys read as numbers: what is learnt of them, and guesses that can be asked for."""

import pytest

from s3kit.listing.guesses import LAST, Shape, after_all, safe, shared


def test_what_keys_share():
    """Characters at their beginning."""
    assert ([shared("abc", "abd"), shared("a", "ab"), shared("", "x"), shared("ab", "ab")]
            == [2, 1, 0, 2])


@pytest.mark.parametrize("prefix, key", [("a", "b"), ("", None), ("az", "a{"), (chr(LAST), None),
                                         ("a" + chr(LAST), "b")])
def test_after_all_keys_of_a_prefix(prefix, key):
    """The next text, None after the last one."""
    assert after_all(prefix) == key


@pytest.mark.parametrize("text", ["\0", "a\x1f", "\x7f", "\ud800", "\uffff"])
def test_a_guess_can_be_sent(text):
    """In UTF-8 and in XML; and it is no smaller than what it stands for."""
    made = safe(text)
    made.encode()
    assert made > text and not any(c < " " or "\x7f" <= c <= "\x9f" or c in "\ufffe\uffff"
                                   for c in made)


def test_numbered_keys():
    """A page later is about a page later."""
    keys = [f"k{n:08d}" for n in range(0, 1000)]
    shape = Shape()
    shape.learn(keys)
    gauge = keys[500], keys[-1], 499
    found = shape.ahead(gauge, keys[-1], 4)
    assert keys[-1] < found and 3000 < int(found[1:9]) < 7000
    assert 3 < shape.pages(gauge, keys[-1], "k00005000") < 5
    assert shape.pages(gauge, keys[-1], None) == float("inf")


def test_nothing_is_known_of_equal_keys():
    """The versions of one key say nothing of what comes after it."""
    shape = Shape()
    shape.learn(["k"] * 10)
    assert shape.ahead(("k", "k", 5), "k", 4) is None
