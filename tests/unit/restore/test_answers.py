"""What S3's answers mean for an archived version (Amazon S3 API Reference, RestoreObject)."""

from types import SimpleNamespace

import pytest

from s3kit.manifest.row import FAILED, VANISHED, Row
from s3kit.restore import answers
from s3kit.restore.answers import Status
from s3kit.restore.asking import StatusQuery
from s3kit.s3 import verdicts


def answer(status, code="", message="", errno=0, failure="", headers=None):
    """Return what stands for an answered Transfer."""
    return SimpleNamespace(status=status, code=code or (f"HTTP{status}" if status >= 300 else ""),
                           message=message, errno=errno, failure=failure, headers=headers or {})


@pytest.mark.parametrize("transfer, state", [
    (answer(202), answers.ONGOING),
    (answer(200), answers.READY),
    (answer(409, "RestoreAlreadyInProgress"), answers.ONGOING),
    (answer(503, "GlacierExpeditedRetrievalNotAvailable"), answers.UNAVAILABLE),
    (answer(403, "InvalidObjectState",
            "Restore is not allowed for the object's current storage class"), answers.ONLINE),
    (answer(403, "ObjectAlreadyInActiveTierError"), answers.ONLINE),
    (answer(400, "InvalidArgument", "Retrieval option is not supported by this storage class"),
     answers.UNSUPPORTED),
    (answer(403, "InvalidTier", "Retrieval option is not supported by this storage class"),
     answers.UNSUPPORTED),
    (answer(400, "MalformedXML"), "failed"), (answer(403, "AccessDenied"), "failed"),
    (answer(405, "MethodNotAllowed"), "failed"),
    (answer(404, "NoSuchKey"), "vanished"), (answer(404, "NoSuchVersion"), "vanished"),
    (answer(404, "NoSuchBucket"), "failed"),
    (answer(503, "SlowDown"), verdicts.AGAIN), (answer(500, "InternalError"), verdicts.AGAIN),
    (answer(409, "OperationAborted"), verdicts.AGAIN),
    (answer(0, errno=56, failure="reset"), verdicts.AGAIN),
    (answer(202, errno=18, failure="cut"), verdicts.AGAIN),
    (answer(200, "InternalError"), verdicts.AGAIN), (answer(400, "ExpiredToken"), verdicts.EXPIRED),
    (answer(403, "SignatureDoesNotMatch"), verdicts.FATAL),
    (answer(403, "RequestTimeTooSkewed"), verdicts.FATAL)])
def test_answers(transfer, state):
    """What RestoreObject and any request may be answered."""
    found = answers.status_of_request(transfer)
    assert found.state == state and found.slow == (transfer.code == "SlowDown")
    assert bool(found.error) == (state not in (answers.ONGOING, answers.READY, answers.ONLINE))


EXPIRES = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"'


@pytest.mark.parametrize("headers, state, until", [
    ({"x-amz-storage-class": "GLACIER"}, answers.ARCHIVED, ""),
    ({"x-amz-storage-class": "GLACIER", "x-amz-restore": 'ongoing-request="true"'},
     answers.ONGOING, ""),
    ({"x-amz-storage-class": "GLACIER", "x-amz-restore": EXPIRES}, answers.READY,
     "2012-12-21T00:00:00Z"),
    ({"x-amz-storage-class": "DEEP_ARCHIVE", "x-amz-restore": 'ongoing-request="false"'},
     answers.READY, ""),
    ({"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS"},
     answers.ARCHIVED, ""),
    ({"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS",
      "x-amz-restore": 'ongoing-request="true"'}, answers.ONGOING, ""),
    ({"x-amz-storage-class": "INTELLIGENT_TIERING"}, answers.ONLINE, ""),
    ({"x-amz-storage-class": "GLACIER_IR"}, answers.ONLINE, ""), ({}, answers.ONLINE, "")])
def test_headers(headers, state, until):
    """How a version stands."""
    found = answers.status_in_headers(headers, StatusQuery(None, "k", "v"))
    assert (found.state, found.until, found.by_head) == (state, until, True)


def test_another_object_in_its_place():
    """What the name leads to now is not asked for; a version id can lead to nothing else."""
    headers = {"etag": '"new"', "x-amz-storage-class": "GLACIER"}

    def found(version_id):
        query = StatusQuery(None, "k", version_id, "old")
        return answers.status_in_headers(headers, query).state
    assert found("") == found("null") == "failed"
    assert found("v") == answers.ARCHIVED


@pytest.mark.parametrize("fields, wanted", [
    ({"storage_class": "GLACIER"}, Status(answers.ARCHIVED, storage_class="GLACIER", size="5")),
    ({"storage_class": "STANDARD"}, Status(answers.ONLINE, storage_class="STANDARD", size="5")),
    ({"storage_class": "GLACIER", "restore": "ongoing"},
     Status(answers.ONGOING, storage_class="GLACIER", size="5")),
    ({"storage_class": "GLACIER", "restore": "ready until 2012-12-21T00:00:00Z"},
     Status(answers.READY, until="2012-12-21T00:00:00Z", storage_class="GLACIER", size="5")),
    ({"storage_class": "INTELLIGENT_TIERING"}, None),
    ({"is_delete_marker": "true"}, Status(VANISHED, "it is a delete marker")),
    ({"storage_class": "GLACIER", "etag": "new"}, Status(FAILED, answers.CHANGED))])
def test_an_entry_of_a_listing(fields, wanted):
    """It tells how a version stands, but for the archive tiers of Intelligent-Tiering."""
    row = Row("b", "k", size="5", **fields)
    assert answers.status_in_row(row, StatusQuery(None, "k", "", "old")) == wanted


@pytest.mark.parametrize("transfer, wanted", [
    (answer(200, headers={"x-amz-storage-class": "GLACIER", "content-length": "7"}),
     Status(answers.ARCHIVED, storage_class="GLACIER", size="7", by_head=True)),
    (answer(404, "NoSuchKey"), Status(VANISHED, "S3 has it no more", by_head=True)),
    (answer(403), Status(FAILED, "S3 says 403, as it does for AccessDenied", by_head=True))])
def test_an_answer_to_head(transfer, wanted):
    """An error has no words of S3's there."""
    assert answers.status_of_head(transfer, StatusQuery(None, "k", "v")) == wanted


def test_every_status_has_a_state_of_the_list():
    """What the verb has a table for."""
    assert len(set(answers.STATES)) == 11
    for transfer in (answer(202), answer(500), answer(403, "AccessDenied"),
                     answer(404, "NoSuchKey"), answer(400, "ExpiredToken"),
                     answer(403, "RequestTimeTooSkewed")):
        assert answers.status_of_request(transfer).state in answers.STATES
