"""What the parts of an upload add up to, by rules that are written down here once more."""

import base64
import hashlib
import os
import zlib

import pytest
import xxhash
from checkvalues import CHECK_VALUES, NINE
from hypothesis import given
from hypothesis import strategies as st

from s3kit.proof.checksums import hasher
from s3kit.proof.claims import NO_CLAIM, claim_of
from s3kit.proof.digest import LEAF, digest_of
from s3kit.put.multipart import Multipart

MIB = 1 << 20
# What S3 itself said of a composite: parts of 5, 5 and 1 MiB, seen in
# https://github.com/floci-io/floci/issues/3083
SEEN = ("lcKa6Boe7a167tUCN5C4OaFygGSYD8MBnBARTrdL+1w=",
        "gHjhbUT4oo2tSCtSZJdlKi+jeNXJT+VImqdPXsXvkOc=",
        "4l9PQ3zOPZ0oGFvknFX+J4zZwE4WMzO+l3r8XrbWOeM=")
SEEN_WHOLE = "rVWtNbadtsaKXJAcgWPWjifHzJaXde/iV4jaJAOdivc=-3"
BODY = bytes(range(256)) * 5
BODIES = st.binary(max_size=200)
STEPS = st.integers(1, 70)


def pieces_of(number, data, algorithm, md5=True):
    """Return what a worker says of a part with these bytes."""
    made = hasher(algorithm)
    made.update(data)
    leaves = b"".join(xxhash.xxh3_128_digest(data[at:at + LEAF])
                      for at in range(0, len(data), LEAF))
    return {"number": number, "size": len(data), "etag": hashlib.md5(data).hexdigest(),
            "checksum": made.digest().hex(), "leaves": leaves.hex(),
            "md5": hashlib.md5(data).hexdigest() if md5 else ""}


def uploaded(data, step, algorithm, md5=True):
    """Return a Multipart of which S3 has all parts, which came in any order."""
    made = Multipart("id", len(data), step, algorithm, "token")
    for number, start, end in reversed(made.all):
        made.took(pieces_of(number, data[start:end], algorithm, md5))
    assert made.is_whole
    return made


def b64(data):
    """Return base64 as S3 has it."""
    return base64.b64encode(data).decode()


def composite(algorithm, data, step):
    """Return the checksum of the parts' checksums."""
    sums = b"".join(hashlib.new(algorithm, data[at:at + step]).digest()
                    for at in range(0, max(1, len(data)), step))
    return hashlib.new(algorithm, sums).digest()


# --- parts that are handed out


def test_parts_are_handed_out_once():
    """In their order; those that S3 has already are not."""
    made = Multipart("id", 100, 30, "crc32", "t")
    made.took(pieces_of(2, b"x" * 30, "crc32"))
    assert made.next_part() == (1, 0, 30)
    assert made.next_part() == (3, 60, 90)
    made.took(pieces_of(4, b"x" * 10, "crc32"))
    assert made.next_part() is None and made.next_part() is None
    assert not made.is_whole
    made.took(pieces_of(1, b"x" * 30, "crc32"))
    assert not made.is_whole
    made.took(pieces_of(3, b"x" * 30, "crc32"))
    assert made.is_whole and made.pending == 0


def test_a_part_that_came_twice_counts_once():
    """What S3 said last is what it has."""
    made = Multipart("id", 60, 30, "md5", "t")
    made.took(pieces_of(1, b"x" * 30, "md5"))
    made.took(pieces_of(1, b"y" * 30, "md5"))
    assert not made.is_whole
    made.took(pieces_of(2, b"z" * 30, "md5"))
    assert made.completion()[0][0] == (1, hashlib.md5(b"y" * 30).hexdigest(), "")


# --- checksums of the whole


@given(BODIES, STEPS)
def test_the_crc_of_parts_is_that_of_the_whole(data, step):
    """As zlib has it, however the bytes were cut."""
    whole = zlib.crc32(data).to_bytes(4, "big")
    made = uploaded(data, step, "crc32")
    assert made.checksum() == whole
    _, checksum, kind = made.completion()
    assert (checksum, kind) == (b64(whole), "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme"])
