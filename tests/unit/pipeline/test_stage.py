"""The run loop of a row command: what it does for every verb."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from s3kit.errors import Cut, Fault, NoCredentials
from s3kit.manifest.row import FAILED, Row
from s3kit.pipeline import stage as module
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.pool import WorkerDied
from s3kit.pipeline.stage import Stage, Stuck, Verb
from s3kit.transfer.job import AGAIN, Outcome

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
        self.renewed = list(renewed)

    def fresh(self):
        """Return nothing new."""
        return []

    def renew(self, generation):
        """Return the next Endpoints."""
        if not self.renewed:
            raise NoCredentials("the credentials have expired")
        return self.renewed.pop(0)


def run(rows, answers, end=None, **options):
    """Run Echo on rows; return (the rows that left, the executor, the stage's words for people)."""
    def batches():
        yield rows
        if end:
            raise end

    left, said = [], []
    source = SimpleNamespace(batches=batches, extras=lambda: ())
    sink = SimpleNamespace(write=lambda batch, extras: left.extend(
        (row.key, row.state) for row in batch))
    tally = SimpleNamespace(count=lambda row, aloud=False: None, say=said.append)
    signals = SimpleNamespace(check=lambda: None, graceful=False)
    stage = Stage(SimpleNamespace(**vars(ARGS) | options.pop("args", {})), (source, sink),
                  (tally, None, signals), options.pop("access", None))
    executor = Executor(answers)
    stage.open(executor, lambda: None, limit=100)
    for note in options.pop("notes", ()):
        stage.hear(note)
    try:
        stage.run(Echo(stage))
    finally:
        run.executor, run.said, run.left = executor, said, left
    return sorted(left)


def test_rows_go_through_the_verb():
    """Its own by their job, others as they came."""
    rows = [Row("b", "a"), Row("b", "v", state="verified")]
    assert run(rows, {"a": [Outcome("fetched")]}) == [("a", "fetched"), ("v", "verified")]
    assert run.executor.ended == [False]


def test_what_failed_in_passing_is_tried_again(monkeypatch):
    """As often as the verb says, then its last outcome is the row's."""
    monkeypatch.setattr("s3kit.s3.patience.delay", lambda *_, **__: 0.0)
    assert (run([Row("b", "a")], {"a": [Outcome(AGAIN, "x"), Outcome("fetched")]})
            == [("a", "fetched")])
    assert run([Row("b", "a")], {"a": [Outcome(AGAIN, "x")] * 4}) == [("a", AGAIN)]


@pytest.mark.parametrize("in_place,wanted", [(False, []), (True, [("a", "")])])
def test_what_the_filters_leave_out(in_place, wanted):
    """It leaves the stream, and stays in a FILE that is rewritten."""
    args = {"min_size": 10, "in_place": in_place}
    assert run([Row("b", "a", size="1")], {}, args=args) == wanted


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


def test_slowdown_is_told_to_all():
    """One worker's is everybody's."""
    run([Row("b", "a")], {"a": [Outcome("fetched")]}, notes=[("slow", None)])
    assert run.executor.told == [("slow", None)]


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
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.3)
    monkeypatch.setattr(module, "STUCK_LOOKS", 1)
    with pytest.raises(Stuck, match="1 jobs are not answered"):
        run([Row("b", "a")], {})


def test_a_fault_of_the_output_ends_the_run():
    """It is raised where the rows are decided on."""
    class Full:
        def write(self, batch, extras):
            raise Fault("cannot write the output")

    source = SimpleNamespace(batches=lambda: iter([[Row("b", str(n), state="x")]
                                                   for n in range(1000)]), extras=lambda: ())
    tally = SimpleNamespace(count=lambda row, aloud=False: None, say=lambda text: None)
    stage = Stage(ARGS, (source, Full()),
                  (tally, None, SimpleNamespace(check=lambda: None, graceful=False)))
    stage.open(Executor(), lambda: None, limit=10)
    with pytest.raises(Fault, match="cannot write the output"):
        stage.run(Echo(stage))
