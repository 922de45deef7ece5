"""One bucket's phases: which pipelines run on which manifests, and what is removed before."""

import pytest
from unit.migrate.conftest import TIME, options, row, write

from s3kit.errors import Fault
from s3kit.migrate import migration as module
from s3kit.migrate.migration import Migration
from s3kit.migrate.phases import ASK, DELETE, FETCH, NOW, PHASES, RESTORE, SCAN, VERIFY
from s3kit.units import epoch_ns

ARCHIVED = row("cold", state="listed", storage_class="GLACIER")
LISTED = row(state="listed", storage_class="STANDARD")
CAME = {SCAN: [LISTED], NOW: [LISTED], RESTORE: [ARCHIVED], FETCH: [row(state="fetched")],
        VERIFY: [row()], DELETE: [row(state="pruned")]}


@pytest.fixture
def begin(folder, monkeypatch):
    """Return f(scan=, troubles=, options...) -> Migration whose pipelines leave the manifests of
    CAME; `begin.ran` has (phase, the manifest that it read, the files that there were then).
    """
    def make(scan=(LISTED,), troubles=(), is_left=True, **changed):
        class Pipeline:
            """Leaves the manifest of a phase, as its commands would."""

            def __init__(self, stages, hear):
                self.phase, self.source = stages

            def run(self):
                """Do it."""
                there = [phase for phase in PHASES if folder.is_done(phase)]
                make.ran.append((self.phase, self.source, there))
                if is_left and self.phase != ASK and not troubles:
                    write(folder, self.phase, *({**CAME, SCAN: scan}[self.phase]))
                return list(troubles)

        class Pipelines:
            """Hands on what it was asked for."""

            def __init__(self, args, bucket):
                """Take no notice."""

            def of(self, phase, path, source="", since=""):
                """Return the phase and the name of what it reads."""
                assert bool(since) is (phase == VERIFY)
                return phase, next((one for one in PHASES if source == folder.file(one)), None)

        make.ran, make.said = [], []
        monkeypatch.setattr(module, "Pipeline", Pipeline)
        monkeypatch.setattr(module, "Pipelines", Pipelines)
        return Migration(options(**changed), folder, make.said.append)

    return make


def ran(begin):
    """Return the phases that ran, each with what it read."""
    return [(phase, source) for phase, source, _ in begin.ran]


def test_all_phases_before_the_deletion(begin):
    """Each on the manifest of the one before it; what has ended is not done again."""
    migration = begin()
    migration.advance()
    assert ran(begin) == [(SCAN, None), (FETCH, SCAN), (VERIFY, FETCH)]
    assert begin.said == ["b: scan", "b: fetch", "b: verify"]
    migration.advance()
    assert len(begin.ran) == 3
    migration.delete()
    assert ran(begin)[3:] == [(DELETE, VERIFY)]


def test_what_is_in_an_archive_is_restored_first(begin):
    begin(scan=[LISTED, ARCHIVED]).advance()
    assert ran(begin) == [(SCAN, None), (RESTORE, SCAN), (FETCH, RESTORE), (VERIFY, FETCH)]
    assert "b: 1 row in archive classes: S3 is asked for what cannot be read" in begin.said


def test_an_archive_that_is_to_stay(begin):
    begin(scan=[ARCHIVED], no_restore=True, quiet=True).advance()
    assert [phase for phase, _ in ran(begin)] == [SCAN, FETCH, VERIFY]
    assert begin.said == ["b: 1 row in archive classes: what is archived stays so (--no-restore)"]


def test_asking_the_archive(begin):
    """Again until it has ended; what was fetched then needs nothing any more."""
    migration = begin(scan=[ARCHIVED])
    migration.ask_archive()
    migration.ask_archive()
    assert ran(begin) == [(SCAN, None), (ASK, SCAN), (ASK, SCAN)]
    migration.advance()
    migration.ask_archive()
    assert [phase for phase, _ in ran(begin)].count(ASK) == 2


@pytest.mark.parametrize("done, first", [([FETCH, VERIFY, DELETE], SCAN),
                                         ([SCAN, VERIFY, DELETE], FETCH),
                                         ([SCAN, FETCH, DELETE], VERIFY)])
