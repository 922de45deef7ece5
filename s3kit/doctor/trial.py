"""What a file system does with names and locks: tried in a scratch directory, removed at once."""

import errno
import fcntl
import os
import tempfile

from s3kit.disk import durable
from s3kit.doctor.finding import FAULT, NOTE, OK, WARNING, Finding
from s3kit.errors import reason

SCRATCH = ".s3kit-doctor-"
FILL = 1 << 20                  # bytes that are written
NAME_BYTES = 255                # that keys' names are cut to, see disk.paths
ODD = {"a:b": ":", "a?b": "?", "a*b": "*", 'a"b': '"', "a<b": "<", "a|b": "|", "a\\b": "\\",
       "dot.": "a dot at the end", "blank ": "a blank at the end"}
COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


class Trial:
    """What a file system did with names and locks: `folds` of "case" and "accents", the names it
    refused, its longest.
    """

    def __init__(self):
        self.folds, self.refused, self.longest, self.lock = [], [], NAME_BYTES, ""


def try_out(path):
    """Return (Trial, None) of a directory, or (None, (what is wrong, what to do)) where nothing can
    be written.
    """
    try:
        scratch = tempfile.mkdtemp(prefix=SCRATCH, dir=path)
    except OSError as error:
        return None, refusal(error)
    fd = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    trial = Trial()
    try:
        fill(fd)
        try_names(trial, fd)
        try_lock(trial, fd)
        return trial, None
    except OSError as error:
        return None, refusal(error)
    finally:
        for name in os.listdir(fd):
            durable.unlink(name, fd)
        os.close(fd)
        os.rmdir(scratch)


def refusal(error):
    """Return (what an OSError means, what to do about it)."""
    advice = {errno.EROFS: "mount it writable, or choose another with -d",
              errno.EACCES: "ask its owner, or choose another with -d",
              errno.EPERM: "ask its owner, or choose another with -d",
              errno.EDQUOT: "your quota is used up: make room",
              errno.ENOSPC: "make room (df, df -i), or choose another disk with -d",
              errno.EIO: "the disk fails: look at dmesg, choose another"}
    return (f"cannot be written to: {reason(error)}",
            advice.get(error.errno, "choose another with -d"))


def make(fd, name):
    """Make an empty file and return its descriptor."""
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=fd)


def fill(fd):
    """Write FILL bytes and flush them: only then has a disk said that it has room. Raises OSError.
    """
    file = make(fd, "fill")
    try:
        durable.write_all(file, bytes(FILL))
        durable.sync_data(file)
    finally:
        os.close(file)
        durable.unlink("fill", fd)


def try_names(trial, fd):
    """See which names are one, and which are none."""
    for what, first, second in (("case", "name", "NAME"), ("accents", COMPOSED, DECOMPOSED)):
        os.close(make(fd, first))
        if is_there(fd, second):
            trial.folds.append(what)
    for name, what in ODD.items():
        try:
            os.close(make(fd, name))
            if name not in os.listdir(fd):
                trial.refused.append(what)
        except OSError:
            trial.refused.append(what)
    for length in (NAME_BYTES, 143, 100):       # 143: ecryptfs
        trial.longest = length
        try:
            os.close(make(fd, "n" * length))
            return
        except OSError:
            pass


def is_there(fd, name):
    """Return whether a directory has a name, in whatever spelling."""
    try:
        os.stat(name, dir_fd=fd)
        return True
    except OSError:
        return False


def try_lock(trial, fd):
    """Lock a file twice: the second time must fail, or locks mean nothing here."""
    first, second = make(fd, "lock"), os.open("lock", os.O_RDWR | os.O_CLOEXEC, dir_fd=fd)
    try:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            trial.lock = "two processes can have one lock"
        except BlockingIOError:
            pass
    except OSError as error:
        trial.lock = reason(error)
    finally:
        os.close(first)
        os.close(second)


def names(trial, space):
    """Yield what a file system does to names."""
    facts = {"folds": trial.folds, "refuses": trial.refused,
             "name_bytes": min(trial.longest, space.f_namemax)}
    if facts["name_bytes"] < NAME_BYTES:
        yield Finding("names", WARNING, f"no longer than {facts['name_bytes']} bytes",
                      "rows with longer names will fail", facts)
    if trial.refused:
        yield Finding("names", WARNING, f"none with {' '.join(trial.refused)}",
                      "rows with such keys will fail; ext4 and XFS take all", facts)
    if trial.folds:
        one = {"case": "'A' and 'a'", "accents": "composed and decomposed letters"}
        yield Finding("names", NOTE, f"{' and '.join(one[what] for what in trial.folds)} are one",
                      "s3-fetch gives the second of two such keys a name with %=", facts)
    if not trial.refused and not trial.folds and facts["name_bytes"] >= NAME_BYTES:
        yield Finding("names", OK,
                      f"tells 'A' from 'a', takes {NAME_BYTES} bytes and every character", "",
                      facts)


def locks(trial):
    """Return what came of trying to lock."""
    if trial.lock:
        return Finding("locks", FAULT, f"flock is no use there: {trial.lock}",
                       "choose another file system with -d")
    return Finding("locks", OK, "flock works")
