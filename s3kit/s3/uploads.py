"""What a server can do for uploads, and how a request says what is sent.

Every body has its checksum in a header, known before the first byte is sent: never the framing
`aws-chunked`, which some stores have kept as part of the object.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from s3kit.proof.checksums import CRC_BYTES
from s3kit.s3.address import is_amazon_s3
from s3kit.s3.capabilities import KNOWN, UNSIGNED_BODIES, UPLOAD_CHECKSUMS
from s3kit.s3.headers import CHECKSUM
from s3kit.s3.signature import HASH
from s3kit.s3.xml import local, parse

UNSIGNED = "UNSIGNED-PAYLOAD"
MD5 = "md5"
# elements that say a checksum
MEMBERS = {"crc32": "ChecksumCRC32", "crc32c": "ChecksumCRC32C", "crc64nvme": "ChecksumCRC64NVME",
           "sha1": "ChecksumSHA1", "sha256": "ChecksumSHA256"}


def algorithm_for(endpoint, asked=""):
    """Return the algorithm of the checksums that go with uploads to an Endpoint, S3's name in lower
    case: what was `asked` for, else CRC64NVME at Amazon's, CRC32 elsewhere, MD5 where a server
    knows none of S3's own.
    """
    if asked:
        return asked
    if KNOWN.lacks(endpoint, UPLOAD_CHECKSUMS):
        return MD5
    return "crc64nvme" if is_amazon_s3(endpoint.url) else "crc32"


def type_of(algorithm):
    """Return the type of a multipart upload's checksum: S3 combines CRCs alone."""
    return "FULL_OBJECT" if algorithm in CRC_BYTES else "COMPOSITE"


def checksum_header(algorithm, text):
    """Return the header that says a body's checksum, in base64."""
    return f"Content-MD5: {text}" if algorithm == MD5 else f"{CHECKSUM}{algorithm}: {text}"


def hash_header(endpoint, digest, is_wanted=False):
    """Return [the header that says a body's SHA-256], for its signature; `digest()` gives the
    hexadecimal digits where they are needed: where nothing else guards the body on its way, or the
    bucket's policy wants it.
    """
    if not endpoint.access_key:
        return []
    is_wanted = (is_wanted or endpoint.url.startswith("http://")
                 or KNOWN.lacks(endpoint, UNSIGNED_BODIES))
    return [f"{HASH}: {digest() if is_wanted else UNSIGNED}"]


def elements_of(body):
    """Return {tag: text} of the elements right below the root of an answer in XML. Raises Fault."""
    return {local(child.tag): child.text or "" for child in parse(body).iterchildren("*")}


def as_headers(told, headers):
    """Return the headers of an answer with what its elements say, as those of a HEAD have it: the
    ETag, the checksum and its type.
    """
    found = {"etag": told.get("ETag", "")}
    found |= {CHECKSUM + algorithm: told[member] for algorithm, member in MEMBERS.items()
              if told.get(member)}
    if told.get("ChecksumType"):
        found[f"{CHECKSUM}type"] = told["ChecksumType"]
    return headers | found
