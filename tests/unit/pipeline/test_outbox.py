"""The only door out: what leaves when, and what never does."""

import threading
import time

import pytest

from s3kit.disk import durable
from s3kit.errors import Fault
from s3kit.manifest.row import FAILED, FETCHED, Row
from s3kit.pipeline import group_commit
from s3kit.pipeline import outbox as module
from s3kit.pipeline.entries import entry_of
from s3kit.pipeline.group_commit import Destination
from s3kit.pipeline.outbox import Outbox

SOON = 10       # seconds, on a busy machine


class Ledger:
    """Notes what is recorded, and when."""

    def __init__(self, events):
        self.events = events

    def record(self, entries):
        """Take entries."""
        self.events += [("recorded", entry.key) for entry in entries]


class Tree:
    """Notes what is removed."""

    fd = -1

    def __init__(self, events):
        self.events = events

    def remove(self, path):
        """Take a path."""
        self.events.append(("removed", path))


@pytest.fixture
def events(monkeypatch):
    """What happened, in order; flushes are noted and cost nothing."""
    found = []
    monkeypatch.setattr(durable, "sync_tree", lambda fd: found.append(("flushed",)))
    monkeypatch.setattr(group_commit, "EVERY", 0.05)
    return found


def made(events, **options):
    """Return an Outbox that notes what it writes."""
    return Outbox(lambda rows: events.extend(("left", row.key, row.state) for row in rows),
                  lambda: None, Destination(Tree(events), Ledger(events)), **options)


def row_of(key):
    """Return a Row that was fetched, and its Entry."""
    row = Row("b", key, state=FETCHED, path=f"b/{key}")
    return row, entry_of(row, "", 1, 1, 1)


def test_a_row_leaves_after_its_flush_and_its_record(events):
    """Flush, ledger, output: in that order."""
    outbox = made(events)
    outbox.add(*row_of("k"))
    assert outbox.pending_of(("b", "k", "")).key == outbox.pending_at("b/k").key == "k"
    outbox.close()
    assert events == [("flushed",), ("recorded", "k"), ("left", "k", FETCHED)]
    assert outbox.pending_of(("b", "k", "")) is outbox.pending_at("b/k") is None


def test_what_is_safe_needs_no_flush(events):
    """The ledger hears of it all the same, before it leaves."""
    outbox = made(events)
    outbox.add(*row_of("k"), is_safe=True)
    outbox.close()
    assert events == [("recorded", "k"), ("left", "k", FETCHED)]


def test_rows_that_need_nothing_leave_at_once(events):
    """They do not wait for the flush of others."""
    outbox = made(events)
    outbox.pass_on([Row("b", "a")])
    end = time.monotonic() + SOON
    while not events and time.monotonic() < end:
        time.sleep(0.001)
    assert events == [("left", "a", "")]
    outbox.close()


def test_a_failed_flush_ends_the_run(events, monkeypatch):
    """Its rows leave as failed, their files go, and nothing that comes later is believed, though
    the next flush says nothing.
    """
    failing = [OSError(5, "Input/output error")]

    def sync(fd):
        if failing:
            raise failing.pop()

    monkeypatch.setattr(durable, "sync_tree", sync)
    outbox = made(events)
    outbox.add(*row_of("first"))
    end = time.monotonic() + SOON
    while outbox.fault is None and time.monotonic() < end:
        time.sleep(0.001)
    outbox.add(*row_of("later"))
    with pytest.raises(Fault, match="cannot make files durable: Input/output error"):
        outbox.close()
    assert events == [("removed", "b/first"), ("left", "first", FAILED)]


