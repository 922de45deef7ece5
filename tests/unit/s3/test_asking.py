"""When asking again may help, and what an answer says of versions."""

from types import SimpleNamespace

import pytest

from s3kit.errors import Fault, NoAccess, NoCredentials, NoSuchBucket
from s3kit.s3 import asking
from s3kit.s3.address import Endpoint
from s3kit.s3.asking import (
    NONSENSE_TRIES,
    TRIES,
    fault_of,
    is_empty,
    once_more,
    read_versioning,
)
from s3kit.s3.patience import Patience

OLD, NEW = Endpoint("b", "http://h/b"), Endpoint("b", "http://h/b", generation=1)


def answer(status=200, code="", errno=0, endpoint=OLD):
    """Return a Transfer that was answered so."""
    return SimpleNamespace(status=status, code=code, errno=errno, message="",
                           failure="broken" if errno else "", headers={}, endpoint=endpoint)


def tries_of(transfer):
    """Return how often is asked before it is given up."""
    patience, tries = Patience(), 1
    while once_more(transfer, OLD, patience)[1] is not None:
        tries += 1
    return tries


@pytest.mark.parametrize("transfer, tries", [(answer(500, "InternalError"), TRIES),
                                             (answer(0, errno=7), TRIES),
                                             (answer(200, errno=18), TRIES),
                                             (answer(200), NONSENSE_TRIES),
                                             (answer(403, "AccessDenied"), 1),
                                             (answer(404, "NoSuchBucket"), 1),
                                             (answer(0, errno=60), 1),
                                             (answer(200, "TooLarge", 23), 1),
                                             (answer(400, "ExpiredToken"), 1)])
def test_what_is_worth_another_try(transfer, tries):
    """What passes by itself is; a refusal, a certificate, an answer without end are not."""
    assert tries_of(transfer) == tries


def test_expired():
    """Renewed once, however many requests say it; what cannot be renewed ends the question."""
    asked = []
    expired = answer(400, "ExpiredToken")
    endpoint, wait = once_more(expired, OLD, Patience(), lambda old: asked.append(old) or NEW)
    assert endpoint is NEW and wait is not None
    assert once_more(expired, NEW, Patience(), asked.append)[0] is NEW and len(asked) == 1

    def none(old):
        raise NoCredentials("none")
    with pytest.raises(NoCredentials):
        once_more(expired, OLD, Patience(), none)


@pytest.mark.parametrize("transfer, kind", [(answer(404, "NoSuchBucket"), NoSuchBucket),
                                            (answer(403, "AccessDenied"), NoAccess),
                                            (answer(400, "ExpiredToken"), NoAccess),
                                            (answer(500, "InternalError"), Fault)])
def test_faults_have_types(transfer, kind):
    """And S3's code."""
    fault = fault_of(transfer, "list s3://b")
    assert (type(fault) is kind and fault.code == transfer.code
            and str(fault).startswith("cannot list s3://b: S3 says "))


@pytest.mark.parametrize("xml, status", [(b"", ""), (b" \n", ""),
                                         (b"<VersioningConfiguration/>", ""), (
                                             b'<VersioningConfiguration xmlns="urn:x">'
                                             b'<Status>Enabled</Status></VersioningConfiguration>',
                                             "Enabled"), (
                                                 b"<VersioningConfiguration>"
                                                 b"<MfaDelete>x</MfaDelete>"
                                                 b"<Status>Suspended</Status>"
                                                 b"</VersioningConfiguration>", "Suspended")])
def test_versioning(xml, status):
    """Some servers send nothing for never."""
    assert read_versioning(xml) == status


def test_what_says_nothing_of_versions():
    """Is not taken for a bucket without them."""
    with pytest.raises(Fault, match="says nothing of versions"):
        read_versioning(b"<html/>")


@pytest.mark.parametrize("name", ["ListBucketResult", "ListVersionsResult"])
def test_a_listing_says_nothing_of_versions(name):
    """Even one that cannot be read: the server does not know the question."""
    for key in (b"k", b"&#x1;"):
        xml = b'<?xml version="1.0"?>\n<%s xmlns="urn:x"><Key>%s</Key></%s>' % (
            name.encode(), key, name.encode())
        assert read_versioning(xml) is None


# --- whether a prefix is empty


@pytest.fixture
def bucket(fake):
    """The Endpoint of a bucket with one key that is odd, and one that was deleted."""
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "a b/\u00e9+%&/k", b"x")
    fake.put("b", "gone", b"x")
    fake.delete("b", "gone")
    return Endpoint("b", f"{fake.url}/b", "us-east-1", fake.access_key, fake.secret_key)


@pytest.mark.parametrize("prefix, found", [
    ("", False), ("a", False), ("a b/\u00e9+%&/", False), ("a b/\u00e9+%&/k", False),
    ("a b/\u00e9+%&/k2", True), ("b", True), ("gone", True), ("a+b", True)])
def test_whether_a_prefix_is_empty(fake, bucket, prefix, found):
    """By one key; what is deleted is not there."""
    assert is_empty(bucket, prefix) is found
    [request] = fake.log
    assert request.query["max-keys"] == "1" and request.query["prefix"] == prefix


def test_a_key_that_xml_cannot_carry(fake, bucket):
    """It is encoded, or the bucket would look out of order."""
    fake.put("b", "\x01")
    assert is_empty(bucket, "") is False and is_empty(bucket, "\x01") is False


@pytest.mark.parametrize("kind, options", [
    ("status", {"status": 403}), ("status", {"status": 400, "code": "InvalidArgument"}),
    ("status", {"status": 501}), ("page", {"status": 404}),
    ("html", {}), ("html", {"body": b"<ListBucketResult/>"}),
    ("html", {"body": b"<Other><IsTruncated>false</IsTruncated></Other>"}),
    ("html", {"body": b"<ListBucketResult><IsTruncated>false</IsTruncated><CommonPrefixes/>"
                      b"</ListBucketResult>"})])
def test_what_does_not_say_that_it_is_empty(fake, bucket, kind, options):
    """We may not ask, or the server does not know the question: what is there is looked at."""
    fake.fault(kind, key="", times=None, **options)
    assert is_empty(bucket, "none/") is False and len(fake.log) == 1


@pytest.mark.parametrize("kind, options", [("status", {"status": 503}), ("refuse", {}),
                                           ("short", {"at": 40}), ("status", {"status": 500})])
def test_it_is_asked_until_it_is_answered(fake, bucket, monkeypatch, kind, options):
    """What passes is borne."""
    monkeypatch.setattr(asking.time, "sleep", lambda seconds: None)
    fake.fault(kind, key="", times=2, **options)
    assert is_empty(bucket, "none/") is True and len(fake.log) == 3


def test_no_bucket_is_not_empty(fake, bucket):
    """It is not there at all."""
    with pytest.raises(NoSuchBucket):
        is_empty(bucket._replace(bucket="c", url=f"{fake.url}/c"), "")


def test_a_server_that_does_not_come_back(fake, bucket, monkeypatch):
    """It is said, after a while."""
    monkeypatch.setattr(asking.time, "sleep", lambda seconds: None)
    fake.fault("status", key="", status=500, times=None)
    with pytest.raises(Fault, match="cannot use bucket 'b': S3 says InternalError"):
        is_empty(bucket, "")


def test_credentials_that_expire(fake, bucket):
    """They are renewed."""
    fake.fault("status", key="", status=400, code="ExpiredToken")
    renewed = []
    assert is_empty(bucket, "none/", lambda old: renewed.append(old) or old._replace(generation=1))
    assert renewed == [bucket]
