"""The body of a PUT: bytes in memory, or pieces of a file that are read as they are sent."""

import os
import time


class Content:
    """The bytes of a buffer, `size` of them, given away piece by piece.

    `read(count)` returns the next bytes, b"" after the last, None where none may be sent now;
    `seek(at)` begins again from an offset. `may_send()` and `sent(count)` are asked and told, if
    given. `sent_at` is when the last byte was given away, as time.monotonic has it.
    """

    oserror = None          # why no more could be read

    def __init__(self, buffer, size, may_send=None, sent=None):
        self.view, self.size, self.at = memoryview(buffer)[:size], size, 0
        self.may_send, self.sent = may_send, sent
        self.sent_at = time.monotonic()

    @property
    def is_sent(self):
        """Whether all bytes were given away."""
        return self.at >= self.size

    def read(self, count):
        """Return at most `count` bytes, or None."""
        if self.may_send and not self.is_sent and not self.may_send():
            return None
        data = self.piece(self.at, min(count, self.size - self.at))
        self.at += len(data)
        if self.sent:
            self.sent(len(data))
        if self.is_sent:
            self.sent_at = time.monotonic()
        return data

    def piece(self, at, count):
        """Return `count` bytes from offset `at`."""
        return bytes(self.view[at:at + count])

    def seek(self, at, origin=0):
        """Go back to an offset; libcurl knows no other origin than the beginning. Returns 0: done.
        """
        self.at = at
        return 0


class FilePiece(Content):
    """`size` bytes of an open file from `start` on, read as they are sent; `see(data)` gets them in
    order. What the file does not have any more, or cannot be read (`oserror` then says why), is
    given as b"", which ends the request: nothing may be raised to libcurl.
    """

    def __init__(self, fd, start, size, see, may_send=None, sent=None):
        super().__init__(b"", 0, may_send, sent)
        self.fd, self.start, self.size, self.see, self.seen = fd, start, size, see, 0

    def piece(self, at, count):
        """Read bytes; those that are sent once more were seen before."""
        try:
            data = os.pread(self.fd, count, self.start + at)
        except OSError as error:
            self.oserror = error
            return b""
        if at <= self.seen < at + len(data):
            self.see(data[self.seen - at:])
            self.seen = at + len(data)
        return data
