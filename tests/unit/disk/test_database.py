"""A database of ours: transactions are whole or nothing, and what SQLite meets is said."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from s3kit.disk.database import Database, set_apart
from s3kit.disk.sqlite_errors import Broken
from s3kit.errors import Fault


class Numbers(Database):
    """A table of numbers."""

    table, schema, damaged = "CREATE TABLE number (value INTEGER PRIMARY KEY);", 2, "throw it away"


@pytest.fixture
def numbers(tmp_path):
    """An empty one."""
    made = Numbers(str(tmp_path / "numbers.sqlite3"))
    yield made
    made.close()


def all_of(numbers):
    """Return the numbers that another connection sees."""
    other = Numbers(numbers.path)
    found = [value for value, in other.base.execute("SELECT value FROM number")]
    other.close()
    return found


@pytest.mark.parametrize("is_durable", [True, False])
def test_a_change_is_whole_or_nothing(numbers, is_durable):
    before = numbers.base.execute("PRAGMA synchronous").fetchone()
    with numbers.changing(is_durable):
        numbers.base.execute("INSERT INTO number VALUES (1)")
        assert (numbers.base.execute("PRAGMA synchronous").fetchone() == (2,)) == is_durable
    with pytest.raises(ZeroDivisionError), numbers.changing(is_durable):
        numbers.base.execute("INSERT INTO number VALUES (2)")
        raise ZeroDivisionError
    with pytest.raises(Broken, match="cannot write"), numbers.changing(is_durable):
        numbers.base.execute("INSERT INTO number VALUES (3)")
        numbers.base.execute("INSERT INTO number VALUES (1)")
    assert all_of(numbers) == [1]
    assert numbers.base.execute("PRAGMA synchronous").fetchone() == before


def test_another_holds_it_too_long(numbers, monkeypatch):
    other = sqlite3.connect(numbers.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    numbers.base.execute("PRAGMA busy_timeout = 10")
    with pytest.raises(Broken, match="locked"), numbers.changing():
        numbers.base.execute("INSERT INTO number VALUES (1)")
    other.close()
    assert all_of(numbers) == []


def test_a_newer_form_is_not_touched(numbers):
    numbers.base.execute("PRAGMA user_version = 3")
    with pytest.raises(Fault, match="newer s3kit"):
        Numbers(numbers.path)


def test_what_is_no_database(tmp_path):
    (tmp_path / "numbers.sqlite3").write_bytes(b"text " * 5000)
    with pytest.raises(Broken, match="damaged.*throw it away"):
        Numbers(str(tmp_path / "numbers.sqlite3"))
    (tmp_path / "link.sqlite3").symlink_to(tmp_path / "numbers.sqlite3")
    with pytest.raises(Fault, match="is a link"):
        Numbers(str(tmp_path / "link.sqlite3"))


def test_it_is_its_owners_alone(tmp_path):
    Numbers(str(tmp_path / "numbers.sqlite3")).close()
    assert (tmp_path / "numbers.sqlite3").stat().st_mode & 0o077 == 0


TRANSACTION = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from unit.disk.test_database import Numbers
numbers = Numbers(sys.argv[2])
numbers.base.execute("INSERT INTO number VALUES (1)")
numbers.base.execute("BEGIN IMMEDIATE")
numbers.base.execute("INSERT INTO number VALUES (2)")
print("stopped", flush=True)
sys.stdin.readline()
numbers.base.execute("COMMIT")
numbers.leave_open()
"""


def test_who_wakes_up_writes_to_what_nobody_reads(tmp_path):
    """A transaction is ended by a process whose files were replaced meanwhile, as on another host;
    what was written since stays, and its log too.
    """
    path = str(tmp_path / "numbers.sqlite3")
    tests = str(Path(__file__).resolve().parents[2])
    other = subprocess.Popen([sys.executable, "-c", TRANSACTION, tests, path], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=os.environ | {"PYTHONPATH": f"{Path(tests).parent}:{tests}"})
    assert other.stdout.readline() == "stopped\n"
    set_apart(path)
    ours = Numbers(path)
    ours.base.execute("INSERT INTO number VALUES (3)")
    other.communicate("go on\n", timeout=20)
    assert other.returncode == 0
    assert os.path.exists(f"{path}-wal") and all_of(ours) == [1, 3]
    ours.base.execute("INSERT INTO number VALUES (4)")
    ours.close()
    ours = Numbers(path)
    assert all_of(ours) == [1, 3, 4]
    assert ours.base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    ours.close()


def test_nothing_is_set_apart_where_nothing_is(tmp_path):
    set_apart(str(tmp_path / "none"))
    assert os.listdir(tmp_path) == []
