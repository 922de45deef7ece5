"""Faults of uploads: what others do before a request is carried out, what becomes of it, and what
its answer says.
"""

import copy
import re

from fakes3.answers import Response
from fakes3.damage import chunk
from fakes3.errors import S3Error
from fakes3.faults import BEFORE, kind

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
SUM_HEADER = re.compile("x-amz-checksum-(?!type$|algorithm$|mode$)")
SUM_ELEMENT = rb"<(Checksum(?!Type|Algorithm)\w+)>([^<]*)</\1>"


# Before


@kind("beforehand", stage=BEFORE)
def beforehand(s3, request, response, do=None):
    """do(s3, request) is called just before the request is carried out, and may change anything."""
    do(s3, request)


@kind("rival", stage=BEFORE)
def rival(s3, request, response, body=b"the rival's", **more):
    """Another writer puts an object at the key, just before the request is carried out; `more` as
    in FakeS3.put. `body=None`: it deletes what is there.
    """
    if body is None:
        s3.delete(request.bucket, request.key)
    else:
        s3.put(request.bucket, request.key, body, **more)


@kind("take-upload", stage=BEFORE)
def take_upload(s3, request, response):
    """The upload that a request names is gone before it is carried out: a lifecycle rule, or
    somebody who clears up, has taken it.
    """
    bucket = s3.buckets[request.bucket]
    if request.query.get("uploadId") in bucket.uploads:
        bucket.end_upload(bucket.uploads[request.query["uploadId"]])


@kind("damaged", stage=BEFORE)
def damaged(s3, request, response, at=None, mask=1, unchecked=False):
    """A byte of the request's body is another when it arrives (xor `mask`). The server refuses that
    where it was told what to expect; `unchecked`: it does not look, stores what has come, and says
    so in ETag and checksum.
    """
    body = bytearray(request.body)
    if body:
        body[len(body) // 2 if at is None else at] ^= mask
    request.body, request.unchecked = bytes(body), unchecked


@kind("twice", stage=BEFORE)
def twice(s3, request, response):
    """The request is carried out twice, as proxies do that send again what they have no answer to;
    the client gets the second answer.
    """
    s3.carry_out(request)


# What becomes of it


@kind("late", replaces=True)
def late(s3, request, response, until=None):
    """The connection closes without an answer; the request is carried out when another that
    until(request) takes has been: without one, one of the same method and key.
    """
    s3.postponed.append((copy.copy(request), until or (lambda other: (
        other.method, other.bucket, other.key) == (request.method, request.bucket, request.key))))
    return Response(0).sabotage(refuse=True, end="close")


@kind("conflict", replaces=True)
def conflict(s3, request, response):
    """409 ConditionalRequestConflict: something else happened to the key. An upload is gone after
    it [seen: elasticsearch#138569].
    """
    take_upload(s3, request, None)
    condition = "If-Match" if "if-match" in request.headers else "If-None-Match"
    return S3Error("ConditionalRequestConflict", Condition=condition,
                   Key=request.key).response(request).sabotage()


@kind("half-abort", replaces=True)
def half_abort(s3, request, response):
    """An AbortMultipartUpload that says 204 before it is done: the upload and its parts are still
    listed, and another one is needed [API AbortMultipartUpload].
    """
    return Response(204, length=None).sabotage()


@kind("rot")
def rot(s3, request, response, at=None, mask=1):
    """What was checked and is right is stored with a wrong byte; no answer of S3's tells of it, but
    the bytes do, and what is computed from them later.
    """
    bucket = s3.buckets[request.bucket]
    upload = bucket.uploads.get(request.query.get("uploadId"))
    stored = (upload.parts.get(int(request.query.get("partNumber", "0"))) if upload
              else bucket.current(request.key))
    if response.status == 200 and stored.body:
        body = bytearray(stored.body)
        body[len(body) // 2 if at is None else at] ^= mask
        stored.body = bytes(body)
    return response


# What the answer says


@kind("lost")
def lost(s3, request, response, end="close"):
    """The request is carried out, the connection ends without a word, by `close` or `reset`."""
    return response.sabotage(refuse=True, end=end)


@kind("wrong-sum")
def wrong_sum(s3, request, response):
    """Another checksum in the answer, of the right form, in headers and document."""
    def spoil(value):
        return ("A" if value[:1] != "A" else "B") + value[1:]
    for name in filter(SUM_HEADER.match, response.headers):
        response.headers[name] = spoil(response.headers[name])
    body = re.sub(SUM_ELEMENT, lambda found: b"<%s>%s</%s>" % (
        found[1], spoil(found[2].decode()).encode(), found[1]), bytes(response.body))
    return response.sabotage(body=body)


@kind("no-sum")
def no_sum(s3, request, response):
    """No checksum in the answer, and no type of one."""
    for name in [name for name in response.headers if name.startswith("x-amz-checksum-")]:
        del response.headers[name]
    body = re.sub(rb"<(Checksum\w+)>[^<]*</\1>", b"", bytes(response.body))
    return response.sabotage(body=body)


@kind("no-etag")
def no_etag(s3, request, response):
    """No ETag in the answer."""
    response.headers.pop("ETag", None)
    return response.sabotage(body=re.sub(rb"<ETag>[^<]*</ETag>", b"", bytes(response.body)))


# 200 early, and what comes then


def blank(s3, seconds, every, virtual):
    """Return an early 200, in chunks: a declaration, then a blank every so often for `seconds`.
    `virtual`: the server's clock goes on by them, and the client does not wait.

    It names no version: nobody knows it when the headers leave [?].
    """
    beats = max(1, round(seconds / every))
    if virtual:
        s3.clock.advance(seconds)
    return Response(200, {"Content-Type": "application/xml", "Transfer-Encoding": "chunked"},
                    chunk(DECLARATION)).sabotage(
        length=None, later=[(0 if virtual else seconds / beats, chunk(b" \n"))] * beats)


def last(body):
    """Return the last chunks of an answer that has begun: its document, without the declaration."""
    return chunk(bytes(body).removeprefix(DECLARATION)) + b"0\r\n\r\n"


@kind("blanks")
def blanks(s3, request, response, seconds=1.0, every=0.1, virtual=False, cut=False):
    """The request is carried out at once; its answer is an early 200, blanks for `seconds`, then
    the result [API CompleteMultipartUpload]. `cut`: the connection ends instead.
    """
    if response.status != 200:
        return response                 # refused before anything was sent
    spoilt = blank(s3, seconds, every, virtual)
    if cut:
        return spoilt.sabotage(end="close")
    spoilt.later.append((0, last(response.body)))
    return spoilt


@kind("blanks-late", replaces=True)
def blanks_late(s3, request, response, seconds=1.0, every=0.1, virtual=False):
    """An early 200, blanks for `seconds`; then the request is carried out, and the result comes, or
    the error that it ends in. A client that leaves before gets nothing done.
    """
    spoilt = blank(s3, seconds, every, virtual)

    def carried_out():
        with s3.lock:
            return last(s3.carry_out(request).body)
    spoilt.later.append((0, carried_out))
    return spoilt


@kind("blanks-error", replaces=True)
def blanks_error(s3, request, response, seconds=1.0, every=0.1, virtual=False,
                 code="InternalError", message=None):
    """An early 200, blanks for `seconds`, then an error; the request is not carried out, unless the
    rule says done=True.
    """
    spoilt = blank(s3, seconds, every, virtual)
    spoilt.later.append((0, last(S3Error(code, message).response(request).body)))
    return spoilt
