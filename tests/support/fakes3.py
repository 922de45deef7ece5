"""A strict fake S3 in one thread: real rules, real signatures, a virtual clock, and faults on
demand.

    with FakeS3() as s3:
        s3.bucket("photos", versioning="Enabled")
        s3.put("photos", "2024/a.jpg", b"...", storage_class="GLACIER")
        s3.fault("flip", key="2024/a.jpg", times=2)
        ...                             # a client of s3.url, with s3.access_key, s3.secret_key
        assert [r.status for r in s3.requests(method="GET", key="2024/a.jpg")] == [403]

Standalone: `python tests/fakes3.py PORT` prints `READY url` once it listens.

It speaks path-style S3 over HTTP/1.1. What it does not implement it refuses (501), it never
guesses. Where S3's behaviour is known, the place that does it names the source:

    [API]   Amazon S3 API Reference, as botocore's service model 1.44.5 quotes it
    [UG]    Amazon S3 User Guide
    [F n]   shared/reference/formats.md, section n (with its own sources)
    [LS]    LocalStack's S3 provider, whose tests are run against AWS
    [ceph]  ceph/s3-tests
    [seen]  an answer of the real S3 quoted in a public issue, which is named
    [?]     nobody knows; chosen so that a careful client is not misled

All state lives behind one lock, so tests may seed and look from their own thread while requests
run.
"""

import argparse
import asyncio
import base64
import binascii
import calendar
import collections
import email.utils
import functools
import gzip
import hashlib
import hmac
import http
import inspect
import json
import random
import re
import socket
import ssl
import string
import struct
import threading
import time
import traceback
import zlib
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import quote, quote_plus, unquote_to_bytes
from xml.etree import ElementTree

import awscrt.checksums
import xxhash

NS = "http://s3.amazonaws.com/doc/2006-03-01/"
MAX_KEY = 1024                      # bytes of UTF-8 [UG object-keys]
PAGE = 1000                         # most keys of one listing or one DeleteObjects [API]
DAY = 86400
SMALL = 256 * 1024  # bodies up to this leave in one write, without a task of their own
FOREVER = 3600.0                    # a fault that hangs "for ever" still lets a forgotten test end

# [F 3.3]: base64 of the big-endian digest.
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
# [F 3.3]: the types a multipart upload may have, the default first.
MULTIPART_TYPES = {name: ("COMPOSITE",) for name in DIGESTS}
MULTIPART_TYPES.update(CRC64NVME=("FULL_OBJECT",), CRC32=("COMPOSITE", "FULL_OBJECT"),
                       CRC32C=("COMPOSITE", "FULL_OBJECT"))

STORAGE_CLASSES = {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
                   "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"}
# [F 4.1]: GLACIER_IR is not an archive; an INTELLIGENT_TIERING object is one only while it has a
# tier here.
ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
TIERS = ("Bulk", "Standard", "Expedited")           # slowest first, for upgrades
# [F 4.5], the longest time of each; tests may change FakeS3.restore_seconds.
RESTORE_SECONDS = {("GLACIER", "Expedited"): 300, ("GLACIER", "Standard"): 5 * 3600,
                   ("GLACIER", "Bulk"): 12 * 3600, ("DEEP_ARCHIVE", "Standard"): 12 * 3600,
                   ("DEEP_ARCHIVE", "Bulk"): 48 * 3600}
SPEED_OF = {"ARCHIVE_ACCESS": "GLACIER", "DEEP_ARCHIVE_ACCESS": "DEEP_ARCHIVE"}

# Headers that S3 keeps with an object and gives back as they were [API PutObject].
KEPT_HEADERS = {"content-type": "Content-Type", "cache-control": "Cache-Control",
                "expires": "Expires", "content-disposition": "Content-Disposition",
                "content-language": "Content-Language"}
# Subresources of the real S3 that this one does not have: 501, never mistaken for a plain GET or
# PUT.
FOREIGN = {"accelerate", "acl", "analytics", "cors", "intelligent-tiering", "inventory",
           "legal-hold", "logging", "metrics", "notification", "ownershipControls", "policyStatus",
           "replication", "requestPayment", "retention", "select", "session", "tagging", "torrent",
           "website"}


# ---------------------------------------------------------------------------------------------------
# What S3 holds

class Clock:
    """The server's time: the machine's, plus what a test has let pass.

    Signatures use the machine's own.
    """

    def __init__(self):
        self.offset = 0.0

    def now(self):
        """Return the virtual time, seconds since 1970."""
        return time.time() + self.offset

    def advance(self, seconds):
        """Let `seconds` pass for restores, expiries and new objects."""
        self.offset += seconds


@dataclass
class Credential:
    """What S3 knows of one access key.

    Set `expired` and the next request with it says ExpiredToken.
    """

    secret: str
    token: str = None
    expired: bool = False


@dataclass
class Part:
    """One part of a multipart upload or object; `checksum` is base64, in the upload's algorithm."""

    number: int
    size: int
    etag: str
    algorithm: str = None
    checksum: str = None
    body: bytes = None
    modified: float = 0.0


@dataclass
class Restore:
    """A RestoreObject in progress until `done`, then a copy until `expires`."""

    tier: str
    days: int
    done: float
    expires: float


@dataclass(eq=False)
class Version:
    """One object version or delete marker.

    `id` is `null` where S3 would say null or say nothing.
    """

    key: str
    id: str
    seq: int                        # grows with every write: the order ListObjectVersions shows
    modified: float
    body: bytes = b""
    etag: str = ""
    storage_class: str = "STANDARD"
    marker: bool = False
    algorithm: str = None
    checksum_type: str = None
    checksum: str = None            # base64, with -N where composite
    parts: list = None              # of Part, for multipart objects
    headers: dict = field(default_factory=dict)
    sse: str = "AES256"             # S3 encrypts everything since 2023 [UG]
    tier: str = None                # ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS, of INTELLIGENT_TIERING
    restore: Restore = None
    held: bool = False              # legal hold

    @property
    def size(self):
        """Return the bytes of the body."""
        return len(self.body)

    def state(self, now):
        """Return `online`, `archived`, `ongoing` or `ready` (a restored copy), at the time `now` [F
        4.4].
        """
        if self.storage_class not in ARCHIVES and not self.tier:
            return "online"
        if self.restore is None:
            return "archived"
        if now < self.restore.done:
            return "ongoing"
        if self.tier:  # moved to Frequent Access for good: the header goes, too [F 4.4]
            self.tier = self.restore = None
            return "online"
        if now < self.restore.expires:
            return "ready"
        self.restore = None
        return "archived"


@dataclass
class Upload:
    """A multipart upload between create and complete."""

    id: str
    key: str
    initiated: float
    algorithm: str
    checksum_type: str
    storage_class: str
    headers: dict
    parts: dict = field(default_factory=dict)


class Bucket:
    """Keys in UTF-8 byte order, each with its versions, newest first."""

    def __init__(self, name, created):
        self.name, self.created = name, created
        self.versioning = ""        # never, then Enabled or Suspended; there is no way back [UG]
        self.policy = None          # as it was put; kept, not enforced
        self.keys = {}
        self.order = []             # code point order of str is byte order of UTF-8
        self.uploads = {}
        self.region = ""            # where it is, if not where the server is
        self.settings = {}          # subresource of SETTINGS -> the content of its document
        self.gone = {}  # (key, version id) -> seq of what was removed: a listing may stand there

    def current(self, key):
        """Return the newest version or marker of `key`, or None."""
        versions = self.keys.get(key)
        return versions[0] if versions else None

    def find(self, key, version_id):
        """Return that very version, or None."""
        return next((v for v in self.keys.get(key, ()) if v.id == version_id), None)

    def add(self, version):
        """Put `version` on top of its key; a null version replaces the null version wherever it
        lies [UG].
        """
        versions = self.keys.get(version.key)
        if versions is None:
            self.keys[version.key] = [version]
            insort(self.order, version.key)
            return
        if version.id == "null":
            versions[:] = [v for v in versions if v.id != "null"]
        versions.insert(0, version)

    def remove(self, version):
        """Take out that very version."""
        versions = self.keys[version.key]
        versions.remove(version)
        self.gone[version.key, version.id] = version.seq
        if not versions:
            del self.keys[version.key]
            del self.order[bisect_left(self.order, version.key)]

    def entries(self, prefix, delimiter, marker, below=None, versions=False):
        """Yield what a listing shows after `marker`, in order: a str (common prefix) or a Version.

        `below` is the seq of the version marker: of the marker's own key only what is older
        follows.
        """
        def common(key):
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            return key[:cut + len(delimiter)] if cut >= 0 else None

        def shown(key):
            if versions:
                return self.keys[key]
            return [] if self.keys[key][0].marker else self.keys[key][:1]

        at = bisect_left(self.order, prefix)
        if marker:
            at = max(at, bisect_right(self.order, marker))
            if marker.startswith(prefix) and common(marker):
                # A page that ended in a common prefix, or inside one, does not show it again [LS].
                at = bisect_left(self.order, past(common(marker)))
            elif below is not None and marker.startswith(prefix):
                yield from [v for v in self.keys.get(marker, ()) if v.seq < below]
        while at < len(self.order) and self.order[at].startswith(prefix):
            key = self.order[at]
            group = common(key)
            if not group:
                yield from shown(key)
                at += 1
                continue
            end = bisect_left(self.order, past(group))
            if any(shown(key) for key in self.order[at:end]):
                yield group
            at = end


def past(prefix):
    """Return the least string after every string that starts with `prefix`."""
    prefix = prefix.rstrip("\U0010ffff")
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else "\U0010ffff" * MAX_KEY


# ---------------------------------------------------------------------------------------------------
# Requests, answers, errors

@dataclass(eq=False)
class Request:
    """One request: what `hook` sees, and the record in `log`.

    `status` is 0 until it is answered.
    """

    n: int
    time: float
    connection: int
    method: str
    path: str                       # as sent
    query_string: str               # as sent
    headers: dict                   # lower-case names
    bucket: str = ""
    key: str = ""
    query: dict = field(default_factory=dict)
    body: bytes = b""               # dropped from the log when larger than 64 KiB
    status: int = 0
    bytes_sent: int = 0             # of the body
    problem: Exception = None       # why the target makes no sense
    signing: tuple = None           # signing key, date, scope, signature: the seed of signed chunks
    trailers: dict = field(default_factory=dict)

    def __repr__(self):
        return (f"<{self.n} {self.method} {self.bucket}/{self.key!r}?{self.query_string} "
                f"{self.status}>")


