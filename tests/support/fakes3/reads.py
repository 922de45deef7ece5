"""GetObject and HeadObject."""

import re

from fakes3.answers import Response
from fakes3.checksums import etag_in
from fakes3.encryption import encryption_headers
from fakes3.errors import S3Error
from fakes3.formats import http_date, http_time
from fakes3.lifecycles import expiration_headers
from fakes3.locks import lock_headers
from fakes3.operations import operation
from fakes3.parameters import check_version_id, part_number
from fakes3.store import Part


def find_version(s3, request):
    """Return (bucket, version) that a read names, or say why there is none [UG DeleteMarker].
    """
    bucket = s3.need_bucket(request)
    wanted = request.query.get("versionId")
    if wanted is None:
        version = bucket.current(request.key)
        if version is None:
            raise S3Error("NoSuchKey", Key=request.key)
        if version.marker:
            raise S3Error("NoSuchKey", Key=request.key,
                          headers={"x-amz-delete-marker": "true", "x-amz-version-id": version.id})
        return bucket, version
    check_version_id(wanted)
    version = bucket.find(request.key, wanted)
    if version is None:
        raise S3Error("NoSuchVersion", Key=request.key, VersionId=wanted)
    if version.marker:
        raise S3Error("MethodNotAllowed", Method=request.method, ResourceType="DeleteMarker",
                      headers={"x-amz-delete-marker": "true", "x-amz-version-id": version.id,
                               "Allow": "DELETE",
                               "Last-Modified": http_date(int(version.modified))})
    return bucket, version


def check_read(request, version):
    """Check the four conditions in RFC 9110's order; a 304 carries the ETag [API GetObject]."""
    headers = request.headers
    modified = int(version.modified)
    since, until = (http_time(headers.get("if-modified-since")),
                    http_time(headers.get("if-unmodified-since")))
    if "if-match" in headers:
        if not etag_in(version.etag, headers["if-match"]):
            raise S3Error("PreconditionFailed", Condition="If-Match")
    elif until is not None and modified > until:
        raise S3Error("PreconditionFailed", Condition="If-Unmodified-Since")
    same = {"ETag": version.quoted_etag, "Last-Modified": http_date(modified)}
    if "if-none-match" in headers:
        if etag_in(version.etag, headers["if-none-match"]):
            raise S3Error("NotModified", headers=same)
    elif since is not None and modified <= since:
        raise S3Error("NotModified", headers=same)


def wanted_range(request, version):
    """Return (first, end, part) of a Range or partNumber, or None for all of it."""
    asked, part = request.headers.get("range"), request.query.get("partNumber")
    size = version.size
    if asked is part is None:
        return None
    if part is not None:
        if asked:
            raise S3Error("InvalidRequest",
                          "Cannot specify both Range header and partNumber query parameter")
        part = part_number(part)
        # A plain object is its own part 1, a 206 as well [seen: versitygw#2074]; an empty one has
        # no range.
        parts = version.parts or [Part(1, size, version.etag, checksum=version.checksum)]
        first = 0
        for candidate in parts:
            if candidate.number == part:
                return (first, first + candidate.size, candidate) if candidate.size else None
            first += candidate.size
        raise S3Error("InvalidPartNumber", PartNumberRequested=part, ActualPartCount=len(parts))
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", asked.strip()) if asked else None
    if not match or not (match[1] or match[2]) or (match[1] and match[2]
                                                   and int(match[1]) > int(match[2])):
        return None     # S3 ignores what it cannot read, and lists of ranges [API GetObject]
    if match[1]:
        first, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    else:
        first, end = max(size - int(match[2]), 0), size
    if first >= end:
        raise S3Error("InvalidRange", headers={"Content-Range": f"bytes */{size}"},
                      RangeRequested=asked, ActualObjectSize=size)
    first_of = 0
    for candidate in version.parts or ():       # a range that is exactly one part is that part
        if (first, end) == (first_of, first_of + candidate.size):
            return first, end, candidate
        first_of += candidate.size
    return first, end, None


def checksum_headers(version, span):
    """Return the checksum headers of a read with x-amz-checksum-mode.

    A part of a COMPOSITE object has its own checksum [UG checking-object-integrity]; all
    of it asked for as a range has the composite one without its -N [seen: botocore#3346]; any other
    range has none [seen: versitygw#2056].
    """
    if not version.algorithm:
        return {}
    value = version.checksum
    if span:
        first, end, part = span
        if part and version.parts and version.checksum_type == "COMPOSITE":
            value = part.checksum
        elif (first, end) == (0, version.size):
            value = version.checksum.partition("-")[0]
        else:
            return {}
    return {f"x-amz-checksum-{version.algorithm.lower()}": value,
            "x-amz-checksum-type": version.checksum_type}


@operation("HEAD", "object")
@operation("GET", "object")
def get_object(s3, request):
    """GetObject and HeadObject: the same but for the body and for archives, which only HEAD may
    see.
    """
    bucket, version = find_version(s3, request)
    check_read(request, version)
    state = version.state(s3.clock.now())
    if request.method == "GET" and state in ("archived", "ongoing"):
        if version.tier:
            raise S3Error("InvalidObjectState",
                          "The operation is not valid for the object's access tier",
                          StorageClass=version.storage_class, AccessTier=version.tier)
        raise S3Error("InvalidObjectState", StorageClass=version.storage_class)
    headers = {"Last-Modified": http_date(int(version.modified)), "ETag": version.quoted_etag,
               "Accept-Ranges": "bytes", "Content-Type": "binary/octet-stream", **version.headers,
               **encryption_headers(vars(version)), **lock_headers(version),
               **expiration_headers(bucket, version)}
    if version.tags:
        headers["x-amz-tagging-count"] = str(len(version.tags))
    if bucket.versioning:
        headers["x-amz-version-id"] = version.id
    if version.storage_class != "STANDARD":
        headers["x-amz-storage-class"] = version.storage_class
    if version.tier:
        headers["x-amz-archive-status"] = version.tier
    if state == "ongoing":
        headers["x-amz-restore"] = 'ongoing-request="true"'
    elif state == "ready":
        expires = http_date(int(version.restore.expires))
        headers["x-amz-restore"] = f'ongoing-request="false", expiry-date="{expires}"'
    span = wanted_range(request, version)
    if version.parts and "partNumber" in request.query:
        headers["x-amz-mp-parts-count"] = str(len(version.parts))
    if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers.update(checksum_headers(version, span))
    if span is None:
        return Response(200, headers, version.body)
    first, end, _ = span
    headers["Content-Range"] = f"bytes {first}-{end - 1}/{version.size}"
    return Response(206, headers, memoryview(version.body)[first:end])
