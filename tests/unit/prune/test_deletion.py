"""Requests that delete, and what each answer means: against the strict fake, and as tables."""

from argparse import Namespace
from types import SimpleNamespace

import pytest
from conftest import env_of
from fakes3 import CHARACTERS

from s3kit.manifest.row import CONFLICT, FAILED, LOCKED, PRUNED
from s3kit.prune import deletion
from s3kit.prune.copies import ABSENT, SEEN, UNTOLD, Sought
from s3kit.prune.deletion import MOST, Doomed, Removal, has_made_marker
from s3kit.prune.removed import OVERWRITTEN, Removed
from s3kit.s3.address import Endpoint
from s3kit.s3.calls import Control
from s3kit.s3.capabilities import KNOWN
from s3kit.s3.session import Session
from s3kit.s3.verdicts import AGAIN

SOON = 60       # seconds, on a busy machine


@pytest.fixture
def session(fake, monkeypatch):
    """A Session with the fake."""
    for name, value in env_of(fake).items():
        monkeypatch.setenv(name, value)
    return Session(Namespace(profile=None, region=None, endpoint_url=None, no_sign_request=False,
                             request_payer=None, ca_bundle=None, no_verify_ssl=False,
                             read_timeout=300))


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


def test_copies_are_looked_at(fake, session, delete):
    """With deletions in one batch; each version by its own id, and where there is none why."""
    fake.bucket("b", versioning="Enabled")
    first, second = fake.put("b", "k", b"one"), fake.put("b", "k", b"two!")
    fake.bucket("closed")
    fake.put("closed", "k", b"x")
    for method in ("HEAD", "GET"):
        fake.fault("status", bucket="closed", key="k", method=method, times=None, status=403,
                   code="AccessDenied", message="Access Denied")
    endpoint, closed = session.endpoint("b"), session.endpoint("closed")
    found = delete(Sought(endpoint, "k", first), Doomed(endpoint, "k", second),
                   Sought(endpoint, "none", ""), Sought(endpoint, "k", "x" * 32),
                   Sought(closed, "k", ""))
    assert (found[0].state, found[0].size, found[1].state) == (SEEN, 3, PRUNED)
    assert found[0].etag == fake.get("b", "k", first).etag
    assert [each.state for each in found[2:]] == [ABSENT, ABSENT, UNTOLD]
    assert delete(Sought(endpoint, "k", second))[0].state == ABSENT


def null_below(fake, key, is_same):
    """Put a null version of a key, and another on top; return (the ETag of the former, or another,
    the version id of the latter).
    """
    fake.bucket("b")
    fake.put("b", key, b"old")
    etag = fake.get("b", key).etag if is_same else "0" * 32
    fake.bucket("b", versioning="Enabled")
    return etag, fake.put("b", key, b"new")


@pytest.mark.parametrize("is_same", [True, False])
def test_a_null_version_below_others(fake, session, delete, is_same):
    """If-Match is held against the current version: the null one's own head decides."""
    etag, newest = null_below(fake, "k", is_same)
    found = delete(Doomed(session.endpoint("b"), "k", "null", etag, is_frozen=True))
    assert found == [Removed(PRUNED) if is_same
                     else Removed(CONFLICT, OVERWRITTEN, is_kept=True)]
    assert left(fake) == {("k", newest)} | (set() if is_same else {("k", "null")})


def test_without_versions_a_condition_that_fails_is_the_end(fake, session, delete):
    """A head is only to tell whether anything is there: it may change before the next request."""
    fake.bucket("b")
    fake.put("b", "k", b"other")
    found = delete(Doomed(session.endpoint("b"), "k", "null", "0" * 32))
    assert found == [Removed(CONFLICT, OVERWRITTEN, is_kept=True)]
    assert [request.method for request in fake.requests(key="k")] == ["DELETE", "HEAD"]


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


