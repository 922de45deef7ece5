"""A migration's SQLite database, of both versions of the tool; golden dumps are of databases that
their own classes have filled.
"""

import gzip
import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
from odd_keys import KEYS

from s3kit.errors import Fault
from s3kit.manifest import foreign
from s3kit.manifest.foreign.migration import BATCH, STATES, opened, path_of
from s3kit.manifest.row import FAILED, FETCHED, LISTED
from s3kit.manifest.streams import Input

GOLDEN = Path(__file__).resolve().parents[3] / "support" / "golden"
BASE = "/Volumes/Extreme SSD/s3_backup/"
FILES = "(bucket TEXT, key TEXT, size INTEGER, etag TEXT, storage_class TEXT, " \
        "last_modified TEXT, local_path TEXT, state TEXT, error_message TEXT)"


@pytest.fixture
def database(tmp_path):
    """Return database(a golden's name) -> path, in a directory of its own."""
    def make(name):
        path = tmp_path / "it's a #? %41 state" / f"{name}.db"
        path.parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(path)) as made:
            made.executescript((GOLDEN / f"{name}.sql").read_bytes().decode())
        return path
    return make


@pytest.fixture
def files(tmp_path):
    """Return files(records) -> path of a database with a table `files` that has them."""
    def make(*records):
        path = tmp_path / "files.db"
        with closing(sqlite3.connect(path)) as made, made:
            made.execute(f"CREATE TABLE files {FILES}")
            made.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", records)
        return path
    return make


def read(path, bucket=""):
    """Return all rows."""
    return [row for rows in opened("migration", str(path), bucket, None).batches() for row in rows]


def beside(path):
    """Return what lies in a file's directory, with its bytes."""
    return {entry.name: hashlib.sha256(entry.read_bytes()).hexdigest()
            for entry in path.parent.iterdir()}


def test_the_first_version(database):
    """Odd keys, every state; what it verified is not verified, and proves nothing."""
    path = database("migration-1")
    rows = read(path)
    assert [row.key for row in rows] == sorted(KEYS, key=str.encode)
    assert {(row.extra["migration_state"], row.state) for row in rows if row.path or row.error} == {
        ("downloaded", FETCHED), ("verified", FETCHED), ("deleted", FETCHED), ("error", FAILED)}
    assert {row.extra["migration_state"] for row in rows} == set(STATES) - {"synced"}
    assert {(row.proof, row.digest, row.checksum, row.version_id) for row in rows} == {("",) * 4}
    by_key = {row.key: row for row in rows}
    assert by_key["plain"].last_modified == "2025-10-29T17:04:00Z"
    assert (by_key["a%20b"].etag, by_key["a%20b"].path) == (f"{3:032x}", "odd-bucket/a%20b")
    assert {row.error for row in rows if row.state == FAILED} == {
        "Download failed: An error occurred (403) when calling HeadObject: Forbidden"}


def test_local_paths_are_below_the_bucket_or_not_known(database):
    """A key that led elsewhere is not said to be here: nobody can look there."""
    with closing(sqlite3.connect(database("migration-1"))) as made:
        places = dict(made.execute("SELECT key, local_path FROM files"))
    for key, place in places.items():
        path = path_of("odd-bucket", key, place)
        if path and place:
            assert place == BASE + path, key
    assert path_of("b", "../up", "/x/b/../up") == path_of("b", "/abs", "/abs") == ""
    assert path_of("b", "a//b", "/x/b/a/b") == "b/a/b" and path_of("b", "a", "/x/c/a") == ""
    assert path_of("b", ".", "") == path_of("b", ".s3kit/../../x", "") == path_of("", "k", "") == ""


def test_the_second_version_knows_buckets(database):
    """What was synced lies here; what is in an archive is for S3 to say."""
    rows = read(database("migration-2"))
    assert {(row.bucket, row.extra["migration_state"], row.state) for row in rows
            if row.key == "dir/b"} == {
        ("scanned", "discovered", LISTED), ("synced", "downloaded", FETCHED),
        ("verified", "verified", FETCHED), ("gone", "deleted", FETCHED)}
    synced = {row.key: (row.state, row.path) for row in rows if row.bucket == "synced"}
    assert synced == {"a": (FETCHED, "synced/a"), "dir/b": (FETCHED, "synced/dir/b"),
                      "dir//c": (FETCHED, "synced/dir/c"), "dir/": (LISTED, ""),
                      "../up": (LISTED, "")}
    frozen, = [row for row in rows if row.bucket == "frozen"]
    assert (frozen.state, frozen.storage_class, frozen.restore) == (LISTED, "DEEP_ARCHIVE", "")


def test_what_was_made_from_the_disk_says_nothing_of_s3(files):
    """Size, time and class are the file's, or nobody's; they would be held against S3's."""
    row, = read(files(("b", "k", 12, None, "STANDARD", "2025-01-01T00:00:00+00:00", "/x/b/k",
                       "synced", None)))
    assert (row.size, row.last_modified, row.storage_class, row.path) == ("", "", "", "b/k")