@dataclass
class Response:
    """One answer, with what a fault does to it on the wire."""

    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    length: object = True  # Content-Length: True the body's, None no such header, or a number
    end: str = "keep"               # then: keep, close, reset
    raw: bytes = b""                # more header lines
    plain: bool = True              # False: leaves by the slow path, where the fields below count
    wait: float = 0.0               # before the headers
    at: int = None                  # after so many bytes of the body: call `action`, wait `pause`
    pause: float = 0.0
    action: object = None
    rate: float = 0.0               # bytes per second
    endless: bytes = b""            # after the body, again and again until the client is gone
    refuse: bool = False            # close without a word

    def sabotage(self, **changes):
        """Change fields and take the slow path."""
        self.plain = False
        for name, value in changes.items():
            setattr(self, name, value)
        return self


# Status, code and message [API ErrorResponses]; where S3 has several messages, the caller gives its
# own.
ERRORS = {code: (int(status), message) for status, code,
          message in (line.split(" ", 2) for line in """\
301 PermanentRedirect The bucket you are attempting to access must be addressed using the specified endpoint.
304 NotModified Not Modified
307 TemporaryRedirect Please re-send this request to the specified temporary endpoint.
400 AuthorizationHeaderMalformed The authorization header that you provided is not valid.
400 AuthorizationQueryParametersError The query parameters of the signature are incomplete or malformed.
400 BadDigest The Content-MD5 you specified did not match what we received.
400 EntityTooSmall Your proposed upload is smaller than the minimum allowed size
400 ExpiredToken The provided token has expired.
400 IllegalVersioningConfigurationException The Versioning element must be specified
400 IncompleteBody The request body terminated unexpectedly
400 InvalidArgument Invalid Argument
400 InvalidBucketName The specified bucket is not valid.
400 InvalidDigest The Content-MD5 you specified was invalid.
400 InvalidPart One or more of the specified parts could not be found.
400 InvalidPartOrder The list of parts was not in ascending order.
400 InvalidRequest Invalid Request
400 InvalidStorageClass The storage class you specified is not valid
400 InvalidToken The provided token is malformed or otherwise invalid.
400 InvalidURI Couldn't parse the specified URI.
400 KeyTooLongError Your key is too long
400 MalformedPolicy Policies must be valid JSON and the first byte must be '{'
400 MalformedTrailerError The request contained trailing data that was not well-formed.
400 MalformedXML The XML you provided was not well-formed or did not validate against our published schema
400 XAmzContentSHA256Mismatch The provided 'x-amz-content-sha256' header does not match what was computed.
403 AccessDenied Access Denied
403 InvalidAccessKeyId The AWS Access Key Id you provided does not exist in our records.
403 InvalidObjectState The operation is not valid for the object's storage class
403 RequestTimeTooSkewed The difference between the request time and the current time is too large.
403 SignatureDoesNotMatch The request signature we calculated does not match the signature you provided.
404 NoSuchLifecycleConfiguration The lifecycle configuration does not exist
404 NoSuchPublicAccessBlockConfiguration The public access block configuration was not found
404 ObjectLockConfigurationNotFoundError Object Lock configuration does not exist for this bucket
404 ServerSideEncryptionConfigurationNotFoundError The server side encryption configuration was not found
404 NoSuchBucket The specified bucket does not exist
404 NoSuchBucketPolicy The bucket policy does not exist
404 NoSuchKey The specified key does not exist.
404 NoSuchUpload The specified upload does not exist. It may have been aborted or completed.
404 NoSuchVersion The specified version does not exist.
405 MethodNotAllowed The specified method is not allowed against this resource.
408 RequestTimeout Your socket connection to the server was not read from or written to in time.
409 BucketAlreadyOwnedByYou Your previous request to create the named bucket succeeded.
409 BucketNotEmpty The bucket you tried to delete is not empty
409 OperationAborted A conflicting conditional operation is currently in progress against this resource.
409 RestoreAlreadyInProgress Object restore is already in progress
411 MissingContentLength You must provide the Content-Length HTTP header.
412 PreconditionFailed At least one of the pre-conditions you specified did not hold
416 InvalidPartNumber The requested partnumber is not satisfiable
416 InvalidRange The requested range is not satisfiable
429 TooManyRequests Too Many Requests
500 InternalError We encountered an internal error. Please try again.
501 NotImplemented A header you provided implies functionality that is not implemented
502 BadGateway Bad Gateway
503 GlacierExpeditedRetrievalNotAvailable Glacier expedited retrievals are currently not available.
503 SlowDown Please reduce your request rate.
504 GatewayTimeout Gateway Timeout""".splitlines())}  # noqa: E501


class S3Error(Exception):
    """An <Error> answer; `elements` are the ones beside Code, Message and the ids."""

    def __init__(self, code, message=None, status=None, headers=None, **elements):
        super().__init__(code)
        usual, words = ERRORS.get(code, (500, code))
        self.code, self.status, self.message = code, status or usual, message or words
        self.headers, self.elements = headers or {}, elements

    def response(self, request):
        """Return the Response that says this error. 304 has no body [RFC 9110]."""
        if self.status == 304:
            return Response(304, self.headers, b"", length=None)
        extra = "".join(f"<{name}>{text(value)}</{name}>" for name, value in self.elements.items())
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{self.code}</Code>'
                f"<Message>{text(self.message)}</Message>{extra}<RequestId>{request.n:016X}</"
                f"RequestId><HostId>fakes3</HostId></Error>")
        return Response(self.status, {"Content-Type": "application/xml", **self.headers},
                        body.encode())


def elsewhere(request, region, code="PermanentRedirect", location=None):
    """Return the redirect to the region where a bucket is [API error responses]."""
    headers = {"x-amz-bucket-region": region, **({"Location": location} if location else {})}
    return S3Error(code, None, None, headers, Endpoint=f"s3.{region}.amazonaws.com",
                   Bucket=request.bucket)


# S3 writes control characters as references; XML 1.0 cannot read them, hence encoding-type=url
# [API].
ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;",
           **{code: f"&#x{code:X};" for code in (*range(9), *range(11, 32))}}


def text(value):
    """Return `value` as XML text."""
    return str(value).translate(ESCAPES)


def document(root, content):
    """Return a 200 with an XML document."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NS}">{content}</{root}>'
    return Response(200, {"Content-Type": "application/xml"}, body.encode())


def parse_xml(body, root):
    """Return the root element of a request body, without namespaces; anything else is MalformedXML.
    """
    try:
        tree = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise S3Error("MalformedXML") from None
    for element in tree.iter():
        element.tag = element.tag.rpartition("}")[2]
    if tree.tag != root:
        raise S3Error("MalformedXML")
    return tree


def iso(moment):
    """Return a time as listings write it: the second is all that S3 tells [F 2.4]."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(moment))


@functools.lru_cache(1024)
def http_date(moment):
    """Return whole seconds since 1970 as an HTTP date."""
    return email.utils.formatdate(moment, usegmt=True)


def http_time(value):
    """Return an HTTP date as seconds since 1970, or None: S3 ignores what it cannot read [RFC
    9110].
    """
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError):
        return None


def b64(data):
    return base64.b64encode(data).decode()


def unquote_s3(raw):
    """Return the bytes that a path or query means: percent-decoded once, nothing normalised.

    A bare plus is a space for S3, in paths as well [seen: ClickHouse#23283, ceph#10919].
    """
    return unquote_to_bytes(raw.replace("+", " "))


def number(value, name, least=0):
    """Return a numeric parameter; S3 says InvalidArgument for what is none [API]."""
    if not re.fullmatch(r"-?\d{1,10}", value) or int(value) < least:
        raise S3Error("InvalidArgument", f"Provided {name} not an integer or within integer range",
                      ArgumentName=name, ArgumentValue=value)
    return int(value)


# ---------------------------------------------------------------------------------------------------
# Signatures [API sig-v4-header-based-auth, sigv4-query-string-auth]

PLAIN_PATH = re.compile(r"[A-Za-z0-9\-._~/]*")
SIGV4 = "AWS4-HMAC-SHA256"
SKEW = 15 * 60
PAYLOADS = {"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def hmac256(key, message):
    return hmac.digest(key, message.encode(), "sha256")


@functools.lru_cache(256)
def signing_key(secret, day, region):
    """Return the key of one day, region and secret."""
    return hmac256(hmac256(hmac256(hmac256(b"AWS4" + secret.encode(), day), region), "s3"),
                   "aws4_request")


@functools.lru_cache(256)
def amz_time(stamp):
    """Return an x-amz-date as seconds since 1970."""
    return calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))


def canonical(raw, safe):
    """Return one path or query part decoded and encoded once, as S3 does before it checks a
    signature.

    For a path sent as RFC 3986 and SigV4 want it, that is the path as sent. S3 itself rewrites what
    is not: `/%3Fa=b%20c` must be signed as `/%3Fa%3Db%20c` [seen: aws-sdk-js#853].
    """
    return raw if PLAIN_PATH.fullmatch(raw) and safe == "/" else quote(unquote_s3(raw), safe=safe)


def canonical_query(raw, skip=()):
    """Return the canonical query string of a raw one."""
    pairs = []
    for item in raw.split("&") if raw else ():
        name, _, value = item.partition("=")
        name = canonical(name, "")
        if item and name not in skip:
            pairs.append((name, canonical(value, "")))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


