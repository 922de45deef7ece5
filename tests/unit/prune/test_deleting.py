"""The verb: what S3 is asked, what is on the disk before it is, and what its answers mean."""

import time

import pytest
from unit.prune.conftest import S3, Access

from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE, Fault
from s3kit.manifest.row import CONFLICT, FAILED, LOCKED, PRUNED, Row
from s3kit.pipeline.stage import Stage
from s3kit.prune.choice import DAY
from s3kit.prune.deleting import TRIES
from s3kit.prune.removed import Removed
from s3kit.s3.verdicts import AGAIN, EXPIRED, FATAL


def states(rows):
    """Return {key: state}."""
    return {row.key: row.state for row in rows}


def test_what_is_proven_goes(destination, delete):
    """Together, and with the ledger's knowledge; what is settled or not proven passes."""
    rows = [destination.prove("one"), destination.prove("two", b"22"), Row("b", "new"),
            Row("b", "wrong", state=FAILED, error="of long ago")]
    s3 = S3()
    deleting = delete(rows, s3)
    assert [[job.key for job in jobs] for jobs in s3.asked] == [["one", "two"]]
    assert states(delete.left) == {"one": PRUNED, "two": PRUNED, "new": "", "wrong": FAILED}
    assert destination.known("one") == destination.known("two") == (PRUNED, 0)
    assert deleting.summary()[:3] == ["2 rows deleted (6)", 0, "1 row kept: not verified"]
    assert delete.progress.moved == [1, 1] and s3.ended is False


def test_it_is_on_the_disk_before_s3_hears_of_it(destination, delete, tmp_path):
    """In the undo file and in the ledger: a kill at this instant may leave the only copies."""
    rows = [destination.prove(f"k{n}") for n in range(3)]
    undo, seen = tmp_path / "undo.csv", []

    def before(jobs):
        seen.extend((destination.known(job.key), f"\nb,{job.key},v," in undo.read_text())
                    for job in jobs)
        assert all(row.state != PRUNED for row in rows)

    delete(rows, S3(before=before), undo=str(undo))
    assert seen == [((PRUNED, 1), True)] * 3


def test_a_version_that_is_asked_for_again_is_in_the_undo_file_once(destination, delete, tmp_path):
    s3, undo = S3({"k": [Removed(AGAIN, "x")]}), tmp_path / "undo.csv"
    delete([destination.prove("k")], s3, undo=str(undo))
    assert len(s3.asked) == 2 and undo.read_text().count("\nb,k,") == 1


def test_after_lost_answers_it_is_asked_about_alone(destination, delete):
    """Answers about several may not come through; that about one may."""
    s3 = S3({"k": [Removed(AGAIN, "reset")] * 3})
    delete([destination.prove("k")], s3)
    assert [jobs[0].is_single for jobs in s3.asked] == [False, False, True, True]


@pytest.mark.parametrize("answers, state, known", [
    ([Removed(LOCKED, "held", is_kept=True)], LOCKED, ("verified", 0)),
    ([Removed(CONFLICT, "overwritten", is_kept=True)], CONFLICT, ("verified", 0)),
    ([Removed(FAILED, "a page")], FAILED, (PRUNED, 1)),
    ([Removed(AGAIN, "reset"), Removed(LOCKED, "held", is_kept=True)], LOCKED, (PRUNED, 1)),
    ([Removed(AGAIN, "reset"), Removed(PRUNED, was_gone=True)], PRUNED, (PRUNED, 0)),
    ([Removed(AGAIN, "reset")] * TRIES, FAILED, (PRUNED, 1))],
    ids=["locked", "conflict", "a page", "an answer was lost", "gone by a lost one", "never"])
def test_the_ledger_goes_back_only_by_s3_s_own_word(destination, delete, answers, state, known):
    """And not after an answer was lost: the file may be the only copy."""
    s3 = S3({"k": answers[:]})
    delete([destination.prove("k")], s3)
    assert states(delete.left) == {"k": state} and destination.known("k") == known
    assert len(s3.asked) == len(answers)
    assert (delete.left[0].error == answers[-1].error
            and bool(delete.tally.said) is (state != PRUNED))


def test_the_ledger_knows_before_a_row_leaves(destination, delete, monkeypatch):
    """Whoever reads `pruned` in our output finds it in the ledger."""
    row, seen = destination.prove("k"), []
    real = Stage.write

    def write(stage, rows):
        seen.extend(destination.known(row.key) for row in rows)
        real(stage, rows)

    monkeypatch.setattr(Stage, "write", write)
    delete([row], S3())
    assert seen == [(PRUNED, 0)]