def test_later_manifests_go_before_a_phase_is_done_anew(begin, folder, done, first):
    """They would speak of what is not so any more, if it ended here."""
    for phase in done:
        write(folder, phase, *CAME[phase])
    begin().advance()
    phase, _, there = begin.ran[0]
    assert phase == first and not [one for one in there if PHASES.index(one) > PHASES.index(first)]


@pytest.mark.parametrize("troubles, is_left, said", [
    (["s3-manifest ended with status 3"], True, "(s3-manifest ended with status 3)"),
    ([], False, "(it left no manifest)")])
def test_a_phase_that_does_not_end(begin, troubles, is_left, said):
    """Nothing is done after it, and the same command goes on with it."""
    with pytest.raises(Fault) as caught:
        begin(troubles=troubles, is_left=is_left).advance()
    assert str(caught.value) == (
        f"b: the phase 'scan' did not end {said}; the same command goes on with it")
    assert len(begin.ran) == 1


@pytest.mark.parametrize("latest, found, phase", [
    (SCAN, row(state="failed"), None), (FETCH, row(state="fetched"), None),
    (FETCH, row(state="failed", storage_class="STANDARD"), FETCH),
    (VERIFY, row(state="mismatch", storage_class="STANDARD"), FETCH),
    (VERIFY, row(state="failed", storage_class="GLACIER"), RESTORE),
    (DELETE, row(state="failed", storage_class="STANDARD"), FETCH), (DELETE, row(
        state="pruned"), None)])
def test_what_is_wrong_is_fetched_again(begin, folder, latest, found, phase):
    """From the last manifest, from an archive if need be; the later ones go when that has ended."""
    done = [one for one in PHASES[:PHASES.index(latest) + 1] if one != RESTORE]
    for one in done:
        write(folder, one, found if one == latest else row(state="listed"))
    begin().retry()
    assert ran(begin) == ([(phase, latest)] if phase else [])
    if phase:
        assert begin.ran[0][2] == done, "till then the old ones are as true as before"
        assert folder.latest() is phase or phase == RESTORE
        assert not [one for one in PHASES[PHASES.index(phase) + 1:] if folder.is_done(one)]


@pytest.mark.parametrize("there, pruned, current_only, came", [
    ([LISTED], [row(state="pruned")], False, 1), ([LISTED], [row(state="failed")], False, 0),
    ([LISTED, row("new", state="listed")], [row(state="failed")], False, 1),
    ([row(version_id="w", state="listed")], [row(state="locked")], False, 1),
    ([LISTED, LISTED], [], False, 1), ([], [], False, 0),
    ([row("old", last_modified=TIME)], [row(state="pruned")], True, 0),
    ([row("new", last_modified="2026-01-01T12:00:01Z")], [row(state="pruned")], True, 1),
    ([row("odd", last_modified="")], [row(state="pruned")], True, 1)])
def test_what_came_since_the_scan(begin, folder, monkeypatch, there, pruned, current_only, came):
    """By version, without what was kept; with --current-only an older version has come to light."""
    write(folder, DELETE, *pruned)
    monkeypatch.setitem(CAME, NOW, there)
    migration = begin(current_only=current_only)
    assert migration.arrivals(epoch_ns(TIME)) == came
    assert not folder.is_done(NOW), "it is not kept"


def test_a_bucket_that_cannot_be_listed_again(begin, folder):
    write(folder, DELETE)
    with pytest.raises(Fault, match="b: cannot be listed again"):
        begin(is_left=False).arrivals(0)


def test_what_there_is_to_delete(begin, folder):
    """Markers are not verified, and neither is what has gone."""
    write(folder, VERIFY, row(), row(state="pruned"), row(is_delete_marker="true", state="listed"),
          row(state="failed"))
    migration = begin()
    assert migration.summary(folder.census(VERIFY)) == (
        "4 rows (16), 1 verified, 1 delete marker, 1 pruned, 1 not proven")
    write(folder, VERIFY, row())
    assert migration.summary(folder.census(VERIFY)) == "1 row (4), 1 verified, all proven"
