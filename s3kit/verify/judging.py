"""What a file's bytes are worth: decided here, without any I/O, so that tables can test it."""

from typing import NamedTuple

from s3kit.manifest.row import MISMATCH, UNVERIFIABLE, VERIFIED
from s3kit.units import number

NOT_FETCHED = "the bytes are not those that were fetched: the digest differs"
# what a verdict may be beside a row's state: ask S3 first; read with the claim it has now
ASK, READ = "ask", "read"


class Verdict(NamedTuple):
    """A row's new state, or ASK or READ; why, for people; what the proof is."""

    state: str
    why: str = ""
    proof: str = ""


def judge(errand, read):
    """Return the Verdict on a file that was read: `read` has its size in bytes, our digest, and the
    proof by the errand's claim.
    """
    same = errand.is_recorded(read.digest)
    if read.size != errand.status.st_size:
        return Verdict(MISMATCH, "the file changed while it was read")
    if read.proof not in ("", "size"):
        return Verdict(VERIFIED, proof=read.proof)
    if read.proof == "":
        return judge_by_claim(errand, read, same)
    if same:
        return Verdict(VERIFIED, proof="digest")
    if same is False:
        return Verdict(MISMATCH, NOT_FETCHED)
    return Verdict(UNVERIFIABLE,
                   f"nothing is known that the bytes could be compared with{errand.why}", "size")


def judge_by_claim(errand, read, same):
    """Return the Verdict on bytes that do not meet the claim; that an ETag is an MD5 was only our
    guess until S3 has been asked.
    """
    if not errand.is_asked and errand.claim.proof == "etag-md5":
        return Verdict(ASK)         # with SSE-KMS the ETag is not an MD5: S3 must say
    if same is not True:
        return Verdict(MISMATCH, f"the bytes do not match S3's {errand.claim.proof}")
    return judge_by_answer(errand, read, has_answer=False)


def judge_by_answer(errand, read, has_answer):
    """Return the Verdict on bytes that are not the MD5 that the ETag looks like; S3 may have said
    what it is, or nothing.
    """
    is_encrypted = has_answer and errand.claim.proof != "etag-md5"
    same = errand.is_recorded(read.digest)
    if is_encrypted and errand.claim.kind != "none":
        return Verdict(READ)
    if same and (is_encrypted or not has_answer):
        return Verdict(VERIFIED, proof="digest")
    if same is False:
        return Verdict(MISMATCH, NOT_FETCHED)
    if is_encrypted:
        return Verdict(UNVERIFIABLE, "the ETag of an encrypted object says nothing about its bytes",
                       "size")
    return Verdict(MISMATCH, "the bytes do not match S3's etag-md5")


def with_proven_parts(claim, proof, size):
    """Return a Claim about parts with the part size that an earlier proof names, if it fits a file
    of `size` bytes.
    """
    kind, _, known = proof.partition(":")
    if claim.kind != "parts" or kind != claim.proof.partition(":")[0]:
        return claim
    part = number(known)
    return claim.with_part_size(part) if part and -(-size // part) == claim.count else claim
