"""Our digest: the same result however the bytes come."""

from unittest import mock

import xxhash
from checkvalues import cut
from hypothesis import given
from hypothesis import strategies as st

from s3kit.proof import digest
from s3kit.proof.digest import LEAF, OURS, Digest, join_leaves

MIB = 1 << 20


@given(st.binary(max_size=100), st.lists(st.integers(0, 1000), max_size=10), st.integers(1, 30))
def test_our_digest_however_the_bytes_are_cut(data, places, leaf):
    """The digest depends on the bytes alone; the leaves are what their bytes give by themselves."""
    with mock.patch.object(digest, "LEAF", leaf):
        whole, cuts = Digest(), Digest()
        whole.update(data)
        for piece in cut(data, places):
            cuts.update(piece)
        assert cuts.text() == whole.text()
        assert whole.all_leaves() == [xxhash.xxh3_128_digest(data[i:i + leaf])
                                      for i in range(0, len(data), leaf)]


def test_our_digest_of_real_leaves():
    """Over 8 MiB leaves, xxh3-128 of the leaves' digests where there is more than one."""
    assert LEAF == 8 * MIB
    data = bytes(range(256)) * (2 * LEAF // 256) + b"tail"
    ours = Digest()
    for start in range(0, len(data), 3_000_001):
        ours.update(memoryview(data)[start:start + 3_000_001])
    leaves = [xxhash.xxh3_128_digest(data[i:i + LEAF]) for i in (0, LEAF, 2 * LEAF)]
    assert ours.text() == OURS + xxhash.xxh3_128_hexdigest(b"".join(leaves))
    one = Digest()
    one.update(data[:LEAF])
    assert one.text() == OURS + leaves[0].hex()


def test_our_digest_of_nothing():
    """An empty file has the digest of no bytes."""
    assert Digest().text() == join_leaves([]) == OURS + "99aa06d3014798d86001c324468d497f"