def test_values_of_any_type(files):
    """SQLite has any type in any column: all are read as text, and held to what rows may have."""
    rows = read(files(
        ("b", "007", 9223372036854775807, None, None, None, None, "discovered", None),
        ("b", b"blob\xff", 1, None, None, None, None, "discovered", None),
        ("b", "k", 1.5, None, None, None, None, "discovered", None),
        ("b", "l", -1, None, None, None, None, "discovered", None),
        ("b", "m", 1, None, None, None, None, "verified by hand", None),
        (None, "n", 1, None, None, None, None, None, None)), bucket="given")
    assert [row.error for row in rows] == [
        "row 1: a migration has no state ''", "",
        "row 3: size '1.5' is not a number of bytes", "row 4: size '-1' is not a number of bytes",
        "row 5: a migration has no state 'verified by hand'", "row 6: the key is not Unicode text"]
    assert (rows[1].key, rows[1].size) == ("007", "9223372036854775807")
    assert rows[0].verbatim["bucket"] == "given"


def test_many_rows_come_in_batches(files):
    """By bucket and key, as S3 lists them."""
    path = files(*(("b", f"{at:05d}", 1, None, None, None, None, "discovered", None)
                   for at in range(BATCH * 2, -1, -1)))
    batches = list(opened("migration", str(path), "", None).batches())
    assert [len(rows) for rows in batches] == [BATCH, BATCH, 1]
    assert [row.key for rows in batches for row in rows] == [
        f"{at:05d}" for at in range(BATCH * 2 + 1)]


def test_threads_may_take_turns(files):
    """Commands look at the first batch, and have a thread read on."""
    path = files(*(("b", f"{at}", 1, None, None, None, None, "discovered", None)
                   for at in range(BATCH + 1)))
    batches, found = opened("migration", str(path), "", None).batches(), []
    found.append(next(batches))
    thread = Thread(target=lambda: found.extend(batches))
    thread.start()
    thread.join()
    assert [len(rows) for rows in found] == [BATCH, 1]


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_nothing_is_changed_and_nothing_appears_beside(database, mode):
    """Whatever its journal mode, while it is read and after."""
    path = database("migration-1")
    with closing(sqlite3.connect(path)) as made:
        made.execute(f"PRAGMA journal_mode = {mode}")
    before, status = beside(path), os.stat(path)
    during = []
    for _ in opened("migration", str(path), "", None).batches():
        during.append(beside(path))
    assert during and all(seen == before for seen in [*during, beside(path)])
    assert os.stat(path).st_mtime_ns == status.st_mtime_ns


def test_last_changes_that_lie_beside_it_are_not_missed(database):
    """A database that is open, or was left, in WAL mode has them in another file."""
    path = database("migration-1")
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = wal")
        made.execute("UPDATE files SET state = 'error'")
        made.commit()
        before = beside(path)
        with pytest.raises(Fault, match="its last changes were left in '.*-wal': sqlite3 "):
            read(path)
        assert beside(path) == before


def test_a_change_that_was_cut_is_not_read(database, tmp_path):
    """The file of a program that was killed while it wrote has half a change in it; what it was
    before lies beside it.
    """
    path = database("migration-1")
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("PRAGMA cache_size = 1")
        made.execute("BEGIN IMMEDIATE")
        made.execute("UPDATE files SET state = 'error', error_message = hex(randomblob(4000))")
        folder = tmp_path / "copy"
        folder.mkdir()
        for entry in path.parent.iterdir():
            (folder / entry.name).write_bytes(entry.read_bytes())
        made.execute("ROLLBACK")
    copy = folder / path.name
    assert (folder / f"{path.name}-journal").stat().st_size
    before = beside(copy)
    with pytest.raises(Fault, match="was killed, .* sqlite3 '.*' .schema"):
        read(copy)
    assert beside(copy) == before


@pytest.mark.parametrize("sql, why", [
    ("CREATE TABLE object (bucket, key, state)", "not a migration's"),
    ("CREATE TABLE files (path, size)", "no table 'files' with bucket, key, size, state")])
def test_other_databases(tmp_path, sql, why):
    """Our own ledger is one of them."""
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute(sql)
    with pytest.raises(Fault, match=why):
        read(path)


def test_damaged_and_no_file(database, tmp_path):
    """Said in words, and with the rows that came before."""
    path = database("migration-1")
    data = path.read_bytes()
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))
    with pytest.raises(Fault, match="it is damaged"):
        read(path)
    path.write_bytes(b"no database at all, but long enough")
    with pytest.raises(Fault, match="not an SQLite database"):
        read(path)
    with pytest.raises(Fault, match="is not a file"):
        read(tmp_path)
    path.write_bytes(gzip.compress(data))
    with pytest.raises(Fault, match="or compressed, and not an SQLite database as it is"):
        list(Input(os.open(path, os.O_RDONLY), str(path)).batches())


def test_recognition_and_standard_input(database):
    """By its first bytes; what comes through a pipe has no place for SQLite to look at."""
    path = database("migration-2")
    assert foreign.recognised(path.read_bytes()[:foreign.HEAD]) == "migration"
    fd = os.open(path, os.O_RDONLY)
    try:
        made = Input(fd, str(path))
        rows = [row for rows in made.batches() for row in rows]
        assert len(rows) == 21 and list(made.extras) == ["migration_state"]
        saved = os.dup(0)
        os.lseek(fd, 0, 0)
        os.dup2(fd, 0)
        try:
            with pytest.raises(Fault, match="must be given by name"):
                list(Input(0, "standard input").batches())
        finally:
            os.dup2(saved, 0)
            os.close(saved)
    finally:
        os.close(fd)
