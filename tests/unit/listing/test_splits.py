"""Where segments are split: within their range, and not where guesses were wrong."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.listing.segment import Segment
from s3kit.listing.splits import Splits

NUMBERS = [f"k{number:06d}" for number in range(1000)]


def measured(keys=NUMBERS, until="k010000", **options):
    """Return (Splits, a Segment of which one page of keys has come)."""
    splits, segment = Splits(**options), Segment("", until, "more", None)
    segment.is_new, segment.after = False, keys[-1]
    splits.measure(segment, keys)
    return splits, segment


def test_the_length_of_a_segment():
    """In pages like the one that came."""
    assert 8 < measured()[1].left < 10
    assert measured(until=None)[1].left == inf


def test_nothing_is_measured_where_nothing_is_split():
    """A single connection does not pay for it."""
    segment = measured(is_off=True)[1]
    assert segment.gauge is None and segment.left == inf


def test_what_is_split_off():
    """Both ranges together are the one that was."""
    splits, segment = measured()
    length = segment.left
    new = splits.split(segment, 4)
    assert segment.until == new.start == new.after and new.until == "k010000"
    assert 3 < (int(new.start[1:7]) - 1000) / 1000 < 6
    assert (segment.left, new.left) == (4, length - 4)
    assert new.is_idle and new.gauge == segment.gauge


def test_nowhere_to_split():
    """Beyond its end, outside the prefix, unknown, or with nothing left to ask: the segment counts
    as short.
    """
    ended = measured()
    ended[1].query = ""
    unknown = Splits(), Segment("", None, "", None)
    for splits, segment in (measured(until="k001500"), measured(prefix="k000"), unknown, ended):
        until = segment.until
        assert splits.split(segment, 4) is None
        assert (segment.left, segment.until) == (0.0, until)


@pytest.mark.parametrize("versions, is_new, at", [(True, False, "k"), (False, False, None),
                                                  (True, True, None)])
def test_a_page_of_one_key(versions, is_new, at):
    """What follows the key can be listed while its versions are."""
    splits, segment = measured(["k"] * 10, None, versions=versions)
    segment.is_new = is_new
    assert splits.guess(segment, 4) == at


@given(st.lists(st.text("ab/0\u00e9", min_size=1, max_size=6), min_size=2, max_size=30,
                unique=True), st.integers(1, 50), st.none() | st.text("ab/0\u00e9", max_size=4),
       st.sampled_from(["", "a", "a/"]), st.booleans())
def test_every_guess_is_in_the_range(keys, pages, until, prefix, versions):
    """After what came (of versions: with its last key), before the end, with the prefix."""
    keys.sort()
    until = keys[-1] + until if until else None
    splits, segment = measured(keys, until, prefix=prefix, versions=versions)
    at = splits.guess(segment, pages)
    assert at is None or ((at >= keys[-1] if versions else at > keys[-1]) and at.startswith(prefix)
                          and (until is None or at < until))


def test_trust():
    """Each wrong guess costs more pages without any; and it can end."""
    splits, pauses = Splits(), []
    for _ in range(6):
        assert splits.are_trusted
        splits.doubt()
        pages = 0
        while not splits.are_trusted:
            splits.count_page()
            pages += 1
        pauses.append(pages)
    assert pauses == [4, 16, 64, 256, 256, 256]
    splits.is_off = True
    assert not splits.are_trusted
