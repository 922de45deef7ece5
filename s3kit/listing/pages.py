"""The pages of a listing: S3's XML turned to rows by lxml, in one pass of its own (a stylesheet)
per page.

Keys are asked for URL-encoded, because XML cannot carry them all; a server that does not do that
says so by leaving EncodingType out.
"""
from copy import copy
from functools import lru_cache
from sys import intern
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from lxml import etree

from s3kit.errors import Fault
from s3kit.manifest.row import LISTED, Row
from s3kit.s3.xml import local, parse, read_encoded

# and what they say of is_delete_marker
ENTRIES = {"Contents": "", "Version": "false", "DeleteMarker": "true"}
FIELDS = ("Key", "VersionId", "IsLatest", "Size", "LastModified", "ETag", "StorageClass",
          "ChecksumAlgorithm", "ChecksumType", "IsRestoreInProgress", "RestoreExpiryDate")
RESTORE = ("IsRestoreInProgress", "RestoreExpiryDate")     # which are in a RestoreStatus
SHEET = (
    """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" {}><xsl:output method="text"/>
<xsl:template match="/*"><xsl:for-each select="{}">{}<xsl:text>&#10;</xsl:text></xsl:for-each></xsl:template>
</xsl:stylesheet>""")  # noqa: E501


class Page:
    """One page of a listing: `rows`, common `prefixes`, and the query that goes on after it (or
    '').
    """

    def __init__(self, bucket, xml, versions):
        root = parse(xml)
        if local(root.tag) not in ("ListBucketResult", "ListVersionsResult"):
            raise Fault(f"the listing of '{bucket}' is not one: <{local(root.tag)}>")
        self.bucket = bucket
        count, groups, top = 0, [], {}
        for child in root.iterchildren("*"):
            name = local(child.tag)
            if name in ENTRIES:
                count += 1
            elif name == "CommonPrefixes":
                groups.append(child)
            else:
                top[name] = child.text or ""
        self.key = read_encoded if top.get("EncodingType") == "url" else str
        self.rows = [self.row(*fields) for fields in entries_of(root, count)]
        self.prefixes = [self.key(group[0].text or "") for group in groups if len(group)]
        self.next = self.after(top, versions) if top.get("IsTruncated") == "true" else ""

    def row(self, is_marker, key, version, latest, size, modified, etag, storage, algorithm, kind,
            ongoing, expiry):
        """Return the Row of one entry."""
        restore = ("ongoing" if ongoing == "true" else f"ready until {expiry.replace('.000Z', 'Z')}"
                   if expiry else "")
        return Row(self.bucket, self.key(key), version, intern(latest), is_marker, size,
                   modified.replace(".000Z", "Z"), etag.strip('"').lower(),
                   "" if is_marker == "true" else intern(storage), intern(algorithm), intern(kind),
                   "", restore, LISTED)

    def after(self, top, versions):
        """Return the query that asks for the next page.

        Raises Fault where the server forgot to say.
        """
        if versions:
            if top.get("NextKeyMarker"):
                return marker_query(self.key(top["NextKeyMarker"]),
                                    top.get("NextVersionIdMarker", ""))
        elif top.get("NextContinuationToken"):
            return f"continuation-token={quote(top['NextContinuationToken'], safe='')}"
        raise Fault(f"the listing of '{self.bucket}' says that it goes on, but not where")

    def cut(self, count):
        """Keep the first `count` rows; return the Page of the others."""
        rest = copy(self)
        self.rows, rest.rows = self.rows[:count], self.rows[count:]
        return rest


def marker_query(key, version=""):
    """Return the query for the versions after all of a key's, or after one of them."""
    marker = f"key-marker={quote(key, safe='')}"
    return f"{marker}&version-id-marker={quote(version, safe='')}" if version else marker


def entries_of(root, count):
    """Return [is_marker, and FIELDS] of every entry, of which there are `count`.

    The stylesheet separates fields by tabs and entries by line feeds. Where a value has one itself,
    the numbers do not come out, and lxml's elements are read one by one, which is slow.
    """
    if not count:
        return []
    lines = str(sheet(etree.QName(root).namespace)(root)).split("\n")
    found = [line.split("\t") for line in lines[:-1]]
    if len(found) != count or set(map(len, found)) != {len(FIELDS) + 1}:
        return [fields_of(child) for child in root.iterchildren("*") if local(child.tag) in ENTRIES]
    return found


@lru_cache(4)
def sheet(namespace):
    """Return the stylesheet that writes the entries of a listing as lines, for a server's
    namespace.
    """
    ns = "s:" if namespace else ""
    values = ["<xsl:choose>" + "".join(f'<xsl:when test="self::{ns}{name}">{says}</xsl:when>'
                                       for name, says in ENTRIES.items() if says) + "</xsl:choose>"]
    for name in FIELDS:
        if name == "ChecksumAlgorithm":
            values.append(
                f'<xsl:for-each select="{ns}{name}"><xsl:if test="position()>1"><xsl:text> '
                '</xsl:text></xsl:if><xsl:value-of select="."/></xsl:for-each>')
        else:
            where = f"{ns}RestoreStatus/{ns}{name}" if name in RESTORE else f"{ns}{name}"
            values.append(f'<xsl:value-of select="{where}"/>')
    text = SHEET.format(f"xmlns:s={quoteattr(namespace)}" if namespace else "",
                        "|".join(ns + name for name in ENTRIES),
                        "<xsl:text>&#9;</xsl:text>".join(values))
    return etree.XSLT(etree.fromstring(text))


def fields_of(entry):
    """Return [is_marker, and FIELDS] of one entry."""
    found = dict.fromkeys(FIELDS, "")
    for child in entry.iterchildren("*", reversed=True):       # of two alike the first counts
        name = local(child.tag)
        if name == "RestoreStatus":
            found |= {local(part.tag): text_of(part) for part
                      in child.iterchildren("*", reversed=True) if local(part.tag) in RESTORE}
        elif name == "ChecksumAlgorithm":
            found[name] = (f"{text_of(child)} {found[name]}".rstrip(" ") if found[name]
                           else text_of(child))
        elif name in FIELDS and name not in RESTORE:
            found[name] = text_of(child)
    return [ENTRIES[local(entry.tag)], *found.values()]


def text_of(element):
    """Return an element's text, comments left out."""
    return str(element.xpath("string()"))
