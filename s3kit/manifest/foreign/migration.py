"""The state of the S3 Management Tools' migrations: an SQLite database with a table `files`
(https://github.com/SatoshiReport/aws-s3-migration, migration_state.py, migration_state_v2.py).

Of both versions. The first notes what became of each file, the second of each bucket. Neither knows
versions, and what either calls verified was compared by size, here and there by MD5, so that no
proof comes from them.
"""

import os
import sqlite3
from pathlib import PurePosixPath
from urllib.parse import quote

from s3kit.disk.paths import is_inside
from s3kit.disk.sqlite_errors import READONLY, code_of, is_damage
from s3kit.errors import Fault, of_file, reason
from s3kit.manifest import base
from s3kit.manifest.row import COLUMNS, FAILED, FETCHED, LISTED, Row, encode, from_values

BATCH = 1000
WAL = 2                 # of the file format's numbers at bytes 18 and 19 of an SQLite database
SAID = "migration_state"        # the column in which their own word goes along
# What is in an archive and was asked for stays `listed`: S3 alone knows how far that has come.
WAITING = {"discovered", "glacier_restore_requested", "glacier_restoring", "downloading"}
HERE = {"downloaded", "verified", "deleted"}
SEEDED = "synced"       # by state_db_admin.py, from files on the disk: S3 was not asked
STATES = {**dict.fromkeys(WAITING, LISTED), **dict.fromkeys(HERE | {SEEDED}, FETCHED),
          "error": FAILED}
# Of the second version's buckets, in the order of its phases.
PHASES = (("sync_complete", "downloaded"), ("verify_complete", "verified"),
          ("delete_complete", "deleted"))
NEEDED = ("bucket", "key", "size", "state")
WANTED = (*NEEDED, "etag", "storage_class", "last_modified", "local_path", "error_message")


class Database(base.Reader):
    """A database to read: iterate over `batches`. Nothing is written into it or beside it."""

    form = "migration"
    extras = (SAID,)

    def __init__(self, path, bucket=""):
        self.path, self.bucket = path, bucket
        self.count = 0

    def batches(self):
        """Yield lists of rows, by bucket and key. Raises Fault."""
        try:
            # The thread that reads the input need not be that which began with it, nor ends it.
            database = sqlite3.connect(self.address(), uri=True, check_same_thread=False)
            try:
                database.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
                database.execute("PRAGMA query_only = ON")
                database.execute("PRAGMA trusted_schema = OFF")
                yield from self.rows(database)
            finally:
                database.close()
        except sqlite3.Error as error:
            raise Fault(f"cannot read '{self.path}': {self.cause(error)}") from None

    def address(self):
        """Return the URI by which SQLite neither changes the file nor puts another beside it.

        A database in WAL mode has its last commits in a file beside it, or none when nobody has it
        open; only then can it be read as if it never changed. Raises Fault.
        """
        path = os.path.realpath(self.path)
        if not os.path.isfile(path):
            raise Fault(f"'{self.path}' is not a file, and a database cannot come through a pipe")
        try:
            with open(path, "rb") as file:
                head = file.read(20)
        except OSError as error:
            raise of_file("open", self.path, error) from None
        address = f"file:{quote(os.fsencode(path))}?mode=ro"
        if WAL not in head[18:20]:
            return address
        if not os.path.exists(path + "-wal"):
            return address + "&immutable=1"
        raise Fault(
            f"'{self.path}' is still open, or its last changes were left in '{self.path}-wal': "
            f"sqlite3 '{self.path}' 'pragma journal_mode = delete' puts them in")

    def cause(self, error):
        """Return why SQLite failed, in words that help."""
        if is_damage(error):
            return "it is damaged, or compressed, and not an SQLite database as it is"
        if code_of(error) == READONLY:
            return ("what wrote it was killed, and its last changes must be undone first: "
                    f"sqlite3 '{self.path}' .schema does that")
        return reason(error)

    def rows(self, database):
        """Yield lists of rows. Raises Fault where this is another database."""
        columns = columns_of(database, "files")
        if not columns.issuperset(NEEDED):
            raise Fault(f"'{self.path}' is an SQLite database, but not a migration's: "
                        f"it has no table 'files' with {', '.join(NEEDED)}")
        phases = phases_of(database)
        named = ", ".join(name if name in columns else f"NULL AS {name}" for name in WANTED)
        cursor = database.execute(f"SELECT {named} FROM files ORDER BY bucket, key")
        while found := cursor.fetchmany(BATCH):
            rows = [self.row(dict(zip(WANTED, map(text_of, record))), phases) for record in found]
            yield rows

    def row(self, record, phases):
        """Return the Row of a record; `phases` is what the second version knows of buckets."""
        self.count += 1
        said = record["state"]
        bucket, key = record["bucket"] or self.bucket, record["key"]
        cells = dict.fromkeys(COLUMNS, "") | {
            "bucket": bucket, "key": encode(key), "size": record["size"], "etag": record["etag"],
            "storage_class": record["storage_class"], "last_modified": utc(record["last_modified"])}
        if said not in STATES:
            return Row(state=FAILED, error=f"row {self.count}: a migration has no state '{said}'",
                       verbatim=cells)
        if said == "discovered":
            said = phases.get(bucket, said)
        cells["state"] = STATES[said]
        if said == "error":
            cells["error"] = " ".join(record["error_message"].split()) or "the migration failed"
        elif cells["state"] == FETCHED:
            path = path_of(bucket, key, record["local_path"])
            cells |= {"path": encode(path)} if path else {"state": LISTED}
        if said == SEEDED:
            # These are the file's, or nobody's.
            cells |= {"size": "", "last_modified": "", "storage_class": ""}
        return from_values(list(cells.values()), self.count, {SAID: said}, "row")


def columns_of(database, table):
    """Return the names of a table's columns; none where there is no such table."""
    return {text_of(record[1]) for record in database.execute(f"PRAGMA table_info({table})")}


def phases_of(database):
    """Return {bucket: the state of its files} of the buckets that the second version has synced."""
    columns, found = columns_of(database, "bucket_status"), {}
    for phase, state in PHASES:
        if phase in columns:
            found.update((text_of(bucket), state) for bucket, in database.execute(
                f"SELECT bucket FROM bucket_status WHERE {phase}"))
    return found


def text_of(value):
    """Return a value of SQLite's, which may have any type in any column, as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return "" if value is None else str(value)


def utc(time):
    """Return a time as Python writes it in UTC in the way that rows have it."""
    return f"{time[:-6]}Z" if time.endswith("+00:00") else time


def path_of(bucket, key, local_path):
    """Return where a file lies relative to LOCAL_BASE_PATH, '' where it is not below the bucket's
    directory.

    `local_path` is the whole path as the first version notes it; the second notes none.
    """
    path = str(PurePosixPath(bucket, key))
    if not path.startswith(bucket + "/") or not is_inside(path):
        return ""
    if not local_path:
        return "" if key.endswith("/") else path
    return path if f"/{local_path}".endswith(f"/{path}") else ""


def opened(form, path, bucket, columns):
    """Return what reads a migration's database at `path`."""
    return Database(path, bucket)
