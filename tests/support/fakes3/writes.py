"""PutObject, and what every write has in common."""

from fakes3.answers import Response
from fakes3.archive import STORAGE_CLASSES
from fakes3.checksums import check_content, etag_in
from fakes3.errors import S3Error
from fakes3.operations import operation
from fakes3.reads import checksum_headers

# Headers that S3 keeps with an object and gives back as they were [API PutObject].
KEPT_HEADERS = {"content-type": "Content-Type", "cache-control": "Cache-Control",
                "expires": "Expires", "content-disposition": "Content-Disposition",
                "content-language": "Content-Language"}


def kept_headers(request):
    """Return the headers that an object keeps: aws-chunked is S3's own and goes."""
    kept = {KEPT_HEADERS.get(name, name): value for name, value in request.headers.items()
            if name in KEPT_HEADERS or name.startswith("x-amz-meta-")}
    coding = [c.strip() for c in request.headers.get("content-encoding", "").split(",")]
    coding = ",".join(c for c in coding if c and c != "aws-chunked")
    return {**kept, "Content-Encoding": coding} if coding else kept


def storage_class_of(request):
    """Return the storage class a request asks for."""
    name = request.headers.get("x-amz-storage-class", "STANDARD")
    if name not in STORAGE_CLASSES:
        raise S3Error("InvalidStorageClass", StorageClassRequested=name)
    return name


def check_write(bucket, request):
    """Check If-None-Match and If-Match of a PUT or CompleteMultipartUpload [API PutObject]."""
    current = bucket.current(request.key)
    exists = current is not None and not current.marker
    unless, only = request.headers.get("if-none-match"), request.headers.get("if-match")
    if unless is not None:
        if unless != "*":
            raise S3Error("NotImplemented", Header="If-None-Match")
        if exists:
            raise S3Error("PreconditionFailed", Condition="If-None-Match")
    if only is not None:
        if not exists:
            raise S3Error("NoSuchKey", Key=request.key)
        if not etag_in(current.etag, only):
            raise S3Error("PreconditionFailed", Condition="If-Match")


def wrote(bucket, version):
    """Return the headers that tell what was stored.

    A suspended bucket does not name null versions [LS].
    """
    headers = {"ETag": version.quoted_etag, "x-amz-server-side-encryption": version.sse}
    if bucket.versioning == "Enabled":
        headers["x-amz-version-id"] = version.id
    return headers


@operation("PUT", "object")
def put_object(s3, request):
    """PutObject. Without a checksum of the client's S3 adds CRC64NVME [UG
    checking-object-integrity].
    """
    bucket = s3.need_bucket(request)
    storage_class = storage_class_of(request)
    algorithm, value = check_content(request)
    check_write(bucket, request)
    version = s3.store(bucket, request.key, request.body, storage_class=storage_class,
                       checksum=algorithm or "CRC64NVME", headers=kept_headers(request),
                       sse=request.headers.get("x-amz-server-side-encryption", "AES256"))
    return Response(200, {**wrote(bucket, version), **checksum_headers(version, None)})
