"""The bytes of one object, for what reads them as they come: no file, and little memory."""

from collections import deque

from s3kit.errors import Fault
from s3kit.etags import bare, quoted
from s3kit.s3 import verdicts
from s3kit.s3.asking import fault_of, once_more, rest
from s3kit.s3.patience import Patience
from s3kit.s3.wire import Wire
from s3kit.units import number

AHEAD = 8 << 20         # bytes that wait in memory for who reads them


class Reading:
    """An object that is read from its start to its end, whatever breaks off: iterate over it.

    It is the same object throughout: what goes on after a break is asked for by its ETag.
    `renew(endpoint)` returns one with newer credentials, `check()` is called often; either may
    raise. Raises Fault (NoAccess, NoSuchBucket), its `code` S3's, where the object cannot be read.
    """

    def __init__(self, endpoint, key, renew=None, check=lambda: None):
        self.endpoint, self.key, self.renew, self.check = endpoint, key, renew, check
        self.wire, self.patience = Wire(1), Patience()
        self.held, self.size = deque(), 0       # bytes that wait, and how many they are
        self.at, self.skip, self.etag = 0, 0, ""
        # the last answer, whole or not; the one whose head was read
        self.transfer = self.begun = None
        self.is_another = False

    @property
    def name(self):
        """The object for people."""
        return f"s3://{self.endpoint.bucket}/{self.key}"

    def __iter__(self):
        """Yield the bytes in blocks."""
        try:
            while not self.is_whole():
                yield from self.attempt()
        finally:
            self.wire.stop()

    def is_whole(self):
        """Return whether all has come; wait before another try is due. Raises Fault."""
        transfer = self.transfer
        if transfer is None:
            return False
        if verdicts.verdict_of(transfer) == verdicts.OK and not transfer.errno:
            return True
        self.endpoint, wait = once_more(transfer, self.endpoint, self.patience, self.renew)
        if wait is None:
            raise fault_of(transfer, f"read '{self.name}'")
        rest(wait, self.check)
        return False

    def attempt(self):
        """Yield what one request brings; `transfer` is then its answer."""
        headers = []
        if self.at and self.etag:
            headers = [f"Range: bytes={self.at}-", f"If-Match: {quoted(self.etag)}"]
        self.skip = self.at
        url = self.endpoint.object_url(self.key)
        transfer = self.wire.start(None, self.endpoint, url, headers=headers, sink=self.take)
        while self.wire.is_under_way(transfer) or self.held:
            self.check()
            if not self.held:
                self.wire.turn(0.5)
                continue
            block = self.held.popleft()
            self.size -= len(block)
            self.at += len(block)
            self.patience = Patience()
            yield block
            if transfer.is_paused and self.size < AHEAD // 2:
                self.wire.resume(transfer)
        self.transfer = transfer
        if self.is_another:
            raise Fault(f"'{self.name}' has changed while it was read")

    def take(self, transfer, data):
        """Keep a piece of the body until it is asked for; let no more come where much waits.

        Returns -1 to end the request, where it is another object's.
        """
        if self.begun is not transfer:
            self.begun = transfer
            self.begin(transfer)
        if self.is_another:
            return -1
        if self.skip:       # a server that does not know ranges sends all of it again
            data, self.skip = data[self.skip:], max(0, self.skip - len(data))
        if data:
            self.held.append(data)
            self.size += len(data)
            if self.size > AHEAD:
                self.wire.pause(transfer)

        return None

    def begin(self, transfer):
        """Take what the head of an answer says."""
        etag = bare(transfer.headers.get("etag", ""))
        self.is_another = bool(self.at) and etag != self.etag
        self.etag = etag
        if transfer.status == 206:
            start = transfer.headers.get("content-range", "").partition(" ")[2].partition("-")[0]
            self.is_another = self.is_another or number(start) != self.at
            self.skip = 0
