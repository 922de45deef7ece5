"""A destination's ledger as it is at one moment, opened only to be read: also while commands change
it, by whoever may read it, and on a disk that nobody can write to.
"""

import os
import sqlite3
from urllib.parse import quote

from s3kit.disk.database import BUSY_SECONDS, Database
from s3kit.disk.failures import Failure
from s3kit.disk.lease_notes import check_host
from s3kit.disk.ledger import DAMAGED, NAME, SCHEMA
from s3kit.disk.sqlite_errors import CANTOPEN, READONLY, Broken, code_of, is_damage
from s3kit.errors import Fault, of_file, reason

BITS = 40               # of a sum of bytes in SQLite's lower number: a whole one could be too large
LOW = (1 << BITS) - 1
SUMS = f"count(*), sum(size >> {BITS}), sum(size & {LOW}), sum(size IS NULL)"
PLACE = "bucket, key, version_id"
# `tries` of a pruned version: S3 was asked to delete it, and nobody knows its answer.
OBJECTS = """
SELECT bucket, state, proof, {sums}, sum(state = 'pruned' AND tries > 0), max(changed_at)
FROM object WHERE {current} GROUP BY bucket, state, proof"""
FAILURES = """
UNION ALL SELECT bucket, state, proof, {sums}, 0, max(changed_at)
FROM failure GROUP BY bucket, state, proof"""
NOT_FAILED = ("NOT EXISTS (SELECT 1 FROM failure WHERE failure.bucket = object.bucket AND "
              "failure.key = object.key AND failure.version_id = object.version_id)")
COLUMNS = ", ".join(Failure._fields)


class Snapshot(Database):
    """The ledger of the destination `dest`; every method tells of the moment when it was opened.

    Raises Fault where there is none, or it cannot be read.
    """

    schema, damaged = SCHEMA, DAMAGED

    def __init__(self, dest, ours):
        self.dest, self.alone = dest, None
        check_host(os.path.join(dest, ours))
        super().__init__(os.path.join(dest, ours, NAME))
        with self.reading():
            self.tables = {name for name, in self.base.execute("SELECT name FROM sqlite_master")}

    def open(self):
        """Return a connection that has begun to read."""
        try:
            os.close(os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
        except FileNotFoundError:
            raise Fault(f"'{self.dest}' is no destination of s3-fetch or s3-put: there is no "
                        f"'{self.path}'") from None
        except OSError as error:
            raise of_file("read the ledger", self.path, error) from None
        self.check_files()
        try:
            return self.connect("mode=ro")
        except sqlite3.Error as error:
            if code_of(error) not in (READONLY, CANTOPEN) or self.has_log():
                raise
        # SQLite reads it without a log of changes only where it is told that there are none.
        self.alone = self.state()
        return self.connect("mode=ro&immutable=1")

    def connect(self, how):
        """Return a connection of this kind, within a transaction: nothing that comes later is seen.
        """
        base = sqlite3.connect(f"file:{quote(os.path.abspath(self.path))}?{how}", uri=True,
                               timeout=BUSY_SECONDS, isolation_level=None)
        base.execute("BEGIN")
        [version] = base.execute("PRAGMA user_version").fetchone()
        base.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if version > self.schema:
            raise Fault(f"the ledger '{self.path}' is of a newer s3kit")
        return base

    def fault(self, action, error):
        """Return what people must know of SQLite's error; nothing is written to learn more."""
        if is_damage(error):
            return Broken(f"the ledger '{self.path}' is damaged: {error} ({self.damaged})")
        more = (": it has a log of changes, which only who may write there can read"
                if self.has_log() and code_of(error) in (READONLY, CANTOPEN) else "")
        return Broken(f"cannot read the ledger '{self.path}': {reason(error)}{more}")

    def has_log(self):
        """Return whether there are changes beside the file itself."""
        try:
            return os.stat(f"{self.path}-wal").st_size > 0
        except OSError:
            return False

    def state(self):
        """Return what tells whether the file was changed."""
        status = os.stat(self.path)
        return status.st_size, status.st_mtime_ns, status.st_ino, self.has_log()

    def check(self):
        """Raise Fault where what was read may be of several moments, as can be without the right to
        write there.
        """
        if self.alone and self.alone != self.state():
            raise Fault(f"the ledger '{self.path}' was changed while it was read: run the same "
                        "command again")

    def has(self, table):
        """Return whether there is a table of this name."""
        return table in self.tables

    def amounts(self):
        """Yield (bucket, state, proof, rows, bytes, rows of unknown size, rows that S3 was asked to
        delete without an answer, time of the last change); some may come in several parts.
        """
        if not self.has("object"):
            return
        failures = self.has("failure")
        query = OBJECTS.format(sums=SUMS, current=NOT_FAILED if failures else "true")
        if failures:
            query += FAILURES.format(sums=SUMS)
        for *name, rows, high, low, unknown, unanswered, at in self.rows_of(query):
            size = ((high or 0) << BITS) + (low or 0)
            yield (*name, rows, size, unknown, unanswered, at)

    def versions(self, where, values=(), most=-1):
        """Yield the Failures, and as such the objects, of which the SQL condition `where` holds, in
        the order of their keys; at most so many.
        """
        if not self.has("object"):
            return
        query = f"SELECT {COLUMNS} FROM object WHERE ({where})"
        if self.has("failure"):
            query = (f"SELECT {COLUMNS} FROM failure WHERE ({where}) UNION ALL "
                     f"{query} AND {NOT_FAILED}")
            values = (*values, *values)
        query += f" ORDER BY {PLACE} LIMIT {most}"
        yield from map(Failure._make, self.rows_of(query, values))

    def uploads(self):
        """Yield (target's bucket, far_proof, rows, bytes, 0, time of the last change) of what
        s3-put has stored from here.
        """
        if self.has("upload"):
            for *name, rows, high, low, unknown, at in self.rows_of(
                    f"SELECT to_bucket, far_proof, {SUMS}, max(changed_at) FROM upload "
                    "GROUP BY to_bucket, far_proof"):
                yield (*name, rows, (high << BITS) + low, unknown, at)

    def sendings(self):
        """Return how many uploads were begun and are not complete."""
        if not self.has("sending"):
            return 0
        [[number]] = self.rows_of("SELECT count(*) FROM sending")
        return number

    def rows_of(self, query, values=()):
        """Yield what a query finds, as it is read. Raises Broken."""
        with self.reading():
            yield from self.base.execute(query, values)
