"""Encryption at rest: what a write asks for, or its bucket, and what answers tell of it."""

import hashlib

from fakes3.errors import S3Error

KMS = ("aws:kms", "aws:kms:dsse")
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
PREFIX = "x-amz-server-side-encryption"


def encryption_of(bucket, request):
    """Return what a Version keeps: sse, kms_key, bucket_key. What the request does not say, the
    bucket's default does [UG bucket-encryption].

    Keys of the customer's own (SSE-C) are not there. KMS over plain http is not refused, as S3
    does: tests have no other.
    """
    headers, default = request.headers, bucket.settings.get("encryption", "")
    if any(name.startswith(f"{PREFIX}-customer-") for name in headers):
        raise S3Error("NotImplemented", Header=f"{PREFIX}-customer-algorithm")
    sse = headers.get(PREFIX) or next((name for name in KMS if f">{name}<" in default), "AES256")
    if sse not in ("AES256", *KMS):
        raise S3Error("InvalidArgument", "The encryption method specified is not supported",
                      ArgumentName=PREFIX, ArgumentValue=sse)
    key = headers.get(f"{PREFIX}-aws-kms-key-id")
    if key and sse not in KMS:
        raise S3Error("InvalidArgument", "Server Side Encryption with AWS KMS managed key requires "
                      f"HTTP header {PREFIX} : aws:kms", ArgumentName=PREFIX, ArgumentValue=sse)
    return {"sse": sse, "kms_key": (key or KMS_KEY) if sse in KMS else None,
            "bucket_key": headers.get(f"{PREFIX}-bucket-key-enabled", "").lower() == "true"}


def encryption_headers(said):
    """Return the headers that tell how something is encrypted; `said` is what encryption_of()
    returned.
    """
    headers = {PREFIX: said["sse"]}
    if said["kms_key"]:
        headers[f"{PREFIX}-aws-kms-key-id"] = said["kms_key"]
    if said["bucket_key"]:
        headers[f"{PREFIX}-bucket-key-enabled"] = "true"
    return headers


def opaque_etag(s3, said):
    """Return the ETag of what KMS encrypts, which is no MD5 [API Object]; None of all else."""
    if said["kms_key"]:
        return hashlib.md5(f"encrypted {s3.next_seq()}".encode()).hexdigest()
    return None
