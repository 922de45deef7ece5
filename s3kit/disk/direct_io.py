"""Bytes that arrive in drops, written in large blocks and past the page cache where that can be.

Copying through the page cache costs several times the CPU of everything else that a large object
needs, and what it holds must still go to the disk before a row may leave. libcurl gives at most 16
KiB at once.
"""

import errno
import fcntl
import mmap
import os

from s3kit.disk import durable
from s3kit.disk.durable import write_all

BLOCK = 1 << 20
ALIGNED = 4096
DIRECT = getattr(os, "O_DIRECT", 0)
NOT_DIRECT = (errno.EINVAL, errno.ENOTSUP)


class Blocks:
    """Bytes that follow each other in a file: `add` them, then `end`.

    `see(view)` is called with every block, in order, before it is written. `spare` is a list that
    buffers are taken from and given back to. Raises OSError.
    """

    def __init__(self, fd, at, see, spare):
        self.fd, self.at, self.see, self.spare = fd, at, see, spare
        # page-aligned, as O_DIRECT needs it
        self.buffer = spare.pop() if spare else mmap.mmap(-1, BLOCK)
        self.filled = 0
        self.is_direct = False
        if DIRECT and at % ALIGNED == 0:
            self.set_direct(True)

    def set_direct(self, is_direct):
        """Write past the page cache, or not; a file system that cannot says so now or with the
        first block.
        """
        flags = fcntl.fcntl(self.fd, fcntl.F_GETFL)
        try:
            fcntl.fcntl(self.fd, fcntl.F_SETFL, flags | DIRECT if is_direct else flags & ~DIRECT)
            self.is_direct = is_direct
        except OSError:
            self.is_direct = False

    def add(self, data):
        """Take the next bytes."""
        filled = self.filled
        end = filled + len(data)
        if end < BLOCK:
            self.buffer[filled:end] = data
            self.filled = end
            return
        data = memoryview(data)
        room = BLOCK - filled
        self.buffer[filled:] = data[:room]
        self.filled = BLOCK
        self.write(BLOCK)
        self.add(data[room:])

    def write(self, count):
        """Write the first bytes of the buffer; those of the last page, if it is not whole, through
        the cache.
        """
        view = memoryview(self.buffer)[:count]
        self.see(view)
        whole = count - count % ALIGNED if self.is_direct else count
        try:
            write_all(self.fd, view[:whole], self.at)
        except OSError as error:
            if not self.is_direct or error.errno not in NOT_DIRECT:
                raise
            self.set_direct(False)
            write_all(self.fd, view[:whole], self.at)
        if whole < count:
            self.set_direct(False)
            write_all(self.fd, view[whole:], self.at + whole)
        self.at += count
        self.filled = 0

    def end(self):
        """Write what is left, and give the buffer back."""
        if self.filled:
            self.write(self.filled)
        self.drop()

    def drop(self):
        """Give the buffer back; what it holds is lost."""
        if self.buffer is not None:
            self.spare.append(self.buffer)
            self.buffer = None
            if self.is_direct:
                self.set_direct(False)


def go_direct(fd):
    """Have an open file read from the disk, not from the page cache, which says nothing of the
    disk.

    O_DIRECT where the file system has it; else what is cached is flushed and dropped.
    """
    try:
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | getattr(os, "O_DIRECT", 0))
    except OSError:
        durable.sync_data(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
