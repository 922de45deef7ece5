"""Large objects: never more ranges on their way than keep the workers busy."""

import os
from types import SimpleNamespace

import pytest

from s3kit.disk.tree import Tree
from s3kit.fetch.deciding import FetchErrand
from s3kit.fetch.large_objects import LargeObjects, RangeErrand
from s3kit.fetch.naming import Naming
from s3kit.manifest.row import Row
from s3kit.proof.claims import etag_claim
from s3kit.transfer import job as jobs
from s3kit.transfer import large
from s3kit.transfer.job import Job, Outcome

STEP = 1 << 20


class Stage:
    """Notes what is sent."""

    def __init__(self):
        self.sent, self.unflushed = [], []
        self.flow = SimpleNamespace(flush=lambda: None)

    def send(self, errand, job=None, weight=0):
        """Take a job."""
        self.sent.append((errand, job or errand.job))

    def retry(self, errand, outcome, most):
        """Nothing is tried again here."""
        return False

    def when_flushed(self, errand):
        """Take what waits for a flush."""
        self.unflushed.append(errand)


class Fetching:
    """The verb, as far as large objects need it."""

    def __init__(self, tree):
        self.stage, self.tree, self.args = Stage(), tree, SimpleNamespace(jobs=2, retries=3)
        self.files, self.failed, self.large, self.naming = [], [], None, Naming(self)
        self.again = []

    def take_file(self, errand, outcome):
        """A file has its name."""
        self.files.append(outcome)

    def try_again(self, errand, outcome):
        """Take what is tried again."""
        self.again.append(outcome)

    def give_up(self, errand, outcome):
        """As the verb does it."""
        errand.failed = errand.failed or outcome
        if self.large.give_up(errand):
            self.failed.append(errand.failed)


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """Return f(number of ranges) -> (Fetching, LargeObjects, errand) of an object whose first
    ranges were sent.
    """
    monkeypatch.setattr(large, "step_of", lambda *_: STEP)

    def begin(count):
        fetching = Fetching(Tree(str(tmp_path / "d")))
        objects = fetching.large = LargeObjects(fetching)
        errand = FetchErrand(Row("b", "k", "v"),
                             Job("survey", "b", "k", "v", "e", count * STEP, 0, "b/k"))
        objects.surveyed(errand, Outcome(jobs.SURVEYED, size=count * STEP, etag="e"))
        return fetching, objects, errand

    return begin


def answer(objects, errand, job):
    """Answer a range's job as a worker does."""
    leaves = {str(job.start // (8 << 20)): "00" * 16} if job.start % (8 << 20) == 0 else {}
    pieces = {"start": job.start, "end": job.end, "crc": 0, "parts": [], "leaves": leaves}
    objects.range_answered(errand, Outcome(jobs.RECEIVED, moved=job.end - job.start, pieces=pieces))


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


@pytest.mark.parametrize("suspect, kept", [("", False), ("other", False), ("d", True)])
def test_bytes_that_do_not_meet_a_derived_claim(begun, suspect, kept):
    """The sizes of all parts are asked for, then the whole object again; the same bytes, twice, are
    kept.
    """
    fetching, objects, errand = begun(2)
    sent = fetching.stage.sent
    errand.large.claim = claim = etag_claim("0" * 32 + "-2", 2 * STEP).with_part_size(STEP)
    errand.job = errand.job._replace(suspect=suspect)
    objects.finish(errand, "", "d")
    assert sent[-1][1].kind == "parts" and errand.large
    objects.surveyed(errand, Outcome(jobs.SURVEYED, size=2 * STEP, claim=claim.with_sizes((5, 6))))
    assert (sent[-1][1].kind, sent[-1][1].claim.sizes) == ("check", (5, 6))
    objects.checked(errand, Outcome(jobs.CHECKED, proof="", digest="d"))
    if kept:
        assert fetching.stage.unflushed[0].written.proof == "size" and not fetching.again
    else:
        assert [outcome.digest for outcome in fetching.again] == ["d"] and errand.large is None


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
