"""What people read where no answer came, or not all of it: our words for libcurl's errors.

libcurl's own change from release to release, and say what it was at, not what happened. Where there
are none here, they are passed on.
"""

import os
import re
from urllib.parse import urlsplit

from s3kit.s3.proxies import proxy_of
from s3kit.s3.verdicts import CERTIFICATE_ERRORS

UNSUPPORTED, UNKNOWN_PROXY, UNKNOWN_HOST, UNCONNECTED, NOT_HTTP, TIMED_OUT, PROXY = (
    1, 5, 6, 7, 8, 28, 97)
# By libcurl's number (https://curl.se/libcurl/c/libcurl-errors.html). `to` is the server, `proxy`
# what is before it, `why` the system's word with a colon before it, `text` the reason in libcurl's.
WORDS = {
    UNKNOWN_PROXY: "the name of the proxy '{proxy}' is not known",
    UNKNOWN_HOST: "the name of the server '{to}' is not known",
    UNCONNECTED: "cannot connect to '{to}'{over}{why}",
    NOT_HTTP: "what '{to}' answers is not HTTP",
    18: "the connection ended before all bytes had come",
    23: "the answer is not what was asked for",
    35: "no TLS connection to '{to}'{over}{why}",
    52: "the connection ended without an answer",
    55: "the connection broke while bytes were sent{why}",
    56: "the connection broke{why}",
    63: "the answer has more bytes than were asked for",
    PROXY: "the proxy '{proxy}' does not lead to '{to}'{why}",
    100: "the answer has more headers than any of S3's",
    **dict.fromkeys(CERTIFICATE_ERRORS,
                    "the server's certificate is not to be trusted{why} (see --ca-bundle)"),
}
TELLING = {35, PROXY, *CERTIFICATE_ERRORS}      # whose text has a reason that the system has not
# What OpenSSL has before its reason, and libcurl before that.
BEFORE = re.compile(r".*error:[0-9A-F]+:[^:]*:[^:]*:|SSL(?: certificate problem)?: ")
UNFINISHED = "no whole answer within {seconds:.0f} s"
UNREACHED = "no connection to '{to}'{over} within {seconds:.0f} s"


def told(errno, text, url, *, oserror=0, is_sent=True, seconds=0.0):
    """Return what people read of a request to `url` that ended with libcurl's error `errno` and its
    `text`, after so many seconds; `oserror` is the system's error (0: none), `is_sent` whether it
    was sent at all.
    """
    words = WORDS.get(errno)
    if errno == TIMED_OUT:
        words = UNFINISHED if is_sent else UNREACHED
    elif errno == UNSUPPORTED and "HTTP/0.9" in text:
        words = WORDS[NOT_HTTP]
    if not words:
        return text or f"libcurl error {errno}"
    why = BEFORE.sub("", text) if errno in TELLING else ""
    why = os.strerror(oserror) if oserror else why
    proxy = place(proxy_of(url))
    return words.format(to=place(url), proxy=proxy, why=f": {why}" if why else "", seconds=seconds,
                        over=f" over the proxy '{proxy}'" if proxy else "")


def place(url):
    """Return the host of a URL, with the port if it has one; never a password."""
    return urlsplit(url if "://" in url else f"http://{url}").netloc.rpartition("@")[2]
