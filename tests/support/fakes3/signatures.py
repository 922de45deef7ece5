"""Signature version 4, of requests and of presigned URLs [API sig-v4-header-based-auth,
sigv4-query-string-auth].
"""

import calendar
import functools
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from urllib.parse import quote

from fakes3.errors import S3Error, elsewhere
from fakes3.formats import iso, unquote_s3

PLAIN_PATH = re.compile(r"[A-Za-z0-9\-._~/]*")
SIGV4 = "AWS4-HMAC-SHA256"
SKEW = 15 * 60
PAYLOADS = {"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"}


@dataclass
class Credential:
    """What S3 knows of one access key.

    Set `expired` and the next request with it says ExpiredToken.
    """

    secret: str
    token: str = None
    expired: bool = False


def hmac256(key, message):
    """Return the HMAC of a text."""
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


def check_payload(request):
    """Hold the body against x-amz-content-sha256, where that is a digest."""
    said = "" if request.unchecked else request.headers.get("x-amz-content-sha256", "")
    if len(said) == 64 and (found := hashlib.sha256(request.body).hexdigest()) != said:
        raise S3Error("XAmzContentSHA256Mismatch", ClientComputedContentSHA256=said,
                      S3ComputedContentSHA256=found)


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
        """Check a signature in the Authorization header."""
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
        """Check a signature in the query: a presigned URL."""
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
        check_payload(request)
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
