"""Into which ranges an object is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.proof.digest import LEAF
from s3kit.transfer.sizes import LARGE, RANGE_LEAST, RANGE_MOST, ranges_of, step_of

MIB = 1 << 20
SIZES = st.integers(0, 200 << 30)
PARTS = st.sampled_from([0, 5 * MIB, 8 * MIB, 16_000_000, 100 * MIB, 5 << 30])
JOBS = st.integers(1, 64)


@given(st.integers(0, 4 << 30), PARTS, JOBS)
def test_ranges_are_the_object(size, part, jobs):
    """They follow each other from its first byte to its last, and none is empty."""
    ranges = ranges_of(size, part, jobs)
    assert [start for start, _ in ranges] == [0, *(end for _, end in ranges)][:len(ranges)]
    assert all(start < end for start, end in ranges)
    assert (ranges[-1][1] if ranges else 0) == size


@given(SIZES, PARTS, JOBS)
def test_borders_fall_where_the_check_needs_them(size, part, jobs):
    """On parts, or on leaves of our digest; a range is of 16 to 64 MiB as far as these allow."""
    step, unit = step_of(size, part, jobs), part or LEAF
    assert step % unit == 0
    assert step == unit or RANGE_LEAST - unit < step <= RANGE_MOST


@pytest.mark.parametrize("size, part, jobs, step", [
    (LARGE, 0, 2, RANGE_LEAST), (1 << 30, 0, 4, RANGE_MOST), (1 << 30, 0, 10, 24 * MIB),
    (1 << 30, 100 * MIB, 4, 100 * MIB), (1 << 30, 5 * MIB, 4, 30 * MIB), (0, 0, 1, RANGE_LEAST)])
def test_steps(size, part, jobs, step):
    """A share of a quarter for each worker, so that none is left alone with the last."""
    assert step_of(size, part, jobs) == step
