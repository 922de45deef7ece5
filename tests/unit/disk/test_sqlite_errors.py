"""SQLite's errors in the operating system's words."""

import os
import sqlite3
import sys

import pytest
from limits import file_size

from s3kit.disk import sqlite_errors


def test_the_probe_finds_the_systems_own_reason(tmp_path):
    assert sqlite_errors.probe(str(tmp_path)) == ""
    assert sqlite_errors.probe(str(tmp_path / "none")) == "No such file or directory"
    assert os.listdir(tmp_path) == []
    for room in (0, sqlite_errors.BLOCK - 1):       # the first write may be a short one
        with file_size(room):
            assert sqlite_errors.probe(str(tmp_path)) == "File too large"


def error_of(text, number=None):
    """Return a sqlite3.Error of this text, with a result code where Python names them."""
    error = sqlite3.OperationalError(text)
    if number is not None:
        error.sqlite_errorcode = number
    return error


@pytest.mark.parametrize("text, number, code", [
    ("disk I/O error", None, 10), ("Database or Disk is full", None, 13),
    ("anything", 13, 13), ("disk I/O error", 10 | 3 << 8, 10),     # SQLITE_IOERR_WRITE
    ("no such table: x", None, 0), ("", None, 0)])
def test_the_code_of_an_error(text, number, code):
    """Python's number, of which the low byte is the primary code; before 3.11 SQLite's words."""
    assert sqlite_errors.code_of(error_of(text, number)) == code


def test_sqlite_s_words_have_sqlite_s_codes(tmp_path):
    """Errors of real databases have the codes that the table gives to their words."""
    (tmp_path / "text").write_bytes(b"not a database" * 1000)
    base = sqlite3.connect(tmp_path / "base")
    base.execute("CREATE TABLE t (x)")
    base.execute("PRAGMA max_page_count = 3")
    reader = sqlite3.connect(f"file:{tmp_path / 'base'}?mode=ro", uri=True)
    cases = {26: lambda: sqlite3.connect(tmp_path / "text").execute("SELECT * FROM t"),
             13: lambda: base.execute("INSERT INTO t VALUES (zeroblob(100000))"),
             8: lambda: reader.execute("INSERT INTO t VALUES (1)"),
             14: lambda: sqlite3.connect(tmp_path / "none" / "base")}
    for code, use in cases.items():
        with pytest.raises(sqlite3.Error) as told:
            use()
        assert sqlite_errors.code_of(error_of(str(told.value))) == code
        if sys.version_info >= (3, 11):
            assert sqlite_errors.code_of(told.value) == code


@pytest.mark.parametrize("text, is_damage", [("database disk image is malformed", True),
                                             ("file is not a database", True),
                                             ("disk I/O error", False), ("locked", False)])
def test_what_is_damage(text, is_damage):
    assert sqlite_errors.is_damage(error_of(text)) is is_damage


def test_the_cause_in_the_system_s_words(tmp_path, monkeypatch):
    """Full is full; of what may have any reason a write finds it; all else is SQLite's."""
    there, none = str(tmp_path), str(tmp_path / "none")
    assert sqlite_errors.cause(error_of("database or disk is full"),
                               there) == sqlite_errors.NO_SPACE
    assert sqlite_errors.cause(error_of("disk I/O error"), none) == "No such file or directory"
    assert sqlite_errors.cause(error_of("disk I/O error"), there) == "disk I/O error"
    assert sqlite_errors.cause(error_of("no such table: x"), none) == "no such table: x"


def test_the_folder_of_nameless_databases(tmp_path, monkeypatch):
    """SQLITE_TMPDIR, then TMPDIR, then the system's, as far as they are there."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "one"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "two"))
    assert sqlite_errors.temporary_folder() == str(tmp_path / "one")
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "none"))
    assert sqlite_errors.temporary_folder() == str(tmp_path / "two")
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(os, "access", lambda folder, mode: folder == "/tmp")
    assert sqlite_errors.temporary_folder() == "/tmp"
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    assert sqlite_errors.temporary_folder() == "."
