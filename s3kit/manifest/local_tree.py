"""The rows of what lies in a directory."""

import os
import stat

from s3kit.disk.paths import key_of, version_of
from s3kit.disk.tree import OURS, kind_of
from s3kit.errors import Fault
from s3kit.manifest.row import COLUMNS, FAILED, LISTED, Row, values
from s3kit.text import is_unicode
from s3kit.units import from_epoch


def tree_rows(top, bucket, ours=None, irregular=lambda row, kind: None, follows=False):
    """Yield lists of rows of what lies in a directory, in order of name.

    In a destination of ours (by its look, unless `ours` says) the rows have the buckets and keys
    that the paths stand for; elsewhere the key is the path, and the bucket the one given. Links
    are followed where it `follows`. What is no regular file has a row if `irregular(row, kind)`
    returns it.
    """
    if ours is None:        # s3-verify alone leaves no parts
        ours = os.path.isdir(os.path.join(top, ".s3kit", "parts"))
    rows, folders = [], [("", ())]
    while folders:  # no recursion: a key can make 1,024 directories in each other
        at, above = folders.pop()
        if follows and (above := below_what(top, at, above)) is None:
            continue
        found, below = entries_of(top, at, follows), []
        for entry, status in found:
            path = at + entry.name
            if stat.S_ISDIR(status.st_mode):
                below += [(f"{path}/", above)] * (path != OURS)
                continue
            row = tree_row(path, status, bucket, ours)
            if not stat.S_ISREG(status.st_mode):
                row.size = ""
                row = irregular(row, kind_of(status))
            if row:
                rows.append(row)
        folders += reversed(below)
        if len(rows) > 1000:
            yield rows
            rows = []
    yield rows


def below_what(top, at, above):
    """Return the names of a directory and of those above it, (device, inode) of each, as a pair of
    its own and theirs; None where it is one of them, as links can lead back. Raises Fault.
    """
    try:
        status = os.stat(os.path.join(top, at))
    except OSError as error:
        raise cannot_read(error) from None
    name, each = (status.st_dev, status.st_ino), above
    while each:
        if each[0] == name:
            return None
        each = each[1]
    return name, above


def entries_of(top, at, follows):
    """Return [(os.DirEntry, os.stat_result)] of a directory, in order of name. Raises Fault: what
    cannot be read must not look empty.
    """
    try:
        found = sorted(os.scandir(os.path.join(top, at)), key=lambda entry: entry.name)
        return [(entry, stat_of(entry, follows)) for entry in found]
    except OSError as error:
        raise cannot_read(error) from None


def cannot_read(error):
    """Return the Fault of an OSError."""
    return Fault(f"cannot read '{error.filename}': {error.strerror}")


def stat_of(entry, follows):
    """Return the os.stat_result of an os.DirEntry; a link that leads nowhere is itself."""
    try:
        return entry.stat(follow_symlinks=follows)
    except OSError:
        return entry.stat(follow_symlinks=False)


def tree_row(path, status, bucket, ours):
    """Return the Row of one file."""
    key, version = path, ""
    if ours:
        try:
            (bucket, key), version = key_of(path), version_of(path)
        except ValueError:
            pass        # not of our making: the path must do
    row = Row(bucket=bucket, key=key, version_id=version, size=str(status.st_size),
              last_modified=from_epoch(status.st_mtime), state=LISTED, path=path)
    if not is_unicode(path):
        row.verbatim = dict(zip(COLUMNS, values(row)))
        row.state, row.error = FAILED, "its name is not UTF-8, as all keys are"
    return row
