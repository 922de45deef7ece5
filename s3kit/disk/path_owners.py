"""Which object version a path belongs to in this run."""

from s3kit.disk.scratch import Scratch


class PathOwners:
    """Which path belongs to which object version in this run, so that two keys never share a file.

    Kept on disk, because a manifest may have any number of rows.
    """

    def __init__(self):
        self.base = Scratch("CREATE TABLE claim (path INTEGER PRIMARY KEY, owner INTEGER NOT NULL)")

    def take(self, path, owner):
        """Return whether `path` (a 64-bit hash) is now, or was before, `owner`'s (a 64-bit hash).

        Raises Fault.
        """
        if self.base.put("INSERT OR IGNORE INTO claim VALUES (?, ?)", (path, owner)):
            return True
        return self.base.one("SELECT owner FROM claim WHERE path = ?", (path,))[0] == owner
