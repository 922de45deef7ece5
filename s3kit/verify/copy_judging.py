"""What S3 says of a copy is worth: decided here, without any I/O, so that tables can test it."""

from s3kit.etags import is_same
from s3kit.manifest.row import MISMATCH, MISSING, STORED, UNVERIFIABLE
from s3kit.manifest.states import is_strong
from s3kit.manifest.stored_at import GONE, REPLACED, is_the_copy
from s3kit.proof.claims import etag_claim
from s3kit.proof.given import parted, proof_of
from s3kit.verify.judging import READ, Verdict

FULL = "FULL_OBJECT"
NOTHING = "nothing is known that its copy could be compared with"


def judge_copy(row, upload, seen):
    """Return the Verdict on a copy that S3 was asked for, by what can be compared without its
    bytes: READ where the file must be read for it.

    `upload` is what the ledger knows of it, or None; `seen` the Outcome of looking at it.
    """
    if not seen.etag:
        return Verdict(MISSING, GONE)
    length = upload.size if upload else row.length
    if length is not None and seen.size != length:
        return Verdict(MISMATCH, f"its copy has {seen.size:,} bytes, not {length:,}")
    is_same_object = same_checksum(row, seen)
    if is_same_object is False:
        return Verdict(MISMATCH, f"S3's {seen.checksum_algorithm.lower()} of its copy is another")
    if is_same_object:
        return Verdict(STORED, proof=seen.checksum_algorithm.lower())
    is_same_copy = same_checksum(upload, seen) if upload else None
    if is_same_copy is False:
        return Verdict(MISMATCH, REPLACED)
    if upload and (is_same_copy or is_same(seen.etag, upload.to_etag)) and is_strong(upload.proof):
        return Verdict(STORED, proof=upload.proof)
    one, other = etag_claim(row.etag, seen.size), seen.claim
    if one.kind == "full" and other.proof == "etag-md5" and one.expected == other.expected:
        return Verdict(STORED, proof="etag-md5")
    if seen.claim.kind == "none":
        return Verdict(UNVERIFIABLE, NOTHING)
    return Verdict(READ)


def same_checksum(known, seen):
    """Return whether two checksums of S3's are of the same bytes (rows, Uploads and Outcomes have
    them), or None where nobody can tell: those of parts depend on the parts.
    """
    if not (known.checksum and seen.checksum) or (
            known.checksum_algorithm.lower() != seen.checksum_algorithm.lower()):
        return None
    kinds = {known.checksum_type.upper(), seen.checksum_type.upper()}
    if known.checksum == seen.checksum:
        return None if len(kinds - {""}) > 1 else True
    return False if kinds == {FULL} else None


def judge_read(row, claim, read):
    """Return the Verdict on a copy whose file was read for S3's `claim` of it; `read` is the
    Outcome: the proof by that claim, our digest, and whether a digest that was given is met.
    """
    ours, _ = parted(row.digest)
    is_file = read.digest == ours if ours else read.meets_given
    if read.proof == "" and not claim.is_derived and is_file:
        return Verdict(MISMATCH, f"its file does not match S3's {claim.proof} of its copy")
    if read.proof in ("", "size"):
        return Verdict(UNVERIFIABLE, NOTHING if is_file else
                       "its file is not the one that was stored, " + NOTHING)
    if is_file is False:
        return Verdict(MISMATCH, "its copy has other bytes than those that were fetched")
    if is_the_copy(row):
        return Verdict(STORED, proof=read.proof)
    if is_file is None or ours and not is_strong(row.proof):
        return Verdict(UNVERIFIABLE, "that its file has the object's bytes nobody knows")
    return Verdict(STORED, proof=read.proof if ours else proof_of(row.digest))
