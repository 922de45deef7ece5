"""A delete marker on top of a key."""

import pytest

from s3kit.transfer.job import AGAIN, CONFLICT, FAILED
from s3kit.transfer.put_job import HIDDEN
from s3kit.transfer.put_task import OTHERS


def hide(puts, **fields):
    """Return the Outcome of making a delete marker of the key `k`."""
    return puts.do(puts.put(b"", kind="hide", **fields))


def test_a_marker_is_made(puts):
    """Of an object, of nothing, and of a marker: nothing is looked at."""
    puts.fake.put("b", "k", b"kept")
    for _ in range(2):
        outcome = hide(puts)
        found = puts.fake.versions("b")
        assert (outcome.state, outcome.version_id) == (HIDDEN, found[0].id) and found[0].marker
    assert [version.body for version in found] == [b"", b"", b"kept"]
    assert [method for method, _ in puts.asked()] == ["DELETE"] * 2


def test_a_marker_that_is_there(puts):
    """After an answer that was lost: it is not made again."""
    puts.fake.put("b", "k", b"kept")
    marker = puts.fake.delete("b", "k")
    outcome = hide(puts, is_looked=True)
    assert (outcome.state, outcome.version_id) == (HIDDEN, marker)
    assert len(puts.fake.versions("b")) == 2


@pytest.mark.parametrize("body", [None, b"kept"])
def test_it_is_made_where_there_is_none(puts, body):
    """On nothing, or on the version that it is to cover."""
    over = puts.fake.put("b", "k", body) if body else ""
    assert hide(puts, is_looked=True, over=over).state == HIDDEN
    assert [version.marker for version in puts.fake.versions("b")] == [True] + [False] * bool(body)


@pytest.mark.parametrize("over", ["", "another"])
def test_what_another_has_put_there_is_not_hidden(puts, over):
    puts.fake.put("b", "k", b"another's")
    outcome = hide(puts, is_looked=True, over=over)
    assert (outcome.state, outcome.error) == (CONFLICT, OTHERS)
    assert len(puts.fake.versions("b")) == 1


@pytest.mark.parametrize("fault, state", [
    ({"kind": "status", "status": 403, "code": "AccessDenied"}, FAILED),
    ({"kind": "status", "status": 503, "code": "SlowDown"}, AGAIN)])
def test_what_is_refused(puts, fault, state):
    """With S3's reason."""
    puts.fake.fault(fault.pop("kind"), method="DELETE", **fault)
    outcome = hide(puts)
    assert outcome.state == state and outcome.error and not puts.fake.versions("b")


def test_a_server_that_makes_none(puts):
    """Nobody knows what it did: versions were not kept."""
    puts.fake.buckets["b"].versioning = ""
    outcome = hide(puts)
    assert (outcome.state, outcome.error) == (FAILED, "the server has made no delete marker")
