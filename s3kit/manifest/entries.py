"""The entries of S3's listings: what their elements mean as rows, turned by lxml in one pass of its
own (a stylesheet) per document.
"""

from functools import lru_cache
from html import escape     # xml.sax.saxutils brings all of urllib with it, which is slow to import
from itertools import repeat
from sys import intern

from lxml import etree

from s3kit.etags import bare
from s3kit.manifest.row import LISTED, Row
from s3kit.units import date_ns, from_epoch

ENTRIES = ("Contents", "Version", "DeleteMarker")
LATEST = {"true": "true", "false": "false"}         # the same text for thousands of rows
FIELDS = ("Key", "VersionId", "IsLatest", "Size", "LastModified", "ETag", "StorageClass",
          "ChecksumAlgorithm", "ChecksumType", "IsRestoreInProgress", "RestoreExpiryDate")
RESTORE = ("IsRestoreInProgress", "RestoreExpiryDate")     # which are in a RestoreStatus
SHEET = (
    """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" {}><xsl:output method="text"/>
<xsl:template match="/*"><xsl:for-each select="{}">{}</xsl:for-each></xsl:template>
</xsl:stylesheet>""")  # noqa: E501


def rows_of(bucket, columns, key, of_versions):
    """Return the Rows of columns: whether it is a delete marker, and FIELDS.

    `key` makes a key of the text in its element; `of_versions`: the listing is one of versions.
    """
    (marks, keys, versions, latest, sizes, modified, etags, classes, algorithms, kinds, ongoing,
     expiry) = columns
    marks = [mark or ("false" if of_versions else "") for mark in marks]
    classes = ["" if mark == "true" else name for mark, name in zip(marks, classes)]
    return list(map(
        Row, repeat(bucket), map(key, keys), versions, each(latest_in, latest), marks,
        sizes, each(in_iso, modified), map(bare, etags), each(intern, classes),
        each(joined, algorithms), each(intern, kinds), repeat(""),
        each(restore_in, zip(ongoing, expiry)), repeat(LISTED)))


def each(read, texts):
    """Return what `read` makes of each text: most are the same in thousands of rows."""
    texts = list(texts)
    found = {text: read(text) for text in set(texts)}
    return map(found.__getitem__, texts)


def latest_in(text):
    """Return whether a version is the latest as rows have it, '' where that is not said."""
    return LATEST.get(text.strip().lower(), "")


def joined(algorithms):
    """Return the names of a version's checksum algorithms, a blank between them."""
    return intern(algorithms.rstrip(" "))


def restore_in(status):
    """Return the column `restore` for (whether it is in progress, when the copy expires)."""
    ongoing, expiry = status
    return ("ongoing" if ongoing == "true" else f"ready until {in_iso(expiry)}" if expiry else "")


def in_iso(time):
    """Return a time as rows have it, in ISO 8601; some servers write those of HTTP in listings
    (https://github.com/iterate-ch/cyberduck/issues/13383). What cannot be read stays as it is.
    """
    if time[4:5] == "-" or not time:
        return time.replace(".000Z", "Z")
    at = date_ns(time)
    return time if at is None else from_epoch(at // 10**9)


def columns_of(root, count):
    """Return the columns of the entries, of which there are `count`: whether it is a delete marker
    (`true`), and FIELDS.

    The stylesheet ends each field with a tab. Where a value has one itself, the number does not
    come out, and lxml's elements are read one by one, which is slow.
    """
    width = 1 + len(FIELDS)
    cells = str(sheet(etree.QName(root).namespace)(root)).split("\t") if count else [""]
    if len(cells) != count * width + 1:
        return list(zip(*[fields_of(child) for child in root.iterchildren("*")
                          if name_of(child) in ENTRIES]))
    return [cells[at:-1:width] for at in range(width)]


@lru_cache(4)
def sheet(namespace):
    """Return the stylesheet that writes the entries of a listing, for a server's namespace.

    `[1]` spares it from looking at what follows; of two alike the first counts anyway.
    """
    ns = "s:" if namespace else ""
    values = [f'<xsl:if test="self::{ns}DeleteMarker">true</xsl:if>']
    for name in FIELDS:
        if name == "ChecksumAlgorithm":
            values.append(f'<xsl:for-each select="{ns}{name}"><xsl:value-of select="."/>'
                          '<xsl:text> </xsl:text></xsl:for-each>')
        else:
            where = f"{ns}RestoreStatus/{ns}{name}" if name in RESTORE else f"{ns}{name}[1]"
            values.append(f'<xsl:value-of select="{where}"/>')
    text = SHEET.format(f'xmlns:s="{escape(namespace)}"' if namespace else "",
                        "|".join(ns + name for name in ENTRIES),
                        "".join(f"{value}<xsl:text>&#9;</xsl:text>" for value in values))
    return etree.XSLT(etree.fromstring(text))


def fields_of(entry):
    """Return what columns_of returns, of one entry."""
    found = dict.fromkeys(FIELDS, "")
    for child in entry.iterchildren("*", reversed=True):       # of two alike the first counts
        name = name_of(child)
        if name == "RestoreStatus":
            found |= {name_of(part): text_of(part) for part
                      in child.iterchildren("*", reversed=True) if name_of(part) in RESTORE}
        elif name == "ChecksumAlgorithm":
            found[name] = (f"{text_of(child)} {found[name]}".rstrip(" ") if found[name]
                           else text_of(child))
        elif name in FIELDS and name not in RESTORE:
            found[name] = text_of(child)
    return ["true" if name_of(entry) == "DeleteMarker" else "", *found.values()]


def name_of(element):
    """Return an element's name, without its namespace."""
    return etree.QName(element).localname


def text_of(element):
    """Return an element's text, comments left out."""
    return str(element.xpath("string()"))
