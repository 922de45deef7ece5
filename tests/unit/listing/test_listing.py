"""Listing over the wire: the same rows over any number of connections, faults, and early ends."""

from types import SimpleNamespace

import pytest
from conftest import env_of
from fakes3 import FakeS3

from s3kit.errors import Fault, NoAccess, NoVersions
from s3kit.listing import continuation, extras, segment
from s3kit.listing.lateness import Lateness
from s3kit.listing.listing import Listing
from s3kit.s3 import patience
from s3kit.s3.capabilities import Capabilities
from s3kit.s3.session import Session


@pytest.fixture
def names(fake, monkeypatch):
    """A bucket of 3,300 keys on the strict fake, answered so slowly that splitting pays."""
    fake.bucket("b", versioning="Enabled")
    for number in range(3300):
        fake.put("b", f"k-{number:05d}", b"")
    fake.latency = 0.02
    monkeypatch.setattr(Lateness, "is_felt", lambda lateness: True)     # also on a busy machine
    fake.log.clear()
    return fake


def endpoint_of(fake, monkeypatch):
    """Return the Endpoint of the fake's bucket."""
    for name, value in env_of(fake).items():
        monkeypatch.setenv(name, value)
    options = dict.fromkeys(("profile", "region", "endpoint_url", "request_payer", "ca_bundle"))
    return (Session(SimpleNamespace(**options, no_sign_request=False, no_verify_ssl=False,
                                    read_timeout=300))
            .endpoint("b"))


@pytest.mark.parametrize("versions", [False, True])
@pytest.mark.parametrize("prefix", ["", "k-01"])
def test_over_many_connections(names, monkeypatch, versions, prefix):
    """The same rows over 1 and over 8, with and without a prefix."""
    endpoint = endpoint_of(names, monkeypatch)
    found = [[row for page in Listing(connections=count).pages(endpoint, prefix, versions)
              for row in page.rows] for count in (1, 8)]
    assert found[0] == found[1] and len(found[0]) == (1000 if prefix else 3300)


def test_a_small_bucket_is_one_request(fake, monkeypatch):
    """What fits a page is asked for once, over any number of connections."""
    fake.put("b", "k", b"")
    fake.latency = 0.02
    lister = Listing(connections=32)
    assert ([len(page.rows) for page in lister.pages(endpoint_of(fake, monkeypatch))] == [1]
            and lister.requests == 1)


def test_only_what_is_needed_must_be_had(names, monkeypatch):
    """A server that refuses to begin in the middle is listed one page after the other."""
    def refuse(request):
        """Let no listing begin at a key."""
        if "start-after" in request.query:
            request.query["continuation-token"] = "no such"

    names.hook = refuse
    lister = Listing(connections=8)
    assert sum(len(page.rows) for page in lister.pages(endpoint_of(names, monkeypatch))) == 3300
    assert any(request.status == 400 for request in names.log)


def test_faults_in_passing(names, monkeypatch):
    """SlowDown and broken connections are waited out, whichever request they meet."""
    monkeypatch.setattr(patience, "delay", lambda tries, base=0.2, most=20.0: 0.01)
    names.fault("status", key="", times=3, after=1, status=503, code="SlowDown")
    names.fault("status", key="", times=2, after=1, status=500, code="InternalError")
    assert sum(len(page.rows) for page
               in Listing(connections=8).pages(endpoint_of(names, monkeypatch), "", True)) == 3300


def test_no_access(names, monkeypatch):
    """What the head may not have ends the listing."""
    names.fault("status", key="", times=None, after=1, status=403, code="AccessDenied")
    found = Listing(connections=8).pages(endpoint_of(names, monkeypatch))
    assert len(next(found).rows) == 1000
    with pytest.raises(NoAccess, match="cannot list s3://b: S3 says AccessDenied"):
        list(found)


