"""Multipart uploads: they are created, get parts, and are aborted."""

import hashlib

from fakes3.answers import Response, document
from fakes3.checksums import DIGESTS, MULTIPART_TYPES, check_content
from fakes3.encryption import encryption_headers, opaque_etag
from fakes3.errors import S3Error
from fakes3.formats import b64, text
from fakes3.lifecycles import abort_headers
from fakes3.locks import need_digest
from fakes3.operations import operation
from fakes3.parameters import part_number
from fakes3.store import Part, Upload
from fakes3.uploads import find_upload
from fakes3.writes import keep_within, terms_of


@operation("POST", "object", "uploads")
def create_upload(s3, request):
    """CreateMultipartUpload."""
    bucket = s3.need_bucket(request)
    algorithm, kind = declared_checksum(request)
    current = bucket.current(request.key)
    upload = Upload(s3.random_name(64), request.key, s3.clock.now(), s3.next_seq(), algorithm, kind,
                    terms_of(s3, bucket, request), over=current is not None and not current.marker)
    bucket.uploads[upload.id] = upload
    answer = document("InitiateMultipartUploadResult", f"<Bucket>{bucket.name}</Bucket>"
                      f"<Key>{text(request.key)}</Key><UploadId>{upload.id}</UploadId>")
    if algorithm:
        answer.headers["x-amz-checksum-algorithm"] = algorithm
        answer.headers["x-amz-checksum-type"] = upload.checksum_type
    answer.headers.update(encryption_headers(upload.terms))
    answer.headers.update(abort_headers(bucket, upload))
    return answer


def declared_checksum(request):
    """Return (algorithm, type) that an upload is to have; which goes with which: [UG
    checking-object-integrity], the words: [LS].
    """
    algorithm = request.headers.get("x-amz-checksum-algorithm", "").upper() or None
    kind = request.headers.get("x-amz-checksum-type", "").upper() or None
    if algorithm and algorithm not in DIGESTS:
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported. Please try "
                      "again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    if kind and kind not in ("COMPOSITE", "FULL_OBJECT"):
        raise S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    if kind and not algorithm:
        raise S3Error("InvalidRequest", "The x-amz-checksum-type header can only be used with the "
                      "x-amz-checksum-algorithm header.")
    if kind and kind not in MULTIPART_TYPES[algorithm]:
        raise S3Error("InvalidRequest", f"The {kind} checksum type cannot be used with the "
                      f"{algorithm.lower()} checksum algorithm.")
    return algorithm, kind or (MULTIPART_TYPES[algorithm][0] if algorithm else None)


@operation("PUT", "object", "uploadId")
def upload_part(s3, request):
    """UploadPart: a number that was there is replaced [API UploadPart], the checksum must be of
    the upload's algorithm [LS], and of a FULL_OBJECT one it may be missing: S3 then has its own
    [seen: versitygw#1342].
    """
    bucket, upload = find_upload(s3, request)
    n = part_number(request.query.get("partNumber", ""))
    keep_within(s3.max_part, len(request.body))
    algorithm, value = check_content(request)
    need_digest(request, algorithm, upload.terms, "Part")
    needed = upload.checksum_type == "COMPOSITE"
    if upload.algorithm and algorithm != upload.algorithm and (algorithm or needed):
        raise S3Error("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: "
                      f"{upload.algorithm.lower()}, actual checksum Type: "
                      f"{(algorithm or 'null').lower()}")
    etag = opaque_etag(s3, upload.terms) or hashlib.md5(request.body).hexdigest()
    etag = s3.character.part_etag(etag)
    computed = upload.algorithm and b64(DIGESTS[upload.algorithm](request.body))
    upload.parts[n] = Part(n, len(request.body), etag, upload.algorithm, computed, request.body,
                           s3.clock.now())
    headers = {"ETag": f'"{etag}"', **encryption_headers(upload.terms)}
    if algorithm:               # only if the request had it [API UploadPart]
        headers[f"x-amz-checksum-{algorithm.lower()}"] = value
    return Response(200, headers)


@operation("DELETE", "object", "uploadId")
def abort_upload(s3, request):
    """AbortMultipartUpload."""
    bucket, upload = find_upload(s3, request)
    bucket.end_upload(upload)
    return Response(204, length=None)
