"""What a worker is sent: a work that answers batches, by an engine or by itself."""

import os
import pickle

import pytest

from s3kit.disk.tree import Tree
from s3kit.transfer import work as module
from s3kit.transfer.job import (
    CHECKED,
    DESCRIBED,
    FATAL,
    NAMED,
    RECEIVED,
    SURVEYED,
    VANISHED,
    WRITTEN,
)
from s3kit.transfer.work import TASKS


@pytest.fixture(autouse=True)
def engines(monkeypatch):
    """The engines of works that were called, for this test alone; they are closed."""
    made = {}
    monkeypatch.setattr(module, "ENGINES", made)
    yield made
    for engine in made.values():
        engine.close()


def test_a_work_answers_a_batch(desk, engines):
    """In order, also of jobs that fail; a second batch finds the connection of the first."""
    work = desk.work()
    for number in range(4):
        desk.fake.put("b", str(number), b"body")
    for _ in range(2):
        outcomes = work([desk.job(key="1"), desk.job(key="gone", etag="0" * 32), desk.job(key="3"),
                         desk.job("name", etag="", pieces=[])])
        assert [one.state for one in outcomes] == [WRITTEN, VANISHED, WRITTEN, NAMED]
        assert [outcomes[at].etag for at in (0, 2)] == [desk.fake.get("b", "1").etag] * 2
        engine, = engines.values()
        engine.unnamed.drop_all()
    assert desk.fake.connections <= 3


def test_a_work_goes_to_another_process(desk, engines):
    """As it is; equal works have one engine, others have another."""
    work = desk.work(rate=5.0, make=True, place=Tree(str(desk.folder)).place)
    copy = pickle.loads(pickle.dumps(work))
    assert copy == work and hash(copy) == hash(work)
    nothing = [desk.job("name", etag="", pieces=[])]
    for one in (work, copy, work._replace(connections=2),
                work._replace(endpoints={"b": desk.endpoint(access_key="new")})):
        assert [outcome.state for outcome in one(nothing)] == [NAMED]
    assert len(engines) == 3


def test_a_destination_that_was_replaced(desk):
    """A worker that is started late writes nothing into what is there now."""
    work = desk.work(place=Tree(str(desk.folder)).place)
    os.rename(desk.folder, f"{desk.folder}.moved")
    desk.folder.mkdir()
    outcome, = work([desk.job("name", etag="", pieces=[])])
    assert outcome.state == FATAL and "was replaced while we were at work" in outcome.error
    assert os.listdir(desk.folder) == []


def test_a_destination_that_is_only_read(desk):
    """Nothing is made in it."""
    desk.folder.mkdir()
    (desk.folder / "k").write_bytes(b"body")
    outcome, = desk.work(make=False)([desk.job("check", etag="", path="k")])
    assert outcome.state == CHECKED and os.listdir(desk.folder) == ["k"]


def test_every_kind_of_job_has_its_task(desk):
    """An engine does all of them."""
    desk.fake.put("b", "k", b"body")
    engine = desk.engine()
    assert engine.tasks is TASKS and set(TASKS) == {
        "get", "survey", "parts", "describe", "range", "check", "name"}
    (desk.folder / "f").write_bytes(b"body")
    part = os.open("p", os.O_CREAT | os.O_RDWR, dir_fd=engine.tree.parts)
    outcomes = desk.do(desk.job("get"), desk.job("survey"), desk.job("describe"),
                       desk.job("range", path="p", end=4, inode=os.fstat(part).st_ino),
                       desk.job("check", path="f"), desk.job("name", pieces=[]), engine=engine)
    os.close(part)
    assert [one.state for one in outcomes] == [
        WRITTEN, SURVEYED, DESCRIBED, RECEIVED, CHECKED, NAMED]
