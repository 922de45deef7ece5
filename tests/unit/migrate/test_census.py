"""s3-migrate's counts of what a manifest says."""

import pytest
from unit.migrate.conftest import row

from s3kit.manifest.row import Row
from s3kit.migrate.census import NAMED, Census, is_archived, is_proven, is_wrong
from s3kit.migrate.phases import DELETE, FETCH, RESTORE, SCAN, VERIFY
from s3kit.units import epoch_ns

MARKER = {"is_delete_marker": "true", "state": "listed", "size": "", "proof": ""}


def census_of(phase, *found):
    """Return the Census of rows."""
    census = Census(phase)
    for each in found:
        census.add(each)
    return census


def test_the_newest_is_the_newest_time():
    """Not the last of the texts: a fraction and an offset count, and what names no time says
    nothing.
    """
    census = Census(VERIFY)
    for text in ("", "never", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.500Z",
                 "2026-01-01T13:00:00+02:00"):
        census.add(Row("b", "k", last_modified=text))
    assert census.newest == epoch_ns("2026-01-01T12:00:00.500Z")


@pytest.mark.parametrize("columns, proven", [
    ({}, True), ({"state": "pruned"}, True), ({"state": "fetched"}, False), ({"proof": ""}, False),
    ({"proof": "size"}, False), (MARKER, True), (MARKER | {"state": "pruned"}, True),
    (MARKER | {"state": "failed"}, False), ({"verbatim": ["x"]}, False)])
def test_what_is_proven(columns, proven):
    """No less than s3-prune asks for."""
    assert is_proven(row(**columns)) is proven


@pytest.mark.parametrize("columns, phase, archived", [
    ({"state": "listed", "storage_class": "GLACIER"}, SCAN, True),
    ({"state": "listed", "storage_class": "INTELLIGENT_TIERING"}, SCAN, True),
    ({"state": "listed", "storage_class": "GLACIER_IR"}, SCAN, False),
    ({"state": "listed", "storage_class": "STANDARD"}, SCAN, False),
    ({"state": "fetched", "storage_class": "GLACIER"}, FETCH, False),
    ({"state": "listed", "storage_class": "STANDARD"}, FETCH, True),
    ({"state": "restoring", "storage_class": ""}, VERIFY, True),
    ({"verbatim": ["x"]}, FETCH, False), (MARKER | {"storage_class": "GLACIER"}, SCAN, False)])
def test_what_is_in_an_archive(columns, phase, archived):
    """After a fetch, what it left as it was."""
    assert is_archived(row(**columns), phase) is archived


@pytest.mark.parametrize("columns, wrong", [
    ({"state": "failed"}, {SCAN, RESTORE, FETCH, VERIFY, DELETE}),
    ({"state": "unverifiable"}, {SCAN, RESTORE, FETCH, VERIFY, DELETE}),
    ({"verbatim": ["x"]}, {SCAN, RESTORE, FETCH, VERIFY, DELETE}),
    ({"state": "listed"}, {FETCH, VERIFY, DELETE}), ({"state": "fetched"}, {VERIFY, DELETE}),
    ({}, {DELETE}), ({"state": "pruned"}, set()), (MARKER, {DELETE})])
def test_what_is_wrong(columns, wrong):
    """What is not what its phase was for."""
    phases = (SCAN, RESTORE, FETCH, VERIFY, DELETE)
    assert {phase for phase in phases if is_wrong(row(**columns), phase)} == wrong


def test_what_is_counted():
    """By state, for people; a marker that is still there is one, and bytes are those of rows that
    make sense.
    """
    census = census_of(VERIFY, row(), row(size="6", state="failed", error="no"), row(**MARKER),
                       row(size="9", verbatim=["x"], state=""))
    assert census.states == {"verified": 1, "failed": 1, "delete marker": 1, "listed": 1}
    assert (census.rows, census.bytes, census.markers, census.proven, census.wrong) == (4, 10, 1,
                                                                                        2, 2)
    assert census.told() == "1 delete marker, 1 failed, 1 listed, 1 verified"
    assert census.named[0].endswith(": no")


def test_not_all_that_is_wrong_is_named():
    """What lies in an archive is said to."""
    census = census_of(FETCH, *[row(f"k{n}", state="listed") for n in range(NAMED + 5)])
    assert census.wrong == NAMED + 5 and len(census.named) == NAMED
    assert census.named[0] == "s3://b/k0?versionId=v: in an archive"


@pytest.mark.parametrize("phase, found, deleting, complete", [
    (DELETE, [row(state="pruned")], True, True), (DELETE, [row()], True, False),
    (VERIFY, [row()], True, False), (VERIFY, [row()], False, True),
    (VERIFY, [row(state="pruned")], True, True), (VERIFY, [row(proof="size")], False, False),
    (FETCH, [], True, False), (DELETE, [], True, True)])
def test_the_end_of_the_journey(phase, found, deleting, complete):
    assert census_of(phase, *found).is_complete(deleting) is complete
