"""An object that is read as it comes, whatever breaks off."""

import random

import pytest

from s3kit.errors import Fault, NoAccess
from s3kit.s3 import reading
from s3kit.s3.address import Endpoint
from s3kit.s3.reading import AHEAD, Reading

BODY = random.Random(3).randbytes(3 << 20)


@pytest.fixture
def endpoint(fake):
    """The Endpoint of a bucket with one object, k."""
    fake.put("b", "k", BODY)
    return Endpoint("b", f"{fake.url}/b", "us-east-1", fake.access_key, fake.secret_key)


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Wait for nothing."""
    monkeypatch.setattr(reading, "rest", lambda seconds, check: check())


def test_little_waits_in_memory(endpoint, monkeypatch):
    """Who reads slowly is not overrun: the server has to wait."""
    monkeypatch.setattr(reading, "AHEAD", 1 << 19)
    made, most, came = Reading(endpoint, "k"), 0, []
    for block in made:
        most = max(most, made.size + len(block))
        came.append(block)
    assert b"".join(came) == BODY and most < 2 << 20 < AHEAD


@pytest.mark.parametrize("faults", [
    [("short", {})], [("reset", {})], [("short", {}), ("reset", {}), ("short", {})],
    [("short", {}), ("ignore-range", {})], [("reset", {"at": 1})]])
def test_goes_on_where_it_broke(fake, endpoint, faults):
    """By a range of the same object, or by passing over what came before."""
    rules = [fake.fault(kind, "k", **options) for kind, options in faults]
    assert b"".join(Reading(endpoint, "k")) == BODY
    assert [rule.hits for rule in rules] == [1] * len(rules)


def test_another_object_is_not_joined_to_it(fake, endpoint):
    """It changes between two requests, or the server says what it sends and it is something else.
    """
    for kind in ("wrong-range", "wrong-etag"):
        fake.fault("short", "k")
        fake.fault(kind, "k", where=lambda request: "range" in request.headers)
        with pytest.raises(Fault, match="has changed while it was read"):
            list(Reading(endpoint, "k"))
    fake.fault("short", "k")
    made = iter(Reading(endpoint, "k"))
    next(made)
    fake.put("b", "k", b"another")
    with pytest.raises(Fault, match="cannot read 's3://b/k'"):
        list(made)


def test_what_is_not_there(endpoint):
    """S3's word is said, and its code can be heeded."""
    with pytest.raises(Fault, match="cannot read 's3://b/none'") as raised:
        list(Reading(endpoint, "none"))
    assert raised.value.code == "NoSuchKey"
    with pytest.raises(NoAccess):
        list(Reading(endpoint._replace(secret_key="wrong"), "k"))


def test_it_gives_up(fake, endpoint):
    """Where nothing comes at all, again and again."""
    fake.fault("reset", "k", times=None, at=0)
    with pytest.raises(Fault, match="cannot read"):
        list(Reading(endpoint, "k"))


def test_a_signal_ends_it(endpoint):
    """`check` may raise at any time."""
    def check():
        raise KeyError
    with pytest.raises(KeyError):
        list(Reading(endpoint, "k", check=check))


def test_expired_credentials_are_renewed(fake, endpoint):
    """Once they have expired, newer ones are asked for."""
    fake.credentials[fake.access_key].expired = True

    def renew(old):
        fake.credentials[fake.access_key].expired = False
        return old._replace(generation=1)

    made = Reading(endpoint, "k", renew)
    assert b"".join(made) == BODY and made.endpoint.generation == 1
