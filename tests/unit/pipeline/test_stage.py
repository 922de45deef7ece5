"""The run loop of a row command: what it does for every verb."""

import time
from collections import namedtuple
from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from rowruns import streams_of

from s3kit.disk import durable
from s3kit.errors import Cut, Fault, NoCredentials
from s3kit.manifest.row import FAILED, Row
from s3kit.pipeline import liveness
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.group_commit import Destination
from s3kit.pipeline.liveness import Stuck
from s3kit.pipeline.pool import WorkerDied
from s3kit.pipeline.stage import Stage, Verb
from s3kit.s3.verdicts import EXPIRED
from s3kit.transfer.job import AGAIN, Outcome

PROGRESS = SimpleNamespace(read=lambda *_: None)
ARGS = SimpleNamespace(rules=None, min_size=None, max_size=None, newer=None, older=None,
                       storage_class=None, in_place=False)


class Executor:
    """Answers each job by what `answers` says of its row's key; `told` is what it heard."""

    fault = None

    def __init__(self, answers=()):
        self.answers, self.told, self.ended = dict(answers), [], []

    def submit(self, work, jobs):
        """Answer a batch at once, or never where there is no answer."""
        future = Future()
        if all(job in self.answers for job in jobs):
            future.set_result([self.answers[job].pop(0) for job in jobs])
        return future

    def tell(self, message, keep=False):
        """Hear."""
        self.told.append(message)

    def shutdown(self, wait=True, cancel_futures=False):
        """End."""
        self.ended.append(cancel_futures)


class Echo(Verb):
    """Sends every row's key as a job, and lets it go with the outcome's state."""

    def is_mine(self, row):
        return row.state == ""

    def take(self, row, entry):
        self.stage.send(Errand(row, row.key))

    def answered(self, errand, outcome):
        if outcome.state == AGAIN and self.stage.retry(errand, outcome, 3):
            return
        errand.row.state, errand.row.error = outcome.state, outcome.error
        self.stage.leave(errand.row)


class Access:
    """Credentials that are renewed when `renewed` has any."""

    def __init__(self, renewed=()):
        self.renewed, self.asked = list(renewed), []

    def fresh(self):
        """Return nothing new."""
        return []

    def renew(self, generation, told=""):
        """Return the next Endpoints."""
        self.asked.append(generation)
        if not self.renewed:
            raise NoCredentials("the credentials have expired")
        return self.renewed.pop(0)


class Held(Echo):
    """Holds jobs back until all rows of a block were taken; `said` has what it was told, in order.
    """

    def __init__(self, stage):
        super().__init__(stage)
        self.said, self.held = [], []

    def take(self, row, entry):
        self.held.append(Errand(row, row.key))

    def taken(self):
        self.said.append(f"taken {len(self.held)}")
        for errand in self.held:
            self.stage.send(errand)
        self.held = []

    def leaving(self):
        if self.stage.leaving:
            self.said.append(f"leaving {len(self.stage.leaving)} after {len(run.left)}")


def run(rows, answers, end=None, kind=Echo, **options):
    """Run a verb on rows; return (the rows that left, the executor, the stage's words for people).
    """
    said, (source, sink, left) = [], streams_of([rows], end)
    tally = SimpleNamespace(count=lambda row, aloud=False: None, say=said.append,
                            add=lambda name: None)
    signals = SimpleNamespace(check=lambda: None, graceful=False)
    stage = Stage(SimpleNamespace(**vars(ARGS) | options.pop("args", {})), (source, sink),
                  (tally, PROGRESS, signals), options.pop("access", None))
    executor = Executor(answers)
    stage.open(executor, lambda: None, options.pop("destination", None), limit=100)
    for note in options.pop("notes", ()):
        stage.hear(note)
    run.executor, run.said, run.left = executor, said, left
    run.verb = kind(stage)
    stage.run(run.verb)
    return sorted(left)


def test_rows_go_through_the_verb():
    """Its own by their job, others as they came."""
    rows = [Row("b", "a"), Row("b", "v", state="verified")]
    assert run(rows, {"a": [Outcome("fetched")]}) == [("a", "fetched"), ("v", "verified")]
    assert set(run.executor.ended) == {False}


def test_what_failed_in_passing_is_tried_again(monkeypatch):
    """As often as the verb says, then its last outcome is the row's."""
    monkeypatch.setattr("s3kit.s3.patience.delay", lambda *_, **__: 0.0)
    assert (run([Row("b", "a")], {"a": [Outcome(AGAIN, "x"), Outcome("fetched")]})
            == [("a", "fetched")])
    assert run([Row("b", "a")], {"a": [Outcome(AGAIN, "x")] * 4}) == [("a", AGAIN)]


