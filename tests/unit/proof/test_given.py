"""Digests that another program took: read, and held against bytes."""

import hashlib

import pytest
import xxhash

from s3kit.proof.digest import digest_of
from s3kit.proof.given import (
    Given,
    given,
    is_by_given,
    is_given,
    parted,
    proof_of,
    taken_apart,
)

BODY = b"123456789"
DIGESTS = [f"{name}:{hashlib.new(name, BODY).hexdigest()}"
           for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b")] + [
    f"blake2b:{hashlib.blake2b(BODY, digest_size=20).hexdigest()}",
    f"xxh32:{xxhash.xxh32_hexdigest(BODY)}", f"xxh64:{xxhash.xxh64_hexdigest(BODY)}",
    f"xxh3:{xxhash.xxh3_64_hexdigest(BODY)}", f"xxh128:{xxhash.xxh3_128_hexdigest(BODY)}"]


@pytest.mark.parametrize("digest", DIGESTS)
def test_each_kind(digest):
    """Of the whole bytes, in whatever pieces; capitals are read."""
    kind, text = taken_apart(digest)
    assert is_given(digest) and given(kind, text.upper()) == digest
    assert parted(digest) == ("", digest)
    assert is_by_given(proof_of(digest)) and proof_of(digest) == f"given-{kind}"
    for body, is_met in ((BODY, True), (BODY + b"0", False), (b"", False)):
        check = Given(digest)
        check.update(body[:4])
        check.update(body[4:])
        assert check.is_met() is is_met


def test_what_is_not_given():
    """Our own, and nothing."""
    assert not is_given(digest_of(BODY)) and not is_given("")
    assert parted(digest_of(BODY)) == (digest_of(BODY), "") and parted("") == ("", "")
    assert not is_by_given("sha256") and not is_by_given("digest")


@pytest.mark.parametrize("digest", ["md5:", "md5:12", "sha3-256:" + "0" * 64, "md5:" + "g" * 32,
                                    "md5: " + "0" * 32, "blake2b:", "blake2b:" + "0" * 130,
                                    "md5:" + "00 " * 16])
def test_what_cannot_be_read(digest):
    """It is given, and nobody can compare with it."""
    assert is_given(digest) and taken_apart(digest) is None and parted(digest) == ("", "")
