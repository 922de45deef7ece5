"""Rows that are stored elsewhere: what S3 is asked, how they leave, and what the ledger hears."""

import os
from datetime import datetime, timezone

import pytest
from unit.verify.test_copy_judging import CRC, MD5, OTHER, UPLOAD, row_of, seen_of
from unit.verify.test_verifying import Stage

from s3kit.disk.ledger import Ledger
from s3kit.disk.tree import OURS, Tree
from s3kit.disk.uploads import Uploads
from s3kit.errors import Fault, NoSuchBucket
from s3kit.manifest.row import (
    FAILED,
    FETCHED,
    MISMATCH,
    MISSING,
    PRUNED,
    STORED,
    UNVERIFIABLE,
    VERIFIED,
)
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Outcome
from s3kit.transfer.put_job import LOOKED
from s3kit.verify.copies import TRIES, Copies
from s3kit.verify.verifying import Verifying

GONE = Outcome(LOOKED)


@pytest.fixture
def verb_of(tmp_path):
    """Return f(options) -> Verifying, of a destination with a ledger that knows UPLOAD."""
    os.makedirs(tmp_path / "d" / OURS)
    os.makedirs(tmp_path / "d" / "b")
    (tmp_path / "d" / "b" / "k").write_text("body")

    def make(**options):
        stage = Stage(**options)
        stage.ledger = Ledger(str(tmp_path / "d" / OURS))
        Uploads(stage.ledger).record([UPLOAD])
        return Verifying(stage, Tree(str(tmp_path / "d")))

    return make


def answer(verifying, *outcomes):
    """Answer the jobs that are sent, one after the other; return their kinds."""
    kinds = []
    for outcome in outcomes:
        errand, job, _ = verifying.stage.sent.pop()
        kinds.append(job.kind)
        verifying.answered(errand, outcome)
    return kinds


def left(verifying):
    """Return (state, proof) of the one row that left, when the ledger has heard of it."""
    verifying.leaving()
    [(row, aloud)] = verifying.stage.left
    assert not verifying.stage.sent and aloud is (row.state != STORED) is bool(row.error)
    return row.state, row.proof


def known(verifying):
    """Return what the ledger knows of the copy."""
    return verifying.copies.uploads.at("far", "k")


@pytest.mark.parametrize("state, stored_at, options, is_mine, of_copy", [
    (STORED, "s3://far/k", {}, True, True), (MISSING, "s3://far/k", {}, True, True),
    (MISMATCH, "s3://far/k", {}, True, True), (UNVERIFIABLE, "s3://far/k", {}, True, True),
    (PRUNED, "s3://far/k", {}, True, True), (PRUNED, "", {}, True, False),
    (FETCHED, "s3://far/k", {}, True, False), (VERIFIED, "s3://far/k", {}, True, False),
    (MISSING, "", {}, True, False), (STORED, "", {}, False, False),
    (STORED, "s3://far/k", {"quick": True}, False, True),
    (FETCHED, "s3://far/k", {"quick": True}, True, False)])
def test_which_rows_are_about_a_copy(verb_of, state, stored_at, options, is_mine, of_copy):
    row, verifying = row_of(stored_at), verb_of(**options)
    row.state = state
    assert (verifying.is_mine(row), Copies.is_mine(row)) == (is_mine, of_copy)


def test_a_copy_that_is_as_it_was(verb_of):
    """The row stays stored; the ledger knows when that was seen. Nothing is read."""
    verifying = verb_of()
    verifying.take(row_of(), None)
    [(_, job, weight)] = verifying.stage.sent
    assert job[:5] == ("look", "far", "k", "w", "") and not weight
    assert answer(verifying, seen_of(**CRC)) == ["look"] and left(verifying) == (STORED, "md5")
    assert known(verifying).changed_at > UPLOAD.changed_at
    assert known(verifying)[:17] == UPLOAD[:17]
    assert "1 row still stored" in verifying.summary() and verifying.status() == 0


def test_a_copy_whose_source_is_pruned(verb_of):
    """The row stays that."""
    verifying, row = verb_of(), row_of()
    row.state = PRUNED
    verifying.take(row, None)
    assert answer(verifying, seen_of(**CRC)) == ["look"]
    [(left_row, aloud)] = verifying.stage.left
    assert (left_row.state, left_row.proof, aloud) == (PRUNED, "md5", False)
    assert "1 row still stored" in verifying.summary()


def test_a_copy_that_was_doubted_and_is_there(verb_of):
    verifying = verb_of()
    verifying.copies.uploads.record([UPLOAD._replace(far_proof="")])
    verifying.take(row_of(), None)
    answer(verifying, seen_of(**CRC))
    assert left(verifying) == (STORED, "md5") and known(verifying).far_proof == "md5"