def test_an_early_end(names, monkeypatch):
    """Who wants no more pages leaves no request behind, and can list again."""
    endpoint, lister = endpoint_of(names, monkeypatch), Listing(connections=8)
    found = lister.pages(endpoint)
    next(found)
    found.close()
    assert not lister.wire.active
    assert sum(len(page.rows) for page in lister.pages(endpoint)) == 3300


def test_circles(names, monkeypatch):
    """A server that sends us back to where we were is found out."""
    monkeypatch.setattr(continuation, "query_after", lambda page, top: "continuation-token=same")
    monkeypatch.setattr(segment.Segment, "is_continued_by", lambda self, keys, ascends: True)
    names.hook = lambda request: request.query.pop("continuation-token", None)
    with pytest.raises(Fault, match="goes in circles"):
        list(Listing(connections=1).pages(endpoint_of(names, monkeypatch)))


# --- servers that are not Amazon's


@pytest.mark.parametrize("character", ["", "full-pages", "old-list-1", "no-token", "minio", "ceph",
                                       "swift"])
@pytest.mark.parametrize("versions", [False, True])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_every_row_once(monkeypatch, character, versions, delimiter):
    """Where all pages are full, with prefixes at their ends, over 1 and over 4 connections."""
    with FakeS3(character=character) as server:
        if versions and not server.character.versions:
            return
        server.bucket("b", versioning="Enabled")
        for number in range(2000):
            server.put("b", f"{number // 2:04d}%2F{'/' * (number % 2)}{number % 7}", b"")
        endpoint = endpoint_of(server, monkeypatch)
        for count in (1, 4):
            found = list(Listing(connections=count).pages(endpoint, "", versions, delimiter))
            names = [name for page in found
                     for name in page.prefixes + [row.key for row in page.rows]]
            assert len(names) == len(set(names)) == 2000, (count, len(names))


def test_versions_of_one_key_over_pages(monkeypatch):
    """The marker is the row's own version, also where the server says `null`."""
    with FakeS3(character="swift") as server:
        server.bucket("b", versioning="Enabled")
        for number in range(2300):
            server.put("b", "k%41", b"%d" % number)
        rows = [row for page in Listing().pages(endpoint_of(server, monkeypatch), "", True)
                for row in page.rows]
        assert [row.version_id for row in rows] == [v.id for v in server.versions("b")]


def quickly(monkeypatch):
    """Let nobody wait before a question is asked again."""
    monkeypatch.setattr(patience, "delay", lambda tries, base=0.2, most=20.0: 0.01)


@pytest.mark.parametrize("versions", [False, True])
def test_an_end_that_may_not_be_one(names, monkeypatch, versions):
    """A server that shows nothing after a marker, though more is there."""
    def forget(request):
        """Look for what follows the greatest key."""
        if {"key-marker", "continuation-token", "start-after"} & request.query.keys():
            request.query.pop("continuation-token", None)
            request.query.pop("version-id-marker", None)
            request.query |= {"key-marker": "z", "start-after": "z"}

    quickly(monkeypatch)
    names.hook = forget
    found = Listing().pages(endpoint_of(names, monkeypatch), "", versions)
    assert len(next(found).rows) == 1000
    with pytest.raises(Fault, match="goes on after 'k-00999', and then shows nothing more"):
        list(found)


@pytest.mark.parametrize("versions", [False, True])
@pytest.mark.parametrize("back", ["", "k-00300"])
def test_pages_that_go_back(names, monkeypatch, versions, back):
    """The same page again, or half of it, end the listing: no row comes twice."""
    def go_back(request):
        """List from an earlier key on."""
        if {"key-marker", "continuation-token", "start-after"} & request.query.keys():
            request.query.pop("continuation-token", None)
            request.query.pop("version-id-marker", None)
            request.query |= {"key-marker": back, "start-after": back}

    quickly(monkeypatch)
    names.hook = go_back
    found, keys = Listing().pages(endpoint_of(names, monkeypatch), "", versions), []
    with pytest.raises(Fault, match="goes in circles|shows a row again"):
        for page in found:
            keys += [row.key for row in page.rows]
    assert len(keys) == 1000


