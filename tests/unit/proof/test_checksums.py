"""S3's checksums: check values from outside, and the same result however the bytes come."""

import base64

import pytest
from checkvalues import CHECK_VALUES, NINE, cut
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.proof.checksums import ALGORITHMS, CRC_BYTES, DIGEST_BYTES, combine_crc, hasher


def test_every_algorithm_has_a_check_value():
    """No algorithm goes untested."""
    assert set(CHECK_VALUES) == set(ALGORITHMS)


@pytest.mark.parametrize("algorithm, value", CHECK_VALUES.items())
def test_check_values(algorithm, value):
    """Each algorithm gives its published check value, in one piece, in nine, and from a memoryview.
    """
    for pieces in ([NINE], [NINE[i:i + 1] for i in range(9)], [memoryview(NINE)]):
        h = hasher(algorithm)
        for piece in pieces:
            h.update(piece)
        assert base64.b64encode(h.digest()).decode() == value


@pytest.mark.parametrize("algorithm", CRC_BYTES)
@settings(deadline=None)        # the first call loads awscrt
@given(first=st.binary(max_size=200), second=st.binary(max_size=200))
def test_crcs_of_parts_combine(algorithm, first, second):
    """The CRC of a whole follows from those of its parts, so that parallel ranges can be checked.
    """
    crcs = []
    for data in (first, second, first + second):
        crc = hasher(algorithm)
        crc.update(data)
        crcs.append(crc.value)
    assert combine_crc(algorithm, crcs[0], crcs[1], len(second)) == crcs[2]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(deadline=None)
@given(data=st.binary(max_size=100), places=st.lists(st.integers(0, 100), max_size=4))
def test_however_the_bytes_come(algorithm, data, places):
    """The digest depends on the bytes alone, and has the length that S3's field has."""
    whole, pieces = hasher(algorithm), hasher(algorithm)
    whole.update(data)
    for piece in cut(data, places):
        pieces.update(piece)
    assert whole.digest() == pieces.digest() and len(whole.digest()) == DIGEST_BYTES[algorithm]
