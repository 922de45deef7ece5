"""A temporary database on disk, for sets of rows that may not fit in memory."""

import sqlite3

from s3kit.disk.sqlite_errors import Broken, cause, temporary_folder


class Scratch:
    """Tables of SQLite's in a file without a name, which is gone when it is closed.

    Every method raises Broken where SQLite cannot write or read it. With `any_thread` a thread may
    go on with it where another has ended.
    """

    def __init__(self, *tables, any_thread=False):
        self.base = self.do(sqlite3.connect, "", isolation_level=None,
                            check_same_thread=not any_thread)
        for statement in (*tables, "BEGIN"):  # one transaction: nothing is ever to survive
            self.do(self.base.execute, statement)

    def do(self, call, *values, **options):
        """Return what a call of SQLite's returns, its errors said as what they are."""
        try:
            return call(*values, **options)
        except sqlite3.Error as error:
            folder = temporary_folder()
            raise Broken(
                f"cannot use a temporary file in '{folder}': {cause(error, folder)} (TMPDIR names "
                "another place)") from None

    def put(self, statement, values):
        """Do a statement with one row of values; return how many rows it changed."""
        return self.do(self.base.execute, statement, values).rowcount

    def put_all(self, statement, many):
        """Do a statement with each of many rows of values."""
        self.do(self.base.executemany, statement, many)

    def one(self, query, values=()):
        """Return the first row that a query finds, or None."""
        return self.do(lambda: self.base.execute(query, values).fetchone())

    def all(self, query, values=()):
        """Yield the rows that a query finds, as they are read."""
        cursor = self.do(self.base.execute, query, values)
        while found := self.do(cursor.fetchmany, 100):
            yield from found

    def close(self):
        """Let go of the file."""
        self.base.close()
