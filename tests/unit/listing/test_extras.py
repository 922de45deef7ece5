"""What is asked beside the rows, and when it no longer is."""

from types import SimpleNamespace

import pytest

from s3kit.listing import extras
from s3kit.s3.address import Endpoint
from s3kit.s3.capabilities import Capabilities

ENDPOINT = Endpoint("b", "http://h/b")


def answer(status, code, errno=0):
    """Return an answered Transfer."""
    return SimpleNamespace(status=status, code=code, message="", errno=errno, failure="",
                           headers={})


def test_asked_until_it_is_refused(monkeypatch):
    """And an answer without it came."""
    monkeypatch.setattr(extras, "KNOWN", Capabilities())
    assert extras.headers(ENDPOINT) == [extras.WANTS_RESTORE]
    assert extras.headers(ENDPOINT, "S3 says no") == []
    extras.learn(ENDPOINT, "")
    assert extras.headers(ENDPOINT)
    extras.learn(ENDPOINT, "S3 says no")
    assert extras.headers(ENDPOINT) == [] and len(extras.KNOWN.lines()) == 1


@pytest.mark.parametrize("transfer, may_be", [
    (answer(400, "InvalidArgument"), True), (answer(400, "InvalidRequest"), True),
    (answer(501, "NotImplemented"), True), (answer(400, "HTTP400"), True),
    (answer(400, "ExpiredToken"), False), (answer(403, "AccessDenied"), False),
    (answer(404, "NoSuchBucket"), False), (answer(400, "InvalidArgument", 56), False),
    (answer(500, "InternalError"), False), (answer(200, ""), False)])
def test_what_may_refuse_it(transfer, may_be):
    """Statuses of servers that do not know a header, whether they name it or not."""
    assert bool(extras.refusal_in(transfer, [extras.WANTS_RESTORE])) == may_be
    assert not extras.refusal_in(transfer, [])
