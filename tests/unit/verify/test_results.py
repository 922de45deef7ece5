"""How the rows of s3-verify leave, and what becomes of their files."""

import os
from types import SimpleNamespace

import pytest

from s3kit.disk.failures import Failures
from s3kit.disk.ledger import NO_FILE, Ledger
from s3kit.disk.tree import Tree
from s3kit.manifest.row import (
    FETCHED,
    MISMATCH,
    MISSING,
    PRUNED,
    UNVERIFIABLE,
    VERIFIED,
    Row,
)
from s3kit.pipeline.entries import entry_of
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Outcome
from s3kit.verify.results import KEPT_ONLY, Results
from s3kit.verify.file_errand import FileErrand


@pytest.fixture
def results(tmp_path):
    """Results of a destination with one file; its stage notes what becomes of rows."""
    tree = Tree(str(tmp_path / "d"))
    os.mkdir(os.path.join(tree.path, "b"))
    with open(os.path.join(tree.path, "b/k"), "w", encoding="utf-8") as file:
        file.write("body")
    stage = SimpleNamespace(
        args=SimpleNamespace(discard=False), left=[], finished=[],
        outbox=SimpleNamespace(pending_at=lambda path: None), ledger=None)
    stage.leave = lambda row, aloud: stage.left.append((row, aloud))
    stage.finish = lambda row, entry, is_safe, aloud: stage.finished.append(
        (row, entry, is_safe, aloud))
    return Results(stage, tree)


def errand_of(results, entry=None, **columns):
    """Return the errand of the file's row."""
    row = Row("b", "k", "v", etag="e", path="b/k", **columns)
    return FileErrand(row, "b/k", results.tree.look("b/k"), entry)


def known(results, state, version="v"):
    """Return the ledger's Entry of the file."""
    status = results.tree.look("b/k")
    row = Row("b", "k", version, etag="e", path="b/k", state=state)
    return entry_of(row, version, 4, status.st_mtime_ns, status.st_ino)


def read_of(errand):
    """Return the Outcome of reading the file."""
    return Outcome(jobs.CHECKED, size=4, digest="xxh3-128:11",
                   mtime_ns=errand.status.st_mtime_ns, inode=errand.status.st_ino)


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_verified_file(results, is_recorded):
    """What was recorded with its flush needs no second one."""
    errand = errand_of(results, known(results, FETCHED) if is_recorded else None)
    results.verified(errand, read_of(errand), "etag-md5")
    [(row, entry, is_safe, aloud)] = results.stage.finished
    assert (row.state, row.proof, row.digest, row.size) == (VERIFIED, "etag-md5", "xxh3-128:11",
                                                            "4")
    assert (entry.state, is_safe, aloud) == (VERIFIED, is_recorded, False)


def test_a_given_digest_stays(results):
    """Nobody could say it again; the ledger has ours, with which s3-prune reads back."""
    digest = "md5:" + "0" * 32
    for state in (FETCHED, UNVERIFIABLE):
        errand = errand_of(results, digest=digest, state=state)
        results.verified(errand, read_of(errand), "given-md5")
        row, entry, *_ = results.stage.finished[-1]
        assert (row.digest, entry.digest) == (digest, "xxh3-128:11")
        results.differs(errand_of(results, digest=digest, state=state), "it differs")
        row, entry, *_ = results.stage.finished[-1]
        assert (row.digest, entry.digest) == (digest, "")


def test_what_was_pruned_stays_known_as_that(results):
    """Its file is the only copy."""
    errand = errand_of(results, known(results, PRUNED))
    results.verified(errand, read_of(errand), "etag-md5")
    [(row, entry, _, _)] = results.stage.finished
    assert (row.state, entry.state) == (VERIFIED, PRUNED)


def test_a_row_that_is_pruned_stays_that(results):
    """Its file was looked at, and is right; the ledger of another disk gets to know it."""
    errand = errand_of(results, state=PRUNED, error="before")
    results.verified(errand, read_of(errand), "etag-md5")
    [(row, entry, _, _)] = results.stage.finished
    assert (row.state, row.proof, row.error, entry.state) == (PRUNED, "etag-md5", "", PRUNED)
    assert results.pruned == 1


