"""Redirects: followed where the user's keys are meant for, signed for that place; else said."""

from types import SimpleNamespace

import pytest
from fakes3 import FakeS3

from s3kit.s3 import redirects, verdicts
from s3kit.s3.address import Endpoint
from s3kit.s3.calls import document_headers
from s3kit.s3.headers import said
from s3kit.s3.redirects import MOST, further
from s3kit.s3.wire import Wire

OWN = "https://s3.example.com/b"
THERE = "https://b.s3.example.com"
HOSTED = "https://b.s3.amazonaws.com"
WEST, IRELAND = "https://s3.us-west-2.amazonaws.com/b", "https://b.s3.eu-west-1.amazonaws.com"
FIPS = "https://s3-fips.us-west-2.amazonaws.com/b"


def redirected(home, rest, where, status=307, hops=0, **told):
    """Return a Transfer that was answered with a redirect; `where` is its Location, or the body."""
    endpoint = Endpoint("b", home, "us-west-2")
    is_body = where.startswith("<")
    headers = {name.replace("_", "-"): value for name, value in told.items()}
    return SimpleNamespace(
        status=status, hops=hops, request=(endpoint, home + rest, "GET", [], None, b""),
        headers=headers | ({} if is_body else {"location": where}),
        body=where.encode() if is_body else b"", code=f"HTTP{status}", message="", failure="")


@pytest.mark.parametrize("status", redirects.STATUSES)
@pytest.mark.parametrize("home, rest, where, base, region", [
    # the same place
    (OWN, "/k", f"{OWN}/k", OWN, "us-west-2"), (OWN, "/k", "/b/k", OWN, "us-west-2"),
    (OWN, "/k", "https://S3.Example.com:443/b/k", OWN, "us-west-2"),
    (OWN, "/a%20b/../%C3%A9", f"{OWN}/a b/%2e%2E/%c3%A9", OWN, "us-west-2"),
    (OWN, "/k?versionId=v&x=", f"{OWN}/k?x&versionId=v", OWN, "us-west-2"),
    (OWN, "/k?versionId=v", f"{OWN}/k", OWN, "us-west-2"),
    (OWN, "/k", "<Error><Endpoint>s3.example.com</Endpoint></Error>", OWN, "us-west-2"),
    # the bucket in the name, or in the path
    (OWN, "/k", f"{THERE}/k", THERE, "us-west-2"),
    (OWN, "?delete=", f"{THERE}/", THERE, "us-west-2"),
    (THERE, "?versions=", f"{OWN}?versions=", OWN, "us-west-2"),
    (OWN, "/k", "<Endpoint>b.s3.example.com</Endpoint>", THERE, "us-west-2"),
    # another host of Amazon's
    (HOSTED, "/k?versionId=v", f"{IRELAND}/k", IRELAND, "eu-west-1"),
    (HOSTED, "", "<Endpoint>b.s3-external-1.amazonaws.com</Endpoint>",
     "https://b.s3-external-1.amazonaws.com", "us-west-2"),
    (WEST, "/k", f"{IRELAND}/k", IRELAND, "eu-west-1"),
    (WEST, "/k", "https://b.s3.amazonaws.com/k", HOSTED, "us-west-2"),
    (HOSTED, "/k", "https://b.s3-eu-west-1.amazonaws.com/k",
     "https://b.s3-eu-west-1.amazonaws.com", "eu-west-1"),
    (WEST, "/k", "https://s3.dualstack.eu-west-1.amazonaws.com/b/k",
     "https://s3.dualstack.eu-west-1.amazonaws.com/b", "eu-west-1")])
def test_what_is_followed(home, rest, where, base, region, status):
    """To the same key, with the query that was asked, in our own encoding."""
    endpoint, url = further(redirected(home, rest, where, status))
    assert (endpoint.url, url, endpoint.region) == (base, base + rest, region)


def test_the_region_that_the_answer_names():
    """Not every host's name tells it."""
    endpoint, _ = further(redirected(HOSTED, "/k", "https://b.s3-external-1.amazonaws.com/k",
                                     x_amz_bucket_region="eu-central-1"))
    assert endpoint.region == "eu-central-1"


