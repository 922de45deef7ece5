"""Characters of servers whose uploads differ from Amazon's, and where that is said."""

from fakes3.characters import Character, character
from fakes3.errors import S3Error
from fakes3.operations import WRITES, step_of

CONDITIONS = ("if-match", "if-none-match")


@character("no-crc64nvme")
class NoCrc64(Character):
    """A store that knows the checksums of before 2024, and refuses CRC64NVME.

    https://github.com/ministackorg/ministack/pull/1389
    """

    differs = ("uploads",)

    def asked(self, s3, request):
        """Refuse it, by whatever header it comes."""
        said = {name: value.lower() for name, value in (request.headers | request.trailers).items()
                if name.startswith(("x-amz-checksum-", "x-amz-sdk-checksum"))}
        if "x-amz-checksum-crc64nvme" in said or "crc64nvme" in said.values():
            raise S3Error("InvalidRequest", "Checksum algorithm not supported: CRC64NVME")

    def answered(self, s3, request, response):
        """Leave out those that Amazon adds by itself."""
        headers = response.headers
        if headers.pop("x-amz-checksum-crc64nvme", None):
            headers.pop("x-amz-checksum-type", None)
        if b"<ChecksumCRC64NVME>" in bytes(response.body):
            self.change(response, rb"<(Checksum\w+)>[^<]*</\1>", b"")
        return response


@character("composite-sums")
class CompositeSums(NoCrc64):
    """A store from before there were types of checksums: it passes over what is said of one, and
    all that it makes of parts is composite.

    https://aws.amazon.com/blogs/aws/introducing-default-data-integrity-protections-for-new-objects-in-amazon-s3/
    """

    def asked(self, s3, request):
        """Pass over the type."""
        super().asked(s3, request)
        request.headers.pop("x-amz-checksum-type", None)

    def answered(self, s3, request, response):
        """Name none."""
        super().answered(s3, request, response).headers.pop("x-amz-checksum-type", None)
        return self.change(response, b"<ChecksumType>[^<]*</ChecksumType>", b"")


@character("r2-sums")
class R2Sums(Character):
    """Cloudflare's R2 until 2025: a checksum's header is not implemented, 501.

    https://github.com/f2face/cloudflare-r2/issues/12
    """

    differs = ("uploads",)
    server = "cloudflare"

    def asked(self, s3, request):
        """Refuse them all."""
        for name in self.sums_of(request):
            raise S3Error("NotImplemented", f"Header '{name}' with value "
                                            f"'{request.headers[name]}' not implemented")

    def answered(self, s3, request, response):
        """Have none."""
        return self.forget_sums(request, response)


@character("conditions-ignored")
class ConditionsIgnored(Character):
    """A store that passes over If-None-Match and If-Match of what is written.

    https://github.com/chimera-nas/chimera/issues/471 and
    https://github.com/pithings/mountx/issues/19
    """

    differs = ("uploads",)

    def asked(self, s3, request):
        """Leave them out."""
        for name in CONDITIONS if step_of(request) in WRITES else ():
            request.headers.pop(name, None)


@character("conditions-refused")
class ConditionsRefused(Character):
    """Alibaba's OSS: 501 to If-None-Match and If-Match of what is written.

    https://github.com/tobi/walgit/issues/67
    """

    differs = ("uploads",)
    server = "AliyunOSS"

    def asked(self, s3, request):
        """Refuse them."""
        for name in CONDITIONS if step_of(request) in WRITES else ():
            if name in request.headers:
                raise S3Error("NotImplemented", Header=name)


@character("no-list-parts")
class NoListParts(Character):
    """A store without ListParts: only the client knows what has been uploaded.

    https://github.com/cloudflare/cloudflare-docs/pull/7977 and
    https://github.com/floci-io/floci/issues/47
    """

    differs = ("uploads",)

    def asked(self, s3, request):
        """Refuse it."""
        if step_of(request) == "ListParts":
            raise S3Error("NotImplemented")


@character("empty-listings")
class EmptyListings(Character):
    """MinIO's gateway to Azure: no upload and no part is ever listed.

    https://github.com/tus/tusd/issues/156
    """

    differs = ("uploads",)
    server = "MinIO"

    def answered(self, s3, request, response):
        """Leave them out."""
        if step_of(request) == "ListParts" or request.method == "GET" and "uploads" in (
                request.query):
            return self.change(response, rb"<(Part|Upload)>.*</\1>", b"")
        return response


@character("repeats-completions")
class RepeatsCompletions(Character):
    """A store that answers a completion that comes again as it did the first.

    test_multipart_upload in https://github.com/ceph/s3-tests asks for that.
    """

    differs = ("uploads",)

    def __init__(self):
        self.answers = {}           # upload id -> what was said

    def answered(self, s3, request, response):
        """Say it again."""
        if step_of(request) == "CompleteMultipartUpload" and response.status == 200:
            self.answers[request.query["uploadId"]] = response
        return response

    def instead(self, s3, request):
        """Return the first answer, where there was one."""
        if step_of(request) == "CompleteMultipartUpload":
            return self.answers.get(request.query["uploadId"])
        return None


@character("no-metadata")
class NoMetadata(Character):
    """A store that keeps no x-amz-meta-*, as Google's does where the request is not signed as S3's.

    https://github.com/ClickHouse/ClickHouse/issues/118829
    """

    differs = ("uploads",)
    server = "UploadServer"

    def asked(self, s3, request):
        """Leave it out."""
        for name in [name for name in request.headers if name.startswith("x-amz-meta-")]:
            del request.headers[name]
