"""A body while it comes: the likeliest size of parts, and the others where that is not right."""

import hashlib

import pytest

from s3kit.proof.claims import NO_CLAIM, etag_claim
from s3kit.proof.digest import digest_of
from s3kit.transfer.body import Body

MIB = 1 << 20
DATA = hashlib.sha256(b"seed").digest() * (10 * MIB // 32)


def claim_of_parts(*sizes):
    """Return the Claim of an object of these parts, whose sizes are not known."""
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    md5s = b"".join(hashlib.md5(DATA[at:at + size]).digest() for at, size in zip(starts, sizes))
    return etag_claim(f"{hashlib.md5(md5s).hexdigest()}-{len(sizes)}", sum(sizes))


def proof_of(body, data, folder):
    """Return the proof of data that came in pieces, and was written."""
    for at in range(0, len(data), 3 * MIB):
        body.update(data[at:at + 3 * MIB])
    with open(folder / "part", "w+b") as part:
        part.write(data)
        part.flush()
        return body.proof(part.fileno(), lambda: bytearray(MIB))


@pytest.mark.parametrize("sizes, likely, proof", [
    ((8, 2), 0, "etag-md5-parts:8388608"), ((6, 4), 6, "etag-md5-parts:6291456"),
    ((6, 4), 0, "etag-md5-parts:6291456"), ((8, 2), 6, "etag-md5-parts:8388608"),
    ((4, 6), 0, "size")])
def test_parts_of_one_size_and_not(tmp_path, sizes, likely, proof):
    """What is tried first makes no difference to the proof."""
    claim = claim_of_parts(*(size * MIB for size in sizes))
    body = Body(claim, len(DATA), likely * MIB)
    assert proof_of(body, DATA, tmp_path) == proof and body.digest_text() == digest_of(DATA)
    wrong = Body(claim, len(DATA), likely * MIB)
    assert proof_of(wrong, DATA[:-1] + b"!", tmp_path) == "size"


def test_a_size_that_was_told(tmp_path):
    """It is held to."""
    claim = claim_of_parts(6 * MIB, 4 * MIB)
    assert proof_of(Body(claim.with_part_size(5 * MIB), len(DATA)), DATA, tmp_path) == ""


@pytest.mark.parametrize("data", [b"", b"abc"])
def test_all_at_once(tmp_path, data):
    """As it comes in memory; of nothing nothing need come."""
    body = Body(etag_claim(hashlib.md5(data).hexdigest(), len(data)), len(data))
    body.take(data)
    assert (body.proof(-1, None), body.digest_text()) == ("etag-md5", digest_of(data))
    assert Body(NO_CLAIM, 0).digest_text() == digest_of(b"")
