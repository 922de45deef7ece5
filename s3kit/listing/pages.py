"""The pages of a listing: S3's XML turned to rows by lxml, in one pass of its own (a stylesheet)
per page.

Keys are asked for URL-encoded, because XML cannot carry them all; a server that does not do that
says so by leaving EncodingType out.
"""
import re
from copy import copy
from functools import lru_cache
from html import escape     # xml.sax.saxutils brings all of urllib with it, which is slow to import
from sys import intern

from lxml import etree

from s3kit.errors import Fault, NoVersions
from s3kit.etags import bare
from s3kit.listing import continuation
from s3kit.manifest.row import LISTED, Row
from s3kit.s3.headers import date_ns
from s3kit.s3.xml import local, parse, read_encoded
from s3kit.units import from_epoch

# and what they say of is_delete_marker
ENTRIES = {"Contents": "", "Version": "false", "DeleteMarker": "true"}
LATEST = {"true": "true", "false": "false"}         # the same text for thousands of rows
FIELDS = ("Key", "VersionId", "IsLatest", "Size", "LastModified", "ETag", "StorageClass",
          "ChecksumAlgorithm", "ChecksumType", "IsRestoreInProgress", "RestoreExpiryDate")
RESTORE = ("IsRestoreInProgress", "RestoreExpiryDate")     # which are in a RestoreStatus
SHEET = (
    """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" {}><xsl:output method="text"/>
<xsl:template match="/*"><xsl:for-each select="{}">{}<xsl:text>&#10;</xsl:text></xsl:for-each></xsl:template>
</xsl:stylesheet>""")  # noqa: E501


# Ceph writes markers as they are, and XML cannot carry every key: they are not needed.
MARKERS = re.compile(rb"<((?:Next)?(?:(?:Key|VersionId)?Marker|ContinuationToken)|StartAfter)>"
                     rb"[^<]*</\1>")


class Page:
    """One page of a listing: `rows`, common `prefixes`, and the query that goes on after it (or
    '').

    Raises NoVersions or Fault for what is not the page that was asked for.
    """

    def __init__(self, bucket, xml, versions):
        root = read(xml)
        if local(root.tag) not in ("ListBucketResult", "ListVersionsResult"):
            raise Fault(f"the listing of '{bucket}' is not one: <{local(root.tag)}>")
        self.bucket, self.versions = bucket, versions
        found, groups, top = dict.fromkeys(ENTRIES, 0), [], {}
        for child in root.iterchildren("*"):
            name = local(child.tag)
            if name in ENTRIES:
                found[name] += 1
            elif name == "CommonPrefixes":
                groups.append(child)
            else:
                top[name] = child.text or ""
        self.check_kind(found)
        self.key = read_encoded if top.get("EncodingType", "").strip() == "url" else str
        self.rows = [self.row(*fields) for fields in entries_of(root, sum(found.values()))]
        self.prefixes = [self.key(child.text or "") for group in groups
                         for child in group.iterchildren("*") if local(child.tag) == "Prefix"]
        self.next = continuation.query_after(self, top)

    def check_kind(self, found):
        """Raise NoVersions or Fault where the numbers of entries by name show another listing."""
        if self.versions and found["Contents"]:
            raise NoVersions(f"the server does not list the versions of '{self.bucket}': it "
                             "answers with a listing of current objects")
        if not self.versions and (found["Version"] or found["DeleteMarker"]):
            raise Fault(f"the listing of '{self.bucket}' is one of versions, which nobody asked "
                        "for")

    def row(self, is_marker, key, version, latest, size, modified, etag, storage, algorithm, kind,
            ongoing, expiry):
        """Return the Row of one entry."""
        restore = ("ongoing" if ongoing == "true" else f"ready until {in_iso(expiry)}"
                   if expiry else "")
        latest = LATEST.get(latest) or LATEST.get(latest.strip().lower(), "")
        return Row(self.bucket, self.key(key), version, latest, is_marker, size,
                   in_iso(modified), bare(etag),
                   "" if is_marker == "true" else intern(storage), intern(algorithm), intern(kind),
                   "", restore, LISTED)

    def cut(self, count):
        """Keep the first `count` rows; return the Page of the others."""
        rest = copy(self)
        self.rows, rest.rows = self.rows[:count], self.rows[count:]
        return rest


def in_iso(time):
    """Return a time as rows have it, in ISO 8601; some servers write those of HTTP in listings
    (https://github.com/iterate-ch/cyberduck/issues/13383). What cannot be read stays as it is.
    """
    if time[4:5] == "-" or not time:
        return time.replace(".000Z", "Z")
    at = date_ns(time)
    return time if at is None else from_epoch(at // 10**9)


def read(xml):
    """Return the root of a listing, if need be without its markers. Raises Fault."""
    try:
        return parse(xml)
    except Fault:
        readable = MARKERS.sub(b"", xml)
        if readable == xml:
            raise
        return parse(readable)


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
    text = SHEET.format(f'xmlns:s="{escape(namespace)}"' if namespace else "",
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
