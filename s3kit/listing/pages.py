"""The pages of a listing, as S3 sends them.

Keys are asked for URL-encoded, because XML cannot carry them all; a server that does not do that
says so by leaving EncodingType out.
"""
import re
from copy import copy

from s3kit.errors import Fault, NoVersions
from s3kit.listing import continuation
from s3kit.manifest.entries import ENTRIES, columns_of, rows_of
from s3kit.s3.xml import local, parse_without, read_encoded

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
        names, found, groups, top = {}, dict.fromkeys(ENTRIES, 0), [], {}
        for child in root.iterchildren("*"):
            tag = child.tag
            name = names.get(tag) or names.setdefault(tag, local(tag))
            if name in found:
                found[name] += 1
            elif name == "CommonPrefixes":
                groups.append(child)
            else:
                top[name] = child.text or ""
        self.check_kind(found)
        self.key = read_encoded if top.get("EncodingType", "").strip() == "url" else str
        self.rows = rows_of(bucket, columns_of(root, sum(found.values())), self.key, versions)
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

    def cut(self, count):
        """Keep the first `count` rows; return the Page of the others."""
        rest = copy(self)
        self.rows, rest.rows = self.rows[:count], self.rows[count:]
        return rest


def read(xml):
    """Return the root of a listing, if need be without its markers. Raises Fault."""
    return parse_without(xml, MARKERS)
