"""HTTP, inwards: bytes of a connection, and the requests that they are."""

import time

from fakes3.answers import Request
from fakes3.errors import S3Error
from fakes3.formats import unquote_s3
from fakes3.store import MAX_KEY

HEAD_LIMIT = 64 * 1024


class Reader:
    """What has come of one connection's requests.

    `connection` is its number; `go_on` is called where a client waits for 100 Continue.
    """

    def __init__(self, connection, go_on):
        self.connection, self.go_on = connection, go_on
        self.buffer = bytearray()
        self.request = None         # its head is read, its body is not
        self.missing = 0            # bytes of that body; None if in HTTP chunks
        self.length = 0             # of it in all
        self.chunks = []            # those that have come
        self.pieces = []  # of a body that comes in many: joined once, a buffer would be copied

    def feed(self, data):
        """Take what has come, a memoryview; return whether a request may be whole now."""
        if not self.pieces:
            self.buffer += data
            return True
        self.pieces.append(bytes(data[:self.missing]))
        self.buffer += data[self.missing:]
        self.missing -= len(self.pieces[-1])
        return not self.missing

    def begin_request(self):
        """Return the next Request as soon as its head has come, without the body, or None;
        ValueError: this is not HTTP.
        """
        if self.request is None:
            self.read_head()
        return self.request

    def take_request(self):
        """Return the next whole Request, or None; ValueError: this is not HTTP."""
        if self.begin_request() is None or not self.read_body():
            return None
        request, self.request = self.request, None
        return request

    def received(self):
        """Return how much of the body of the request that has begun is there."""
        if self.missing is None:
            return sum(map(len, self.chunks))
        if self.pieces:
            return self.length - self.missing
        return min(len(self.buffer), self.length)

    def read_head(self):
        """Return whether a head has come; then it is in `self.request`."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > HEAD_LIMIT:
                raise ValueError("too long")
            return False
        self.request = self.parse_head(self.take(end + 4)[:-4].decode("latin-1"))
        if self.missing != 0 and "100-continue" in self.request.headers.get("expect", "").lower():
            self.go_on()
        return True

    def read_body(self):
        """Return whether the body has come; then it is in the request."""
        if self.missing is None:
            return self.read_chunks()
        if self.pieces:             # feed() says when they are all there
            if self.missing:
                return False
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
        headers = read_headers(lines)
        if target.startswith("http://"):        # taken for a proxy
            target = "/" + target.partition("//")[2].partition("/")[2]
        path, _, query = target.partition("?")
        request = Request(0, time.time(), self.connection, method, path, query, headers)
        try:
            aim(request)
        except UnicodeDecodeError:
            request.problem = S3Error("InvalidURI", URI=target)
        if protocol != "HTTP/1.1":
            headers.setdefault("connection", "close")
        self.missing = self.length = int(headers.get("content-length", "0"))
        if "chunked" in headers.get("transfer-encoding", ""):
            self.missing = None
        return request

    def read_chunks(self):
        """Return whether all HTTP chunks of a body have come; then it is in the request.

        boto3 wraps its aws-chunked bodies so. S3 wants no other kind.
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


def read_headers(lines):
    """Return {name in lower case: value} of header lines; those of one name are joined by commas.
    """
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(line)
        name = name.lower()
        value = value.strip()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


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
