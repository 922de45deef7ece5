"""A database of ours: transactions are whole or nothing, and what SQLite meets is said."""

import sqlite3

import pytest

from s3kit.disk.database import Database
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
