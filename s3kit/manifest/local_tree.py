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
    rows, folders, seen = [], [""], set()
    while folders:  # no recursion: a key can make 1,024 directories in each other
        at = folders.pop()
        found, below = entries_of(top, at, follows, seen), []
        for entry, status in found:
            path = at + entry.name
            if stat.S_ISDIR(status.st_mode):
                below += [f"{path}/"] * (path != OURS)
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


def entries_of(top, at, follows, seen):
    """Return [(os.DirEntry, os.stat_result)] of a directory, in order of name; nothing of one that
    was `seen` before, as links can lead back. Raises Fault: what cannot be read must not look
    empty.
    """
    folder = os.path.join(top, at)
    try:
        if follows:
            place = os.stat(folder)
            name = place.st_dev, place.st_ino
            if name in seen:
                return []
            seen.add(name)
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
        return [(entry, stat_of(entry, follows)) for entry in found]
    except OSError as error:
        raise Fault(f"cannot read '{error.filename}': {error.strerror}") from None


def stat_of(entry, follows):
    """Return the os.stat_result of an os.DirEntry; a link to nothing is itself."""
    try:
        return entry.stat(follow_symlinks=follows)
    except FileNotFoundError:
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
