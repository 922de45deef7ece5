"""What is allowed to all workers of a pool, in equal shares."""

from types import SimpleNamespace

import pytest

from s3kit.pipeline import sharing
from s3kit.pipeline.pool import DEPTH
from s3kit.pipeline.sharing import Sharing, most_connections, workers
from s3kit.s3.window import FEW, Round


class Pool:
    """What a pool is told."""

    def __init__(self):
        self.told, self.load = [], None

    def tell(self, message, keep=False):
        """Take a message."""
        self.told.append((*message, keep))


@pytest.fixture
def others():
    return []


@pytest.fixture
def made(others):
    """A Sharing of two workers, and its pool."""
    found = Sharing(2, 256, others.append)
    found.join(Pool())
    return found


def test_all_hear_of_what_one_finds(made):
    assert made.share == FEW / 2 and made.pool.load == DEPTH * FEW / 2
    made.hear(("round", Round(FEW, FEW * 0.03, FEW * 0.03, 0, True)))
    assert made.pool.told == [("share", 2 * FEW, True)] and made.share == 2 * FEW


def test_a_worker_holds_what_it_needs(made):
    """Twice as many jobs as may be under way."""
    for _ in range(3):
        made.hear(("round", Round(512, 15.0, 15.0, 0, True)))
    assert made.share == 256 and made.pool.load == 2 * 256


def test_one_slow_down_is_told_to_all_once(made):
    made.hear(("slow", None))
    made.hear(("slow", None))
    assert made.pool.told == [("slow", None, False), ("share", FEW / 4, True)]


def test_other_notes_are_others(made, others):
    made.hear(("moved", 5))
    assert others == [("moved", 5)] and not made.pool.told


@pytest.mark.parametrize("asked, jobs, files, most", [
    (None, 2, 1 << 16, 256), (None, 64, 1 << 16, 32), (None, 3, 1 << 16, 171),
    (7, 2, 256, 7), (None, 2, 1024, 96), (None, 2, 100, 1)])
def test_the_most(monkeypatch, asked, jobs, files, most):
    """What was asked for; else as many as files may be open, some hundreds in all."""
    monkeypatch.setattr(sharing, "descriptors", lambda: files)
    assert most_connections(asked, jobs) == most


def test_more_workers_than_requests():
    found = Sharing(100, 32, SimpleNamespace)
    assert found.share == 1


@pytest.mark.parametrize("jobs, requests, found", [(4, 0, 4), (4, 3, 3), (4, 100, 4), (4, 1, 1)])
def test_no_worker_waits_for_its_part(jobs, requests, found):
    """Where few requests a second are allowed, fewer workers have one a second each."""
    assert workers(SimpleNamespace(jobs=jobs, limit_requests=requests)) == found
