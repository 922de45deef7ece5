"""A verb and a stage, as far as large objects need them."""

from types import SimpleNamespace

import pytest

from s3kit.disk.tree import Tree
from s3kit.fetch.deciding import FetchErrand
from s3kit.fetch.large_objects import LargeObjects
from s3kit.fetch.naming import Naming
from s3kit.manifest.row import Row
from s3kit.proof.claims import NO_CLAIM
from s3kit.transfer import job as jobs
from s3kit.transfer import large
from s3kit.transfer.job import Job, Outcome

STEP = 1 << 20


class Stage:
    """Notes what is sent."""

    ledger = None

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
        self.stage, self.tree, self.args = Stage(), tree, SimpleNamespace(
            jobs=2, retries=3, connections=None)
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
    ranges were sent; `claim` is what S3 says of it, `likely` the part size of one before it.
    """
    monkeypatch.setattr(large, "step_of", lambda *_: STEP)

    def begin(count, claim=NO_CLAIM, likely=0):
        fetching = Fetching(Tree(str(tmp_path / "d")))
        objects = fetching.large = LargeObjects(fetching)
        if likely:
            objects.proving.part_sizes["b"] = likely
        errand = FetchErrand(Row("b", "k", "v"),
                             Job("survey", "b", "k", "v", "e", count * STEP, 0, "b/k"))
        objects.surveyed(errand, Outcome(jobs.SURVEYED, size=count * STEP, etag="e",
                                         claim=claim))
        return fetching, objects, errand

    return begin


def answer(objects, errand, job, parts=()):
    """Answer a range's job as a worker does; `parts` are the digests of its parts."""
    leaves = {str(job.start // (8 << 20)): "00" * 16} if job.start % (8 << 20) == 0 else {}
    pieces = {"start": job.start, "end": job.end, "crc": 0, "parts": [part.hex() for part in parts],
              "leaves": leaves}
    objects.range_answered(errand, Outcome(jobs.RECEIVED, moved=job.end - job.start, pieces=pieces))
