"""Large objects: never more ranges on their way than keep the workers busy."""

import os

import pytest

from s3kit.fetch.large_objects import RangeErrand
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Outcome
from unit.fetch.conftest import STEP, answer


def test_a_window_of_ranges(begun):
    """Each answer lets one more go, until the file has its name; each range is sent once."""
    fetching, objects, errand = begun(100)
    sent = fetching.stage.sent
    assert len(sent) == objects.most < 100 and all(isinstance(one, RangeErrand) for one, _ in sent)
    at = 0
    while at < len(sent) and isinstance(sent[at][0], RangeErrand):
        answer(objects, *sent[at])
        at += 1
        assert len(sent) - at <= objects.most
    assert [job.start for _, job in sent[:100]] == [n * STEP for n in range(100)]
    assert not fetching.files and fetching.tree.look("b/k") is None and objects.held
    fetching.naming.flushed(fetching.stage.unflushed)
    assert fetching.files and fetching.files[0].path == "b/k" and not objects.held
    assert fetching.tree.look("b/k").st_size == 100 * STEP


def test_an_object_that_failed_waits_for_its_ranges(begun):
    """No more are sent; its row goes when the last of those on their way has come back, and the
    part is kept.
    """
    fetching, objects, errand = begun(100)
    sent = list(fetching.stage.sent)
    objects.range_answered(sent[0][0], Outcome(jobs.FAILED, "no"))
    for one, job in sent[1:-1]:
        answer(objects, one, job)
    assert fetching.failed == [] and len(fetching.stage.sent) == len(sent)
    answer(objects, *sent[-1])
    assert [outcome.error for outcome in fetching.failed] == ["no"] and not objects.held
    assert any(name.endswith(".part") for name in os.listdir(fetching.tree.parts))


def test_what_nobody_can_finish_is_removed(begun):
    """The version is gone: so is its part file."""
    fetching, objects, errand = begun(2)
    for one, _ in list(fetching.stage.sent):
        objects.range_answered(one, Outcome(jobs.VANISHED, "gone"))
    assert fetching.failed and os.listdir(fetching.tree.parts) == []


@pytest.mark.parametrize("discard", [True, False])
def test_all_parts_are_let_go(begun, discard):
    """They stay for the next run, unless their bytes may be there in memory alone."""
    fetching, objects, errand = begun(100)
    objects.drop_all(discard)
    assert (os.listdir(fetching.tree.parts) == []) == discard and not objects.held
    assert errand.large.fd is None


def test_a_server_that_does_not_heed_ranges(begun):
    """Two ranges are asked for in vain; then the object comes in one piece, when all are back."""
    fetching, objects, errand = begun(3)
    sent = list(fetching.stage.sent)
    objects.range_answered(sent[1][0], Outcome(jobs.UNDIVIDED, "all of it"))
    answer(objects, *sent[0])
    assert not fetching.stage.sent[3:]
    objects.range_answered(sent[2][0], Outcome(jobs.UNDIVIDED, "all of it"))
    [(_, job)] = fetching.stage.sent[3:]
    assert (job.start, job.end) == (0, 3 * STEP)
    assert not errand.failed and errand.large in objects.held
