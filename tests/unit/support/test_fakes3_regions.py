"""Buckets of several regions on one fake: what is signed for another region is refused as S3 does.
"""

import http.client
from xml.etree import ElementTree

import botocore.session
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from fakes3 import FakeS3

HERE, THERE = "us-east-1", "eu-west-1"


@pytest.fixture
def s3():
    """A fake in us-east-1 with one bucket there and one in eu-west-1, an object in each."""
    with FakeS3() as server:
        server.bucket("there", region=THERE)
        server.put("there", "k", b"there")
        server.put("here", "k", b"here")
        yield server


def ask(s3, method, path, region=None, signer=S3SigV4Auth, body=b""):
    """Send one request signed for `region` (None: not at all); return (status, headers, body)."""
    request = AWSRequest(method, s3.url + path, {}, body)
    if region:
        signer(Credentials(s3.access_key, s3.secret_key), "s3", region).add_auth(request)
    prepared = request.prepare()
    connection = http.client.HTTPConnection("127.0.0.1", s3.port, timeout=30)
    try:
        connection.request(method, prepared.url[len(s3.url):], prepared.body,
                           dict(prepared.headers))
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path,right,wrong", [("/there/k", THERE, HERE),
                                              ("/there/k", THERE, "ap-south-1"),
                                              ("/there?list-type=2", THERE, HERE),
                                              ("/there?versioning", THERE, HERE),
                                              ("/here/k", HERE, THERE), ("/", HERE, THERE),
                                              ("/missing/k", HERE, THERE)])
@pytest.mark.parametrize("signer,code", [
    (S3SigV4Auth, "AuthorizationHeaderMalformed"),
    (S3SigV4QueryAuth, "AuthorizationQueryParametersError")])
def test_signed_for_another_region(s3, path, right, wrong, signer, code):
    """The bucket's region is the only one; without a bucket it is the endpoint's."""
    status, _, body = ask(s3, "GET", path, right, signer)
    assert status == (404 if "missing" in path else 200)
    status, _, body = ask(s3, "GET", path, wrong, signer)
    error = ElementTree.fromstring(body)
    assert (status, error.findtext("Code"), error.findtext("Region")) == (400, code, right)


@pytest.mark.parametrize("method,path", [("PUT", "/there/new"), ("DELETE", "/there/k"),
                                         ("POST", "/there?delete")])
def test_nothing_is_done_for_another_region(s3, method, path):
    """What is refused has not been carried out."""
    assert ask(s3, method, path, HERE, body=b"x" if method == "PUT" else b"")[0] == 400
    assert [v.key for v in s3.objects("there")] == ["k"]


@pytest.mark.parametrize("path,region,status", [
    ("/there/k", HERE, 301), ("/there", HERE, 301), ("/there", None, 301), ("/there/k", None, 301),
    ("/there", "ap-south-1", 400), ("/there/k", THERE, 200), ("/there", THERE, 200)])
def test_head(s3, path, region, status):
    """A HEAD has no body: a redirect whose header names the region."""
    found, headers, body = ask(s3, "HEAD", path, region)
    assert (found, body) == (status, b"")
    if path == "/there" or status != 200:
        assert headers["x-amz-bucket-region"] == THERE


def test_anonymous(s3):
    """Without a signature, where a bucket is is told to anyone; what is in it is not."""
    status, headers, body = ask(s3, "GET", "/there/k")
    assert (status, headers["x-amz-bucket-region"]) == (301, THERE) and b"PermanentRedirect" in body
    assert ask(s3, "GET", "/here/k")[0] == 403


def test_location_and_list(s3):
    """GetBucketLocation and ListBuckets say where each bucket is."""
    for region in (HERE, THERE):
        assert THERE.encode() in ask(s3, "GET", "/there?location", region)[2]
    assert ask(s3, "GET", "/there?location", "ap-south-1")[0] == 400
    assert b"us-east-1" not in ask(s3, "GET", "/here?location", HERE)[2]
    rows = ElementTree.fromstring(ask(s3, "GET", "/", HERE)[2]).findall(".//{*}Bucket")
    assert {row.findtext("{*}Name"): row.findtext("{*}BucketRegion") for row in rows} == {
        "here": HERE, "there": THERE}


def test_any_region():
    """region=None: a signature for any region will do, for every bucket."""
    with FakeS3(region=None) as server:
        server.bucket("there", region=THERE)
        server.put("there", "k", b"x")
        assert [ask(server, "GET", "/there/k", region)[0] for region in (HERE, THERE)] == [200, 200]


@pytest.mark.parametrize("call", ["get_object", "head_object"])
def test_boto3_finds_its_way(s3, call):
    """boto3 follows to the region that it is told, at the same endpoint."""
    client = botocore.session.Session().create_client(
        "s3", endpoint_url=s3.url, region_name=HERE, aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key)
    try:
        assert getattr(client, call)(Bucket="there", Key="k")["ContentLength"] == 5
    finally:
        client.close()
