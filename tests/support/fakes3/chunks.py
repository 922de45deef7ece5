"""Bodies in aws-chunked coding: chunks, their signatures, trailers.

boto3 sends STREAMING-UNSIGNED-PAYLOAD-TRAILER [API sigv4-streaming, sigv4-streaming-trailers].
"""

import hashlib

from fakes3.errors import S3Error
from fakes3.signatures import SIGV4, hmac256

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def decode_chunks(request):
    """Take an aws-chunked body apart, in place; what does not fit its promises is an S3Error."""
    kind = request.headers.get("x-amz-content-sha256", "")
    signed = request.signing if kind.startswith("STREAMING-AWS4") else None
    chain = Chain(*signed) if signed else None
    try:
        data, at = read_chunks(request.body, chain)
        lines = request.body[at:].decode().split("\r\n")
    except ValueError:
        raise S3Error("IncompleteBody") from None
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        request.trailers[name.lower()] = value.strip()
    check_trailers(request, chain if kind.endswith("-TRAILER") else None)
    request.body = data
    length = request.headers.get("x-amz-decoded-content-length")
    if length is None:
        raise S3Error("MissingContentLength")
    if length != str(len(data)):
        raise S3Error("IncompleteBody")


class Chain:
    """The signatures of a body's chunks: each signs the one before, the first the request's."""

    def __init__(self, key, stamp, scope, signature):
        self.key, self.stamp, self.scope, self.previous = key, stamp, scope, signature

    def sign(self, name, content):
        """Return the next signature; it is that of a PAYLOAD or of a TRAILER."""
        head = f"{SIGV4}-{name}\n{self.stamp}\n{self.scope}\n{self.previous}\n"
        self.previous = hmac256(self.key, head + content).hex()
        return self.previous

    def check(self, chunk, extension):
        """Raise S3Error unless a chunk's extension has the chunk's signature."""
        wanted = self.sign("PAYLOAD", f"{EMPTY_SHA256}\n{hashlib.sha256(chunk).hexdigest()}")
        if extension != b"chunk-signature=" + wanted.encode():
            raise S3Error("SignatureDoesNotMatch", "A chunk's signature does not match")


def read_chunks(body, chain):
    """Return (what the chunks hold, where the trailers begin); ValueError: these are not chunks."""
    data, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        size, _, extension = body[at:end].partition(b";")
        size, at = int(size, 16), end + 2
        chunk = body[at:at + size]
        if len(chunk) != size:
            raise S3Error("IncompleteBody")
        if chain:
            chain.check(chunk, extension)
        if not size:
            return b"".join(data), at
        data.append(chunk)
        if body[at + size:at + size + 2] != b"\r\n":
            raise S3Error("IncompleteBody")
        at += size + 2


def check_trailers(request, chain):
    """Raise S3Error unless the trailers are those that were promised, and signed where `chain` is.
    """
    trailers = request.trailers
    proof = trailers.pop("x-amz-trailer-signature", None)
    if chain:
        listed = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        if proof != chain.sign("TRAILER", hashlib.sha256(listed.encode()).hexdigest()):
            raise S3Error("SignatureDoesNotMatch", "The trailer's signature does not match")
    promised = {name.strip().lower()
                for name in request.headers.get("x-amz-trailer", "").split(",") if name}
    if promised != trailers.keys():
        raise S3Error("MalformedTrailerError")
