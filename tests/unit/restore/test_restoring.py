"""What s3-restore does with a row: what each Status of S3's leads to."""

import pytest

from s3kit.errors import Fault
from s3kit.manifest.row import Row
from s3kit.restore import answers
from s3kit.restore.answers import Status
from s3kit.restore.asking import RestoreRequest, StatusQuery
from s3kit.restore.restoring import ASKS, RETRIES, Restoring

ARCHIVED = Status(answers.ARCHIVED, storage_class="GLACIER", size="5", by_head=True)


class Run:
    """A Restoring on a stage that takes note; S3's answers are given one by one."""

    def __init__(self, stage):
        self.stage, self.verb = stage, Restoring(stage)
        stage.verb = self.verb
        self.verb.probes.shown["b"] = True
        self.answered = 0

    def take(self, key="k", bucket="b", **fields):
        """Take a row."""
        row = Row(bucket, key, size="5", storage_class="GLACIER", **fields)
        assert self.verb.is_mine(row)
        self.verb.take(row, None)
        return row

    def answer(self, *statuses):
        """Answer what was sent, in its order."""
        for status in statuses:
            errand, _ = self.stage.sent[self.answered]
            self.answered += 1
            self.stage.answer(errand, status)

    @property
    def open(self):
        """The classes of the jobs that are not answered."""
        return [type(job) for _, job in self.stage.sent[self.answered:]]


def test_the_way_of_a_row(made):
    """Looked at, asked for, watched, looked at again, and on its way with a ticket."""
    stage = made()
    run = Run(stage)
    row = run.take()
    assert run.open == [StatusQuery]
    run.answer(ARCHIVED)
    assert run.open == [RestoreRequest]
    run.answer(Status(answers.ONGOING))
    assert run.open == [] and not stage.left and len(run.verb.watching) == 1
    stage.wake()
    run.answer(Status(answers.ONGOING))
    stage.wake()
    run.answer(Status(answers.READY, until="2012-12-21T00:00:00Z"))
    assert stage.left == [("k", "restored", (("b", "k", ""), 5))]
    assert row.restore == "ready until 2012-12-21T00:00:00Z" and not run.verb.watching
    cap = run.verb.turns.cap
    assert cap.held == 1, "nobody has its row yet"
    stage.tickets = [(("b", "k", ""), 5)]
    run.verb.look()
    assert cap.held == 0
    assert run.verb.summary()[0] == "1 row restored (5)" and run.verb.status() == 0


def test_without_wait(made):
    """It leaves as asked for; what S3 is at work on keeps its place, for later rows."""
    stage = made(wait=False, max_pending=1)
    run = Run(stage)
    run.take("a", restore="ongoing", state="restoring")
    run.take("b")
    run.answer(Status(answers.ONGOING), ARCHIVED)
    assert stage.left == [("a", "restoring", None), ("b", "", None)]
    assert run.verb.summary() == ["0 rows restored", "1 row asked for", "1 row not asked for", 0]
    assert run.verb.status() == 1


@pytest.mark.parametrize("options, left", [({}, [("k", "verified", None)]), ({"again": True}, []),
                                           ({"dry_run": True}, [])])
def test_what_came_before(made, options, left, capsys):
    """It passes, and people hear why; S3 is asked for it with --again."""
    stage = made(**options)
    run = Run(stage)
    run.take(state="verified")
    assert stage.left == left and len(run.open) == stage.args.again
    run.verb.summary()
    assert ("1 row whose bytes came before: give --again to" in capsys.readouterr().err) is (
        not stage.args.again)


def test_a_dry_run(made):
    """Only what S3 would be asked for leaves."""
    stage = made(dry_run=True)
    run = Run(stage)
    for key in "abcd":
        run.take(key)
    run.answer(ARCHIVED, Status(answers.ONGOING), Status(answers.READY), Status(answers.ONLINE))
    assert stage.left == [("a", "", None)] and run.open == [] and not run.verb.passes_on
    assert run.verb.summary() == ["1 row to ask for (5)"]


@pytest.mark.parametrize("fields, state", [
    ({}, ""), ({"state": "listed"}, "listed"), ({"state": "restoring"}, "restored"),
    ({"restore": "ongoing"}, "restored")])
def test_what_is_in_no_archive(made, fields, state):
    """It goes on as it came, unless it was asked for before."""
    stage = made()
    run = Run(stage)
    run.take(**fields)
    run.answer(Status(answers.ONLINE))
    assert stage.left == [("k", state, None)]


@pytest.mark.parametrize("status, state", [
    (Status(answers.FAILED, "S3 will not"), "failed"),
    (Status(answers.VANISHED, "S3 has it no more"), "vanished")])
def test_what_cannot_be_restored(made, capsys, status, state):
    """It leaves with S3's words, and its place is free."""
    stage = made()
    run = Run(stage)
    run.take()
    run.answer(ARCHIVED, status)
    assert stage.left == [("k", state, None)] and status.error in capsys.readouterr().err
    assert run.verb.turns.cap.held == 0 and run.verb.status() == 1


def test_rows_of_which_s3_is_not_asked(made, capsys):
    """A bucket that is not there, an id that is none of S3's."""
    stage = made()
    run = Run(stage)
    run.take("a", bucket="gone")
    run.take("b", version_id="two\nlines")
    assert stage.left == [("a", "failed", None), ("b", "failed", None)] and not stage.sent
    said = capsys.readouterr().err
    assert "does not exist" in said and "no version of S3's has such an id or ETag" in said