@pytest.mark.parametrize("step", [1, 2, 4, 8, 9, 100])
def test_published_check_values(algorithm, step):
    """Of `123456789`, in parts of any size."""
    parts, checksum, kind = uploaded(NINE, step, algorithm).completion()
    assert (checksum, kind) == (CHECK_VALUES[algorithm], "FULL_OBJECT")
    assert [number for number, _, _ in parts] == list(range(1, -(-9 // step) + 1))
    assert all(text and "-" not in text for _, _, text in parts)


@given(BODIES, STEPS, st.sampled_from(["sha1", "sha256"]))
def test_a_composite(data, step, algorithm):
    """S3 combines CRCs alone: of others it is the checksum of the checksums."""
    parts, checksum, kind = uploaded(data, step, algorithm).completion()
    assert (checksum, kind) == (
        f"{b64(composite(algorithm, data, step))}-{len(parts)}", "COMPOSITE")
    assert [text for _, _, text in parts] == [
        b64(hashlib.new(algorithm, data[at:at + step]).digest())
        for at in range(0, max(1, len(data)), step)]


def test_a_composite_that_s3_gave():
    """Seen on the wire."""
    made = Multipart("id", 11 * MIB, 5 * MIB, "sha256", "t")
    for number, text in enumerate(SEEN, 1):
        made.took({"number": number, "size": 0, "etag": f"e{number}", "md5": "", "leaves": "",
                   "checksum": base64.b64decode(text).hex()})
    assert made.completion() == (
        tuple((number, f"e{number}", text) for number, text in enumerate(SEEN, 1)),
        SEEN_WHOLE, "COMPOSITE")
    for text in (SEEN_WHOLE, SEEN_WHOLE.removesuffix("-3")):
        claim = claim_of("SHA256", "COMPOSITE", text, "", 11 * MIB)
        assert made.proof_by(claim) == "sha256-parts:5242880"
    assert made.proof_by(claim_of("SHA256", "COMPOSITE", SEEN_WHOLE[:-1] + "2", "", 1)) is None


def test_md5_is_no_checksum_of_s3s():
    """Neither the parts nor the whole have one in the completion."""
    made = uploaded(BODY, 500, "md5")
    parts, checksum, kind = made.completion()
    assert (checksum, kind) == ("", "")
    assert parts == tuple((number, hashlib.md5(BODY[at:at + 500]).hexdigest(), "")
                          for number, at in enumerate(range(0, len(BODY), 500), 1))


@pytest.mark.parametrize("size", [0, 1, LEAF - 1, LEAF, LEAF + 1, 2 * LEAF, 3 * LEAF + 7])
@pytest.mark.parametrize("leaves", [1, 2])
def test_our_digest(size, leaves):
    """That of the file, whichever part came first."""
    data = os.urandom(1024) * (size // 1024) + b"x" * (size % 1024)
    assert uploaded(data, leaves * LEAF, "crc32", md5=False).digest() == digest_of(data)


# --- what S3 says of the whole


def full(algorithm, data):
    """Return S3's claim of all bytes."""
    made = hasher(algorithm)
    made.update(data)
    return claim_of(algorithm.upper(), "FULL_OBJECT", b64(made.digest()), "", len(data))


def parted(algorithm, data, step):
    """Return S3's claim of parts."""
    count = -(-len(data) // step)
    return claim_of(algorithm.upper(), "COMPOSITE",
                    f"{b64(composite(algorithm, data, step))}-{count}", "", len(data))


def by_etag(data, step):
    """Return the claim of a multipart upload's ETag."""
    count = -(-len(data) // step)
    return claim_of("", "", "", f"{composite('md5', data, step).hex()}-{count}", len(data))


OTHER = BODY[:-1] + b"!"


@pytest.mark.parametrize("algorithm, claim, proof", [
    ("crc32", full("crc32", BODY), "crc32"), ("crc32", full("crc32", OTHER), ""),
    ("crc64nvme", full("crc64nvme", BODY), "crc64nvme"),
    ("crc64nvme", full("crc64nvme", OTHER), ""),
    # of another kind than was sent: the bytes must be read for it
    ("crc32", full("crc64nvme", BODY), None), ("crc32", full("crc64nvme", OTHER), None),
    ("sha256", full("crc64nvme", BODY), None), ("md5", full("crc64nvme", BODY), None),
    # a whole MD5 is not made of parts'
    ("md5", claim_of("", "", "", hashlib.md5(BODY).hexdigest(), len(BODY)), None),
    ("sha256", full("sha256", BODY), None),
    # of parts
    ("sha256", parted("sha256", BODY, 500), "sha256-parts:500"),
    ("sha256", parted("sha256", OTHER, 500), None), ("sha256", parted("sha256", BODY, 499), None),
    ("sha1", parted("sha256", BODY, 500), None), ("crc32", parted("sha256", BODY, 500), None),
    # an ETag is made of MD5s, where they are known
    ("crc32", by_etag(BODY, 500), "etag-md5-parts:500"), ("crc32", by_etag(OTHER, 500), None),
    ("md5", by_etag(BODY, 500), "etag-md5-parts:500"), ("md5", by_etag(OTHER, 500), None),
    ("sha256", by_etag(BODY, 500), "etag-md5-parts:500"),
    ("md5", by_etag(BODY, 640), None), ("crc32", NO_CLAIM, None)])
def test_what_s3_says_of_the_whole(algorithm, claim, proof):
    """What is wrong by S3's own word is wrong; an ETag that does not fit may be none of MD5s."""
    assert uploaded(BODY, 500, algorithm).proof_by(claim) == proof


def test_an_etag_where_md5s_are_not_known():
    """They were not taken of parts whose checksum S3 has said."""
    claim = by_etag(BODY, 500)
    made = uploaded(BODY, 500, "crc32", md5=False)
    assert made.proof_by(claim) is None
    last = made.all[-1]
    mixed = uploaded(BODY, 500, "crc32")
    mixed.took(pieces_of(last[0], BODY[last[1]:], "crc32", md5=False))
    assert mixed.proof_by(claim) is None


@given(st.binary(min_size=1, max_size=200), STEPS, st.integers(0, 199), st.integers(1, 255))
def test_no_wrong_byte_is_proven(data, step, at, flip):
    """Whatever is claimed of other bytes, no proof comes of it."""
    other = bytearray(data)
    other[at % len(data)] ^= flip
    other = bytes(other)
    for algorithm in ("crc32", "sha256", "md5"):
        made = uploaded(data, step, algorithm)
        for claim in (full("crc32", other), parted("sha256", other, step), by_etag(other, step)):
            assert not made.proof_by(claim)
