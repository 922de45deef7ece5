"""The destination's tree, walked by directory descriptors: no key and no symlink leads outside.

`DEST/.s3kit/` is ours: the ledger, and `parts/` for what is not yet complete.
"""

import errno
import os
import stat
import time
from collections import OrderedDict

import xxhash

from s3kit.disk import durable, lock
from s3kit.disk.mounts import network_of
from s3kit.disk.paths import BESIDE_DIRECTORY, BESIDE_FILE, file_of_folder, with_clash, with_mark
from s3kit.errors import Fault, of_file

OURS = ".s3kit"
NO_TIME = -1            # nanoseconds that no time of S3's has: those are of whole milliseconds
PARTS = "parts"
KEPT = 128          # directories kept open
DEEPEST = 1100      # directories in each other: more than any key can make
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LOST = ("the lease on the destination has run out: this process was stopped, or the file system "
        "did not answer in time; nothing more is written: run the same command again")


class Tree:
    """A destination; `make` creates it and our folder in it.

    With `place` it must be the directory that another process has found there, and is not created.
    """

    def __init__(self, path, make=True, place=None):
        self.path = path
        if is_root(path):
            raise Fault("the destination must not be '/'")
        try:
            if make and not place:
                os.makedirs(path, exist_ok=True)
            self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            status = os.fstat(self.fd)
            self.device, self.place = status.st_dev, (status.st_dev, status.st_ino)
            if place not in (None, self.place):
                raise Fault(f"the destination '{path}' was replaced while we were at work")
            if make:
                self.ours = self.enter(self.fd, OURS, 0o700)
                self.parts = self.enter(self.ours, PARTS, 0o700)
        except OSError as error:
            raise of_file("use the destination", path, error) from None
        self.until = None       # of `clock`: when the lease ends, where one is needed to write
        self.folds = make and self.is_folding()
        self.open = OrderedDict()

    def is_folding(self):
        """Return whether the file system takes `PARTS` for `parts`."""
        try:
            os.stat(PARTS.upper(), dir_fd=self.ours, follow_symlinks=False)
            return True
        except FileNotFoundError:
            return False

    def network(self):
        """Return what mounts.network_of does of the destination."""
        return network_of(self.fd, self.path)

    def check_lease(self):
        """Raise Fault where a lease is needed to write, and has run out."""
        if self.until is not None and clock() >= self.until:
            raise Fault(LOST)

    def hold_part(self, name):
        """Return what lock.hold does of a part file; who has the lease needs no lock where the file
        system knows none. Raises Fault where the lease has run out.
        """
        self.check_lease()
        return lock.hold(name, self.parts, self.until is not None)

    def remove_part(self, name):
        """Remove a part file, unless the lease has run out: it may be another's by now."""
        if self.until is None or clock() < self.until:
            durable.unlink(name, self.parts)

    def enter(self, folder, name, mode=0o777):
        """Return a descriptor of the directory `name` in `folder`, made if it is missing."""
        try:
            return os.open(name, DIRECTORY, dir_fd=folder)
        except FileNotFoundError:
            pass
        try:
            os.mkdir(name, mode, dir_fd=folder)
        except FileExistsError:
            pass            # another process was quicker
        return os.open(name, DIRECTORY, dir_fd=folder)

    def folder(self, path, make=True):
        """Return (descriptor, name, path) for a file at `path`, its directories made if `make`.

        The path differs from the one asked for where a file stands in a directory's place: that
        directory then lies beside the file. Raises FileNotFoundError without `make`, Fault where a
        symbolic link or anything else is in the way.
        """
        at, _, name = path.rpartition("/")
        found = self.open.get(at)
        if found:
            self.open.move_to_end(at)
            return found[0], name, f"{found[1]}/{name}"
        if at.count("/") > DEEPEST:
            raise Fault("the path is nested too deep")
        below = []
        while at and at not in self.open:
            at, _, last = at.rpartition("/")
            below.append(last)
        fd, where = self.open[at] if at else (self.fd, "")
        while below:
            last = below.pop()
            at = f"{at}/{last}" if at else last
            fd, own = self.descend(fd, last, make)
            where = f"{where}/{own}" if where else own
            self.open[at] = (fd, where)
            if len(self.open) > KEPT:
                _, (old, _) = self.open.popitem(last=False)
                os.close(old)
        return fd, name, f"{where}/{name}" if where else name

    def descend(self, parent, name, make):
        """Return (descriptor, name) of a directory in `parent`, under another name where it must
        be.
        """
        own = with_clash(name, clash(name)) if self.folds and self.is_clash(parent, name) else name
        for candidate in (own, with_mark(own, BESIDE_FILE)):
            try:
                return self.enter_all(parent, candidate, make), candidate
            except OSError as error:
                if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                    raise
                there = os.stat(candidate, dir_fd=parent, follow_symlinks=False)
                if not stat.S_ISREG(there.st_mode):
                    raise Fault(f"a {kind_of(there)} is in the way: '{candidate}'") from None
        raise Fault(f"a file is in the way: '{candidate}'")

    def enter_all(self, parent, names, make):
        """Return a descriptor of a directory in `parent`; a name too long for one is nested (see
        address.pieces).
        """
        first, slash, rest = names.partition("/")
        fd = self.enter(parent, first) if make else os.open(first, DIRECTORY, dir_fd=parent)
        if not slash:
            return fd
        try:
            return self.enter_all(fd, rest, make)
        finally:
            os.close(fd)

    def is_clash(self, folder, name):
        """Return whether a folding file system has `name` under another spelling."""
        try:
            os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return name not in os.listdir(folder)

    def look(self, path):
        """Return os.stat_result of what lies at `path`, links not followed, or None.

        A link among its directories cannot pass for the file: whoever asks compares the inode.
        """
        try:
            return os.stat(path, dir_fd=self.fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            return self.look_deep(path)

    def look_deep(self, path):
        """Return what `look` does for a path longer than the system takes at once."""
        try:
            folder, name, _ = self.folder(path, make=False)
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError, Fault):
            return None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            return None         # no file can have such a name

    def reader(self, path):
        """Return a descriptor to read the regular file at `path`. Raises OSError or Fault."""
        folder, name, _ = self.folder(path, make=False)
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK,
                     dir_fd=folder)
        kind = kind_of(os.fstat(fd))
        if kind != "file":
            os.close(fd)
            raise Fault(f"'{path}' is a {kind}")
        return fd

    def remove(self, path):
        """Remove the file at `path`. Raises OSError, or Fault where something is in the way."""
        folder, name, _ = self.folder(path, make=False)
        durable.unlink(name, folder)

    def close(self):
        """Close its directories."""
        for fd in (self.fd, *(fd for fd, _ in self.open.values())):
            os.close(fd)

    def free(self):
        """Return (free bytes, free inodes) for us."""
        space = os.fstatvfs(self.fd)
        return space.f_bavail * space.f_frsize, space.f_favail


