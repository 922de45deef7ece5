"""PutObject, and what every write has in common."""

from fakes3.answers import Response
from fakes3.archive import STORAGE_CLASSES
from fakes3.checksums import check_content, etag_in
from fakes3.encryption import encryption_headers, encryption_of, opaque_etag
from fakes3.errors import S3Error
from fakes3.lifecycles import expiration_headers
from fakes3.locks import lock_of, need_digest
from fakes3.operations import operation
from fakes3.reads import checksum_headers
from fakes3.tagging import tags_of

# Headers that S3 keeps with an object and gives back as they were [API PutObject].
KEPT_HEADERS = {"content-type": "Content-Type", "cache-control": "Cache-Control",
                "expires": "Expires", "content-disposition": "Content-Disposition",
                "content-language": "Content-Language"}


METADATA = 2048                     # bytes of all names and values [UG UsingMetadata]
# What S3 does and this one does not: granting rights, appending.
FOREIGN_HEADERS = ("x-amz-grant-", "x-amz-write-offset-bytes", "x-amz-website-redirect-location")


def terms_of(s3, bucket, request):
    """Return what a write says of the object that comes of it, by the names of Version's fields."""
    foreign = [name for name in request.headers if name.startswith(FOREIGN_HEADERS)]
    if foreign:
        raise S3Error("NotImplemented", Header=", ".join(foreign))
    size = sum(len(name) - len("x-amz-meta-") + len(value) for name, value in
               request.headers.items() if name.startswith("x-amz-meta-"))
    if size > METADATA:
        raise S3Error("MetadataTooLarge", Size=size, MaxSizeAllowed=METADATA)
    return {"storage_class": storage_class_of(request), "headers": kept_headers(request),
            "tags": tags_of(request), **encryption_of(bucket, request),
            **lock_of(s3, bucket, request)}


def keep_within(most, size):
    """Refuse a body that is too large [API ErrorResponses]."""
    if size > most:
        raise S3Error("EntityTooLarge", ProposedSize=size, MaxSizeAllowed=most)


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
    """Check If-None-Match and If-Match of a PUT or CompleteMultipartUpload [API PutObject]: one of
    them, the first only as `*`, the second never so [LS].
    """
    current = bucket.current(request.key)
    exists = current is not None and not current.marker
    unless, only = request.headers.get("if-none-match"), request.headers.get("if-match")
    if unless is not None and only is not None:
        raise S3Error("NotImplemented", Header="If-Match,If-None-Match", additionalMessage=(
            "Multiple conditional request headers present in the request"))
    if unless not in (None, "*") or only == "*":
        name = "If-Match" if unless is None else "If-None-Match"
        raise S3Error("NotImplemented", Header=name, additionalMessage="We don't accept the "
                      f"provided value of {name} header for this API")
    if unless is not None and exists:
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
    headers = {"ETag": version.quoted_etag, **encryption_headers(vars(version)),
               **expiration_headers(bucket, version)}
    if bucket.versioning == "Enabled":
        headers["x-amz-version-id"] = version.id
    return headers


@operation("PUT", "object")
def put_object(s3, request):
    """PutObject. Without a checksum of the client's S3 adds CRC64NVME [UG
    checking-object-integrity].
    """
    bucket = s3.need_bucket(request)
    keep_within(s3.max_part, len(request.body))
    terms = terms_of(s3, bucket, request)
    algorithm, value = check_content(request)
    need_digest(request, algorithm, terms, "Object")
    check_write(bucket, request)
    version = s3.store(bucket, request.key, request.body, checksum=algorithm or "CRC64NVME",
                       etag=opaque_etag(s3, terms), **terms)
    return Response(200, {**wrote(bucket, version), **checksum_headers(version, None)})
