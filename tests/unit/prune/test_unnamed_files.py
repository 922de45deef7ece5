"""--local: which files go, which stay, and why."""

import os
import time

import pytest
from unit.prune.conftest import people, streams

from s3kit.disk import durable
from s3kit.errors import Cut
from s3kit.manifest.row import PRUNED, Row
from s3kit.prune import unnamed_files as module
from s3kit.prune.unnamed_files import UnnamedFiles


@pytest.fixture
def sweep(destination, monkeypatch):
    """Return f(rows, ask=, reader=, options...) -> UnnamedFiles, after its run.

    `sweep.written` has the rows that left. The clock that says when it began runs a second ahead,
    so that files which were just made are not too young.
    """
    def run(rows, ask=None, reader=None, ahead=1, **options):
        monkeypatch.setattr(module.time, "time", lambda: real() + ahead)
        source, sink = streams([rows])
        vars(source.readers[0]).update(reader or {})
        found = UnnamedFiles(destination.args(**options), (source, sink), people(), ask)
        run.written = sink.rows
        found.run()
        return found

    real = time.time
    return run


def files(destination):
    """Return the names of the files in bucket `b`, below it as paths."""
    top = destination.path / "b"
    return {os.path.relpath(os.path.join(folder, name), top)
            for folder, _, names in os.walk(top) for name in names}


def test_what_no_row_names_goes(destination, sweep):
    """With what the ledger says of it, and directories that are empty then."""
    row = destination.prove("kept")
    destination.prove("gone/old")
    (destination.path / "b" / "stray").write_text("xyz")
    found = sweep([row])
    assert files(destination) == {"kept"} and not (destination.path / "b" / "gone").exists()
    assert destination.ledger.at_path("b/gone/old") is None
    assert destination.known("kept") == ("verified", 0)
    assert found.summary()[0] == "2 files removed (7)" and found.status() == 0


def test_what_is_stored_elsewhere_is_no_only_copy(destination, sweep):
    """As far as its copy is known to be there, and the file is the one that was stored."""
    for key, changed in (("stored", {}), ("changed", {}), ("doubted", {"far_proof": ""}),
                         ("elsewhere", {"version_id": "x"}), ("last", None)):
        destination.prove(key, state=PRUNED)
        entry = destination.ledger.find("b", key, "v")
        if changed is not None:
            destination.store(key, **{"mtime_ns": entry.mtime_ns, "inode": entry.inode} | changed)
    os.utime(destination.path / "b" / "changed")
    for key in ("unknown", "unknown and doubted"):
        (destination.path / "b" / key).write_text("body")
        status = (destination.path / "b" / key).stat()
        destination.store(key, mtime_ns=status.st_mtime_ns, inode=status.st_ino,
                          far_proof="" if "doubted" in key else "crc32")
    found = sweep([Row("b", "k")])
    assert files(destination) == {"changed", "doubted", "elsewhere", "last", "unknown and doubted"}
    assert found.summary()[1].startswith("5 files left: the only copies")


def test_a_plan_names_them_as_rows(destination, sweep):
    """Nothing is removed; a path that is not one of ours has itself for a key."""
    (destination.path / "b").mkdir()
    for name in ("old", "foo%+"):
        (destination.path / "b" / name).write_text("x")
    found = sweep([Row("b", "k")], dry_run=True, yes=False)
    assert sorted((row.bucket, row.key, row.size, row.path) for row in sweep.written) == [
        ("b", "foo%+", "1", "b/foo%+"), ("b", "old", "1", "b/old")]
    assert len(files(destination)) == 2 and found.summary()[0] == "2 files to remove (2)"


@pytest.mark.parametrize("is_sure", [True, False])
def test_a_person_is_asked(destination, sweep, is_sure):
    """Once, with the sum of it; what is counted before is not counted twice."""
    (destination.path / "b").mkdir()
    (destination.path / "b" / "old").write_text("xyz")
    asked = []
    found = sweep([Row("b", "k")], lambda question: asked.append(question) or is_sure, yes=False)
    assert asked == [f"Remove 1 file (3) below '{destination.path}' for good?"]
    assert bool(files(destination)) is not is_sure
    assert (found.removed, found.found) == (is_sure, 1)


