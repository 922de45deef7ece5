"""CompleteMultipartUpload: what it is held against, and the object that it makes."""

from fakes3.answers import document
from fakes3.checksums import CHECKSUM_HEADERS, bad_digest, combine
from fakes3.errors import S3Error
from fakes3.formats import text
from fakes3.operations import operation
from fakes3.parameters import number, parse_xml
from fakes3.uploads import find_upload
from fakes3.writes import check_write, keep_within, wrote

MANY = 10000                        # parts of one upload [UG qfacts]


@operation("POST", "object", "uploadId")
def complete_upload(s3, request):
    """CompleteMultipartUpload: conditions, parts, sizes and checksums, in the order of [LS]."""
    bucket, upload = find_upload(s3, request)
    check_conditions(bucket, request, upload)
    parts = listed_parts(s3, request, upload)
    body = b"".join(p.body for p in parts)
    size = request.headers.get("x-amz-mp-object-size", str(len(body)))
    if size != str(len(body)):
        raise S3Error("InvalidRequest", f"The provided 'x-amz-mp-object-size' header value {size} "
                      f"does not match what was computed: {len(body)}")
    keep_within(s3.max_object, len(body))
    # An upload without an algorithm gets S3's own, over the whole object [UG
    # checking-object-integrity].
    algorithm, kind = upload.algorithm or "CRC64NVME", upload.checksum_type or "FULL_OBJECT"
    check_whole(request, upload, combine(algorithm, kind, parts, body))
    for part in parts:
        part.body = None            # the object has the bytes now
    version = s3.store(bucket, request.key, body, checksum=algorithm, checksum_type=kind,
                       parts=parts, **upload.terms)
    bucket.end_upload(upload)
    return completed(s3, request, bucket, version)


def completed(s3, request, bucket, version):
    """Return the answer that tells what the parts have become. Of an object that is encrypted by
    KMS it has no checksum, though a HEAD has [LS].
    """
    sums = "" if version.kms_key else (
        f"<Checksum{version.algorithm}>{version.checksum}</Checksum{version.algorithm}>"
        f"<ChecksumType>{version.checksum_type}</ChecksumType>")
    answer = document("CompleteMultipartUploadResult",
                      f"<Location>{s3.url}{text(request.path)}</Location>"
                      f"<Bucket>{bucket.name}</Bucket><Key>{text(request.key)}</Key>"
                      f"<ETag>{text(version.quoted_etag)}</ETag>{sums}")
    answer.headers.update(wrote(bucket, version))
    return answer


def check_conditions(bucket, request, upload):
    """Hold If-None-Match and If-Match against what is there, and against what has happened to the
    key since the upload began: 409 [LS]. The upload is gone then; after a 412 it is still there
    [seen: elasticsearch#138569].
    """
    check_write(bucket, request)
    current = bucket.current(request.key)
    for name, happened in (("If-None-Match", upload.over),
                           ("If-Match", current is not None and current.seq > upload.seq)):
        if name.lower() in request.headers and happened:
            bucket.end_upload(upload)
            raise S3Error("ConditionalRequestConflict", Condition=name, Key=request.key)


def listed_parts(s3, request, upload):
    """Return the uploaded parts that the request's document names, or say what is wrong with it."""
    listed = parse_xml(request.body, "CompleteMultipartUpload").findall("Part")
    if not listed:
        raise S3Error("InvalidRequest", "You must specify at least one part")       # [LS]
    if len(listed) > MANY:
        raise S3Error("MalformedXML")
    numbers = [number(item.findtext("PartNumber") or "", "PartNumber", 1) for item in listed]
    if numbers != sorted(set(numbers)):
        raise S3Error("InvalidPartOrder", UploadId=upload.id)
    parts = [check_part(upload, n, item) for n, item in zip(numbers, listed)]
    # Parts with checksums are 1, 2, 3 ... [API CompletedPart]
    if upload.algorithm and numbers != list(range(1, len(numbers) + 1)):
        raise S3Error("InvalidPartOrder", UploadId=upload.id)
    for part in parts[:-1]:
        if part.size < s3.min_part:
            raise S3Error("EntityTooSmall", ProposedSize=part.size, MinSizeAllowed=s3.min_part,
                          PartNumber=part.number, ETag=part.etag)
    return parts


def check_part(upload, n, item):
    """Return the uploaded part that one <Part> of a complete request means.

    A checksum of a part is InvalidPart where it is wrong, and where the upload was created without
    an algorithm, even if the part came with that very checksum [LS].
    """
    part, etag = upload.parts.get(n), (item.findtext("ETag") or "").strip('"')
    given = {child.tag[8:]: child.text for child in item if child.tag.startswith("Checksum")}
    claimed = given.get(upload.algorithm)
    if (part is None or etag != part.etag or (given and not upload.algorithm)
            or (claimed is not None and claimed != part.checksum)):
        raise S3Error("InvalidPart", UploadId=upload.id, PartNumber=n, ETag=etag)
    if upload.checksum_type == "COMPOSITE" and claimed is None:
        for other in given:
            raise S3Error("BadDigest", f"The {other.lower()} you specified for part {n} did not "
                          "match what we received.")
        raise S3Error("InvalidRequest",
                      f"The upload was created using a {upload.algorithm.lower()} "
                      "checksum. The complete request must include the checksum for each part. It "
                      f"was missing for part {n} in the request.")
    return part


def check_whole(request, upload, found):
    """Hold the checksum of the whole object, and its type, against what S3 has found.

    Without an algorithm at creation a value is taken and not looked at; the value of a FULL_OBJECT
    needs the type beside it [LS].
    """
    kind = request.headers.get("x-amz-checksum-type")
    if kind not in (None, upload.checksum_type):
        raise S3Error("InvalidRequest", f"The upload was created using the "
                      f"{upload.checksum_type or 'null'} checksum mode. The complete request must "
                      "use the same checksum mode.")
    given = {CHECKSUM_HEADERS[name]: value for name, value in request.headers.items()
             if name in CHECKSUM_HEADERS}
    if upload.algorithm and given:
        value = given.pop(upload.algorithm, None)
        untyped = value is not None and kind is None and upload.checksum_type == "FULL_OBJECT"
        if given or untyped or value.partition("-")[0] != found.partition("-")[0]:
            raise bad_digest(upload.algorithm.lower())