def test_files_that_are_not_ours_stay(events, monkeypatch):
    """s3-verify removes nothing for a flush that failed."""
    monkeypatch.setattr(durable, "sync_tree",
                        lambda fd: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    outbox = Outbox(lambda rows: events.extend(row.state for row in rows), lambda: None,
                    Destination(Tree(events), Ledger(events), are_ours=False))
    outbox.add(*row_of("k"))
    with pytest.raises(Fault):
        outbox.close()
    assert events == [FAILED]


def test_looked_up_while_it_changes(events):
    """Another thread may ask what is pending while rows come and go."""
    outbox, stop, wrong = made(events), threading.Event(), []

    def ask():
        while not stop.is_set():
            try:
                outbox.pending_at("b/k5")
                outbox.pending_of(("b", "k5", ""))
            except Exception as error:
                wrong.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    for number in range(3000):
        outbox.add(*row_of(f"k{number}"))
    outbox.close()
    stop.set()
    asking.join()
    assert not wrong and len([event for event in events if event[0] == "left"]) == 3000


def test_what_waits_for_a_flush_hears_of_it(events):
    """After the flush; a flush that is asked for comes at once."""
    outbox = made(events, on_flushed=lambda values: events.append(("told", *values)))
    outbox.when_flushed("one")
    outbox.when_flushed("two")
    outbox.hurry()
    end = time.monotonic() + SOON
    while len(events) < 2 and time.monotonic() < end:
        time.sleep(0.001)
    assert events == [("flushed",), ("told", "one", "two")]
    outbox.close()


def test_a_failed_flush_tells_nobody(events, monkeypatch):
    """What waited for it waits for ever: the run ends."""
    monkeypatch.setattr(durable, "sync_tree",
                        lambda fd: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    outbox = made(events, on_flushed=lambda values: events.append(("told", *values)))
    outbox.when_flushed("one")
    with pytest.raises(Fault, match="cannot make files durable"):
        outbox.close()
    assert events == []


def test_files_are_recorded_though_nobody_reads(events):
    """A reader who is away for an hour costs no file its name or its record."""
    gate = threading.Event()

    def write(rows):
        gate.wait(SOON)
        events.extend(("left", row.key) for row in rows)

    outbox = Outbox(write, lambda: None, Destination(Tree(events), Ledger(events)))
    outbox.pass_on([Row("b", "first")])
    outbox.add(*row_of("k"))
    outbox.hurry()
    end = time.monotonic() + SOON
    while ("recorded", "k") not in events and time.monotonic() < end:
        time.sleep(0.001)
    assert events == [("flushed",), ("recorded", "k")]
    gate.set()
    outbox.close()
    assert events[2:] == [("left", "first"), ("left", "k")]


def test_tickets_come_back_when_rows_are_written(events):
    """Not before."""
    gate = threading.Event()
    outbox = Outbox(lambda rows: gate.wait(SOON), lambda: None, is_spooled=True)
    outbox.pass_on([Row("b", "a")], ticket="one")
    assert outbox.tickets() == []
    gate.set()
    outbox.close()
    assert outbox.tickets() == ["one"] and outbox.tickets() == []


def test_a_slow_reader_fills_the_spool_and_holds_up_nobody(events, monkeypatch):
    """In order, all of them."""
    monkeypatch.setattr(module, "QUEUED", 10)
    gate, left = threading.Event(), []

    def write(rows):
        gate.wait(SOON)
        left.extend(row.key for row in rows)

    outbox = Outbox(write, lambda: None, is_spooled=True)
    for number in range(1000):
        outbox.pass_on([Row("b", str(number))])
    gate.set()
    outbox.close()
    assert left == [str(number) for number in range(1000)]


def test_who_is_held_back_can_be_stopped(events, monkeypatch):
    """Without a spool a slow reader holds back who brings rows, until `should_stop` raises."""
    monkeypatch.setattr(module, "QUEUED", 10)
    gate, calls = threading.Event(), []

    def stop():
        calls.append(1)
        if len(calls) > 2:
            raise InterruptedError

    outbox = Outbox(lambda rows: gate.wait(SOON), stop)
    with pytest.raises(InterruptedError):
        for number in range(1000):
            outbox.pass_on([Row("b", str(number))])
    gate.set()
    outbox.close(SOON)


def test_a_fault_of_the_output_is_everybody_s(events):
    """Who brings rows is not held back for ever, and hears of it at the end."""
    def write(rows):
        raise BrokenPipeError

    outbox = Outbox(write, lambda: None)
    outbox.pass_on([Row("b", "a")])
    with pytest.raises(BrokenPipeError):
        outbox.close()
    assert isinstance(outbox.fault, BrokenPipeError)
