"""The ledger: what a destination holds, and on what proof; SQLite, open to anyone with sqlite3.

It is state, not truth: delete it and everything still works, slower. Rows are recorded only after
their bytes are on the disk.
"""
import os
import stat
from typing import NamedTuple

from s3kit.disk.database import Database
from s3kit.disk.lease_notes import check_host

NAME = "ledger.sqlite3"
SCHEMA = 3
NO_FILE = -1            # mtime_ns of what was found wrong: no file or directory is taken for it
ASKED_AT_ONCE = 256
MOST_BETWEEN = 2        # entries read for each that is asked for; with more it is looked up
SIGN = 1 << 63
DAMAGED = (
    "move it away and keep it: it alone knows which files are the only copies of deleted versions; "
    "a new one is made, and files are checked again")
TABLE = """
CREATE TABLE IF NOT EXISTS object (
    bucket TEXT NOT NULL, key TEXT NOT NULL, version_id TEXT NOT NULL,
    etag TEXT NOT NULL, size INTEGER NOT NULL, last_modified TEXT NOT NULL, storage_class TEXT NOT NULL,
    checksum_algorithm TEXT NOT NULL, checksum_type TEXT NOT NULL, checksum TEXT NOT NULL,
    path TEXT NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    digest TEXT NOT NULL, proof TEXT NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL,
    tries INTEGER NOT NULL, changed_at TEXT NOT NULL,
    PRIMARY KEY (bucket, key, version_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS made (at_ns INTEGER NOT NULL);
DROP INDEX IF EXISTS object_path;
DROP INDEX IF EXISTS object_state;
CREATE UNIQUE INDEX IF NOT EXISTS object_at_path ON object (path) WHERE path != '';
"""  # noqa: E501


class Entry(NamedTuple):
    """What the ledger knows of one object version; `mtime_ns` and `inode` are its file's identity.

    A directory, made for a zero-byte `dir/` placeholder, has a path that ends in `/`, and
    mtime_ns 0: its time moves with its files.
    """

    bucket: str
    key: str
    version_id: str
    etag: str
    size: int
    last_modified: str
    storage_class: str
    checksum_algorithm: str
    checksum_type: str
    checksum: str
    path: str
    mtime_ns: int
    inode: int
    digest: str
    proof: str
    state: str
    error: str = ""
    tries: int = 0
    changed_at: str = ""

    @property
    def is_folder(self):
        """Whether its path is that of a directory."""
        return self.path.endswith("/")

    def is_file(self, status):
        """Return whether os.stat_result `status` is the file that was recorded, untouched since."""
        if self.is_folder:
            return stat.S_ISDIR(status.st_mode)
        return stat.S_ISREG(status.st_mode) and is_same_file(self, status)


def folded(number):
    """Return an mtime_ns or inode as 64 bits with a sign, all that SQLite has.

    Inodes of network file systems fill 64 without one, and so do times after 2262.
    """
    return number if -SIGN <= number < SIGN else (number + SIGN) % (2 * SIGN) - SIGN


def is_same_file(record, status):
    """Return whether an os.stat_result is of the file of an Entry, an Upload or a Sending,
    untouched since.
    """
    return has_identity(record, status.st_size, status.st_mtime_ns, status.st_ino)


def has_identity(record, size, mtime_ns, inode):
    """Return whether these are of the file of a record as SQLite has it."""
    return record.size == size and ((record.mtime_ns, record.inode) == (mtime_ns, inode) or (
        folded(record.mtime_ns), folded(record.inode)) == (folded(mtime_ns), folded(inode)))


def storable(entry):
    """Return an Entry's values as SQLite has them, as a plain tuple, which sqlite3 reads faster."""
    mtime_ns, inode = folded(entry.mtime_ns), folded(entry.inode)
    if (mtime_ns, inode) != (entry.mtime_ns, entry.inode):
        entry = entry._replace(mtime_ns=mtime_ns, inode=inode)
    return tuple(entry)


FIELDS = ", ".join(Entry._fields)
PLACES = ", ".join("?" * len(Entry._fields))
BETWEEN = "FROM object WHERE (bucket, key, version_id) BETWEEN (?, ?, ?) AND (?, ?, ?)"
new_entry = tuple.__new__       # as Entry._make does, without a call of Python's own


