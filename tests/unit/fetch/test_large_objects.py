"""Large objects: never more ranges on their way than fill the link."""

import os
import random
from statistics import median_low
from types import SimpleNamespace

import pytest

from s3kit.fetch.large_objects import RangeErrand
from s3kit.pipeline import pieces
from s3kit.pipeline.pieces import FEW
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Outcome
from unit.fetch.conftest import STEP, answer


# Seconds that a range takes while so many are on their way, and how many there are in the middle.
LINKS = {"each connection is slow": (lambda ranges: 1.0, range(256, 513)),
         "far away": (lambda ranges: 0.5 + 0.001 * ranges, range(128, 513)),
         "forty fill it": (lambda ranges: max(1.0, ranges / 40), range(40, 80)),
         "few fill it": (lambda ranges: 0.1 * ranges, range(8, 16))}


@pytest.mark.parametrize("name", LINKS)
def test_as_many_ranges_as_fill_the_link(begun, monkeypatch, name):
    """It is found from how long they take, beginning with few."""
    now = [0.0]
    monkeypatch.setattr(pieces, "time", SimpleNamespace(monotonic=lambda: now[0]))
    # 3 GiB are not needed; where files of tests lie in memory they would take it
    monkeypatch.setattr(os, "posix_fallocate", lambda fd, at, size: os.ftruncate(fd, size))
    seconds, found = LINKS[name]
    fetching, objects, errand = begun(3000)
    sent, left, seen = fetching.stage.sent, {}, []
    chance = random.Random(13)
    while len(seen) < 2500:
        left |= {number: chance.uniform(0.8, 1.2)
                 for number in range(len(seen) + len(left), len(sent))}
        seen.append(len(left))
        number = min(left, key=left.get)
        share, takes = left.pop(number), seconds(seen[-1])
        left = {other: rest - share for other, rest in left.items()}
        now[0] += share * takes
        answer(objects, *sent[number])
    assert seen[0] == 2 * FEW and median_low(seen) in found


def test_each_range_is_sent_once(begun):
    """Each answer lets one more go, or more, until the file has its name."""
    fetching, objects, errand = begun(100)
    sent = fetching.stage.sent
    assert len(sent) < 100 and all(isinstance(one, RangeErrand) for one, _ in sent)
    at = 0
    while at < len(sent) and isinstance(sent[at][0], RangeErrand):
        answer(objects, *sent[at])
        at += 1
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
