"""What the ledger is told of a row's file."""

from s3kit.manifest.row import COLUMNS, FAILED, Row
from s3kit.pipeline.entries import entry_of, failure_of


def test_an_entry_has_all_that_the_row_says():
    """Each under its own name, and the file's size, time and inode as given."""
    row = Row(**{name: f"<{name}>"
                 for name in COLUMNS if name in Row.__slots__ or hasattr(Row, name)})
    entry = entry_of(row, "V", 7, 8, 9, tries=2)
    same = [name
            for name in entry._fields if name in COLUMNS and name not in ("version_id", "size")]
    assert all(getattr(entry, name) == getattr(row, name) for name in same) and len(same) > 10
    assert ((entry.version_id, entry.size, entry.mtime_ns, entry.inode, entry.tries)
            == ("V", 7, 8, 9, 2))
    assert entry.changed_at.endswith("Z") and entry_of(row, "V", 7, 8, 9,
                                                       state="pruned").state == "pruned"


def test_a_failure_has_all_that_names_the_row():
    """Enough to try it again; a size that is not known is none, and an error is one line."""
    columns = {name: f"<{name}>" for name in COLUMNS if name not in ("size", "state", "error")}
    row = Row(**columns, size="7", state=FAILED, error="no\nfile '\udcff'")
    failure = failure_of(row)
    assert all(getattr(failure, name) == text for name, text in columns.items()
               if name in failure._fields)
    assert (failure.size, failure.state) == (7, FAILED)
    assert failure.error == "no\\x0afile '\\udcff'" and failure.changed_at.endswith("Z")
    assert failure_of(Row("b", "k")).size is None
