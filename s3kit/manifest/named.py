"""What the rows of a manifest name: paths, and keys with their versions.

On disk, for it may have any number of rows.
"""

from s3kit.disk.paths import key_of, path_of, version_of
from s3kit.disk.scratch import Scratch
from s3kit.etags import old

ANY, OTHER = "*", "other"  # a row that says nothing of its version; the mark of such a row's file


class Named:
    """Paths and versions that rows name.

    A path may have marks that a row cannot foresee (`a%f` beside `a/`, `A%=...` beside `a`,
    `d/%_`): what is compared is the key and the version that a path stands for.
    """

    def __init__(self):
        self.base = Scratch("CREATE TABLE path (path BLOB PRIMARY KEY) WITHOUT ROWID",
                            "CREATE TABLE version (bucket TEXT, key TEXT, mark TEXT,"
                            " PRIMARY KEY (bucket, key, mark)) WITHOUT ROWID")

    def add(self, row, entry):
        """Take a row, and the ledger's entry of it (or None)."""
        paths = {row.path, entry.path if entry else "", path_of(row.bucket, row.key),
                 *(path_of(row.bucket, row.key, row.version_id or etag or OTHER)
                   for etag in (row.etag, old(row.etag)))}
        self.base.put_all("INSERT OR IGNORE INTO path VALUES (?)",
                          [(raw(path.rstrip("/")),) for path in paths if path])
        marks = {"", row.version_id, row.etag, old(row.etag),
                 "" if row.version_id or row.etag else ANY}
        self.base.put_all("INSERT OR IGNORE INTO version VALUES (?, ?, ?)",
                          [(row.bucket, row.key, mark) for mark in marks])

    def has_file(self, path, entry):
        """Return whether a row names a file at a path, of which the ledger says `entry` (or None).
        """
        if self.has_path(path):
            return True
        if entry and self.has(entry.bucket, entry.key,
                              {entry.version_id, entry.etag, old(entry.etag)} - {""}):
            return True
        if not is_text(path):
            return False
        try:
            bucket, key = key_of(path)
        except ValueError:
            return False
        version = version_of(path)
        return self.has(bucket, key, {"" if version in ("", OTHER) else version})

    def has_folder(self, path):
        """Return whether a row names a directory: an object whose key ends in `/`."""
        try:
            return self.has_path(path) or (is_text(path) and self.has(*key_of(f"{path}/"), {""}))
        except ValueError:
            return False

    def has_path(self, path):
        """Return whether a row names a path as such."""
        return self.base.one("SELECT 1 FROM path WHERE path = ?", (raw(path),)) is not None

    def has(self, bucket, key, marks):
        """Return whether a row names a key with one of the marks."""
        places = ", ".join("?" * (len(marks) + 1))
        return self.base.one(
            f"SELECT 1 FROM version WHERE bucket = ? AND key = ? AND mark IN ({places})",
            (bucket, key, ANY, *marks)) is not None


def raw(path):
    """Return a path as the file system has it."""
    return path.encode("utf-8", "surrogateescape")


def is_text(path):
    """Return whether a path is UTF-8, as every key is."""
    return raw(path).decode("utf-8", "replace") == path
