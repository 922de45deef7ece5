"""Keys read as numbers: what is learnt of them, and guesses that can be asked for."""

import random
from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_guesses_fall_among_the_keys():
    """The next pages of numbers, hashes, dates and Chinese words are where the guess says, nearly.
    """
    chance = random.Random(1)
    for keys in ([f"object-{n:07d}.jpg" for n in range(50_000)],
                 [f"{n // 100:05d}/{n:06d}" for n in range(50_000)],
                 sorted("%016x" % chance.getrandbits(64) for _ in range(50_000)), [
                     f"log/{m:02d}/{d:02d}/{h:02d}/{x:02d}" for m in range(1, 13)
                     for d in range(1, 29) for h in range(24) for x in range(6)], sorted(
                         {"".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(3))
                          for _ in range(50_000)})):
        shape = Shape()
        for at in range(0, 20_000, 1000):
            shape.learn(keys[at:at + 1000])
        guess = shape.ahead((keys[19_500], keys[19_999], 499), keys[19_999], 4)
        assert 2 < (bisect_right(keys, guess) - 20_000) / 1000 < 8, (keys[19_999], guess)
        assert 2 < shape.pages((keys[19_500], keys[19_999], 499), keys[19_999], keys[24_000]) < 8


KEYS = (st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
        | st.from_regex("[ab/]{1,6}|[0-9a-f]{3}", fullmatch=True))


@given(st.lists(KEYS, min_size=2, max_size=40, unique=True), st.floats(0, 50))
def test_guesses_are_text(keys, count):
    """Whatever the keys, a guess is text that a URL and XML can carry, or nothing."""
    shape, keys = Shape(), sorted(keys)
    shape.learn(keys)
    guess = shape.ahead((keys[0], keys[-1], len(keys)), keys[-1], count)
    assert guess is None or not any(safe(c) != c for c in guess[16:]) and guess.encode()
    assert shape.pages((keys[0], keys[-1], len(keys)), keys[0], keys[-1]) >= 0


@pytest.mark.parametrize("prefix,after", [("a/", "a0"), ("é", "ê"), ("\ud7ff", "\ue000"),
                                          ("~", "\xa0"), ("\U0010ffff", None)])
def test_what_sorts_after_a_prefix(prefix, after):
    """A prefix's end, surrogates and control characters left out."""
    assert after_all(prefix) == after
