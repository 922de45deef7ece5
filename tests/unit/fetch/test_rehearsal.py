"""What would be fetched."""

from types import SimpleNamespace

import pytest

from s3kit.disk.ledger import Ledger
from s3kit.disk.tree import Tree
from s3kit.fetch.rehearsal import Rehearsal
from s3kit.manifest.row import FETCHED, VERIFIED, Row
from s3kit.pipeline.entries import entry_of


def fetched(tmp_path, key="k"):
    """Put a file and its ledger entry; return (Tree, Row, Entry)."""
    tree = Tree(str(tmp_path / "d"))
    path = tmp_path / "d" / "b" / key
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"12345")
    row = Row("b", key, "v", etag="e", size="5", path=f"b/{key}", proof="crc32", state=FETCHED)
    status = path.stat()
    return tree, row, entry_of(row, "v", 5, status.st_mtime_ns, status.st_ino)


def rehearsed(tmp_path, rows, **options):
    """Rehearse with rows; return (Rehearsal, rows that were written, what people were told)."""
    args = SimpleNamespace(**{
        "dest": str(tmp_path / "d"), "verbose": False, "again": False, "file": [], "rules": None,
        "min_size": None, "max_size": None, "newer": None, "older": None, "storage_class": None,
        **options})
    written, told = [], []
    rehearsal = Rehearsal(
        args, (SimpleNamespace(batches=lambda: [rows], extras=lambda: ()),
               SimpleNamespace(write=lambda batch, extras: written.extend(batch))),
        (SimpleNamespace(status=lambda unverifiable: 0, say=told.append), None,
         SimpleNamespace(check=lambda: None)))
    rehearsal.run()
    return rehearsal, written, told


@pytest.mark.parametrize("again, found, status", [(False, (0, 0), 1), (True, (1, 4), 0)])
def test_what_lies_elsewhere(tmp_path, again, found, status):
    """It is fetched with --again; without, nothing of what was named is here. No directory is
    made.
    """
    rehearsal, written, told = rehearsed(
        tmp_path, [Row("b", "k", "v", size="4", state=VERIFIED)], again=again)
    assert (rehearsal.rows, rehearsal.bytes) == found and rehearsal.status() == status
    assert rehearsal.summary() and len(told) == status and len(written) == 1
    assert not (tmp_path / "d").exists()


def test_what_is_there_is_not_counted(tmp_path):
    """Rows that are not there are, with their bytes; a row that pins no bytes would have to be
    asked for.
    """
    _, row, entry = fetched(tmp_path)
    Ledger(str(tmp_path / "d" / ".s3kit")).record([entry])
    rows = [Row("b", "k", "v"), Row("b", "k", size="7"), Row("b", "new", size="8")]
    rehearsal, written, _ = rehearsed(tmp_path, rows)
    assert ((rehearsal.rows, rehearsal.bytes) == (2, 15) and written == rows
            and rows[0].state == FETCHED)
    assert rehearsal.summary() == ["2 rows to fetch (15)"] and rehearsal.status() == 0
    for sizes, said in ((("", ""), "size unknown"), (("8", ""), "8, and 1 row of unknown size")):
        rows[:] = [Row("b", f"new{size}", size=size) for size in sizes]
        rehearsal.rows = rehearsal.bytes = rehearsal.unknown = 0
        rehearsal.run()
        assert rehearsal.summary() == [f"2 rows to fetch ({said})"]
