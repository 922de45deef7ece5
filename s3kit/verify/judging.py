"""What a file's bytes are worth: decided here, without any I/O, so that tables can test it."""

from typing import NamedTuple

from s3kit.manifest.row import MISMATCH, UNVERIFIABLE, VERIFIED
from s3kit.proof.claims import Check, claim_of, part_size_of
from s3kit.proof.given import is_by_given, kind_of, proof_of
from s3kit.transfer.expected import DIFFERS

WEAK = "the bytes do not match S3's {}, which may be wrong itself"
# what a verdict may be beside a row's state: ask S3 first, or for the sizes of all parts; read with
# the claim it has now
ASK, MEASURE, READ = "ask", "measure", "read"


class Verdict(NamedTuple):
    """A row's new state, or ASK, MEASURE or READ; why, for people; what the proof is.

    `is_derived`: it rests on an ETag alone, or on more than S3's word (see proof.claims): no file
    goes for it.
    """

    state: str
    why: str = ""
    proof: str = ""
    is_derived: bool = False


def judge(errand, read):
    """Return the Verdict on a file that was read: `read` has its size in bytes, our digest, and the
    proof by the errand's claim.
    """
    claim, same, met = errand.claim, errand.is_recorded(read.digest), read.meets_given
    if read.size != errand.status.st_size:
        return Verdict(MISMATCH, "the file changed while it was read")
    if read.proof not in ("", "size"):
        return not_given(errand) if met is False else Verdict(VERIFIED, proof=read.proof)
    if read.proof == "" and not claim.is_derived:
        is_derived = claim.base.startswith("etag") and same is not False
        return Verdict(MISMATCH, f"the bytes do not match S3's {claim.proof}{aside(errand, met)}",
                       is_derived=is_derived or met is True)
    if read.proof == "" and claim.proof == "etag-md5":
        return judge_by_md5(errand, read, same)
    if read.proof == "" and claim.has_many_parts and not errand.is_measured:
        return Verdict(MEASURE)
    if met is False:
        return not_given(errand)
    if same:
        return Verdict(VERIFIED, proof=errand.proof_by_record)
    if same is False:
        return not_recorded(errand, met)
    if met and read.proof == "size":
        return Verdict(VERIFIED, proof=proof_of(errand.given))
    why = (WEAK.format(claim.proof) if read.proof == ""
           else f"nothing is known that the bytes could be compared with{errand.why}")
    return Verdict(UNVERIFIABLE, why, "size")


def judge_by_md5(errand, read, same):
    """Return the Verdict on bytes that are not the MD5 that the ETag looks like; that it is one was
    only our guess until S3 has been asked.
    """
    if not errand.is_asked:
        return Verdict(ASK)         # with SSE-KMS the ETag is not an MD5: S3 must say
    if same is not True:
        return mismatch_by_md5(errand, read)
    return judge_by_answer(errand, read, has_answer=False)


def mismatch_by_md5(errand, read):
    """Return the Verdict on bytes that are not the MD5 that the ETag looks like, and that nothing
    else vouches for.

    Where s3-fetch has found that S3's own bytes are not (the proof is `size`), the ETag says
    nothing. Else that is likelier of the file, but no more than likely.
    """
    is_recorded = errand.known_proof == "size" and errand.is_recorded(read.digest) is not False
    if errand.claim.is_derived and is_recorded:
        return Verdict(UNVERIFIABLE, WEAK.format("etag-md5"), "size")
    return Verdict(MISMATCH, "the bytes do not match S3's etag-md5"
                   + aside(errand, read.meets_given), is_derived=True)


def not_given(errand):
    """Return the Verdict on bytes that are not those of which a digest was given. S3 has never said
    it: no file goes for it.
    """
    return Verdict(MISMATCH, f"the bytes do not match the given {kind_of(errand.given)}",
                   is_derived=True)


def not_recorded(errand, met):
    """Return the Verdict on bytes whose digest is another than the recorded one. A file stays that
    a given digest is for, or was, where the record itself rests on one.
    """
    return Verdict(MISMATCH, DIFFERS + aside(errand, met),
                   is_derived=met is True or is_by_given(errand.proof_by_record))


def aside(errand, met):
    """Return what else is to be said of bytes that are wrong: a given digest is of just these."""
    return f", but the given {kind_of(errand.given)}" if met else ""


def judge_by_answer(errand, read, has_answer):
    """Return the Verdict on bytes that are not the MD5 that the ETag looks like; S3 may have said
    what it is, or nothing.
    """
    is_encrypted = has_answer and errand.claim.proof != "etag-md5"
    same, met = errand.is_recorded(read.digest), read.meets_given
    if is_encrypted and errand.claim.kind != "none":
        return Verdict(READ)
    if met is False:
        return not_given(errand)
    if same and (is_encrypted or not has_answer):
        return Verdict(VERIFIED, proof=errand.proof_by_record)
    if same is False:
        return not_recorded(errand, met)
    if is_encrypted and met:
        return Verdict(VERIFIED, proof=proof_of(errand.given))
    if is_encrypted:
        return Verdict(UNVERIFIABLE, "the ETag of an encrypted object says nothing about its bytes",
                       "size")
    return mismatch_by_md5(errand, read)


def judge_folder(row):
    """Return the Verdict on a directory in the place of a row's file."""
    if row.length or not row.key.endswith("/"):
        return Verdict(MISMATCH, "there is a directory in its place")
    claim = claim_of(row.checksum_algorithm, row.checksum_type, row.checksum, row.etag, 0)
    return Verdict(VERIFIED, proof=Check(claim, 0).proof() or "size")


def as_proven(claim, proof, size):
    """Return a Claim with what an earlier proof of the same object says: that its ETag is an MD5,
    or its part size, if that fits a file of `size` bytes. It is then no longer derived.
    """
    kind = proof.partition(":")[0]
    if proof and proof == claim.proof == "etag-md5":
        return claim._replace(is_derived=False)
    if claim.kind != "parts" or kind != claim.base:
        return claim
    part = part_size_of(proof)
    if part and -(-size // part) == claim.count:
        return claim.with_part_size(part)._replace(is_derived=False)
    return claim
