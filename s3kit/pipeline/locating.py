"""Where a row's file lies."""

import stat
from itertools import chain

from s3kit.disk.paths import is_inside, path_of
from s3kit.pipeline.layout import places_of


def known_path(row, entry):
    """Return the path of a row's file as the row says it, else the ledger's Entry, else ''."""
    if row.path and is_inside(row.path):
        return row.path
    return entry.path if entry is not None else ""


def locate(tree, row, entry):
    """Return (path, os.stat_result or None) of a row's file below a Tree; `entry` is the ledger's
    or None.

    Where the row and the ledger do not say, it is looked for where s3-fetch would have put it, then
    at the key itself, as tools do that leave the bucket's name out.
    """
    known = known_path(row, entry)
    if known:
        return known, tree.look(known)
    for path in chain(places_of(row, False), places_of(row, True)):
        status = tree.look(path)
        if can_be(row, status):
            return path, status
    return path_of(row.bucket, row.key), None


def can_be(row, status):
    """Return whether what lies at a place (an os.stat_result or None) can be a row's file."""
    return status is not None and (stat.S_ISREG(status.st_mode) or row.key.endswith("/"))
