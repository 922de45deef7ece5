"""Multipart uploads."""

import hashlib

from fakes3.answers import Response, document
from fakes3.attributes import parts_page
from fakes3.checksums import (
    DIGESTS,
    MULTIPART_TYPES,
    bad_digest,
    check_content,
    combine,
    given_checksum,
)
from fakes3.errors import S3Error
from fakes3.formats import iso, text
from fakes3.listings import Listing
from fakes3.operations import operation
from fakes3.parameters import number, parse_xml, part_number
from fakes3.store import PAGE, Part, Upload
from fakes3.writes import check_write, kept_headers, storage_class_of, wrote


def find_upload(s3, request):
    """Return (bucket, upload)."""
    bucket = s3.need_bucket(request)
    upload = bucket.uploads.get(request.query["uploadId"])
    if upload is None or upload.key != request.key:
        raise S3Error("NoSuchUpload", UploadId=request.query["uploadId"])
    return bucket, upload


@operation("POST", "object", "uploads")
def create_upload(s3, request):
    """CreateMultipartUpload; which type goes with which algorithm: [UG
    checking-object-integrity], the words: [seen: floci#3093].
    """
    bucket = s3.need_bucket(request)
    algorithm = request.headers.get("x-amz-checksum-algorithm", "").upper() or None
    kind = request.headers.get("x-amz-checksum-type", "").upper() or None
    if algorithm and algorithm not in DIGESTS:
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.")
    if kind and kind not in ("COMPOSITE", "FULL_OBJECT"):
        raise S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    if kind and not algorithm:
        raise S3Error("InvalidRequest", "The x-amz-checksum-type header can only be used with the "
                      "x-amz-checksum-algorithm header.")
    if kind and kind not in MULTIPART_TYPES[algorithm]:
        raise S3Error("InvalidRequest", f"The {kind} checksum type cannot be used with the "
                      f"{algorithm.lower()} checksum algorithm.")
    upload = Upload(s3.random_name(64), request.key, s3.clock.now(), algorithm,
                    kind or (MULTIPART_TYPES[algorithm][0] if algorithm else None),
                    storage_class_of(request), kept_headers(request))
    bucket.uploads[upload.id] = upload
    answer = document("InitiateMultipartUploadResult", f"<Bucket>{bucket.name}</Bucket>"
                      f"<Key>{text(request.key)}</Key><UploadId>{upload.id}</UploadId>")
    if algorithm:
        answer.headers["x-amz-checksum-algorithm"] = algorithm
        answer.headers["x-amz-checksum-type"] = upload.checksum_type
    return answer


@operation("PUT", "object", "uploadId")
def upload_part(s3, request):
    """UploadPart: the checksum must be of the upload's algorithm [LS]."""
    _, upload = find_upload(s3, request)
    n = part_number(request.query.get("partNumber", ""))
    algorithm, value = check_content(request)
    needed = upload.checksum_type == "COMPOSITE"
    if upload.algorithm and algorithm != upload.algorithm and (algorithm or needed):
        raise S3Error("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: "
                      f"{upload.algorithm.lower()}, actual checksum Type: "
                      f"{(algorithm or 'null').lower()}")
    etag = hashlib.md5(request.body).hexdigest()
    upload.parts[n] = Part(n, len(request.body), etag, algorithm, value, request.body,
                           s3.clock.now())
    headers = {"ETag": f'"{etag}"', "x-amz-server-side-encryption": "AES256"}
    if algorithm:
        headers[f"x-amz-checksum-{algorithm.lower()}"] = value
    return Response(200, headers)


