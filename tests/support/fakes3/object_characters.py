"""Servers that are not Amazon's: what each says of objects otherwise, and how it sends them."""

import base64
import hashlib
import zlib

from fakes3.characters import Character, character
from fakes3.errors import S3Error, elsewhere


@character("no-checksums")
class NoChecksums(Character):
    """A server that keeps no checksums of objects, as all did before 2022.

    https://aws.amazon.com/blogs/aws/new-additional-checksum-algorithms-for-amazon-s3/
    """

    differs = ("objects", "uploads")
    server = "nginx"

    def asked(self, s3, request):
        """Take no notice of those that a write has."""
        self.ignore_sums(request)

    def answered(self, s3, request, response):
        """Leave the checksums out."""
        return self.forget_sums(request, response)


@character("minio-gateway")
class MinioGateway(NoChecksums):
    """MinIO as a gateway: a random ETag, which ends in `-1` to say that it is not an MD5.

    https://github.com/minio/minio/issues/4648
    """

    server = "MinIO"
    versions = False            # https://github.com/minio/minio/issues/8613

    def etag(self, etag):
        """Return another, of one part."""
        return hashlib.sha256(etag.encode()).hexdigest()[:32] + "-1"


@character("exoscale")
class Exoscale(NoChecksums):
    """ETags of 32 hexadecimal digits that are not MD5s, of objects and of parts.

    https://gitlab.com/gitlab-org/gitlab-workhorse/merge_requests/398
    """

    versions = verifiable = False

    def etag(self, etag):
        """Return other digits."""
        return hashlib.sha256(etag.encode()).hexdigest()[:32]

    part_etag = etag


@character("bos")
class Bos(Character):
    """Baidu's store: an ETag that begins with a dash, and the checksum of the whole object beside
    each range of it.

    https://github.com/boto/boto3/issues/4512
    """

    differs = ("objects",)
    server = "BceBos"
    sums_all = True

    def etag(self, etag):
        """Return one of that form."""
        return "-" + hashlib.sha256(etag.encode()).hexdigest()[:32]

    def answered(self, s3, request, response):
        """Say the CRC-32 of the whole object, whatever was asked for."""
        if (request.method in ("GET", "HEAD") and request.key and response.status in (200, 206)
                and "uploadId" not in request.query):       # a list of parts
            self.without_checksums(response)
            version = s3.get(request.bucket, request.key, request.query.get("versionId"))
            crc = zlib.crc32(version.body).to_bytes(4, "big")
            response.headers["x-amz-checksum-crc32"] = base64.b64encode(crc).decode()
        return response


@character("b2")
class B2(NoChecksums):
    """Backblaze B2 refuses checksums, 400, and the question for them; a HEAD without a word.

    https://github.com/vatesfr/xen-orchestra/issues/8358
    """

    def asked(self, s3, request):
        """Refuse x-amz-checksum-mode, and what a write says of checksums."""
        asked = "x-amz-checksum-mode" in request.headers
        for name in ["x-amz-checksum-mode"] * asked + self.sums_of(request):
            raise S3Error("InvalidArgument", f"Unsupported header '{name}' received for this API "
                                             "call.")


@character("gcs")
class Gcs(NoChecksums):
    """Google's store, of composed objects and those under a key of the customer's: ETags in which
    capitals and small letters differ.

    https://docs.cloud.google.com/storage/docs/hashes-etags
    """

    versions = False            # generations, which S3's requests do not name
    server = "UploadServer"

    def etag(self, etag):
        """Return another, in base64."""
        return base64.b64encode(bytes.fromhex(etag.partition("-")[0])[:9] + b"\0").decode()


@character("proxy")
class Proxy(NoChecksums):
    """A proxy that compresses makes ETags weak (RFC 9110, 8.8.1), in the answers that it touches.

    https://nginx.org/en/docs/http/ngx_http_gzip_module.html
    """

    def etag(self, etag):
        """Return it as weak."""
        return f'W/"{etag.upper()}"'


@character("rclone-serve")
class RcloneServe(NoChecksums):
    """`rclone serve s3` answers ranges with 200, as the library below it does.

    https://github.com/johannesboyne/gofakes3/pull/121
    """

    versions = False            # https://rclone.org/commands/rclone_serve_s3/#limitations

    def answered(self, s3, request, response):
        """Say 200."""
        if response.status == 206:
            response.status = 200
        return super().answered(s3, request, response)


@character("no-ranges")
class NoRanges(NoChecksums):
    """A server that passes over Range, as HTTP allows it to (RFC 9110, 14.2)."""

    versions = False

    def asked(self, s3, request):
        """Leave it out."""
        super().asked(s3, request)
        request.headers.pop("range", None)


@character("gone-is-412")
class GoneIsAnother(Character):
    """A server that answers a condition on what is not there as on what is another: 412.

    Seen with SeaweedFS 4.48; RFC 9110, 13.1.1 says the same of If-Match.
    """

    differs = ("deletions",)

    def asked(self, s3, request):
        """Refuse a deletion on a condition of a key that is not there."""
        if request.method == "DELETE" and "if-match" in request.headers:
            bucket = s3.bucket(request.bucket)
            if not bucket.current(request.key):
                raise S3Error("PreconditionFailed", Condition="If-Match")


@character("redirecting")
class Redirecting(Character):
    """Amazon's own where DNS does not know a new bucket's place yet: each request is sent on once,
    and must come again with its method, query and body.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
    """

    differs = ("listings", "objects", "deletions")

    def __init__(self):
        self.sent_on = set()

    def asked(self, s3, request):
        """Send it on, where it was not."""
        name = request.method, request.path, request.query_string, request.headers.get("range")
        if name not in self.sent_on:
            self.sent_on.add(name)
            raise elsewhere(request, "us-east-1", "TemporaryRedirect", s3.url + request.path)
        self.sent_on.remove(name)
