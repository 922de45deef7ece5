"""Rows that are stored elsewhere: whether their copy lets the source go. Decided here, without any
I/O, so that tables can test it.

The proof is what s3-put wrote into the ledger when S3 had confirmed the copy's bytes; the file that
was sent need not be there any more. What S3 says of the copy now is held against it.
"""

from typing import NamedTuple

from s3kit.disk.ledger import is_same_file
from s3kit.disk.uploads import LOOSE
from s3kit.etags import is_same
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.manifest.stored_at import GONE, REPLACED, copy_of
from s3kit.prune.proofs import BrokenProof, weak
from s3kit.s3 import verdicts
from s3kit.s3.headers import clean_etag, said
from s3kit.s3.verdicts import AGAIN, passing
from s3kit.units import known_ns, number

# The end of an access point's name that stands for a bucket's own:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
ALIAS = "-s3alias"
SEEN, ABSENT, UNTOLD = "seen", "absent", "untold"


class Sought(NamedTuple):
    """A copy that S3 is asked for."""

    endpoint: object
    key: str
    version_id: str
    etag: str = ""          # no condition


class Seen(NamedTuple):
    """What became of that: SEEN, with the copy's ETag and size in bytes; ABSENT; UNTOLD: S3 does
    not let us look; or AGAIN (`slow` if S3 said so), EXPIRED, FATAL; and why.
    """

    state: str
    error: str = ""
    slow: bool = False
    etag: str = ""
    size: int = -1


def is_itself(row):
    """Return whether what a row names may be the very object that its `stored_at` names: that is
    never deleted.

    A bucket may have another name besides, by an access point of it.
    """
    copy = copy_of(row)
    if copy is None or row.key != copy.key or not (
            row.bucket == copy.bucket or row.bucket.endswith(ALIAS)
            or copy.bucket.endswith(ALIAS)):
        return False
    return not row.version_id or not copy.version_id or row.version_id == copy.version_id


def is_of(row, upload):
    """Return whether an Upload is the copy of just the object that a row names."""
    if (row.bucket, row.key, row.version_id) != (upload.bucket, upload.key, upload.version_id):
        return False
    if row.size and int(row.size) != upload.size:
        return False
    if row.etag and upload.etag:
        return is_same(row.etag, upload.etag)
    return row.version_id not in LOOSE


def why_broken(row, upload, rules):
    """Return the BrokenProof of a stored row, or ''; `upload` is what the ledger knows of the
    place where the row has its copy, or None.
    """
    copy, why = copy_of(row), ""
    if copy is None:
        why = "it does not say where it is stored"
    elif upload is None:
        why = "the ledger does not know its copy (s3-put makes it known)"
    elif not is_of(row, upload):
        why = "the ledger knows the copy of another object in that place"
    elif upload.to_version_id != copy.version_id:
        why = "the ledger knows another version of its copy"
    elif not upload.far_proof:
        why = "its copy was not there, or another, when it was looked at last"
    elif not (rules.accept(upload.proof) and rules.accept(upload.far_proof)):
        proof = upload.far_proof if rules.accept(upload.proof) else upload.proof
        why = f"the ledger's proof is nothing but {weak(proof)}"
    return BrokenProof(why) if why else ""


def why_changed(upload, seen):
    """Return the BrokenProof of a copy that is not what the ledger says, by a Seen (SEEN or
    ABSENT), or ''.
    """
    if seen.state == ABSENT:
        return BrokenProof(GONE)
    is_there = seen.size == upload.size and is_same(seen.etag, upload.to_etag)
    return "" if is_there else BrokenProof(REPLACED)


def is_fresh(upload, since):
    """Return whether S3 has confirmed a copy since a time (ns since 1970)."""
    at = known_ns(upload.changed_at)
    return at is not None and at >= since


def is_elsewhere(entry, status, uploads):
    """Return whether the object of a file (an os.stat_result; `entry` is the ledger's, or None) is
    stored elsewhere, as one of `uploads` proves, those that were sent from its path.
    """
    return any(states.is_strong(upload.proof) and states.is_strong(upload.far_proof)
               and is_same_file(upload, status)
               and (entry is None or entry[:3] == (upload.bucket, upload.key, upload.version_id)
                    and is_same(entry.etag, upload.etag)) for upload in uploads)


# --- S3's answers


def seen_in(transfer):
    """Return the Seen of an answer to HEAD, None where a request must follow that may have words.
    """
    size, etag = number(transfer.headers.get("content-length", "")), clean_etag(transfer.headers)
    if transfer.status == 200 and not transfer.errno and size is not None and etag:
        return Seen(SEEN, etag=etag, size=size)
    if transfer.errno:
        return Seen(AGAIN, transfer.failure)
    return None


def refused(transfer):
    """Return the Seen of an answer to GET about what HEAD did not find."""
    verdict = verdicts.verdict_of(transfer)
    kind = passing(verdict)
    if kind:
        return Seen(kind, said(transfer) if verdict != verdicts.OK else
                    "S3 does not answer HEAD as it does GET", slow=verdict == verdicts.SLOW)
    if verdict == verdicts.VANISHED:
        return Seen(ABSENT, said(transfer))
    if verdict == verdicts.DENIED or transfer.code == "NoSuchBucket":
        return Seen(UNTOLD, said(transfer))
    return Seen(rows.FAILED, said(transfer))
