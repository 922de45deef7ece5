"""The ledger's table of what is not as it should be."""

from types import SimpleNamespace

import pytest

from s3kit.disk.failures import Failure, Failures
from s3kit.disk.ledger import Entry, Ledger
from s3kit.disk.sqlite_errors import Broken

ROW = SimpleNamespace(bucket="b", key="k", version_id="v")


def failure(key="k", state="failed", size=3):
    """Return a Failure."""
    return Failure("b", key, "v", "e", size, "", "", "", "", "", "", "", "", state, "why", "2026")


def entry(key="k"):
    """Return the Entry of a file."""
    return Entry("b", key, "v", "e", 3, "", "", "", "", "", f"b/{key}", 1, 2, "", "size", "fetched")


def found(ledger):
    """Return [(key, state, size)] of the table, or None where there is none."""
    if not ledger.base.execute("SELECT 1 FROM sqlite_master WHERE name = 'failure'").fetchone():
        return None
    return ledger.base.execute("SELECT key, state, size FROM failure").fetchall()


def test_a_failure_is_recorded_and_the_last_one_stays(tmp_path):
    """One a version; nothing is made before the first."""
    ledger = Ledger(tmp_path)
    failures = Failures(ledger)
    failures.record()
    assert found(ledger) is None and not failures.exist
    failures.add(failure())
    failures.add(failure("l", size=None))
    failures.record()
    Failures(ledger).add(failure("m"))          # never recorded
    again = Failures(Ledger(tmp_path))
    again.add(failure(state="vanished"))
    again.record()
    assert found(ledger) == [("k", "vanished", 3), ("l", "failed", None)] and again.exist


def test_what_is_recorded_of_an_object_ends_its_failure(tmp_path):
    """By a connection that knows nothing of failures; others stay."""
    failures = Failures(Ledger(tmp_path))
    for key in "kl":
        failures.add(failure(key))
    failures.record()
    Ledger(tmp_path).record([entry("k"), entry("other")])
    assert found(failures.ledger) == [("l", "failed", 3)]


def test_a_row_whose_file_is_there_has_not_failed(tmp_path):
    """Though nothing is recorded of it; where no failure is known none is looked for."""
    failures = Failures(Ledger(tmp_path))
    failures.over([ROW])
    assert failures.gone == []
    failures.add(failure())
    failures.record()
    failures.over([ROW])
    failures.record()
    assert found(failures.ledger) == []


def test_without_a_ledger_nothing_is_kept():
    """A place that may only be read has none."""
    failures = Failures(None)
    failures.add(failure())
    failures.record()
    assert not failures.news


def test_what_cannot_be_recorded_is_said(tmp_path):
    """All of it, or nothing."""
    failures = Failures(Ledger(tmp_path))
    failures.add(failure())
    failures.record()
    failures.ledger.base.execute("CREATE TRIGGER no BEFORE INSERT ON failure WHEN NEW.key = 'bad' "
                                 "BEGIN SELECT RAISE(FAIL, 'refused'); END")
    failures.add(failure("l"))
    failures.add(failure("bad"))
    with pytest.raises(Broken, match="refused"):
        failures.record()
    assert found(failures.ledger) == [("k", "failed", 3)]