@pytest.mark.parametrize("home, rest, where", [
    # another server, port or scheme
    (OWN, "/k", "https://s3-eu.example.com/b/k"), (OWN, "/k", "https://example.com/b/k"),
    (OWN, "/k", "https://s3.example.com:8443/b/k"), (OWN, "/k", "http://s3.example.com/b/k"),
    (OWN, "/k", "//evil.example/b/k"), (OWN, "/k", "https://evil.example/b/k"),
    (OWN, "/k", "https://s3.example.com@evil.example/b/k"),
    (OWN, "/k", "https://u@s3.example.com/b/k"),
    (OWN, "/k", "https://evil-b.s3.example.com/k"), (OWN, "/k", "https://c.s3.example.com/k"),
    (OWN, "/k", "<Endpoint>evil.example</Endpoint>"), (OWN, "/k", f"{IRELAND}/k"),
    # something else at the same server
    (OWN, "/k", f"{OWN}/"), (OWN, "/k", OWN), (OWN, "/k", f"{OWN}/k/"), (OWN, "/k", f"{OWN}/K"),
    (OWN, "/a/../k", f"{OWN}/k"), (OWN, "/a//k", f"{OWN}/a/k"),
    (OWN, "/k", "https://s3.example.com/k"),
    (OWN, "/k", f"{OWN}/k?versionId=v"), (OWN, "/k?versionId=v", f"{OWN}/k?versionId=w"),
    (OWN, "/k?versionId=v", f"{OWN}/k?X-Amz-Signature=1"), (OWN, "/k", f"{THERE}/b/k"),
    # nothing that can be read
    (OWN, "/k", ""), (OWN, "/k", "k"), (OWN, "/k", "b/k"), (OWN, "/k", "https://[/b/k"),
    (OWN, "/k", "https://s3.example.com:port/b/k"), (OWN, "/k", "?x"), (OWN, "/k", "<Endpoint/>"),
    # what at Amazon's is not S3, or not as good
    (HOSTED, "/k", "https://b.s3-website-eu-west-1.amazonaws.com/k"),
    (HOSTED, "/k", "https://evil.s3.amazonaws.com/k"),
    (HOSTED, "/k", "https://b.evil.amazonaws.com/k"),
    (HOSTED, "/k", "https://s3-1.eu-west-1.elb.amazonaws.com/b/k"),
    (HOSTED, "/k", "https://ec2-1-2-3-4.compute-1.amazonaws.com/b/k"),
    (HOSTED, "/k", "https://b.s3.amazonaws.com.evil.example/k"),
    (HOSTED, "/k", "https://b.s3.cn-north-1.amazonaws.com.cn/k"),
    (HOSTED, "/k", "http://b.s3.eu-west-1.amazonaws.com/k"), (FIPS, "/k", f"{WEST}/k"),
    (HOSTED, "/k", "https://b.s3.eu-west-1.amazonaws.com:8443/k")])
def test_what_is_not_followed(home, rest, where):
    """It is said where it points."""
    found = redirected(home, rest, where)
    assert further(found) is None
    host = where.removeprefix("<Endpoint>").removesuffix("</Endpoint>").removesuffix("<Endpoint/>")
    assert said(found) == "S3 says HTTP307" + (
        f" (it points to {host}: see --endpoint-url)" if host else "")


@pytest.mark.parametrize("status, hops, told, is_followed", [
    (307, MOST - 1, {}, True), (307, MOST, {}, False), (304, 0, {}, False), (303, 0, {}, False),
    (404, 0, {}, False), (200, 0, {}, False),
    (301, 0, {"x_amz_bucket_region": "us-west-2"}, True),
    (301, 0, {"x_amz_bucket_region": "eu-west-1"}, False),
    (307, 0, {"x_amz_bucket_region": "eu-west-1"}, True)])
def test_when_one_is_followed(status, hops, told, is_followed):
    """Not without end; a wrong region is said with what to do about it."""
    found = further(redirected(HOSTED, "/k", f"{HOSTED}/k", status, hops, **told))
    assert bool(found) is is_followed


def test_a_bucket_that_is_not_in_the_address():
    """Of an access point nothing but the same place is known."""
    home = "https://point-1.s3-accesspoint.us-west-2.amazonaws.com"
    assert further(redirected(home, "/k", f"{IRELAND}/k")) is None
    assert further(redirected(home, "/k", f"{home}/k"))[0].url == home


# --- on the wire

def ask(endpoint, url, **options):
    """Return the answered Transfer of one request."""
    wire = Wire(1)
    transfer = wire.start("owner", endpoint, url, **options)
    while wire.active:
        assert wire.turn(0.5) in ([], [transfer])
    return transfer