class Ledger(Database):
    """One connection to a destination's ledger, in our `folder` in it; a thread needs its own.

    Raises Fault (Held where an s3-fetch of another host is at work).
    """

    table, schema, damaged = TABLE, SCHEMA, DAMAGED

    def __init__(self, folder):
        check_host(folder)
        super().__init__(os.path.join(folder, NAME))

    def first(self):
        """Return the statement that notes when it was made, by the clock of the file system, which
        the times of files are compared with.
        """
        return (f"INSERT INTO made SELECT {os.stat(self.path).st_ctime_ns} WHERE NOT EXISTS "
                "(SELECT 1 FROM made);")

    def is_empty(self):
        """Return whether nothing is known yet."""
        with self.reading():
            return self.base.execute("SELECT 1 FROM object LIMIT 1").fetchone() is None

    def made_ns(self):
        """Return when the ledger was made, in nanoseconds since 1970: of older files it may not
        know all. None if unknown.
        """
        with self.reading():
            return self.base.execute("SELECT max(at_ns) FROM made").fetchone()[0]

    def find(self, bucket, key, version_id):
        """Return the Entry of one object version, or None."""
        with self.reading():
            found = self.base.execute(
                f"SELECT {FIELDS} FROM object WHERE bucket = ? AND key = ? AND version_id = ?",
                (bucket, key, version_id)).fetchone()
        return Entry._make(found) if found else None

    def find_all(self, names):
        """Return {(bucket, key, version id): Entry} of those among `names` that are known, and
        perhaps of others that lie between them.
        """
        found = {}
        for at in range(0, len(names), ASKED_AT_ONCE):
            with self.reading():
                found |= {values[:3]: new_entry(Entry, values)
                          for values in self.around(names[at:at + ASKED_AT_ONCE])}
        return found

    def around(self, asked):
        """Yield the values of the Entries that `find_all` returns, for at most ASKED_AT_ONCE names.

        Manifests nearly always ask in the ledger's own order: then all that lies between the first
        and the last is read at once, which is cheaper than to look up each.
        """
        ends, most = min(asked) + max(asked), MOST_BETWEEN * len(asked)
        [count] = self.base.execute(f"SELECT count(*) FROM (SELECT 1 {BETWEEN} LIMIT ?)",
                                    (*ends, most + 1)).fetchone()
        if count <= most:
            return self.base.execute(f"SELECT {FIELDS} {BETWEEN}", ends)
        # CROSS JOIN keeps SQLite from reading the whole table for each question, as it does for
        # IN (VALUES ...).
        wanted = f"WITH wanted (b, k, v) AS (VALUES {', '.join(['(?, ?, ?)'] * len(asked))})"
        return self.base.execute(f"{wanted} SELECT {FIELDS} FROM wanted CROSS JOIN object "
                                 "ON bucket = b AND key = k AND version_id = v",
                                 [text for name in asked for text in name])

    def versions_in(self, bucket, key, state):
        """Return [(version id, path)] of a key's versions in this state."""
        with self.reading():
            return self.base.execute(
                "SELECT version_id, path FROM object WHERE bucket = ? AND key = ? AND state = ?",
                (bucket, key, state)).fetchall()

    def files_in(self, bucket, states, most):
        """Return [(key, path)] of the first files of a bucket, in the order of keys, that are in
        one of these states and are not empty; at most so many.
        """
        with self.reading():
            return self.base.execute(
                "SELECT key, path FROM object WHERE bucket = ? AND path != '' AND size > 0 AND "
                f"state IN ({', '.join('?' * len(states))}) LIMIT ?",
                (bucket, *states, most)).fetchall()

    def at_path(self, path):
        """Return the Entry whose file lies at `path`, or None."""
        with self.reading():
            found = self.base.execute(f"SELECT {FIELDS} FROM object WHERE path = ? AND path != ''",
                                      (path,)).fetchone()
        return Entry._make(found) if found else None

    def record(self, entries):
        """Write entries in one transaction; what another version held at the same path is forgotten
        (by the index).
        """
        with self.changing():
            self.base.executemany(f"INSERT OR REPLACE INTO object ({FIELDS}) VALUES ({PLACES})",
                                  map(storable, entries))

    def forget(self, path):
        """Forget what lies at a path."""
        with self.told("write"):
            self.base.execute("DELETE FROM object WHERE path = ? AND path != ''", (path,))
