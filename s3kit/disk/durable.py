"""The only rename, sync and unlink in s3kit, so that one page shows when a file is safe.

A name is durable after sync(file), rename, sync(directory); each missing step loses files in a
power cut (fsync(2), "NOTES"). `sync_tree` does all of it for thousands of files with one flush.
"""

import ctypes
import os
import stat
import sys

LIBC = None
PUBLIC = 0o666      # of files that people ask for by name


def libc():
    """Return the C library, opened once, with errno kept."""
    global LIBC
    if LIBC is None:
        LIBC = ctypes.CDLL(None, use_errno=True)
    return LIBC


def sync_tree(fd):
    """Flush the whole file system that `fd` lies on: data, names and directories. Raises OSError.

    syncfs(2) reports write-back errors since Linux 5.8; where it is missing, sync(2) must do.
    """
    if sys.platform != "linux":
        os.sync()
        return
    if libc().syncfs(fd) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def sync_data(fd):
    """Flush one file's bytes.

    Raises OSError; never try the same again after one: the kernel reports it once (fsync(2), EIO).
    """
    getattr(os, "fdatasync", os.fsync)(fd)


def sync_directory(fd):
    """Flush one directory's names. Raises OSError."""
    os.fsync(fd)


def sync_name(path):
    """Flush the directory that `path` is in, with its name. Raises OSError."""
    fd = os.open(os.path.dirname(os.path.realpath(path)),
                 os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_directory(fd)
    finally:
        os.close(fd)


def rename(source, target, source_dir, target_dir):
    """Give the file `source` in directory `source_dir` the name `target` in `target_dir`,
    atomically.
    """
    os.rename(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir)


def unlink(name, directory):
    """Remove the name from the directory; nothing happens if it is not there.

    Raises other OSErrors.
    """
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        pass


def write_all(fd, data, at=None):
    """Write all of `data`, at an offset if one is given."""
    view = memoryview(data)
    while view:
        count = os.write(fd, view) if at is None else os.pwrite(fd, view, at)
        view = view[count:]
        at = None if at is None else at + count


class Replacement:
    """A file written beside the one it will replace: write to `file`, then `commit` or `abandon`.

    As a context it commits at its end, and abandons if the end is an exception; a `commit` that
    fails abandons by itself. So no way out leaves the new file beside the old one.

    The old file stays whole until the new one is on the disk. The new one is `mode` & ~umask unless
    it replaces a file, whose permissions it then takes: PUBLIC is what a shell's `>` makes. What is
    not a regular file (a FIFO, /dev/null) is never replaced, but written to.
    """

    def __init__(self, path, mode=0o600):
        path = os.path.realpath(path)
        self.mode = mode
        self.file = self.beside = None
        self.name = os.path.basename(path)
        self.folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.open()
        except BaseException:
            self.abandon()
            raise

    def open(self):
        """Open the file to write to. Raises OSError."""
        try:
            old = os.stat(self.name, dir_fd=self.folder)
        except FileNotFoundError:
            old = None
        if old and not stat.S_ISREG(old.st_mode):
            self.file = open(os.open(self.name, os.O_WRONLY | os.O_CLOEXEC, dir_fd=self.folder),
                             "wb")
            return
        beside = f".s3kit.{os.getpid()}.{id(self):x}.new"
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC,
                     self.mode, dir_fd=self.folder)
        self.beside = beside        # now it is ours to remove
        self.file = os.fdopen(fd, "wb")
        if old:
            os.fchmod(fd, old.st_mode & 0o777)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.commit()
        else:
            self.abandon()

    def commit(self):
        """Flush, rename, flush the directory.

        Raises OSError: until the rename the old file is still in place, and the new one is gone.
        """
        try:
            self.file.flush()
            if self.beside:
                sync_data(self.file.fileno())
                rename(self.beside, self.name, self.folder, self.folder)
                self.beside = None
                sync_directory(self.folder)
            self.file.close()
        finally:
            self.abandon()

    def abandon(self):
        """Leave the old file as it was; nothing happens after a `commit` or another `abandon`."""
        if self.folder is None:
            return
        folder, self.folder = self.folder, None
        try:
            if self.file:
                self.file.close()
        except OSError:
            pass            # what cannot be written is not wanted any more
        try:
            if self.beside:
                unlink(self.beside, folder)
        finally:
            os.close(folder)
