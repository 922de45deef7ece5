"""One question about a bucket, asked until it is answered; and when asking again may help."""

import time

from s3kit.errors import Fault, NoAccess, NoSuchBucket
from s3kit.s3 import snowball, verdicts
from s3kit.s3.headers import said
from s3kit.s3.patience import Patience
from s3kit.s3.translation import MISSING, coded
from s3kit.s3.wire import Wire
from s3kit.s3.xml import local, parse

TRIES, NONSENSE_TRIES = 6, 3    # for an answer that does not come, and for one that makes no sense
NO_ACCESS = (verdicts.DENIED, verdicts.EXPIRED, verdicts.REFUSED, verdicts.SKEWED,
             verdicts.UNTRUSTED)
UNKNOWN_STATUSES = (405, 501)   # of a server that does not know a question
LISTINGS = (b"<ListBucketResult", b"<ListVersionsResult")
# OK: the connection broke after the status line, or the answer makes no sense.
PASSING = (verdicts.AGAIN, verdicts.SLOW, verdicts.OK)


def fault_of(transfer, action):
    """Return the Fault that says why an answer is not a good one: `cannot ACTION: ...`."""
    kind = Fault
    if transfer.code in MISSING:
        kind = NoSuchBucket
    elif verdicts.verdict_of(transfer) in NO_ACCESS:
        kind = NoAccess
    return coded(kind(f"cannot {action}: {said(transfer)}"), transfer.code)


def once_more(transfer, endpoint, patience, renew=None):
    """Return (the Endpoint to ask again, after how many seconds) what was answered badly.

    `endpoint` is the one in use now, which may be newer than that of the transfer. None in place of
    seconds: asking again would not help. `renew(endpoint)` returns one with newer credentials, or
    raises NoCredentials.
    """
    verdict = verdicts.verdict_of(transfer)
    # else it was renewed meanwhile
    if verdict == verdicts.EXPIRED and transfer.endpoint is endpoint:
        if not renew:
            return endpoint, None
        endpoint = renew(endpoint)
    elif verdict not in PASSING and verdict != verdicts.EXPIRED:
        return endpoint, None
    most = NONSENSE_TRIES if verdict == verdicts.OK and not transfer.errno else TRIES
    return endpoint, patience.wait(most - 1, verdict in (verdicts.SLOW, verdicts.EXPIRED),
                                   base=0.25)


def is_empty(endpoint, prefix, renew=None):
    """Return whether S3 says that no object's key begins with a prefix; False where it does not
    let us ask, or does not say.

    Raises NoSuchBucket or Fault.
    """
    from urllib.parse import quote
    patience = Patience()
    while True:
        transfer = Wire.once(endpoint, f"{endpoint.url}?encoding-type=url&list-type=2&max-keys=1"
                                       f"&prefix={quote(prefix, safe='')}")
        verdict = verdicts.verdict_of(transfer)
        if verdict == verdicts.OK and not transfer.errno:
            if snowball.is_at(endpoint):
                return False            # nobody can see whether its listing is whole
            root = parse(transfer.body)
            names = [local(child.tag) for child in root.iterchildren("*")]
            return (local(root.tag) == "ListBucketResult" and "IsTruncated" in names
                    and not {"Contents", "CommonPrefixes"} & {*names})
        if verdict in (verdicts.DENIED, verdicts.WRONG) and transfer.code not in MISSING:
            return False
        endpoint, wait = once_more(transfer, endpoint, patience, renew)
        if wait is None:
            raise fault_of(transfer, f"use bucket '{endpoint.bucket}'")
        time.sleep(wait)


def versioning(endpoint, renew=None, check=lambda: None, wire=None, others=None):
    """Return a bucket's versioning: Enabled, Suspended, or '' (never); None where we may not ask,
    or the server does not know the question.

    `check()` is called often and may raise. `wire` is a Wire to be used; other Transfers that are
    answered on it meanwhile go to the list `others`. Raises NoSuchBucket, NoAccess or Fault.
    """
    wire, patience = wire or Wire(1), Patience()
    while True:
        transfer = wire.start(None, endpoint, f"{endpoint.url}?versioning=")
        while wire.is_under_way(transfer):
            check()
            answered = wire.turn(0.5)
            if others is not None:
                others += [other for other in answered if other is not transfer]
        try:
            return status_in(transfer)
        except Fault:
            endpoint, wait = once_more(transfer, endpoint, patience, renew)
            if wait is None:
                raise
        rest(wait, check)


def status_in(transfer):
    """Return what an answer says of a bucket's versioning.

    Raises NoSuchBucket, NoAccess or Fault.
    """
    verdict = verdicts.verdict_of(transfer)
    if snowball.may_not_know(transfer):
        return ""
    if verdict == verdicts.DENIED or transfer.status in UNKNOWN_STATUSES:
        return None
    if verdict != verdicts.OK or transfer.errno:
        raise fault_of(transfer, f"use bucket '{transfer.endpoint.bucket}'")
    return read_versioning(transfer.body)


def read_versioning(xml):
    """Return the status in a VersioningConfiguration, '' where it has none; None for a listing.

    Some servers send nothing at all where they mean an empty document; those that do not know
    `?versioning` list the bucket. Raises Fault for anything else.
    """
    if not xml.strip():
        return ""
    if any(name in xml[:512] for name in LISTINGS):     # some keys make it unreadable
        return None
    root = parse(xml)
    if local(root.tag) not in ("VersioningConfiguration", "GetBucketVersioningResponse"):   # moto's
        raise Fault(f"the server's answer says nothing of versions: <{local(root.tag)}>")
    found = [child.text for child in root.iterchildren("*") if local(child.tag) == "Status"]
    return found[0] or "" if found else ""


def rest(seconds, check):
    """Wait, in pieces short enough for `check` to end it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check()
        time.sleep(min(0.2, max(0.0, end - time.monotonic())))
