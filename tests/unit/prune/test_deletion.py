"""Requests that delete, and what each answer means: against the strict fake, and as tables."""

from argparse import Namespace
from types import SimpleNamespace

import pytest
from conftest import env_of

from s3kit.manifest.row import CONFLICT, FAILED, LOCKED, PRUNED
from s3kit.prune import deletion
from s3kit.prune.deletion import MOST, OVERWRITTEN, UNNAMED, Doomed, Removal, Removed
from s3kit.s3 import verdicts
from s3kit.s3.calls import AGAIN, EXPIRED, FATAL, Control
from s3kit.s3.session import Session

SOON = 60       # seconds, on a busy machine


@pytest.fixture
def session(fake, monkeypatch):
    """A Session with the fake."""
    for name, value in env_of(fake).items():
        monkeypatch.setenv(name, value)
    return Session(Namespace(profile=None, region=None, endpoint_url=None, no_sign_request=False,
                             request_payer=None, ca_bundle=None, no_verify_ssl=False))


@pytest.fixture
def delete(session):
    """Return f(Doomed, ...) -> [Removed]."""
    control = Control(4)
    yield lambda *jobs: control.submit(Removal, list(jobs)).result(SOON)
    control.shutdown(cancel_futures=True)


def left(fake):
    """Return {(key, version id)} of bucket `b`."""
    return {(version.key, version.id) for version in fake.versions("b")}


def test_versions_go_together(fake, session, delete):
    """A thousand a request, each with its own outcome; the same twice is asked for once."""
    fake.bucket("b", versioning="Enabled")
    ids = {key: fake.put("b", key, b"body") for key in [f"k{n}" for n in range(MOST)] + ["a&<"]}
    fake.hold("b", "k7")
    endpoint = session.endpoint("b")
    jobs = [Doomed(endpoint, key, version) for key, version in ids.items()]
    found = delete(*jobs, jobs[0])
    assert len(fake.requests(method="POST")) == 2 and not fake.requests(method="DELETE")
    assert found.pop(7).state == LOCKED and set(found) == {Removed(PRUNED)}
    assert left(fake) == {("k7", ids["k7"])}


def test_what_the_name_does_not_tell_goes_alone(fake, session, delete):
    """By its ETag, or because XML cannot carry its key."""
    fake.bucket("b")
    fake.put("b", "mine", b"body")
    fake.put("b", "theirs", b"newer")
    endpoint, etag = session.endpoint("b"), fake.get("b", "mine").etag
    found = delete(Doomed(endpoint, "mine", "", etag), Doomed(endpoint, "theirs", "", etag))
    assert found == [Removed(PRUNED), Removed(CONFLICT, OVERWRITTEN, is_kept=True)]
    assert len(fake.requests(method="DELETE")) == 2 and left(fake) == {("theirs", "null")}
    fake.bucket("b", versioning="Enabled")
    version = fake.put("b", "a\nb", b"body")
    assert delete(Doomed(endpoint, "a\nb", version)) == [Removed(PRUNED)]
    assert not fake.requests(method="POST")


@pytest.mark.parametrize("is_same", [True, False])
def test_a_null_version_below_others(fake, session, delete, is_same):
    """If-Match is held against the current version: the null one's own head decides."""
    fake.bucket("b")
    fake.put("b", "k", b"old")
    etag = fake.get("b", "k").etag if is_same else "0" * 32
    fake.bucket("b", versioning="Enabled")
    newest = fake.put("b", "k", b"new")
    found = delete(Doomed(session.endpoint("b"), "k", "null", etag, is_frozen=True))
    assert found == [Removed(PRUNED) if is_same
                     else Removed(CONFLICT, OVERWRITTEN, is_kept=True)]
    assert left(fake) == {("k", newest)} | (set() if is_same else {("k", "null")})


def test_without_versions_a_condition_that_fails_is_the_end(fake, session, delete):
    """Nobody looks at a head that may change before the next request."""
    fake.bucket("b")
    fake.put("b", "k", b"other")
    found = delete(Doomed(session.endpoint("b"), "k", "null", "0" * 32))
    assert found[0].state == CONFLICT and len(fake.requests(key="k")) == 1


def test_a_delete_marker_is_not_a_deletion(fake, session, delete):
    """Versions were enabled between the look and the request."""
    fake.bucket("b", versioning="Enabled")
    version = fake.put("b", "a\nb", b"body")
    found, = delete(Doomed(session.endpoint("b"), "a\nb", ""))
    assert (found.state, found.is_kept) == (FAILED, True) and "delete marker" in found.error
    assert ("a\nb", version) in left(fake)


def test_a_server_without_deleteobjects(fake, session, delete):
    """Is asked version by version, from then on."""
    fake.bucket("b", versioning="Enabled")
    versions = [fake.put("b", "k", b"%d" % n) for n in range(4)]
    fake.fault("status", key="", method="POST", times=None, status=501, code="NotImplemented")
    endpoint = session.endpoint("b")
    for two in (versions[:2], versions[2:]):
        assert delete(*[Doomed(endpoint, "k", version) for version in two]) == [Removed(PRUNED)] * 2
    assert len(fake.requests(method="POST")) == 1 and not left(fake)


