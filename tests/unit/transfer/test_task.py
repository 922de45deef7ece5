"""A task: what is asked of S3, what its refusals mean, and what stops a file."""

import errno

import pytest

from s3kit.errors import Fault
from s3kit.s3.answer import Transfer
from s3kit.s3.capabilities import Capabilities
from s3kit.transfer import engine as engines
from s3kit.transfer import task
from s3kit.transfer.job import (
    AGAIN,
    ARCHIVED,
    CHANGED,
    CONFLICT,
    FAILED,
    FATAL,
    FULL,
    VANISHED,
    Outcome,
)
from s3kit.transfer.task import outcome_of


@pytest.mark.parametrize("error, outcome", [
    (Fault("a FIFO is in the way: 'k'"), Outcome(CONFLICT, "a FIFO is in the way: 'k'")),
    (OSError(errno.ENOSPC, "No space left on device"), Outcome(FULL, "No space left on device")),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), Outcome(FULL, "Disk quota exceeded")),
    (OSError(errno.EIO, "Input/output error"),
     Outcome(FAILED, "cannot write 'b/k': Input/output error"))])
def test_what_stops_a_file(error, outcome):
    """Space may come back; what is in the way is named."""
    assert outcome_of(error, "b/k") == outcome
    assert outcome_of(error, "b/k", "read").error == outcome.error.replace("write", "read")


# --- what is asked


def test_a_request_names_the_version_it_wants(desk, asks):
    """By its id; the null version, which may be overwritten, and none by the ETag."""
    etag = desk.fake.get("b", "k").etag
    desk.fake.bucket("b", versioning="Enabled")
    version = desk.fake.put("b", "k", b"newer")
    for wanted in (version, "null", ""):
        asks(version_id=wanted, etag=etag)
    first, second, third = desk.fake.log
    assert first.query == {"versionId": version} and "if-match" not in first.headers
    assert second.query == {"versionId": "null"} and second.headers["if-match"] == f'"{etag}"'
    assert third.query == {} and third.headers["if-match"] == f'"{etag}"'
    assert (second.status, third.status) == (200, 412)


def test_a_request_for_what_may_be_there_already(desk, asks):
    """Only if nothing better is known, and only of a GET."""
    etag = desk.fake.get("b", "k").etag
    for fields in ({"etag": ""}, {"etag": etag}, {"etag": "", "method": "HEAD"}):
        asks(unless=etag, **fields)
    assert [one.headers.get("if-none-match") for one in desk.fake.log] == [f'"{etag}"', None, None]


# --- what a refusal means


@pytest.mark.parametrize("fault, state, said", [
    ({"status": 500, "code": "InternalError", "message": "m"}, AGAIN, "S3 says InternalError: m"),
    ({"status": 403, "code": "InvalidObjectState", "message": "m"}, ARCHIVED,
     "S3 says InvalidObjectState: m"),
    ({"status": 404, "code": "NoSuchVersion", "message": "m"}, VANISHED,
     "S3 says NoSuchVersion: m"),
    ({"status": 412, "code": "PreconditionFailed"}, CHANGED,
     "the object was changed since it was listed"),
    ({"status": 403, "code": "AccessDenied", "message": "m"}, FAILED, "S3 says AccessDenied: m"),
    ({"status": 404, "code": "NoSuchBucket", "message": "m"}, FAILED, "S3 says NoSuchBucket: m"),
    ({"status": 403, "code": "InvalidAccessKeyId", "message": "m"}, FATAL,
     "S3 says InvalidAccessKeyId: m"),
    ({"status": 403, "code": "SignatureDoesNotMatch", "message": "m"}, FATAL,
     "S3 says SignatureDoesNotMatch: m"),
    ({"status": 403, "code": "RequestTimeTooSkewed", "message": "m"}, FATAL,
     "S3 says RequestTimeTooSkewed: m"),
    ({"status": 301, "code": "PermanentRedirect", "message": "m",
      "headers": {"x-amz-bucket-region": "eu-west-1"}}, FAILED,
     "S3 says PermanentRedirect: m (the bucket is in eu-west-1: --region eu-west-1)"),
    ({"status": 307, "code": "TemporaryRedirect", "message": "m"}, FAILED,
     "S3 says TemporaryRedirect: m")])
