"""A Snowball Edge as its S3 adapter shows it, to the letter.

https://docs.aws.amazon.com/snowball/latest/developer-guide/using-adapter-supported-api.html has
what it can do, and what it does otherwise; its limits are in .../limits.html and
.../snowball-edge-limits.html, what is wrong with its names in .../troubleshooting.html.
"""

import hashlib

from fakes3.answers import document
from fakes3.characters import character
from fakes3.errors import S3Error
from fakes3.listings import Listing
from fakes3.object_characters import NoChecksums
from fakes3.operations import WRITES, step_of, subresource

# All that it can do, as (method, level, subresource).
ACTIONS = {("GET", "service", ""), ("HEAD", "bucket", ""), ("GET", "bucket", ""),
           ("GET", "bucket", "uploads"), ("GET", "object", ""), ("HEAD", "object", ""),
           ("PUT", "object", ""), ("DELETE", "object", ""), ("POST", "object", "uploads"),
           ("PUT", "object", "uploadId"), ("POST", "object", "uploadId"),
           ("DELETE", "object", "uploadId")}
# What came after it, or means nothing there: accepted, and not heeded.
UNHEEDED = ("if-match", "if-none-match", "x-amz-storage-class", "x-amz-server-side-encryption",
            "x-amz-tagging")
KEY_BYTES = 933


@character("snowball")
class Snowball(NoChecksums):
    """The adapter. Listings have one answer, in no order; a multipart upload that begins deletes
    the object that is there first; no version, no condition, no list of parts.

    For tests: `is_md5` says whether ETags are MD5s, for they "might or might not be"; `most`
    cuts a listing without a word; `largest_part` is in bytes.
    """

    differs = ("listings", "objects", "deletions", "uploads")
    server = "AWSSnowball"
    region = "snow"
    versions = heeds_conditions = False

    def __init__(self):
        self.is_md5, self.most, self.largest_part = True, None, 512 * 10 ** 6

    def etag(self, etag):
        """Return an MD5, or a hash of the same form that is none."""
        return etag if self.is_md5 else hashlib.sha256(etag.encode()).hexdigest()[:32]

    part_etag = etag

    def asked(self, s3, request):
        """Refuse what it cannot do; pass over what it does not know."""
        super().asked(s3, request)
        self.check_action(request)
        for name in [name for name in request.headers if name.startswith(UNHEEDED)]:
            del request.headers[name]
        if request.method in ("GET", "HEAD"):
            request.query.pop("partNumber", None)
        step = step_of(request)
        if step in WRITES:
            self.check_write(step, request)
        if step == "CreateMultipartUpload":
            bucket = s3.need_bucket(request)
            if there := bucket.current(request.key):
                bucket.remove(there)

    def check_action(self, request):
        """Raise S3Error for an action that is none of its own, or a body in chunks."""
        level = "object" if request.key else "bucket" if request.bucket else "service"
        is_known = (request.method, level, subresource(request)) in ACTIONS
        is_another = "list-type" in request.query or "x-amz-copy-source" in request.headers
        # `null` is what S3 calls the version of an object that has none
        if not is_known or is_another or request.query.get("versionId", "null") != "null":
            raise S3Error("NotImplemented", "The action is not supported.")
        if request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
            raise S3Error("NotImplemented", "Chunked encoding is not supported.")

    def check_write(self, step, request):
        """Raise S3Error for what is too long or too large."""
        size = len(request.key.encode())
        if size > KEY_BYTES:
            raise S3Error("KeyTooLongError", Size=size, MaxSizeAllowed=KEY_BYTES)
        if step == "UploadPart" and len(request.body) > self.largest_part:
            raise S3Error("EntityTooLarge", ProposedSize=len(request.body),
                          MaxSizeAllowed=self.largest_part)

    def instead(self, s3, request):
        """Return the whole listing of a bucket in one answer, in no order: no pages, markers or
        delimiters.
        """
        if request.method != "GET" or request.key or not request.bucket or subresource(request):
            return None
        listing = Listing(s3, request)
        listing.delimiter, listing.truncated = "", False
        entries = s3.need_bucket(request).entries(listing.prefix, "", "")
        listing.items = sorted(entries, key=lambda item: hashlib.md5(item.key.encode()).digest())
        listing.items = listing.items[:self.most]
        return document("ListBucketResult", listing.head() + listing.rows("Contents", owner=True))
