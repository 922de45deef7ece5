"""Which rows of a run go: rows, the ledger and files as they are now."""

import os
import time
from datetime import datetime, timezone

import pytest
from unit.prune.conftest import TIME, Signals

from s3kit.errors import Fault
from s3kit.manifest.row import MISMATCH, PRUNED, Row
from s3kit.prune import proofs
from s3kit.prune.choice import DAY, Choice
from s3kit.prune.proofs import BrokenProof
from s3kit.units import known_ns


def opened(destination, **changed):
    """Return an open Choice."""
    choice = Choice(destination.args(**changed), Signals)
    choice.open()
    return choice


def why(destination, row, refused=(), **changed):
    """Return why a row is kept, or ''."""
    choice = opened(destination, **changed)
    choice.refused.update(refused)
    return choice.why_kept(row, destination.ledger.find(row.bucket, row.key, row.version_id))


def test_a_place_that_is_not_a_destination(tmp_path, destination):
    with pytest.raises(Fault, match="is no destination of s3-fetch or s3-put"):
        opened(destination, dest=str(tmp_path))


def test_what_carries_proof_goes(destination):
    """Until its file is not the one any more that was verified."""
    row = destination.prove("k")
    assert why(destination, row) == ""
    os.utime(destination.path / "b" / "k")
    assert isinstance(why(destination, row), BrokenProof)


@pytest.mark.parametrize("changed, options, wanted", [
    ({"state": "listed"}, {}, proofs.NOT_VERIFIED), ({"state": "failed"}, {}, "failed"),
    ({"is_latest": "true"}, {"noncurrent_only": True}, proofs.CURRENT),
    ({"is_latest": "false"}, {"noncurrent_only": True}, ""), ({"proof": "size"}, {}, proofs.WEAK),
    ({}, {"refused": ["b"]}, proofs.REFUSED), ({}, {"refused": ["other"]}, "")])
def test_why_a_row_is_kept(destination, changed, options, wanted):
    row = destination.prove("k")
    for name, value in changed.items():
        setattr(row, name, value)
    assert why(destination, row, **options) == wanted


def test_what_is_stored_goes_without_its_file(destination):
    """By what the ledger knows of its copy; not what is a copy itself."""
    row = destination.store("k")
    assert why_of_stored(destination, row) == ""
    assert why_of_stored(destination, row, refused=["b"]) == proofs.REFUSED
    row.proof = "size"
    assert why_of_stored(destination, row) == proofs.WEAK
    row.proof, row.extra = "md5", {"stored_at": "s3://far/to/other?versionId=w"}
    assert isinstance(why_of_stored(destination, row), BrokenProof)
    for state in ("stored", "verified", "fetched"):
        row.state, row.extra = state, {"stored_at": "s3://b/k?versionId=v"}
        assert why_of_stored(destination, row, fetched=True) == proofs.COPY


def why_of_stored(destination, row, refused=(), **changed):
    """Return why a stored row is kept, or ''."""
    choice = opened(destination, **changed)
    choice.refused.update(refused)
    [(_, _, found)] = choice.sort([row])
    return found


def test_what_s3_confirmed_before_is_gone(destination):
    """A bucket that was refused or not: nobody is asked for anything."""
    row = destination.prove("k", state=PRUNED)
    assert why(destination, row) == why(destination, row, refused=["b"]) == proofs.GONE
    assert why(destination, destination.prove("k", state=PRUNED, tries=1)) == ""


@pytest.mark.parametrize("refused, wanted", [([], ""), (["b"], proofs.REFUSED)])
def test_a_marker_has_no_file(destination, refused, wanted):
    marker = Row("b", "k", "m", is_delete_marker="true")
    assert why(destination, marker, refused, delete_markers=True) == wanted
    assert why(destination, marker, refused) == proofs.MARKER


def test_the_newest_are_known_when_all_came(destination):
    """A version that S3 was asked to delete before is not one of them: more are kept, not fewer."""
    rows = [destination.prove(f"k{n}", version_id=f"v{n}",
                              **{"state": PRUNED, "tries": 1} if n == 2 else {}) for n in range(3)]
    for n, row in enumerate(rows):
        row.key, row.last_modified = "k", TIME.replace("12:00:00", f"12:00:0{n}")
    destination.ledger.record([destination.ledger.find("b", f"k{n}", f"v{n}")._replace(key="k")
                               for n in range(3)])
    choice = opened(destination, keep_newest=1)
    choice.see(rows[:2])
    choice.see(rows[2:])
    assert [proofs.NEWEST == found for _, _, found in choice.sort(rows)] == [False, True, True]


def test_a_plan_says_what_the_filters_leave_out(destination):
    """In the order of the rows, each with its ledger's entry."""
    rows = [destination.prove("large", b"x" * 100), destination.prove("small")]
    found = opened(destination, min_size=10).sort(rows)
    assert [(row.key, entry.key, kept) for row, entry, kept in found] == [
        ("large", "large", ""), ("small", "small", proofs.FILTERED)]


@pytest.mark.parametrize("ago, since, stale", [(60, None, False), (DAY + 60, None, True),
                                               (60, datetime(2100, 1, 1, tzinfo=timezone.utc),
                                                True)])
def test_what_is_read_back(destination, ago, since, stale):
    """What was verified more than a day ago, or before --verified-since."""
    destination.prove("k", at=time.time() - ago)
    choice = opened(destination, verified_since=since)
    assert choice.is_stale(destination.ledger.find("b", "k", "v")) is stale


@pytest.mark.parametrize("spoil, wanted, state", [
    (lambda path: None, "", "verified"),
    (lambda path: path.write_bytes(b"rots"), "does not have the bytes any more", MISMATCH),
    (lambda path: path.unlink(), "cannot be read", "verified")], ids=["whole", "rotten", "gone"])
def test_a_file_that_is_read_back(destination, spoil, wanted, state):
    """What it says is in the ledger at once: nobody else may believe a file that has rotted."""
    began = time.time()
    destination.prove("k", at=began - 2 * DAY)
    before = destination.ledger.find("b", "k", "v")
    spoil(destination.path / "b" / "k")
    found, entry = opened(destination).read_back(before)
    assert (wanted in found and isinstance(found, BrokenProof)) if wanted else found == ""
    assert destination.known("k")[0] == state
    is_new = known_ns(entry.changed_at) >= int(began) * 1_000_000_000
    assert is_new is not bool(wanted)