def test_a_refusal(desk, asks, engine, fault, state, said):
    """It ends that job; nobody else hears of it."""
    desk.fake.fault("status", key="k", **fault)
    outcome = asks()
    assert (outcome.state, outcome.error, outcome.slow) == (state, said, False)
    assert engine.notes() == [] and not engine.paused


def test_a_signature_that_is_wrong_of_one_key(desk, asks):
    """Where others were right it says nothing of them."""
    assert asks().state == "done"
    desk.fake.fault("status", key="k", status=403, code="SignatureDoesNotMatch", times=2)
    assert asks().state == FAILED
    desk.fake.fault("status", key="k", status=403, code="InvalidToken")
    assert asks().state == FAILED and asks().state == FATAL


@pytest.mark.parametrize("kind", ["refuse", "short", "reset"])
def test_a_connection_that_breaks(desk, asks, kind):
    """Also in the middle of a body that began well; the words are libcurl's."""
    desk.fake.fault(kind, key="k")
    outcome = asks()
    assert outcome.state == AGAIN and outcome.error and not outcome.slow


def test_an_error_in_the_clothes_of_a_success(desk, asks, engine):
    """With a code of S3's it is what that says; without one nobody knows."""
    desk.fake.fault("error200", key="k", code="SlowDown", message="m")
    desk.fake.fault("html", key="k", body=b"<Error><Other/></Error>")
    outcome = asks()
    assert (outcome.state, outcome.error) == (AGAIN, "S3 says SlowDown: m")
    engine.share.quiet_until = 0
    outcome = asks()
    assert (outcome.state, outcome.error) == (AGAIN, "S3 answered 200 with an error document")


def test_a_certificate_that_is_not_to_be_trusted(desk, engine):
    """It will not be at the next try either."""
    task = engine.tasks["ask"](engine, desk.ask(etag=""), 1, 0)
    engine.batches[1] = [1, [None]]
    transfer = Transfer(task, desk.endpoint(), None)
    transfer.headers, transfer.errno, transfer.failure = {}, 60, "not to be trusted"
    assert task.is_refused(transfer)
    assert engine.done[0][1][0][:2] == (FATAL, "not to be trusted")


def test_s3_is_slow(desk, asks, engine):
    """Fewer requests from now on; the parent tells the other workers."""
    desk.fake.fault("status", key="k", status=503, code="SlowDown", message="m")
    outcome = asks()
    assert (outcome.state, outcome.error, outcome.slow) == (AGAIN, "S3 says SlowDown: m", True)
    assert engine.notes() == [("slow", None)] and engine.share.allowed == 2
    engine.hear(("slow", None))
    engine.hear(("share", 1.5))
    engine.share.quiet_until = 0
    assert asks().state == "done" and engine.share.allowed == 1.5


def test_how_long_answers_take_is_told_once_a_round(asks, engine):
    assert asks().state == asks().state == "done" and not engine.is_urgent
    assert asks().state == "done" and engine.is_urgent
    [(kind, found)] = engine.notes()
    assert kind == "round" and found.count == 3 and found.took >= found.waited > 0
    assert not engine.is_urgent


def test_another_worker_was_slowed_down(engine):
    engine.hear(("slow", None))
    assert engine.share.allowed == 2 and engine.notes() == []
    assert engine.share.room(0, 0.0) == 0
    engine.hear(("share", 3.0))
    assert engine.share.allowed == 3


def test_credentials_that_have_expired(desk, asks, engine):
    """Nothing more is asked until there are new ones; the parent hears which they were."""
    desk.fake.fault("status", key="k", status=400, code="ExpiredToken", message="m")
    engine.hear(("endpoints", [desk.endpoint(generation=7)]))
    outcome = asks()
    assert (outcome.state, outcome.error, outcome.slow) == (AGAIN, "S3 says ExpiredToken: m", True)
    assert engine.paused and engine.notes() == [("expired", 7)]
    engine.add(2, [desk.ask()])
    engine.hear(("endpoints", [desk.endpoint(bucket=name, generation=7) for name in ("b", "c")]))
    assert engine.turn(0) == [] and engine.wire.active == 0
    engine.hear(("endpoints", [desk.endpoint(generation=8)]))
    while not (done := engine.turn(0.5)):
        pass
    assert done[0][1][0].state == "done"


