"""Requests about one bucket, and when they are sent again."""

import time

import pytest
from unit.put.conftest import made

from s3kit.errors import Fault, NoAccess, NoCredentials
from s3kit.put.requests import Requests, good
from s3kit.s3.access import Access

pytestmark = pytest.mark.usefixtures("alone")


class Asked:
    """Requests to a fake's bucket, and what came of them: keys that were answered, and faults."""

    def __init__(self, renew=None, check=lambda: None):
        args, _ = made()
        access = Access(args)
        self.requests = Requests(access.endpoint("b"), check, renew or access.renewed)
        self.taken, self.failed = [], []

    def ask(self, key, **options):
        """Ask for a key; return its Question."""
        return self.requests.send(key, "uploads=" if not key else "", lambda transfer:
                                  self.taken.append((key, good(transfer, "look").status)),
                                  lambda transfer, fault: self.failed.append((key, fault)),
                                  **options)


@pytest.fixture
def bucket(fake):
    """A fake with an object."""
    fake.bucket("b")
    fake.put("b", "k", b"x")
    return fake


def test_many_at_once(bucket):
    """Of the bucket and of keys, by any method; one that is refused is told, the others go on."""
    asked = Asked()
    for _ in range(200):
        asked.ask("k")
    asked.ask("")
    asked.ask("none")
    asked.ask("gone", method="DELETE")
    asked.requests.run()
    assert sorted(asked.taken) == sorted([("k", 200)] * 200 + [("", 200), ("gone", 204)])
    ((key, fault),) = asked.failed
    assert key == "none" and str(fault).startswith("cannot look: S3 says NoSuchKey")
    assert bucket.connections <= 64


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503, "code": "SlowDown"},
                                   {"kind": "status", "status": 500, "code": "InternalError"},
                                   {"kind": "reset", "at": 0}])
def test_what_fails_in_passing(bucket, fault):
    """Is asked again, and the Question knows how often."""
    bucket.fault(times=2, key="k", **fault)
    asked = Asked()
    question = asked.ask("k")
    asked.requests.run()
    assert asked.taken == [("k", 200)] and question.tries == 2 and not asked.failed
    assert asked.requests.window.window.was_slow is (fault.get("code") == "SlowDown")


@pytest.mark.usefixtures("at_once")
def test_what_does_not_pass(bucket):
    """Is told after some tries, a refusal at once."""
    bucket.fault("status", key="k", status=500, code="InternalError", times=None)
    bucket.fault("status", key="", status=403, code="AccessDenied", times=None)
    asked = Asked()
    broken, denied = asked.ask("k"), asked.ask("")
    asked.requests.run()
    assert (broken.tries, denied.tries) == (6, 1)
    assert {key: type(fault) for key, fault in asked.failed} == {"k": Fault, "": NoAccess}


def test_later(bucket):
    """Not before its time; what is due goes meanwhile."""
    asked = Asked()
    asked.ask("k", wait=0.3)
    asked.ask("")
    before = time.monotonic()
    asked.requests.run()
    assert [key for key, _ in asked.taken] == ["", "k"] and time.monotonic() - before >= 0.3


@pytest.mark.usefixtures("at_once")
def test_expired_credentials(bucket):
    """Are renewed once for all; where there are no newer ones, that ends it."""
    def renew(endpoint):
        renewed.append(endpoint)
        return endpoint._replace(generation=endpoint.generation + 1)

    def none(endpoint):
        raise NoCredentials("none")

    renewed = []
    bucket.fault("status", key="k", status=400, code="ExpiredToken", times=3)
    asked = Asked(renew)
    for _ in range(3):
        asked.ask("k")
    asked.requests.run()
    assert len(asked.taken) == 3 and len(renewed) == 1
    bucket.fault("status", key="k", status=400, code="ExpiredToken")
    asked = Asked(none)
    asked.ask("k")
    with pytest.raises(NoCredentials):
        asked.requests.run()
    assert not asked.requests.wire.active


def test_a_signal_ends_it(bucket):
    """What `check` raises breaks off what is under way."""
    def check():
        raise KeyboardInterrupt

    asked = Asked(check=check)
    asked.ask("k")
    with pytest.raises(KeyboardInterrupt):
        asked.requests.run()
    assert not asked.requests.wire.active
