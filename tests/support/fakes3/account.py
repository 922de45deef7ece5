"""An account: its buckets, what operations and tests do with them, and the time they live by."""

import hashlib
import random
import re
import string
import threading
from datetime import datetime, timezone

from fakes3.archive import RESTORE_SECONDS, SPEED_OF, STORAGE_CLASSES, Clock
from fakes3.checksums import MULTIPART_TYPES, combine, multipart_etag
from fakes3.deletes import remove
from fakes3.errors import S3Error
from fakes3.lifecycles import expire_uploads
from fakes3.store import MAX_KEY, Bucket, Version, cut


class Account:
    """Buckets in their regions, without a network: what operations are carried out on.

    What is for tests takes the lock; operations hold it already (FakeS3.respond).
    """

    def __init__(self, region="us-east-1"):
        self.home = region          # of buckets that have no other
        self.buckets = {}
        self.clock = Clock()
        self.lock = threading.RLock()
        self.restore_seconds = dict(RESTORE_SECONDS)
        self.expedited = True       # False: 503 GlacierExpeditedRetrievalNotAvailable
        self.min_part = 5 * 1024 * 1024         # [UG qfacts]
        self.max_part = 5 * 1024 ** 3           # of one request [UG qfacts]
        self.max_object = 10000 * self.max_part
        self.random = random.Random(1)          # the same ids in every run
        self.seq = 0

    # For operations

    def need_bucket(self, request):
        """Return the bucket that a request names, or say that there is none."""
        try:
            return self.buckets[request.bucket]
        except KeyError:
            raise S3Error("NoSuchBucket", BucketName=request.bucket) from None

    def region_of(self, bucket):
        """Return the region of the bucket of this name; of one that is not there: ours."""
        found = self.buckets.get(bucket)
        return found.region if found and found.region else self.home

    def next_seq(self):
        """Return a number greater than all before."""
        self.seq += 1
        return self.seq

    def random_name(self, length=32):
        """Return letters, digits, dots and underscores, as version ids have them."""
        return "".join(self.random.choices(string.ascii_letters + string.digits + "._", k=length))

    def new_version_id(self, bucket):
        """Return the id of the next version: null unless versioning is on [UG Versioning]."""
        return self.random_name() if bucket.versioning == "Enabled" else "null"

    def store(self, bucket, key, body, *, version=None, modified=None, checksum="CRC64NVME",
              checksum_type=None, parts=None, etag=None, headers=None, **more):
        """Make a Version and put it on top of its key; return it.

        `parts` are Part; `more` as in Version.
        """
        stored = Version(key, version or self.new_version_id(bucket), self.next_seq(),
                         self.clock.now() if modified is None else modified, body, parts=parts,
                         headers=headers or {}, **more)
        stored.etag = etag or self.character.etag(
            multipart_etag(parts) if parts else hashlib.md5(body).hexdigest())
        if checksum:
            stored.algorithm, stored.checksum_type = checksum, "FULL_OBJECT"
            if parts:
                stored.checksum_type = checksum_type or MULTIPART_TYPES[checksum][0]
            stored.checksum = combine(checksum, stored.checksum_type, parts, body)
        bucket.add(stored)
        return stored

    # For tests

    def bucket(self, name, versioning=None, region=None):
        """Return the Bucket of this name, made if need be.

        `versioning` "Enabled" or "Suspended" sets it; `region` moves it: whatever is signed for
        another region is then refused.
        """
        with self.lock:
            found = self.buckets.setdefault(name, None) or Bucket(name, self.clock.now(),
                                                                  self.character.slash)
            self.buckets[name] = found
            found.versioning = versioning or found.versioning
            found.region = region or found.region
            return found

    def put(self, bucket, key, body=b"", *, version=None, modified=None, storage_class="STANDARD",
            checksum="CRC64NVME", checksum_type=None, parts=None, etag=None, headers=None,
            sse="AES256", tier=None):
        """Store an object without HTTP, as the newest version of `key`; return its version id.

        The bucket is made if need be. `version` forces an id, `modified` (a datetime, ISO text or
        seconds) the time. `checksum=None` is an object from before S3 had them. `parts` makes a
        multipart object: sizes that cut `body`, or the bytes of each. `etag`, `sse="aws:kms"`:
        ETags that are not an MD5. `tier` is ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS, of
        INTELLIGENT_TIERING. `headers` come back as they are: {"Content-Type": ...,
        "x-amz-meta-...": ...}.
        """
        assert 1 <= len(key.encode()) <= MAX_KEY, "a key has 1 to 1,024 bytes"
        assert storage_class in STORAGE_CLASSES and (tier is None or tier in SPEED_OF)
        if isinstance(modified, str):
            modified = datetime.fromisoformat(re.sub("Z$", "+00:00", modified))
        if isinstance(modified, datetime):
            modified = (modified if modified.tzinfo
                        else modified.replace(tzinfo=timezone.utc)).timestamp()
        if parts:
            body, parts = cut(body, parts, checksum)
        with self.lock:
            into = self.bucket(bucket)
            assert version in (None, "null") or into.versioning, f"{bucket} is not versioned"
            return self.store(into, key, body, version=version, modified=modified,
                              checksum=checksum, checksum_type=checksum_type, parts=parts,
                              etag=etag, headers=headers, storage_class=storage_class, sse=sse,
                              tier=tier).id

    def get(self, bucket, key, version=None):
        """Return that Version (the current one, which may be a marker), or None."""
        with self.lock:
            found = self.buckets[bucket]
            return found.current(key) if version is None else found.find(key, version)

    def delete(self, bucket, key, version=None):
        """Delete as DeleteObject does; return the id of what was removed or of the new delete
        marker.
        """
        with self.lock:
            return remove(self, self.buckets[bucket], key, version)[0]

    def hold(self, bucket, key, version=None, on=True):
        """Put a version under legal hold: deleting it by its id is a 403."""
        self.get(bucket, key, version).held = on

    def objects(self, bucket):
        """Return the current objects in key order, as Version; delete markers hide theirs."""
        return [v for v in self.versions(bucket) if v is self.get(bucket, v.key) and not v.marker]

    def uploads(self, bucket):
        """Return the uploads that are under way, as Upload, in ListMultipartUploads' order."""
        with self.lock:
            expire_uploads(self, self.buckets[bucket])
            return self.buckets[bucket].under_way()

    def versions(self, bucket):
        """Return every version and delete marker, in ListObjectVersions' order."""
        with self.lock:
            found = self.buckets[bucket]
            return [version for place in found.order
                    for version in found.keys[found.key_at(place)]]
