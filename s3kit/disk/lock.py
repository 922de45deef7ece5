"""Holding a part file: flock on that very file, so that the kernel drops the lock when its holder
dies.

flock, not lockf: a POSIX lock is lost when any descriptor of the file closes (fcntl_locking(2),
"Traditional record locks"). The file's content is never asked who holds it.
"""

import errno
import fcntl
import os
import stat

from s3kit.disk import durable

# no device may keep us waiting
OURS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

# flock(2), and what Lustre mounted without it, FUSE and NFS without its lock daemon answer
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


def hold(name, directory, is_leased=False):
    """Return a descriptor that holds the file `name` in `directory`, or None if another holds it.
    Where the file system has no locks at all, who has a lease on it has all files in it.

    The file is made if it is missing. A file that its holder renamed or removed between our open
    and our lock is not the one we want: only a lock on what the name still names counts. What has
    another name elsewhere, FIFOs and devices are nobody's part: they lose this name, and are never
    written to. Raises OSError for a link (see `clear`).
    """
    while True:
        fd = os.open(name, OURS, 0o600, dir_fd=directory)
        try:
            take(fd, is_leased)
        except OSError as error:
            os.close(fd)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return None
            raise
        held = os.fstat(fd)
        if names(directory, name, held):
            if is_alone(held):
                return fd
            durable.unlink(name, directory)
        os.close(fd)


def take(fd, is_leased):
    """Lock a file, unless who has a lease meets a file system without locks. Raises OSError."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if not (is_leased and error.errno in NO_LOCKS):
            raise


def hold_below(path, name):
    """Return what `hold` does, of the file `name` in the directory at `path`. Raises OSError."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return hold(name, folder)
    finally:
        os.close(folder)


def hold_made(path, name):
    """Make the directory at `path`, for its owner alone, if it is not there; return what `hold`
    does, of the file `name` in it. Raises OSError.
    """
    old = os.umask(0o077)
    try:
        os.makedirs(path, exist_ok=True)
    finally:
        os.umask(old)
    return hold_below(path, name)


def is_named(fd, name, directory):
    """Return whether `name` in `directory` is still the file that `fd` has open."""
    return names(directory, name, os.fstat(fd))


def names(directory, name, held):
    """Return whether `name` in `directory` is the file of os.stat_result `held`."""
    try:
        there = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, held)


def is_alone(status):
    """Return whether an os.stat_result is of a regular file that no other name leads to."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink < 2


def clear(name, directory):
    """Remove the name from the directory if it is a link, or names what nobody may write to.

    Raises OSError for a directory.
    """
    try:
        there = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not is_alone(there):
        durable.unlink(name, directory)
