"""The data plane's requests: nothing of one is left on the handle that the next one gets."""

import pytest

from s3kit.errors import Fault
from s3kit.listing.listing import Listing
from s3kit.s3 import verdicts
from s3kit.s3.address import Endpoint
from s3kit.s3.answer import LARGEST, TOO_LARGE
from s3kit.s3.headers import said
from s3kit.s3.wire import Wire

BODY = (b'<RestoreRequest '
        b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Days>1</Days></RestoreRequest>')


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
    assert ask(wire, endpoint, endpoint.object_url("k", "restore="), method="POST",
               body=BODY).status == 202
    after = ask(wire, endpoint,
                endpoint.object_url("k") if method != "GET" else f"{endpoint.url}?list-type=2",
                method=method)
    assert after.status in (200, 204), after.code
    assert fake.connections == 1


def test_headers_are_not_sent_again(fake, endpoint):
    """A request without headers of its own has none of the one before: a condition would be another
    object's.
    """
    wire = Wire(1)
    assert ask(wire, endpoint, endpoint.object_url("k"), method="HEAD",
               headers=['If-Match: "other"']).status == 412
    assert ask(wire, endpoint, endpoint.object_url("k"), method="HEAD").status == 200
    assert "if-match" not in fake.log[-1].headers and fake.connections == 1


@pytest.mark.parametrize("method, query",
                         [("GET", "list-type=2"), ("GET", "versioning="), ("POST", "delete=")])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_without_end_does_not_fill_memory(fake, endpoint, method, query, chunked):
    """Where it is kept to be parsed: it is cut off, says why, and is not asked for again."""
    fake.fault("endless", method=method, key="", chunked=chunked, times=None)
    wire = Wire(1)
    answer = ask(wire, endpoint, f"{endpoint.url}?{query}", method=method, body=BODY)
    assert (answer.code == TOO_LARGE and answer.errno and not answer.body
            and answer.kept <= LARGEST + (1 << 20))
    assert verdicts.verdict_of(answer) == verdicts.WRONG
    assert said(answer) == "the answer has more than 16 MiB, which no answer of S3's has"


def test_an_error_without_end_does_not_fill_memory(fake, endpoint):
    """Where the body of an object was expected: an error says all in its first bytes."""
    fake.put("b", "k", b"body")
    fake.fault("html", status=404, body=b"x" * (3 << 20), times=None)
    taken = []
    answer = ask(Wire(1), endpoint, endpoint.object_url("k"),
                 sink=lambda transfer, data: taken.append(data))
    assert not taken and answer.code == "HTTP404" and answer.kept < 1 << 20


def test_the_largest_page_is_taken(fake, endpoint):
    """Up to the limit nothing is cut."""
    fake.fault("html", body=b"x" * LARGEST, times=1)
    answer = ask(Wire(1), endpoint, f"{endpoint.url}?list-type=2")
    assert answer.status == 200 and not answer.errno and len(answer.body) == LARGEST


def test_a_listing_without_end(fake, endpoint):
    """Each question is asked once; of whether there are versions with the first page."""
    fake.fault("endless", key="", times=None)
    for question, asked in ((Listing().is_versioned, 2),
                            (lambda endpoint: list(Listing().pages(endpoint)), 1)):
        before = len(fake.log)
        with pytest.raises(Fault, match="more than 16 MiB"):
            question(endpoint)
        assert len(fake.log) == before + asked


def test_certificates_of_any_path(fake, endpoint, tmp_path):
    """A path is bytes: a letter that is not ASCII is no fault of the thread that uses it."""
    bundle = tmp_path / "schl\u00fcssel.pem"
    bundle.write_text("")
    answer = ask(Wire(1), endpoint._replace(ca_bundle=str(bundle)), endpoint.object_url("k"),
                 method="HEAD")
    assert answer.status == 200


DOTTED = ["..", "../x", "./x", "a/..", "a/../b", "a/.", "a/./b c", "a/../\u00e9+%"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_keys_with_dot_segments_are_those_keys(fake, endpoint, method):
    """libcurl would ask for `b` in place of `a/../b`, and for the bucket in place of `a/..`; what
    comes after on the same connection is signed by libcurl again.
    """
    wire = Wire(1)
    for key in DOTTED:
        fake.put("b", key, b"body", storage_class="GLACIER" if method == "POST" else "STANDARD")
        asked = ask(wire, endpoint, endpoint.object_url(key, "restore=" * (method == "POST")),
                    method=method, body=BODY if method == "POST" else b"")
        assert asked.status in (200, 202, 204) and fake.log[-1].key == key, asked.code
        assert ask(wire, endpoint, endpoint.object_url("k"), method="HEAD").status == 200
    assert fake.connections == 1


def test_dot_segments_without_credentials(fake, endpoint):
    """A public bucket's keys are asked for as they are, and unsigned."""
    fake.sign = False
    fake.put("b", "a/../b", b"body")
    endpoint = endpoint._replace(access_key="", secret_key="")
    assert ask(Wire(1), endpoint, endpoint.object_url("a/../b")).body == b"body"
    assert "authorization" not in fake.log[-1].headers
