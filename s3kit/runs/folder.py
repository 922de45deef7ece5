"""The run directory: one small file for each of a user's processes.

It is $XDG_RUNTIME_DIR/s3kit (https://specifications.freedesktop.org/basedir-spec/latest/), which is
the user's alone and lives as long as the login, else s3kit-UID in the directory for temporary
files, where others could have been before us: what is not a directory of ours alone is not used.
"""

import os
import stat
import time

from s3kit.disk import durable

SUFFIX = ".json"
LARGEST = 1 << 18       # bytes of a run file; ours have a few thousand
KEPT_SECONDS = 86400    # an ended run is shown so long
KEPT = 200              # run files of ended runs, at most
FRESH_SECONDS = 10      # a process that runs has written within them


def folder():
    """Return the path of the run directory, whether it is there or not."""
    home = os.environ.get("XDG_RUNTIME_DIR")
    if home and os.path.isdir(home):
        return os.path.join(home, "s3kit")
    # as tempfile has it, whose import costs a start 8 ms
    return os.path.join(os.environ.get("TMPDIR") or "/tmp", f"s3kit-{os.geteuid()}")


def made():
    """Return the run directory, made if need be, or None where none can be had that is ours alone.
    """
    path = folder()
    try:
        os.mkdir(path, 0o700)
    except OSError:
        pass            # it is there, or the next look tells
    return path if is_ours(path) else None


def is_ours(path):
    """Return whether a path is a directory that nobody but us can read or write."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return (stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
            and not found.st_mode & 0o077)


def entries(path):
    """Return [(modified, path)] of the run files in a directory, the oldest first; none where it
    cannot be read.
    """
    found = []
    try:
        with os.scandir(path) as there:
            for entry in there:
                if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
                    found.append((entry.stat(follow_symlinks=False).st_mtime, entry.path))
    except OSError:
        pass            # it went away meanwhile
    return sorted(found)


def contents(path):
    """Return the bytes of a run file, or None where it is not one of ours: a link, another user's,
    one that is no file, or too large.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(fd)
        if (not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid()
                or found.st_size > LARGEST):
            return None
        return os.read(fd, LARGEST)
    except OSError:
        return None
    finally:
        os.close(fd)


def write(path, data):
    """Put bytes in the place of a run file, all at once. Raises OSError."""
    head, name = os.path.split(path)
    temporary = os.path.join(head, f".{name}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC,
                 0o600)
    with open(fd, "wb") as file:
        file.write(data)
    durable.rename(temporary, path, None, None)


def file_name(pid, start, began):
    """Return the name of a process's run file; `began` (seconds since 1970) stands for a `start`
    that nobody says.
    """
    return f"{pid}-{start or int(began)}{SUFFIX}"


def remove(path):
    """Remove a run file, if it is there."""
    try:
        durable.unlink(path, None)
    except OSError:
        pass            # it stays, and is old


def sweep(path):
    """Remove what is left of runs that ended long ago, or of too many."""
    old = [entry for entry in entries(path) if entry[0] < time.time() - FRESH_SECONDS]
    for number, (modified, name) in enumerate(old, 1):
        if modified < time.time() - KEPT_SECONDS or number <= len(old) - KEPT:
            remove(name)