def test_what_failed_together_is_asked_for_together_again(monkeypatch):
    """With a `tick`, waits end at the same moments, whatever their lengths."""
    waits = iter([0.01, 0.13, 0.0])
    monkeypatch.setattr("s3kit.s3.patience.delay", lambda *_, **__: next(waits))
    monkeypatch.setattr("time.monotonic", lambda: 1000.1)
    stage = Stage(ARGS, (None, None), (SimpleNamespace(say=print, add=print), None, None))
    stage.verb, called = SimpleNamespace(resend=None), []
    stage.later = lambda seconds, *_: called.append(round(seconds, 6))
    for tick in (0.5, 0.5, 0):
        assert stage.retry(Errand(Row("b", "a")), Outcome(AGAIN, "x"), 3, tick)
    assert called == [0.4, 0.4, 0.0]


@pytest.mark.parametrize("in_place,wanted", [(False, []), (True, [("a", "")])])
def test_what_the_filters_leave_out(in_place, wanted):
    """It leaves the stream, and stays in a FILE that is rewritten."""
    args = {"min_size": 10, "in_place": in_place}
    assert run([Row("b", "a", size="1")], {}, args=args) == wanted


def test_what_leaves_keeps_its_order():
    """The verb's rows, whose decision is put off until their neighbours are known, and others."""
    class Leaving(Echo):
        def take(self, row, entry):
            self.stage.leave(row)

    rows = [Row("b", key, size=size, state=state) for key, size, state in [
        ("a", "9", ""), ("b", "9", ""), ("c", "9", "verified"), ("d", "1", ""), ("e", "9", "")]]
    run(rows, {}, kind=Leaving, args={"min_size": 2, "in_place": True})
    assert [key for key, _ in run.left] == list("abcde")


def test_a_cut_input_loses_nothing():
    """What came is done, then the cut is said."""
    with pytest.raises(Cut):
        run([Row("b", "a")], {"a": [Outcome("fetched")]}, Cut("cut"))
    assert run.left == [("a", "fetched")] and run.executor.ended == [True]


def test_expired_credentials_are_renewed_once_for_all():
    """The workers hear of the new ones; where there are none the run ends."""
    run([Row("b", "a")], {"a": [Outcome("fetched")]}, access=Access([["endpoint"]]),
        notes=[("expired", 0)])
    assert run.executor.told == [("endpoints", ["endpoint"])]
    with pytest.raises(NoCredentials):
        run([Row("b", "a")], {"a": [Outcome("fetched")]}, access=Access(), notes=[("expired", 0)])


def test_an_expired_job_is_sent_again_with_newer_credentials():
    """The answer of an executor that has no workers; the verb hears of what comes after it."""
    class Again(Echo):
        def take(self, row, entry):
            self.send(Errand(row), 1)

        def send(self, errand, generation):
            errand.job = Job(errand.row.key, SimpleNamespace(generation=generation))
            self.stage.send(errand, errand.job.key)

        def resend(self, errand):
            self.send(errand, 2)

    Job = namedtuple("Job", "key endpoint")
    access = Access([["endpoint"]])
    answers = {"a": [Outcome(EXPIRED, "x"), Outcome("fetched")]}
    assert run([Row("b", "a")], answers, kind=Again, access=access) == [("a", "fetched")]
    assert access.asked == [1]
    with pytest.raises(NoCredentials):
        run([Row("b", "a")], {"a": [Outcome(EXPIRED, "x")]}, kind=Again, access=Access())


def test_what_a_verb_hears_of_blocks():
    """When all rows of one were taken, and before any leaves."""
    rows = [Row("b", "a"), Row("b", "v", state="verified"), Row("b", "c")]
    answers = {"a": [Outcome("fetched")], "c": [Outcome("fetched")]}
    assert run(rows, answers, kind=Held) == [("a", "fetched"), ("c", "fetched"), ("v", "verified")]
    assert run.verb.said[0] == "taken 2" and "leaving 1 after 0" in run.verb.said


def test_what_a_verb_does_at_every_turn(monkeypatch):
    """It is called again and again, also while nothing comes."""
    turns = []
    monkeypatch.setattr(Echo, "look", lambda verb: turns.append(verb.stage.outbox.tickets()))
    run([Row("b", "a")], {"a": [Outcome("fetched")]})
    assert len(turns) >= 2 and not any(turns)


