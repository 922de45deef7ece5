"""Listing through the data plane: pages fetched by libcurl and parsed by lxml, the next one asked for
while this one is read.

Keys are asked for URL-encoded, because XML cannot carry them all; a server that does not do that says
so by leaving EncodingType out. Rows come in the server's order: key, then newest version first.
"""

from urllib.parse import quote, unquote_plus

from lxml import etree

from s3kit import retry
from s3kit.answer import said
from s3kit.errors import Fault, NoAccess
from s3kit.row import LISTED, Row
from s3kit.wire import Wire

TRIES = 6
WANTS_RESTORE = "x-amz-optional-object-attributes: RestoreStatus"


class Page:
    """One page of a listing: `rows`, common `prefixes`, and the query that goes on after it (or '')."""

    def __init__(self, bucket, xml, versions):
        root = parse(xml)
        if local(root) not in ("ListBucketResult", "ListVersionsResult"):
            raise Fault(f"the listing of '{bucket}' is not one: <{local(root)}>")
        self.bucket = bucket
        top = {local(child): child.text or "" for child in root if not len(child)}
        self.read = unquote_plus if top.get("EncodingType") == "url" else str
        self.rows, self.prefixes = [], []
        for child in root:
            kind = local(child)
            if kind in ("Contents", "Version", "DeleteMarker"):
                self.rows.append(self.row(child, kind))
            elif kind == "CommonPrefixes":
                self.prefixes.append(self.read(child[0].text or ""))
        self.next = ""
        if top.get("IsTruncated") == "true":
            self.next = self.after(top, versions)

    def after(self, top, versions):
        """Return the query that asks for the next page. Raises Fault where the server forgot to say."""
        if versions:
            if top.get("NextKeyMarker"):
                marker = quote(self.read(top["NextKeyMarker"]), safe="")
                version = quote(top.get("NextVersionIdMarker", ""), safe="")
                return f"key-marker={marker}&version-id-marker={version}" if version else f"key-marker={marker}"
        elif top.get("NextContinuationToken"):
            return f"continuation-token={quote(top['NextContinuationToken'], safe='')}"
        raise Fault(f"the listing of '{self.bucket}' says that it goes on, but not where")

    def row(self, element, kind):
        """Return the Row of one entry."""
        row = Row(bucket=self.bucket, state=LISTED)
        algorithms = []
        for child in element:
            name, text = local(child), child.text or ""
            if name == "Key":
                row.key = self.read(text)
            elif name == "Size":
                row.size = text
            elif name == "ETag":
                row.etag = text.strip('"').lower()
            elif name == "LastModified":
                row.last_modified = text.replace(".000Z", "Z")
            elif name == "VersionId":
                row.version_id = text
            elif name == "IsLatest":
                row.is_latest = text
            elif name == "StorageClass":
                row.storage_class = text
            elif name == "ChecksumAlgorithm":
                algorithms.append(text)
            elif name == "ChecksumType":
                row.checksum_type = text
            elif name == "RestoreStatus":
                row.restore = restore_of({local(part): part.text or "" for part in child})
        row.checksum_algorithm = " ".join(algorithms)
        if kind == "DeleteMarker":
            row.is_delete_marker, row.storage_class = "true", ""
        elif kind == "Version":
            row.is_delete_marker = "false"
        return row


def parse(xml):
    """Return the root of an XML answer. Raises Fault for what is no XML or brings a DOCTYPE."""
    reader = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, reader)
    except etree.XMLSyntaxError as error:
        raise Fault(f"the server's XML cannot be read: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise Fault("the server's XML has a DOCTYPE")
    return root


def local(element):
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def restore_of(status):
    """Return the row's `restore` column for a RestoreStatus element's parts."""
    if status.get("IsRestoreInProgress") == "true":
        return "ongoing"
    expiry = status.get("RestoreExpiryDate", "").replace(".000Z", "Z")
    return f"ready until {expiry}" if expiry else ""


class Listing:
    """Lists one bucket after the other over one connection. Raises NoAccess or Fault."""

    def __init__(self, check=lambda: None):
        self.wire = Wire(2)
        self.check = check
        self.requests = 0

    def pages(self, endpoint, prefix="", versions=False, delimiter=""):
        """Yield the Pages of a bucket's prefix, each asked for while the one before is in use."""
        fixed = ["versions="] if versions else ["list-type=2"]
        fixed += ["encoding-type=url", "max-keys=1000"]
        if delimiter:
            fixed.append(f"delimiter={quote(delimiter, safe='')}")
        if prefix:
            fixed.append(f"prefix={quote(prefix, safe='')}")
        under_way = self.ask(endpoint, fixed)
        seen = set()
        while under_way:
            page = Page(endpoint.bucket, self.answer(endpoint, *under_way), versions)
            if page.next in seen:
                raise Fault(f"the listing of '{endpoint.bucket}' goes in circles")
            seen = {page.next}
            under_way = self.ask(endpoint, fixed + [page.next]) if page.next else None
            yield page

    def ask(self, endpoint, query):
        """Start the request for a page; return (Transfer, query)."""
        self.requests += 1
        url = f"{endpoint.url}?{'&'.join(sorted(query))}"
        return self.wire.start(None, endpoint, url, headers=[WANTS_RESTORE]), query

    def answer(self, endpoint, transfer, query):
        """Return the page's bytes, asked for again as often as makes sense."""
        for tries in range(TRIES):
            while self.wire.is_under_way(transfer):
                self.check()
                self.wire.turn(0.5)
            verdict = retry.verdict(transfer.status, transfer.code)
            if verdict == retry.OK and not transfer.errno:
                return transfer.body
            if verdict not in (retry.AGAIN, retry.SLOW, retry.OK) or tries == TRIES - 1:
                kind = NoAccess if verdict in (retry.DENIED, retry.EXPIRED, retry.REFUSED, retry.SKEWED) else Fault
                raise kind(f"cannot list s3://{endpoint.bucket}: {said(transfer)}")
            self.rest(retry.delay(tries, base=0.5))
            transfer, query = self.ask(endpoint, query)
        raise AssertionError("the last try returns or raises")

    def rest(self, seconds):
        """Wait, in pieces short enough to be interrupted."""
        import time
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check()
            time.sleep(min(0.2, max(0.0, end - time.monotonic())))