@pytest.mark.parametrize("slow", [False, True])
def test_a_request_that_fails_in_passing(made, slow):
    """It is looked at before it is asked for again; so many times, or so long while S3 is slow."""
    stage = made()
    run = Run(stage)
    row = run.take()
    run.answer(ARCHIVED)
    again = Status(answers.AGAIN, "503", slow=slow)
    for _ in range(RETRIES):
        run.answer(again)
        assert not run.open and not stage.left
        stage.wake()
        assert run.open == [StatusQuery]
        run.answer(ARCHIVED)
        assert run.open == [RestoreRequest]
    run.answer(again)
    assert row.state == ("" if slow else "failed")
    if slow:
        stage.sent[-1][0].patience.since -= 901
        stage.wake()
        run.answer(again)
        assert row.state == "failed"


def test_a_row_that_waited_long_is_not_failed_for_one_slowdown(made):
    """S3's patience is counted from its first SlowDown, not from when the row came."""
    stage = made()
    run = Run(stage)
    row = run.take()
    run.answer(ARCHIVED)
    stage.sent[0][0].began -= 3600
    run.answer(Status(answers.AGAIN, "503", slow=True))
    assert row.state == "" and not stage.left
    stage.wake()
    run.answer(ARCHIVED, Status(answers.ONGOING))
    assert len(run.verb.watching) == 1


def test_looks_at_pending_rows_may_fail(made, capsys):
    """They are done again with the next ones; people hear of it after a while."""
    stage = made()
    run = Run(stage)
    run.take()
    run.answer(ARCHIVED, Status(answers.ONGOING))
    for _ in range(2 * RETRIES):
        stage.wake()
        run.answer(Status(answers.AGAIN, "timed out"))
    assert not stage.left and not capsys.readouterr().err
    run.verb.watching.warned -= 901
    stage.wake()
    run.answer(Status(answers.AGAIN, "timed out"))
    assert "cannot see how 1 row stand, still trying: timed out" in capsys.readouterr().err


def test_credentials_that_expire(made):
    """They are renewed, and what was asked is asked as a look; no try is counted."""
    stage = made()
    run = Run(stage)
    run.take()
    run.answer(Status(answers.EXPIRED, "ExpiredToken: it has"))
    assert stage.access.renewed == [(1, "ExpiredToken: it has")] and run.open == [StatusQuery]
    run.answer(ARCHIVED, Status(answers.EXPIRED, "again"))
    assert stage.access.renewed[-1] == (2, "again") and run.open == [StatusQuery]
    run.answer(Status(answers.ONGOING))
    stage.wake()
    run.answer(Status(answers.EXPIRED, "again"))
    assert run.open == [StatusQuery]
    assert run.verb.requests.under_way == {"looked": 0, "polled": 1, "asked": 0}
    assert stage.sent[-1][0].patience.tries == 0 and not stage.left


def test_what_nobody_may_ask_ends_the_run(made):
    """Whatever row it was."""
    run = Run(made())
    run.take()
    with pytest.raises(Fault, match="the clock is wrong"):
        run.answer(Status(answers.FATAL, "the clock is wrong"))


@pytest.mark.parametrize("options, tiers, state", [
    ({"fallback": "Bulk"}, ["Expedited", "Bulk"], ""), ({}, ["Expedited", "Expedited"], ""),
    ({"wait": False}, ["Expedited"], "failed")])
def test_no_capacity_for_expedited(made, options, tiers, state):
    """Another tier, later, or not at all."""
    stage = made(**options)
    run = Run(stage)
    row = run.take()
    run.answer(ARCHIVED, Status(answers.UNAVAILABLE, "no capacity"))
    if not options:
        assert run.verb.turns.cap.held == 0
        stage.wake()
        run.answer(ARCHIVED)
    assert row.state == state
    assert [job.tier for _, job in stage.sent if isinstance(job, RestoreRequest)] == tiers


def test_a_tier_that_the_class_has_not(made):
    """Standard, which all have; where S3 refuses that, too, it is S3's word."""
    run = Run(made())
    row = run.take()
    run.answer(ARCHIVED, Status(answers.UNSUPPORTED, "not supported"))
    assert [job.tier for _, job in run.stage.sent[1:]] == ["Expedited", "Standard"]
    run.answer(Status(answers.UNSUPPORTED, "not supported"))
    assert (row.state, row.error) == ("failed", "not supported")


def test_a_copy_that_expires_each_time(made):
    """Nobody pays without end."""
    run = Run(made())
    row = run.take()
    run.answer(ARCHIVED)
    for _ in range(ASKS):
        run.answer(Status(answers.READY))
        assert run.open == [StatusQuery], "until when?"
        run.answer(ARCHIVED)
    assert run.open == [] and row.state == "failed" and "still in the archive" in row.error


def test_a_listing_that_does_not_show_restores(made):
    """The first row finds that out; nothing else is asked for before, and HEAD says the rest."""
    run = Run(made())
    del run.verb.probes.shown["b"]
    cold = ARCHIVED._replace(by_head=False)
    run.take("a")
    run.take("b")
    run.answer(cold, cold)
    assert [job.by_head for _, job in run.stage.sent[2:]] == [True]
    run.answer(ARCHIVED, Status(answers.ONGOING))
    assert [(type(job), job.by_head) for _, job in run.stage.sent[4:]] == [(StatusQuery, False)]
    run.answer(cold)
    assert run.verb.probes.shown == {"b": False} and len(run.verb.watching) == 1
    assert run.stage.sent[-1][0].row.key == "b" and run.stage.sent[-1][1].by_head


def test_progress(made):
    """Every second."""
    run = Run(made())
    run.verb.look()
    assert run.stage.shown == []
    run.verb.shown -= 2
    run.verb.look()
    run.verb.look()
    assert run.stage.shown == ["0 pending, 0 ready"]


def test_every_state_has_its_step(made):
    """But for EXPIRED, which is the stage's."""
    assert set(Run(made()).verb.by_state) == set(answers.STATES) - {answers.EXPIRED}