class Authority:
    """Who may ask: checks every signature for real."""

    def __init__(self, s3):
        self.s3 = s3

    def check(self, request):
        """Raise S3Error unless `request` is signed by a credential that we know, now and for this
        region.
        """
        if "authorization" in request.headers:
            self.check_header(request)
        elif "X-Amz-Signature" in request.query or "X-Amz-Algorithm" in request.query:
            self.check_query(request)
        elif self.s3.region and self.s3.region_of(request.bucket) != self.s3.home:
            raise elsewhere(request, self.s3.region_of(request.bucket))     # told to anyone
        else:
            raise S3Error("AccessDenied")       # anonymous, and nothing is public

    def check_header(self, request):
        headers = request.headers
        scheme, _, rest = headers["authorization"].partition(" ")
        if scheme != SIGV4:
            raise S3Error("InvalidRequest",
                          "The authorization mechanism you have provided is not supported. "
                          "Please use AWS4-HMAC-SHA256.")
        fields = dict(item.strip().partition("=")[::2] for item in rest.split(","))
        if not {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
            raise S3Error("AuthorizationHeaderMalformed")
        stamp = headers.get("x-amz-date", "")
        if not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
            raise S3Error("AccessDenied",
                          "AWS authentication requires a valid Date or x-amz-date header")
        payload = headers.get("x-amz-content-sha256")
        if payload is None:
            raise S3Error("InvalidRequest",
                          "Missing required header for this request: x-amz-content-sha256")
        if abs(amz_time(stamp) - self.s3.time()) > SKEW:
            raise S3Error("RequestTimeTooSkewed", RequestTime=stamp, ServerTime=iso(self.s3.time()),
                          MaxAllowedSkewMilliseconds=SKEW * 1000)
        self.verify(request, fields["Credential"], stamp, fields["SignedHeaders"],
                    fields["Signature"], payload, canonical_query(request.query_string),
                    headers.get("x-amz-security-token"), "AuthorizationHeaderMalformed")

    def check_query(self, request):
        query = request.query
        names = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
                 "X-Amz-SignedHeaders", "X-Amz-Signature")
        if not set(names) <= query.keys() or query["X-Amz-Algorithm"] != SIGV4:
            raise S3Error("AuthorizationQueryParametersError")
        stamp, life = query["X-Amz-Date"], query["X-Amz-Expires"]
        if not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or not life.isdecimal() or int(life) > 604800:
            raise S3Error("AuthorizationQueryParametersError",
                          "X-Amz-Date must be in ISO8601 format and X-Amz-Expires less than a week")
        now, signed = self.s3.time(), amz_time(stamp)
        if signed > now + SKEW:
            raise S3Error("AccessDenied", "Request is not yet valid")
        if signed + int(life) < now:
            raise S3Error("AccessDenied", "Request has expired", Expires=iso(signed + int(life)),
                          ServerTime=iso(now))
        payload = request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        self.verify(request, query["X-Amz-Credential"], stamp, query["X-Amz-SignedHeaders"],
                    query["X-Amz-Signature"], payload,
                    canonical_query(request.query_string, skip=("X-Amz-Signature",)),
                    query.get("X-Amz-Security-Token"), "AuthorizationQueryParametersError")
        for name, value in query.items():       # x-amz headers may ride in the signed query
            if name.lower().startswith("x-amz-") and name not in names:
                request.headers.setdefault(name.lower(), value)

    def verify(self, request, credential, stamp, signed_names, signature, payload, query, token,
               refusal):
        """Compare the signature with our own, then the payload with its hash."""
        access_key, *scope = credential.rsplit("/", 4)
        if len(scope) != 4 or scope[2:] != ["s3", "aws4_request"] or scope[0] != stamp[:8]:
            raise S3Error(refusal,
                          "The Credential is malformed; expecting KEY/DATE/REGION/s3/aws4_request")
        self.check_region(request, scope[1], refusal)
        known = self.identify(access_key, token)
        headers, names = request.headers, signed_names.split(";")
        unsigned = [name for name in headers
                    if name.startswith(("x-amz-", "host")) and name not in names]
        if unsigned:                # [seen: soto#374, django-s3direct#249]
            raise S3Error("AccessDenied",
                          "There were headers present in the request which were not signed",
                          HeadersNotSigned=", ".join(unsigned))
        if payload not in PAYLOADS and not re.fullmatch("[0-9a-f]{64}", payload):
            raise S3Error("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                          "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD "
                          "or a valid sha256 value.")
        lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names)
        path = canonical(request.path, "/")
        wanted = f"{request.method}\n{path}\n{query}\n{lines}\n{signed_names}\n{payload}"
        scope = "/".join(scope)
        to_sign = f"{SIGV4}\n{stamp}\n{scope}\n{hashlib.sha256(wanted.encode()).hexdigest()}"
        key = signing_key(known.secret, *scope.split("/")[:2])
        if not hmac.compare_digest(hmac256(key, to_sign).hex(), signature):
            raise S3Error("SignatureDoesNotMatch", AWSAccessKeyId=access_key, StringToSign=to_sign,
                          SignatureProvided=signature, CanonicalRequest=wanted)
        if len(payload) == 64 and hashlib.sha256(request.body).hexdigest() != payload:
            raise S3Error("XAmzContentSHA256Mismatch", ClientComputedContentSHA256=payload,
                          S3ComputedContentSHA256=hashlib.sha256(request.body).hexdigest())
        request.signing = key, stamp, scope, signature

    def check_region(self, request, signed_for, refusal):
        """Raise S3Error unless the signature is for the region of the bucket, or ours without one.

        As Amazon's endpoint in us-east-1 does: the error names the region. A HEAD has no body to
        name it in: it is a redirect where the signature fits the endpoint but not the bucket.
        GetBucketLocation may be asked of the endpoint for any bucket.
        """
        wanted = self.s3.region and self.s3.region_of(request.bucket)
        asks_where = request.method == "GET" and "location" in request.query and not request.key
        if not wanted or signed_for == wanted or (asks_where and signed_for == self.s3.home):
            return
        if request.method == "HEAD" and signed_for == self.s3.home:
            raise elsewhere(request, wanted)
        raise S3Error(refusal, "The authorization header is malformed; the region "
                      f"'{signed_for}' is wrong; expecting '{wanted}'", Region=wanted)

    def identify(self, access_key, token):
        """Return the Credential of an access key, whose session token must be the one we gave."""
        known = self.s3.credentials.get(access_key)
        if known is None or (known.token and not token):
            raise S3Error("InvalidAccessKeyId", AWSAccessKeyId=access_key)
        if known.expired:
            raise S3Error("ExpiredToken")
        if token != known.token:
            raise S3Error("InvalidToken")
        return known


def decode_chunks(request):
    """Take an aws-chunked body apart, in place: chunks, their signatures if any, trailers.

    [API sigv4-streaming, sigv4-streaming-trailers]; boto3 sends STREAMING-UNSIGNED-PAYLOAD-TRAILER.
    """
    kind = request.headers.get("x-amz-content-sha256", "")
    signed = request.signing if kind.startswith("STREAMING-AWS4") else None
    previous = signed and signed[3]
    body, data, at = request.body, [], 0

    def chain(name, content):
        key, stamp, scope, _ = signed
        return hmac256(key, f"{SIGV4}-{name}\n{stamp}\n{scope}\n{previous}\n{content}").hex()

    try:
        while True:
            end = body.index(b"\r\n", at)
            size, _, extension = body[at:end].partition(b";")
            size, at = int(size, 16), end + 2
            chunk = body[at:at + size]
            if len(chunk) != size:
                raise S3Error("IncompleteBody")
            if signed:
                proof = chain("PAYLOAD", f"{EMPTY_SHA256}\n{hashlib.sha256(chunk).hexdigest()}")
                if extension != b"chunk-signature=" + proof.encode():
                    raise S3Error("SignatureDoesNotMatch", "A chunk's signature does not match")
                previous = proof
            if not size:
                break
            data.append(chunk)
            if body[at + size:at + size + 2] != b"\r\n":
                raise S3Error("IncompleteBody")
            at += size + 2
        lines = body[at:].decode().split("\r\n")
    except ValueError:
        raise S3Error("IncompleteBody") from None
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        request.trailers[name.lower()] = value.strip()
    proof = request.trailers.pop("x-amz-trailer-signature", None)
    if signed and kind.endswith("-TRAILER"):
        listed = "".join(f"{name}:{value}\n" for name, value in request.trailers.items())
        if proof != chain("TRAILER", hashlib.sha256(listed.encode()).hexdigest()):
            raise S3Error("SignatureDoesNotMatch", "The trailer's signature does not match")
    promised = {name.strip().lower()
                for name in request.headers.get("x-amz-trailer", "").split(",") if name}
    if promised != request.trailers.keys():
        raise S3Error("MalformedTrailerError")
    request.body = b"".join(data)
    length = request.headers.get("x-amz-decoded-content-length")
    if length is None:
        raise S3Error("MissingContentLength")
    if length != str(len(request.body)):
        raise S3Error("IncompleteBody")


# ---------------------------------------------------------------------------------------------------
# Checksums of what arrives