def test_a_ticket_comes_back_when_its_row_is_written(monkeypatch):
    """Rows leave in the order in which the verb lets them go, with a ticket or without."""
    taken = []

    def answered(verb, errand, outcome):
        key = errand.row.key
        verb.stage.leave(errand.row, ticket=key.upper() if key in "bd" else None)

    def look(verb):
        taken.extend(verb.stage.outbox.tickets())
        if verb.stage.flow.ended and len(taken) < 2:
            verb.stage.later(0.01, lambda: None)        # the outbox has a thread of its own

    monkeypatch.setattr(Echo, "answered", answered)
    monkeypatch.setattr(Echo, "look", look)
    run([Row("b", key) for key in "abcde"], {key: [Outcome("fetched")] for key in "abcde"})
    assert taken == ["B", "D"] and [key for key, _ in run.left] == list("abcde")


def test_a_verb_that_passes_nothing_on(monkeypatch):
    """Only the rows leave that it lets go itself."""
    monkeypatch.setattr(Echo, "passes_on", False)
    rows = [Row("b", "a"), Row("b", "v", state="verified")]
    assert run(rows, {"a": [Outcome("fetched")]}) == [("a", "fetched")]


def test_a_batch_that_costs_too_many_workers_fails_its_rows():
    """Any other exception is a fault of ours, and ends the run."""
    for error, wanted in ((WorkerDied("its worker died"), None), (KeyError("k"), KeyError)):
        answers = {"a": [error]}
        if wanted:
            with pytest.raises(wanted):
                run([Row("b", "a")], answers)
        else:
            assert run([Row("b", "a")], answers) == [("a", FAILED)]


def test_a_dead_executor_ends_the_run(monkeypatch):
    """Whatever was owed."""
    monkeypatch.setattr(Executor, "fault", RuntimeError("the pool's thread has died"))
    with pytest.raises(RuntimeError, match="thread has died"):
        run([Row("b", "a")], {})


def test_nobody_waits_for_ever(monkeypatch):
    """Rows are owed and nothing happens: a fault of ours, said with what is waited for."""
    monkeypatch.setattr(liveness, "STUCK_SECONDS", 0.3)
    monkeypatch.setattr(liveness, "STUCK_LOOKS", 1)
    with pytest.raises(Stuck, match="1 jobs are not answered"):
        run([Row("b", "a")], {})


def test_an_executor_that_goes_on_is_waited_for(monkeypatch):
    """Its `steps` say that something happens, long before an answer does."""
    monkeypatch.setattr(liveness, "STUCK_SECONDS", 0.3)
    monkeypatch.setattr(liveness, "STUCK_LOOKS", 1)
    begun = time.monotonic()
    monkeypatch.setattr(Executor, "steps", property(
        lambda executor: int(100 * min(time.monotonic() - begun, 1))), raising=False)
    with pytest.raises(Stuck):
        run([Row("b", "a")], {})
    assert time.monotonic() - begun > 1.3


class Waits(Echo):
    """Lets a row go after a flush."""

    def take(self, row, entry):
        self.stage.when_flushed(Errand(row))

    def flushed(self, errands):
        for errand in errands:
            self.stage.leave(errand.row)


def test_a_slow_flush_is_waited_for(monkeypatch):
    """However long it takes: the disk is at work, and says no more than that."""
    monkeypatch.setattr(liveness, "STUCK_SECONDS", 0.3)
    monkeypatch.setattr(liveness, "STUCK_LOOKS", 1)
    monkeypatch.setattr(durable, "sync_tree", lambda fd: time.sleep(1.5))
    assert run([Row("b", "a"), Row("b", "c")], {}, kind=Waits,
               destination=Destination(SimpleNamespace(fd=-1), None)) == [("a", ""), ("c", "")]


def test_a_fault_of_the_output_ends_the_run():
    """It is raised where the rows are decided on."""
    class Full:
        def write(self, batch, extras):
            raise Fault("cannot write the output")

    source = SimpleNamespace(batches=lambda: iter([[Row("b", str(n), state="x")]
                                                   for n in range(1000)]), extras=lambda: (),
                             share=lambda: None)
    tally = SimpleNamespace(count=lambda row, aloud=False: None, say=lambda text: None)
    stage = Stage(ARGS, (source, Full()),
                  (tally, PROGRESS,
                   SimpleNamespace(check=lambda: None, graceful=False)))
    stage.open(Executor(), lambda: None, limit=10)
    with pytest.raises(Fault, match="cannot write the output"):
        stage.run(Echo(stage))
