"""Whole objects of which rows are to say more, what is there of them already, and their times."""

import os

import pytest

from s3kit.transfer.informed import InformedFetch
from s3kit.transfer.job import AGAIN, FETCHED, VANISHED, WRITTEN

HEADERS = {"Content-Type": "text/plain", "x-amz-meta-a": "1"}
SAID = {"content_type": "text/plain", "metadata": "a=1"}


@pytest.fixture
def told(desk):
    """An engine that keeps what is said, with an object `k`."""
    desk.fake.put("b", "k", b"body", headers=HEADERS)
    engine = desk.engine(describes=True)
    assert engine.tasks["get"] is InformedFetch
    return engine


def methods(desk):
    """Return the methods of the requests so far."""
    return [request.method for request in desk.fake.log]


def place(desk, body):
    """Put a file in the object's place."""
    (desk.folder / "b").mkdir()
    (desk.folder / "b" / "k").write_bytes(body)


def test_what_is_not_there(desk, told):
    """One request says it all."""
    outcome = desk.do(desk.job(), engine=told)
    assert (outcome.state, outcome.description) == (WRITTEN, SAID) and methods(desk) == ["GET"]


def test_the_same_without_being_asked(desk, told):
    """Nothing is kept of it."""
    assert desk.do(desk.job()).description is None


@pytest.mark.parametrize("body, state, asked", [(b"body", FETCHED, ["HEAD"]),
                                                (b"ydob", WRITTEN, ["HEAD", "GET"]),
                                                (b"shorter than that", WRITTEN, ["GET"])])
def test_a_file_in_its_place(desk, told, body, state, asked):
    """S3 is asked about one that may be it."""
    place(desk, body)
    outcome = desk.do(desk.job(), engine=told)
    assert (outcome.state, outcome.description) == (state, SAID) and methods(desk) == asked


def test_a_part_that_was_complete(desk, told):
    """As a run that was killed leaves it."""
    assert desk.do(desk.job(mtime_ns=7), engine=told).state == WRITTEN
    told.unnamed.drop_all()
    outcome = desk.do(desk.job(mtime_ns=7), engine=told)
    assert (outcome.state, outcome.description, outcome.moved) == (WRITTEN, SAID, 0)
    assert methods(desk) == ["GET", "HEAD"]


@pytest.mark.parametrize("status, code, state, asked", [
    (503, "SlowDown", AGAIN, ["HEAD"]), (404, "NoSuchKey", VANISHED, ["HEAD", "GET"])])
def test_what_s3_does_not_say(desk, told, status, code, state, asked):
    """What passes is tried again; for all else the answer to GET has the reason."""
    place(desk, b"body")
    desk.fake.fault("status", method=None, times=None, status=status, code=code)
    outcome = desk.do(desk.job(), engine=told)
    assert outcome.state == state and methods(desk) == asked
    assert os.listdir(told.tree.parts) == []


def test_an_answer_of_another_object(desk, told):
    """Nothing is taken over by it."""
    place(desk, b"body")
    desk.fake.fault("wrong-etag", method="HEAD")
    assert desk.do(desk.job(), engine=told).state == WRITTEN
    assert methods(desk) == ["HEAD", "GET"]


# --- times

NOTED, AT = {"x-amz-meta-mtime": "1700000000.5"}, 1_700_000_000_500_000_000


@pytest.mark.parametrize("headers, row, at", [
    (NOTED, -1, AT), (NOTED, 7, AT), ({}, 7, 7), ({"x-amz-meta-mtime": "soon"}, 7, 7),
    ({}, -1, 1_600_000_000 * 10**9)])
def test_the_time_that_was_noted(desk, headers, row, at):
    """Else the row's, else S3's: of what comes, of what is there, of a large object."""
    desk.fake.put("b", "k", b"body", modified=1_600_000_000, headers=headers)
    engine = desk.engine(describes=True, retimes=True)
    got = desk.do(desk.job(mtime_ns=row), engine=engine)
    assert engine.unnamed.held[got.path].mtime_ns == at
    engine.unnamed.drop_all()
    (desk.folder / ".s3kit" / "parts" / got.path).unlink()
    place(desk, b"body")
    found = desk.do(desk.job(mtime_ns=row), engine=engine)
    assert (found.state, found.mtime_ns) == (FETCHED, at)
    assert os.stat(desk.folder / "b" / "k").st_mtime_ns == at
    assert desk.do(desk.job("survey", mtime_ns=row), engine=engine).mtime_ns == at


def test_without_that_nothing_noted_counts(desk, told):
    """The row's time does."""
    desk.fake.put("b", "k", b"body", headers=NOTED)
    got = desk.do(desk.job(mtime_ns=7), engine=told)
    assert told.unnamed.held[got.path].mtime_ns == 7
