"""Endpoints on their way to the workers: each bucket's once, newer ones when there are any."""

from types import SimpleNamespace

import pytest

from s3kit.errors import NoCredentials, NoSuchBucket
from s3kit.manifest.row import Row
from s3kit.pipeline.endpoints import Endpoints


class Access:
    """Answers as Access does, and notes what it was asked."""

    def __init__(self):
        self.asked, self.newer = [], []

    def endpoint(self, bucket):
        """Return an endpoint."""
        self.asked.append(bucket)
        if bucket == "gone":
            raise NoSuchBucket("bucket 'gone' does not exist")
        return f"endpoint of {bucket}"

    def fresh(self):
        """Return what has changed."""
        newer, self.newer = self.newer, []
        return newer

    def renew(self, generation, told=""):
        """Return what is newer than a generation."""
        if generation > 1:
            raise NoCredentials("they have expired")
        return [f"newer than {generation}"]


@pytest.fixture
def made():
    """Endpoints, and what the workers were told."""
    told = []
    executor = SimpleNamespace(tell=lambda message, keep: told.append((*message, keep)))
    return Endpoints(Access(), executor), told


def test_a_bucket_is_told_of_once(made):
    """Before the first job of it."""
    endpoints, told = made
    for key in ("k", "a/../l"):
        endpoints.reach(Row("b", key))
    assert told == [("endpoints", ["endpoint of b"], True)]
    assert endpoints.access.asked == ["b"]


def test_a_bucket_that_is_not_there(made):
    """Nobody hears of it, and it is asked for again: it may be made meanwhile."""
    endpoints, told = made
    for _ in range(2):
        with pytest.raises(NoSuchBucket):
            endpoints.reach(Row("gone", "k"))
    assert told == [] and len(endpoints.access.asked) == 2


def test_newer_credentials(made):
    """Told when there are any, and where those we have expired."""
    endpoints, told = made
    endpoints.refresh()
    assert told == []
    endpoints.access.newer = ["newer"]
    endpoints.refresh()
    endpoints.renew(1)
    assert told == [("endpoints", ["newer"], True), ("endpoints", ["newer than 1"], True)]
    with pytest.raises(NoCredentials):
        endpoints.renew(2)


def test_an_executor_whose_jobs_carry_their_endpoints():
    """It need not be told."""
    endpoints = Endpoints(Access(), object())
    endpoints.reach(Row("b", "k"))
    endpoints.renew(1)


def test_a_command_that_asks_nothing_of_s3():
    """It has no Access."""
    Endpoints(None, object()).refresh()
