"""Faults that damage a right answer, in what it says or on its way."""

import gzip
import re

from fakes3.faults import kind

FOREVER = 3600.0                    # a fault that hangs "for ever" still lets a forgotten test end
INVERTED = bytes(range(255, -1, -1))            # for bytes.translate: every bit the other way


def half(response, at):
    """Return `at`, or the middle of the body."""
    return len(response.body) // 2 if at is None else at


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
    """The ETag of another object."""
    if request.method == "POST":        # the answer to a completion has it in its document
        body = re.sub(rb"(?<=<ETag>)[^<]*", f"&quot;{etag}&quot;".encode(), bytes(response.body))
        return response.sabotage(body=body)
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
    """Return an HTTP chunk; nothing of nothing, which would be the last one."""
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
