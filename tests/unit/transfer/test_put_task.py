"""What all requests of an upload share: a look at the target, and what a request goes without."""

import pytest

from s3kit.s3.capabilities import CONDITIONS, UPLOAD_CHECKSUMS
from s3kit.transfer.job import AGAIN, FAILED
from s3kit.transfer.put_job import LOOKED
from s3kit.transfer.put_task import NO_ETAG, TRIALS, PutTask

BODY = b"the bytes"


@pytest.fixture
def task(puts):
    """Return f(the job's fields) -> a PutTask of an engine."""
    return lambda **fields: PutTask(puts.engine(), puts.put(BODY, **fields), 1, 0)


# --- what is at the target


def test_what_is_there(puts):
    """Its identity, its bytes' checksum, and whose write it was."""
    version = puts.fake.put("b", "k", BODY, checksum="SHA256", storage_class="STANDARD_IA",
                            modified="2026-01-01T00:00:00Z",
                            headers={"x-amz-meta-s3kit-token": "theirs"})
    outcome = puts.do(puts.put(b"", kind="look"))
    assert (outcome.state, outcome.error, outcome.version_id, outcome.size) == (
        LOOKED, "", version, len(BODY))
    assert (outcome.etag, outcome.pieces, outcome.claim.proof, outcome.storage_class) == (
        puts.fake.get("b", "k").etag, "theirs", "sha256", "STANDARD_IA")
    assert outcome.last_modified == "2026-01-01T00:00:00Z" and outcome.checksum


def test_one_version_of_what_is_there(puts):
    """It may not be the latest."""
    first = puts.fake.put("b", "k", BODY)
    puts.fake.put("b", "k", b"")
    outcome = puts.do(puts.put(b"", kind="look", version_id=first))
    assert (outcome.version_id, outcome.size, outcome.pieces) == (first, len(BODY), "")


def test_nothing_is_there(puts):
    """Nothing, or a delete marker, whose version id is told: no ETag, and no error."""
    marker = ""
    for _ in range(2):
        outcome = puts.do(puts.put(b"", kind="look"))
        assert (outcome.state, outcome.error, outcome.etag) == (LOOKED, "", "")
        assert outcome.version_id == marker
        puts.fake.put("b", "k", BODY)
        marker = puts.fake.delete("b", "k")
    outcome = puts.do(puts.put(b"", kind="look", version_id=marker))
    assert (outcome.state, outcome.error, outcome.etag) == (LOOKED, "", "")


def test_we_may_not_look(puts):
    """That says neither that something is there nor that nothing is."""
    puts.fake.fault("status", method="HEAD", key="k", status=403)
    outcome = puts.do(puts.put(b"", kind="look"))
    assert (outcome.state, outcome.error, outcome.etag) == (LOOKED, "S3 does not let us look", "")


@pytest.mark.parametrize("kind, options, why", [
    ("html", {}, NO_ETAG), ("status", {"status": 500}, ""), ("status", {"status": 503}, ""),
    ("refuse", {}, "")])
def test_an_answer_that_passes(puts, kind, options, why):
    """It is asked again; a page of somebody else's says nothing of a key."""
    puts.fake.put("b", "k", BODY)
    puts.fake.fault(kind, method="HEAD", key="k", **options)
    outcome = puts.do(puts.put(b"", kind="look"))
    assert outcome.state == AGAIN and why in outcome.error
    assert puts.do(puts.put(b"", kind="look")).etag


# --- on what condition


@pytest.mark.parametrize("condition, headers", [
    ("", []), ("*", ["If-None-Match: *"]), ("abc", ['If-Match: "abc"']),
    ('W/"x"', ['If-Match: W/"x"'])])
def test_conditions(task, known, condition, headers):
    """That nothing is there, or what was compared; not of a server that knows none."""
    assert task(condition=condition).conditions() == headers
    made = task(condition=condition)
    made.lacking = {CONDITIONS: ""}
    assert made.conditions() == []
    known.learn(made.endpoint, CONDITIONS)
    assert task(condition=condition).conditions() == []