@pytest.mark.parametrize("body", [b'<DeleteResult/>', b'<DeleteResult><Deleted><Key>other</Key>'
                                  b'</Deleted></DeleteResult>'])
def test_what_an_answer_does_not_name_is_not_deleted(fake, session, delete, body):
    """It may be: that is found out by asking again."""
    fake.bucket("b", versioning="Enabled")
    version = fake.put("b", "k", b"body")
    fake.fault("other", key="", method="POST", body=body)
    assert delete(Doomed(session.endpoint("b"), "k", version)) == [Removed(AGAIN, UNNAMED)]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_page_is_not_s3_s_word(fake, session, delete, method):
    """Of whatever status: nobody knows what became of it."""
    fake.bucket("b", versioning="Enabled")
    key = "k" if method == "POST" else "a\nb"
    version = fake.put("b", key, b"body")
    for status in (200, 403, 404):
        fake.fault("page", key=None, method=None, times=2, status=status)
        found, = delete(Doomed(session.endpoint("b"), key, version))
        fake.faults.clear()
        assert found.state in (AGAIN, FAILED) and not found.is_kept, status
    assert left(fake) == {(key, version)}


@pytest.mark.parametrize("versioning, heeds", [(None, True), ("Enabled", True), (None, False)])
def test_whether_a_server_heeds_conditions(fake, session, monkeypatch, versioning, heeds):
    """Tried on a key that nobody has."""
    fake.bucket("b", versioning=versioning)
    if not heeds:
        fake.sign = False       # the header is signed, and is taken away
        fake.hook = lambda request: request.headers.pop("if-match", None)
    why = deletion.why_unheeded(session.endpoint("b"), "null" if versioning else "")
    assert ("does not heed" in why) is not heeds and bool(why) is not heeds


def test_nobody_knows_whether_conditions_are_heeded(fake, session, monkeypatch):
    """A page says nothing, however often."""
    monkeypatch.setattr(deletion, "delay", lambda tries: 0)
    fake.bucket("b")
    spoilt = fake.fault("page", key=None, method="DELETE", times=None, status=503)
    assert "nobody knows" in deletion.why_unheeded(session.endpoint("b"), "")
    assert spoilt.hits == 4


# --- tables


@pytest.mark.parametrize("key, options, alone", [
    ("k", {}, False), ("k", {"etag": "e"}, True), ("k", {"url": "u"}, True), ("é\u3042", {}, False),
    *[(f"a{code}b", {}, True) for code in "\x00\n\r\x1f\x7f\x85\ufffe\uffff"]])
def test_what_needs_a_request_of_its_own(key, options, alone):
    """A line end would come back changed: XML's parsers normalise it."""
    assert Doomed(None, key, "v", **options).is_alone is alone


@pytest.mark.parametrize("verdict, message, state, kept", [
    (verdicts.AGAIN, "", AGAIN, False), (verdicts.SLOW, "", AGAIN, False),
    (verdicts.EXPIRED, "", EXPIRED, False), (verdicts.REFUSED, "", FATAL, False),
    (verdicts.CHANGED, "", CONFLICT, True), (verdicts.VANISHED, "", PRUNED, False),
    (verdicts.DENIED, "Access Denied", FAILED, True),
    (verdicts.DENIED, "Access Denied because object protected by object lock.", LOCKED, True)])
def test_what_s3_s_words_mean(verdict, message, state, kept):
    found = deletion.judged(verdict, "Code", message)
    assert (found.state, found.is_kept) == (state, kept)
    assert found.slow is (verdict == verdicts.SLOW)
    assert found.was_gone is (verdict == verdicts.VANISHED)


def test_the_results_of_many():
    """Each by key and version; an error without a code may have been carried out."""
    found = deletion.results_in(
        b'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b'<Deleted><Key>a</Key><VersionId>1</VersionId></Deleted>'
        b'<Error><Key>a</Key><VersionId>2</VersionId><Code>AccessDenied</Code>'
        b'<Message>no</Message></Error><Error><Key>b</Key></Error></DeleteResult>')
    assert found == {("a", "1"): Removed(PRUNED),
                     ("a", "2"): Removed(FAILED, "S3 says AccessDenied: no", is_kept=True),
                     ("b", ""): Removed(AGAIN, "S3 says ")}


@pytest.mark.parametrize("status, errno, code, done", [(200, 0, "", True), (204, 0, "", True),
                                                       (200, 0, "InternalError", False),
                                                       (200, 56, "", False), (404, 0, "", False)])
def test_a_200_may_bring_an_error_nevertheless(status, errno, code, done):
    assert deletion.is_done(SimpleNamespace(status=status, errno=errno, code=code)) is done
