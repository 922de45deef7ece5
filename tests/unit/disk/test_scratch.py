"""Temporary tables: they live on the disk, leave nothing there, and fail in words."""

import os
import threading

import pytest
from limits import file_size

from s3kit.disk.scratch import Scratch
from s3kit.disk.sqlite_errors import Broken, temporary_folder

TABLE = "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)"
INSERT = "INSERT OR IGNORE INTO t VALUES (?, ?)"


@pytest.fixture
def small_files():
    """No file may grow beyond 32 KiB."""
    with file_size(1 << 15):
        yield


def temporary_files():
    """Return the files without a name that this process has open."""
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    return [os.readlink(link) for link in links
            if os.path.islink(link) and "etilqs" in os.readlink(link)]


def test_rows_go_in_and_are_found():
    """A statement says how many rows it changed; a query that finds none says None."""
    base = Scratch(TABLE, "CREATE TABLE other (k)")
    assert base.put(INSERT, (1, "one")) == 1
    assert base.put(INSERT, (1, "two")) == 0
    base.put_all(INSERT, ((number, str(number)) for number in range(2, 5)))
    base.put_all("INSERT INTO other VALUES (?)", [])
    assert base.one("SELECT v FROM t WHERE k = ?", (1,)) == ("one",)
    assert base.one("SELECT count(*) FROM t") == (4,)
    assert base.one("SELECT v FROM t WHERE k = 9") is None
    assert base.one("SELECT k FROM other") is None
    base.close()


def test_more_than_memory_should_hold():
    """It goes to a file without a name, and with the tables the file is gone."""
    before = temporary_files()
    base = Scratch(TABLE)
    base.put_all(INSERT, ((number, "x" * 1000) for number in range(8000)))
    grown = [name for name in temporary_files() if name not in before]
    assert grown and all(name.endswith("(deleted)") for name in grown)
    assert base.one("SELECT count(*), sum(length(v)) FROM t") == (8000, 8_000_000)
    base.close()
    assert temporary_files() == before


@pytest.mark.parametrize("at_once", [False, True])
def test_no_room_on_the_disk(small_files, at_once):
    """The message names the place, the cause, and what to do."""
    base = Scratch(TABLE)
    rows = ((number, "x" * 1000) for number in range(8000))
    with pytest.raises(Broken) as error:
        if at_once:
            base.put_all(INSERT, rows)
        else:
            for row in rows:
                base.put(INSERT, row)
    assert str(error.value) == (f"cannot use a temporary file in '{temporary_folder()}': "
                                "File too large (TMPDIR names another place)")


@pytest.mark.parametrize("use", [
    lambda base: base.put("INSERT INTO absent VALUES (1)", ()),
    lambda base: base.put_all("INSERT INTO absent VALUES (?)", [(1,)]),
    lambda base: base.one("SELECT * FROM absent"),
    lambda base: list(base.all("SELECT * FROM absent"))])
def test_every_method_says_what_is_wrong_in_the_same_way(use):
    """No error of SQLite's own comes out."""
    with pytest.raises(Broken, match="no such table: absent"):
        use(Scratch(TABLE))
    with pytest.raises(Broken, match="syntax error"):
        Scratch("CREATE nonsense")


def test_another_thread_may_go_on():
    """Where it was said; else Python refuses it."""
    base = Scratch(TABLE, any_thread=True)
    thread = threading.Thread(target=base.put, args=(INSERT, (1, "one")))
    thread.start()
    thread.join()
    assert list(base.all("SELECT * FROM t")) == [(1, "one")]
