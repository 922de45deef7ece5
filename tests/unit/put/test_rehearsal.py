"""What would be sent."""

import os
from types import SimpleNamespace

import pytest

from s3kit.cli.signals import Signals
from s3kit.cli.tally import Tally
from s3kit.commands.put import build_parser
from s3kit.disk.ledger import Ledger
from s3kit.disk.uploads import Upload, Uploads
from s3kit.errors import Fault
from s3kit.manifest.local_tree import tree_rows
from s3kit.manifest.row import Row
from s3kit.put.rehearsal import Rehearsal


@pytest.fixture
def place(tmp_path):
    """A directory of two files and a link."""
    made = tmp_path / "d"
    made.mkdir()
    (made / "a").write_bytes(b"alpha")
    (made / "b").write_bytes(b"be")
    (made / "link").symlink_to("a")
    return made


def rehearsed(place, rows, *options):
    """Rehearse with rows; return (the Rehearsal, the rows that it has written)."""
    args = build_parser().parse_args(["-n", "--to", "s3://t/p/", "-d", str(place), *options])
    args.prog = "s3-put"
    written = []
    source = SimpleNamespace(batches=lambda: [rows[:1], rows[1:]], extras=lambda: ())
    sink = SimpleNamespace(write=lambda batch, extras: written.extend(batch))
    done = Rehearsal(args, (source, sink), (Tally(args), None, Signals))
    done.run()
    return done, written


def rows_of(place):
    """Return the rows of a directory."""
    return [row for rows in tree_rows(str(place), "t", irregular=lambda row, kind: row)
            for row in rows]


def record(place, path, row=None, key=""):
    """Have the ledger say that a file was stored, as the row's object."""
    folder = place / ".s3kit"
    folder.mkdir(exist_ok=True)
    status = (place / path).stat()
    key = key or f"p/{path}"
    row = row or Row("t", key)
    Uploads(Ledger(str(folder))).record([Upload(
        "t", key, "", "e", row.bucket, row.key, row.version_id, row.etag, path, status.st_size,
        status.st_mtime_ns, status.st_ino, "CRC32", "FULL_OBJECT", "c", "d", "crc32", "crc32",
        "2026-01-01T00:00:00Z")])


def test_all_rows_are_passed_on_and_nothing_is_touched(place, capsys):
    """Rows and bytes are counted, what would fail is named and told by the status."""
    rows = [*rows_of(place), Row("b", "none"), Row("b", "v", state="vanished")]
    before = [repr(row) for row in rows]
    done, written = rehearsed(place, rows, "-q")
    assert [repr(row) for row in written] == before
    assert done.summary() == ["2 rows to send (7)", 0, 0, "2 rows would fail"]
    assert done.status() == 1
    assert sorted(os.listdir(place)) == ["a", "b", "link"]
    said = capsys.readouterr().err
    assert "s3://t/link: 'link' is a symbolic link" in said
    assert "there is no file 'b/none' or 'none' below" in said
    assert "s3://b/v" not in said


@pytest.mark.parametrize("options, summary", [
    (["--history"], ["2 rows to send (7)", "1 delete marker to make", 0, 0]),
    ([], ["1 row to send (5)", 0, 0, "1 row would fail"])])
def test_versions_of_a_key(place, options, summary):
    """They have one target only where they go there in their order."""
    rows = [Row("t", "k", "1", path="a"), Row("t", "k", "2", path="b"),
            Row("t", "k", "3", is_delete_marker="true")]
    assert rehearsed(place, rows, *options)[0].summary() == summary


def test_it_follows_links_if_told(place):
    """As the real run does, and with the size of what they lead to."""
    done, _ = rehearsed(place, rows_of(place)[:2] + [Row("t", "link", path="link")],
                        "--follow-links")
    assert (done.rows, done.bytes, done.status()) == (3, 12, 0)


def test_filters_are_heeded(place):
    """What they leave out is neither counted nor passed on."""
    done, written = rehearsed(place, rows_of(place), "--include", "a")
    assert [row.key for row in written] == ["a"] and done.summary()[0] == "1 row to send (5)"


def test_what_was_stored_from_here_is_not_counted(place, capsys):
    """If its file is untouched; a file that was changed would be sent again."""
    record(place, "a")
    done, _ = rehearsed(place, rows_of(place)[:2], "-v")
    assert done.summary() == ["1 row to send (2)", 0, "1 row stored before", 0]
    assert done.status() == 0
    assert capsys.readouterr().err == "s3-put: 'b' would go to s3://t/p/b\n"
    os.utime(place / "a", (1, 1))
    done, _ = rehearsed(place, rows_of(place)[:2])
    assert (done.rows, done.there) == (2, 0)


def test_what_was_stored_elsewhere_is_counted(place):
    """The same file under another prefix is another copy."""
    record(place, "a", key="q/a")
    assert rehearsed(place, rows_of(place)[:1])[0].rows == 1


def test_an_object_of_a_bucket_is_known_by_its_version(place):
    """Another version of the key is another object, whichever file lies there."""
    row = Row("s", "a", "v1", etag="x", size="5", path="a")
    record(place, "a", row, "p/a")
    assert rehearsed(place, [row])[0].there == 1
    assert rehearsed(place, [Row("s", "a", "v2", etag="x", size="5", path="a")])[0].rows == 1


def test_a_file_that_went_after_it_was_stored_is_no_fault(place):
    """As after --remove-local."""
    record(place, "a")
    rows = rows_of(place)[:2]
    (place / "a").unlink()
    done, _ = rehearsed(place, rows)
    assert done.summary() == ["1 row to send (2)", 0, "1 row stored before", 0]


def test_a_ledger_that_has_no_uploads_stays_as_it_is(place):
    """Tables are not made."""
    folder = place / ".s3kit"
    folder.mkdir()
    ledger = Ledger(str(folder))
    rehearsed(place, rows_of(place)[:2])
    assert "upload" not in {name for name, in ledger.base.execute("SELECT name FROM sqlite_master")}


def test_without_a_directory_there_is_nothing_to_say(tmp_path):
    """As in the real run."""
    with pytest.raises(Fault, match="cannot use the destination"):
        rehearsed(tmp_path / "none", [Row("b", "k")])
