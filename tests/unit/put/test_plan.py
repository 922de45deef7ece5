"""Into which parts a file is cut: S3's limits at both ends, and nothing left out."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s3kit.errors import Fault
from s3kit.proof.digest import LEAF
from s3kit.put.plan import LARGEST, LARGEST_PART, MOST_PARTS, part_size, parts_of

MIB, GIB = 1 << 20, 1 << 30
BORDER = 10_000 * 8 * MIB           # 78.1 GiB: what parts of 8 MiB reach
WIDE = 10_000 * 64 * MIB            # 625 GiB

# bytes of the file, what is wanted, bytes of a part, how many parts, bytes of the last
PLANS = [(0, 0, 8 * MIB, 1, 0), (1, 0, 8 * MIB, 1, 1),
         (8 * MIB - 1, 0, 8 * MIB, 1, 8 * MIB - 1), (8 * MIB, 0, 8 * MIB, 1, 8 * MIB),
         (8 * MIB + 1, 0, 8 * MIB, 2, 1), (16 * MIB, 0, 8 * MIB, 2, 8 * MIB),
         (BORDER, 0, 8 * MIB, 10_000, 8 * MIB),
         (BORDER - 8 * MIB + 1, 0, 8 * MIB, 10_000, 1),
         (BORDER + 1, 0, 16 * MIB, 5_001, 1),
         (WIDE, 0, 64 * MIB, 10_000, 64 * MIB), (WIDE + 1, 0, 72 * MIB, 8_889, 64 * MIB + 1),
         (48_828 * GIB, 0, 5000 * MIB, 10_000, 5000 * MIB - 128 * MIB),
         (LARGEST, 0, 5 * GIB, 10_000, 5 * GIB), (LARGEST - 1, 0, 5 * GIB, 10_000, 5 * GIB - 1),
         (GIB, 64 * MIB, 64 * MIB, 16, 64 * MIB), (GIB + 5, 64 * MIB, 64 * MIB, 17, 5),
         (WIDE + 1, 64 * MIB, 72 * MIB, 8_889, 64 * MIB + 1), (1, 5 * GIB, 5 * GIB, 1, 1)]


@pytest.mark.parametrize("size, wanted, step, count, last", PLANS)
def test_a_plan(size, wanted, step, count, last):
    """The least that is enough, or what is wanted where that is."""
    assert part_size(size, wanted) == step
    parts = parts_of(size, step)
    number, start, end = parts[-1]
    assert (len(parts), number, end - start, end) == (count, count, last, size)


def test_the_limits():
    """48.8 TiB are 10,000 parts of 5 GiB."""
    assert LARGEST == MOST_PARTS * LARGEST_PART == 10_000 * 5 * GIB


@pytest.mark.parametrize("wanted", [0, LEAF, LARGEST_PART])
def test_what_is_too_large(wanted):
    """One byte more has no plan; both sizes are said."""
    with pytest.raises(Fault, match=r"^the file has 53,687,091,200,001 bytes, and S3 takes "
                                    r"53,687,091,200,000 \(49T\) at most$"):
        part_size(LARGEST + 1, wanted)


def test_parts_that_a_server_wants_smaller():
    """512 MB at most: whole leaves of that, whatever is wanted, and as many as are needed."""
    most = 61 * LEAF
    assert most <= 512 * 10**6 < most + LEAF
    assert part_size(GIB, 5 * GIB, 512 * 10**6) == most
    assert part_size(GIB, 0, 512 * 10**6) == LEAF
    assert part_size(10_000 * most, 0, 512 * 10**6) == most
    with pytest.raises(Fault, match="and S3 takes 5,117,050,880,000 "):
        part_size(10_000 * most + 1, 0, 512 * 10**6)


SIZES = (st.integers(0, 3 * BORDER) | st.integers(0, LARGEST)
         | st.builds(lambda parts, more: min(LARGEST, max(0, parts * LEAF + more)),
                     st.integers(0, 30_000), st.integers(-1, 1)))


@given(SIZES, st.integers(0, LARGEST_PART // LEAF))
@example(LARGEST, LARGEST_PART // LEAF)
def test_any_plan(size, leaves):
    """No gap, no overlap, nothing too many; all parts but the last are alike, and begin where a
    leaf of our digest does.
    """
    step = part_size(size, leaves * LEAF)
    assert step % LEAF == 0 and max(LEAF, leaves * LEAF) <= step <= LARGEST_PART
    assert step == max(LEAF, leaves * LEAF) or -(-size // (step - LEAF)) > MOST_PARTS
    parts = parts_of(size, step)
    assert 1 <= len(parts) <= MOST_PARTS
    assert [number for number, _, _ in parts] == list(range(1, len(parts) + 1))
    assert [start for _, start, _ in parts] == [0, *(end for _, _, end in parts[:-1])]
    assert {end - start for _, start, end in parts[:-1]} <= {step}
    assert parts[-1][2] == size and parts[-1][2] - parts[-1][1] <= step
    assert size == 0 or parts[-1][2] > parts[-1][1]