@pytest.mark.parametrize("state, is_known", [(PRUNED, False), (FETCHED, True)])
def test_the_only_copy_is_not_removed(results, state, is_known):
    """Though it was spoilt: there is nothing better."""
    results.args.discard = True
    errand = errand_of(results, known(results, PRUNED) if is_known else None, state=state)
    results.differs(errand, "the bytes do not match")
    [(row, *_)] = results.stage.finished
    assert (row.state, row.error) == (MISMATCH, "the bytes do not match" + KEPT_ONLY)
    assert results.tree.look("b/k") is not None


@pytest.mark.parametrize("discard", [True, False])
def test_a_file_that_differs(results, discard):
    """It goes only where --discard says so; the ledger has no file of it any more."""
    results.args.discard = discard
    errand = errand_of(results, proof="etag-md5")
    results.differs(errand, "the bytes do not match")
    [(row, entry, _, aloud)] = results.stage.finished
    assert (row.state, row.proof, aloud) == (MISMATCH, "", True)
    assert row.error == ("the bytes do not match; the file was removed" if discard
                         else "the bytes do not match")
    assert entry.mtime_ns == NO_FILE
    assert (results.tree.look("b/k") is None) == discard


def test_the_file_of_another_version_is_not_removed(results):
    """It is right, of that version."""
    results.args.discard = True
    other = known(results, VERIFIED, version="w")
    results.stage.outbox.pending_at = lambda path: other
    results.differs(errand_of(results), "the file has 4 bytes, not 5")
    [(row, aloud)] = results.stage.left
    assert row.state == MISMATCH and aloud and results.tree.look("b/k") is not None
    assert row.error == "the file has 4 bytes, not 5: it is the file of another version"


def test_a_row_whose_file_another_row_had_removed(results):
    """It was read before that."""
    results.args.discard = True
    results.differs(errand_of(results), "no")
    os.close(os.open(os.path.join(results.tree.path, "b/k"), os.O_CREAT | os.O_WRONLY))
    errand = errand_of(results)
    results.verified(errand, read_of(errand), "size")
    [(row, aloud)] = results.stage.left
    assert (row.state, aloud) == (MISSING, True)


def test_the_digest_of_an_unverifiable_row_proves_nothing_later(results):
    """It was only read from the file."""
    for state in (MISSING, UNVERIFIABLE):
        row = Row("b", "k", state=UNVERIFIABLE, digest="xxh3-128:11", proof="none")
        results.fail(row, state, "why")
        assert (row.digest, row.proof) == (("xxh3-128:11", "none") if state == UNVERIFIABLE
                                           else ("", ""))


def test_the_ledger_hears_of_rows_that_are_not_verified(results, tmp_path):
    """And no more of one that still is, as was seen not long ago."""
    results.failures = Failures(Ledger(tmp_path))
    results.fail(Row("b", "k", "v"), MISSING, "there is no file 'b/k'")
    results.fail(Row("b", "l"), UNVERIFIABLE, "nobody knows")
    results.failures.record()
    query = "SELECT key, state, error FROM failure"
    base = results.failures.ledger.base
    assert base.execute(query).fetchall() == [("k", MISSING, "there is no file 'b/k'"),
                                              ("l", UNVERIFIABLE, "nobody knows")]
    row, entry = Row("b", "k", "v", error="gone"), known(results, VERIFIED)
    results.stage.leave = lambda row: results.stage.left.append(row)
    results.still_verified(row, entry)
    results.failures.record()
    assert results.stage.left[-1] is row and (row.state, row.error) == (VERIFIED, "")
    assert base.execute(query).fetchall() == [("l", UNVERIFIABLE, "nobody knows")]


def test_the_ledger_has_the_size_of_the_object_not_of_a_wrong_file(results):
    """As the row says it, else as was known before; so it can be fetched again by that."""
    for columns, entry, size in (({"size": "9"}, None, 9), ({}, known(results, VERIFIED), 4),
                                 ({}, None, 4)):
        if entry:
            os.truncate(os.path.join(results.tree.path, "b/k"), 2)
        results.differs(errand_of(results, entry, **columns), "it differs")
        assert results.stage.finished[-1][1].size == size
        os.truncate(os.path.join(results.tree.path, "b/k"), 4)
