"""What states and proofs mean, in words."""

from s3kit.manifest import row as rows
from s3kit.manifest.states import is_strong
from s3kit.status.amounts import NONE, OTHERS

# As s3kit(7) has them.
MEANINGS = {
    rows.LISTED: "S3 has it", rows.RESTORING: "asked out of its archive class",
    rows.RESTORED: "back from its archive class",
    rows.FETCHED: "on the disk, checked on its way", rows.VERIFIED: "read back, and right",
    rows.STORED: "uploaded, and S3 says the same of its copy",
    rows.PRUNED: "deleted in S3, on proof", rows.MISSING: "there is no file",
    rows.MISMATCH: "its file is wrong", rows.UNVERIFIABLE: "nobody can say whether it is right",
    rows.VANISHED: "S3 has it no more", rows.CONFLICT: "something is in the way of its file",
    rows.LOCKED: "S3 holds it under a lock", rows.FAILED: "anything else that went wrong"}
WORTHS = {"bytes": "S3's {} of all its bytes", "given": "a digest that another program took",
          "size": "how many bytes there are, and no more", "none": "nothing was compared",
          "others": "of several kinds"}


def meaning_of(state):
    """Return what a state means."""
    return MEANINGS.get(state, "the row does not say")


def kind_of(proof):
    """Return the kind of a proof: bytes, given, size, none or others."""
    if proof in ("", NONE):
        return "none"
    if proof == OTHERS:
        return "others"
    if is_strong(proof):
        return "bytes"
    return "size" if proof == "size" else "given"


def worth_of(proof):
    """Return what a proof rests on."""
    if proof == "digest":
        return "our digest, taken when its bytes came"
    if proof.startswith("etag-md5-parts:"):
        return "S3's ETag: the MD5s of parts of this size"
    name = "ETag, an MD5" if proof == "etag-md5" else f"checksum {proof}"
    return WORTHS[kind_of(proof)].format(name)
