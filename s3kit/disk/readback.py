"""A file read back from the disk, held against the digest that was recorded of it."""

import mmap
import os

from s3kit.disk.direct_io import go_direct
from s3kit.proof.digest import Digest

READ = 8 << 20


def is_intact(tree, entry, check):
    """Return whether the file of a ledger's Entry still has the bytes that were verified; not from
    the page cache.

    `check()` is called again and again, and raises to end the reading. Raises OSError, or Fault
    where there is no file.
    """
    fd = tree.reader(entry.path)
    try:
        go_direct(fd)
        digest = Digest()
        # page-aligned, as O_DIRECT needs it
        with mmap.mmap(-1, READ) as buffer, memoryview(buffer) as view:
            while got := os.readv(fd, [buffer]):
                check()
                digest.update(view[:got])
        return entry.is_file(os.fstat(fd)) and digest.text() == entry.digest
    finally:
        os.close(fd)