@pytest.fixture
def endpoint(fake):
    """A bucket with two objects."""
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "k", b"body"), fake.put("b", "a/../k", b"dots")
    return Endpoint("b", f"{fake.url}/b", "us-east-1", fake.access_key, fake.secret_key)


@pytest.mark.parametrize("key", ["k", "a/../k"])
@pytest.mark.parametrize("status", redirects.STATUSES)
def test_an_object(fake, endpoint, key, status):
    """Its body alone reaches the sink, and the Transfer is that of the first request."""
    fake.fault("redirect", key=key, status=status, region="us-east-1",
               location=f"{fake.url}/b/{key}")
    came = []
    transfer = ask(endpoint, endpoint.object_url(key), headers=["Range: bytes=1-2"],
                   sink=lambda transfer, data: came.append(data))
    assert (transfer.status, transfer.code, b"".join(came)) == (
        206, "", b"od" if key == "k" else b"ot")
    assert transfer.endpoint is endpoint and transfer.hops == 1
    assert [request.status for request in fake.log] == [status, 206]
    assert all(request.headers["range"] == "bytes=1-2" for request in fake.log)


def test_a_deletion_keeps_its_version_and_condition(fake, endpoint):
    version = fake.put("b", "k", b"new")
    fake.fault("redirect", key="k", method="DELETE", status=307)    # without the query
    transfer = ask(endpoint, endpoint.object_url("k", version_id=version), method="DELETE",
                   headers=['If-Match: "x"'])
    first, second = fake.log
    assert transfer.status == second.status and second.query == {"versionId": version}
    assert (second.method, second.headers["if-match"]) == ("DELETE", '"x"')


def test_a_document_is_sent_again(fake, endpoint):
    """With its body, and what says that it came whole."""
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    fake.fault("redirect", key="", method="POST", status=307)
    transfer = ask(endpoint, f"{endpoint.url}?delete=", method="POST", body=body,
                   headers=document_headers(body))
    assert transfer.status == 200 and b"<Deleted>" in transfer.body, transfer.body
    assert [(request.method, bytes(request.body)) for request in fake.log] == [("POST", body)] * 2


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_a_loop_ends(fake, endpoint, method):
    """After a few requests, and it is said."""
    fake.fault("redirect", key="", method=method, status=307, times=None)
    transfer = ask(endpoint, f"{endpoint.url}?delete=", method=method)
    assert transfer.status == 307 and len(fake.log) == MOST + 1
    assert verdicts.verdict_of(transfer) == verdicts.REGION
    assert f"(after {MOST} redirects it points to {fake.url}/b" in said(transfer)


def test_what_points_elsewhere_gets_no_signature(fake, endpoint):
    """Not a request reaches it."""
    with FakeS3() as other:
        fake.fault("redirect", key="k", status=307, location=f"{other.url}/b/k", times=None)
        transfer = ask(endpoint, endpoint.object_url("k"))
        assert transfer.status == 307 and len(fake.log) == 1 and not other.log
        assert f"(it points to {other.url}/b/k: see --endpoint-url)" in said(transfer)


def test_the_page_of_a_web_server(fake, endpoint):
    """That lists the bucket's name as a directory: another path, and HTML."""
    fake.fault("status", key="", status=301, code="x", times=None,
               headers={"Location": f"{fake.url}/b/index.html", "Content-Type": "text/html"})
    transfer = ask(endpoint, f"{endpoint.url}?list-type=2")
    assert transfer.status == 301 and len(fake.log) == 1


def test_another_region_of_amazon_s(monkeypatch):
    """The second request is signed for the host and the region that the first was sent to; what
    comes after is asked at the first again.
    """
    with FakeS3(region="us-west-2") as s3:          # as a proxy, it is any host
        monkeypatch.setenv("http_proxy", s3.url)
        monkeypatch.setenv("no_proxy", "")
        s3.bucket("b").region = "eu-west-1"
        s3.put("b", "k", b"body")
        home = Endpoint("b", "http://s3.us-west-2.amazonaws.com/b", "us-west-2", s3.access_key,
                        s3.secret_key)
        there = "http://s3.eu-west-1.amazonaws.com/b/k"
        for _ in range(2):
            s3.fault("redirect", key="k", status=307, location=there)
            assert ask(home, home.object_url("k")).body == b"body"
        assert [request.headers["host"] for request in s3.log] == 2 * [
            "s3.us-west-2.amazonaws.com", "s3.eu-west-1.amazonaws.com"]
        assert "/eu-west-1/s3/" in s3.log[-1].headers["authorization"]
