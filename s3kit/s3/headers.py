"""What S3's answers say: of the object's bytes, its version, its class, and of what went wrong.

The headers are those of GetObject and HeadObject, names in lower case
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
"""

import time

from s3kit import units
from s3kit.etags import bare
from s3kit.proof.checksums import ALGORITHMS, FULL_OBJECT
from s3kit.proof.claims import NO_CLAIM, claim_of, etag_claim
from s3kit.s3.answer import ERROR_DOCUMENT, TOO_LARGE
from s3kit.s3.redirects import pointed
from s3kit.s3.verdicts import REGION_CODES
from s3kit.storage_classes import ARCHIVED_CLASSES
from s3kit.units import date_ns

CHECKSUM = "x-amz-checksum-"
CHECKSUMS = [CHECKSUM + algorithm for algorithm in ALGORITHMS]
# what a wrong clock may be answered with
CLOCK_CODES = ("RequestTimeTooSkewed", "SignatureDoesNotMatch", "AccessDenied")


def is_of_s3(headers):
    """Return whether headers are S3's, and not those of a proxy or a portal."""
    return "x-amz-request-id" in headers


def is_crc(claim):
    """Return whether the claim is a CRC of the whole object, which ranges can be combined to."""
    return claim.kind == "full" and claim.algorithm.startswith("crc")


def checksum_in(headers):
    """Return (algorithm, type, base64) of the cheapest checksum among headers, a full one before
    parts'.

    The type is '' where the object was made of parts and nothing says of what the checksum is.
    """
    found = [("-" in value, place, value) for place, name in enumerate(CHECKSUMS)
             if (value := headers.get(name))]
    if not found:
        return "", "", ""
    is_composite, place, value = min(found)
    algorithm, kind = ALGORITHMS[place], headers.get("x-amz-checksum-type", "")
    if not kind and (is_composite or algorithm == "crc64nvme" or "-" not in clean_etag(headers)):
        kind = "COMPOSITE" if is_composite else FULL_OBJECT
    return algorithm, kind, value


def claim_in(headers, size):
    """Return the Claim that an answer's headers make of the object's bytes.

    Directory buckets do not have MD5s as ETags either.
    """
    algorithm, kind, checksum = checksum_in(headers)
    plain = headers.get("x-amz-server-side-encryption", "AES256") == "AES256"
    md5_etag = (plain and "x-amz-server-side-encryption-customer-algorithm" not in headers
                and headers.get("x-amz-storage-class") != "EXPRESS_ONEZONE")
    claim = claim_of(algorithm, kind, checksum, clean_etag(headers), size, md5_etag)
    return as_told(claim, headers) if claim.proof == "etag-md5" else claim


def as_told(claim, headers):
    """Return a Claim by an ETag that speaks of all its bytes, or of parts whose sizes are known: of
    Amazon's own servers that is S3's word.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    is_amazons = headers.get("server") == "AmazonS3" and not clean_etag(headers).startswith("W/")
    return claim._replace(is_derived=False) if is_amazons and claim.count != 1 else claim


def part_in(transfer, size):
    """Return (the bytes of a part, how many parts there are or 0) from an answer to HEAD
    partNumber=N; (None, 0) where the server passes over the number.
    """
    headers = transfer.headers
    length = units.number(headers.get("content-length", ""))
    count = units.number(headers.get("x-amz-mp-parts-count", "")) or 0
    if transfer.status not in (200, 206) or not length or not (count or length < size):
        return None, 0
    return length, count


def claim_of_part(job, transfer, claim=NO_CLAIM):
    """Return the claim with the part size that HEAD partNumber=1 told, if it fits the object."""
    claim = claim if claim.kind == "parts" else etag_claim(job.etag, job.size)
    length, count = part_in(transfer, job.size)
    wanted = claim.count or count
    fits = length and -(-job.size // length) == wanted and count in (0, wanted)
    if claim.kind == "parts" and fits:
        return claim._replace(count=wanted).with_part_size(length)
    return claim


def described(headers, outcome):
    """Return the outcome with what the headers say of the object."""
    algorithm, kind, checksum = checksum_in(headers)
    modified = modified_ns(headers)
    return outcome._replace(etag=clean_etag(headers),
                            version_id=version_in(headers),
                            last_modified=units.from_epoch(modified // 10**9)
                            if modified is not None else "",
                            storage_class=headers.get("x-amz-storage-class", ""),
                            checksum_algorithm=algorithm.upper(), checksum_type=kind,
                            checksum=checksum)


def is_archived(headers):
    """Return whether headers are of an object that must be restored before it can be read."""
    archived = headers.get("x-amz-storage-class",
                           "") in ARCHIVED_CLASSES or "x-amz-archive-status" in headers
    return archived and 'ongoing-request="false"' not in headers.get("x-amz-restore", "")


def clean_etag(headers):
    """Return the ETag as the row has it."""
    return bare(headers.get("etag", ""))


def version_in(headers):
    """Return the version id that an answer names, or ''."""
    return headers.get("x-amz-version-id", "")


def modified_ns(headers):
    """Return Last-Modified as nanoseconds since 1970, or None."""
    return date_ns(headers.get("last-modified", ""))


def said(transfer):
    """Return what S3 said was wrong, one line."""
    if transfer.failure and transfer.code in ("", TOO_LARGE):
        return transfer.failure
    if transfer.code == ERROR_DOCUMENT:
        return "S3 answered 200 with an error document"
    text = f"S3 says {transfer.code}" + (f": {transfer.message}" if transfer.message else "")
    if transfer.code[:5] == "HTTP3" or transfer.code in REGION_CODES:
        return text + elsewhere(transfer)
    return text + skew(transfer) if transfer.code in CLOCK_CODES else text


def elsewhere(transfer):
    """Return where an answer says that a bucket is, and what to do: a redirect that was not
    followed (see redirects), or another region.
    """
    region, where = transfer.headers.get("x-amz-bucket-region", ""), pointed(transfer)
    often = f"after {transfer.hops} redirects " if transfer.hops else ""
    return (f" ({often}it points to {where}: see --endpoint-url)"
            if where and (transfer.headers.get("location") or not region) else "") + (
                f" (the bucket is in {region}: --region {region})" if region else "")


def skew(transfer):
    """Return how far this machine's clock is off, where an answer tells."""
    there = date_ns(transfer.headers.get("date", ""))
    ahead = time.time() - there / 1e9 if there is not None else 0
    if abs(ahead) < 60:
        return ""
    return (f" (this machine's clock is {units.show_span(abs(ahead))} "
            f"{'ahead' if ahead > 0 else 'behind'})")
