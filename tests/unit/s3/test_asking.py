"""When asking again may help, and what an answer says of versions."""

from types import SimpleNamespace

import pytest

from s3kit.errors import Fault, NoAccess, NoCredentials, NoSuchBucket
from s3kit.s3.address import Endpoint
from s3kit.s3.asking import NONSENSE_TRIES, TRIES, fault_of, once_more, read_versioning
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
