"""What a file's bytes are worth, as tables."""

from types import SimpleNamespace

import pytest

from s3kit.manifest.row import LISTED, MISMATCH, UNVERIFIABLE, VERIFIED, Row
from s3kit.proof.claims import NO_CLAIM, claim_of
from s3kit.transfer.job import CHECKED, Outcome
from s3kit.verify.judging import (
    ASK,
    MEASURE,
    READ,
    as_proven,
    judge,
    judge_by_answer,
    judge_folder,
)
from s3kit.verify.file_errand import FileErrand

MD5 = claim_of("", "", "", "0" * 32, 5)
CRC = claim_of("CRC32", "FULL_OBJECT", "AAAAAA==", "", 5)
PARTS = claim_of("", "", "", "0" * 32 + "-2", 5).with_part_size(3)
SUMS = claim_of("CRC32", "COMPOSITE", "AAAAAA==-2", "", 5).with_sizes((3, 2))


def errand(claim=NO_CLAIM, digest="", asked=False, state=LISTED, proof="", measured=False):
    """Return the errand of a file of 5 bytes, `digest` and `proof` recorded of it."""
    made = FileErrand(Row("b", "k", digest=digest, state=state, proof=proof), "b/k",
                      SimpleNamespace(st_size=5), None)
    made.claim, made.is_asked, made.is_measured = claim, asked, measured
    return made


def read(proof, size=5, digest="d"):
    """Return what a worker found in a file."""
    return Outcome(CHECKED, size=size, proof=proof, digest=digest)


@pytest.mark.parametrize("made,found,state,proof", [
    (errand(CRC), read("crc32"), VERIFIED, "crc32"),
    (errand(CRC), read("crc32", size=4), MISMATCH, ""),  # it changed while it was read
    (errand(CRC), read(""), MISMATCH, ""),
    (errand(CRC, "other"), read(""), MISMATCH, ""),
    (errand(MD5), read(""), ASK, ""),  # an ETag that looks like an MD5 may be none
    (errand(MD5, asked=True), read(""), MISMATCH, ""),
    # what was fetched, and S3 does not say more
    (errand(MD5, "d", asked=True), read(""), VERIFIED, "digest"),
    (errand(digest="d"), read("size"), VERIFIED, "digest"),
    (errand(digest="e"), read("size"), MISMATCH, ""),
    (errand(), read("size"), UNVERIFIABLE, "size"),
    # its digest was only read from the file
    (errand(digest="d", state=UNVERIFIABLE), read("size"), UNVERIFIABLE, "size"),
    (errand(digest="e", state=UNVERIFIABLE), read("size"), MISMATCH, "")])
def test_judge(made, found, state, proof):
    """By the claim, by our digest, or not at all."""
    verdict = judge(made, found)
    assert ((verdict.state, verdict.proof) == (state, proof)
            and (verdict.why or state in (VERIFIED, ASK)))


@pytest.mark.parametrize("made, state, is_derived", [
    (errand(PARTS), MEASURE, False),  # its parts may be of other sizes
    (errand(PARTS, measured=True), UNVERIFIABLE, False),
    (errand(PARTS, "d", measured=True), VERIFIED, False),
    (errand(PARTS, "e", measured=True), MISMATCH, False),  # our own record says so
    (errand(SUMS), MISMATCH, False),  # S3 has told the sizes
    (errand(PARTS._replace(is_derived=False)), MISMATCH, True),
    (errand(MD5, asked=True), MISMATCH, True),
    # s3-fetch found that S3's bytes are not the MD5 either
    (errand(MD5, "d", state=UNVERIFIABLE, asked=True, proof="size"), UNVERIFIABLE, False),
    (errand(MD5, "e", state=UNVERIFIABLE, asked=True, proof="size"), MISMATCH, True)])
def test_a_derived_claim(made, state, is_derived):
    """It is not S3's word: no file goes for it."""
    assert judge(made, read(""))[::3] == (state, is_derived)


@pytest.mark.parametrize("made,has_answer,state", [
    # encrypted under a key of KMS: its ETag is not an MD5
    (errand(NO_CLAIM, "d", True), True, VERIFIED),
    (errand(NO_CLAIM, "e", True), True, MISMATCH),
    (errand(NO_CLAIM, "", True), True, UNVERIFIABLE),
    (errand(CRC, "", True), True, READ),  # S3 says a checksum that can be compared
    (errand(MD5, "d", True), True, MISMATCH),  # S3 says that it is an MD5 after all
    (errand(MD5, "", True), False, MISMATCH),
    (errand(MD5, "d", True), False, VERIFIED),
    (errand(MD5, "e", True), False, MISMATCH)])
def test_judge_by_answer(made, has_answer, state):
    """S3 was asked about bytes that are not the MD5 that the ETag looks like."""
    assert judge_by_answer(made, read(""), has_answer).state == state


@pytest.mark.parametrize("proof,size", [("etag-md5-parts:8", 8), ("etag-md5-parts:7", 0),
                                        ("etag-md5-parts:x", 0), ("crc32:8", 0), ("", 0)])