def test_keys_with_dot_segments_one_by_one(fake, session, delete):
    """What libcurl would make of them are other keys, and the bucket itself: they keep theirs."""
    fake.bucket("b", versioning="Enabled")
    others = {(key, fake.put("b", key, b"other")) for key in ("y", "z", "x/y")}
    ids = {key: fake.put("b", key, b"body") for key in ("x/../y", "..", "./z", "x/./y", "a/..",
                                                        "x/../y\n")}
    marker = fake.delete("b", "x/../y")
    endpoint = session.endpoint("b")
    found = delete(*[Doomed(endpoint, *name, is_single=True) for name in ids.items()],
                   Doomed(endpoint, "x/../y", marker, is_single=True))
    assert set(found) == {Removed(PRUNED)} and left(fake) == others


@pytest.mark.parametrize("is_same", [True, False])
def test_a_null_version_of_a_key_with_dot_segments(fake, session, delete, is_same):
    """Its head is looked at below others on top, not that of the key which libcurl would ask for.
    """
    etag, _ = null_below(fake, "x/../k", is_same)
    fake.put("b", "k", b"old")
    endpoint = session.endpoint("b")
    found = delete(Doomed(endpoint, "x/../k", "null", etag, is_frozen=True))
    assert found[0].state == (PRUNED if is_same else CONFLICT)
    assert (("x/../k", "null") in left(fake)) is not is_same


@pytest.mark.parametrize("body", [
    b"<DeleteResult/>", b"", b"not XML", b"<ListBucketResult><Key>k</Key></ListBucketResult>",
    b"<DeleteResult><Deleted><Key>other</Key></Deleted></DeleteResult>",
    b"<DeleteResult><Deleted><Key>%6B</Key></Deleted></DeleteResult>"])
@pytest.mark.parametrize("kind", ["other", "html"], ids=["gone", "there"])
def test_what_an_answer_does_not_name_is_asked_about_alone(fake, session, delete, body, kind):
    """Whether it went with the first request or not, nothing is asked in the same way again."""
    fake.bucket("b", versioning="Enabled")
    version = fake.put("b", "k", b"body")
    fake.fault(kind, key="", method="POST", body=body)
    assert delete(Doomed(session.endpoint("b"), "k", version)) == [Removed(PRUNED)]
    assert not left(fake)
    assert [request.method for request in fake.requests()[-2:]] == ["POST", "DELETE"]


def test_what_was_not_named_and_is_refused_alone_may_be_gone(fake, session, delete):
    """The second answer is S3's word about the second request only."""
    fake.bucket("b", versioning="Enabled")
    version = fake.put("b", "k", b"body")
    fake.fault("other", key="", method="POST", body=b"<DeleteResult/>")
    fake.fault("status", key="k", method="DELETE", status=403)
    found, = delete(Doomed(session.endpoint("b"), "k", version))
    assert (found.state, found.is_kept) == (FAILED, False) and not left(fake)


def test_a_refusal_without_a_reason_is_asked_about_alone(fake, session, delete):
    """Some servers name Object Lock only in the answer about one version."""
    fake.bucket("b", versioning="Enabled")
    ids = {key: fake.put("b", key, b"body") for key in ("free", "held", "denied")}
    fake.hold("b", "held")
    entries = b"".join(b"<Error><Key>%s</Key><VersionId>%s</VersionId><Code>AccessDenied</Code>"
                       b"</Error>" % (key.encode(), ids[key].encode())
                       for key in ("held", "denied"))
    fake.fault("html", key="", method="POST", body=b"<DeleteResult>" + entries
               + b"</DeleteResult>")
    fake.fault("status", key="denied", method="DELETE", status=403)
    found = delete(*[Doomed(session.endpoint("b"), *name) for name in ids.items()])
    assert [each.state for each in found] == [PRUNED, LOCKED, FAILED]
    assert [each.is_kept for each in found] == [False, True, True]


def test_no_word_about_many_says_that_one_is_gone(fake, session, delete):
    """NoSuchKey as the answer to DeleteObjects, with whatever status, names no version."""
    fake.bucket("b", versioning="Enabled")
    version = fake.put("b", "k", b"body")
    for status in (200, 400, 404):
        fake.fault("status", key="", method="POST", status=status, code="NoSuchKey")
        fake.fault("status", key="k", method="DELETE", status=403)
        found, = delete(Doomed(session.endpoint("b"), "k", version))
        assert found.state in (FAILED, AGAIN), status
        assert left(fake) == {("k", version)}
        KNOWN.missing.clear()


