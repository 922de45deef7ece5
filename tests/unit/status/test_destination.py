"""The figures of a destination."""

from contextlib import closing

import pytest

from s3kit.disk.failures import Failure, Failures
from s3kit.disk.ledger import Entry, Ledger
from s3kit.disk.uploads import Upload, Uploads
from s3kit.errors import Fault
from s3kit.status import destination
from s3kit.status.destination import figures_of, row_of


def entry(key, state="verified", proof="crc32", error="", tries=0):
    """Return the Entry of a file."""
    return Entry("b", key, "", "e", 3, "", "", "", "", "", f"b/{key}", 1, 2, "", proof, state,
                 error, tries, "2026-01-01T00:00:00Z")


@pytest.fixture
def dest(tmp_path):
    """A destination with what is there, is wrong, was deleted and stored."""
    (tmp_path / ".s3kit").mkdir()
    with closing(Ledger(tmp_path / ".s3kit")) as ledger:
        ledger.record([entry("a"), entry("b", "fetched", "size"), entry("c", "fetched"),
                       entry("d", "mismatch", "", "the bytes do not match S3's crc32"),
                       entry("e", "pruned", tries=1), entry("f", "verified", "given-md5")])
        failures = Failures(ledger)
        failures.add(Failure("b", "c", "", "e", 3, "", "", "", "", "", "b/c", "", "", "missing",
                             "there is no file 'b/c'", "2026-01-03T00:00:00Z"))
        failures.add(Failure("x", "new", "v", "", None, "", "", "", "", "", "", "", "", "failed",
                             "S3 says SlowDown", "2026-01-02T00:00:00Z"))
        failures.record()
        Uploads(ledger).record([Upload("far", "k", "", "", "b", "k", "", "", "p", 9, 1, 1, "", "",
                                       "", "", "", "crc32", "2026-01-04T00:00:00Z")])
    return tmp_path


def test_all_that_the_ledger_knows(dest):
    """Each version once, by the newest that is known of it."""
    figures, more = figures_of(dest)
    facts = figures.facts()
    assert {state: amount["rows"] for state, amount in facts["states"].items()} == {
        "verified": 2, "failed": 1, "fetched": 1, "mismatch": 1, "missing": 1, "pruned": 1}
    assert {name: amount["rows"] for name, amount in facts["buckets"].items()} == {"b": 6, "x": 1}
    assert (facts["rows"], facts["bytes"], facts["rows_of_unknown_size"]) == (7, 18, 1)
    assert facts["proven"]["rows"] == 2 and facts["unanswered_deletions"] == 1
    assert [each["key"] for each in facts["unproven"]["first"]] == list("bcdf") + ["new"]
    assert [each["cause"] for each in facts["errors"]] == [
        "S3 says SlowDown", "the bytes do not match S3's crc32", "there is no file '...'"]
    assert facts["changed_at"] == "2026-01-04T00:00:00Z" and figures.status() == 1
    assert more["uploads"]["stored"] == {"rows": 1, "bytes": 9, "rows_of_unknown_size": 0}
    assert more["destination"] == str(dest)


def test_rows_with_errors_can_be_tried_again(dest, monkeypatch):
    """In their order, with all that names them, in batches."""
    monkeypatch.setattr(destination, "BATCH", 2)
    batches, named = [], []
    figures_of(dest, batches.append, lambda row: named.append(row.key))
    assert [[row.key for row in batch] for batch in batches] == [["c", "d"], ["new"]]
    assert named == ["c", "d", "new"]
    missing, (failed,) = batches[0][0], batches[1]
    assert (missing.state, missing.size, missing.etag, missing.path) == ("missing", "3", "e", "b/c")
    assert (failed.bucket, failed.version_id, failed.size, failed.error) == (
        "x", "v", "", "S3 says SlowDown")


def test_a_row_has_every_column(dest):
    """None of what a Failure has is lost."""
    values = {name: f"<{name}>" for name in Failure._fields if name not in ("size", "changed_at")}
    row = row_of(Failure(**values, size=5, changed_at="2026"))
    assert {name: getattr(row, name) for name in values} == values and row.size == "5"


def test_no_destination(tmp_path):
    """It is said, and nothing is made."""
    with pytest.raises(Fault, match="is no destination"):
        figures_of(tmp_path / "none")
    assert not list(tmp_path.iterdir())
