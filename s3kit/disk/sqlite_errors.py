"""SQLite's errors in the operating system's words: what is full, not permitted, read-only, damaged.
"""

import os

from s3kit.disk import durable
from s3kit.errors import Fault, reason

BLOCK = 65536           # bytes written to learn why SQLite could not
# The primary result codes (https://sqlite.org/rescode.html); Python names them from 3.11 on.
CODES = {"database or disk is full": 13, "disk i/o error": 10,
         "attempt to write a readonly database": 8, "unable to open database file": 14,
         "database disk image is malformed": 11, "file is not a database": 26,
         "database is locked": 5}
READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB = 8, 10, 11, 13, 14, 26
NO_SPACE = "no space left on the device, or in the quota"


class Broken(Fault):
    """SQLite cannot read or write: nothing more can be done in this run."""


def code_of(error):
    """Return the primary result code of a sqlite3.Error, 0 if it is unknown."""
    code = getattr(error, "sqlite_errorcode", None)
    return CODES.get(str(error).lower(), 0) if code is None else code & 0xFF


def is_damage(error):
    """Return whether the file itself is damaged, or is not one of SQLite's."""
    return code_of(error) in (CORRUPT, NOTADB)


def cause(error, folder):
    """Return why SQLite failed in a directory; where it tells no errno, a write of our own finds
    the reason.
    """
    code = code_of(error)
    if code == FULL:
        return NO_SPACE
    if code in (READONLY, IOERR, CANTOPEN):
        return probe(folder) or reason(error)
    return reason(error)


def probe(folder):
    """Return why nothing can be written in a directory, or an empty text where it can."""
    import tempfile         # which costs every start 5 ms
    try:
        # It has no name on Linux (O_TMPFILE), else it is unlinked at once.
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            durable.write_all(file.fileno(), bytes(BLOCK))
            durable.sync_data(file.fileno())
    except OSError as error:
        return reason(error)
    return ""


def temporary_folder():
    """Return where SQLite puts a database that has no name (https://sqlite.org/tempfiles.html)."""
    for folder in (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp",
                   "/usr/tmp", "/tmp"):
        if folder and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return "."
