"""Every rule of RestoreObject (Amazon S3 API Reference), without a server: what is asked for, and
what S3's answers mean.
"""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.manifest import states
from s3kit.manifest.row import Row
from s3kit.restore import requests
from s3kit.s3 import calls


def answer(status, code="", message="", errno=0, failure="", headers=None):
    """Return what stands for an answered Transfer."""
    return SimpleNamespace(status=status, code=code or (f"HTTP{status}" if status >= 300 else ""),
                           message=message, errno=errno, failure=failure, headers=headers or {})


@pytest.mark.parametrize("storage_class, restored", [("GLACIER", True), ("DEEP_ARCHIVE", True),
                                                     ("INTELLIGENT_TIERING", True), ("", True),
                                                     ("GLACIER_IR", False), ("STANDARD", False),
                                                     ("STANDARD_IA", False), ("ONEZONE_IA", False),
                                                     ("REDUCED_REDUNDANCY", False),
                                                     ("EXPRESS_ONEZONE", False)])
def test_which_classes(storage_class, restored):
    """4.1: by the set of classes, not by what begins with GLACIER; what does not say is looked at.
    """
    assert states.is_to_restore(Row("b", "k", storage_class=storage_class)) == restored
    assert not states.is_to_restore(Row("b", "k", storage_class=storage_class,
                                        is_delete_marker="true"))
    assert not states.is_to_restore(Row("b", "k", storage_class=storage_class, state="verified"))


@pytest.mark.parametrize("storage_class, archive_tier, wanted, days, tier", [
    ("GLACIER", "", "Expedited", 7, "Expedited"), ("GLACIER", "", "Bulk", 7, "Bulk"),
    ("GLACIER", "", "Standard", 7, "Standard"), ("DEEP_ARCHIVE", "", "Expedited", 7, "Standard"),
    ("DEEP_ARCHIVE", "", "Bulk", 7, "Bulk"),
    ("INTELLIGENT_TIERING", "ARCHIVE_ACCESS", "Expedited", None, "Expedited"),
    ("INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS", "Expedited", None, "Standard"),
    ("INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS", "Bulk", None, "Bulk")])
def test_terms(storage_class, archive_tier, wanted, days, tier):
    """4.2: no Expedited for what is deep, no days for Intelligent-Tiering."""
    assert requests.terms(storage_class, archive_tier, 7, wanted) == (days, tier)


def test_the_request():
    """4.2: Days in all but Intelligent-Tiering, the tier in GlacierJobParameters only."""
    body = requests.Ask(None, "k", "v", 7, "Bulk").body.decode()
    assert ("<Days>7</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>" in body
            and body.count("<Tier>") == 1)
    assert "Days" not in requests.Ask(None, "k", "v", None, "Bulk").body.decode()


@pytest.mark.parametrize("transfer, state", [
    (answer(202), requests.ONGOING),
    (answer(200), requests.READY),
    (answer(409, "RestoreAlreadyInProgress"), requests.ONGOING),
    (answer(503, "GlacierExpeditedRetrievalNotAvailable"), requests.UNAVAILABLE),
    (answer(403, "InvalidObjectState",
            "Restore is not allowed for the object's current storage class"), requests.ONLINE),
    (answer(403, "ObjectAlreadyInActiveTierError"), requests.ONLINE),
    (answer(400, "InvalidArgument", "Retrieval option is not supported by this storage class"),
     requests.UNSUPPORTED),
    (answer(403, "InvalidTier", "Retrieval option is not supported by this storage class"),
     requests.UNSUPPORTED),
    (answer(400, "MalformedXML"), "failed"), (answer(403, "AccessDenied"), "failed"),
    (answer(405, "MethodNotAllowed"), "failed"),
    (answer(404, "NoSuchKey"), "vanished"), (answer(404, "NoSuchVersion"), "vanished"),
    (answer(404, "NoSuchBucket"), "failed"),
    (answer(503, "SlowDown"), calls.AGAIN), (answer(500, "InternalError"), calls.AGAIN),
    (answer(409, "OperationAborted"), calls.AGAIN),
    (answer(0, errno=56, failure="reset"), calls.AGAIN),
    (answer(202, errno=18, failure="cut"), calls.AGAIN),
    (answer(200, "InternalError"), calls.AGAIN), (answer(400, "ExpiredToken"), calls.EXPIRED),
    (answer(403, "SignatureDoesNotMatch"), calls.FATAL),
    (answer(403, "RequestTimeTooSkewed"), calls.FATAL)])
def test_answers(transfer, state):
    """4.3, and what any request may be answered."""
    found = requests.reply(transfer)
    assert found.state == state and found.slow == (transfer.code == "SlowDown")
    assert bool(found.error) == (state not in (requests.ONGOING, requests.READY, requests.ONLINE))


EXPIRES = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"'


@pytest.mark.parametrize("headers, state, until", [
    ({"x-amz-storage-class": "GLACIER"}, requests.COLD, ""),
    ({"x-amz-storage-class": "GLACIER", "x-amz-restore": 'ongoing-request="true"'},
     requests.ONGOING, ""),
    ({"x-amz-storage-class": "GLACIER", "x-amz-restore": EXPIRES}, requests.READY,
     "2012-12-21T00:00:00Z"),
    ({"x-amz-storage-class": "DEEP_ARCHIVE", "x-amz-restore": 'ongoing-request="false"'},
     requests.READY, ""),
    ({"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS"},
     requests.COLD, ""),
    ({"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS",
      "x-amz-restore": 'ongoing-request="true"'}, requests.ONGOING, ""),
    ({"x-amz-storage-class": "INTELLIGENT_TIERING"}, requests.ONLINE, ""),
    ({"x-amz-storage-class": "GLACIER_IR"}, requests.ONLINE, ""), ({}, requests.ONLINE, "")])
def test_headers(headers, state, until):
    """4.4: where a version stands."""
    found = requests.seen_in(headers, requests.Look(None, "k", "v"))
    assert (found.state, found.until, found.by_head) == (state, until, True)


def test_another_object_in_its_place():
    """What the name leads to now is not asked for; a version id can lead to nothing else."""
    headers = {"etag": '"new"', "x-amz-storage-class": "GLACIER"}
    assert requests.seen_in(headers, requests.Look(None, "k", "", "old")).state == "failed"
    assert requests.seen_in(headers, requests.Look(None, "k", "null", "old")).state == "failed"
    assert requests.seen_in(headers, requests.Look(None, "k", "v", "old")).state == requests.COLD


@given(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1), min_size=1, max_size=40))
def test_just_before(key):
    """It sorts before the key, and only exotic names of its own kind lie between."""
    before = requests.just_before(key)
    assert before.encode() < key.encode() and len(before.encode()) <= 1024
    for between in (key[:-1], key[:-1] + "\x01", f"{before}\x01"):
        assert (not before.encode() < between.encode() < key.encode()
                or between.startswith((f"{before}", f"{key[:-1]}\0")))


@pytest.mark.parametrize("key", ["x" * 1024, "x" * 1021 + "\ue000", "\x01", "a"])
def test_just_before_at_the_limits(key):
    """No marker is longer than a key may be, and all can be sent."""
    assert (len(requests.just_before(key).encode()) <= 1024
            and requests.just_before(key).encode() < key.encode())
