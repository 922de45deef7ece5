"""The file that is sent: opened without following what it must not, read once, and never believed
where it changes meanwhile.
"""

import mmap
import os
import stat

from s3kit.disk.tree import kind_of
from s3kit.errors import Fault
from s3kit.transfer.put_job import WHOLE_MOST, Identity

SMALL = 256 << 10       # bytes that get memory of their own
CHANGED = "the file was changed while it was read"


class Unstable(Fault):
    """The file is not what it was when it was looked at first."""


def open_file(tree, job):
    """Return a descriptor of a PutJob's file. Raises OSError, Fault for what is no regular file,
    Unstable where it is another than before.
    """
    if job.follows:
        fd = os.open(os.path.join(tree.path, job.path),
                     os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        kind = kind_of(os.fstat(fd))
        if kind != "file":
            os.close(fd)
            raise Fault(f"'{job.path}' is a {kind}")
    else:
        fd = tree.reader(job.path)
    try:
        hold_to(fd, job.identity)
    except BaseException:
        os.close(fd)
        raise
    return fd


def hold_to(fd, identity):
    """Raise Unstable where an open file is not the one that was looked at, as it was then."""
    if Identity.of(os.fstat(fd)) != identity:
        raise Unstable(CHANGED)


def look(tree, path, follows):
    """Return the os.stat_result of what lies at a path below a Tree, or None."""
    if not follows:
        return tree.look(path)
    try:
        return os.stat(os.path.join(tree.path, path))
    except OSError:
        return tree.look(path)      # a link to nothing


def why_no_file(status, path):
    """Return why what lies at a path cannot be sent, or ''."""
    if status is None:
        return f"there is no file '{path}'"
    if stat.S_ISREG(status.st_mode):
        return ""
    kind = kind_of(status)
    return f"'{path}' is a {kind}" + (" (--follow-links)" if kind == "symbolic link" else "")


def read_into(fd, start, size, spare):
    """Return a buffer that has `size` bytes of a file from `start` on: bytes where they are few,
    else one from the list `spare`, to which it is to be given back.

    Raises OSError, Unstable where there are fewer.
    """
    if size <= SMALL:
        data = os.pread(fd, size, start)
        while len(data) < size and (more := os.pread(fd, size - len(data), start + len(data))):
            data += more
        got, buffer = len(data), data
    else:
        buffer = spare.pop() if spare else mmap.mmap(-1, WHOLE_MOST)
        got = 0
        with memoryview(buffer) as view:
            while got < size and (count := os.preadv(fd, [view[got:size]], start + got)):
                got += count
    if got < size:
        raise Unstable(CHANGED)
    return buffer
