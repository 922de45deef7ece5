"""Rows that pass because their bytes came before."""

import os
from types import SimpleNamespace

import pytest

from s3kit.disk.tree import Tree
from s3kit.errors import DONE, SOME_FAILED
from s3kit.fetch.elsewhere import Elsewhere
from s3kit.pipeline.places import Places
from s3kit.manifest.row import LISTED, PRUNED, UNVERIFIABLE, VERIFIED, Row
from s3kit.pipeline.entries import entry_of


@pytest.fixture
def told():
    """The lines that people were told."""
    return []


@pytest.fixture
def elsewhere(tmp_path):
    """Return f(again) -> Elsewhere of a destination that has the file `b/k` of 4 bytes, and the
    directory `b/d`.
    """
    os.makedirs(tmp_path / "new disk" / "b" / "d")
    (tmp_path / "new disk" / "b" / "k").write_text("body")

    def make(again=False, **more):
        args = SimpleNamespace(**{"again": again, "dest": str(tmp_path / "new disk"),
                                  "file": ["v.csv"], **more})
        return Elsewhere(args, Tree(args.dest, make=False), Places())

    return make


def row_of(key="k", state=VERIFIED, **columns):
    """Return a row whose bytes came before."""
    return Row("b", key, "v", **{"etag": "e", "size": "4", "path": f"b/{key}", "proof": "crc32",
                                 "digest": "xxh3-128:00", "state": state, **columns})


def entry(there, **columns):
    """Return the ledger's Entry of the file."""
    row, status = row_of(**columns), there.tree.look("b/k")
    return entry_of(row, "v", 4, status.st_mtime_ns, status.st_ino)


@pytest.mark.parametrize("columns, is_here", [
    ({}, True), ({"size": ""}, True), ({"path": ""}, True), ({"size": "5"}, False),
    ({"key": "l"}, False), ({"key": "d/", "size": "0"}, True), ({"path": "../k"}, True)])
@pytest.mark.parametrize("state", [VERIFIED, UNVERIFIABLE, PRUNED])
def test_what_is_here(elsewhere, columns, is_here, state):
    """A file of the right size at the row's path, or where it would be; the row passes anyway."""
    there, row, before = elsewhere(), row_of(state=state, **columns), None
    before = repr(row)
    assert there.passes(row, None) and repr(row) == before
    assert (there.here, dict(there.away)) == ((1, {}) if is_here else (0, {state: 1}))
    assert there.passed == 1


def test_another_object_of_the_name(elsewhere):
    """What the ledger says of it is not said of the row's."""
    there = elsewhere()
    assert there.passes(row_of(path="", key="l"), entry(there, etag="other")) and not there.here


def test_two_rows_have_no_path_together(elsewhere):
    """The second one's file was replaced, or will be."""
    there = elsewhere()
    there.places.path_for(Row("b", "k", "w"))
    assert there.passes(row_of(), None) and dict(there.away) == {VERIFIED: 1}
    there = elsewhere()
    assert there.passes(row_of(), None) and there.places.path_for(Row("b", "k", "w")) == "b/k%vw"


def test_what_is_told_again(elsewhere):
    """Is as if it were listed, but for its path; not what S3 has no more."""
    there = elsewhere(again=True)
    row = row_of(key="l", error="why")
    assert not there.passes(row, None)
    assert (row.state, row.path, row.digest, row.proof, row.error) == (LISTED, "b/l", "", "", "")
    assert there.passes(row_of(key="l", state=PRUNED), None) and dict(there.away) == {PRUNED: 1}


@pytest.mark.parametrize("known, is_kept", [({}, True), ({"etag": "other"}, False),
                                            ({"path": "b/l"}, False), (None, False)])
def test_what_is_here_and_right_stays(elsewhere, known, is_kept):
    """As the ledger knows it: a file that nobody has checked is held against S3's bytes."""
    there = elsewhere(again=True)
    row = row_of()
    assert there.passes(row, None if known is None else entry(there, **known)) is is_kept
    assert row.state == (VERIFIED if is_kept else LISTED) and there.here == is_kept


@pytest.mark.parametrize("states, file, said", [
    ([], ["v.csv"], []),
    ([VERIFIED], ["v.csv"], ["1 row is verified already and lies elsewhere: give --again (or run "
                             "s3-verify -i -d '{}' v.csv first)"]),
    ([VERIFIED, UNVERIFIABLE], [], ["2 rows are verified or unverifiable already and lie "
                                    "elsewhere: give --again (or run s3-verify -i -d '{}' FILE "
                                    "first)"]),
    ([PRUNED, PRUNED], [], ["2 rows are pruned and lie elsewhere: S3 has them no more"])])
def test_what_people_are_told(elsewhere, states, file, said, told):
    """What is not here, and what to do."""
    there = elsewhere(file=file)
    for number, state in enumerate(states):
        there.passes(row_of(f"none{number}", state), None)
    there.tell(SimpleNamespace(say=told.append))
    assert told == [line.format(there.args.dest) for line in said]


def test_the_status(elsewhere):
    """Nothing of what was named is here."""
    there = elsewhere()
    assert there.status(0) == DONE
    there.passes(row_of("none"), None)
    assert (there.status(0), there.status(1)) == (SOME_FAILED, DONE)
    there.passes(row_of(), None)
    assert there.status(0) == DONE


def test_a_destination_that_is_not_there(elsewhere):
    """As for -n, which makes none."""
    there = Elsewhere(elsewhere().args, None, Places())
    assert there.passes(row_of(), None) and dict(there.away) == {VERIFIED: 1}
