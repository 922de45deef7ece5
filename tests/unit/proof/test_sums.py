"""Checksums of bytes in memory, and what S3's word on the object proves of them."""

import base64
import hashlib
import zlib

import pytest
from checkvalues import CHECK_VALUES, NINE

from s3kit.proof import sums as module
from s3kit.proof.claims import NO_CLAIM, claim_of
from s3kit.proof.sums import Sums

BODY, OTHER = b"the bytes that are sent", b"the bytes that are seen"


def b64(data):
    """Return base64 as S3 has it."""
    return base64.b64encode(data).decode()


def one_part(data):
    """Return the ETag of a multipart upload of one part."""
    return hashlib.md5(hashlib.md5(data).digest()).hexdigest() + "-1"


@pytest.mark.parametrize("algorithm", CHECK_VALUES)
def test_published_check_values(algorithm):
    """Of the buffer's first bytes, and of no more."""
    sums = Sums(bytearray(NINE + b"left by others"), len(NINE))
    assert sums.base64(algorithm) == CHECK_VALUES[algorithm]
    assert sums.of(algorithm) == base64.b64decode(CHECK_VALUES[algorithm])


def test_nothing():
    """It has checksums, too."""
    assert Sums(b"", 0).of("md5") == hashlib.md5().digest()
    assert Sums(b"x", 0).of("crc32") == bytes(4)


def test_each_is_computed_once(monkeypatch):
    """And only what is asked for."""
    made = []
    hasher = module.hasher
    monkeypatch.setattr(module, "hasher", lambda name: made.append(name) or hasher(name))
    sums = Sums(BODY, len(BODY))
    assert not made
    for _ in range(3):
        assert sums.of("crc32") == zlib.crc32(BODY).to_bytes(4, "big")
        assert sums.base64("crc32") and sums.base64("md5")
    assert made == ["crc32", "md5"]


def crc(data):
    """Return S3's claim of a CRC-32 of the whole."""
    return claim_of("CRC32", "FULL_OBJECT", b64(zlib.crc32(data).to_bytes(4, "big")), "", 1)


def sha(data, kind="FULL_OBJECT", more=""):
    """Return S3's claim of a SHA-256."""
    return claim_of("SHA256", kind, b64(hashlib.sha256(data).digest()) + more, "", 1)


def etag(text, size=len(BODY)):
    """Return the claim of an ETag."""
    return claim_of("", "", "", text, size)


@pytest.mark.parametrize("claim, proof", [
    (crc(BODY), "crc32"), (crc(OTHER), ""),
    (sha(BODY), "sha256"), (sha(OTHER), ""),
    (sha(hashlib.sha256(BODY).digest(), "COMPOSITE", "-1"), "sha256-parts"),
    (sha(hashlib.sha256(OTHER).digest(), "COMPOSITE", "-1"), ""),
    # of many parts nobody can tell from the whole
    (sha(hashlib.sha256(BODY).digest(), "COMPOSITE", "-2"), None),
    (sha(hashlib.sha256(BODY).digest(), "COMPOSITE", "-2").with_sizes([20, 3]), None),
    (etag(one_part(BODY)[:-1] + "2"), None),
    # an ETag that does not fit may be no MD5
    (etag(hashlib.md5(BODY).hexdigest()), "etag-md5"),
    (etag(hashlib.md5(OTHER).hexdigest()), None),
    (etag(hashlib.md5(OTHER).hexdigest())._replace(is_derived=False), None),
    (etag(one_part(BODY)), f"etag-md5-parts:{len(BODY)}"), (etag(one_part(OTHER)), None),
    # a checksum of an object of parts, of which nobody says what it is of
    (claim_of("CRC32", "", b64(bytes(4)), one_part(BODY), 1), None),
    (NO_CLAIM, None), (etag("no-md5"), None)])
def test_what_a_claim_proves(claim, proof):
    """S3's own word proves or disproves; what was derived of it proves, or says nothing."""
    assert Sums(BODY + b"more", len(BODY)).proof_by(claim) == proof