def test_credentials_that_were_renewed_meanwhile(desk, engine):
    """The answer is to a request that was signed before: it says nothing of the new ones."""
    task = engine.tasks["ask"](engine, desk.ask(etag=""), 1, 0)
    transfer = Transfer(task, engine.endpoints["b"], None)
    transfer.headers, transfer.status, transfer.code = {}, 400, "ExpiredToken"
    engine.hear(("endpoints", [desk.endpoint(access_key="a:NEW", generation=8)]))
    engine.batches[1] = [1, [None]]
    assert task.is_refused(transfer)
    assert not engine.paused and engine.notes() == []
    assert engine.done[0][1][0].state == AGAIN


def test_credentials_that_came_twice(desk, engine):
    """What was sent with the first of them was sent with the newest."""
    engine.hear(("endpoints", [desk.endpoint(generation=7)]))
    task = engine.tasks["ask"](engine, desk.ask(), 1, 0)
    transfer = Transfer(task, engine.endpoints["b"], None)
    transfer.headers, transfer.status, transfer.code = {}, 400, "ExpiredToken"
    engine.hear(("endpoints", [desk.endpoint(generation=7)]))
    engine.batches[1] = [1, [None]]
    assert task.is_refused(transfer) and engine.paused and engine.notes() == [("expired", 7)]


# --- a server that lies


@pytest.mark.parametrize("changes, said", [
    ({}, ""), ({"content-length": ""}, ""), ({"x-amz-version-id": ""}, ""),
    ({"etag": 'W/"E"'}, ""),
    ({"status": 206}, "S3 answers with status 206, not 200"),
    ({"etag": ""}, "the answer has no ETag: it is not an object of S3's"),
    ({"etag": '"f"'}, "S3 sent another object: ETag f, not e"),
    ({"x-amz-version-id": "w"}, "S3 sent another version: w"),
    ({"content-length": "5"}, "S3 sends 5 bytes, not 4")])
def test_the_head_of_an_answer(desk, engine, changes, said):
    """It is that of the version that was asked for, or the answer is nothing."""
    task = engine.tasks["ask"](engine, desk.ask(etag="e", version_id="v"), 1, 0)
    transfer = Transfer(task, desk.endpoint(), None)
    headers = {"etag": '"e"', "x-amz-version-id": "v", "content-length": "4"} | changes
    transfer.status, transfer.headers = headers.pop("status", 200), headers
    assert task.fault_of(transfer, 4) == said


def test_a_size_that_nobody_knows(desk, engine):
    """Any is right."""
    task = engine.tasks["ask"](engine, desk.ask(etag=""), 1, 0)
    transfer = Transfer(task, desk.endpoint(), None)
    transfer.status, transfer.headers = 200, {"etag": '"e"', "content-length": "5"}
    assert task.fault_of(transfer, -1) == ""


# --- a server that does not know checksums


@pytest.fixture
def unlearned(monkeypatch):
    """What servers lack, which nobody knows yet."""
    monkeypatch.setattr(task, "KNOWN", Capabilities())
    monkeypatch.setattr(engines, "KNOWN", task.KNOWN)
    return task.KNOWN


@pytest.mark.parametrize("status, code", [(400, "InvalidArgument"), (501, "NotImplemented")])
def test_a_question_that_is_refused(desk, asks, engine, unlearned, status, code):
    """It is left out, in this request and those after it, and the parent hears of it."""
    desk.fake.fault("status", key="k", status=status, code=code, times=None,
                    where=lambda request: "x-amz-checksum-mode" in request.headers)
    assert asks().state == asks().state == "done"
    assert ["x-amz-checksum-mode" in one.headers for one in desk.fake.log] == [True, False, False]
    [(kind, (endpoint, what, _))] = [note for note in engine.notes() if note[0] != "round"]
    assert (kind, what, endpoint.secret_key) == ("lacks", task.CHECKSUMS, "")
    assert unlearned.lacks(desk.endpoint(), what)


def test_a_request_that_is_wrong_anyway(desk, asks, engine, unlearned):
    """Nothing is learned of that."""
    desk.fake.fault("status", key="k", status=400, code="InvalidRequest", times=None)
    assert asks().state == FAILED and len(desk.fake.log) == 2
    assert not engine.notes() and not unlearned.missing


def test_settings_that_want_no_checksums(desk):
    """response_checksum_validation is heeded."""
    desk.fake.put("b", "k", b"body")
    desk.do(desk.job(), endpoint=desk.endpoint(checksum_mode=False))
    assert [one for one in desk.fake.log if "x-amz-checksum-mode" in one.headers] == []
