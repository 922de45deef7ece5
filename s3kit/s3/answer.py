"""One request on its way, then its answer: status, headers, body, and S3's error document.

What is kept in memory is limited. The largest answer that is read as a whole is a page of a
listing: 1,000 entries, each with a key of 1,024 bytes at most, of which each takes 6 where XML
escapes it (`&quot;`), and with less than 2 KiB of other elements. That is below 8 MiB; twice as
much is the limit.
"""

import re

from s3kit.units import number

LARGEST = 16 << 20          # bytes of a body that is kept
ERROR_BYTES = 1 << 16       # bytes of an error document that are looked at
TOO_LARGE, ERROR_DOCUMENT = "TooLarge", "ErrorDocument"     # our codes, where S3 has none
CODE = re.compile(rb"<Code>([^<]*)</Code>")
MESSAGE = re.compile(rb"<Message>([^<]*)</Message>")
DOCUMENT = re.compile(rb"\s*(?:<\?xml[^>]*\?>\s*)?<Error[\s>]")


class Transfer:
    """One request on its way, then its answer.

    `status` is 0 where no answer came, `failure` then says why, and `errno` is libcurl's; `headers`
    have lower-case names; `body` is the body where no sink took it; `code` and `message` are S3's
    where it sent an error, else `code` may be HTTP and the status, TOO_LARGE or ERROR_DOCUMENT.
    `request` is what was sent (see Wire.send), `hops` how many redirects were followed before.
    `is_patient`: the answer may come in drops, as that of a multipart upload's completion does.
    `is_once`: the request must not be sent twice.
    """

    __slots__ = ("owner", "sink", "curl", "store", "kept", "status", "headers", "failure", "errno",
                 "code", "message", "endpoint", "is_paused", "waited", "took", "size", "request",
                 "hops", "is_patient", "is_once")

    def __init__(self, owner, endpoint, sink, is_patient=False, is_once=False):
        self.owner, self.endpoint, self.sink = owner, endpoint, sink
        self.hops, self.is_patient, self.is_once = 0, is_patient, is_once
        self.begin()

    def begin(self):
        """Forget the answer that came, if one did: another will."""
        self.store, self.kept = [], 0
        self.status, self.headers = 0, None
        self.failure = self.code = self.message = ""
        self.errno, self.is_paused = 0, False
        self.waited = self.took = 0.0
        self.size = 0

    @property
    def body(self):
        """The bytes of the body, where no sink took them."""
        return self.store[0] if len(self.store) == 1 else b"".join(self.store)

    @property
    def content(self):
        """The Content of a PUT, None of other requests."""
        return self.request[5] if self.request[2] == "PUT" else None

    @property
    def is_too_large(self):
        """Whether the body was cut off because no answer of S3's is so large."""
        return self.kept > LARGEST

    def take(self, data):
        """Take a piece of the body: to the sink if the answer is the object, else kept as an error.

        Returns -1 to end the request: an error document says all in its first bytes.
        """
        if self.headers is None:
            self.read_head()
        if self.sink and 200 <= self.status < 300:
            return self.sink(self, data)
        return self.keep(data) if self.kept < ERROR_BYTES or not self.sink else -1

    def keep(self, data):
        """Keep a piece of the body in memory; return -1, which ends the request, where it is too
        much.
        """
        self.kept += len(data)
        if self.kept > LARGEST:
            return -1
        self.store.append(data)
        return None

    def read_head(self):
        """Parse the last block of headers; earlier ones are of a proxy or a 100.

        The status is taken from there, too: within a callback libcurl may not be asked.
        """
        head = b"".join(self.curl.head).decode("utf-8", "replace").rstrip()
        first, *lines = head.rpartition("\r\n\r\n")[2].split("\r\n")
        words = first.split(None, 2)
        self.status = number(words[1]) or 0 if len(words) > 1 else 0
        self.headers = headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()

    def conclude(self, errno, failure):
        """Take libcurl's word on how the request ended (0 and '': well), then S3's error, if it
        sent one.
        """
        if self.headers is None:
            self.read_head()
        self.errno, self.failure = errno, failure
        if self.is_too_large:
            self.code, self.store = TOO_LARGE, []
            self.failure = (
                f"the answer has more than {LARGEST >> 20} MiB, which no answer of S3's has")
        elif self.status >= 300 or (self.sink is None and self.is_error_document()):
            self.read_error()
            self.code = self.code or (f"HTTP{self.status}" if self.status >= 300
                                      else ERROR_DOCUMENT)

    def read_error(self):
        """Take S3's code and message from an error document."""
        body = self.body[:ERROR_BYTES]
        code, message = CODE.search(body), MESSAGE.search(body)
        self.code = code[1].decode("utf-8", "replace") if code else ""
        self.message = message[1].decode("utf-8", "replace") if message else ""

    def is_error_document(self):
        """Return whether a body that came with 200 is S3's error document, perhaps after the
        blanks that keep a connection open.
        """
        return bool(DOCUMENT.match(self.body[:ERROR_BYTES]))
