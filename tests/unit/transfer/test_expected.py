"""What a row says of its file's bytes, held against them."""

import hashlib
import zlib

import pytest
from checkvalues import cut
from fakes3 import b64
from hypothesis import given
from hypothesis import strategies as st

from s3kit.proof.claims import claim_of
from s3kit.proof.digest import digest_of
from s3kit.transfer.expected import DIFFERS, DOUBTFUL, MISMATCH, Expected, Held

BODY, OTHER = b"the bytes of a file", b"the bytes of a fire"


def crc(body):
    """Return S3's claim of a CRC-32."""
    return claim_of("CRC32", "FULL_OBJECT", b64(zlib.crc32(body).to_bytes(4, "big")), "", len(body))


def etag(body):
    """Return the claim of an MD5 ETag."""
    return claim_of("", "", "", hashlib.md5(body).hexdigest(), len(body))


def md5(body):
    """Return a given digest."""
    return f"md5:{hashlib.md5(body).hexdigest()}"


def held(expected, body=BODY):
    """Return Held with all bytes of a body."""
    made = Held(expected, len(body))
    for piece in cut(body, (3, 7)):
        made.update(piece)
    return made


@pytest.mark.parametrize("expected, proof", [
    (Expected(), ""), (Expected(digest_of(BODY)), "digest"), (Expected(claim=crc(BODY)), "crc32"),
    (Expected(claim=etag(BODY)), "etag-md5"), (Expected(given=md5(BODY)), "given-md5"),
    (Expected(claim=crc(BODY), given=md5(BODY)), "crc32"),
    (Expected(digest_of(BODY), given=md5(BODY)), "digest")])
def test_bytes_that_are_the_rows(expected, proof):
    """And by what that is known, the strongest."""
    made = held(expected)
    assert made.verdict(digest_of(BODY)) is None and made.proof() == proof


@pytest.mark.parametrize("expected, state, why", [
    (Expected(digest_of(OTHER)), MISMATCH, DIFFERS),
    (Expected(claim=crc(OTHER)), MISMATCH, "the bytes do not match S3's crc32"),
    (Expected(claim=etag(OTHER)), DOUBTFUL,
     "the bytes do not match S3's etag-md5, which may be wrong itself"),
    (Expected(given=md5(OTHER)), MISMATCH, "the bytes do not match the given md5"),
    # one that fits does not make up for another
    (Expected(claim=crc(BODY), given=md5(OTHER)), MISMATCH, "the bytes do not match the given md5"),
    (Expected(claim=crc(OTHER), given=md5(BODY)), MISMATCH, "the bytes do not match S3's crc32"),
    (Expected(digest_of(BODY), given=md5(OTHER)), MISMATCH,
     "the bytes do not match the given md5"),
    (Expected(claim=etag(OTHER), given=md5(OTHER)), MISMATCH,
     "the bytes do not match the given md5")])
def test_bytes_that_are_not(expected, state, why):
    """What was derived of S3's word may be wrong itself."""
    assert held(expected).verdict(digest_of(BODY)) == (state, why)


def test_a_claim_is_not_needed_beside_our_digest():
    """It was taken of bytes that were checked as they came."""
    made = Held(Expected(digest_of(BODY), crc(OTHER)), len(BODY))
    assert made.is_idle
    made.update(BODY)
    assert made.verdict(digest_of(BODY)) is None and made.proof() == "digest"


@pytest.mark.parametrize("expected, is_idle", [
    (Expected(), True), (Expected(digest_of(BODY)), True), (Expected(claim=crc(BODY)), False),
    (Expected(given=md5(BODY)), False), (Expected(digest_of(BODY), given=md5(BODY)), False)])
def test_whether_bytes_must_be_read_for_it(expected, is_idle):
    """Our digest is taken anyway."""
    assert Held(expected, 5).is_idle is is_idle


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_no_other_bytes_pass(body, other):
    """By any of the three."""
    for expected in (Expected(digest_of(other)), Expected(claim=crc(other)),
                     Expected(given=md5(other))):
        found = held(expected, body).verdict(digest_of(body))
        assert (found is None) == (body == other)