def test_part_sizes_of_an_earlier_proof(proof, size):
    """Believed if they fit the file and the claim."""
    claim = claim_of("", "", "", "0" * 32 + "-2", 15)
    proven = as_proven(claim, proof, 15)
    assert (proven.part_size, proven.is_derived) == (size, not size)


GIVEN = "sha256:" + "0" * 64


@pytest.mark.parametrize("made, proof, met, state, by, is_derived", [
    # S3's word proves more than a given digest, and is not enough against it
    (errand(CRC, GIVEN), "crc32", True, VERIFIED, "crc32", False),
    (errand(CRC, GIVEN), "crc32", False, MISMATCH, "", True),
    (errand(MD5, GIVEN), "etag-md5", False, MISMATCH, "", True),
    # S3's word against the bytes is enough; no file goes that the given digest is for
    (errand(CRC, GIVEN), "", True, MISMATCH, "", True),
    (errand(CRC, GIVEN), "", False, MISMATCH, "", False),
    (errand(MD5, GIVEN), "", True, ASK, "", False),
    (errand(MD5, GIVEN, asked=True), "", True, MISMATCH, "", True),
    (errand(PARTS, GIVEN, measured=True), "", True, UNVERIFIABLE, "size", False),
    # S3 says nothing
    (errand(NO_CLAIM, GIVEN), "size", True, VERIFIED, "given-sha256", False),
    (errand(NO_CLAIM, GIVEN), "size", False, MISMATCH, "", True),
    (errand(NO_CLAIM, "foo:1"), "size", None, UNVERIFIABLE, "size", False)])
def test_a_given_digest(made, proof, met, state, by, is_derived):
    """S3's word decides; a given digest that differs is a mismatch, and proves where S3 is silent.
    """
    verdict = judge(made, read(proof)._replace(meets_given=met))
    assert (verdict.state, verdict.proof, verdict.is_derived) == (state, by, is_derived)


@pytest.mark.parametrize("claim, met, state", [
    (NO_CLAIM, True, VERIFIED), (NO_CLAIM, False, MISMATCH), (MD5, True, MISMATCH)])
def test_a_given_digest_of_an_encrypted_object(claim, met, state):
    """Its ETag is not an MD5, if S3 says so."""
    found = read("")._replace(meets_given=met)
    verdict = judge_by_answer(errand(claim, GIVEN, asked=True), found, has_answer=True)
    assert (verdict.state, verdict.proof) == (state, "given-sha256" if state == VERIFIED else "")


def test_our_own_record_beside_a_given_digest():
    """What s3-fetch recorded is what S3 sent: other bytes are a mismatch, whoever they are from."""
    made = errand(NO_CLAIM, GIVEN)
    made.entry = SimpleNamespace(digest="d", proof="")
    found = read("size")._replace(meets_given=True)
    assert judge(made, found).proof == "digest"
    verdict = judge(made, found._replace(digest="e"))
    assert (verdict.state, verdict.is_derived) == (MISMATCH, True)


@pytest.mark.parametrize("digest, met, in_row, in_ledger", [
    (GIVEN, True, True, True), (GIVEN, True, False, True), ("", None, False, True),
    ("d", None, True, False), ("d", None, False, True)])
def test_a_record_that_rests_on_a_given_digest(digest, met, in_row, in_ledger):
    """The digest of a file that met a given one proves no more than that one when it is met again:
    S3 has said nothing. No file goes for it either.
    """
    by = "given-sha256"
    made = errand(NO_CLAIM, digest, proof=by if in_row else "")
    made.entry = SimpleNamespace(digest="d", proof=by if in_ledger else "size")
    found = read("size")._replace(meets_given=met)
    assert judge(made, found) == (VERIFIED, "", by, False)
    assert judge_by_answer(made, read("")._replace(meets_given=met), has_answer=True).proof == by
    verdict = judge(made, found._replace(digest="e"))
    assert (verdict.state, verdict.is_derived) == (MISMATCH, True)


def test_what_s3_fetch_recorded_stays_that():
    """Whatever a row says that was verified by a given digest before."""
    made = errand(NO_CLAIM, GIVEN, proof="given-sha256")
    made.entry = SimpleNamespace(digest="d", proof="size")
    assert judge(made, read("size")._replace(meets_given=True)).proof == "digest"


def test_an_etag_that_was_proven():
    """It is an MD5."""
    assert as_proven(MD5, "size", 5).is_derived and not as_proven(MD5, "etag-md5", 5).is_derived


@pytest.mark.parametrize("row, state, proof", [
    ({"key": "k/", "size": "0"}, VERIFIED, "size"), ({"key": "k/"}, VERIFIED, "size"),
    ({"key": "k/", "etag": "d41d8cd98f00b204e9800998ecf8427e"}, VERIFIED, "etag-md5"),
    ({"key": "k/", "size": "1"}, MISMATCH, ""), ({"key": "k", "size": "0"}, MISMATCH, "")])
def test_a_directory(row, state, proof):
    """It stands for a key that ends in `/` and has no bytes."""
    verdict = judge_folder(Row("b", **row))
    assert (verdict.state, verdict.proof) == (state, proof)
