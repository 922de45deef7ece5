"""Snowball's S3 adapter: by what it is known, what it lacks, and its limits.

https://docs.aws.amazon.com/snowball/latest/developer-guide/using-adapter-supported-api.html
"""

from s3kit.s3 import verdicts
from s3kit.s3.capabilities import (
    CHECKSUM_MODE,
    CONDITIONS,
    KNOWN,
    LISTED_PARTS,
    MANY_DELETES,
    PART_SIZES,
    RESTORE_STATUS,
    UPLOAD_CHECKSUMS,
)
from s3kit.s3.translation import MISSING

SERVER = "AWSSnowball"      # the name in each of its answers
PAGES = "pages and the order of listings, versions, conditions and checksums"
ALSO = (CHECKSUM_MODE, CONDITIONS, LISTED_PARTS, MANY_DELETES, PART_SIZES, RESTORE_STATUS,
        UPLOAD_CHECKSUMS)
KEY_BYTES = 933             # of a key, at most
LARGEST_PART = 512 * 10**6  # bytes of a part: it may mean 512 MiB, which are more


def has_answered(transfer):
    """Return whether an answer is the adapter's."""
    return transfer.headers.get("server") == SERVER


def may_not_know(transfer):
    """Return whether an answer is the adapter's, and not about who asks, or for which bucket: it
    may not know what it was asked, and pass over it or say so.
    """
    return (has_answered(transfer) and transfer.code not in MISSING
            and verdicts.verdict_of(transfer) in (verdicts.OK, verdicts.WRONG))


def heed(transfer):
    """Learn from any answer whether the adapter is there."""
    if has_answered(transfer):
        KNOWN.learn(transfer.endpoint, PAGES, "it is Snowball's S3 adapter", also=ALSO)


def is_at(endpoint):
    """Return whether the server of an Endpoint is known to be the adapter."""
    return KNOWN.lacks(endpoint, PAGES)