def given_checksum(request):
    """Return (algorithm, value) that a request gives in a header or trailer, or (None, None)."""
    said = {**request.headers, **request.trailers}
    found = [(CHECKSUM_HEADERS[name], said[name]) for name in said if name in CHECKSUM_HEADERS]
    if len(found) > 1:
        raise S3Error("InvalidRequest", "Expecting a single x-amz-checksum- header. "
                      "Multiple checksum Types are not allowed.")
    if not found:
        if "x-amz-sdk-checksum-algorithm" in request.headers:
            raise S3Error("InvalidRequest",
                          "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                          "x-amz-checksum-* or x-amz-trailer headers were found.")
        return None, None
    return found[0]


def check_content(request):
    """Check Content-MD5 and the additional checksum of a body; return (algorithm, value)."""
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
    return S3Error("BadDigest",
                   f"The {algorithm} you specified did not match the calculated checksum.")


def combine(algorithm, checksum_type, parts, body):
    """Return the checksum of a multipart object, as HEAD shows it [F 3.3]."""
    if checksum_type == "FULL_OBJECT":
        return b64(DIGESTS[algorithm](body))
    return b64(DIGESTS[algorithm](b"".join(base64.b64decode(p.checksum)
                                           for p in parts))) + f"-{len(parts)}"


def multipart_etag(parts):
    """Return the ETag of a multipart object: MD5 of the MD5s, also for one part [F 3.1]."""
    return hashlib.md5(b"".join(bytes.fromhex(p.etag)
                                for p in parts)).hexdigest() + f"-{len(parts)}"


def etag_in(etag, header):
    """Tell whether an If-Match or If-None-Match header names `etag`; quotes are optional for S3."""
    return header.strip() == "*" or etag in [item.strip().strip('"') for item in header.split(",")]


# ---------------------------------------------------------------------------------------------------
# Operations. Each is named by (method, "service" | "bucket" | "object", subresource).

OPERATIONS = {}


def operation(method, level, subresource=""):
    """Enter a function among the operations."""
    def enter(function):
        OPERATIONS[method, level, subresource] = function
        return function
    return enter


SUBRESOURCES = ("uploads", "uploadId", "attributes", "restore", "versioning", "versions",
                "location", "delete", "policy", "encryption", "lifecycle", "object-lock",
                "publicAccessBlock")
# What a bucket may be set to, by tests only: the document's root, and the code where it was never
# set [API].
SETTINGS = {"encryption":
            ("ServerSideEncryptionConfiguration", "ServerSideEncryptionConfigurationNotFoundError"),
            "lifecycle": ("LifecycleConfiguration", "NoSuchLifecycleConfiguration"),
            "object-lock": ("ObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"),
            "publicAccessBlock":
            ("PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration")}


def route(s3, request):
    """Return the answer to a request that is who it says it is."""
    level = "object" if request.key else "bucket" if request.bucket else "service"
    foreign = FOREIGN & request.query.keys()
    sub = next((name for name in SUBRESOURCES if name in request.query), "")
    found = OPERATIONS.get((request.method, level, sub))
    if foreign or not found or "x-amz-copy-source" in request.headers:
        raise S3Error("NotImplemented",
                      Header=", ".join(foreign) or f"{request.method} {level} {sub}")
    return found(s3, request)


@operation("GET", "service")
def list_buckets(s3, request):
    """ListBuckets, in name order; paged only when max-buckets asks for it [API]."""
    query = request.query
    names = sorted(name for name in s3.buckets if name.startswith(query.get("prefix", "")))
    if "continuation-token" in query:
        names = names[bisect_right(names, untoken(query["continuation-token"])):]
    limit = number(query["max-buckets"], "max-buckets", 1) if "max-buckets" in query else len(names)
    rest, names = names[limit:], names[:limit]
    rows = "".join(
        f"<Bucket><Name>{name}</Name><CreationDate>{iso(s3.buckets[name].created)}</CreationDate>"
        f"<BucketRegion>{s3.region_of(name)}</BucketRegion></Bucket>" for name in names)
    token = f"<ContinuationToken>{make_token(names[-1])}</ContinuationToken>" if rest else ""
    return document("ListAllMyBucketsResult", f"{OWNER}<Buckets>{rows}</Buckets>{token}")


@operation("PUT", "bucket")
def create_bucket(s3, request):
    """CreateBucket; again in us-east-1 it is a 200, elsewhere a 409 [API]."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]", request.bucket):
        raise S3Error("InvalidBucketName", BucketName=request.bucket)
    if request.bucket in s3.buckets and s3.home != "us-east-1":
        raise S3Error("BucketAlreadyOwnedByYou", BucketName=request.bucket)
    s3.bucket(request.bucket)
    return Response(200, {"Location": f"/{request.bucket}"})


@operation("HEAD", "bucket")
def head_bucket(s3, request):
    """HeadBucket: where it is."""
    region = s3.region_of(s3.need_bucket(request).name)
    return Response(200, {"x-amz-bucket-region": region, "Content-Type": "application/xml"})


@operation("DELETE", "bucket")
def delete_bucket(s3, request):
    """DeleteBucket: only an empty one; versions and markers count [API]."""
    if s3.need_bucket(request).keys:
        raise S3Error("BucketNotEmpty", BucketName=request.bucket)
    del s3.buckets[request.bucket]
    return Response(204, length=None)


@operation("GET", "bucket", "location")
def get_location(s3, request):
    """GetBucketLocation: us-east-1 is an empty element [API]."""
    region = s3.region_of(s3.need_bucket(request).name)
    return document("LocationConstraint", "" if region == "us-east-1" else region)


@operation("GET", "bucket", "versioning")
def get_versioning(s3, request):
    """GetBucketVersioning: no Status where it was never set [API]."""
    status = s3.need_bucket(request).versioning
    return document("VersioningConfiguration", f"<Status>{status}</Status>" if status else "")


@operation("PUT", "bucket", "versioning")
def put_versioning(s3, request):
    """PutBucketVersioning."""
    bucket = s3.need_bucket(request)
    check_content(request)
    status = parse_xml(request.body, "VersioningConfiguration").findtext("Status")
    if status not in ("Enabled", "Suspended"):
        raise S3Error("IllegalVersioningConfigurationException")
    bucket.versioning = status
    return Response(200)


@operation("GET", "bucket", "policy")
def get_policy(s3, request):
    """GetBucketPolicy: the text as it was put [API]."""
    policy = s3.need_bucket(request).policy
    if policy is None:
        raise S3Error("NoSuchBucketPolicy", BucketName=request.bucket)
    return Response(200, {"Content-Type": "application/json"}, policy.encode())


@operation("PUT", "bucket", "policy")
def put_policy(s3, request):
    """PutBucketPolicy: at once and whole; 20 KB at most [UG bucket-policies]."""
    bucket = s3.need_bucket(request)
    check_content(request)
    try:
        found = json.loads(request.body)
    except ValueError:
        raise S3Error("MalformedPolicy") from None
    if not isinstance(found, dict) or not found.get("Statement") or len(request.body) > 20 * 1024:
        raise S3Error("MalformedPolicy")
    bucket.policy = request.body.decode()
    return Response(204, length=None)


@operation("DELETE", "bucket", "policy")
def delete_policy(s3, request):
    """DeleteBucketPolicy: also where there is none [API]."""
    s3.need_bucket(request).policy = None
    return Response(204, length=None)


@operation("GET", "bucket", "encryption")
@operation("GET", "bucket", "lifecycle")
@operation("GET", "bucket", "object-lock")
@operation("GET", "bucket", "publicAccessBlock")
def get_setting(s3, request):
    """GetBucketEncryption and its like: what a test has set."""
    name = next(name for name in SETTINGS if name in request.query)
    root, code = SETTINGS[name]
    content = s3.need_bucket(request).settings.get(name)
    if content is None:
        raise S3Error(code)
    return document(root, content)


# Listings
# ------------------------------------------------------------------------------------------

OWNER = "<Owner><ID>fakes3</ID><DisplayName>fakes3</DisplayName></Owner>"


def make_token(key):
    """Return an opaque continuation token that stands after `key`."""
    return base64.urlsafe_b64encode(b"1" + key.encode()).decode()


def untoken(token):
    """Return the key of a token."""
    try:
        data = base64.b64decode(token, altchars=b"-_", validate=True)
        if data[:1] == b"1":
            return data[1:].decode()
    except ValueError:
        pass
    raise S3Error("InvalidArgument", "The continuation token provided is incorrect",
                  ArgumentName="continuation-token")


class Listing:
    """What the three listings have in common: parameters, encoding, one page, one row."""

    def __init__(self, s3, request):
        query = request.query
        self.s3, self.request, self.now = s3, request, s3.clock.now()
        self.prefix, self.delimiter = query.get("prefix", ""), query.get("delimiter", "")
        self.max_keys = min(number(query.get("max-keys") or "1000", "max-keys"), PAGE)
        if query.get("encoding-type", "url") != "url":
            raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
        # As S3 does it: space becomes +, the slash stays, `test_file(3)` becomes `test_file%283%29`
        # [API].
        self.encode = (lambda key: quote_plus(key, safe="/*")) if "encoding-type" in query else text
        wanted = request.headers.get("x-amz-optional-object-attributes", "")
        if wanted and wanted != "RestoreStatus":
            raise S3Error("InvalidArgument", "Invalid attribute name specified")
        self.restore_status = bool(wanted)

    def page(self, marker, below=None, versions=False):
        """Read one page; set `items` and `truncated`. Common prefixes count as keys do [API]."""
        bucket = self.s3.need_bucket(self.request)
        entries = bucket.entries(self.prefix, self.delimiter, marker, below, versions)
        self.items = []
        self.truncated = False
        if self.max_keys:                       # max-keys=0 is an empty page that is not truncated
            for item in entries:
                if len(self.items) == self.max_keys:
                    self.truncated = True
                    break
                self.items.append(item)

    def last_key(self):
        """Return the key or prefix at the end of this page."""
        return self.items[-1] if isinstance(self.items[-1], str) else self.items[-1].key

    def head(self, *pairs):
        """Return the elements before the rows."""
        pairs = [("Name", self.request.bucket), ("Prefix", self.encode(self.prefix)), *pairs,
                 ("MaxKeys", self.max_keys), ("IsTruncated", str(self.truncated).lower())]
        if self.delimiter:
            pairs.append(("Delimiter", self.encode(self.delimiter)))
        if "encoding-type" in self.request.query:
            pairs.append(("EncodingType", "url"))
        return "".join(f"<{name}>{value}</{name}>" for name, value in pairs if value is not None)

    def rows(self, tag, owner, latest=False):
        """Return the rows as S3 puts them on the wire: objects in order, then the common prefixes.
        """
        bucket = self.s3.buckets[self.request.bucket]
        rows, groups = [], []
        for item in self.items:
            if isinstance(item, str):
                groups.append(
                    f"<CommonPrefixes><Prefix>{self.encode(item)}</Prefix></CommonPrefixes>")
                continue
            version = ""
            if latest:
                newest = str(bucket.current(item.key) is item).lower()
                version = f"<VersionId>{item.id}</VersionId><IsLatest>{newest}</IsLatest>"
            start = (f"<Key>{self.encode(item.key)}</Key>{version}"
                     f"<LastModified>{iso(item.modified)}</LastModified>")
            if item.marker:                     # between the versions, in its place [F 2.4]
                rows.append(f"<DeleteMarker>{start}{OWNER}</DeleteMarker>")
                continue
            checksum = (f"<ChecksumAlgorithm>{item.algorithm}</ChecksumAlgorithm>"
                        f"<ChecksumType>{item.checksum_type}</"
                        "ChecksumType>") if item.algorithm else ""
            rows.append(f"<{tag}>{start}<ETag>&quot;{item.etag}&quot;</ETag>{checksum}"
                        f"<Size>{item.size}</Size>{OWNER if owner else ''}"
                        f"<StorageClass>{item.storage_class}</StorageClass>"
                        f"{self.restored(item) if self.restore_status else ''}</{tag}>")
        return "".join(rows + groups)

    def restored(self, version):
        """Return the RestoreStatus: only where a restore runs or a copy exists; not for tiers [F
        4.4].
        """
        state = version.state(self.now)
        if version.storage_class not in ARCHIVES or state not in ("ongoing", "ready"):
            return ""
        if state == "ongoing":
            return "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"
        return ("<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>"
                f"{iso(version.restore.expires)}</RestoreExpiryDate></RestoreStatus>")


@operation("GET", "bucket")
def list_objects(s3, request):
    """ListObjectsV2, and ListObjects where list-type is not 2 [API]."""
    query, listing = request.query, Listing(s3, request)
    if query.get("list-type") == "2":
        token, start = query.get("continuation-token"), query.get("start-after", "")
        if token == "":
            raise S3Error("InvalidArgument", "The continuation token provided is incorrect",
                          ArgumentName="continuation-token")
        listing.page(untoken(token) if token else start)
        following = make_token(listing.last_key()) if listing.truncated else None
        head = listing.head(("KeyCount", len(listing.items)),
                            ("StartAfter", listing.encode(start) or None),
                            ("ContinuationToken", token), ("NextContinuationToken", following))
        rows = listing.rows("Contents", owner=query.get("fetch-owner") == "true")
        return document("ListBucketResult", head + rows)
    listing.page(query.get("marker", ""))
    # Without a delimiter the client takes the last key: NextMarker is not given [API].
    following = (listing.encode(listing.last_key()) if listing.truncated and listing.delimiter
                 else None)
    head = listing.head(("Marker", listing.encode(query.get("marker", ""))),
                        ("NextMarker", following))
    return document("ListBucketResult", head + listing.rows("Contents", owner=True))


@operation("GET", "bucket", "versions")
def list_versions(s3, request):
    """ListObjectVersions: newest first within a key, markers in between [F 2.4]."""
    query, listing = request.query, Listing(s3, request)
    marker, version = query.get("key-marker", ""), query.get("version-id-marker", "")
    below = None
    if version:
        if not marker:
            raise S3Error("InvalidArgument",
                          "A version-id marker cannot be specified without a key marker.",
                          ArgumentName="version-id-marker")
        bucket = s3.need_bucket(request)
        at = bucket.find(marker, version)
        # The version may be gone since the last page; its place is not.
        below = at.seq if at else bucket.gone.get((marker, version))
        if below is None:
            raise S3Error("InvalidArgument", "Invalid version id specified",
                          ArgumentName="version-id-marker", ArgumentValue=version)
    listing.page(marker, below, versions=True)
    next_key = next_version = None
    if listing.truncated:
        next_key = listing.encode(listing.last_key())
        next_version = None if isinstance(listing.items[-1], str) else listing.items[-1].id
    head = listing.head(("KeyMarker", listing.encode(marker)), ("VersionIdMarker", text(version)),
                        ("NextKeyMarker", next_key), ("NextVersionIdMarker", next_version))
    return document("ListVersionsResult", head + listing.rows("Version", owner=True, latest=True))


# Objects
# -------------------------------------------------------------------------------------------

def kept_headers(request):
    """Return the headers that an object keeps: aws-chunked is S3's own and goes [API]."""
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
    headers = {"ETag": f'"{version.etag}"', "x-amz-server-side-encryption": version.sse}
    if bucket.versioning == "Enabled":
        headers["x-amz-version-id"] = version.id
    return headers


@operation("PUT", "object")
def put_object(s3, request):
    """PutObject. Without a checksum of the client's S3 adds CRC64NVME [F 3.3]."""
    bucket = s3.need_bucket(request)
    storage_class = storage_class_of(request)
    algorithm, value = check_content(request)
    check_write(bucket, request)
    version = s3.store(bucket, request.key, request.body, storage_class=storage_class,
                       checksum=algorithm or "CRC64NVME", headers=kept_headers(request),
                       sse=request.headers.get("x-amz-server-side-encryption", "AES256"))
    return Response(200, {**wrote(bucket, version), **checksum_headers(version, None)})


def find_version(s3, request):
    """Return (bucket, version) that a read names, or say why there is none [API, UG DeleteMarker].
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


def check_version_id(value):
    """Refuse what cannot be a version id [LS]."""
    if not re.fullmatch(r"[A-Za-z0-9._\-]{1,1024}", value):
        message = ("Invalid version id specified" if value
                   else "Version id cannot be the empty string")
        raise S3Error("InvalidArgument", message, ArgumentName="versionId", ArgumentValue=value)


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
    same = {"ETag": f'"{version.etag}"', "Last-Modified": http_date(modified)}
    if "if-none-match" in headers:
        if etag_in(version.etag, headers["if-none-match"]):
            raise S3Error("NotModified", headers=same)
    elif since is not None and modified <= since:
        raise S3Error("NotModified", headers=same)


def part_number(value):
    """Return a partNumber parameter as a number."""
    if not value.isdecimal() or not 1 <= int(value) <= 10000:
        raise S3Error("InvalidArgument",
                      "Part number must be an integer between 1 and 10000, inclusive",
                      ArgumentName="partNumber", ArgumentValue=value)
    return int(value)


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
        return None                 # S3 ignores what it cannot read, and lists of ranges [UG]
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

    A part of a COMPOSITE object has its own checksum [UG checking-object-integrity; LS#12842]; all
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
    headers = {"Last-Modified": http_date(int(version.modified)), "ETag": f'"{version.etag}"',
               "Accept-Ranges": "bytes", "Content-Type": "binary/octet-stream", **version.headers,
               "x-amz-server-side-encryption": version.sse}
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


@operation("GET", "object", "attributes")
def get_attributes(s3, request):
    """GetObjectAttributes: ETag without quotes, composite without -N, Part only of COMPOSITE [F
    3.2].
    """
    bucket, version = find_version(s3, request)
    wanted = [name.strip()
              for name in request.headers.get("x-amz-object-attributes", "").split(",")]
    known = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}
    if not wanted[0] or set(wanted) - known:
        raise S3Error("InvalidArgument", "Invalid attribute name specified.")
    found = {"ETag": version.etag, "StorageClass": version.storage_class,
             "ObjectSize": version.size}
    if version.algorithm:
        name, value = f"Checksum{version.algorithm}", version.checksum.partition("-")[0]
        found["Checksum"] = (
            f"<{name}>{value}</{name}><ChecksumType>{version.checksum_type}</ChecksumType>")
    if version.parts:
        after = number(request.headers.get("x-amz-part-number-marker", "0"), "part-number-marker")
        most = min(number(request.headers.get("x-amz-max-parts", "1000"), "max-parts"), PAGE)
        found["ObjectParts"] = parts_page(version.parts, after, most, version.algorithm,
                                          "PartsCount", shown=version.checksum_type == "COMPOSITE")
    content = "".join(f"<{name}>{found[name]}</{name}>" for name in wanted if name in found)
    answer = document("GetObjectAttributesResponse", content)
    answer.headers["Last-Modified"] = http_date(int(version.modified))
    if bucket.versioning:
        answer.headers["x-amz-version-id"] = version.id
    return answer


def parts_page(parts, after, most, algorithm, count, shown=True, uploading=False):
    """Return one page of parts, for GetObjectAttributes and ListParts."""
    rest = [p for p in parts if p.number > after]
    page = rest[:most]
    rows = []
    for part in page if shown else ():
        row = f"<PartNumber>{part.number}</PartNumber><Size>{part.size}</Size>"
        if uploading:
            row += (f"<ETag>&quot;{part.etag}&quot;</ETag>"
                    f"<LastModified>{iso(part.modified)}</LastModified>")
        if part.checksum:
            name = f"Checksum{part.algorithm or algorithm}"
            row += f"<{name}>{part.checksum}</{name}>"
        rows.append(f"<Part>{row}</Part>")
    if not shown:
        return f"<{count}>{len(parts)}</{count}>"
    total = f"<{count}>{len(parts)}</{count}>" if count else ""
    return (f"{total}<PartNumberMarker>{after}</PartNumberMarker><NextPartNumberMarker>"
            f"{page[-1].number if page else 0}</NextPartNumberMarker><MaxParts>{most}</MaxParts>"
            f"<IsTruncated>{str(len(rest) > len(page)).lower()}</IsTruncated>{''.join(rows)}")


def remove(s3, bucket, key, version_id=None, etag=None):
    """Delete as S3 does; return (version id, is a marker): what was removed, or the marker that was
    made.

    The condition is held against the current version, whatever version is named [UG
    conditional-deletes]; with nothing there it is a 404 [UG], with a delete marker there a 412
    [seen: rustfs discussion 2602].
    """
    current = bucket.current(key)
    if etag is not None:
        if current is None:
            raise S3Error("NoSuchKey", Key=key)
        if current.marker or not etag_in(current.etag, etag):
            raise S3Error("PreconditionFailed", Condition="If-Match")
    if version_id is not None:
        check_version_id(version_id)
        version = bucket.find(key, version_id)
        if version is None:
            return version_id, False            # deleting twice is no error [API]
        if version.held:
            raise S3Error("AccessDenied", "Access Denied because object protected by object lock.")
        bucket.remove(version)
        return version_id, version.marker
    if not bucket.versioning:
        if current is not None:
            bucket.remove(current)
        return None, False
    # Suspended: the null version goes, a null marker comes. Enabled: a marker comes, even of no
    # object [UG].
    marker = Version(key, s3.new_version_id(bucket), s3.next_seq(), s3.clock.now(), marker=True)
    bucket.add(marker)
    return marker.id, True


@operation("DELETE", "object")
def delete_object(s3, request):
    """DeleteObject."""
    bucket = s3.need_bucket(request)
    version_id, marker = remove(s3, bucket, request.key, request.query.get("versionId"),
                                request.headers.get("if-match"))
    headers = {"x-amz-version-id": version_id} if version_id and bucket.versioning else {}
    if marker:
        headers["x-amz-delete-marker"] = "true"
    return Response(204, headers, length=None)


@operation("POST", "bucket", "delete")
def delete_objects(s3, request):
    """DeleteObjects: each key on its own, with its own ETag condition [API]."""
    bucket = s3.need_bucket(request)
    if "content-md5" not in request.headers and not given_checksum(request)[0]:
        raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 OR "
                      "x-amz-checksum-*")
    check_content(request)
    tree = parse_xml(request.body, "Delete")
    objects = tree.findall("Object")
    if not 1 <= len(objects) <= PAGE or not all(item.findtext("Key") for item in objects):
        raise S3Error("MalformedXML")
    quiet = tree.findtext("Quiet") == "true"
    rows = []
    for item in objects:
        key, version_id = item.findtext("Key"), item.findtext("VersionId") or None
        named = f"<Key>{text(key)}</Key>"
        if version_id:
            named += f"<VersionId>{text(version_id)}</VersionId>"
        try:
            found, marker = remove(s3, bucket, key, version_id, item.findtext("ETag"))
        except S3Error as error:
            code = "NoSuchVersion" if error.code == "InvalidArgument" else error.code       # [LS]
            rows.append(
                f"<Error>{named}<Code>{code}</Code><Message>{text(error.message)}</Message>"
                "</Error>")
            continue
        if marker:
            named += ("<DeleteMarker>true</DeleteMarker>"
                      f"<DeleteMarkerVersionId>{found}</DeleteMarkerVersionId>")
        if not quiet:
            rows.append(f"<Deleted>{named}</Deleted>")
    return document("DeleteResult", "".join(rows))


@operation("POST", "object", "restore")
def restore_object(s3, request):
    """RestoreObject, by the rules of [F 4.2] and [F 4.3]."""
    _, version = find_version(s3, request)
    check_content(request)
    tree = parse_xml(request.body, "RestoreRequest")
    if {child.tag for child in tree} - {"Days", "GlacierJobParameters", "Description"}:
        raise S3Error("MalformedXML")  # Type, Tier, SelectParameters are of Select restores
    days, tier = tree.findtext("Days"), tree.findtext("GlacierJobParameters/Tier") or "Standard"
    if tier not in TIERS or (days is not None and not days.isdecimal()):
        raise S3Error("MalformedXML")
    now = s3.clock.now()
    state = version.state(now)
    if state == "online":
        raise S3Error("InvalidObjectState",
                      "Restore is not allowed for the object's current storage class",
                      StorageClass=version.storage_class)
    if version.tier and days is not None:
        raise S3Error("InvalidArgument",
                      "INTELLIGENT_TIERING objects are not subject to restore expiry. "
                      "Do not specify Days when restoring this object")
    if not version.tier and days is None:
        raise S3Error("MalformedXML")
    if days is not None and int(days) < 1:
        raise S3Error("InvalidArgument", "The Days value must be a positive integer")
    seconds = s3.restore_seconds.get((SPEED_OF.get(version.tier, version.storage_class), tier))
    if seconds is None:
        # The message is known [F 4.2], the code is [?].
        raise S3Error("InvalidArgument", "Retrieval option is not supported by this storage class")
    if tier == "Expedited" and not s3.expedited:
        raise S3Error("GlacierExpeditedRetrievalNotAvailable")
    days = int(days or 0)
    if state == "ready":            # only the date moves, from now
        version.restore.expires = midnight(now + days * DAY)
        return Response(200)
    if state == "ongoing":
        faster = TIERS.index(tier) > TIERS.index(version.restore.tier)
        if not faster or days != version.restore.days:
            raise S3Error("RestoreAlreadyInProgress")
    done = now + seconds
    if state == "ongoing":
        done = min(done, version.restore.done)
    version.restore = Restore(tier, days, done, midnight(done + days * DAY))
    return Response(202)


def midnight(moment):
    """Return the next midnight UTC, or `moment` if it is one [F 4.4]."""
    return -(-moment // DAY) * DAY


# Multipart uploads
# ---------------------------------------------------------------------------------

def find_upload(s3, request):
    """Return (bucket, upload)."""
    bucket = s3.need_bucket(request)
    upload = bucket.uploads.get(request.query["uploadId"])
    if upload is None or upload.key != request.key:
        raise S3Error("NoSuchUpload", UploadId=request.query["uploadId"])
    return bucket, upload


@operation("POST", "object", "uploads")
def create_upload(s3, request):
    """CreateMultipartUpload; which type goes with which algorithm: [F 3.3], the words: [seen:
    floci#3093].
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
    """CompleteMultipartUpload [API; F 3.1, 3.3]."""
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
    # An upload without an algorithm gets S3's own, over the whole object [F 3.3].
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
                      f"<Key>{text(request.key)}</Key><ETag>&quot;{version.etag}&quot;</ETag>"
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
    """ListMultipartUploads, in one page: a test that has a thousand open uploads is no test of
    ours.
    """
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


# ---------------------------------------------------------------------------------------------------
# Faults. A kind is a function (s3, request, response, **options) -> Response. Those that replace
# the answer get no response: the request is not carried out, unless the rule says done=True.

KINDS = {}


def kind(name, replaces=False):
    """Enter a function among the kinds of faults."""
    def enter(function):
        function.replaces = replaces
        KINDS[name] = function
        return function
    return enter


def half(response, at):
    return len(response.body) // 2 if at is None else at


INVERTED = bytes(range(255, -1, -1))            # for bytes.translate: every bit the other way


@kind("flip")
def flip(s3, request, response, at=None, mask=1):
    """One byte is wrong (xor `mask`, so one bit), the length is right."""
    body = bytearray(response.body)
    if body:
        body[half(response, at)] ^= mask
    return response.sabotage(body=bytes(body))


@kind("other")
def other(s3, request, response, body=None):
    """All bytes are wrong (another object's?), the length is right."""
    return response.sabotage(body=bytes(response.body).translate(INVERTED) if body is None
                             else body)


@kind("empty")
def empty(s3, request, response):
    """No body at all, and Content-Length: 0."""
    return response.sabotage(body=b"")


@kind("short")
def short(s3, request, response, at=None):
    """The connection closes after `at` bytes; Content-Length says more."""
    return response.sabotage(length=len(response.body), body=response.body[:half(response, at)],
                             end="close")


@kind("short-nolength")
def short_nolength(s3, request, response, at=None):
    """The connection closes after `at` bytes, and no Content-Length tells that it is early."""
    return response.sabotage(length=None, body=response.body[:half(response, at)], end="close")


@kind("long")
def long(s3, request, response, extra=b"more than was promised"):
    """More bytes than Content-Length promised, then close."""
    return response.sabotage(length=len(response.body), body=bytes(response.body) + extra,
                             end="close")


@kind("reset")
def reset(s3, request, response, at=None):
    """The connection is reset after `at` bytes (0: no headers either).

    The request has been carried out.
    """
    body = response.body[:half(response, at)]
    return response.sabotage(length=len(response.body), body=body, end="reset", refuse=not body)


@kind("stall")
def stall(s3, request, response, at=None, seconds=FOREVER):
    """Nothing more comes after `at` bytes for `seconds`; then the rest."""
    return response.sabotage(at=half(response, at), pause=seconds)


@kind("trickle")
def trickle(s3, request, response, rate=10):
    """The body comes at `rate` bytes per second."""
    return response.sabotage(rate=rate)


@kind("swap")
def swap(s3, request, response, at=0, body=None):
    """After `at` bytes of this answer the object is overwritten; this answer goes on with the old
    one.
    """
    if response.status >= 300:
        return response             # nothing is there to overwrite

    def overwrite():
        old = s3.get(request.bucket, request.key)
        fresh = old.body.translate(INVERTED) if body is None else body
        s3.put(request.bucket, request.key, fresh, storage_class=old.storage_class)
    return response.sabotage(at=at, action=overwrite)


@kind("meanwhile")
def meanwhile(s3, request, response, at=None, do=None):
    """After `at` bytes of this answer do(s3, request) is called, which may change anything; this
    answer goes on as it began.
    """
    return response.sabotage(at=half(response, at), action=lambda: do(s3, request))


@kind("wrong-range")
def wrong_range(s3, request, response, shift=1):
    """A 206 of another range, said honestly in Content-Range."""
    if response.status >= 300:
        return response
    version = s3.get(request.bucket, request.key, request.query.get("versionId"))
    first, end = shift, version.size
    if response.status == 206:
        asked = int(re.match(r"bytes (\d+)", response.headers["Content-Range"])[1])
        first = min(asked + shift, version.size - 1)
        end = min(first + len(response.body), version.size)
    response.headers["Content-Range"] = f"bytes {first}-{end - 1}/{version.size}"
    return response.sabotage(status=206, body=version.body[first:end])


@kind("ignore-range")
def ignore_range(s3, request, response):
    """A 200 with all of the object, whatever range was asked for."""
    if response.status >= 300:
        return response
    version = s3.get(request.bucket, request.key, request.query.get("versionId"))
    response.headers.pop("Content-Range", None)
    return response.sabotage(status=200, body=version.body)


@kind("wrong-etag")
def wrong_etag(s3, request, response, etag="0" * 32):
    """The body of this object under another ETag."""
    response.headers["ETag"] = f'"{etag}"'
    return response.sabotage()


@kind("wrong-version")
def wrong_version(s3, request, response, version="wrong.version.of.this.object.xxx"):
    """The body of this object under another version id."""
    response.headers["x-amz-version-id"] = version
    return response.sabotage()


@kind("gzip")
def gzipped(s3, request, response):
    """Content-Encoding: gzip, unasked."""
    response.headers["Content-Encoding"] = "gzip"
    return response.sabotage(body=gzip.compress(bytes(response.body)))


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), bytes(data)) if len(data) else b""


