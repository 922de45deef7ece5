"""Which object version a path belongs to in this run."""

import sqlite3

from s3kit.disk.ledger import Broken


class Claims:
    """Which path belongs to which object version in this run, so that two keys never share a file.

    Kept on disk (SQLite's own temporary file), because a manifest may have any number of rows.
    """

    def __init__(self):
        self.base = sqlite3.connect("", isolation_level=None)
        self.base.execute("CREATE TABLE claim (path INTEGER PRIMARY KEY, owner INTEGER NOT NULL)")
        self.base.execute("BEGIN")

    def take(self, path, owner):
        """Return whether `path` (a 64-bit hash) is now, or was before, `owner`'s (a 64-bit hash)."""
        try:
            done = self.base.execute("INSERT OR IGNORE INTO claim VALUES (?, ?)", (path, owner))
            if done.rowcount:
                return True
            return self.base.execute("SELECT owner FROM claim WHERE path = ?", (path,)).fetchone()[0] == owner
        except sqlite3.Error as error:
            raise Broken(f"cannot note paths in a temporary file: {error} (is there space for them? see TMPDIR)") from None