def test_nobody_is_asked_about_nothing(destination, sweep):
    sweep([destination.prove("k")], None, yes=False)
    assert files(destination) == {"k"}


@pytest.mark.parametrize("state, why", [(PRUNED, "1 file left: the only copies"), ("verified", "")])
def test_the_only_copy_stays(destination, sweep, state, why):
    """S3 has it no more, because it is here."""
    destination.prove("k", state=state)
    found = sweep([Row("b", "other")])
    assert files(destination) == ({"k"} if why else set())
    assert any(why in str(part) for part in found.summary()[1:] if part) is bool(why)


def test_what_came_since_it_began_stays(destination, sweep):
    """The manifest cannot know it."""
    (destination.path / "b").mkdir()
    (destination.path / "b" / "new").write_text("x")
    found = sweep([Row("b", "k")], ahead=-5)
    assert files(destination) == {"new"}
    assert "1 file left: made since this began" in found.summary()


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("is_told", [True, False])
def test_what_is_older_than_the_ledger_stays(destination, sweep, is_known, is_told, monkeypatch):
    """An earlier ledger may have known that it is the only copy; --older-than-ledger says not."""
    destination.prove("old")
    if not is_known:
        destination.ledger.forget("b/old")
    monkeypatch.setattr(module.Ledger, "made_ns", lambda ledger: (time.time_ns() + 10**9))
    found = sweep([Row("b", "k")], older_than_ledger=is_told)
    assert files(destination) == (set() if is_told else {"old"})
    assert any("older than the ledger" in str(part)
               for part in found.summary()[1:] if part) is not is_told


def test_a_copied_file_may_have_its_old_time(destination, sweep):
    """One that the ledger does not know, older by its own word, came from elsewhere."""
    (destination.path / "b").mkdir()
    (destination.path / "b" / "copied").write_text("x")
    os.utime(destination.path / "b" / "copied", (1_000_000_000, 1_000_000_000))
    assert sweep([Row("b", "k")]).unvouched == 1 and files(destination) == {"copied"}


@pytest.mark.parametrize("reader", [{"marked": False}, {"ended": False}, {"miscounts": True},
                                    {"shards": ["1/2"]}, {"shards": ["1/2", "", "1/2"]}])
def test_a_manifest_that_may_lack_rows(destination, sweep, reader):
    destination.prove("k")
    with pytest.raises(Cut, match="nothing was removed"):
        sweep([Row("b", "other")], reader=reader)
    assert files(destination) == {"k"}


def test_all_shards_are_the_whole(destination, sweep):
    destination.prove("k")
    assert sweep([Row("b", "other")], reader={"shards": ["2/2", "1/2"]}).removed == 1
    assert files(destination) == set()


def test_a_row_that_makes_no_sense(destination, sweep):
    destination.prove("k")
    with pytest.raises(Cut, match="makes no sense"):
        sweep([Row("b", "other"), Row(verbatim=["b", "k%"])])
    assert files(destination) == {"k"}


def test_only_regular_files_of_buckets_that_are_named(destination, sweep):
    """Links are neither followed nor removed, nor what else lies there."""
    outside = destination.path / "other"
    outside.mkdir()
    (outside / "file").write_text("x")
    top = destination.path / "b"
    top.mkdir()
    (top / "link").symlink_to(outside / "file")
    (top / "folder").symlink_to(outside)
    os.mkfifo(top / "fifo")
    assert sweep([Row("b", "k"), Row("never-here", "k")]).found == 0
    assert (outside / "file").exists() and len(os.listdir(top)) == 3


def test_a_directory_that_a_row_names_stays(destination, sweep):
    top = destination.path / "b"
    for name in ("named", "unnamed"):
        (top / name).mkdir(parents=True)
        (top / name / "stray").write_text("x")
    sweep([Row("b", "named/")])
    assert os.listdir(top) == ["named"] and not files(destination)


def test_a_file_that_cannot_be_removed_is_not_counted(destination, sweep, monkeypatch):
    """The ledger keeps what it knows of it."""
    destination.prove("k")

    def refuse(name, fd):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(durable, "unlink", refuse)
    with pytest.raises(PermissionError):
        sweep([Row("b", "other")])
    assert destination.known("k") == ("verified", 0)
