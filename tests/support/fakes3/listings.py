"""ListObjects, ListObjectsV2 and ListObjectVersions."""

import base64
from urllib.parse import quote_plus

from fakes3.answers import document
from fakes3.archive import ARCHIVES
from fakes3.errors import S3Error
from fakes3.formats import iso, text
from fakes3.operations import operation
from fakes3.parameters import number
from fakes3.store import PAGE

OWNER = "<Owner><ID>fakes3</ID><DisplayName>fakes3</DisplayName></Owner>"


def make_token(key):
    """Return an opaque continuation token that stands after `key`."""
    return base64.urlsafe_b64encode(b"1" + key.encode()).decode()


def untoken(token):
    """Return the key of a token."""
    try:
        data = base64.b64decode(token, altchars=b"-_", validate=True)
        if data[:1] == b"1":
            return data[1:].decode()
    except ValueError:
        pass
    raise S3Error("InvalidArgument", "The continuation token provided is incorrect",
                  ArgumentName="continuation-token")


class Listing:
    """What the three listings have in common: parameters, encoding, one page, one row."""

    def __init__(self, s3, request):
        query = request.query
        self.s3, self.request, self.now = s3, request, s3.clock.now()
        self.prefix, self.delimiter = query.get("prefix", ""), query.get("delimiter", "")
        self.max_keys = min(number(query.get("max-keys") or "1000", "max-keys"), PAGE)
        if query.get("encoding-type", "url") != "url":
            raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
        # As S3 does it: space becomes +, the slash stays, `test_file(3)` becomes `test_file%283%29`
        # [API ListObjectsV2].
        self.encode = (lambda key: quote_plus(key, safe="/*")) if "encoding-type" in query else text
        wanted = request.headers.get("x-amz-optional-object-attributes", "")
        if wanted and wanted != "RestoreStatus":
            raise S3Error("InvalidArgument", "Invalid attribute name specified")
        self.restore_status = bool(wanted)

    def page(self, marker, below=None, versions=False):
        """Read one page; set `items` and `truncated`. Common prefixes count as keys do [API
        ListObjectsV2].
        """
        bucket = self.s3.need_bucket(self.request)
        entries = bucket.entries(self.prefix, self.delimiter, marker, below, versions)
        self.items = []
        self.truncated = False
        if self.max_keys:                       # max-keys=0 is an empty page that is not truncated
            for item in entries:
                if len(self.items) == self.max_keys:
                    self.truncated = True
                    break
                self.items.append(item)

    def last_key(self):
        """Return the key or prefix at the end of this page."""
        return self.items[-1] if isinstance(self.items[-1], str) else self.items[-1].key

    def head(self, *pairs):
        """Return the elements before the rows."""
        pairs = [("Name", self.request.bucket), ("Prefix", self.encode(self.prefix)), *pairs,
                 ("MaxKeys", self.max_keys), ("IsTruncated", str(self.truncated).lower())]
        if self.delimiter:
            pairs.append(("Delimiter", self.encode(self.delimiter)))
        if "encoding-type" in self.request.query:
            pairs.append(("EncodingType", "url"))
        return "".join(f"<{name}>{value}</{name}>" for name, value in pairs if value is not None)

    def rows(self, tag, owner, latest=False):
        """Return the rows as S3 puts them on the wire: objects in order, then the common prefixes.
        """
        bucket = self.s3.buckets[self.request.bucket]
        rows, groups = [], []
        for item in self.items:
            if isinstance(item, str):
                groups.append(
                    f"<CommonPrefixes><Prefix>{self.encode(item)}</Prefix></CommonPrefixes>")
                continue
            version = ""
            if latest:
                newest = str(bucket.current(item.key) is item).lower()
                version = f"<VersionId>{item.id}</VersionId><IsLatest>{newest}</IsLatest>"
            start = (f"<Key>{self.encode(item.key)}</Key>{version}"
                     f"<LastModified>{iso(item.modified)}</LastModified>")
            if item.marker:                     # between the versions, in its place
                rows.append(f"<DeleteMarker>{start}{OWNER}</DeleteMarker>")
                continue
            checksum = (f"<ChecksumAlgorithm>{item.algorithm}</ChecksumAlgorithm>"
                        f"<ChecksumType>{item.checksum_type}</"
                        "ChecksumType>") if item.algorithm else ""
            rows.append(f"<{tag}>{start}<ETag>{text(item.quoted_etag)}</ETag>{checksum}"
                        f"<Size>{item.size}</Size>{OWNER if owner else ''}"
                        f"<StorageClass>{item.storage_class}</StorageClass>"
                        f"{self.restored(item) if self.restore_status else ''}</{tag}>")
        return "".join(rows + groups)

    def restored(self, version):
        """Return the RestoreStatus: only where a restore runs or a copy exists; not for tiers [API
        RestoreStatus].
        """
        state = version.state(self.now)
        if version.storage_class not in ARCHIVES or state not in ("ongoing", "ready"):
            return ""
        if state == "ongoing":
            return "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"
        return ("<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>"
                f"{iso(version.restore.expires)}</RestoreExpiryDate></RestoreStatus>")


