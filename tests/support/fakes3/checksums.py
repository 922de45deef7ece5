"""Checksums and ETags: of what arrives, and of what is made of parts."""

import base64
import binascii
import hashlib
import zlib

import awscrt.checksums
import xxhash

from fakes3.errors import S3Error
from fakes3.formats import b64

# The wire has base64 of the big-endian digest [UG checking-object-integrity].
DIGESTS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: awscrt.checksums.crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: awscrt.checksums.crc64nvme(data).to_bytes(8, "big"),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
    "SHA512": lambda data: hashlib.sha512(data).digest(),
    "MD5": lambda data: hashlib.md5(data).digest(),
    "XXHASH64": lambda data: xxhash.xxh64(data).digest(),
    "XXHASH3": lambda data: xxhash.xxh3_64(data).digest(),
    "XXHASH128": lambda data: xxhash.xxh3_128(data).digest(),
}
DIGEST_SIZES = {name: len(digest(b"")) for name, digest in DIGESTS.items()}
CHECKSUM_HEADERS = {f"x-amz-checksum-{name.lower()}": name for name in DIGESTS}
# The types that a multipart upload may have, the default first [UG checking-object-integrity].
MULTIPART_TYPES = {name: ("COMPOSITE",) for name in DIGESTS}
MULTIPART_TYPES.update(CRC64NVME=("FULL_OBJECT",), CRC32=("COMPOSITE", "FULL_OBJECT"),
                       CRC32C=("COMPOSITE", "FULL_OBJECT"))


def given_checksum(request):
    """Return (algorithm, value) that a request gives in a header or trailer, or (None, None): in
    one of them, and of the algorithm that it names as its SDK's [seen: versitygw#1664].
    """
    found = [(CHECKSUM_HEADERS[name], value) for said in (request.headers, request.trailers)
             for name, value in said.items() if name in CHECKSUM_HEADERS]
    if len(found) > 1:
        raise S3Error("InvalidRequest", "Expecting a single x-amz-checksum- header. "
                      "Multiple checksum Types are not allowed.")
    if not found:
        if "x-amz-sdk-checksum-algorithm" in request.headers:
            raise S3Error("InvalidRequest",
                          "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                          "x-amz-checksum-* or x-amz-trailer headers were found.")
        return None, None
    if request.headers.get("x-amz-sdk-checksum-algorithm", found[0][0]).upper() != found[0][0]:
        raise S3Error("InvalidRequest",
                      "Value for x-amz-sdk-checksum-algorithm header is invalid.")
    return found[0]


def check_content(request):
    """Check Content-MD5 and the additional checksum of a body; return (algorithm, value)."""
    if request.unchecked:
        algorithm = given_checksum(request)[0]
        return algorithm, b64(DIGESTS[algorithm](request.body)) if algorithm else None
    claimed = request.headers.get("content-md5")
    if claimed is not None:
        check_shape(claimed, 16, S3Error("InvalidDigest"))
        found = b64(hashlib.md5(request.body).digest())
        if found != claimed:
            raise S3Error("BadDigest", ExpectedDigest=claimed, CalculatedDigest=found)
    algorithm, value = given_checksum(request)
    if algorithm:
        check_shape(value, DIGEST_SIZES[algorithm], S3Error(
            "InvalidRequest", f"Value for x-amz-checksum-{algorithm.lower()} header is invalid."))
        if b64(DIGESTS[algorithm](request.body)) != value:
            raise bad_digest(algorithm)
    return algorithm, value


def check_shape(value, size, error):
    """Raise `error` unless `value` is base64 of `size` bytes."""
    try:
        fits = len(base64.b64decode(value, validate=True)) == size
    except binascii.Error:
        fits = False
    if not fits:
        raise error


def bad_digest(algorithm):
    """Return the error of a body that has another checksum."""
    return S3Error("BadDigest",
                   f"The {algorithm} you specified did not match the calculated checksum.")


def combine(algorithm, checksum_type, parts, body):
    """Return the checksum of a multipart object, as HEAD shows it: COMPOSITE is the checksum of
    the parts' checksums, with their number [UG checking-object-integrity].
    """
    if checksum_type == "FULL_OBJECT":
        return b64(DIGESTS[algorithm](body))
    return b64(DIGESTS[algorithm](b"".join(base64.b64decode(p.checksum)
                                           for p in parts))) + f"-{len(parts)}"


def multipart_etag(parts):
    """Return the ETag of a multipart object: MD5 of the parts' MD5s, with their number, also
    for one part [seen: ceph/s3-tests].
    """
    return hashlib.md5(b"".join(bytes.fromhex(p.etag)
                                for p in parts)).hexdigest() + f"-{len(parts)}"


def etag_in(etag, header):
    """Tell whether an If-Match or If-None-Match header names `etag`; quotes are optional for S3."""
    return header.strip() == "*" or any(item.strip() in (etag, f'"{etag}"')
                                        for item in header.split(","))
