"""What S3's answers to deletions mean, as tables."""

from types import SimpleNamespace

import pytest

from s3kit.manifest.row import CONFLICT, FAILED, LOCKED, PRUNED
from s3kit.prune import removed
from s3kit.prune.removed import Removed
from s3kit.s3 import verdicts
from s3kit.s3.verdicts import AGAIN, EXPIRED, FATAL


@pytest.mark.parametrize("verdict, message, state, kept", [
    (verdicts.AGAIN, "", AGAIN, False), (verdicts.SLOW, "", AGAIN, False),
    (verdicts.EXPIRED, "", EXPIRED, False), (verdicts.REFUSED, "", FATAL, False),
    (verdicts.CHANGED, "", CONFLICT, True), (verdicts.VANISHED, "", PRUNED, False),
    (verdicts.DENIED, "Access Denied", FAILED, True),
    (verdicts.DENIED, "Access Denied because object protected by object lock.", LOCKED, True)])
def test_what_s3_s_words_mean(verdict, message, state, kept):
    found = removed.judged(verdict, "Code", message)
    assert (found.state, found.is_kept) == (state, kept)
    assert found.slow is (verdict == verdicts.SLOW)
    assert found.was_gone is (verdict == verdicts.VANISHED)


def results(entries, *named):
    """Return {(key, version id): (state, whether it is vague)} of a DeleteResult's entries."""
    body = ('<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' + entries
            + "</DeleteResult>").encode()
    return {name: (found.state, found.is_vague)
            for name, found in removed.results_in(body, named).items()}


def test_the_results_of_many():
    """Each by key and version; an error without a code may have been carried out."""
    found = removed.results_in(
        b'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b'<Deleted><Key>a</Key><VersionId>1</VersionId></Deleted>'
        b'<Error><Key>a</Key><VersionId>2</VersionId><Code>AccessDenied</Code>'
        b'<Message>no</Message></Error><Error><Key>b</Key></Error></DeleteResult>',
        {("a", "1"), ("a", "2"), ("b", "")})
    assert found == {("a", "1"): Removed(PRUNED),
                     ("a", "2"): Removed(FAILED, "S3 says AccessDenied: no", is_kept=True,
                                         is_vague=True),
                     ("b", ""): Removed(AGAIN, "S3 says ")}


DELETED = "<Deleted><Key>a</Key></Deleted>"


def test_entries_without_version_ids():
    """Swift's: they count where the request named one version of that key."""
    assert results(DELETED, ("a", "1"), ("b", "1")) == {("a", "1"): (PRUNED, False)}
    assert results(DELETED, ("a", "1"), ("a", "2")) == {}
    assert results("<Error><Key>a</Key><Code>AccessDenied</Code></Error>", ("a", "1")) == {
        ("a", "1"): (FAILED, True)}


@pytest.mark.parametrize("entries", [
    "<Deleted><Key>A</Key><VersionId>1</VersionId></Deleted>",
    "<Deleted><Key>%61</Key><VersionId>1</VersionId></Deleted>",
    "<Deleted><Key>a</Key><VersionId>2</VersionId></Deleted>",
    "<Deleted><Key>a</Key><VersionId>1</VersionId><DeleteMarker>true</DeleteMarker>"
    "<DeleteMarkerVersionId>2</DeleteMarkerVersionId></Deleted>",
    DELETED + "<Error><Key>a</Key><Code>InternalError</Code></Error>", "<Contents><Key>a</Key>"
    "<VersionId>1</VersionId></Contents>"], ids=["other case", "encoded", "another version",
                                                 "a marker was made", "both", "a listing's"])
def test_entries_that_say_nothing_of_what_was_asked(entries):
    assert results(entries, ("a", "1")) == {}


@pytest.mark.parametrize("body", [b"", b"no XML", b"<html/>", b"<!DOCTYPE x><DeleteResult/>",
                                  b"<ListBucketResult><Deleted><Key>a</Key></Deleted>"
                                  b"</ListBucketResult>"])
def test_what_is_not_a_delete_result_says_nothing(body):
    assert removed.results_in(body, {("a", "")}) == {}


@pytest.mark.parametrize("status, errno, code, done", [(200, 0, "", True), (204, 0, "", True),
                                                       (200, 0, "InternalError", False),
                                                       (200, 56, "", False), (404, 0, "", False)])
def test_a_200_may_bring_an_error_nevertheless(status, errno, code, done):
    assert removed.is_done(SimpleNamespace(status=status, errno=errno, code=code)) is done


@pytest.mark.parametrize("code, kept", [("AccessDenied", True), ("HTTP403", False),
                                        ("HTTP412", False), ("NoSuchBucket", False)])
def test_what_only_s3_s_own_word_for_this_bucket_keeps(code, kept):
    """Not a page, and not a bucket that is gone with all that was in it."""
    transfer = SimpleNamespace(status=412 if code == "HTTP412" else 403, errno=0, code=code,
                               message="", headers={}, failure="")
    assert removed.refusal(transfer).is_kept is kept