@pytest.mark.parametrize("token, there, is_own", [
    ("t", "t", True), ("t", "u", False), ("t", None, False), ("", "", False), ("", None, False)])
def test_whose_write_it_was(task, token, there, is_own):
    """A task without a token has written nothing."""
    headers = {} if there is None else {"x-amz-meta-s3kit-token": there}
    assert task(token=token).is_our_own(headers) is is_own


# --- what is left out


def answer(task, status, code="", url="http://127.0.0.1:9/b", content=None):
    """Return a Transfer of a task that was refused."""
    from types import SimpleNamespace
    return SimpleNamespace(status=status, code=code, errno=0, headers={}, message="", failure="",
                           endpoint=task.endpoint._replace(url=url), content=content, hops=0)


@pytest.mark.parametrize("has, fields, tried", [
    ([UPLOAD_CHECKSUMS, CONDITIONS], {}, TRIALS),
    ([UPLOAD_CHECKSUMS], {}, TRIALS[:1]), ([CONDITIONS], {}, TRIALS[1:2]), ([], {}, ()),
    ([UPLOAD_CHECKSUMS, CONDITIONS], {"algorithm": "sha256"}, TRIALS[1:2]),
    ([UPLOAD_CHECKSUMS, CONDITIONS], {"only_absent": True}, TRIALS[:1]),
    ([UPLOAD_CHECKSUMS, CONDITIONS], {"only_absent": True, "algorithm": "crc32"}, ())])
def test_what_is_tried(task, has, fields, tried):
    """Each that the request had, then both; never what was asked for by name."""
    made, found = task(**fields), []
    made.has = has
    while made.can_do_without(answer(made, 501, "NotImplemented")):
        found.append(tuple(made.lacking))
    assert tuple(found) == tried
    assert all(told == "S3 says NotImplemented" for told in made.lacking.values())


@pytest.mark.parametrize("status, code, url", [
    (403, "AccessDenied", "http://h/b"), (503, "SlowDown", "http://h/b"),
    (412, "PreconditionFailed", "http://h/b"), (404, "NoSuchBucket", "http://h/b"),
    (400, "BadDigest", "http://h/b"), (400, "XAmzContentSHA256Mismatch", "http://h/b"),
    (501, "NotImplemented", "https://b.s3.eu-west-1.amazonaws.com"),
    (400, "InvalidRequest", "https://s3.us-east-1.amazonaws.com/b")])
def test_what_is_no_refusal_of_an_extra(task, status, code, url):
    """Amazon's S3 knows them all."""
    made = task()
    made.has = [UPLOAD_CHECKSUMS, CONDITIONS]
    assert not made.can_do_without(answer(made, status, code, url)) and not made.lacking


def test_outposts_are_not_all_of_s3(task):
    """They know no If-None-Match."""
    made = task()
    made.has = [CONDITIONS]
    refusal = answer(made, 501, "NotImplemented", "https://ap-1.op-1.s3-outposts.eu-west-1."
                                                  "amazonaws.com")
    refusal.endpoint = refusal.endpoint._replace(service="s3-outposts")
    assert made.can_do_without(refusal) and list(made.lacking) == [CONDITIONS]


@pytest.mark.parametrize("url, content, is_tried", [
    ("https://h/b", b"x", True), ("https://b.s3.amazonaws.com", b"x", True),
    ("http://h/b", b"x", False), ("https://h/b", None, False)])
def test_a_body_that_may_have_to_be_signed(task, url, content, is_tried):
    """It is hashed once where TLS alone guarded it, and a policy may want more."""
    made = task()
    denied = answer(made, 403, "AccessDenied", url, content)
    assert made.can_do_without(denied) is is_tried and made.is_denied is is_tried
    assert not made.can_do_without(denied)


def test_a_bucket_without_which_nothing_can_be_stored(puts):
    """A look says so, too, where S3 has words."""
    puts.fake.fault("status", method="HEAD", key="k", status=400, times=None)
    assert puts.do(puts.put(b"", kind="look")).state == FAILED