def test_what_was_gone_before_is_counted_apart(destination, delete):
    """By the ledger's word, without asking, or by S3's."""
    rows = [destination.prove("gone", state=PRUNED), destination.prove("vanished"),
            destination.prove("there")]
    s3 = S3({"vanished": [Removed(PRUNED, was_gone=True)]})
    deleting = delete(rows, s3, max_delete=2)
    assert [job.key for job in s3.asked[0]] == ["vanished", "there"]
    assert set(states(delete.left).values()) == {PRUNED}
    assert deleting.summary()[:2] == ["1 row deleted (4)", "2 were gone before"]


def test_no_more_than_max_delete(destination, delete):
    """Rows that fail their proof do not count; what is over stays, and the status says so."""
    rows = [destination.prove(f"k{n}") for n in range(4)]
    (destination.path / "b" / "k0").unlink()
    deleting = delete(rows, S3(), max_delete=2)
    assert states(delete.left) == {"k0": FAILED, "k1": PRUNED, "k2": PRUNED, "k3": "verified"}
    assert "1 row kept: more than --max-delete" in deleting.summary()


def test_what_was_verified_long_ago_is_read_back(destination, delete):
    """And the time of that is in the ledger, whatever S3 says then."""
    rows = [destination.prove(key, at=time.time() - 2 * DAY) for key in ("whole", "rotten")]
    entry = destination.ledger.find("b", "rotten", "v")
    destination.ledger.record([entry._replace(digest="0" * 32)])
    s3 = S3({"whole": [Removed(LOCKED, "held", is_kept=True)]})
    delete(rows, s3)
    assert [[job.key for job in jobs] for jobs in s3.asked] == [["whole"]]
    assert states(delete.left) == {"whole": LOCKED, "rotten": FAILED}
    assert destination.ledger.find("b", "whole", "v").changed_at > entry.changed_at
    assert destination.known("rotten") == ("mismatch", 0)


def test_a_marker_does_not_touch_the_ledger(destination, delete):
    """Though the ledger knows an object that had its name and version id before: null."""
    destination.prove("k", version_id="null")
    marker = Row("b", "k", "null", is_delete_marker="true")
    delete([marker], S3(), delete_markers=True)
    assert delete.left[0].state == PRUNED and destination.known("k", "null") == ("verified", 0)


def test_what_cannot_go_safely_fails_alone(destination, delete):
    """A bucket that is not there keeps nothing, and is not said to."""
    rows = [destination.prove("k"), destination.prove("j")]
    entry = destination.ledger.find("b", "j", "v")
    destination.ledger.record([entry._replace(bucket="none")])
    rows[1].bucket = "none"
    null = destination.prove("null", version_id="")
    delete([*rows, null], S3())
    assert [row.error for row in delete.left if row.key != "k"] == [
        "S3 says NoSuchBucket", "kept in S3: it names no version, and the bucket has versions"]
    assert states(delete.left)["k"] == PRUNED


def test_expired_credentials(destination, delete):
    """The version is asked for again, with an Endpoint of the new ones."""
    s3 = S3({"k": [Removed(EXPIRED, "S3 says ExpiredToken")]})
    delete([destination.prove("k")], s3, Access(fresh_ones=1))
    assert [jobs[0].endpoint.generation for jobs in s3.asked] == [0, 1]
    assert states(delete.left) == {"k": PRUNED} and destination.known("k") == (PRUNED, 0)


def test_a_refusal_of_everything_ends_the_run(destination, delete):
    """With S3's words; nobody knows of the rest, so the ledger does not go back."""
    s3 = S3({"k": [Removed(FATAL, "S3 says InvalidAccessKeyId")]})
    with pytest.raises(Fault, match="InvalidAccessKeyId"):
        delete([destination.prove("k")], s3)
    assert s3.ended is True and not delete.left and destination.known("k") == (PRUNED, 1)


@pytest.mark.parametrize("changed, options, status", [
    ({}, {}, DONE), ({"state": "listed"}, {}, UNVERIFIABLE), ({"proof": "size"}, {}, UNVERIFIABLE),
    ({"is_latest": "true"}, {"noncurrent_only": True}, DONE), ({"path": "b/x"}, {}, SOME_FAILED),
    ({"state": "mismatch"}, {}, SOME_FAILED)])
def test_the_status(destination, delete, changed, options, status):
    """5 where proof was missing, 1 where anything is wrong; what was to be kept is no reason."""
    row = destination.prove("k")
    for name, value in changed.items():
        setattr(row, name, value)
    assert delete([row], S3(), **options).status() == status


def test_the_status_over_max_delete(destination, delete):
    rows = [destination.prove("k"), destination.prove("j")]
    assert delete(rows, S3(), max_delete=1).status() == SOME_FAILED
