"""A bucket's folder: its files alone say how far the bucket is."""

import os

import pytest
from unit.migrate.conftest import row, write

from s3kit.migrate.folder import Folder
from s3kit.migrate.phases import DELETE, FETCH, NOW, PHASES, RESTORE, SCAN, VERIFY


class Interrupted(Exception):
    """A signal came."""


def names(folder):
    """Return the names of the files in a folder."""
    return sorted(os.listdir(folder.path))


@pytest.mark.parametrize("done, latest", [([], None), ([SCAN], SCAN), ([SCAN, RESTORE], RESTORE),
                                          ([SCAN, FETCH], FETCH), ([SCAN, VERIFY], SCAN),
                                          ([FETCH, VERIFY], None), (list(PHASES), DELETE)])
def test_the_last_phase_with_all_before_it(folder, done, latest):
    """Only a restore may be left out."""
    for phase in done:
        write(folder, phase)
    assert folder.latest() is latest


def test_a_manifest_without_its_end_mark_is_not_done(folder):
    """Nor is one that has a key like one."""
    write(folder, SCAN, row("#end rows=1"), end=False)
    assert not folder.is_done(SCAN) and folder.latest() is None
    write(folder, SCAN, row())
    assert folder.is_done(SCAN)


def test_rows_come_back(folder):
    """All of them, the wrong ones by themselves, and as a census."""
    write(folder, VERIFY, row("good"), row("bad", state="mismatch"), row("new", state="listed"))
    assert [each.key for batch in folder.batches(VERIFY) for each in batch] == ["good", "bad",
                                                                                "new"]
    assert [each.key for batch in folder.wrong(VERIFY) for each in batch] == ["bad", "new"]
    census = folder.census(VERIFY)
    assert (census.rows, census.wrong, census.phase) == (3, 2, VERIFY)


def test_a_signal_ends_the_reading(tmp_path):
    """A manifest may have any number of rows."""
    def check():
        raise Interrupted

    folder = Folder(tmp_path, "b", check)
    write(folder, SCAN, row())
    with pytest.raises(Interrupted):
        folder.census(SCAN)


def test_what_was_cut_is_swept(folder):
    """Nothing else is: a manifest, or what others have put there."""
    write(folder, SCAN)
    for name in (".s3kit.1-scan.csv.x7.new", ".now.csv", "notes.new", ".hidden"):
        with open(os.path.join(folder.path, name), "w"):
            pass
    folder.make()
    assert names(folder) == [".hidden", "1-scan.csv", "notes.new"]
    assert folder.file(NOW).endswith("/b/.now.csv")


def test_later_manifests_go_last_first(folder, monkeypatch):
    """What a kill leaves of it must not speak of what is not so any more."""
    for phase in PHASES:
        write(folder, phase)
    gone, real = [], Folder.unlink
    monkeypatch.setattr(Folder, "unlink", lambda self, name: gone.append(name) or real(self, name))
    folder.remove_after(RESTORE)
    assert gone == ["5-pruned.csv", "4-verified.csv", "3-fetched.csv"]
    assert names(folder) == ["1-scan.csv", "2-restored.csv"]


@pytest.mark.parametrize("more", [False, True])
def test_it_is_removed_unless_others_have_files_there(folder, more):
    for phase in PHASES:
        write(folder, phase)
    if more:
        with open(os.path.join(folder.path, "notes"), "w"):
            pass
    assert folder.remove() is not more
    assert os.path.isdir(folder.path) is more and (not more or names(folder) == ["notes"])


@pytest.mark.parametrize("begun", [False, True])
def test_nothing_is_left_of_what_was_not_begun(folder, begun):
    """A bucket that cannot be scanned is not one that was begun."""
    folder.make()
    if begun:
        write(folder, SCAN)
    folder.leave_nothing()
    folder.leave_nothing()          # nothing happens where it is not there
    assert os.path.isdir(folder.path) is begun


def test_a_new_scan_puts_the_old_manifests_away(folder):
    """Each under a number of its own; a bucket without any is none the worse."""
    folder.set_aside()
    for _ in range(2):
        write(folder, SCAN)
        folder.set_aside()
    assert not os.path.exists(folder.path)
    assert sorted(os.listdir(os.path.join(folder.work, ".before"))) == ["b.1", "b.2"]
