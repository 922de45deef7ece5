"""Jobs and outcomes: they go through a pipe to a worker and come back as they were."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.proof.claims import NO_CLAIM, etag_claim
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Job, Outcome

TEXT = st.text(max_size=5)
SIZES = st.integers(-1, 1 << 50)
CLAIMS = st.sampled_from([NO_CLAIM, etag_claim("0" * 32 + "-2", 9), etag_claim("0" * 32, 9)])
PIECES = st.none() | st.lists(st.tuples(st.integers(), st.binary(max_size=3)))
JOBS = st.tuples(TEXT, TEXT, TEXT, TEXT, TEXT, SIZES, SIZES, TEXT, CLAIMS, PIECES).map(
    lambda cells: Job(*cells[:8], claim=cells[8], pieces=cells[9]))
OUTCOMES = st.tuples(TEXT, TEXT, SIZES, CLAIMS, PIECES).map(
    lambda cells: Outcome(*cells[:2], size=cells[2], claim=cells[3], pieces=cells[4]))


@given(JOBS | OUTCOMES)
def test_what_a_worker_gets_is_what_was_sent(value):
    """Claims included, whose methods the worker calls."""
    there = pickle.loads(pickle.dumps(value))
    assert there == value and type(there) is type(value) and type(there.claim) is type(NO_CLAIM)


def test_what_is_not_said_is_not_known():
    """Defaults that mean nothing: no size, no claim, no range, no time."""
    job = Job("get", "b", "k", "", "", -1, -1, "b/k")
    assert (job.start, job.end, job.inode, job.claim, job.unless) == (0, 0, 0, NO_CLAIM, "")
    assert not job.direct and job.pieces is None
    answer = Outcome(jobs.FAILED)
    assert (answer.size, answer.claim, answer.moved, answer.slow) == (-1, NO_CLAIM, 0, False)


def test_every_state_of_an_outcome_is_another():
    states = [value for name, value in vars(jobs).items() if name.isupper() and name != "NO_CLAIM"]
    assert {jobs.FETCHED, jobs.AGAIN, jobs.FATAL} < set(states) and len(states) == len(set(states))


@pytest.mark.parametrize("kind, size, end, memory", [
    ("get", 5, 0, 5), ("get", 9 << 20, 0, 1 << 20), ("get", -1, 0, 1 << 20),
    ("range", 9 << 20, 7, 7), ("range", 9 << 30, 9 << 20, 1 << 20), ("survey", 9 << 30, 0, 0),
    ("name", -1, 0, 0)])
def test_the_memory_of_a_body(kind, size, end, memory):
    """A block, where it is longer than that, or of unknown length."""
    assert Job(kind, "b", "k", "", "", size, -1, "b/k", end=end).memory == memory