def clock():
    """Return the seconds by which leases are told: they pass while the machine sleeps, too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def is_root(path):
    """Return whether a path is `/` by whatever name, even where making its directories is yet to
    make it so.
    """
    try:
        return os.path.samestat(os.stat(os.path.realpath(path)), os.stat("/"))
    except OSError:
        return False


def settle(tree, part, fd, path, size, mtime_ns, mode):
    """Give the complete part file its time (None or NO_TIME: not known), permissions and name;
    return (path, os.stat_result).

    A zero-byte key that ends in `/` becomes a directory. Raises OSError, or Fault where something
    else than a file is in the way, or the lease has run out.
    """
    tree.check_lease()
    if path.endswith("/"):
        if not size:
            folder, _, path = tree.folder(path)
            durable.unlink(part, tree.parts)
            return path, os.fstat(folder)
        path = file_of_folder(path)
    os.fchmod(fd, mode)
    if mtime_ns is not None and mtime_ns != NO_TIME:
        os.utime(fd, ns=(mtime_ns, mtime_ns))
    folder, name, path = tree.folder(path)
    for _ in range(3):
        chosen = free_name(tree, folder, name)
        if "/" in chosen:       # the name and its mark together are too long for one
            folder, name, path = tree.folder(path.removesuffix(name) + chosen)
            chosen = name
        try:
            durable.rename(part, chosen, tree.parts, folder)
        except (IsADirectoryError, NotADirectoryError):
            continue        # a directory came to be there since we looked
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise Fault(
                    f"'{path}' lies on another file system than the destination's .s3kit") from None
            raise
        return path.removesuffix(name) + chosen, os.fstat(fd)
    raise Fault(f"something keeps changing at '{path}'")


def free_name(tree, folder, name):
    """Return the name for a file in `folder`: `name`, or one beside the directory or clash that has
    it.
    """
    if tree.folds and tree.is_clash(folder, name):
        name = with_clash(name, clash(name))
    try:
        there = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return name
    kind = kind_of(there)
    if kind == "directory":
        return with_mark(name, BESIDE_DIRECTORY)
    if kind != "file":
        raise Fault(f"a {kind} is in the way: '{name}'")
    return name


def kind_of(status):
    """Return what a file is, for people."""
    for test, kind in ((stat.S_ISLNK, "symbolic link"), (stat.S_ISDIR, "directory"),
                       (stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"), (stat.S_ISREG, "file")):
        if test(status.st_mode):
            return kind
    return "device"


def clash(name):
    """Return what tells a name from its other spellings."""
    return xxhash.xxh3_64_hexdigest(name.encode())


def part_name(bucket, key, version_id, etag):
    """Return the part file's name for one object version: never the same for two versions' bytes.
    """
    return xxhash.xxh3_128_hexdigest("\0".join((bucket, key, version_id, etag))
                                     .encode("utf-8", "surrogateescape")) + ".part"
