"""Part files that an earlier run left behind."""

import os
import time

from s3kit.disk import lock
from s3kit.transfer.unnamed import is_complete

STALE_SECONDS = 7 * 86400       # after which nobody will resume a part file


def sweep(tree):
    """Remove the part files of a Tree that nobody holds and nothing can be resumed from; return the
    names of those that are left.

    Raises OSError.
    """
    names = set(os.listdir(tree.parts))
    for stem in {name.removesuffix(".journal") for name in names}:
        try:
            sweep_part(tree, stem, stem in names and (f"{stem}.journal" in names
                                                      or is_whole(tree, stem)))
        except IsADirectoryError:
            pass        # not ours: in the way of at most one row, which will say so
    return {name for name in os.listdir(tree.parts) if not name.endswith(".journal")}


def sweep_part(tree, stem, can_resume=False):
    """Remove one part file and its journal, unless it is held or can be resumed. Raises OSError."""
    lock.clear(stem, tree.parts)
    if can_resume and not is_old(tree, stem):
        return
    fd = tree.hold_part(stem)
    if fd is not None:
        try:
            tree.remove_part(f"{stem}.journal")
            tree.remove_part(stem)
        finally:
            os.close(fd)


def clear_part(tree, part):
    """Remove what an earlier run left of an object whose file was found complete: nobody would use
    it. What cannot be removed now is swept one day.
    """
    try:
        sweep_part(tree, part)
    except OSError:
        pass


def is_whole(tree, part):
    """Return whether a part file is one that only its name is missing of."""
    try:
        return is_complete(os.stat(part, dir_fd=tree.parts, follow_symlinks=False))
    except FileNotFoundError:
        return False        # another process has just finished it


def is_old(tree, part):
    """Return whether a part file was left so long ago that nobody will resume it."""
    try:
        return os.stat(part, dir_fd=tree.parts).st_mtime < time.time() - STALE_SECONDS
    except FileNotFoundError:
        return False        # another process has just finished it