def test_a_version_that_is_asked_about_alone(fake, session, delete):
    """Because answers about several do not come through."""
    fake.bucket("b", versioning="Enabled")
    version = fake.put("b", "k", b"body")
    doomed = Doomed(session.endpoint("b"), "k", version, is_single=True)
    assert delete(doomed) == [Removed(PRUNED)] and not fake.requests(method="POST")


@pytest.mark.parametrize("version_id, headers, is_made", [
    ("", {}, False), ("v", {}, False), ("", {"x-amz-delete-marker": "true"}, True),
    ("v", {"x-amz-delete-marker": "true"}, False),
    ("v", {"x-amz-delete-marker": "true", "x-amz-version-id": "v"}, False),
    ("v", {"x-amz-delete-marker": "true", "x-amz-version-id": "new"}, True),
    ("v", {"x-amz-version-id": "v"}, False)])
def test_whether_a_delete_marker_was_made(version_id, headers, is_made):
    """One that was deleted by its version id is told in the same words."""
    assert has_made_marker(SimpleNamespace(headers=headers), version_id) is is_made


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


@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_a_404_of_a_key_that_is_not_there_says_nothing(fake, session, versioning):
    """Where the same comes without a condition: an object that took another's place would go."""
    fake.character = CHARACTERS["gcs-deletes"]()
    fake.bucket("b", versioning=versioning)
    why = deletion.why_unheeded(session.endpoint("b"), "null" if versioning else "")
    assert "nobody knows whether the server heeds If-Match" in why and "NoSuchKey" in why
    assert not fake.versions("b")


@pytest.mark.parametrize("status, code, heeds", [(412, "PreconditionFailed", True),
                                                 (403, "AccessDenied", False),
                                                 (400, "InvalidArgument", False)])
def test_a_refusal_for_another_reason_says_nothing(fake, session, status, code, heeds):
    """Who may delete below some prefix alone cannot try it, and a version id may be unknown."""
    fake.bucket("b")
    fake.fault("status", key=None, method="DELETE", times=None, status=status, code=code)
    assert bool(deletion.why_unheeded(session.endpoint("b"), "")) is not heeds


def test_amazon_s_is_known_to_heed_conditions(monkeypatch):
    """Also where the key that is tried may not be deleted."""
    answer = SimpleNamespace(status=403, code="AccessDenied", errno=0, headers={}, failure="",
                             message="")
    monkeypatch.setattr(deletion, "try_delete", lambda *_: answer)
    for url, is_known in (("https://b.s3.eu-west-1.amazonaws.com", True), ("http://s3.b", False),
                          ("https://b.s3.amazonaws.com.evil.example", False)):
        assert (deletion.why_unheeded(Endpoint("b", url), "") == "") is is_known


def test_nobody_knows_whether_conditions_are_heeded(fake, session, monkeypatch):
    """A page says nothing, however often."""
    monkeypatch.setattr(deletion, "delay", lambda tries: 0)
    fake.bucket("b")
    spoilt = fake.fault("page", key=None, method="DELETE", times=None, status=503)
    assert "nobody knows" in deletion.why_unheeded(session.endpoint("b"), "")
    assert spoilt.hits == 4


# --- tables


@pytest.mark.parametrize("key, options, alone", [
    ("k", {}, False), ("k", {"etag": "e"}, True), ("a/../k", {}, False), ("é\u3042", {}, False),
    ("k", {"is_single": True}, True),
    *[(f"a{code}b", {}, True) for code in "\x00\n\r\x1f\x7f\x85\ufffe\uffff"]])
def test_what_needs_a_request_of_its_own(key, options, alone):
    """A line end would come back changed: XML's parsers normalise it."""
    assert Doomed(None, key, "v", **options).is_alone is alone
