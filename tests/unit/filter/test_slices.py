"""The first rows and the others, whatever the batches."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Cut
from s3kit.filter.slices import First, Skip

BATCHES = st.lists(st.lists(st.integers(), min_size=1, max_size=4), max_size=5)


def flat(batches):
    """Return all rows of all batches."""
    return [row for rows in batches for row in rows]


@given(BATCHES, st.integers(0, 12), st.integers(1, 12))
@settings(max_examples=100)
def test_as_a_list_has_it(batches, skipped, first):
    found = list(First(first)(Skip(skipped)(iter(batches))))
    assert flat(found) == flat(batches)[skipped:][:first] and all(found)


def cut(*batches):
    """Yield batches, then say that the input was cut."""
    yield from batches
    raise Cut("cut")


def test_no_more_is_read_than_it_takes():
    """What comes after the last row that is wanted is not looked at."""
    assert flat(First(2)(cut([1], [2]))) == [1, 2]
    with pytest.raises(Cut):
        list(First(3)(cut([1], [2])))
