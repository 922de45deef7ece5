"""What S3's answers mean for an archived version; no I/O.

See RestoreObject, HeadObject and ListObjectVersions in the Amazon S3 API Reference
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html).
"""

import re
from typing import NamedTuple

from s3kit.etags import is_same
from s3kit.manifest.row import FAILED, VANISHED
from s3kit.s3 import verdicts
from s3kit.s3.headers import clean_etag, said
from s3kit.s3.verdicts import AGAIN, EXPIRED, FATAL, passing
from s3kit.storage_classes import ARCHIVED_CLASSES, TIERING
from s3kit.units import date_ns, from_epoch

RESTORE = re.compile(r'ongoing-request="(true|false)"(?:,\s*expiry-date="([^"]+)")?')
UNSUPPORTED_TEXT = "Retrieval option is not supported"
CHANGED = "the object was changed since it was listed"
MARKER = "it is a delete marker"

# How a version stands: in its archive; asked for; readable as a copy; readable, and in no archive.
ARCHIVED, ONGOING, READY, ONLINE = "archived", "ongoing", "ready", "online"
# No capacity for Expedited now; no such tier for this class.
UNAVAILABLE, UNSUPPORTED = "unavailable", "unsupported"
# Every state that a Status may have: those, a row's, and what may come of any request.
STATES = (ARCHIVED, ONGOING, READY, ONLINE, UNAVAILABLE, UNSUPPORTED, FAILED, VANISHED,
          AGAIN, EXPIRED, FATAL)


class Status(NamedTuple):
    """How a version stands, one of STATES, or why that is not known.

    `until` goes with READY; class, tier and size come from a look, with `by_head` from HEAD. `slow`
    says that S3 wants fewer requests.
    """

    state: str
    error: str = ""
    until: str = ""
    storage_class: str = ""
    tier: str = ""
    size: str = ""
    by_head: bool = False
    slow: bool = False


def is_other(query, etag):
    """Return whether an ETag shows that another object lies where the row's did.

    A version id other than `null` names one for ever.
    """
    is_fixed = query.version_id not in ("", "null")
    return bool(not is_fixed and query.etag and etag) and not is_same(query.etag, etag)


def status_in_headers(headers, query):
    """Return the Status that the headers of an answer to HEAD tell."""
    if is_other(query, clean_etag(headers)):
        return Status(FAILED, CHANGED, by_head=True)
    storage_class = headers.get("x-amz-storage-class", "STANDARD")
    tier = headers.get("x-amz-archive-status", "")
    restore = RESTORE.search(headers.get("x-amz-restore", ""))
    found = Status(ARCHIVED if tier or storage_class in ARCHIVED_CLASSES else ONLINE,
                   storage_class=storage_class, tier=tier,
                   size=headers.get("content-length", ""), by_head=True)
    if not restore:
        return found
    if restore[1] == "true":
        return found._replace(state=ONGOING)
    expires = date_ns(restore[2] or "")
    return found._replace(state=READY,
                          until=from_epoch(expires // 10**9) if expires is not None else "")


def status_in_row(row, query):
    """Return the Status that an entry of a listing tells; None where only HEAD knows."""
    if row.storage_class == TIERING:
        return None                     # no listing shows its archive tier
    if row.is_marker:
        return Status(VANISHED, MARKER)
    if is_other(query, row.etag):
        return Status(FAILED, CHANGED)
    found = Status(ARCHIVED if row.storage_class in ARCHIVED_CLASSES else ONLINE,
                   storage_class=row.storage_class, size=row.size)
    if row.restore == "ongoing":
        return found._replace(state=ONGOING)
    if row.restore.startswith("ready"):
        return found._replace(state=READY, until=row.restore.removeprefix("ready until "))
    return found


def status_of_head(transfer, query):
    """Return the Status of an answer to HEAD, which has no words where it is an error."""
    if transfer.status == 200 and not transfer.errno:
        return status_in_headers(transfer.headers, query)
    found = refusal(transfer)._replace(by_head=True)
    if found.state == VANISHED:
        is_marker = verdicts.is_of_marker(transfer)
        return found._replace(error=MARKER if is_marker else "S3 has it no more")
    if found.state == FAILED and transfer.status == 403:
        return found._replace(error="S3 says 403, as it does for AccessDenied")
    return found


def status_of_request(transfer):
    """Return the Status of an answer to RestoreObject."""
    code, text = transfer.code, said(transfer)
    if transfer.status in (200, 202) and not transfer.errno and not code:
        # 200: there is a copy already, and its days count from now.
        return Status(ONGOING if transfer.status == 202 else READY)
    if code == "RestoreAlreadyInProgress":
        return Status(ONGOING)
    if code == "GlacierExpeditedRetrievalNotAvailable":
        return Status(UNAVAILABLE, text)
    if code in ("InvalidObjectState", "ObjectAlreadyInActiveTierError"):
        return Status(ONLINE)           # not archived any more
    if UNSUPPORTED_TEXT in transfer.message:
        return Status(UNSUPPORTED, text)
    found = refusal(transfer)
    # 405: a server that has no restores.
    return found._replace(state=FAILED) if transfer.status == 405 else found


def refusal(transfer):
    """Return the Status of a request that did not go well."""
    verdict = verdicts.verdict_of(transfer)
    if transfer.errno and verdict in (verdicts.OK, verdicts.AGAIN):
        return Status(AGAIN, transfer.failure)
    state = passing(verdict) or (VANISHED if verdict == verdicts.VANISHED else FAILED)
    return Status(state, said(transfer), slow=verdict == verdicts.SLOW)
