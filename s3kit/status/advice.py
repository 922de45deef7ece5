"""What people can do about what was found wrong, by its cause (see text.cause_of)."""

import re

RETRY = "s3-fetch tries it again"
NEW_LIST = "the row is out of date: make a new manifest (s3-manifest) and fetch that"
AGAIN = "it may pass: run the same command again"
ACCESS = ("these credentials may not read it: s3-doctor BUCKET says who you are and what is "
          "allowed; s3:GetObject, for versions s3:GetObjectVersion, is needed")
PLACE = "something is in the way of its file: move that away, then s3-fetch tries it again"
ROW = "correct the row: s3-manifest --check names all that make no sense, by line"
UNPROVEN = ("nobody can say whether it is right: fetch it again where S3 has a checksum by now, or "
            "compare it with its origin; s3-prune does not delete it")
LOOK = "look at its rows: s3-status --errors -o errors.csv"
LATER = "no row tells more; s3-fetch or s3-verify of these rows finds the reason"

# The first whose pattern is found in the cause has the advice. What has a reason of its own, as
# "kept in S3: its file was changed", stands before what is more general.
BY_CAUSE = tuple((re.compile(pattern), advice) for pattern, advice in (
    (r"^(line|row) N: |^with the prefix: ", ROW),
    (r"its file was changed since it was verified",
     "look why, then fetch and verify it again: S3 still has it"),
    (r"^kept in S3: ", "S3 still has it: s3-verify makes a proof that s3-prune takes"),
    (r"does not heed If-Match", "delete by version ids: s3-manifest --versions names them"),
    (r"NoSuchBucket|bucket '...' does not exist",
     "look at the bucket's name and at --endpoint-url"),
    (r"NoSuchKey|NoSuchVersion|S3 has it no more|NotFound|says (HTTP)?404|its copy is not there",
     NEW_LIST),
    (r"was changed since it was listed|another object|another version:|PreconditionFailed",
     NEW_LIST),
    (r"InvalidObjectState|is in an archive|the object is in ", "bring it back first: s3-restore"),
    (r"Expired|credentials|InvalidAccessKeyId|SignatureDoesNotMatch|TokenRefresh",
     "look at the credentials (s3-doctor), then run the same command again"),
    (r"AccessDenied|Forbidden|says (HTTP)?403|does not let us look", ACCESS),
    (r"SlowDown|says (HTTP)?5\d\d|InternalError|ServiceUnavailable|RequestTimeout|no answer came|"
     r"too slow|timed out|[Cc]onnect|reset by peer|resolve host|bytes came, not|libcurl error|"
     r"Recv failure|Send failure|transfer closed", AGAIN),
    (r"certificate", "give --ca-bundle, or look who answers there: s3-doctor"),
    (r"its worker died", "look for want of memory (dmesg); fewer workers (-j) need less"),
    (r"has the path|is in the way|the only copy of|leads outside|is no regular file|in its place|"
     r"nested too deep|keeps changing at", PLACE),
    (r"No space left|[Qq]uota", "make room, then run the same command again"),
    (r"Permission denied|Read-only file system|Operation not permitted",
     "let this user write there, then run the same command again"),
    (r"Input/output error|make it durable",
     "look at the disk and the kernel's log before anything else"),
    (r"nothing is known that|says nothing about its bytes|may be wrong itself|nobody knows|"
     r"cannot be looked at", UNPROVEN),
    (r"do not match|differs|there is no file|bytes, not N|was removed|is the file of another",
     RETRY),
))
BY_STATE = {"vanished": NEW_LIST, "missing": RETRY, "mismatch": RETRY, "conflict": PLACE,
            "unverifiable": UNPROVEN,
            "locked": "S3 holds it under a lock: wait for its end, or ask who has set it"}


def advice_for(cause, state=""):
    """Return what to do about a cause, or else about a row's state."""
    for pattern, advice in BY_CAUSE:
        if pattern.search(cause):
            return advice
    return BY_STATE.get(state, LOOK if cause else LATER)
