"""What a bucket holds: versions, parts, uploads."""

import hashlib
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

from fakes3.archive import ARCHIVES, Restore
from fakes3.checksums import DIGESTS
from fakes3.formats import b64

MAX_KEY = 1024                      # bytes of UTF-8 [UG object-keys]
PAGE = 1000                         # most keys of one listing or one DeleteObjects


@dataclass
class Part:
    """One part of a multipart upload or object; `checksum` is base64, in the upload's algorithm."""

    number: int
    size: int
    etag: str
    algorithm: str = None
    checksum: str = None
    body: bytes = None
    modified: float = 0.0


@dataclass(eq=False)
class Version:
    """One object version or delete marker.

    `id` is `null` where S3 would say null or say nothing.
    """

    key: str
    id: str
    seq: int                        # grows with every write: the order ListObjectVersions shows
    modified: float
    body: bytes = b""
    etag: str = ""
    storage_class: str = "STANDARD"
    marker: bool = False
    algorithm: str = None
    checksum_type: str = None
    checksum: str = None            # base64, with -N where composite
    parts: list = None              # of Part, for multipart objects
    headers: dict = field(default_factory=dict)
    sse: str = "AES256"             # as everything since 2023 [UG default-encryption-faq]
    tier: str = None                # ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS, of INTELLIGENT_TIERING
    restore: Restore = None
    held: bool = False              # legal hold
    retention: tuple = None         # (mode, until when)
    kms_key: str = None             # where `sse` is one of KMS
    bucket_key: bool = False
    tags: dict = field(default_factory=dict)

    @property
    def quoted_etag(self):
        """Return the ETag as HTTP has it; one that is weak was stored as that."""
        return self.etag if self.etag.startswith("W/") else f'"{self.etag}"'

    @property
    def size(self):
        """Return the bytes of the body."""
        return len(self.body)

    def state(self, now):
        """Return `online`, `archived`, `ongoing` or `ready` (a restored copy): how it is at `now`.
        """
        if self.storage_class not in ARCHIVES and not self.tier:
            return "online"
        if self.restore is None:
            return "archived"
        if now < self.restore.done:
            return "ongoing"
        if self.tier:  # moved to Frequent Access for good: the header goes, too
            self.tier = self.restore = None
            return "online"
        if now < self.restore.expires:
            return "ready"
        self.restore = None
        return "archived"


@dataclass
class Upload:
    """A multipart upload between create and complete."""

    id: str
    key: str
    initiated: float
    seq: int                        # as a Version's
    algorithm: str
    checksum_type: str
    terms: dict                     # what the object is to be, by the names of Version's fields
    over: bool = False              # there was an object at the key when it began
    parts: dict = field(default_factory=dict)


class Bucket:
    """Keys in UTF-8 byte order, each with its versions, newest first.

    `slash` stands for `/` in that order: another character than `/` makes another order.
    """

    def __init__(self, name, created, slash="/"):
        self.name, self.created, self.slash = name, created, slash
        self.versioning = ""        # never, then Enabled or Suspended, for good [UG Versioning]
        self.policy = None          # as it was put; kept, not enforced
        self.keys = {}
        self.order = []             # places; code point order of str is byte order of UTF-8
        self.uploads = {}
        self.ended = {}             # uploads that were: a listing may stand there
        self.region = ""            # where it is, if not where the server is
        self.settings = {}          # subresource of SETTINGS -> the content of its document
        self.gone = {}  # (key, version id) -> seq of what was removed: a listing may stand there

    def place(self, key):
        """Return what stands for a key, or its beginning, in `order`."""
        return key.replace("/", self.slash)

    def key_at(self, place):
        """Return the key, or its beginning, of a place."""
        return place.replace(self.slash, "/")

    def current(self, key):
        """Return the newest version or marker of `key`, or None."""
        versions = self.keys.get(key)
        return versions[0] if versions else None

    def find(self, key, version_id):
        """Return that very version, or None."""
        return next((v for v in self.keys.get(key, ()) if v.id == version_id), None)

    def under_way(self):
        """Return the uploads, by key, then by their beginning."""
        return sorted(self.uploads.values(), key=lambda u: (u.key.encode(), u.seq))

    def end_upload(self, upload):
        """Forget an upload and its parts."""
        del self.uploads[upload.id]
        upload.parts = {}
        self.ended[upload.id] = upload

    def add(self, version):
        """Put `version` on top of its key; a null version replaces the null version wherever it
        lies [UG AddingObjectstoVersionSuspendedBuckets].
        """
        versions = self.keys.get(version.key)
        if versions is None:
            self.keys[version.key] = [version]
            insort(self.order, self.place(version.key))
            return
        if version.id == "null":
            versions[:] = [v for v in versions if v.id != "null"]
        versions.insert(0, version)

    def remove(self, version):
        """Take out that very version."""
        versions = self.keys[version.key]
        versions.remove(version)
        self.gone[version.key, version.id] = version.seq
        if not versions:
            del self.keys[version.key]
            del self.order[bisect_left(self.order, self.place(version.key))]

    def entries(self, prefix, delimiter, marker, below=None, versions=False):
        """Yield what a listing shows after `marker`, in order: a str (common prefix) or a Version.

        `below` is the seq of the version marker: of the marker's own key only what is older
        follows.
        """
        prefix, delimiter, marker = map(self.place, (prefix, delimiter, marker))

        def common(place):
            cut = place.find(delimiter, len(prefix)) if delimiter else -1
            return place[:cut + len(delimiter)] if cut >= 0 else None

        def shown(place):
            found = self.keys[self.key_at(place)]
            if versions:
                return found
            return [] if found[0].marker else found[:1]

        at = bisect_left(self.order, prefix)
        if marker:
            at = max(at, bisect_right(self.order, marker))
            if marker.startswith(prefix) and common(marker):
                # A page that ended in a common prefix, or inside one, does not show it again [LS].
                at = bisect_left(self.order, past(common(marker)))
            elif below is not None and marker.startswith(prefix):
                yield from [v for v in self.keys.get(self.key_at(marker), ()) if v.seq < below]
        while at < len(self.order) and self.order[at].startswith(prefix):
            place = self.order[at]
            group = common(place)
            if not group:
                yield from shown(place)
                at += 1
                continue
            end = bisect_left(self.order, past(group))
            if any(shown(each) for each in self.order[at:end]):
                yield self.key_at(group)
            at = end


def past(prefix):
    """Return the least string after every string that starts with `prefix`."""
    prefix = prefix.rstrip("\U0010ffff")
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else "\U0010ffff" * MAX_KEY


def cut(body, parts, checksum):
    """Return (body, [Part]) of sizes or bytes."""
    if isinstance(parts[0], bytes):
        pieces, body = parts, b"".join(parts)
    else:
        assert sum(parts) == len(body), "the parts' sizes must add up to the body"
        ends = [sum(parts[:n + 1]) for n in range(len(parts))]
        pieces = [body[end - size:end] for end, size in zip(ends, parts)]
    made = [Part(n, len(piece), hashlib.md5(piece).hexdigest()) for n,
            piece in enumerate(pieces, 1)]
    for part, piece in zip(made, pieces):
        if checksum:
            part.algorithm, part.checksum = checksum, b64(DIGESTS[checksum](piece))
    return body, made
