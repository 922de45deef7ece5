"""Signature version 4 of one request, where libcurl cannot make it.

libcurl percent-encodes the name that it is given, as in `Credential=account%3Auser/...`, which no
server knows; access keys of Swift have a colon, others a slash or a plus sign.
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import functools
import hashlib
import hmac
import re
import time
from urllib.parse import urlsplit

UNCHANGED = re.compile(r"[A-Za-z0-9._~-]*")
ALGORITHM = "AWS4-HMAC-SHA256"
PORTS = {"http": ":80", "https": ":443"}        # which a Host header does not name


def is_libcurls(access_key):
    """Return whether libcurl sends an access key as it is."""
    return UNCHANGED.fullmatch(access_key) is not None


def signed(endpoint, method, url, headers, body=b"", now=None):
    """Return the headers (`Name: value`) with those that sign them, for a request to an Endpoint.

    `url` is percent-encoded already, as it will be sent; `now` is in seconds since 1970.
    """
    parts = urlsplit(url)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    digest = hashlib.sha256(body).hexdigest()
    added = [f"Host: {parts.netloc.removesuffix(PORTS[parts.scheme])}", f"x-amz-date: {stamp}",
             f"x-amz-content-sha256: {digest}"]
    fields = sorted((name.lower(), " ".join(value.split()))
                    for name, _, value in (line.partition(":") for line in [*headers, *added])
                    if name.lower().startswith(("x-amz-", "host")))
    names = ";".join(name for name, _ in fields)
    wanted = "\n".join((method, parts.path, canonical_query(parts.query),
                        *[f"{name}:{value}" for name, value in fields], "", names, digest))
    scope = f"{stamp[:8]}/{endpoint.region}/s3/aws4_request"
    text = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(wanted.encode()).hexdigest()))
    key = key_of(endpoint.secret_key, stamp[:8], endpoint.region)
    return [*headers, *added,
            f"Authorization: {ALGORITHM} Credential={endpoint.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={mac(key, text).hex()}"]


def canonical_query(query):
    """Return a query with its parts in order, each with a `=`."""
    parts = [part.partition("=") for part in query.split("&") if part]
    return "&".join(f"{name}={value}" for name, _, value in sorted(parts))


@functools.lru_cache(64)
def key_of(secret_key, day, region):
    """Return the key that signs for one day and region."""
    key = f"AWS4{secret_key}".encode()
    for text in (day, region, "s3", "aws4_request"):
        key = mac(key, text)
    return key


def mac(key, text):
    """Return the HMAC of a text."""
    return hmac.digest(key, text.encode(), "sha256")
