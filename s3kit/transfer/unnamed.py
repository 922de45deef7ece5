"""Part files that are complete and have not got their names yet.

A file gets its name only after its bytes are on the disk. A file system may write a name long
before the bytes of its file (XFS, btrfs, and ext4 with delayed allocation do): named at once, after
a power cut a file would stand in its place without its bytes. So a worker holds each complete part
until the parent has flushed the file system, and says so. Where that never comes, a later run finds
the part and reads it, instead of fetching the object again.
"""

import os
import resource
from typing import NamedTuple

from s3kit.disk.tree import settle

PARTIAL, COMPLETE = 0o600, 0o700        # permissions of a part file, which nobody executes
MOST_DESCRIPTORS = 1 << 16      # of one worker, where the system gives as many
OPEN_MAX = 10_240       # what macOS takes where it names no limit (sys/syslimits.h)
OTHERS = 256            # descriptors that are not parts: directories, the ledger, libraries


class Complete(NamedTuple):
    """A complete part file: its name and the descriptor that holds it, its size, and the path and
    the time it is to have (see tree.settle).
    """

    part: str
    fd: int
    path: str
    size: int
    mtime_ns: int

    def settle(self, tree, mode):
        """Give it its name; return (path, os.stat_result). Raises OSError, or Fault."""
        return settle(tree, self.part, self.fd, self.path, self.size, self.mtime_ns, mode)


class Unnamed:
    """The complete part files that one worker holds."""

    def __init__(self, tree, mode, connections):
        self.tree, self.mode, self.held = tree, mode, {}
        self.most = descriptors() - OTHERS - 4 * connections

    @property
    def is_full(self):
        """Whether the system lets us hold no more files."""
        return len(self.held) >= self.most

    def keep(self, complete):
        """Take a file over until it is named. Raises OSError; it is not taken over then."""
        os.fchmod(complete.fd, COMPLETE)
        self.held[complete.part] = complete

    def name(self, part):
        """Give a file its name; return (path, inode, mtime_ns), which of a directory is 0.

        Raises OSError, or Fault where something is in the way; the part is then removed.
        """
        self.tree.check_lease()
        complete = self.held.pop(part)
        try:
            path, status = complete.settle(self.tree, self.mode)
            return path, status.st_ino, 0 if path.endswith("/") else status.st_mtime_ns
        except BaseException:
            self.tree.remove_part(part)
            raise
        finally:
            os.close(complete.fd)

    def drop_all(self):
        """Let go of all files: a later run finds them."""
        for complete in self.held.values():
            os.close(complete.fd)
        self.held.clear()


def is_complete(status):
    """Return whether an os.stat_result may be that of a part that was complete when its holder
    ended; where a file system keeps no permissions, all are. Only its bytes can tell.
    """
    return bool(status.st_mode & COMPLETE & ~PARTIAL)


def descriptors():
    """Return how many files this process may have open, after asking for as many as it can get."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= MOST_DESCRIPTORS:
        return MOST_DESCRIPTORS
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    for wanted in (most, OPEN_MAX):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
        except (OSError, ValueError):
            pass
    return soft
