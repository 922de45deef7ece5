"""What people are told when the ledger, or a temporary database, cannot be used."""

import sqlite3
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.disk import sqlite_errors
from s3kit.disk.ledger import Entry, Ledger
from s3kit.disk.sqlite_errors import Broken
from s3kit.disk.path_owners import PathOwners
from s3kit.disk.scratch import Scratch
from s3kit.errors import Fault


def entry(number=0, size=1):
    """Return an Entry with that many bytes of text."""
    return Entry("b", f"k{number}", "v", "e", 1, "", "", "", "", "", f"b/k{number}", 1, 1, "", "",
                 "fetched", "x" * size)


@pytest.fixture
def ledger(tmp_path):
    """Yield a Ledger with one entry."""
    made = Ledger(str(tmp_path))
    made.record([entry()])
    yield made
    made.base.close()


USES = {"record": lambda ledger: ledger.record([entry(1)]),
        "forget": lambda ledger: ledger.forget("b/k0"), "empty": lambda ledger: ledger.is_empty(),
        "find": lambda ledger: ledger.find("b", "k0", "v"),
        "find all": lambda ledger: ledger.find_all([("b", "k0", "v")]),
        "at path": lambda ledger: ledger.at_path("b/k0"),
        "files in": lambda ledger: ledger.files_in("b", ["verified"], 9),
        "sync": lambda ledger: ledger.sync_always(), "close": lambda ledger: ledger.close()}


def failing(error):
    """Return what stands for a connection of which every use fails."""
    class Failing:
        def __getattr__(self, name):
            def fail(*values):
                raise error
            return fail
    return Failing()


@pytest.mark.parametrize("use", USES)
def test_no_raw_error_leaves_the_ledger(ledger, use):
    base, ledger.base = ledger.base, failing(sqlite3.OperationalError("database or disk is full"))
    with pytest.raises(Broken) as told:
        USES[use](ledger)
    ledger.base = base
    assert sqlite_errors.NO_SPACE in str(told.value) and "move" not in str(told.value)


def test_a_full_database_is_told_as_no_space(ledger):
    """SQLite's own error, as of a disk that is full."""
    ledger.base.execute(
        f"PRAGMA max_page_count = {ledger.base.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(Broken, match="cannot write the ledger .*no space left"):
        ledger.record([entry(number, 5000) for number in range(9)])
    assert ledger.find("b", "k0", "v") and not ledger.base.in_transaction


def test_only_damage_is_to_be_moved_away_and_kept(tmp_path):
    (tmp_path / "ledger.sqlite3").write_bytes(b"not a database" * 1000)
    with pytest.raises(Broken, match="is damaged.*move it away and keep it.*only copies"):
        Ledger(str(tmp_path))


@pytest.mark.parametrize("text", ["disk I/O error", "attempt to write a readonly database",
                                  "unable to open database file"])
@pytest.mark.parametrize("why", ["No space left on device", "Read-only file system",
                                 "Disk quota exceeded", "Permission denied"])
def test_where_sqlite_tells_no_errno_the_system_does(ledger, monkeypatch, text, why):
    monkeypatch.setattr(sqlite_errors, "probe", lambda folder: why)
    told = str(ledger.fault("write", sqlite3.OperationalError(text)))
    assert told == f"cannot write the ledger '{ledger.path}': {why}"


def test_a_link_is_not_said_to_be_damaged(tmp_path):
    (tmp_path / "ledger.sqlite3").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Fault, match="is a link") as told:
        Ledger(str(tmp_path))
    assert "move" not in str(told.value)


def test_a_scratch_database_names_its_place(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    scratch = Scratch("CREATE TABLE seen (name TEXT PRIMARY KEY)")
    assert scratch.put("INSERT OR IGNORE INTO seen VALUES (?)", ("a",)) == 1
    assert scratch.put("INSERT OR IGNORE INTO seen VALUES (?)", ("a",)) == 0
    scratch.put_all("INSERT INTO seen VALUES (?)", [("b",), ("c",)])
    assert scratch.one("SELECT count(*) FROM seen") == (3,)
    scratch.base = failing(sqlite3.OperationalError("database or disk is full"))
    for use in (lambda: scratch.put("", ()), lambda: scratch.put_all("", []),
                lambda: scratch.one("")):
        with pytest.raises(Fault,
                           match=f"cannot use a temporary file in '{tmp_path}': no space "
                           "left.*TMPDIR"):
            use()


def test_two_owners_of_a_path():
    claims = PathOwners()
    assert claims.take(1, 7) and claims.take(1, 7) and not claims.take(1, 8) and claims.take(2, 8)


names = st.tuples(st.sampled_from("bc"), st.text("ab\x00/\uffff\U0001f600", min_size=1, max_size=3),
                  st.sampled_from(["", "null", "v"]))


@given(known=st.lists(names, unique=True, max_size=40), more=st.lists(names, max_size=8),
       share=st.integers(1, 9), is_sorted=st.booleans())
def test_many_names_are_found_as_each_of_them_is(known, more, share, is_sorted):
    """Whether they lie close together or far apart, in the ledger's order or in none."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(folder)
        ledger.record([entry(number)._replace(bucket=b, key=k, version_id=v)
                       for number, (b, k, v) in enumerate(known)])
        asked = known[::share] + more
        found = ledger.find_all(sorted(asked) if is_sorted else asked)
        assert {name: found.get(name) for name in asked} == {
            name: ledger.find(*name) for name in asked}
        assert all(ledger.find(*name) == found[name] for name in found)
        ledger.base.close()


@pytest.mark.parametrize("step, is_read", [(1, True), (2, True), (3, False)])
def test_what_lies_between_is_read_where_it_is_little(ledger, step, is_read):
    """Else each name is looked up: 300 of 900 entries are asked for, in two goes."""
    ledger.record([entry(number) for number in range(100, 1000)])
    asked, said = [("b", f"k{number}", "v") for number in range(100, 100 + 300 * step, step)], []
    ledger.base.set_trace_callback(said.append)
    assert set(asked) <= set(ledger.find_all(asked)) and ("b", "k101", "v") in ledger.find_all(
        asked) or not is_read
    assert any("CROSS JOIN" in text for text in said) is not is_read