@kind("chunked")
def chunked(s3, request, response, at=None):
    """The right body in HTTP chunks: legal, but no Content-Length."""
    cut = half(response, at)
    response.headers["Transfer-Encoding"] = "chunked"
    body = chunk(response.body[:cut]) + chunk(response.body[cut:]) + b"0\r\n\r\n"
    return response.sabotage(length=None, body=body)


@kind("bad-chunks")
def bad_chunks(s3, request, response, at=None):
    """HTTP chunks that end in garbage."""
    response.headers["Transfer-Encoding"] = "chunked"
    body = chunk(response.body[:half(response, at)]) + b"zz\r\n"
    return response.sabotage(length=None, body=body, end="close")


@kind("double-length")
def double_length(s3, request, response):
    """Two Content-Length headers that differ; the second one lies."""
    return response.sabotage(raw=b"Content-Length: %d\r\n" % (len(response.body) // 2 + 1),
                             end="close")


@kind("endless")
def endless(s3, request, response, block=b"more " * 13107, chunked=False):
    """The body goes on for ever: without a Content-Length, or in HTTP chunks of `block`."""
    if not chunked:
        return response.sabotage(length=None, endless=block, end="close")
    response.headers["Transfer-Encoding"] = "chunked"
    return response.sabotage(length=None, body=chunk(response.body), endless=chunk(block),
                             end="close")


@kind("hang")
def hang(s3, request, response, seconds=FOREVER):
    """Nothing for `seconds`, not even headers; then the answer."""
    return response.sabotage(wait=seconds)


@kind("error200", replaces=True)
def error200(s3, request, response, code="InternalError",
             message="We encountered an internal error."):
    """A 200 whose body is an <Error> document."""
    return S3Error(code, message, status=200).response(request).sabotage()


@kind("html", replaces=True)
def html(s3, request, response,
         body=b"<html><body><h1>Please log in to this network</h1></body></html>", status=200):
    """An HTML page: with 200 as captive portals give, with an error as proxies do."""
    return Response(status, {"Content-Type": "text/html"}, body).sabotage()


# What a bare status means: the last code that has it, but for these.
USUAL_CODES = {**{usual: code for code, (usual, _) in ERRORS.items()}, 400: "InvalidRequest",
               403: "AccessDenied", 404: "NoSuchKey", 409: "OperationAborted"}


@kind("status", replaces=True)
def status(s3, request, response, status=503, code=None, message=None, headers=None, elements=None):
    """An S3 error of this status and code."""
    error = S3Error(code or USUAL_CODES[status], message, status, headers, **(elements or {}))
    return error.response(request).sabotage()


@kind("page", replaces=True)
def page(s3, request, response, status=404):
    """The page of a proxy or of another server: this status, and not a word of S3's."""
    body = f"<html><body><h1>{status}</h1></body></html>".encode()
    return Response(status, {"Content-Type": "text/html"},
                    b"" if request.method == "HEAD" else body).sabotage()


@kind("redirect", replaces=True)
def redirect(s3, request, response, status=301, region="eu-west-1", location=None):
    """301 PermanentRedirect names the region, 307 TemporaryRedirect the place [API error
    responses].
    """
    if status != 301:
        location = location or s3.url + request.path
    error = elsewhere(request, region,
                      "PermanentRedirect" if status == 301 else "TemporaryRedirect", location)
    error.status = status
    return error.response(request).sabotage()


@kind("refuse", replaces=True)
def refuse(s3, request, response):
    """The connection closes at once, without a word."""
    return Response(0).sabotage(refuse=True, end="close")


@dataclass(eq=False)
class Fault:
    """One rule; `hits` counts the answers it has spoilt."""

    kind: str
    key: object
    bucket: str
    method: str
    times: int
    after: int
    where: object
    done: bool
    options: dict
    seen: int = 0
    hits: int = 0

    def takes(self, request):
        """Tell whether this request is one to spoil, and count it."""
        if self.method not in (None, request.method) or self.bucket not in (None, request.bucket):
            return False
        if not (self.key(request.key) if callable(self.key) else self.key in (None, request.key)):
            return False
        if self.where and not self.where(request):
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        self.hits += 1
        return True


# ---------------------------------------------------------------------------------------------------
# The wire

HEAD_LIMIT = 64 * 1024
REASONS = {status.value: status.phrase for status in http.HTTPStatus}


class Connection(asyncio.Protocol):
    """One client connection: requests are read, answered and logged one after another.

    Small, faultless answers are written straight from data_received; everything else (latency,
    large bodies, faults) runs in a task, and the next request of the connection waits for it.
    """

    def __init__(self, s3):
        self.s3 = s3
        self.buffer = bytearray()
        self.request = None         # its head is read, its body is not
        self.missing = 0            # bytes of that body; None if in HTTP chunks
        self.chunks = []            # those that have come
        self.pieces = []  # of a body that comes in many: joined once, a buffer would be copied
        self.task = None
        self.writable = None        # set while the client does not read fast enough

    def connection_made(self, transport):
        self.transport = transport
        self.s3.connections += 1
        self.id = self.s3.connections
        self.s3.live.add(self)
        transport.set_write_buffer_limits(high=1024 * 1024)

    def connection_lost(self, error):
        self.s3.live.discard(self)
        if self.task:
            self.task.cancel()
        self.resume_writing()

    def pause_writing(self):
        self.writable = self.s3.loop.create_future()

    def resume_writing(self):
        waiter, self.writable = self.writable, None
        if waiter and not waiter.done():
            waiter.set_result(None)

    def data_received(self, data):
        if self.pieces:
            self.pieces.append(data[:self.missing])
            self.buffer += data[self.missing:]
            self.missing -= len(self.pieces[-1])
            if self.missing:
                return
        else:
            self.buffer += data
        self.proceed()

    def proceed(self):
        """Answer what has come whole, as far as that goes without waiting."""
        while self.task is None and not self.transport.is_closing() and self.read_request():
            request, self.request = self.request, None
            self.s3.enter(request)
            if self.s3.latency:
                self.task = self.s3.loop.create_task(self.serve(request))
                continue
            response = self.s3.respond(request)
            if response.plain and len(response.body) <= SMALL:
                request.status = response.status
                body = b"" if request.method == "HEAD" else response.body
                request.bytes_sent = len(body)
                self.transport.write(b"".join((self.head(request, response), body)))
                self.finish(request, response)
            else:
                self.task = self.s3.loop.create_task(self.serve(request, response))

    # Reading

    def read_request(self):
        """Return whether a whole request is in `self.request`."""
        try:
            return (self.request is not None or self.read_head()) and self.read_body()
        except ValueError:          # not HTTP
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            self.transport.close()
            return False

    def read_head(self):
        """Return whether a head has come; then it is in `self.request`."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > HEAD_LIMIT:
                raise ValueError("too long")
            return False
        self.request = self.parse_head(self.take(end + 4)[:-4].decode("latin-1"))
        if self.missing != 0 and "100-continue" in self.request.headers.get("expect", "").lower():
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def read_body(self):
        """Return whether the body has come; then it is in the request."""
        if self.missing is None:
            return self.read_chunks()
        if self.pieces:             # proceed() is called when they are all there
            self.request.body = b"".join(self.pieces)
            self.pieces.clear()
            return True
        if len(self.buffer) < self.missing:
            self.missing -= len(self.buffer)
            self.pieces.append(self.take(len(self.buffer)))
            return False
        self.request.body = self.take(self.missing)
        return True

    def take(self, size):
        """Return the next bytes and take them out of the buffer."""
        if size == len(self.buffer):            # the common case: one copy, not two
            data = bytes(self.buffer)
            self.buffer.clear()
        else:
            data = bytes(self.buffer[:size])
            del self.buffer[:size]
        return data

    def parse_head(self, head):
        """Return the Request of one head; its body length goes to `self.missing`."""
        first, *lines = head.split("\r\n")
        method, target, protocol = first.split(" ")
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(line)
            name = name.lower()
            value = value.strip()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        if target.startswith("http://"):        # taken for a proxy
            target = "/" + target.partition("//")[2].partition("/")[2]
        path, _, query = target.partition("?")
        request = Request(0, time.time(), self.id, method, path, query, headers)
        try:
            self.aim(request)
        except UnicodeDecodeError:
            request.problem = S3Error("InvalidURI", URI=target)
        if protocol != "HTTP/1.1":
            headers.setdefault("connection", "close")
        self.missing = int(headers.get("content-length", "0"))
        if "chunked" in headers.get("transfer-encoding", ""):
            self.missing = None
        return request

    @staticmethod
    def aim(request):
        """Find bucket, key and parameters in the target: raw, decoded once, never normalised."""
        bucket, _, key = request.path[1:].partition("/")
        request.bucket, request.key = unquote_s3(bucket).decode(), unquote_s3(key).decode()
        for item in request.query_string.split("&") if request.query_string else ():
            name, _, value = item.partition("=")
            request.query[unquote_s3(name).decode()] = unquote_s3(value).decode()
        size = len(request.key.encode())
        if size > MAX_KEY:
            request.problem = S3Error("KeyTooLongError", Size=size, MaxSizeAllowed=MAX_KEY)

    def read_chunks(self):
        """Read a body in HTTP chunks: boto3 wraps its aws-chunked bodies so.

        S3 wants no other kind.
        """
        while True:
            end = self.buffer.find(b"\r\n")
            if end < 0:
                return False
            size = int(self.buffer[:end].partition(b";")[0], 16)
            whole = end + 2 + size + 2
            if len(self.buffer) < whole:
                return False
            self.chunks.append(self.take(whole)[end + 2:-2])
            if size == 0:
                break
        self.request.body = b"".join(self.chunks)
        self.chunks.clear()
        if "x-amz-decoded-content-length" not in self.request.headers:
            self.request.problem = S3Error("NotImplemented", Header="Transfer-Encoding")
        return True

    # Writing

    def head(self, request, response):
        """Return the bytes of status line and headers."""
        lines = [
            f"HTTP/1.1 {response.status} {REASONS.get(response.status, '')}\r\nx-amz-request-id: "
            f"{request.n:016X}\r\nx-amz-id-2: fakes3\r\nDate: {http_date(int(self.s3.time()))}\r\n"
            "Server: AmazonS3\r\n"]
        lines += [f"{name}: {value}\r\n" for name, value in response.headers.items()]
        if response.length is not None:
            length = len(response.body) if response.length is True else response.length
            lines.append(f"Content-Length: {length}\r\n")
        if response.end != "keep" or request.headers.get("connection", "").lower() == "close":
            lines.append("Connection: close\r\n")
        return "".join(lines).encode("latin-1", "replace") + response.raw + b"\r\n"

    async def serve(self, request, response=None):
        """Answer one request in its own time, then go on with the connection."""
        try:
            if response is None:
                await asyncio.sleep(self.s3.latency)
                response = self.s3.respond(request)
            await asyncio.sleep(response.wait)
            if not response.refuse:
                request.status = response.status
                self.transport.write(self.head(request, response))
                if request.method != "HEAD":
                    await self.send(request, response)
            await self.close_if_due(response)
            self.finish(request, response)
        except Exception:
            self.s3.errors.append(traceback.format_exc())
            self.transport.abort()
        finally:
            self.task = None
        self.proceed()

    async def send(self, request, response):
        """Send the body at the pace and with the interruptions that the response asks for."""
        body, sent = memoryview(response.body), 0
        at = None if response.at is None else min(response.at, len(body))
        step = max(1, int(response.rate / 10)) if response.rate else SMALL
        while True:
            if sent == at:
                await self.flush()
                if response.action:
                    response.action()
                await asyncio.sleep(response.pause)
                at = None
            if sent == len(body):
                return await self.send_for_ever(request, response.endless)
            end = min(sent + step, len(body) if at is None else at)
            if response.rate:
                await asyncio.sleep((end - sent) / response.rate)
            self.transport.write(body[sent:end])
            request.bytes_sent = sent = end
            if self.writable:
                await self.writable

    async def send_for_ever(self, request, block):
        """Send `block` until the client is gone; nothing, if it is empty."""
        while block and not self.transport.is_closing():
            self.transport.write(block)
            request.bytes_sent += len(block)
            await (self.writable or asyncio.sleep(0))

    async def flush(self):
        """Wait until the kernel has all that was written."""
        while self.transport.get_write_buffer_size() and not self.transport.is_closing():
            await asyncio.sleep(0.001)

    async def close_if_due(self, response):
        """End the connection as the response says."""
        if response.end == "reset":
            await self.flush()
            await asyncio.sleep(0.02)           # let the client read what came before the reset
            linger = struct.pack("ii", 1, 0)    # close() then sends RST instead of FIN
            (self.transport.get_extra_info("socket")
             .setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger))
            self.transport.abort()
        elif response.end == "close":
            self.transport.close()

    def finish(self, request, response):
        """Forget what the log need not keep."""
        if len(request.body) > 64 * 1024:
            request.body = b""
        if request.headers.get("connection", "").lower() == "close":
            self.transport.close()


# ---------------------------------------------------------------------------------------------------
# The server

class FakeS3:
    """A fake S3 on loopback, in a thread of its own.

    FakeS3(sign=True, region="us-east-1", tls=None): `sign=False` believes everybody; `region=None`
    takes signatures for any region; `tls=(certificate file, key file)` makes it https.

    What tests may set: latency, hook, skew, credentials, restore_seconds, expedited, min_part.
    What tests may read: url, access_key, secret_key, log, connections, live, errors, faults, clock.
    Leaving the `with` block raises if a request or a hook crashed inside the server.
    """

    access_key = "AKIAFAKES3EXAMPLE"
    secret_key = "fakes3/secret+key/example"

    def __init__(self, sign=True, region="us-east-1", tls=None):
        self.sign, self.region, self.tls = sign, region, tls
        self.home = region or "us-east-1"
        self.credentials = {self.access_key: Credential(self.secret_key)}
        self.clock = Clock()
        self.skew = 0.0             # how far the server's clock is off, for signatures and Date
        self.latency = 0.0          # seconds before each answer
        self.hook = None  # called with each Request before it is answered, in the server's thread
        self.restore_seconds = dict(RESTORE_SECONDS)
        self.expedited = True       # False: 503 GlacierExpeditedRetrievalNotAvailable
        self.min_part = 5 * 1024 * 1024
        self.buckets = {}
        self.faults = []
        self.log = []
        self.received = 0           # requests ever, also those no longer in the log
        self.connections = 0        # ever accepted
        self.live = set()           # open now
        self.errors = []            # tracebacks from inside
        self.lock = threading.RLock()
        self.random = random.Random(1)          # the same ids in every run
        self.seq = 0
        self.authority = Authority(self)

    # Life

    def start(self, port=0):
        """Listen on loopback; return self."""
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(port, ready), name="fakes3",
                                       daemon=True)
        self.thread.start()
        ready.wait()
        if self.errors:
            raise OSError(self.errors[-1])
        return self

    def run(self, port, ready):
        """Be the server's thread."""
        self.loop = asyncio.new_event_loop()
        try:
            server = self.loop.run_until_complete(self.listen(port))
            ready.set()
            self.loop.run_forever()
            server.close()
            self.loop.run_until_complete(self.hang_up())
        except OSError as error:
            self.errors.append(f"cannot listen on port {port}: {error}")
            ready.set()
        finally:
            self.loop.close()

    async def listen(self, port):
        """Open the port and say where it is."""
        context = None
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
        server = await self.loop.create_server(lambda: Connection(self), "127.0.0.1", port,
                                               backlog=1024, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        return server

    async def hang_up(self):
        """Drop all connections, with whatever waits in them."""
        waiting = [connection.task for connection in self.live if connection.task]
        for connection in list(self.live):
            connection.transport.abort()        # connection_lost cancels the task
        await asyncio.gather(*waiting, return_exceptions=True)
        while self.live:
            await asyncio.sleep(0)

    def stop(self):
        """Drop all connections and end the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        self.stop()
        if self.errors and kind is None:
            raise AssertionError("inside the fake S3:\n" + "\n".join(self.errors))

    # Answers

    def time(self):
        """Return the server's idea of the real time."""
        return time.time() + self.skew

    def enter(self, request):
        """Number a request and put it in the log."""
        request.n = self.received
        self.received += 1
        self.log.append(request)

    def respond(self, request):
        """Return the Response to one whole request: hook, fault, operation."""
        with self.lock:
            try:
                if self.hook:
                    self.hook(request)
                fault = next((rule for rule in self.faults if rule.takes(request)), None)
                if fault is None:
                    return self.carry_out(request)
                spoil = KINDS[fault.kind]
                response = None
                if fault.done or not spoil.replaces:
                    response = self.carry_out(request)
                return spoil(self, request, response, **fault.options)
            except Exception:
                self.errors.append(traceback.format_exc())
                return S3Error("InternalError", traceback.format_exc()).response(request)

    def carry_out(self, request):
        """Return what S3 would answer."""
        try:
            if request.problem:
                raise request.problem
            if self.sign:
                self.authority.check(request)
            headers = request.headers
            if headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
                decode_chunks(request)
            elif request.method == "PUT" and "content-length" not in headers:
                raise S3Error("MissingContentLength")
            return route(self, request)
        except S3Error as error:
            if request.method == "HEAD" and request.bucket in self.buckets:  # told to anyone [UG]
                error.headers.setdefault("x-amz-bucket-region", self.region_of(request.bucket))
            return error.response(request)

    def need_bucket(self, request):
        """Return the bucket that a request names, or say that there is none."""
        try:
            return self.buckets[request.bucket]
        except KeyError:
            raise S3Error("NoSuchBucket", BucketName=request.bucket) from None

    def region_of(self, bucket):
        """Return the region of the bucket of this name; of one that is not there: ours."""
        found = self.buckets.get(bucket)
        return found.region if found and found.region else self.home

    def next_seq(self):
        """Return a number greater than all before."""
        self.seq += 1
        return self.seq

    def random_name(self, length=32):
        """Return letters, digits, dots and underscores, as version ids have them."""
        return "".join(self.random.choices(string.ascii_letters + string.digits + "._", k=length))

    def new_version_id(self, bucket):
        """Return the id of the next version: null unless versioning is enabled [UG]."""
        return self.random_name() if bucket.versioning == "Enabled" else "null"

    def store(self, bucket, key, body, *, version=None, modified=None, checksum="CRC64NVME",
              checksum_type=None, parts=None, etag=None, headers=None, **more):
        """Make a Version and put it on top of its key; return it.

        `parts` are Part; `more` as in Version.
        """
        stored = Version(key, version or self.new_version_id(bucket), self.next_seq(),
                         self.clock.now() if modified is None else modified, body, parts=parts,
                         headers=headers or {}, **more)
        stored.etag = etag or (multipart_etag(parts) if parts else hashlib.md5(body).hexdigest())
        if checksum:
            stored.algorithm, stored.checksum_type = checksum, "FULL_OBJECT"
            if parts:
                stored.checksum_type = checksum_type or MULTIPART_TYPES[checksum][0]
            stored.checksum = combine(checksum, stored.checksum_type, parts, body)
        bucket.add(stored)
        return stored

    # For tests: state

    def bucket(self, name, versioning=None, region=None):
        """Return the Bucket of this name, made if need be.

        `versioning` "Enabled" or "Suspended" sets it; `region` moves it: whatever is signed for
        another region is then refused.
        """
        with self.lock:
            found = self.buckets.setdefault(name, None) or Bucket(name, self.clock.now())
            self.buckets[name] = found
            found.versioning = versioning or found.versioning
            found.region = region or found.region
            return found

    def put(self, bucket, key, body=b"", *, version=None, modified=None, storage_class="STANDARD",
            checksum="CRC64NVME", checksum_type=None, parts=None, etag=None, headers=None,
            sse="AES256", tier=None):
        """Store an object without HTTP, as the newest version of `key`; return its version id.

        The bucket is made if need be. `version` forces an id, `modified` (a datetime, ISO text or
        seconds) the time. `checksum=None` is an object from before S3 had them. `parts` makes a
        multipart object: sizes that cut `body`, or the bytes of each. `etag`, `sse="aws:kms"`:
        ETags that are no MD5. `tier` is ARCHIVE_ACCESS or DEEP_ARCHIVE_ACCESS, of
        INTELLIGENT_TIERING. `headers` come back as they are: {"Content-Type": ...,
        "x-amz-meta-...": ...}.
        """
        assert 1 <= len(key.encode()) <= MAX_KEY, "a key has 1 to 1,024 bytes"
        assert storage_class in STORAGE_CLASSES and (tier is None or tier in SPEED_OF)
        if isinstance(modified, str):
            modified = datetime.fromisoformat(re.sub("Z$", "+00:00", modified))
        if isinstance(modified, datetime):
            modified = (modified if modified.tzinfo
                        else modified.replace(tzinfo=timezone.utc)).timestamp()
        if parts:
            body, parts = cut(body, parts, checksum)
        with self.lock:
            into = self.bucket(bucket)
            assert version in (None, "null") or into.versioning, f"{bucket} is not versioned"
            return self.store(into, key, body, version=version, modified=modified,
                              checksum=checksum, checksum_type=checksum_type, parts=parts,
                              etag=etag, headers=headers, storage_class=storage_class, sse=sse,
                              tier=tier).id

    def get(self, bucket, key, version=None):
        """Return that Version (the current one, which may be a marker), or None."""
        with self.lock:
            found = self.buckets[bucket]
            return found.current(key) if version is None else found.find(key, version)

    def delete(self, bucket, key, version=None):
        """Delete as DeleteObject does; return the id of what was removed or of the new delete
        marker.
        """
        with self.lock:
            return remove(self, self.buckets[bucket], key, version)[0]

    def hold(self, bucket, key, version=None, on=True):
        """Put a version under legal hold: deleting it by its id is a 403."""
        self.get(bucket, key, version).held = on

    def objects(self, bucket):
        """Return the current objects in key order, as Version; delete markers hide theirs."""
        return [v for v in self.versions(bucket) if v is self.get(bucket, v.key) and not v.marker]

    def versions(self, bucket):
        """Return every version and delete marker, in ListObjectVersions' order."""
        with self.lock:
            found = self.buckets[bucket]
            return [version for key in found.order for version in found.keys[key]]

    # For tests: faults and log

    def fault(self, kind, key=None, method="GET", times=1, after=0, *, bucket=None, where=None,
              done=False, **options):
        """Spoil the answers to matching requests; return the Fault (see its `hits`).

        `key`: the key; "" requests of a bucket; a function of the key (`key=bool`: any object);
        None any. `method` None: any. `times` None: always. `after`: let so many matching requests
        pass first. `where`: a function of the Request. `done`: a kind that replaces the answer does
        carry the request out before. Kinds and their options: the functions under @kind. Of several
        rules the first that takes it counts.
        """
        # a wrong option fails here
        inspect.signature(KINDS[kind]).bind(self, None, None, **options)
        rule = Fault(kind, key, bucket, method, times, after, where, done, options)
        with self.lock:
            self.faults.append(rule)
        return rule

    def requests(self, method=None, key=None, bucket=None, status=None, where=None):
        """Return the log's records that match, in order of arrival."""
        return [r for r in list(self.log) if method in (None, r.method) and key in (None, r.key)
                and bucket in (None, r.bucket) and status in (None, r.status)
                and (where is None or where(r))]


def cut(body, parts, checksum):
    """Return (body, [Part]) of sizes or bytes."""
    if isinstance(parts[0], bytes):
        pieces, body = parts, b"".join(parts)
    else:
        assert sum(parts) == len(body), "the parts' sizes must add up to the body"
        ends = [sum(parts[:n + 1]) for n in range(len(parts))]
        pieces = [body[end - size:end] for end, size in zip(ends, parts)]
    made = [Part(n, len(piece), hashlib.md5(piece).hexdigest()) for n,
            piece in enumerate(pieces, 1)]
    for part, piece in zip(made, pieces):
        if checksum:
            part.algorithm, part.checksum = checksum, b64(DIGESTS[checksum](piece))
    return body, made


def main(arguments=None):
    """Serve until killed."""
    parser = argparse.ArgumentParser(description="A strict fake S3.")
    parser.add_argument("port", type=int, help="0 takes a free one")
    parser.add_argument("--no-sign", action="store_true", help="believe everybody")
    parser.add_argument("--bucket", action="append", default=[],
                        help="make this bucket (may be repeated)")
    options = parser.parse_args(arguments)
    s3 = FakeS3(sign=not options.no_sign)
    s3.log = collections.deque(maxlen=10000)    # it may run for days
    for name in options.bucket:
        s3.bucket(name)
    s3.start(options.port)
    print(f"READY {s3.url}", flush=True)
    s3.thread.join()


if __name__ == "__main__":
    main()
