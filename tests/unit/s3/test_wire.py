"""The data plane's requests: nothing of one is left on the handle that the next one gets."""

import pytest

from s3kit.s3.address import Endpoint
from s3kit.s3.wire import Wire

BODY = b'<RestoreRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Days>1</Days></RestoreRequest>'


def ask(wire, endpoint, url, **options):
    """Return the answered Transfer of one request."""
    transfer = wire.start(None, endpoint, url, **options)
    while wire.active:
        wire.turn(0.5)
    return transfer


@pytest.fixture
def endpoint(fake):
    """A bucket with one archived object."""
    fake.bucket("b")
    fake.put("b", "k", b"body", storage_class="GLACIER")
    return Endpoint("b", f"{fake.url}/b", "us-east-1", fake.access_key, fake.secret_key)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_body_is_not_signed_again(fake, endpoint, method):
    """What follows a POST on its connection has no body, and is signed so."""
    wire = Wire(1)
    assert ask(wire, endpoint, endpoint.object_url("k", "restore="), method="POST", body=BODY).status == 202
    after = ask(wire, endpoint, endpoint.object_url("k") if method != "GET" else f"{endpoint.url}?list-type=2", method=method)
    assert after.status in (200, 204), after.code
    assert fake.connections == 1


def test_headers_are_not_sent_again(fake, endpoint):
    """A request without headers of its own has none of the one before: a condition would be another object's."""
    wire = Wire(1)
    assert ask(wire, endpoint, endpoint.object_url("k"), method="HEAD", headers=['If-Match: "other"']).status == 412
    assert ask(wire, endpoint, endpoint.object_url("k"), method="HEAD").status == 200
    assert "if-match" not in fake.log[-1].headers and fake.connections == 1
