"""One flush for many files: what waits for it, and when it comes."""

import time

import pytest

from s3kit.disk import durable
from s3kit.errors import Fault
from s3kit.manifest.row import FAILED, FETCHED, Row
from s3kit.pipeline import group_commit
from s3kit.pipeline.entries import entry_of
from s3kit.pipeline.group_commit import Destination, GroupCommit

SOON = 10       # seconds, on a busy machine


class Place:
    """A Tree and a Ledger that note what happens to them."""

    def __init__(self, events, fd):
        self.events, self.fd = events, fd

    def record(self, entries):
        """Take entries."""
        self.events.append(("recorded", *[entry.key for entry in entries]))

    def remove(self, path):
        """Take a path."""
        self.events.append(("removed", path))


@pytest.fixture
def events(monkeypatch):
    """What happened, in order; flushes are noted and cost nothing, and are far apart."""
    found = []
    monkeypatch.setattr(durable, "sync_tree", lambda fd: found.append(("flushed", fd)))
    monkeypatch.setattr(group_commit, "EVERY", 1000.0)
    return found


def made(events):
    """Return a GroupCommit of a destination with descriptor 1."""
    place = Place(events, 1)
    return GroupCommit(Destination(place, place),
                       lambda rows: events.append(("left", *[row.state for row in rows])),
                       lambda values: events.append(("told", *values)))


def add(commit, key, must=True, destination=None):
    """Give it a row that was fetched."""
    row = Row("b", key, state=FETCHED, path=f"b/{key}")
    commit.add(row, entry_of(row, "", 1, 1, 1), destination, must)


def end(commit):
    """End it."""
    commit.end()
    commit.thread.join(SOON)
    assert not commit.thread.is_alive()


def test_one_flush_serves_all(events):
    """Rows and what else waits: flush, tell, record, let go."""
    commit = made(events)
    add(commit, "a")
    commit.when_flushed("value")
    add(commit, "b")
    assert len(commit) == 3 and events == []
    end(commit)
    assert events == [("flushed", 1), ("told", "value"), ("recorded", "a", "b"),
                      ("left", FETCHED, FETCHED)]
    assert len(commit) == 0 and commit.fault is None


def test_each_destination_is_flushed_and_has_its_ledger(events):
    """Those with nothing to flush are not."""
    commit, other = made(events), Place(events, 2)
    add(commit, "a", must=False)
    add(commit, "b", destination=Destination(other, other))
    end(commit)
    assert events == [("flushed", 2), ("recorded", "a"), ("recorded", "b"),
                      ("left", FETCHED, FETCHED)]


@pytest.mark.parametrize("how", ["hurry", "many"])
def test_a_flush_comes_early(events, monkeypatch, how):
    """When it is asked for, or so many wait that they should not get more."""
    monkeypatch.setattr(group_commit, "MOST", 3)
    commit = made(events)
    for value in range(3 if how == "many" else 1):
        commit.when_flushed(value)
    if how == "hurry":
        commit.hurry()
    until = time.monotonic() + SOON
    while not events and time.monotonic() < until:
        time.sleep(0.001)
    assert events[0] == ("flushed", 1)
    end(commit)


def test_a_flush_comes_in_time(events, monkeypatch):
    """After EVERY seconds from the first that waits."""
    monkeypatch.setattr(group_commit, "EVERY", 0.05)
    commit, began = made(events), time.monotonic()
    commit.when_flushed("value")
    while len(events) < 2 and time.monotonic() - began < SOON:
        time.sleep(0.001)
    assert events == [("flushed", 1), ("told", "value")]
    end(commit)


def test_what_waits_for_a_failed_flush_is_never_told(events, monkeypatch):
    """Rows leave as failed and their files go; what comes later is not flushed at all."""
    def fail(fd):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(durable, "sync_tree", fail)
    commit = made(events)
    add(commit, "a")
    commit.when_flushed("value")
    commit.hurry()
    commit.thread.join(SOON)
    assert isinstance(commit.fault, Fault) and "cannot make files durable" in str(commit.fault)
    assert events == [("removed", "b/a"), ("left", FAILED)]
    add(commit, "b")
    assert len(events) == 2


def test_the_newest_entry_is_pending(events):
    """Of a path, and of a version; nothing is after the flush."""
    commit = made(events)
    add(commit, "a")
    add(commit, "a")
    newest = commit.waiting[1][1]
    assert commit.pending_at("b/a") is commit.pending_of(("b", "a", "")) is newest
    end(commit)
    assert commit.pending_at("b/a") is commit.pending_of(("b", "a", "")) is None
