"""Holding a part file: flock on that very file, so that the kernel drops the lock when its holder dies.

flock, not lockf: a POSIX lock is lost when any descriptor of the file closes (failures.md section 3,
no. 10). The file's content is never asked who holds it.
"""

import errno
import fcntl
import os


def hold(name, directory):
    """Return a descriptor that holds the file `name` in `directory`, or None if another holds it.

    The file is made if it is missing. A file that its holder renamed or removed between our open and
    our lock is not the one we want: only a lock on what the name still names counts.
    """
    while True:
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=directory)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return None
            raise
        if is_named(fd, name, directory):
            return fd
        os.close(fd)


def is_named(fd, name, directory):
    """Return whether `name` in `directory` is still the file that `fd` has open."""
    try:
        there = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(fd))