def test_a_server_that_refuses_extras(monkeypatch):
    """Is asked without them, and no second time with them."""
    monkeypatch.setattr(extras, "KNOWN", Capabilities())
    with FakeS3(character="no-attributes") as server:
        for number in range(2300):
            server.put("b", f"{number:04d}", b"")
        endpoint = endpoint_of(server, monkeypatch)
        for _ in range(2):
            assert sum(len(page.rows) for page in Listing(connections=1).pages(endpoint)) == 2300
        assert len(server.requests(status=400)) == 1
        assert extras.KNOWN.lines()[0].endswith("(S3 says InvalidArgument: Unsupported header)")


@pytest.mark.parametrize("status, code", [(501, "NotImplemented"), (405, "MethodNotAllowed")])
def test_no_listing_of_versions(fake, monkeypatch, status, code):
    """What a server does not know is told from what it refuses us."""
    fake.bucket("b")
    fake.fault("status", key="", times=None, status=status, code=code)
    with pytest.raises(NoVersions, match=code):
        list(Listing().pages(endpoint_of(fake, monkeypatch), "", True))
    assert Listing().is_versioned(endpoint_of(fake, monkeypatch)) is None


def test_versions_that_are_answered_with_objects(monkeypatch):
    """Are not asked for a second time."""
    with FakeS3(character="old-list-1") as server:
        server.put("b", "k", b"")
        with pytest.raises(NoVersions, match="a listing of current objects"):
            list(Listing().pages(endpoint_of(server, monkeypatch), "", True))
        assert len(server.requests()) == 1


@pytest.mark.system("minutes")
@pytest.mark.parametrize("versions", [False, True])
def test_on_a_real_server(ministack, monkeypatch, versions):
    """MiniStack lists the same over 1 and over 8."""
    monkeypatch.setattr(Lateness, "is_felt", lambda lateness: True)
    client, bucket = ministack.client(), f"listing-{int(versions)}"
    client.create_bucket(Bucket=bucket)
    for number in range(2200):
        client.put_object(Bucket=bucket, Key=f"d{number // 100}/é-{number}", Body=b"")
    for name, value in ministack.env.items():
        monkeypatch.setenv(name, value)
    options = dict.fromkeys(("profile", "region", "endpoint_url", "request_payer", "ca_bundle"))
    endpoint = Session(SimpleNamespace(**options, no_sign_request=False,
                                       no_verify_ssl=False, read_timeout=300)).endpoint(bucket)
    found = [[row.key for page in Listing(connections=count).pages(endpoint, "", versions)
              for row in page.rows] for count in (1, 8)]
    assert found[0] == found[1] == sorted(set(found[0])) and len(found[0]) == 2200


def test_whether_there_are_versions_is_asked_with_the_first_page(fake, monkeypatch):
    """The page is on its way before that is answered, and is used if there are none."""
    for key in ("a", "b/c"):
        fake.put("b", key, b"")
    listing, endpoint = Listing(), endpoint_of(fake, monkeypatch)
    assert listing.is_versioned(endpoint) is False
    assert [row.key for page in listing.pages(endpoint) for row in page.rows] == ["a", "b/c"]
    assert ["versioning" in request.query for request in fake.log] == [False, True]
    assert listing.is_versioned(endpoint) is False
    assert [row.key for page in listing.pages(endpoint, "b/") for row in page.rows] == ["b/c"]


def test_a_first_page_that_was_asked_for_in_vain(fake, monkeypatch):
    """The bucket has versions: they are listed."""
    fake.bucket("b", versioning="Enabled")
    for body in (b"1", b"2"):
        fake.put("b", "k", body)
    listing, endpoint = Listing(), endpoint_of(fake, monkeypatch)
    assert listing.is_versioned(endpoint) is True
    rows = [row for page in listing.pages(endpoint, "", True) for row in page.rows]
    assert len({row.version_id for row in rows}) == 2
