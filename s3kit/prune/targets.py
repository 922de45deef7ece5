"""From a row to the request that deletes exactly its version, or the reason why none is safe."""

from s3kit.errors import NoSuchBucket
from s3kit.prune.deletion import Doomed, why_unheeded
from s3kit.prune.proofs import BrokenProof


class NoBucket(BrokenProof):
    """S3 has no such bucket: there is nothing that it would keep."""


class Targets:
    """The buckets of a run, reached by its Access, and how their versions are deleted."""

    def __init__(self, access):
        self.access = access
        self.missing = {}           # bucket: a NoBucket
        self.unheeded = {}          # bucket: why its server's If-Match cannot be relied on, or ''

    def target(self, row):
        """Return a row's Doomed, or a BrokenProof.

        Raises Fault for a bucket that is out of reach.
        """
        if row.bucket in self.missing:
            return self.missing[row.bucket]
        try:
            versioning = self.access.versioning(row.bucket)
            why = self.why_unsafe(row, versioning)
            if why:
                return BrokenProof(why)
            is_loose = row.version_id in ("", "null") and not row.is_marker
            etag = row.etag if is_loose else ""
            return Doomed(self.access.endpoint(row.bucket), row.key, row.version_id, etag,
                          versioning == "Enabled")
        except NoSuchBucket as fault:
            self.missing[row.bucket] = NoBucket(fault)
            return self.missing[row.bucket]

    def why_unsafe(self, row, versioning):
        """Return why a row does not say which bytes would go, or ''."""
        if row.version_id not in ("", "null"):
            return ""
        if versioning and not row.version_id:
            return "it names no version, and the bucket has versions"
        if row.is_marker:
            return "" if versioning == "Enabled" else \
                "a null delete marker cannot be told from an object that takes its place"
        if not row.etag:
            return "it has no ETag that would tell it from what may have overwritten it"
        return self.why_unheeded(row.bucket, versioning)

    def why_unheeded(self, bucket, versioning):
        """Return why conditions on deletes cannot be relied on in a bucket, or ''; asked for once.
        """
        if bucket not in self.unheeded:
            endpoint = self.access.endpoint(bucket)
            with self.access.at_once():
                # where there may be versions no delete marker is to come
                self.unheeded[bucket] = why_unheeded(endpoint, "" if versioning == "" else "null")
        return self.unheeded[bucket]
