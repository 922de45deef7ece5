"""Which buckets there are, and where: ListBuckets, page by page."""

from urllib.parse import quote

from s3kit.doctor.settings import elements, texts
from s3kit.errors import Fault
from s3kit.s3 import verdicts
from s3kit.s3.wire import Wire
from s3kit.s3.xml import local, parse

ONE = 2.5                   # seconds of one question
TRIES = 3


def list_buckets(home, keys, most):
    """Return (the answered Transfer, [(bucket, region or '')], the owner's name) of ListBuckets, as
    many pages as are needed.

    Asked for pages, Amazon says where each bucket is; others do not mind being asked so.
    """
    endpoint = home._replace(access_key=keys[0], secret_key=keys[1], token=keys[2])
    found, owner, query, tries = [], "", "", 1
    wire = Wire(1, ONE)
    while True:
        transfer = wire.start(None, endpoint, f"{endpoint.url}/?{query}max-buckets=1000")
        while wire.active:
            wire.turn(0.5)
        if verdict_of(transfer) in (verdicts.SLOW,
                                    verdicts.AGAIN) and not transfer.errno and tries < TRIES:
            tries += 1
            continue
        if verdict_of(transfer) != verdicts.OK or transfer.errno:
            return transfer, found, owner
        more, named, token = read_page(parse(transfer.body))
        found, owner = found + more, owner or named
        if f"continuation-token={quote(token, safe='')}&" == query:
            raise Fault("the list of buckets goes in circles")
        if not token or len(found) > most:
            return transfer, found, owner       # there may be more, which nobody wants to know of
        query = f"continuation-token={quote(token, safe='')}&"


def read_page(root):
    """Return ([(bucket, region or '')], the owner's name, the token of the next page or '') of one
    page of ListBuckets.

    Raises Fault for what is not one.
    """
    if local(root.tag) != "ListAllMyBucketsResult":
        raise Fault(f"what answers is not S3's list of buckets: <{local(root.tag)}>")
    found, owner, token = [], "", ""
    for name, child in elements(root):
        if name == "Buckets":
            found += [texts(bucket) for _, bucket in elements(child)]
        elif name == "Owner":
            told = texts(child)
            owner = told.get("DisplayName") or told.get("ID", "")
        elif name == "ContinuationToken":
            token = child.text or ""
    if not all(each.get("Name") for each in found):
        raise Fault("what answers is not S3's list of buckets: one has no name")
    return [(each["Name"], each.get("BucketRegion", "")) for each in found], owner, token


def verdict_of(transfer):
    """Return what an answer means, or '' where there is none."""
    return verdicts.verdict_of(transfer) if transfer else ""
