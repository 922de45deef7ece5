"""What is asked for (Amazon S3 API Reference, RestoreObject), and how versions are looked for."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.manifest import states
from s3kit.manifest.row import Row
from s3kit.restore import answers, asking
from s3kit.s3.address import Endpoint


@pytest.mark.parametrize("storage_class, restored", [("GLACIER", True), ("DEEP_ARCHIVE", True),
                                                     ("INTELLIGENT_TIERING", True), ("", True),
                                                     ("GLACIER_IR", False), ("STANDARD", False),
                                                     ("STANDARD_IA", False), ("ONEZONE_IA", False),
                                                     ("REDUCED_REDUNDANCY", False),
                                                     ("EXPRESS_ONEZONE", False)])
def test_which_classes(storage_class, restored):
    """By the set of classes, not by what begins with GLACIER; what does not say is looked at.
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
    """No Expedited for what is deep, no days for Intelligent-Tiering."""
    assert asking.terms(storage_class, archive_tier, 7, wanted) == (days, tier)


def test_the_request():
    """Days in all but Intelligent-Tiering, the tier in GlacierJobParameters only."""
    body = asking.RestoreRequest(None, "k", "v", 7, "Bulk").body.decode()
    assert ("<Days>7</Days><GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>" in body
            and body.count("<Tier>") == 1)
    assert "Days" not in asking.RestoreRequest(None, "k", "v", None, "Bulk").body.decode()


@given(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1), min_size=1, max_size=40))
def test_just_before(key):
    """It sorts before the key, and only exotic names of its own kind lie between."""
    before = asking.just_before(key)
    assert before.encode() < key.encode() and len(before.encode()) <= 1024
    for between in (key[:-1], key[:-1] + "\x01", f"{before}\x01"):
        assert (not before.encode() < between.encode() < key.encode()
                or between.startswith((f"{before}", f"{key[:-1]}\0")))


@pytest.mark.parametrize("key", ["x" * 1024, "x" * 1021 + "\ue000", "\x01", "a"])
def test_just_before_at_the_limits(key):
    """No marker is longer than a key may be, and all can be sent."""
    assert (len(asking.just_before(key).encode()) <= 1024
            and asking.just_before(key).encode() < key.encode())


# --- pages and HEAD

ENDPOINT = Endpoint("b", "http://h/b", "us-east-1", "key", "secret")


class Control:
    """Keeps the requests that a Call sends."""

    def __init__(self):
        self.waiting = []


def began(*queries):
    """Return an ArchiveCall that has begun."""
    call = asking.ArchiveCall(Control(), list(queries))
    call.begin()
    return call


def sent(call):
    """Return [(method, URL, (step, about))] of the requests that it has sent since the last time.
    """
    found = [(options.get("method", "GET"), url, about)
             for _, about, _, url, options in call.control.waiting]
    call.control.waiting.clear()
    return found


def page(*keys, more=False):
    """Return an answered Transfer with a page of a listing of GLACIER objects."""
    entries = "".join(f"<Contents><Key>{key}</Key><Size>5</Size>"
                      "<StorageClass>GLACIER</StorageClass></Contents>" for key in keys)
    end = "<NextContinuationToken>t</NextContinuationToken>" * more
    return SimpleNamespace(status=200, code="", message="", errno=0, failure="", headers={}, body=(
        f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{end}{entries}"
        "</ListBucketResult>").encode())


def test_a_page_settles_what_it_shows():
    """What comes after it is looked for with the next page, and HEAD says what it leaves out."""
    call = began(*(asking.StatusQuery(ENDPOINT, key, "") for key in ("d", "b", "a")))
    [(method, url, about)] = sent(call)
    assert method == "GET" and "start-after=" in url and "list-type=2" in url
    call.answered(page("a", "c", more=True), about)
    assert call.outcomes[2].state == answers.ARCHIVED and call.left == 2
    (head, url, of_b), (method, later, about) = sorted(sent(call), key=lambda one: one[0] == "GET")
    assert (head, method) == ("HEAD", "GET") and url.endswith("/b") and "start-after=c" in later
    call.answered(page("d"), about)
    assert call.outcomes[0].state == answers.ARCHIVED and call.outcomes[0].size == "5"
    call.answered(SimpleNamespace(status=404, code="HTTP404", message="", errno=0, failure="",
                                  headers={}), of_b)
    [(method, url, about)] = sent(call)
    assert method == "GET" and url.endswith("/b"), "a GET says why HEAD was answered with 404"
    call.answered(SimpleNamespace(status=404, code="NoSuchKey", message="", errno=0, failure="",
                                  headers={}), about)
    assert call.outcomes[1] == answers.Status("vanished", "S3 has it no more", by_head=True)
    assert not call.left


def test_a_listing_that_is_not_for_us():
    """HEAD must say it, but for what fails in passing, which is not an answer."""
    denied = SimpleNamespace(status=403, code="AccessDenied", message="", errno=0, failure="",
                             headers={}, body=b"")
    slow = SimpleNamespace(status=503, code="SlowDown", message="", errno=0, failure="",
                           headers={}, body=b"")
    call = began(asking.StatusQuery(ENDPOINT, "a", "v"), asking.StatusQuery(ENDPOINT, "b", "v"))
    call.answered(denied, sent(call)[0][2])
    assert [method for method, _, _ in sent(call)] == ["HEAD", "HEAD"]
    call = began(asking.StatusQuery(ENDPOINT, "a", "v"))
    call.answered(page("a"), sent(call)[0][2])
    assert [method for method, _, _ in sent(call)] == ["HEAD"], "it is one of objects"
    call = began(asking.StatusQuery(ENDPOINT, "a", "v"), asking.StatusQuery(ENDPOINT, "b", "v"))
    call.answered(slow, sent(call)[0][2])
    assert [(outcome.state, outcome.slow) for outcome in call.outcomes] == 2 * [(answers.AGAIN,
                                                                                 True)]


def test_a_request_is_posted():
    """To the very version; what HEAD is wanted for is asked so."""
    call = began(asking.RestoreRequest(ENDPOINT, "k", "v", 7, "Bulk"),
                 asking.StatusQuery(ENDPOINT, "k", "v", by_head=True))
    (post, url, about), (head, _, _) = sent(call)
    assert (post, head) == ("POST", "HEAD") and url == "http://h/b/k?restore=&versionId=v"
    call.answered(SimpleNamespace(status=202, code="", message="", errno=0, failure="",
                                  headers={}), about)
    assert call.outcomes[0].state == answers.ONGOING and call.left == 1
