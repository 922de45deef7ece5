"""The rows of what lies in a directory."""

import os
import stat

from s3kit.disk.paths import key_of, version_of
from s3kit.errors import Fault
from s3kit.manifest.row import LISTED, Row
from s3kit.units import from_epoch


def tree_rows(top, bucket, ours=None):
    """Yield lists of rows of what lies in a directory, in order of name.

    In a destination of ours (by its look, unless `ours` says) the rows have the buckets and keys
    that the paths stand for; elsewhere the key is the path, and the bucket the one given. Links are
    not followed.
    """
    if ours is None:        # s3-verify alone leaves no parts
        ours = os.path.isdir(os.path.join(top, ".s3kit", "parts"))
    rows, folders = [], [""]
    while folders:  # no recursion: a key can make 1,024 directories in each other
        at = folders.pop()
        try:
            found = sorted(os.scandir(os.path.join(top, at)), key=lambda entry: entry.name)
        except OSError as error:        # what cannot be read must not look empty
            raise Fault(f"cannot read '{error.filename}': {error.strerror}") from None
        for entry in found:
            row = tree_row(top, at + entry.name, bucket, ours)
            if row:
                rows.append(row)
        folders += [f"{at}{entry.name}/" for entry in reversed(found)
                    if entry.is_dir(follow_symlinks=False) and (at or entry.name != ".s3kit")]
        if len(rows) > 1000:
            yield rows
            rows = []
    yield rows


def tree_row(top, path, bucket, ours):
    """Return the Row of one file, or None for what is no regular file."""
    status = os.lstat(os.path.join(top, path))
    if not stat.S_ISREG(status.st_mode):
        return None
    key, version = path, ""
    if ours:
        try:
            (bucket, key), version = key_of(path), version_of(path)
        except ValueError:
            pass        # not of our making: the path must do
    return Row(bucket=bucket, key=key, version_id=version, size=str(status.st_size),
               last_modified=from_epoch(status.st_mtime), state=LISTED, path=path)
