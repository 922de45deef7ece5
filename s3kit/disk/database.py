"""A database of ours: one file of SQLite's in a directory of ours, shared by processes."""

import ctypes
import os
import shutil
import sqlite3
import stat
import time
from contextlib import contextmanager, suppress

from s3kit.disk import durable
from s3kit.disk.sqlite_errors import Broken, cause, is_damage
from s3kit.errors import Fault

BUSY_SECONDS = 60


class Database:
    """One connection to the file at `path`; a thread needs its own.

    A subclass says in `table` the statements that make its tables, in `schema` the number of their
    form, in `damaged` what people should do with a file that is damaged.
    """

    table, schema, damaged = "", 1, ""

    def __init__(self, path):
        self.path = path
        end = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self.base = self.open()
                return
            except sqlite3.Error as error:
                # SQLite does not wait by itself for the lock that the change to WAL needs.
                if "locked" not in str(error) or time.monotonic() > end:
                    raise self.fault("open", error) from None
                time.sleep(0.1)

    def open(self):
        """Return a connection, the tables made if they are missing."""
        self.check_files()
        old = os.umask(0o077)
        try:
            base = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None,
                                   check_same_thread=False)
        finally:
            os.umask(old)
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = NORMAL")
        version = base.execute("PRAGMA user_version").fetchone()[0]
        if version > self.schema:
            raise Fault(f"the ledger '{self.path}' is of a newer s3kit")
        if version < self.schema:
            base.executescript(f"BEGIN IMMEDIATE; {self.table} {self.first()} "
                               f"PRAGMA user_version = {self.schema}; COMMIT")
        return base

    def first(self):
        """Return a statement that is done when the tables are made."""
        return ""

    def fault(self, action, error):
        """Return what people must know of SQLite's error."""
        if is_damage(error):
            return Broken(f"the ledger '{self.path}' is damaged: {error} ({self.damaged})")
        return Broken(
            f"cannot {action} the ledger '{self.path}': {cause(error, os.path.dirname(self.path))}")

    @contextmanager
    def told(self, action):
        """Raise Broken for an error of SQLite's, as of a full disk or a damaged file."""
        try:
            yield
        except sqlite3.Error as error:
            raise self.fault(action, error) from None

    def reading(self):
        """Be within this whenever something is read."""
        return self.told("read")

    @contextmanager
    def changing(self, is_durable=False):
        """Be within this to change several rows in one transaction: all of it is written, or where
        an exception leaves it nothing. With `is_durable` a power cut does not take it.
        """
        before = None
        try:
            if is_durable:
                [before] = self.base.execute("PRAGMA synchronous").fetchone()
                self.base.execute("PRAGMA synchronous = FULL")
            self.base.execute("BEGIN IMMEDIATE")
            yield
            self.base.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):  # after an I/O error SQLite has rolled back by itself
                self.base.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self.fault("write", error) from None
            raise
        finally:
            if before is not None:
                with suppress(sqlite3.Error):
                    self.base.execute(f"PRAGMA synchronous = {before}")

    def check_files(self):
        """Raise Fault where SQLite would write through a link to something elsewhere."""
        folder = os.path.dirname(self.path)
        for path in (folder, self.path, f"{self.path}-wal", f"{self.path}-shm"):
            try:
                there = os.lstat(path)
            except FileNotFoundError:
                continue
            if not (stat.S_ISDIR(there.st_mode) if path == folder
                    else stat.S_ISREG(there.st_mode) and there.st_nlink < 2):
                raise Fault(
                    f"cannot open the ledger: '{path}' is a link, or not a regular file: nothing "
                    "is written through it")

    def sync_always(self):
        """Have whatever is recorded from now on survive a power cut, at the cost of a flush each
        time.
        """
        with self.told("write"):
            self.base.execute("PRAGMA synchronous = FULL")

    def leave_open(self):
        """Never close the connection, not even at the end of the process: its last step would move
        the log into the file and remove it, while both are another host's by now.
        """
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.base))

    def close(self):
        """Close the connection.

        What cannot be moved from the log into the file stays in the log.
        """
        with self.told("close"):
            self.base.close()


def set_apart(path):
    """Put copies in the place of a database's files, so that a process of another host that has
    them open, and wakes up, writes to what nobody reads any more. Nobody here may have them open.

    The log goes first: with the file before or after it says the same.
    """
    for name in (f"{path}-wal", path):
        if os.path.exists(name):
            with durable.Replacement(name) as copy, open(name, "rb") as old:
                shutil.copyfileobj(old, copy.file)
    durable.unlink(f"{path}-shm", None)     # SQLite makes it anew from the log
