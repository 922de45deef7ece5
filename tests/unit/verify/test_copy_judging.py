"""What S3 says of a copy: row, ledger, answer and file, as tables."""

import pytest

from s3kit.disk.uploads import Upload
from s3kit.manifest.row import MISMATCH, MISSING, STORED, UNVERIFIABLE, Row
from s3kit.proof.claims import NO_CLAIM, claim_of
from s3kit.transfer.job import CHECKED, Outcome
from s3kit.transfer.put_job import LOOKED
from s3kit.verify.copy_judging import judge_copy, judge_read, same_checksum
from s3kit.verify.judging import READ

MD5, OTHER = "841a2d689ad86bd1611447453c22c6fc", "0123456789abcdef0123456789abcdef"     # of "body"
CRC = {"checksum_algorithm": "CRC32", "checksum_type": "FULL_OBJECT", "checksum": "2lp2Rg=="}
BAD = CRC | {"checksum": "AAAAAA=="}
UPLOAD = Upload("far", "k", "w", MD5, "b", "k", "v", "e", "b/k", 4, 9, 7, *CRC.values(), "d", "md5",
                "crc32", "2026-01-01T00:00:00Z")


def row_of(stored_at="s3://far/k?versionId=w", **columns):
    """Return a stored Row."""
    return Row("b", "k", "v", state=STORED, extra={"stored_at": stored_at},
               **{"size": "4", "etag": "e", "proof": "md5", "digest": "d"} | columns)


def seen_of(etag=MD5, size=4, claim=None, **more):
    """Return what S3 says of a copy."""
    claim = claim or claim_of("", "", "", etag, size)
    return Outcome(LOOKED, etag=etag, size=size, claim=claim, **more)


@pytest.mark.parametrize("row, upload, seen, state, proof", [
    ({}, {}, {}, STORED, "md5"), ({}, {}, {"etag": ""}, MISSING, ""),
    ({}, {"far_proof": ""}, {}, STORED, "md5"), ({}, {}, {"size": 5}, MISMATCH, ""),
    ({"size": ""}, None, {"size": 5}, READ, ""), ({"size": "5"}, None, {}, MISMATCH, ""),
    # S3's checksums of the object and of its copy, whatever the ledger knows
    (CRC, None, CRC, STORED, "crc32"), (CRC, {"proof": "size"}, CRC, STORED, "crc32"),
    (CRC, {}, BAD, MISMATCH, ""), (BAD, {}, CRC, MISMATCH, ""),
    # of the copy, then and now
    ({}, {}, CRC, STORED, "md5"), ({}, {}, CRC | {"etag": OTHER}, STORED, "md5"),
    ({}, {}, BAD, MISMATCH, ""), ({}, {"proof": "size"}, CRC, READ, ""),
    # ETags
    ({}, {}, {"etag": OTHER}, READ, ""), ({}, None, {}, READ, ""),
    ({"etag": MD5}, None, {}, STORED, "etag-md5"), ({"etag": OTHER}, None, {}, READ, ""),
    ({"etag": MD5}, None, {"claim": claim_of("", "", "", MD5, 4, md5_etag=False)}, UNVERIFIABLE,
     "size"),
    # nothing that could be compared
    ({}, None, {"claim": NO_CLAIM}, UNVERIFIABLE, "size"),
    ({}, {}, {"etag": OTHER, "claim": NO_CLAIM}, UNVERIFIABLE, "size"),
    ({}, {}, {"claim": NO_CLAIM}, STORED, "md5")])
def test_a_copy(row, upload, seen, state, proof):
    known = None if upload is None else UPLOAD._replace(**upload)
    verdict = judge_copy(row_of(**row), known, seen_of(**seen))
    assert (verdict.state, verdict.proof) == (state, proof if state == STORED else verdict.proof)
    assert bool(verdict.why) is (state not in (STORED, READ))


@pytest.mark.parametrize("one, other, same", [
    ({}, {}, True), ({}, {"checksum": "AAAAAA=="}, False), ({}, {"checksum": ""}, None),
    ({}, {"checksum_algorithm": "CRC32C"}, None), ({}, {"checksum_type": ""}, True),
    ({}, {"checksum_type": "", "checksum": "AAAAAA=="}, None),
    ({}, {"checksum_type": "COMPOSITE"}, None), ({}, {"checksum_algorithm": "crc32"}, True),
    ({"checksum_type": "COMPOSITE"}, {"checksum_type": "COMPOSITE"}, True),
    ({"checksum_type": "COMPOSITE"}, {"checksum_type": "COMPOSITE", "checksum": "x-2"}, None)])
def test_two_checksums(one, other, same):
    """Those of parts that differ say nothing of the bytes."""
    assert same_checksum(Row(**CRC | one), Outcome(LOOKED, **CRC | other)) is same


@pytest.mark.parametrize("row, claim, read, state, proof", [
    ({}, CRC, {"proof": "crc32"}, STORED, "crc32"),
    ({}, CRC, {"proof": "crc32", "digest": "x"}, MISMATCH, ""),
    ({}, CRC, {"proof": ""}, MISMATCH, ""),
    ({}, CRC, {"proof": "", "digest": "x"}, UNVERIFIABLE, ""),
    ({}, {}, {"proof": ""}, UNVERIFIABLE, ""), ({}, {}, {"proof": "size"}, UNVERIFIABLE, ""),
    ({"proof": "size"}, CRC, {"proof": "crc32"}, UNVERIFIABLE, ""),
    ({"digest": ""}, CRC, {"proof": "crc32"}, UNVERIFIABLE, ""),
    ({"digest": "", "stored_at": "s3://b/k?versionId=v"}, CRC, {"proof": "crc32"}, STORED, "crc32"),
    ({"digest": "md5:" + MD5}, CRC, {"proof": "crc32", "meets_given": True}, STORED, "given-md5"),
    ({"digest": "md5:" + MD5}, CRC, {"proof": "crc32", "meets_given": False}, MISMATCH, "")])
def test_a_file_that_was_read_for_its_copy(row, claim, read, state, proof):
    """A file that is another's says nothing of the copy."""
    claim = claim_of(claim.get("checksum_algorithm", ""), claim.get("checksum_type", ""),
                     claim.get("checksum", ""), OTHER, 4)
    verdict = judge_read(row_of(**row), claim, Outcome(CHECKED, size=4, **{"digest": "d"} | read))
    assert (verdict.state, verdict.proof) == (state, proof)
