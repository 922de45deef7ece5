"""Samples: of the right size, in order, the same with the same seed, and fair."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Cut
from s3kit.filter.sampling import Sample


def sample(batches, count, seed=None):
    """Return the rows of a sample."""
    return [row for rows in Sample(count, seed)(iter(batches)) for row in rows]


@given(st.integers(0, 30), st.integers(1, 10), st.integers(1, 12), st.integers(0, 9))
@settings(max_examples=100)
def test_rows_in_their_order_whatever_the_batches(rows, step, count, seed):
    batches = [list(range(rows))[at:at + step] for at in range(0, rows, step)]
    found = sample(batches, count, seed)
    assert found == sorted(set(found)) and len(found) == min(rows, count)
    assert found == sample([range(rows)], count, seed)


def test_a_seed_takes_the_same_rows_for_ever():
    assert sample([range(1000)], 5, 7) == [232, 258, 545, 650, 787]


def test_every_row_is_as_likely():
    """Each of ten rows is in about three of ten samples of three."""
    found = Counter(row for seed in range(2000) for row in sample([range(10)], 3, seed))
    assert len(found) == 10 and all(520 < times < 680 for times in found.values())


def test_a_cut_input():
    """What is known of the rows that came, then Cut."""
    def cut():
        yield [1, 2]
        raise Cut("cut")
    found = []
    with pytest.raises(Cut):
        for rows in Sample(5)(cut()):
            found += rows
    assert found == [1, 2]
