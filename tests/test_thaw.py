"""Every rule of formats.md section 4, without a server: what is asked for, and what S3's answers mean."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit import control, plan, thaw
from s3kit.row import Row


def answer(status, code="", message="", errno=0, failure="", headers=None):
    """Return what stands for an answered Transfer."""
    return SimpleNamespace(status=status, code=code or (f"HTTP{status}" if status >= 300 else ""), message=message, errno=errno,
                           failure=failure, headers=headers or {})


@pytest.mark.parametrize("storage_class, restored", [
    ("GLACIER", True), ("DEEP_ARCHIVE", True), ("INTELLIGENT_TIERING", True), ("", True), ("GLACIER_IR", False), ("STANDARD", False),
    ("STANDARD_IA", False), ("ONEZONE_IA", False), ("REDUCED_REDUNDANCY", False), ("EXPRESS_ONEZONE", False)])
def test_which_classes(storage_class, restored):
    """4.1: by the set of classes, not by what begins with GLACIER; what does not say is looked at."""
    assert plan.is_to_restore(Row("b", "k", storage_class=storage_class)) == restored
    assert not plan.is_to_restore(Row("b", "k", storage_class=storage_class, is_delete_marker="true"))
    assert not plan.is_to_restore(Row("b", "k", storage_class=storage_class, state="verified"))


@pytest.mark.parametrize("storage_class, archive_tier, wanted, days, tier", [
    ("GLACIER", "", "Expedited", 7, "Expedited"), ("GLACIER", "", "Bulk", 7, "Bulk"), ("GLACIER", "", "Standard", 7, "Standard"),
    ("DEEP_ARCHIVE", "", "Expedited", 7, "Standard"), ("DEEP_ARCHIVE", "", "Bulk", 7, "Bulk"),
    ("INTELLIGENT_TIERING", "ARCHIVE_ACCESS", "Expedited", None, "Expedited"),
    ("INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS", "Expedited", None, "Standard"),
    ("INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS", "Bulk", None, "Bulk")])
def test_terms(storage_class, archive_tier, wanted, days, tier):
    """4.2: no Expedited for what is deep, no days for Intelligent-Tiering."""
    assert thaw.terms(storage_class, archive_tier, 7, wanted) == (days, tier)


def test_the_request():
    """4.2: Days in all but Intelligent-Tiering, the tier in GlacierJobParameters only."""
    body = thaw.Ask(None, "k", "v", 7, "Bulk").body.decode()
    assert "<Days>7</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>" in body and body.count("<Tier>") == 1
    assert "Days" not in thaw.Ask(None, "k", "v", None, "Bulk").body.decode()


@pytest.mark.parametrize("transfer, state", [
    (answer(202), thaw.ONGOING),
    (answer(200), thaw.READY),
    (answer(409, "RestoreAlreadyInProgress"), thaw.ONGOING),
    (answer(503, "GlacierExpeditedRetrievalNotAvailable"), thaw.UNAVAILABLE),
    (answer(403, "InvalidObjectState", "Restore is not allowed for the object's current storage class"), thaw.ONLINE),
    (answer(403, "ObjectAlreadyInActiveTierError"), thaw.ONLINE),
    (answer(400, "InvalidArgument", "Retrieval option is not supported by this storage class"), thaw.UNSUPPORTED),
    (answer(403, "InvalidTier", "Retrieval option is not supported by this storage class"), thaw.UNSUPPORTED),
    (answer(400, "MalformedXML"), "failed"), (answer(403, "AccessDenied"), "failed"), (answer(405, "MethodNotAllowed"), "failed"),
    (answer(404, "NoSuchKey"), "vanished"), (answer(404, "NoSuchVersion"), "vanished"), (answer(404, "NoSuchBucket"), "failed"),
    (answer(503, "SlowDown"), control.AGAIN), (answer(500, "InternalError"), control.AGAIN), (answer(409, "OperationAborted"), control.AGAIN),
    (answer(0, errno=56, failure="reset"), control.AGAIN), (answer(202, errno=18, failure="cut"), control.AGAIN),
    (answer(200, "InternalError"), control.AGAIN), (answer(400, "ExpiredToken"), control.EXPIRED),
    (answer(403, "SignatureDoesNotMatch"), control.FATAL), (answer(403, "RequestTimeTooSkewed"), control.FATAL)])
def test_answers(transfer, state):
    """4.3, and what any request may be answered."""
    found = thaw.reply(transfer)
    assert found.state == state and found.slow == (transfer.code == "SlowDown")
    assert bool(found.error) == (state not in (thaw.ONGOING, thaw.READY, thaw.ONLINE))


EXPIRES = 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"'


@pytest.mark.parametrize("headers, state, until", [
    ({"x-amz-storage-class": "GLACIER"}, thaw.COLD, ""),
    ({"x-amz-storage-class": "GLACIER", "x-amz-restore": 'ongoing-request="true"'}, thaw.ONGOING, ""),
    ({"x-amz-storage-class": "GLACIER", "x-amz-restore": EXPIRES}, thaw.READY, "2012-12-21T00:00:00Z"),
    ({"x-amz-storage-class": "DEEP_ARCHIVE", "x-amz-restore": 'ongoing-request="false"'}, thaw.READY, ""),
    ({"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS"}, thaw.COLD, ""),
    ({"x-amz-storage-class": "INTELLIGENT_TIERING", "x-amz-archive-status": "ARCHIVE_ACCESS",
      "x-amz-restore": 'ongoing-request="true"'}, thaw.ONGOING, ""),
    ({"x-amz-storage-class": "INTELLIGENT_TIERING"}, thaw.ONLINE, ""),
    ({"x-amz-storage-class": "GLACIER_IR"}, thaw.ONLINE, ""), ({}, thaw.ONLINE, "")])
def test_headers(headers, state, until):
    """4.4: where a version stands."""
    found = thaw.seen_in(headers, thaw.Look(None, "k", "v"))
    assert (found.state, found.until, found.by_head) == (state, until, True)


def test_another_object_in_its_place():
    """What the name leads to now is not asked for; a version id can lead to nothing else."""
    headers = {"etag": '"new"', "x-amz-storage-class": "GLACIER"}
    assert thaw.seen_in(headers, thaw.Look(None, "k", "", "old")).state == "failed"
    assert thaw.seen_in(headers, thaw.Look(None, "k", "null", "old")).state == "failed"
    assert thaw.seen_in(headers, thaw.Look(None, "k", "v", "old")).state == thaw.COLD


@given(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1), min_size=1, max_size=40))
def test_just_before(key):
    """It sorts before the key, and only exotic names of its own kind lie between."""
    before = thaw.just_before(key)
    assert before.encode() < key.encode() and len(before.encode()) <= 1024
    for between in (key[:-1], key[:-1] + "\x01", f"{before}\x01"):
        assert not before.encode() < between.encode() < key.encode() or between.startswith((f"{before}", f"{key[:-1]}\0"))


@pytest.mark.parametrize("key", ["x" * 1024, "x" * 1021 + "\ue000", "\x01", "a"])
def test_just_before_at_the_limits(key):
    """No marker is longer than a key may be, and all can be sent."""
    assert len(thaw.just_before(key).encode()) <= 1024 and thaw.just_before(key).encode() < key.encode()
