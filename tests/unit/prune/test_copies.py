"""Whether a copy lets its source go: row, ledger and S3's answers, as tables."""

from types import SimpleNamespace

import pytest

from s3kit.disk.ledger import Entry
from s3kit.disk.uploads import Upload
from s3kit.manifest.row import FAILED, STORED, Row
from s3kit.prune import copies
from s3kit.prune.copies import ABSENT, SEEN, UNTOLD, Seen
from s3kit.prune.proofs import BrokenProof, Rules
from s3kit.s3.verdicts import AGAIN, EXPIRED, FATAL
from s3kit.units import epoch_ns

TIME = "2026-01-01T12:00:00Z"
ROW = {"bucket": "b", "key": "k", "version_id": "v", "etag": "e", "size": "4", "state": STORED,
       "proof": "md5"}
UPLOAD = Upload("far", "to/k", "w", "f", "b", "k", "v", "e", "b/k", 4, 9, 7, "CRC32", "FULL_OBJECT",
                "AAAA", "", "md5", "crc32", TIME)
FILE = SimpleNamespace(st_ino=7, st_size=4, st_mtime_ns=9)


def row_of(stored_at="s3://far/to/k?versionId=w", **changed):
    """Return a stored Row."""
    return Row(**{**ROW, **changed}, extra={"stored_at": stored_at})


@pytest.mark.parametrize("row, stored_at, is_it", [
    ({}, "s3://far/k?versionId=w", False), ({}, "s3://b/other?versionId=v", False),
    ({}, "s3://b/k?versionId=v", True), ({}, "s3://b/k?versionId=w", False),
    ({}, "s3://b/k", True), ({"version_id": ""}, "s3://b/k?versionId=w", True),
    ({"version_id": ""}, "s3://b/k", True), ({"version_id": "null"}, "s3://b/k", True),
    ({"version_id": "null"}, "s3://b/k?versionId=null", True),
    ({"version_id": "null"}, "s3://b/k?versionId=w", False),
    ({}, "s3://ap-x-s3alias/k?versionId=v", True), ({}, "s3://ap-x-s3alias/k?versionId=w", False),
    ({"bucket": "ap-x-s3alias", "version_id": ""}, "s3://b/k", True),
    ({"bucket": "ap-x-s3alias", "version_id": ""}, "s3://b/p/k", False),
    ({}, "", False), ({}, "nonsense", False)])
def test_what_may_be_the_copy_itself(row, stored_at, is_it):
    """Whatever it says by which name: the copy is never deleted."""
    assert copies.is_itself(row_of(stored_at, **row)) is is_it


@pytest.mark.parametrize("row, upload, rules, why", [
    ({}, {}, {}, ""), ({}, None, {}, "does not know its copy"),
    ({"stored_at": ""}, {}, {}, "does not say where"),
    ({"stored_at": "s3://far/to/k"}, {}, {}, "another version of its copy"),
    ({}, {"to_version_id": "x"}, {}, "another version of its copy"),
    ({}, {"version_id": "x"}, {}, "copy of another object"),
    ({}, {"key": "x"}, {}, "copy of another object"),
    ({}, {"bucket": "x"}, {}, "copy of another object"),
    ({"etag": "x"}, {}, {}, "copy of another object"),
    ({"size": "5"}, {}, {}, "copy of another object"), ({"size": ""}, {}, {}, ""),
    ({"etag": ""}, {}, {}, ""), ({}, {"etag": ""}, {}, ""),
    ({"version_id": ""}, {"version_id": ""}, {}, ""),
    ({"version_id": "", "etag": ""}, {"version_id": ""}, {}, "copy of another object"),
    ({"version_id": "null"}, {"version_id": "null", "etag": ""}, {}, "copy of another object"),
    ({}, {"far_proof": ""}, {}, "was not there"), ({}, {"proof": ""}, {}, "nothing but its size"),
    ({}, {"proof": "size"}, {}, "nothing but its size"),
    ({}, {"far_proof": "size"}, {}, "nothing but its size"),
    ({}, {"proof": "size", "far_proof": "size"}, {"sized": True}, ""),
    ({}, {"far_proof": ""}, {"sized": True}, "was not there"),
    ({}, {"proof": "given-md5"}, {}, "a digest that was given"),
    ({}, {"proof": "given-md5"}, {"given": True}, "")])
