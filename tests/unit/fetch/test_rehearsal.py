"""What would be fetched."""

from types import SimpleNamespace

from s3kit.disk.ledger import Ledger
from s3kit.disk.tree import Tree
from s3kit.fetch.rehearsal import Rehearsal, is_intact
from s3kit.manifest.row import FETCHED, Row
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


def test_a_file_is_intact_as_long_as_nobody_touched_it(tmp_path):
    """Size, time, inode; the same object; the same path."""
    tree, row, entry = fetched(tmp_path)
    assert is_intact(tree, row, entry)
    assert (not is_intact(tree, row, entry._replace(mtime_ns=1))
            and not is_intact(tree, row, entry._replace(size=4)))
    assert (not is_intact(tree, row, entry._replace(etag="other"))
            and not is_intact(tree, row, entry._replace(path="")))
    assert not is_intact(tree, Row("b", "k", "v", path="b/l"), entry)
    assert not is_intact(tree, row, entry._replace(proof=""))       # what s3-verify found wrong
    (tmp_path / "d/b/k").unlink()
    assert not is_intact(tree, row, entry)


def test_what_is_there_is_not_counted(tmp_path):
    """Rows that are not there are, with their bytes; a row that pins no bytes would have to be
    asked for.
    """
    _, row, entry = fetched(tmp_path)
    Ledger(str(tmp_path / "d" / ".s3kit")).record([entry])
    rows = [Row("b", "k", "v"), Row("b", "k", size="7"), Row("b", "new", size="8")]
    args = SimpleNamespace(dest=str(tmp_path / "d"), verbose=False, rules=None, min_size=None,
                           max_size=None, newer=None, older=None, storage_class=None)
    written = []
    rehearsal = Rehearsal(args, (SimpleNamespace(batches=lambda: [rows], extras=lambda: ()),
                                 SimpleNamespace(write=lambda batch, extras: written.extend(
                                     batch))), (SimpleNamespace(status=lambda unverifiable: 0),
                                                None, SimpleNamespace(check=lambda: None)))
    rehearsal.run()
    assert ((rehearsal.rows, rehearsal.bytes) == (2, 15) and written == rows
            and rows[0].state == FETCHED)
    assert rehearsal.summary() == ["2 rows to fetch (15)"] and rehearsal.status() == 0