@pytest.mark.parametrize("answers, state", [
    ([GONE, Outcome(jobs.VANISHED, "S3 says NoSuchKey")], MISSING),
    ([seen_of(size=5)], MISMATCH), ([seen_of(**CRC | {"checksum": "AAAAAA=="})], MISMATCH)],
    ids=["gone", "longer", "other"])
def test_a_copy_that_is_not_what_it_was(verb_of, answers, state):
    """The ledger's word is worth nothing then; looked at again the row says the same."""
    verifying = verb_of()
    row = row_of()
    verifying.take(row, None)
    answer(verifying, *answers)
    assert left(verifying) == (state, "") and known(verifying).far_proof == ""
    again = verb_of()
    assert again.is_mine(row)
    again.take(row, None)
    answer(again, *answers)
    assert left(again)[0] == state


@pytest.mark.parametrize("answers, why", [
    ([Outcome(LOOKED, "S3 does not let us look")], "does not let us"),
    ([GONE, Outcome(jobs.FAILED, "a page")], "a page"),
    ([Outcome(jobs.FATAL, "no access")], "no access"),
    ([Outcome(jobs.AGAIN, "reset")], "reset")])
def test_a_copy_that_nobody_tells_of(verb_of, answers, why):
    """It is not known to be wrong: the ledger keeps its word."""
    verifying = verb_of()
    row = row_of()
    verifying.take(row, None)
    answer(verifying, *answers)
    assert left(verifying) == (UNVERIFIABLE, "size") and why in row.error
    assert known(verifying) == UPLOAD


def test_what_fails_in_passing(verb_of):
    verifying = verb_of()
    verifying.stage.tries = TRIES
    verifying.take(row_of(), None)
    answer(verifying, Outcome(jobs.AGAIN, "reset"))
    assert verifying.stage.retried == [TRIES] and not verifying.stage.left


@pytest.mark.parametrize("fault, state", [(NoSuchBucket("none"), FAILED),
                                          (Fault("closed"), UNVERIFIABLE)])
def test_a_bucket_that_cannot_be_reached(verb_of, fault, state):
    verifying = verb_of()
    verifying.stage.fault = fault
    verifying.take(row_of(), None)
    assert left(verifying)[0] == state and known(verifying) == UPLOAD


@pytest.mark.parametrize("read, state, proof", [
    ({"proof": "etag-md5", "digest": "d"}, STORED, "etag-md5"),
    ({"proof": "", "digest": "x"}, UNVERIFIABLE, "size")])
def test_a_file_that_is_read_for_its_copy(verb_of, read, state, proof):
    """Where nothing of S3's can be compared directly; a new ETag of the same bytes is known then.
    """
    verifying = verb_of()
    verifying.take(row_of(path="b/k"), None)
    assert answer(verifying, seen_of(etag=OTHER)) == ["look"]
    [(_, job, weight)] = verifying.stage.sent
    assert (job.kind, job.path, job.direct, weight) == ("check", "b/k", True, 4)
    assert job.claim.expected.hex() == OTHER
    answer(verifying, Outcome(jobs.CHECKED, size=4, **read))
    assert left(verifying) == (state, proof) and verifying.bytes == 4
    assert known(verifying).to_etag == (OTHER if state == STORED else MD5)


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("x"),
                                   lambda path: (path.unlink(), path.mkdir())])
def test_a_file_that_is_not_there_for_it(verb_of, tmp_path, spoil):
    """Then nobody knows: a source is not deleted for a file that is gone."""
    spoil(tmp_path / "d" / "b" / "k")
    verifying = verb_of()
    verifying.take(row_of(path="b/k"), None)
    answer(verifying, seen_of(etag=OTHER))
    assert left(verifying) == (UNVERIFIABLE, "size")


@pytest.mark.parametrize("upload, asked", [({}, 0), ({"far_proof": ""}, 1), ({"proof": "size"}, 1),
                                           ({"changed_at": "2025-01-01T00:00:00Z"}, 1),
                                           ({"to_version_id": "x"}, 0), ({"key": "x"}, 1)])
def test_what_was_looked_at_since(verb_of, upload, asked):
    """S3 is not asked again about what the ledger says was seen since a time, also where a later
    version covers it.
    """
    verifying = verb_of(verified_since=datetime(2026, 1, 1, tzinfo=timezone.utc))
    verifying.copies.uploads.record([UPLOAD._replace(**upload)])
    verifying.take(row_of(), None)
    assert len(verifying.stage.sent) == asked
    assert asked or left(verifying) == (STORED, "md5")


def test_a_version_id_that_is_none(verb_of):
    """It would add headers or more to the request."""
    verifying = verb_of()
    verifying.take(row_of("s3://far/k?versionId=a%0D%0Ab"), None)
    assert left(verifying) == (FAILED, "")