@operation("GET", "bucket")
def list_objects(s3, request):
    """ListObjectsV2, and ListObjects where list-type is not 2 [API ListObjects]."""
    query, listing = request.query, Listing(s3, request)
    if query.get("list-type") == "2":
        token, start = query.get("continuation-token"), query.get("start-after", "")
        if token == "":
            raise S3Error("InvalidArgument", "The continuation token provided is incorrect",
                          ArgumentName="continuation-token")
        listing.page(untoken(token) if token else start)
        following = make_token(listing.last_key()) if listing.truncated else None
        head = listing.head(("KeyCount", len(listing.items)),
                            ("StartAfter", listing.encode(start) or None),
                            ("ContinuationToken", token), ("NextContinuationToken", following))
        rows = listing.rows("Contents", owner=query.get("fetch-owner") == "true")
        return document("ListBucketResult", head + rows)
    listing.page(query.get("marker", ""))
    # Without a delimiter the client takes the last key: NextMarker is not given
    # [API ListObjects].
    following = (listing.encode(listing.last_key()) if listing.truncated and listing.delimiter
                 else None)
    head = listing.head(("Marker", listing.encode(query.get("marker", ""))),
                        ("NextMarker", following))
    return document("ListBucketResult", head + listing.rows("Contents", owner=True))


@operation("GET", "bucket", "versions")
def list_versions(s3, request):
    """ListObjectVersions: newest first within a key, markers in between."""
    query, listing = request.query, Listing(s3, request)
    marker, version = query.get("key-marker", ""), query.get("version-id-marker", "")
    below = None
    if version:
        if not marker:
            raise S3Error("InvalidArgument",
                          "A version-id marker cannot be specified without a key marker.",
                          ArgumentName="version-id-marker")
        bucket = s3.need_bucket(request)
        at = bucket.find(marker, version)
        # The version may be gone since the last page; its place is not.
        below = at.seq if at else bucket.gone.get((marker, version))
        if below is None:
            raise S3Error("InvalidArgument", "Invalid version id specified",
                          ArgumentName="version-id-marker", ArgumentValue=version)
    listing.page(marker, below, versions=True)
    next_key = next_version = None
    if listing.truncated:
        next_key = listing.encode(listing.last_key())
        next_version = None if isinstance(listing.items[-1], str) else listing.items[-1].id
    head = listing.head(("KeyMarker", listing.encode(marker)), ("VersionIdMarker", text(version)),
                        ("NextKeyMarker", next_key), ("NextVersionIdMarker", next_version))
    return document("ListVersionsResult", head + listing.rows("Version", owner=True, latest=True))