@operation("POST", "object", "uploadId")
def complete_upload(s3, request):
    """CompleteMultipartUpload."""
    bucket, upload = find_upload(s3, request)
    listed = parse_xml(request.body, "CompleteMultipartUpload").findall("Part")
    if not listed:
        raise S3Error("MalformedXML")
    numbers = [number(item.findtext("PartNumber") or "", "PartNumber", 1) for item in listed]
    if numbers != sorted(set(numbers)):
        raise S3Error("InvalidPartOrder")
    parts = [check_part(upload, n, item) for n, item in zip(numbers, listed)]
    for part in parts[:-1]:
        if part.size < s3.min_part:
            raise S3Error("EntityTooSmall", ProposedSize=part.size, MinSizeAllowed=s3.min_part,
                          PartNumber=part.number)
    body = b"".join(p.body for p in parts)
    if request.headers.get("x-amz-mp-object-size", str(len(body))) != str(len(body)):
        raise S3Error("InvalidRequest",
                      "The provided 'x-amz-mp-object-size' header does not match what was "
                      "computed.")
    # An upload without an algorithm gets S3's own, over the whole object [UG
    # checking-object-integrity].
    algorithm, kind = upload.algorithm or "CRC64NVME", upload.checksum_type or "FULL_OBJECT"
    if request.headers.get("x-amz-checksum-type", kind) != kind:
        raise S3Error("InvalidRequest", "The upload was created using a different checksum type.")
    given, value = given_checksum(request)
    if given:
        found = combine(algorithm, kind, parts, body)
        if given != algorithm or value.partition("-")[0] != found.partition("-")[0]:
            raise bad_digest(given)
    check_write(bucket, request)
    for part in parts:
        part.body = None            # the object has the bytes now
    version = s3.store(bucket, request.key, body, storage_class=upload.storage_class,
                       checksum=algorithm, checksum_type=kind, headers=upload.headers, parts=parts)
    del bucket.uploads[upload.id]
    answer = document("CompleteMultipartUploadResult",
                      f"<Location>{s3.url}{text(request.path)}</Location>"
                      f"<Bucket>{bucket.name}</Bucket>"
                      f"<Key>{text(request.key)}</Key><ETag>{text(version.quoted_etag)}</ETag>"
                      f"<Checksum{algorithm}>{version.checksum}</Checksum{algorithm}>"
                      f"<ChecksumType>{kind}</ChecksumType>")
    answer.headers.update(wrote(bucket, version))
    return answer


def check_part(upload, n, item):
    """Return the uploaded part that one <Part> of a complete request means."""
    part = upload.parts.get(n)
    if part is None or (item.findtext("ETag") or "").strip('"') != part.etag:
        raise S3Error("InvalidPart", UploadId=upload.id, PartNumber=n, ETag=item.findtext("ETag"))
    claimed = item.findtext(f"Checksum{upload.algorithm}") if upload.algorithm else None
    if upload.checksum_type == "COMPOSITE" and claimed is None:
        raise S3Error("InvalidRequest",
                      f"The upload was created using a {upload.algorithm.lower()} "
                      "checksum. The complete request must include the checksum for each part. It "
                      f"was missing for part {n} in the request.")
    if claimed is not None and part.checksum is not None and claimed != part.checksum:
        raise S3Error("InvalidPart", UploadId=upload.id, PartNumber=n)
    return part


@operation("DELETE", "object", "uploadId")
def abort_upload(s3, request):
    """AbortMultipartUpload."""
    bucket, upload = find_upload(s3, request)
    del bucket.uploads[upload.id]
    return Response(204, length=None)


@operation("GET", "object", "uploadId")
def list_parts(s3, request):
    """ListParts."""
    bucket, upload = find_upload(s3, request)
    after = number(request.query.get("part-number-marker", "0"), "part-number-marker")
    most = min(number(request.query.get("max-parts", "1000"), "max-parts"), PAGE)
    kind = (f"<ChecksumAlgorithm>{upload.algorithm}</ChecksumAlgorithm>"
            f"<ChecksumType>{upload.checksum_type}</ChecksumType>") if upload.algorithm else ""
    parts = sorted(upload.parts.values(), key=lambda part: part.number)
    return document("ListPartsResult",
                    f"<Bucket>{bucket.name}</Bucket><Key>{text(upload.key)}</Key>"
                    f"<UploadId>{upload.id}</UploadId>{kind}"
                    f"<StorageClass>{upload.storage_class}</StorageClass>"
                    + parts_page(parts, after, most, upload.algorithm, count=None, uploading=True))


@operation("GET", "bucket", "uploads")
def list_uploads(s3, request):
    """ListMultipartUploads, in one page: no test needs a thousand open uploads."""
    bucket, listing = s3.need_bucket(request), Listing(s3, request)
    found = sorted((u for u in bucket.uploads.values() if u.key.startswith(listing.prefix)),
                   key=lambda u: (u.key, u.initiated))
    if listing.delimiter or len(found) > PAGE:
        raise S3Error("NotImplemented",
                      "ListMultipartUploads with a delimiter or more than one page")
    rows = "".join(
        f"<Upload><Key>{listing.encode(u.key)}</Key><UploadId>{u.id}</UploadId><StorageClass>"
        f"{u.storage_class}</StorageClass><Initiated>{iso(u.initiated)}</Initiated></Upload>"
        for u in found)
    coding = "<EncodingType>url</EncodingType>" if "encoding-type" in request.query else ""
    return document("ListMultipartUploadsResult", f"<Bucket>{bucket.name}</Bucket><KeyMarker/>"
                    f"<UploadIdMarker/><Prefix>{listing.encode(listing.prefix)}</Prefix>{coding}"
                    f"<MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>{rows}")
