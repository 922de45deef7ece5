"""Listings as S3 sends them: ListObjectVersions, ListObjectsV2 and ListObjects in XML, one page or
several one after the other.

What the elements mean is in manifest.entries. A page is read when it has come as a whole, for only
at its end some servers say that its keys are URL-encoded. The elements are those of
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

import re
from urllib.parse import unquote_plus

from lxml import etree

from s3kit.errors import Cut, Fault
from s3kit.manifest import base
from s3kit.manifest.entries import ENTRIES, columns_of, name_of, rows_of
from s3kit.manifest.foreign.paging import Paging
from s3kit.manifest.foreign.plain import checked, spoil
from s3kit.manifest.row import Row

LIMIT = 64 << 20        # bytes of one page; S3's have a thousand entries, about half a megabyte
ROOTS = ("ListVersionsResult", "ListBucketResult")
END = re.compile(rb"</(?:[A-Za-z0-9_.-]{1,64}:)?(?:ListVersionsResult|ListBucketResult|Error)\s*>")
LONGEST = 128           # bytes that END may match, nearly
BLANK = b" \t\r\n\xef\xbb\xbf"


class Reader(base.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`."""

    form = "s3xml"

    def __init__(self, bucket=""):
        self.bucket = bucket
        self.pieces, self.size, self.tail = [], 0, b""      # of the page that is not at its end
        self.paging = Paging()
        self.count = 0
        self.stop = None

    def feed(self, data):
        """Return the rows of the pages that the bytes `data` complete."""
        rows = []
        while data and not self.stop:
            end = END.search(self.tail + data)
            cut = end.end() - len(self.tail) if end else len(data)
            self.pieces.append(data[:cut])
            self.size += cut
            self.tail = (self.tail + data[-LONGEST:])[-LONGEST:]
            data = data[cut:]
            if end:
                rows += self.page()
            elif self.size > LIMIT:
                self.stop = Fault(f"page {self.paging.count + 1}: no end of it within "
                                  f"{LIMIT >> 20} MiB")
        return rows

    def close(self):
        """Return no rows; say what is missing."""
        if not self.stop:
            rest = b"".join(self.pieces).strip(BLANK)
            missing = f"page {self.paging.count + 1} is cut" if rest else self.paging.close()
            self.stop = Cut(missing) if missing else None
        return []

    def page(self):
        """Return the rows of the page that has come as a whole."""
        xml, self.pieces, self.size = b"".join(self.pieces).strip(BLANK), [], 0
        self.tail = b""
        try:
            return self.rows(parsed(xml, self.paging.count + 1))
        except Fault as fault:
            self.stop = fault
            return []

    def rows(self, root):
        """Return the rows of a page's root."""
        if name_of(root) not in ROOTS:
            raise Fault(f"it is not a listing, but an error of S3's: {said(root)}")
        top, count = {}, 0
        for child in root.iterchildren("*"):
            name = name_of(child)
            count += name in ENTRIES
            top[name] = child.text or ""
        columns = columns_of(root, count) if count else [()] * 2
        self.paging.add(top, columns[1])
        is_encoded = top.get("EncodingType", "").strip() == "url"
        key, bucket = decoded if is_encoded else str, top.get("Name") or self.bucket
        rows = rows_of(bucket, columns, key, name_of(root) == ROOTS[0]) if count else []
        for row in rows:
            self.count += 1
            checked(row, f"row {self.count}")
        return rows + [self.prefix(bucket, key(text)) for text in prefixes(root)]

    def prefix(self, bucket, key):
        """Return the failed row of a common prefix, of which nothing is listed."""
        self.count += 1
        return spoil(Row(bucket, key), f"row {self.count}",
                     "a common prefix: what is below it is not listed")


def parsed(xml, page):
    """Return the root of a page. Raises Fault for what is not XML or brings a DOCTYPE."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False,
                             huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise Cut(f"page {page}: the XML is not well-formed: {error.msg}") from None
    if root.getroottree().docinfo.doctype:
        raise Fault(f"page {page}: a listing must not have a DOCTYPE")
    return root


def said(root):
    """Return what an Error says: its code and message."""
    return " ".join(f"{child.text}" for child in root.iterchildren("*")
                    if name_of(child) in ("Code", "Message") and child.text) or "it does not say"


def prefixes(root):
    """Return the texts of the common prefixes of a page."""
    return [part.text or "" for group in root.iterchildren("*")
            if name_of(group) == "CommonPrefixes"
            for part in group.iterchildren("*") if name_of(part) == "Prefix"]


def decoded(text):
    """Return a URL-encoded key; what is not UTF-8 in it becomes what no row may have."""
    return unquote_plus(text, errors="surrogateescape") if "%" in text or "+" in text else text


def reader(form, bucket, columns):
    """Return a reader of S3's listings."""
    return Reader(bucket)
