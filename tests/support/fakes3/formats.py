"""How times, texts and digests are written on the wire."""

import base64
import email.utils
import functools
import time
from urllib.parse import unquote_to_bytes

NS = "http://s3.amazonaws.com/doc/2006-03-01/"

# S3 writes control characters as references; XML 1.0 cannot read them, hence encoding-type=url
# [API ListObjectsV2].
ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;",
           **{code: f"&#x{code:X};" for code in (*range(9), *range(11, 32))}}


def text(value):
    """Return `value` as XML text."""
    return str(value).translate(ESCAPES)


def iso(moment):
    """Return a time as listings write it: the second is all that S3 tells of it."""
    return iso_second(int(moment))


@functools.lru_cache(4096)
def iso_second(moment):
    """Return whole seconds since 1970 as listings write them."""
    at = time.gmtime(moment)
    return f"{at.tm_year:04}{time.strftime('-%m-%dT%H:%M:%S.000Z', at)}"


@functools.lru_cache(1024)
def http_date(moment):
    """Return whole seconds since 1970 as an HTTP date."""
    return email.utils.formatdate(moment, usegmt=True)


def http_time(value):
    """Return an HTTP date as seconds since 1970, or None: what cannot be read is ignored [RFC
    9110].
    """
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError):
        return None


def b64(data):
    """Return bytes in base64."""
    return base64.b64encode(data).decode()


def unquote_s3(raw):
    """Return the bytes that a path or query means: percent-decoded once, nothing normalised.

    A bare plus is a space for S3, in paths as well [seen: ClickHouse#23283, ceph#10919].
    """
    return unquote_to_bytes(raw.replace("+", " "))