def test_why_a_proof_is_broken(row, upload, rules, why):
    known = None if upload is None else UPLOAD._replace(**upload)
    found = copies.why_broken(row_of(**row), known, Rules(**rules))
    assert (why in found and isinstance(found, BrokenProof)) if why else found == ""


@pytest.mark.parametrize("seen, why", [
    (Seen(SEEN, etag="f", size=4), ""), (Seen(SEEN, etag="x", size=4), copies.REPLACED),
    (Seen(SEEN, etag="f", size=5), copies.REPLACED), (Seen(SEEN, etag="", size=4), copies.REPLACED),
    (Seen(ABSENT), copies.GONE)])
def test_what_s3_has_now(seen, why):
    found = copies.why_changed(UPLOAD, seen)
    assert found == why and (not why or isinstance(found, BrokenProof))


@pytest.mark.parametrize("at, fresh", [(TIME, True), ("2026-01-01T11:59:59Z", False), ("", False)])
def test_how_long_the_ledger_s_word_does(at, fresh):
    assert copies.is_fresh(UPLOAD._replace(changed_at=at), epoch_ns(TIME)) is fresh


ENTRY = Entry("b", "k", "v", "e", 4, TIME, "", "", "", "", "b/k", 9, 7, "", "md5", "pruned")


@pytest.mark.parametrize("entry, uploads, elsewhere", [
    (ENTRY, [UPLOAD], True), (None, [UPLOAD], True), (ENTRY, [], False),
    (ENTRY, [UPLOAD._replace(far_proof="")], False),
    (ENTRY, [UPLOAD._replace(proof="size")], False),
    (ENTRY, [UPLOAD._replace(proof="size"), UPLOAD], True),
    (ENTRY._replace(version_id="x"), [UPLOAD], False), (ENTRY._replace(etag="x"), [UPLOAD], False),
    (ENTRY, [UPLOAD._replace(inode=8)], False), (ENTRY, [UPLOAD._replace(size=5)], False)])
def test_what_is_stored_elsewhere(entry, uploads, elsewhere):
    assert copies.is_elsewhere(entry, FILE, uploads) is elsewhere


def answer(status, code="", errno=0, **headers):
    """Return a Transfer."""
    return SimpleNamespace(status=status, code=code, errno=errno, failure="broken" * bool(errno),
                           headers=headers, message="", hops=0)


@pytest.mark.parametrize("transfer, seen", [
    (answer(200, etag='"f"', **{"content-length": "4"}), Seen(SEEN, etag="f", size=4)),
    (answer(200, etag='"f"'), None), (answer(200, **{"content-length": "4"}), None),
    (answer(404, "HTTP404"), None), (answer(403, "HTTP403"), None),
    (answer(0, errno=56), Seen(AGAIN, "broken"))])
def test_an_answer_to_head(transfer, seen):
    assert copies.seen_in(transfer) == seen


@pytest.mark.parametrize("transfer, state", [
    (answer(404, "NoSuchKey"), ABSENT), (answer(404, "NoSuchVersion"), ABSENT),
    (answer(405, "MethodNotAllowed", **{"x-amz-delete-marker": "true"}), ABSENT),
    (answer(404, "NoSuchBucket"), UNTOLD), (answer(403, "AccessDenied"), UNTOLD),
    (answer(404, "HTTP404"), FAILED), (answer(405, "MethodNotAllowed"), FAILED),
    (answer(503, "SlowDown"), AGAIN), (answer(500, "InternalError"), AGAIN), (answer(206), AGAIN),
    (answer(400, "ExpiredToken"), EXPIRED), (answer(403, "InvalidAccessKeyId"), FATAL)])
def test_an_answer_that_has_words(transfer, state):
    """Only S3's own say that there is no copy; a page says nothing."""
    seen = copies.refused(transfer)
    assert seen.state == state and seen.error and seen.slow is (transfer.code == "SlowDown")
