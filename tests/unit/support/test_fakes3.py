"""The fake S3 itself: that it keeps S3's rules, and that each fault does what its name says."""

import base64
import gzip
import hashlib
import hmac
import http.client
import io
import random
import socket
import subprocess
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import botocore.session
import fakes3
import pycurl
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from fakes3 import Credential, FakeS3

SESSION = botocore.session.Session()        # one for all tests: it caches the service model
CLIENTS = []                                # of one test, to be closed after it
HOUR, DAY = 3600, 86400
MIB = 1024 * 1024

ODD_KEYS = ["..", ".", "../../etc/passwd", "a/../b", "a/./b", "/", "//", "/lead", "trail/", "a//b",
            "a///", " ", "a b", "a+b", "a%2Fb", "a%", "?", "#", "a?b=c&d", "a#b", "a&b;c", "'\"<>",
            "\\", "~", "*", "(1)", "=x", "@x", "\x01", "\t", "\n", "\r", "\r\n", "\x7f", "\x80\x9f",
            "\x1b[31m", "é", "e\u0301", "Ω", "日本", "\U0001f600", "\ufffe", "\uffff", "x" * 1024,
            "é" * 512, "a" * 300 + "/" + "b" * 300, "a", "A", "a/b"]


def client_of(s3, **options):
    """Return a boto3-like client of the fake that tries once."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=5, **options.pop("config", {}))
    keys = {"aws_access_key_id": s3.access_key, "aws_secret_access_key": s3.secret_key}
    CLIENTS.append(SESSION.create_client("s3", endpoint_url=s3.url, region_name="us-east-1",
                                         config=config, **{**keys, **options}))
    return CLIENTS[-1]


@pytest.fixture(autouse=True)
def close_clients():
    """Leave no socket behind."""
    yield
    while CLIENTS:
        CLIENTS.pop().close()


@pytest.fixture
def client(s3):
    return client_of(s3)


def code(call, *arguments, **options):
    """Return (status, code) of the error that a call ends in."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **options)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def ask(s3, method, target, headers=None, body=None):
    """Send one request by http.client; return (status, headers, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", s3.port, timeout=5)
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def send(s3, data):
    """Send bytes as they are; return all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", s3.port), timeout=5) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def target(key, bucket="b"):
    return f"/{bucket}/{quote(key)}"


def error_of(body):
    return ElementTree.fromstring(body).findtext("Code")


def outcome(answer):
    """Return 200 of (status, headers, body), or the error's code."""
    return answer[0] if answer[0] == 200 else error_of(answer[2])


# Buckets
# -------------------------------------------------------------------------------------------

def test_buckets(s3, client):
    """Buckets are made, found, listed in order and removed only when empty."""
    client.create_bucket(Bucket="zzz")
    client.create_bucket(Bucket="aaa")
    client.create_bucket(Bucket="aaa")
    assert [b["Name"] for b in client.list_buckets()["Buckets"]] == ["aaa", "b", "zzz"]
    page = client.list_buckets(MaxBuckets=2)
    assert [b["Name"] for b in page["Buckets"]] == ["aaa", "b"]
    rest = client.list_buckets(MaxBuckets=2, ContinuationToken=page["ContinuationToken"])
    assert [b["Name"] for b in rest["Buckets"]] == ["zzz"] and "ContinuationToken" not in rest
    assert client.head_bucket(Bucket="aaa")["BucketRegion"] == "us-east-1"
    assert client.get_bucket_location(Bucket="aaa")["LocationConstraint"] is None
    assert code(client.head_bucket, Bucket="none") == (404, "404")
    assert code(client.list_objects_v2, Bucket="none") == (404, "NoSuchBucket")
    s3.put("aaa", "k", b"")
    assert code(client.delete_bucket, Bucket="aaa") == (409, "BucketNotEmpty")
    client.delete_bucket(Bucket="zzz")
    assert set(s3.buckets) == {"aaa", "b"}
    assert ask(s3, "PUT", "/X")[0] == 403
    assert code(client.get_bucket_acl, Bucket="b") == (501, "NotImplemented")
    assert code(client.copy_object, Bucket="b", Key="x", CopySource="b/k")[0] == 501


def test_policies(client):
    """A policy is kept as it was put, one that is none is refused, without one there is an error of
    its own.
    """
    assert code(client.get_bucket_policy, Bucket="b") == (404, "NoSuchBucketPolicy")
    assert code(client.put_bucket_policy, Bucket="b", Policy="{") == (400, "MalformedPolicy")
    text = '{"Version": "2012-10-17",  "Statement": [{}]}'
    client.put_bucket_policy(Bucket="b", Policy=text)
    assert client.get_bucket_policy(Bucket="b")["Policy"] == text
    client.delete_bucket_policy(Bucket="b")
    client.delete_bucket_policy(Bucket="b")
    assert code(client.get_bucket_policy, Bucket="b") == (404, "NoSuchBucketPolicy")


def test_versioning_status(client):
    """A bucket was never versioned, is, or is suspended; there is no way back to never."""
    assert "Status" not in client.get_bucket_versioning(Bucket="b")
    for status in ("Enabled", "Suspended", "Enabled"):
        client.put_bucket_versioning(Bucket="b", VersioningConfiguration={"Status": status})
        assert client.get_bucket_versioning(Bucket="b")["Status"] == status
    assert code(client.put_bucket_versioning, Bucket="b",
                VersioningConfiguration={"Status": "Off"})[0] == 400


# Objects
# -------------------------------------------------------------------------------------------

def test_digests():
    """What each algorithm says of 123456789, the input of published check values."""
    wanted = {"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg=",
              "XXHASH64": "jLhB20DmroM=", "XXHASH3": "ctyxi2ehff8=",
              "XXHASH128": "MxGUd+3l3NXpcWQnaB1YYA==", "SHA1": "98O8HYCOBHMq32eZZczDTKeuNEE=",
              "SHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="}
    assert {name: fakes3.b64(fakes3.DIGESTS[name](b"123456789")) for name in wanted} == wanted


@pytest.mark.parametrize("algorithm", fakes3.DIGESTS)
def test_put_with_checksum(s3, client, algorithm):
    """Each algorithm is checked on the way in and told on the way out, when asked for."""
    value = fakes3.b64(fakes3.DIGESTS[algorithm](b"body"))
    client.put_object(Bucket="b", Key="k", Body=b"body", **{f"Checksum{algorithm}": value})
    head = client.head_object(Bucket="b", Key="k", ChecksumMode="ENABLED")
    assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (value, "FULL_OBJECT")
    assert f"Checksum{algorithm}" not in client.head_object(Bucket="b", Key="k")
    wrong = fakes3.b64(fakes3.DIGESTS[algorithm](b"another"))
    assert code(client.put_object, Bucket="b", Key="k", Body=b"body",
                **{f"Checksum{algorithm}": wrong}) == (400, "BadDigest")
    assert code(client.put_object, Bucket="b", Key="k", Body=b"body",
                **{f"Checksum{algorithm}": "x"}) == (400, "InvalidRequest")
    listed = client.list_objects_v2(Bucket="b")["Contents"][0]
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == ([algorithm], "FULL_OBJECT")


def test_put_keeps_what_it_was_told(s3):
    """Metadata, type, class come back; S3 adds CRC64NVME where the client gave no checksum."""
    client = client_of(s3, config={"request_checksum_calculation": "when_required"})
    put = client.put_object(Bucket="b", Key="k", Body=b"hello", ContentType="text/x",
                            ContentEncoding="zip", StorageClass="STANDARD_IA", Metadata={"a": "1"})
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"' and "VersionId" not in put
    assert put["ChecksumCRC64NVME"] == fakes3.b64(fakes3.DIGESTS["CRC64NVME"](b"hello"))
    got = client.get_object(Bucket="b", Key="k")
    assert got["Body"].read() == b"hello"
    assert (got["ContentType"], got["StorageClass"], got["Metadata"], got["ContentEncoding"]) \
        == ("text/x", "STANDARD_IA", {"a": "1"}, "zip")
    assert abs(got["LastModified"].timestamp() - time.time()) < 5
    assert (code(client.put_object, Bucket="b", Key="k", StorageClass="WARM")
            == (400, "InvalidStorageClass"))


def test_content_md5(open3):
    """Content-MD5 is checked; so is its form; two checksums are refused; so is one promised but not
    sent.
    """
    put = lambda headers: ask(open3, "PUT", "/b/k", headers, b"body")       # noqa: E731
    md5 = base64.b64encode(hashlib.md5(b"body").digest()).decode()
    assert put({"Content-MD5": md5})[0] == 200
    assert error_of(put({"Content-MD5": md5.swapcase()})[2]) == "BadDigest"
    assert error_of(put({"Content-MD5": "short"})[2]) == "InvalidDigest"
    assert (error_of(put({"x-amz-checksum-crc32": "x", "x-amz-checksum-sha1": "y"})[2])
            == "InvalidRequest")
    assert error_of(put({"x-amz-sdk-checksum-algorithm": "CRC32"})[2]) == "InvalidRequest"
    head = b"PUT /b/k HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    assert send(open3, head + b"\r\n").startswith(b"HTTP/1.1 411 ")
    piped = send(open3, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert piped.startswith(b"HTTP/1.1 501 ")


def test_trailing_checksum_as_boto3_sends_it(s3, client, monkeypatch):
    """Over https boto3 sends aws-chunked bodies with a trailer, in HTTP chunks; make it do so here.
    """
    monkeypatch.setattr("botocore.httpchecksum.urlparse",
                        lambda url: types.SimpleNamespace(scheme="https"))
    body = random.Random(2).randbytes(3 * MIB + 17)
    client.put_object(Bucket="b", Key="k", Body=body, ChecksumAlgorithm="CRC64NVME",
                      ContentEncoding="zip")
    sent = s3.requests(method="PUT")[0]
    assert sent.headers["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert sent.headers["transfer-encoding"] == "chunked"
    assert sent.trailers.keys() == {"x-amz-checksum-crc64nvme"}
    stored = s3.get("b", "k")
    assert stored.body == body and stored.algorithm == "CRC64NVME"
    assert stored.headers["Content-Encoding"] == "zip"
    client.put_object(Bucket="b", Key="stream", Body=io.BytesIO(body))
    assert s3.get("b", "stream").body == body


def trailer_put(s3, chunks, trailer="x-amz-checksum-crc32", **headers):
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
               "x-amz-trailer": trailer, "x-amz-decoded-content-length": "4",
               "Content-Encoding": "aws-chunked", **headers}
    return outcome(ask(s3, "PUT", "/b/k", headers, chunks))


def test_trailing_checksum_faults(open3):
    """Every way an aws-chunked body can be wrong is told apart."""
    crc = fakes3.b64(fakes3.DIGESTS["CRC32"](b"body")).encode()
    whole = b"4\r\nbody\r\n0\r\nx-amz-checksum-crc32:" + crc + b"\r\n\r\n"
    assert trailer_put(open3, whole) == 200
    assert trailer_put(open3, whole.replace(b"body", b"bodY")) == "BadDigest"
    assert trailer_put(open3, whole[:6]) == "IncompleteBody"
    assert trailer_put(open3, b"zz\r\n" + whole) == "IncompleteBody"
    assert trailer_put(open3, b"4\r\nbody\r\n0\r\n\r\n") == "MalformedTrailerError"
    assert trailer_put(open3, whole, trailer="x-amz-checksum-sha1") == "MalformedTrailerError"
    assert trailer_put(open3, whole, **{"x-amz-decoded-content-length": "5"}) == "IncompleteBody"


def test_signed_chunks(s3):
    """STREAMING-AWS4-HMAC-SHA256-PAYLOAD: each chunk's signature counts, as other SDKs send them.
    """
    class Streaming(S3SigV4Auth):
        def payload(self, request):
            return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"

    request = signed(s3, "PUT", "/b/k", {"x-amz-decoded-content-length": "8"}, signer=Streaming)
    stamp = request["X-Amz-Date"]
    previous = request["Authorization"].rpartition("Signature=")[2]
    key = fakes3.signing_key(s3.secret_key, stamp[:8], "us-east-1")
    body = b""
    for chunk in (b"good", b"body", b""):
        scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, previous,
                          hashlib.sha256(b"").hexdigest(), hashlib.sha256(chunk).hexdigest()])
        previous = hmac.new(key, text.encode(), "sha256").hexdigest()
        body += b"%x;chunk-signature=%s\r\n%s\r\n" % (len(chunk), previous.encode(), chunk)
    assert ask(s3, "PUT", "/b/k", request, body)[0] == 200
    assert s3.get("b", "k").body == b"goodbody"
    assert outcome(ask(s3, "PUT", "/b/k", request,
                       body.replace(b"good", b"evil"))) == "SignatureDoesNotMatch"


def test_conditional_put(s3, client):
    """If-None-Match: * writes once; If-Match writes over what we know; a delete marker is nothing
    there.
    """
    put = lambda **condition: client.put_object(Bucket="b", Key="k", Body=b"x", **condition)  # noqa: E501, E731
    assert code(put, IfMatch='"x"') == (404, "NoSuchKey")
    etag = put(IfNoneMatch="*")["ETag"]
    assert code(put, IfNoneMatch="*") == (412, "PreconditionFailed")
    assert code(put, IfMatch='"x"') == (412, "PreconditionFailed")
    put(IfMatch=etag)
    s3.bucket("b", versioning="Enabled")
    s3.delete("b", "k")
    put(IfNoneMatch="*")


def test_conditional_get(s3, client):
    """The four conditions, with RFC 9110's precedence."""
    s3.put("b", "k", b"x", modified="2024-01-01T00:00:00Z")
    etag = client.head_object(Bucket="b", Key="k")["ETag"]
    get = lambda **condition: client.get_object(Bucket="b", Key="k", **condition)  # noqa: E731
    early, late = (datetime(2023, 1, 1, tzinfo=timezone.utc),
                   datetime(2025, 1, 1, tzinfo=timezone.utc))
    assert get(IfMatch=etag)["ETag"] == get(IfMatch=etag.strip('"'))["ETag"] == etag
    assert get(IfMatch=etag, IfUnmodifiedSince=early)["ETag"] == etag
    assert get(IfNoneMatch='"x"', IfModifiedSince=late)["ETag"] == etag
    assert get(IfMatch="*")["LastModified"] == datetime(2024, 1, 1, tzinfo=timezone.utc)
    assert code(get, IfMatch='"x"') == (412, "PreconditionFailed")
    assert code(get, IfUnmodifiedSince=early) == (412, "PreconditionFailed")
    assert code(get, IfNoneMatch=etag)[0] == code(get, IfModifiedSince=late)[0] == 304


@pytest.mark.parametrize("asked, first, end", [("bytes=0-0", 0, 1), ("bytes=2-4", 2, 5),
                                               ("bytes=5-", 5, 10), ("bytes=-3", 7, 10),
                                               ("bytes=-30", 0, 10), ("bytes=8-99", 8, 10),
                                               ("bytes=0-", 0, 10)])
def test_range(s3, client, asked, first, end):
    """A range is a 206 that names itself; HEAD takes it, too."""
    s3.put("b", "k", b"0123456789")
    got = client.get_object(Bucket="b", Key="k", Range=asked)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == f"bytes {first}-{end - 1}/10"
    assert got["Body"].read() == b"0123456789"[first:end]
    assert client.head_object(Bucket="b", Key="k", Range=asked)["ContentLength"] == end - first


def test_range_refused_or_ignored(s3, client):
    """Past the end is a 416; what makes no sense is ignored, as S3 does with lists of ranges."""
    s3.put("b", "k", b"0123456789")
    s3.put("b", "empty", b"")
    assert code(client.get_object, Bucket="b", Key="k", Range="bytes=10-") == (416, "InvalidRange")
    assert code(client.get_object, Bucket="b", Key="k", Range="bytes=-0") == (416, "InvalidRange")
    assert (code(client.get_object, Bucket="b", Key="empty", Range="bytes=0-0")
            == (416, "InvalidRange"))
    for asked in ("bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=x-"):
        assert client.get_object(Bucket="b", Key="k", Range=asked)["Body"].read() == b"0123456789"


@pytest.fixture(scope="module")
def shared():
    """One server and client for the many keys."""
    with FakeS3() as server:
        server.put("b", "neighbour", b"")
        client_of(server)
        client = CLIENTS.pop()
        yield server, client
        client.close()


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys(shared, key):
    """Any 1 to 1,024 bytes of UTF-8 are a key: put, got, listed, deleted, signed by boto3 and by
    libcurl.
    """
    s3, client = shared
    client.put_object(Bucket="b", Key=key, Body=key.encode())
    assert client.get_object(Bucket="b", Key=key)["Body"].read() == key.encode()
    assert key in [row["Key"] for row in client.list_objects_v2(Bucket="b")["Contents"]]
    assert key in [row["Key"] for row in client.list_object_versions(Bucket="b")["Versions"]]
    assert s3.get("b", key).body == key.encode()
    if not {".", ".."} & set(key.split("/")):       # libcurl will not sign dot segments as they are
        assert curl(s3, target(key)) == (200, key.encode())
    client.delete_object(Bucket="b", Key=key)
    assert [v.key for v in s3.objects("b")] == ["neighbour"]


def curl(s3, path):
    """Return (status, body) of a GET that libcurl signs."""
    body, easy = io.BytesIO(), pycurl.Curl()
    easy.setopt(pycurl.URL, s3.url + path)
    easy.setopt(pycurl.AWS_SIGV4, "aws:amz:us-east-1:s3")
    easy.setopt(pycurl.USERPWD, f"{s3.access_key}:{s3.secret_key}")
    easy.setopt(pycurl.WRITEFUNCTION, body.write)
    easy.perform()
    return easy.getinfo(pycurl.RESPONSE_CODE), body.getvalue()


def test_keys_are_decoded_once_and_never_normalised(open3):
    """The raw path is the key: encoded and plain forms meet, a bare plus is a space, dots stay."""
    open3.put("b", "a/../b c", b"1")
    open3.put("b", "a+b", b"2")
    open3.put("b", "a%2Fb", b"3")
    head = b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    assert send(open3, b"GET /b/a/../b%20c" + head).endswith(b"\r\n\r\n1")
    assert send(open3, b"GET /b/%61/%2e./b+c" + head).endswith(b"\r\n\r\n1")
    assert send(open3, b"GET /b/a%2Bb" + head).endswith(b"\r\n\r\n2")
    assert b"NoSuchKey" in send(open3, b"GET /b/a+b" + head)
    assert send(open3, b"GET /b/a%252Fb" + head).endswith(b"\r\n\r\n3")
    assert b"InvalidURI" in send(open3, b"GET /b/%ff" + head)


def test_key_too_long(s3, client):
    """1,025 bytes are one too many, in characters of any size."""
    assert code(client.put_object, Bucket="b", Key="x" * 1025, Body=b"") == (400, "KeyTooLongError")
    assert code(client.put_object, Bucket="b", Key="é" * 513, Body=b"") == (400, "KeyTooLongError")


# Versions
# ------------------------------------------------------------------------------------------

def ids(s3, key="k"):
    return [(v.id, "marker" if v.marker else v.body) for v in s3.versions("b") if v.key == key]


def test_versions_enabled(s3, client):
    """Enabled: the old object is the null version, new ones have ids, a delete adds a marker."""
    client.put_object(Bucket="b", Key="k", Body=b"0")
    assert "VersionId" not in client.head_object(Bucket="b", Key="k")
    s3.bucket("b", versioning="Enabled")
    assert client.head_object(Bucket="b", Key="k")["VersionId"] == "null"
    one = client.put_object(Bucket="b", Key="k", Body=b"1")["VersionId"]
    two = client.put_object(Bucket="b", Key="k", Body=b"2")["VersionId"]
    gone = client.delete_object(Bucket="b", Key="k")
    assert gone["DeleteMarker"] is True
    assert ids(s3) == [(gone["VersionId"], "marker"), (two, b"2"), (one, b"1"), ("null", b"0")]
    assert client.get_object(Bucket="b", Key="k", VersionId="null")["Body"].read() == b"0"
    assert client.get_object(Bucket="b", Key="k", VersionId=one)["VersionId"] == one
    client.delete_object(Bucket="b", Key="k", VersionId=one)
    client.delete_object(Bucket="b", Key="k", VersionId=one)            # twice is no error
    back = client.delete_object(Bucket="b", Key="k", VersionId=gone["VersionId"])
    assert back["DeleteMarker"] is True and back["VersionId"] == gone["VersionId"]
    assert client.get_object(Bucket="b", Key="k")["Body"].read() == b"2"
    assert client.delete_object(Bucket="b", Key="never was")["DeleteMarker"] is True


def test_versions_suspended(s3, client):
    """Suspended: a put replaces the null version only, wherever it lies; a delete leaves a null
    marker.
    """
    s3.put("b", "k", b"0")
    s3.bucket("b", versioning="Enabled")
    one = s3.put("b", "k", b"1")
    s3.bucket("b", versioning="Suspended")
    assert "VersionId" not in client.put_object(Bucket="b", Key="k", Body=b"2")
    assert ids(s3) == [("null", b"2"), (one, b"1")]
    assert client.head_object(Bucket="b", Key="k")["VersionId"] == "null"
    gone = client.delete_object(Bucket="b", Key="k")
    assert (gone["VersionId"], gone["DeleteMarker"]) == ("null", True)
    assert ids(s3) == [("null", "marker"), (one, b"1")]
    client.put_object(Bucket="b", Key="k", Body=b"3")
    assert ids(s3) == [("null", b"3"), (one, b"1")]
    client.delete_object(Bucket="b", Key="k", VersionId="null")
    assert ids(s3) == [(one, b"1")]


def test_delete_markers_answer(s3, client):
    """A marker on top is a 404 that says so; the marker itself a 405."""
    s3.bucket("b", versioning="Enabled")
    s3.put("b", "k", b"0")
    marker = s3.delete("b", "k")
    status, headers, _ = ask_signed(s3, "GET", "/b/k")
    assert ((status, headers["x-amz-delete-marker"], headers["x-amz-version-id"])
            == (404, "true", marker))
    status, headers, body = ask_signed(s3, "GET", f"/b/k?versionId={marker}")
    assert ((status, error_of(body), headers["x-amz-delete-marker"])
            == (405, "MethodNotAllowed", "true"))
    assert code(client.head_object, Bucket="b", Key="k", VersionId=marker)[0] == 405
    assert (code(client.get_object, Bucket="b", Key="k", VersionId="x" * 32)
            == (404, "NoSuchVersion"))
    assert (code(client.get_object, Bucket="b", Key="k", VersionId="no such/id")
            == (400, "InvalidArgument"))
    assert code(client.get_object, Bucket="b", Key="other") == (404, "NoSuchKey")


def test_delete_unversioned(s3, client):
    """Without versioning a delete deletes, and says nothing of versions."""
    s3.put("b", "k", b"0")
    gone = client.delete_object(Bucket="b", Key="k")
    assert s3.versions("b") == [] and not {"VersionId", "DeleteMarker"} & gone.keys()
    client.delete_object(Bucket="b", Key="k")
    s3.put("b", "k", b"0")
    client.delete_object(Bucket="b", Key="k", VersionId="null")
    assert s3.versions("b") == []


def test_conditional_delete(s3, client):
    """If-Match on DELETE: against the current version, whatever version is named."""
    delete = lambda **more: client.delete_object(Bucket="b", Key="k", **more)  # noqa: E731
    assert code(delete, IfMatch="*") == (404, "NoSuchKey")
    s3.put("b", "k", b"0")
    assert code(delete, IfMatch='"x"') == (412, "PreconditionFailed")
    s3.bucket("b", versioning="Enabled")
    s3.put("b", "k", b"1")
    old, new = s3.get("b", "k", "null").etag, s3.get("b", "k").etag
    assert code(delete, IfMatch=old, VersionId="null") == (412, "PreconditionFailed")
    delete(IfMatch=new, VersionId="null")
    delete(IfMatch=new)
    assert code(delete, IfMatch="*") == (412, "PreconditionFailed")


def test_delete_objects(s3, client):
    """Many at once: each key by its own condition, version and error."""
    s3.bucket("b", versioning="Enabled")
    first, second, held = s3.put("b", "a", b"1"), s3.put("b", "a", b"2"), s3.put("b", "held", b"")
    s3.put("b", "changed", b"new")
    s3.hold("b", "held", held)
    answer = client.delete_objects(Bucket="b", Delete={"Objects": [
        {"Key": "a", "VersionId": first}, {"Key": "a", "ETag": s3.get("b", "a").etag},
        {"Key": "nothing"}, {"Key": "changed", "ETag": '"old"'}, {"Key": "held", "VersionId": held},
        {"Key": "gone", "ETag": "*"}, {"Key": "a", "VersionId": "not an id"},
        {"Key": "<&\n\t'é>"}]})
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [
        ("changed", "PreconditionFailed"), ("held", "AccessDenied"), ("gone", "NoSuchKey"),
        ("a", "NoSuchVersion")]
    deleted = answer["Deleted"]
    assert deleted[0] == {"Key": "a", "VersionId": first}
    assert (deleted[1]["DeleteMarker"] is True
            and deleted[1]["DeleteMarkerVersionId"] == s3.get("b", "a").id)
    assert [d["Key"] for d in deleted] == ["a", "a", "nothing", "<&\n\t'é>"]
    marker = s3.get("b", "a").id
    again = client.delete_objects(Bucket="b",
                                  Delete={"Objects": [{"Key": "a", "VersionId": marker}]})
    assert again["Deleted"] == [{"Key": "a", "VersionId": marker, "DeleteMarker": True,
                                 "DeleteMarkerVersionId": marker}]
    quiet = client.delete_objects(Bucket="b", Delete={"Quiet": True, "Objects": [
        {"Key": "a", "VersionId": second}]})
    assert "Deleted" not in quiet and "Errors" not in quiet


def test_delete_objects_refused(open3):
    """No checksum, no XML, control characters, or more than 1,000 keys: nothing is deleted."""
    open3.put("b", "k", b"")

    def delete(body):
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        return error_of(ask(open3, "POST", "/b?delete", {"Content-MD5": md5}, body)[2])

    row = "<Object><Key>k</Key></Object>"
    whole = f"<Delete>{row}</Delete>".encode()
    assert outcome(ask(open3, "POST", "/b?delete", {}, whole)) == "InvalidRequest"
    assert delete(b"<Delete>") == delete(b"<Delete/>") == delete(b"<X/>") == "MalformedXML"
    assert delete(b"<Delete><Object><Key>\x01</Key></Object></Delete>") == "MalformedXML"
    assert delete(f"<Delete>{row * 1001}</Delete>".encode()) == "MalformedXML"
    assert len(open3.objects("b")) == 1


def test_hold(s3, client):
    """A held version cannot be deleted by its id; a marker may cover it."""
    s3.bucket("b", versioning="Enabled")
    version = s3.put("b", "k", b"0")
    s3.hold("b", "k")
    assert (code(client.delete_object, Bucket="b", Key="k", VersionId=version)
            == (403, "AccessDenied"))
    client.delete_object(Bucket="b", Key="k")
    s3.hold("b", "k", version, on=False)
    client.delete_object(Bucket="b", Key="k", VersionId=version)
    assert [v.marker for v in s3.versions("b")] == [True]


# Multipart
# -----------------------------------------------------------------------------------------

PIECES = [b"a" * 5, b"b" * 7, b"c" * 2]


def upload(client, pieces=PIECES, key="k", **options):
    """Upload in parts; return the answer of complete."""
    made = client.create_multipart_upload(Bucket="b", Key=key, **options)
    where = {"Bucket": "b", "Key": key, "UploadId": made["UploadId"]}
    algorithm = options.get("ChecksumAlgorithm")
    parts = []
    for n, piece in enumerate(pieces, 1):
        extra = {f"Checksum{algorithm}":
                 fakes3.b64(fakes3.DIGESTS[algorithm](piece))} if algorithm else {}
        answer = client.upload_part(**where, PartNumber=n, Body=piece, **extra)
        parts.append({"PartNumber": n, "ETag": answer["ETag"], **extra})
    return client.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})


@pytest.mark.parametrize("algorithm, kind", [
    (algorithm, kind) for algorithm, kinds in fakes3.MULTIPART_TYPES.items() for kind in kinds])
def test_multipart_checksums(s3, client, algorithm, kind):
    """ETag with -N; COMPOSITE or FULL_OBJECT as the algorithm allows; seeding gives the same
    object.
    """
    s3.min_part = 1
    done = upload(client, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    digest = fakes3.DIGESTS[algorithm]
    md5s = b"".join(hashlib.md5(p).digest() for p in PIECES)
    assert done["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    if kind == "FULL_OBJECT":
        wanted = fakes3.b64(digest(b"".join(PIECES)))
    else:
        wanted = fakes3.b64(digest(b"".join(digest(p) for p in PIECES))) + "-3"
    head = client.head_object(Bucket="b", Key="k", ChecksumMode="ENABLED")
    assert (head[f"Checksum{algorithm}"], head["ChecksumType"]) == (wanted, kind) == \
        (done[f"Checksum{algorithm}"], done["ChecksumType"])
    s3.put("b", "seeded", b"".join(PIECES), parts=[5, 7, 2], checksum=algorithm, checksum_type=kind)
    seeded, uploaded = s3.get("b", "seeded"), s3.get("b", "k")
    assert (seeded.etag, seeded.checksum, seeded.body) == (uploaded.etag, uploaded.checksum,
                                                           uploaded.body)
    other = "FULL_OBJECT" if kind == "COMPOSITE" else "COMPOSITE"
    if other not in fakes3.MULTIPART_TYPES[algorithm]:
        assert code(client.create_multipart_upload, Bucket="b", Key="k",
                    ChecksumAlgorithm=algorithm, ChecksumType=other) == (400, "InvalidRequest")


def test_multipart_reads(s3, client):
    """Part numbers, and which checksum a part or range of a composite object has."""
    s3.put("b", "k", b"".join(PIECES), parts=[5, 7, 2], checksum="SHA256")
    s3.put("b", "full", b"".join(PIECES), parts=PIECES)
    head = client.head_object(Bucket="b", Key="k", PartNumber=2, ChecksumMode="ENABLED")
    part = fakes3.b64(hashlib.sha256(PIECES[1]).digest())
    assert ((head["ContentLength"], head["PartsCount"], head["ContentRange"])
            == (7, 3, "bytes 5-11/14"))
    assert head["ETag"] == f'"{s3.get("b", "k").etag}"' and head["ChecksumSHA256"] == part
    got = client.get_object(Bucket="b", Key="k", PartNumber=3)
    assert got["Body"].read() == PIECES[2] and got["ResponseMetadata"]["HTTPStatusCode"] == 206
    ranged = lambda span: client.head_object(  # noqa: E731
        Bucket="b", Key="k", Range=span, ChecksumMode="ENABLED")
    assert ranged("bytes=5-11")["ChecksumSHA256"] == part
    assert "ChecksumSHA256" not in ranged("bytes=5-10")
    assert ranged("bytes=0-")["ChecksumSHA256"] + "-3" == s3.get("b", "k").checksum
    full = client.head_object(Bucket="b", Key="full", PartNumber=1, ChecksumMode="ENABLED")
    assert "ChecksumCRC64NVME" not in full
    assert code(client.get_object, Bucket="b", Key="k", PartNumber=4) == (416, "InvalidPartNumber")
    assert code(client.get_object, Bucket="b", Key="k", PartNumber=0) == (400, "InvalidArgument")
    assert (code(client.get_object, Bucket="b", Key="k", PartNumber=1, Range="bytes=0-")[1]
            == "InvalidRequest")
    s3.put("b", "plain", b"0123456789")
    plain = client.get_object(Bucket="b", Key="plain", PartNumber=1, ChecksumMode="ENABLED")
    assert (plain["ContentRange"], plain["ChecksumCRC64NVME"]) \
        == ("bytes 0-9/10", s3.get("b", "plain").checksum)
    assert "PartsCount" not in plain
    assert (code(client.get_object, Bucket="b", Key="plain", PartNumber=2)
            == (416, "InvalidPartNumber"))


def test_attributes(s3, client):
    """GetObjectAttributes: ETag unquoted, composite without -N, parts listed only of COMPOSITE, in
    pages.
    """
    s3.bucket("b", versioning="Enabled")
    s3.put("b", "k", b"".join(PIECES), parts=[5, 7, 2], checksum="SHA256", storage_class="GLACIER")
    s3.put("b", "full", b"".join(PIECES), parts=[5, 7, 2])
    s3.put("b", "plain", b"x", checksum=None)
    everything = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    get = lambda key, **more: client.get_object_attributes(  # noqa: E731
        Bucket="b", Key=key, ObjectAttributes=everything, **more)
    found = get("k")
    stored = s3.get("b", "k")
    assert (found["ETag"], found["ObjectSize"], found["StorageClass"], found["VersionId"]) \
        == (stored.etag, 14, "GLACIER", stored.id)
    assert found["Checksum"] == {"ChecksumSHA256": stored.checksum[:-2],
                                 "ChecksumType": "COMPOSITE"}
    parts = found["ObjectParts"]["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in parts] == [(1, 5), (2, 7), (3, 2)]
    assert parts[0]["ChecksumSHA256"] == fakes3.b64(hashlib.sha256(PIECES[0]).digest())
    page = get("k", MaxParts=2)["ObjectParts"]
    assert (page["IsTruncated"] and page["NextPartNumberMarker"] == 2
            and page["TotalPartsCount"] == 3)
    assert [p["PartNumber"] for p in get("k", PartNumberMarker=2)["ObjectParts"]["Parts"]] == [3]
    assert get("full")["ObjectParts"] == {"TotalPartsCount": 3}
    assert not {"ObjectParts", "Checksum"} & get("plain").keys()
    assert error_of(ask_signed(s3, "GET", "/b/k?attributes")[2]) == "InvalidArgument"


def test_multipart_refused(s3, client):
    """What complete and upload_part check before there is an object."""
    made = client.create_multipart_upload(Bucket="b", Key="k", ChecksumAlgorithm="SHA256")
    where = {"Bucket": "b", "Key": "k", "UploadId": made["UploadId"]}
    sums = [fakes3.b64(hashlib.sha256(p).digest()) for p in PIECES]
    parts = []
    for n, (piece, value) in enumerate(zip(PIECES, sums), 1):
        etag = client.upload_part(**where, PartNumber=n, Body=piece, ChecksumSHA256=value)["ETag"]
        parts.append({"PartNumber": n, "ChecksumSHA256": value, "ETag": etag})
    complete = lambda parts, **more: code(client.complete_multipart_upload, **where,  # noqa: E731
                                          MultipartUpload={"Parts": parts}, **more)[1]
    assert complete(parts) == "EntityTooSmall"
    s3.min_part = 1
    assert complete([]) == "InvalidRequest"
    assert complete(parts[::-1]) == complete([parts[0], parts[0]]) == "InvalidPartOrder"
    assert (complete([{**parts[0], "ETag": "x"}]) == complete([{**parts[0], "PartNumber": 9}])
            == "InvalidPart")
    assert complete([{**parts[0], "ChecksumSHA256": sums[1]}]) == "InvalidPart"
    assert complete([{k: v for k,
                      v in parts[0].items() if k != "ChecksumSHA256"}]) == "InvalidRequest"
    assert complete(parts, ChecksumSHA256=sums[0]) == "BadDigest"
    assert complete(parts, MpuObjectSize=3) == "InvalidRequest"
    assert complete(parts, IfMatch='"x"') == "NoSuchKey"
    assert (code(client.upload_part, **where, PartNumber=4, ChecksumCRC32="AAAAAA==")[1]
            == "InvalidRequest")
    assert code(client.upload_part, **where, PartNumber=10001, Body=b"")[1] == "InvalidArgument"
    assert [p["Size"] for p in client.list_parts(**where)["Parts"]] == [5, 7, 2]
    assert ([u["UploadId"] for u in client.list_multipart_uploads(Bucket="b")["Uploads"]]
            == [made["UploadId"]])
    assert complete(parts[::2]) == "InvalidPartOrder"
    client.complete_multipart_upload(**where, MultipartUpload={"Parts": parts[:2]},
                                     IfNoneMatch="*")
    assert s3.get("b", "k").body == PIECES[0] + PIECES[1]
    assert client.get_object(Bucket="b", Key="k", PartNumber=2)["Body"].read() == PIECES[1]
    assert code(client.list_parts, **where) == (404, "NoSuchUpload")
    another = client.create_multipart_upload(Bucket="b", Key="k")["UploadId"]
    client.abort_multipart_upload(Bucket="b", Key="k", UploadId=another)
    assert s3.buckets["b"].uploads == {}


def test_large_body_both_ways(s3, client):
    """More than fits in one write or one read."""
    body = random.Random(3).randbytes(9 * MIB)
    client.put_object(Bucket="b", Key="k", Body=body)
    assert client.get_object(Bucket="b", Key="k")["Body"].read() == body
    assert s3.requests(method="GET")[0].bytes_sent == len(body)


# Listings
# ------------------------------------------------------------------------------------------

def seeded_keys(seed):
    """Return awkward keys: few letters, many slashes, characters either side of them in UTF-8."""
    chance = random.Random(seed)
    return {"".join(chance.choices("ab/é\U0001f600\uffff \x01", k=chance.randint(1, 5)))
            for _ in range(60)}


def model(keys, prefix, delimiter, after):
    """Return what a listing shows, by the plainest means: UTF-8 order, groups once."""
    shown = []
    for key in sorted(keys, key=str.encode):
        rest = key[len(prefix):]
        if not key.startswith(prefix) or key.encode() <= after.encode():
            continue
        group = None
        if delimiter and delimiter in rest:
            group = prefix + rest[:rest.index(delimiter) + len(delimiter)]
        if group and not after.startswith(group) and group + "|" not in shown:
            shown.append(group + "|")
        elif not group:
            shown.append(key)
    return shown


@pytest.mark.parametrize("prefix, delimiter", [
    ("", ""), ("", "/"), ("a", "/"), ("a/", "/"), ("", "a"), ("é", ""), ("z", "/")])
def test_listings_page_like_the_model(s3, client, prefix, delimiter):
    """All three listings, at any page size, from any start, give what the model gives."""
    keys = seeded_keys(4)
    s3.bucket("b", versioning="Enabled")
    for key in keys:
        s3.put("b", key, b"")
    s3.put("b", "a/hidden", b"")
    # a marker on top: not in object listings, nor its prefix for its sake
    s3.delete("b", "a/hidden")
    options = {"Bucket": "b", "Prefix": prefix, "Delimiter": delimiter}
    for size in (1, 4, 1000):
        for start in ("", "a/", "b\x01", "é") if size == 4 else ("",):
            shown = [row for page in client.get_paginator("list_objects_v2")
                     .paginate(**options, StartAfter=start, PaginationConfig={"PageSize": size})
                     for row in rows(page)]
            assert shown == model(keys, prefix, delimiter, start)
        shown = [row for page in client.get_paginator("list_objects").paginate(
            **options, PaginationConfig={"PageSize": size}) for row in rows(page)]
        assert shown == model(keys, prefix, delimiter, "")
        shown = [row for page in client.get_paginator("list_object_versions").paginate(
            **options, PaginationConfig={"PageSize": size}) for row in rows(page)]
        assert list(dict.fromkeys(shown)) == model(keys | {"a/hidden"}, prefix, delimiter, "")


def rows(page):
    """Return keys and prefixes (with a bar) of a page, merged in order."""
    keys = {row["Key"] for name in ("Contents", "Versions", "DeleteMarkers")
            for row in page.get(name, ())}
    return sorted(keys | {group["Prefix"] + "|" for group in page.get("CommonPrefixes", ())},
                  key=lambda row: row.rstrip("|").encode() if row.endswith("|") else row.encode())


def wire_order(body):
    """Return (tag, key, version id, latest) of the rows as they come on the wire."""
    local = lambda element: element.tag.rpartition("}")[2]          # noqa: E731
    return [(local(row)[0], *("".join(f.text or "" for f in row if local(f) == name)
                              for name in ("Key", "VersionId", "IsLatest")))
            for row in ElementTree.fromstring(body) if local(row) in ("Version", "DeleteMarker")]


def test_versions_on_the_wire(s3):
    """Versions newest first, markers in their place between them, whatever the clock says."""
    s3.bucket("b", versioning="Enabled")
    made = [s3.put("b", "k", b"1"), s3.delete("b", "k"),
            s3.put("b", "k", b"2", modified=0), s3.delete("b", "k")]
    first = s3.put("b", "a", b"")
    wanted = [("V", "a", first, "true"), ("D", "k", made[3], "true"), ("V", "k", made[2], "false"),
              ("D", "k", made[1], "false"), ("V", "k", made[0], "false")]
    assert wire_order(ask_signed(s3, "GET", "/b?versions")[2]) == wanted
    page = ask_signed(s3, "GET", f"/b?key-marker=k&version-id-marker={made[2]}&versions")[2]
    assert wire_order(page) == wanted[3:]
    assert wire_order(ask_signed(s3, "GET", "/b?key-marker=a&versions")[2]) == wanted[1:]
    # The version that a page ended with may be deleted before the next page is asked for.
    s3.delete("b", "k", made[2])
    page = ask_signed(s3, "GET", f"/b?key-marker=k&version-id-marker={made[2]}&versions")[2]
    assert wire_order(page) == wanted[3:]
    assert (error_of(ask_signed(s3, "GET", "/b?version-id-marker=x&versions")[2])
            == "InvalidArgument")


def test_listing_details(s3, client):
    """The fields of a row, and the answers to odd parameters."""
    s3.put("b", "test_file(3) +.png", b"xy", storage_class="GLACIER_IR",
           modified="2024-05-06T07:08:09Z")
    raw = ask_signed(s3, "GET", "/b?encoding-type=url&list-type=2")[2].decode()
    assert "<Key>test_file%283%29+%2B.png</Key>" in raw and "<Owner>" not in raw
    assert ("<LastModified>2024-05-06T07:08:09.000Z</LastModified>" in raw
            and "<Size>2</Size>" in raw)
    assert "<StorageClass>GLACIER_IR</StorageClass>" in raw
    assert "<ChecksumType>FULL_OBJECT</ChecksumType>" in raw
    assert "<Owner>" in ask_signed(s3, "GET", "/b")[2].decode()
    s3.put("b", "\x01", b"")
    assert b"<Key>&#x1;</Key>" in ask_signed(s3, "GET", "/b?list-type=2")[2]  # not XML, as with S3
    assert error_of(ask_signed(s3, "GET", "/b?list-type=2&max-keys=x")[2]) == "InvalidArgument"
    assert (error_of(ask_signed(s3, "GET", "/b?continuation-token=x&list-type=2")[2])
            == "InvalidArgument")
    empty = client.list_objects_v2(Bucket="b", MaxKeys=0)
    assert (empty["KeyCount"], empty["IsTruncated"]) == (0, False)
    assert client.list_objects_v2(Bucket="b", MaxKeys=5000)["MaxKeys"] == 1000
    version = client.list_object_versions(Bucket="b")["Versions"][0]
    assert (version["VersionId"], version["IsLatest"]) == ("null", True)


# Archives
# ------------------------------------------------------------------------------------------

def restore(client, key="k", days=2, tier=None, **more):
    """Ask for a restore; return its status or the error's code."""
    request = {"Days": days} if days else {}
    if tier:
        request["GlacierJobParameters"] = {"Tier": tier}
    try:
        answer = client.restore_object(Bucket="b", Key=key, RestoreRequest=request, **more)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return answer["ResponseMetadata"]["HTTPStatusCode"]


def test_restore_cycle(s3, client):
    """Archived, ongoing, ready until the second midnight, archived again; HEAD and listings tell.
    """
    s3.put("b", "k", b"cold", storage_class="GLACIER")
    status = lambda: client.list_objects_v2(  # noqa: E731
        Bucket="b", OptionalObjectAttributes=["RestoreStatus"])["Contents"][0].get("RestoreStatus")
    head = lambda: client.head_object(Bucket="b", Key="k").get("Restore")  # noqa: E731
    get = lambda: client.get_object(Bucket="b", Key="k")  # noqa: E731
    assert code(get) == (403, "InvalidObjectState") and head() is None and status() is None
    assert restore(client) == 202
    assert head() == 'ongoing-request="true"' and status() == {"IsRestoreInProgress": True}
    assert code(get) == (403, "InvalidObjectState")
    s3.clock.advance(5 * HOUR - 60)
    assert restore(client) == "RestoreAlreadyInProgress"
    s3.clock.advance(61)
    assert get()["Body"].read() == b"cold" and get()["StorageClass"] == "GLACIER"
    expiry = status()["RestoreExpiryDate"]
    assert (expiry.timestamp() % DAY == 0
            and 2 * DAY <= expiry.timestamp() - s3.clock.now() + 61 <= 3 * DAY)
    assert head() == f'ongoing-request="false", expiry-date="{expiry:%a, %d %b %Y %H:%M:%S} GMT"'
    versions = client.list_object_versions(Bucket="b", OptionalObjectAttributes=["RestoreStatus"])[
        "Versions"]
    assert versions[0]["RestoreStatus"]["RestoreExpiryDate"] == expiry
    assert "RestoreStatus" not in client.list_objects_v2(Bucket="b")["Contents"][0]
    assert restore(client, days=10) == 200
    assert status()["RestoreExpiryDate"] - expiry == timedelta(days=8)
    s3.clock.advance(11 * DAY)
    assert code(get) == (403, "InvalidObjectState") and head() is None and status() is None


def test_restore_rules(s3, client):
    """Which request suits which class, and what S3 says to the others."""
    for name in ("STANDARD", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING"):
        s3.put("b", name, b"", storage_class=name)
    s3.put("b", "it", b"", storage_class="INTELLIGENT_TIERING", tier="ARCHIVE_ACCESS")
    s3.put("b", "it deep", b"", storage_class="INTELLIGENT_TIERING", tier="DEEP_ARCHIVE_ACCESS")
    for key in ("STANDARD", "GLACIER_IR", "INTELLIGENT_TIERING"):
        assert restore(client, key) == "InvalidObjectState"
    assert restore(client, "GLACIER", days=None) == restore(client, "GLACIER",
                                                            tier="Fast") == "MalformedXML"
    assert restore(client, "GLACIER", days=-1) == "MalformedXML"
    assert restore(client, "DEEP_ARCHIVE", tier="Expedited") == "InvalidArgument"
    assert restore(client, "it", days=1) == "InvalidArgument"
    assert restore(client, "it deep", days=None, tier="Expedited") == "InvalidArgument"
    s3.expedited = False
    assert restore(client, "GLACIER", tier="Expedited") == "GlacierExpeditedRetrievalNotAvailable"
    s3.expedited = True
    assert restore(client, "GLACIER", tier="Bulk") == 202
    assert restore(client, "GLACIER", tier="Expedited", days=3) == "RestoreAlreadyInProgress"
    assert restore(client, "GLACIER", tier="Expedited") == 202  # faster, same days: an upgrade
    assert restore(client, "GLACIER", tier="Expedited") == "RestoreAlreadyInProgress"
    s3.clock.advance(301)
    client.get_object(Bucket="b", Key="GLACIER")
    assert restore(client, "missing") == "NoSuchKey"


def test_restore_intelligent_tiering(s3, client):
    """An archived tier comes back for good: the header goes, there was never a RestoreStatus."""
    s3.put("b", "k", b"cold", storage_class="INTELLIGENT_TIERING", tier="DEEP_ARCHIVE_ACCESS")
    head = lambda: client.head_object(Bucket="b", Key="k")  # noqa: E731
    assert head()["ArchiveStatus"] == "DEEP_ARCHIVE_ACCESS"
    body = ask_signed(s3, "GET", "/b/k")[2]
    assert ElementTree.fromstring(body).findtext("AccessTier") == "DEEP_ARCHIVE_ACCESS"
    assert restore(client, days=None, tier="Standard") == 202
    assert head()["Restore"] == 'ongoing-request="true"'
    listed = client.list_objects_v2(Bucket="b", OptionalObjectAttributes=["RestoreStatus"])[
        "Contents"][0]
    assert "RestoreStatus" not in listed
    s3.clock.advance(13 * HOUR)
    assert not {"Restore", "ArchiveStatus"} & head().keys()
    assert client.get_object(Bucket="b", Key="k")["Body"].read() == b"cold"
    assert restore(client, days=None) == "InvalidObjectState"


def test_restore_of_versions(s3, client):
    """A restore is of one version; a marker is none."""
    s3.bucket("b", versioning="Enabled")
    old, new = (s3.put("b", "k", body, storage_class="DEEP_ARCHIVE") for body in (b"old", b"new"))
    marker = s3.delete("b", "k")
    assert restore(client) == "NoSuchKey" and restore(client,
                                                      VersionId=marker) == "MethodNotAllowed"
    s3.restore_seconds["DEEP_ARCHIVE", "Standard"] = 1
    assert restore(client, VersionId=old) == 202
    s3.clock.advance(2)
    assert client.get_object(Bucket="b", Key="k", VersionId=old)["Body"].read() == b"old"
    assert (code(client.get_object, Bucket="b", Key="k", VersionId=new)
            == (403, "InvalidObjectState"))


# Signatures
# ----------------------------------------------------------------------------------------

def signed(s3, method, path, headers=None, body=b"", key=None, secret=None, token=None,
           region="us-east-1", signer=S3SigV4Auth):
    """Return the headers of a request that botocore signs."""
    request = AWSRequest(method, s3.url + path, headers or {}, body)
    signer(Credentials(key or s3.access_key, secret or s3.secret_key, token), "s3",
           region).add_auth(request)
    return {**dict(request.headers.items()), "Host": f"127.0.0.1:{s3.port}"}


def ask_signed(s3, method, path, headers=None, body=b"", **options):
    return ask(s3, method, path, signed(s3, method, path, headers, body, **options), body)


def test_signature_errors(s3):
    """Each way to be nobody has its own answer."""
    s3.put("b", "k", b"x")
    s3.credentials["TEMP"] = Credential("secret", token="token")
    temp = {"key": "TEMP", "secret": "secret"}

    def get(**options):
        status, _, body = ask_signed(s3, "GET", "/b/k", **options)
        return status if status == 200 else (status, error_of(body))

    assert get() == get(**temp, token="token") == 200
    assert get(secret="wrong") == (403, "SignatureDoesNotMatch")
    assert get(key="NOBODY") == (403, "InvalidAccessKeyId")
    assert get(**temp) == (403, "InvalidAccessKeyId")
    assert get(**temp, token="other") == get(token="token") == (400, "InvalidToken")
    assert get(region="eu-west-1") == (400, "AuthorizationHeaderMalformed")
    s3.credentials["TEMP"].expired = True
    assert get(**temp, token="token") == (400, "ExpiredToken")
    s3.skew = 16 * 60
    assert get() == (403, "RequestTimeTooSkewed")
    s3.skew = -14 * 60
    assert get() == 200
    s3.skew = 0
    s3.clock.advance(365 * DAY)         # the virtual clock is not the signatures' clock
    assert get() == 200
    assert ask(s3, "GET", "/b/k")[0] == 403
    with_header = lambda value: outcome(ask(s3, "GET", "/b/k", {"Authorization": value}))  # noqa: E501, E731
    assert with_header("AWS a:b") == "InvalidRequest"
    assert with_header("AWS4-HMAC-SHA256 x") == "AuthorizationHeaderMalformed"


def test_signature_covers_the_request(s3):
    """Another path, query, header, method or body than was signed is refused."""
    s3.put("b", "k", b"x")
    good = signed(s3, "PUT", "/b/k?x-id=PutObject", {"x-amz-meta-a": "1"}, b"body")

    def put(path="/b/k?x-id=PutObject", headers=good, body=b"body", method="PUT"):
        return outcome(ask(s3, method, path, headers, body))

    assert put() == 200
    assert (put(path="/b/K?x-id=PutObject") == put(path="/b/k?x-id=Putobject")
            == "SignatureDoesNotMatch")
    assert put(method="POST") == put(headers={**good,
                                              "x-amz-meta-a": "2"}) == "SignatureDoesNotMatch"
    assert put(headers={**good, "x-amz-meta-b": "2"}) == "AccessDenied"
    assert put(body=b"bodY") == "XAmzContentSHA256Mismatch"
    without = {name: value for name,
               value in good.items() if name.lower() != "x-amz-content-sha256"}
    assert put(headers=without) == "InvalidRequest"
    # A path that is not in canonical form must be signed in it, as S3 wants.
    s3.put("b", "a=b(1)", b"y")
    canonical = signed(s3, "GET", "/b/a%3Db%281%29")
    assert ask(s3, "GET", "/b/a=b(1)", canonical)[2] == b"y"
    assert (error_of(ask(s3, "GET", "/b/a=b(1)", signed(s3, "GET", "/b/a=b(1)"))[2])
            == "SignatureDoesNotMatch")


def test_presigned(s3):
    """A URL is good for what it names, for as long as it says, with the headers it signs."""
    s3.bucket("b", versioning="Enabled")
    named = {"Bucket": "b", "Key": "a/../k é"}
    version = s3.put("b", "a/../k é", b"x")
    s3.put("b", "a/../k é", b"y")
    client = client_of(s3, config={"signature_version": "s3v4"})
    url = client.generate_presigned_url("get_object", Params={**named, "VersionId": version},
                                        ExpiresIn=60)
    path = url[len(s3.url):]
    assert "X-Amz-Signature" in path and ask(s3, "GET", path)[2] == b"x"
    assert ask(s3, "HEAD", path)[0] == 403
    longer = path.replace("X-Amz-Expires=60", "X-Amz-Expires=61")
    assert outcome(ask(s3, "GET", longer)) == "SignatureDoesNotMatch"
    assert outcome(ask(s3, "GET", path, {"x-amz-checksum-mode": "ENABLED"})) == "AccessDenied"
    s3.skew = 50
    assert ask(s3, "GET", path)[0] == 200
    s3.skew = 62
    assert b"Request has expired" in ask(s3, "GET", path)[2]
    s3.skew = -16 * 60
    assert b"not yet valid" in ask(s3, "GET", path)[2]
    s3.skew = 0
    s3.credentials["TEMP"] = Credential("secret", token="a/token+")
    temporary = client_of(s3, aws_access_key_id="TEMP", aws_secret_access_key="secret",
                          aws_session_token="a/token+", config={"signature_version": "s3v4"})
    url = temporary.generate_presigned_url("get_object", Params=named)
    assert ask(s3, "GET", url[len(s3.url):])[2] == b"y"
    s3.credentials["TEMP"].expired = True
    assert error_of(ask(s3, "GET", url[len(s3.url):])[2]) == "ExpiredToken"


def test_unsigned_server(open3):
    """sign=False lets anybody in, signed or not."""
    open3.put("b", "k", b"x")
    assert ask(open3, "GET", "/b/k")[2] == b"x"
    stranger = client_of(open3, aws_secret_access_key="wrong")
    assert stranger.get_object(Bucket="b", Key="k")["Body"].read() == b"x"


# Faults
# --------------------------------------------------------------------------------------------

BODY = bytes(range(256)) * 40


def fetch(s3, key="k", headers=None, timeout=5, most=None):
    """Return (status, headers, body or exception) as a careless client sees them.

    `most`: so many bytes of the body at most, for one that does not end.
    """
    connection = http.client.HTTPConnection("127.0.0.1", s3.port, timeout=timeout)
    try:
        connection.request("GET", target(key), headers=headers or {})
        answer = connection.getresponse()
        try:
            return answer.status, dict(answer.getheaders()), answer.read(most)
        except (http.client.HTTPException, OSError) as error:
            return answer.status, dict(answer.getheaders()), error
    except (http.client.HTTPException, OSError) as error:
        return 0, {}, error
    finally:
        connection.close()


def differences(body):
    return [(a ^ b) for a, b in zip(body, BODY) if a != b]


FAULTS = {
    "flip": ({}, lambda st, h, b: st == 200 and len(b) == len(BODY) and differences(b) == [1]),
    "other": ({}, lambda st, h, b: len(b) == len(BODY) and b != BODY),
    "empty": ({}, lambda st, h, b: (st, b, h["Content-Length"]) == (200, b"", "0")),
    "short": ({"at": 100}, lambda st, h, b: isinstance(b, http.client.IncompleteRead)
              and b.partial == BODY[:100]),
    "short-nolength": ({"at": 100}, lambda st, h, b: "Content-Length" not in h and b == BODY[:100]),
    "long": ({}, lambda st, h, b: b == BODY),  # http.client stops where it was told to
    "reset": ({"at": 100}, lambda st, h, b: st == 200 and isinstance(b, ConnectionResetError)),
    "stall": ({"at": 100, "seconds": 0.3}, lambda st, h, b: b == BODY),
    "trickle": ({"rate": 40000}, lambda st, h, b: b == BODY),
    "swap": ({}, lambda st, h, b: b == BODY),
    "meanwhile": ({"do": lambda s3, request: s3.put("b", "other")}, lambda st, h, b: b == BODY),
    "wrong-range": ({}, lambda st, h, b: st == 206 and h["Content-Range"] == "bytes 1-10239/10240"
                    and b == BODY[1:]),
    "ignore-range": ({}, lambda st, h, b: (st, b) == (200, BODY)),
    "wrong-etag": ({}, lambda st, h, b: b == BODY and h["ETag"] == f'"{"0" * 32}"'),
    "wrong-version": ({}, lambda st, h, b: b == BODY and h["x-amz-version-id"].startswith("wrong")),
    "gzip": ({}, lambda st, h, b: h["Content-Encoding"] == "gzip" and gzip.decompress(b) == BODY),
    "chunked": ({}, lambda st, h, b: "Content-Length" not in h and b == BODY),
    "bad-chunks":
    ({"at": 100}, lambda st, h, b: isinstance(b, (http.client.HTTPException, ValueError))),
    "double-length": ({}, lambda st, h, b: st == 200),
    "endless":
    ({}, lambda st, h, b: st == 200 and "Content-Length" not in h and b == BODY + b"more " * 2),
    "hang": ({"seconds": 0.3}, lambda st, h, b: b == BODY),
    "error200": ({}, lambda st, h, b: st == 200 and error_of(b) == "InternalError"),
    "html": ({}, lambda st, h, b: st == 200 and b.startswith(b"<html>")),
    "status": ({}, lambda st, h, b: st == 503 and error_of(b) == "SlowDown"),
    "page": ({"status": 405},
             lambda st, h, b: st == 405 and b == b"<html><body><h1>405</h1></body></html>"),
    "redirect": ({}, lambda st, h, b: st == 301 and h["x-amz-bucket-region"] == "eu-west-1"),
    "refuse": ({}, lambda st, h, b: st == 0 and isinstance(b, http.client.RemoteDisconnected)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(open3, name):
    """Each kind spoils one answer in its own way, and the next one is whole."""
    options, seen = FAULTS[name]
    open3.put("b", "k", BODY)
    rule = open3.fault(name, key="k", **options)
    began = time.monotonic()
    assert seen(*fetch(open3, most=len(BODY) + 10 if name == "endless" else None))
    if "seconds" in options or "rate" in options:
        assert time.monotonic() - began >= 0.2
    assert rule.hits == 1
    assert (open3.get("b", "other") is not None) == (name == "meanwhile")
    if name == "swap":
        assert open3.get("b", "k").body != BODY
    else:
        assert fetch(open3)[2] == BODY
    assert len(open3.requests(key="k")) == 1 + (name != "swap")


def test_fault_long_and_double_length_on_the_wire(open3):
    """What http.client hides from us."""
    open3.put("b", "k", b"0123456789")
    open3.fault("long", extra=b"!!!")
    open3.fault("double-length")
    ask_it = b"GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n"
    answer = send(open3, ask_it)
    assert b"Content-Length: 10\r\n" in answer and answer.endswith(b"0123456789!!!")
    assert send(open3, ask_it).lower().count(b"content-length:") == 2


def test_fault_ranges(open3):
    """Ranges that come from elsewhere or not at all."""
    open3.put("b", "k", BODY)
    open3.fault("wrong-range", shift=16)
    open3.fault("ignore-range")
    open3.fault("flip", at=0, mask=0xff)
    asked = {"Range": "bytes=0-9"}
    status, headers, body = fetch(open3, headers=asked)
    assert (status, headers["Content-Range"], body) == (206, "bytes 16-25/10240", BODY[16:26])
    status, headers, body = fetch(open3, headers=asked)
    assert (status, body) == (200, BODY) and "Content-Range" not in headers
    assert fetch(open3, headers=asked)[2] == b"\xff" + BODY[1:10]


@pytest.mark.parametrize("status", [403, 404, 405, 502])
def test_page_for_what_is_chosen(open3, status):
    """A proxy's page for one method and path: no word of S3's, and nothing is carried out."""
    open3.put("b", "k", BODY)
    open3.fault("page", key="", method="POST", status=status, where=lambda r: "delete" in r.query)
    wanted = b"<Delete><Object><Key>k</Key></Object></Delete>"
    found, headers, body = ask(open3, "POST", "/b?delete", body=wanted)
    assert (found, headers["Content-Type"]) == (status, "text/html") and b"<Code>" not in body
    assert fetch(open3)[2] == BODY


def test_endless_in_chunks_and_the_client_gone(open3):
    """HTTP chunks without a last one; the fake stops when the client is gone."""
    open3.put("b", "k", b"x")
    open3.fault("endless", block=b"more", chunked=True)
    status, headers, body = fetch(open3, most=9)
    assert (status, headers["Transfer-Encoding"], body) == (200, "chunked", b"xmoremore")
    deadline = time.monotonic() + 30
    while open3.live and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not open3.live


def test_fault_rules(open3):
    """times, after, key, method, where, done: which request a rule takes."""
    for key in ("a", "b"):
        open3.put("b", key, key.encode())
    open3.fault("status", key="a", times=2, after=1, status=500)
    assert [fetch(open3, "a")[0] for _ in range(5)] == [200, 500, 500, 200, 200]
    rule = open3.fault("status", key=bool, times=None, status=500)      # any object, but no listing
    assert ([fetch(open3, "b")[0], ask(open3, "GET", "/b")[0], fetch(open3, "a")[0]]
            == [500, 200, 500])
    assert rule.hits == 2
    open3.faults.clear()
    open3.fault("refuse", method=None, where=lambda request: "range" in request.headers)
    assert fetch(open3, "b")[0] == 200 and fetch(open3, "b", {"Range": "bytes=0-0"})[0] == 0
    open3.fault("status", key="a", method="DELETE", status=500)
    assert ask(open3, "DELETE", "/b/a")[0] == 500 and open3.get("b", "a")
    open3.fault("status", key="a", method="DELETE", status=500, done=True)
    assert ask(open3, "DELETE", "/b/a")[0] == 500 and not open3.get("b", "a")
    open3.fault("reset", key="new", method="PUT")
    with pytest.raises(OSError):
        ask(open3, "PUT", "/b/new", body=b"x")
    assert open3.get("b", "new").body == b"x"
    open3.fault("swap", key="b", at=1, body=b"z")
    assert (fetch(open3, "b")[2], fetch(open3, "b")[2]) == (b"b", b"z")
    with pytest.raises(KeyError):
        open3.fault("flop")
    with pytest.raises(TypeError):
        open3.fault("flip", colour="red")


def test_faults_seen_by_boto3(s3, client):
    """boto3 notices what it can notice: checksum, length, error code, redirect."""
    s3.put("b", "k", BODY)
    s3.fault("flip")
    with pytest.raises(Exception, match="Expected checksum"):
        client.get_object(Bucket="b", Key="k")["Body"].read()
    s3.fault("short")
    with pytest.raises(Exception, match="IncompleteRead"):
        client.get_object(Bucket="b", Key="k")["Body"].read()
    s3.fault("status", code="SlowDown")
    assert code(client.get_object, Bucket="b", Key="k") == (503, "SlowDown")
    s3.fault("redirect", status=307, method="HEAD")
    # asked again, signed for that region
    assert code(client.head_object, Bucket="b", Key="k")[0] == 400
    assert "/eu-west-1/" in s3.log[-1].headers["authorization"]


def test_stall_and_client_gone(open3):
    """A client may leave a hung answer; the server forgets the connection."""
    open3.put("b", "k", BODY)
    open3.fault("hang")
    open3.fault("stall", at=10)
    assert isinstance(fetch(open3, timeout=0.2)[2], TimeoutError)
    assert isinstance(fetch(open3, timeout=0.2)[2], TimeoutError)
    until = time.monotonic() + 2
    while open3.live and time.monotonic() < until:
        time.sleep(0.01)
    assert not open3.live and [r.status for r in open3.log] == [0, 200]


# The server
# ----------------------------------------------------------------------------------------

def test_hook_latency_log(s3, client):
    """A hook may change the world before an answer; latency delays it; the log has it all in order.
    """
    s3.put("b", "k", b"old")
    s3.hook = lambda request: s3.put("b", "k", b"new") if request.method == "GET" else None
    s3.latency = 0.15
    began = time.monotonic()
    client.head_object(Bucket="b", Key="k")
    assert time.monotonic() - began >= 0.15
    s3.latency = 0
    assert client.get_object(Bucket="b", Key="k", Range="bytes=0-1")["Body"].read() == b"ne"
    assert code(client.get_object, Bucket="b", Key="none")[0] == 404
    assert [(r.n, r.method, r.key, r.status, r.bytes_sent) for r in s3.log][:2] \
        == [(0, "HEAD", "k", 200, 0), (1, "GET", "k", 206, 2)]
    assert s3.requests(method="GET", key="k")[0].headers["range"] == "bytes=0-1"
    assert [r.key for r in s3.requests(status=404)] == ["none"]
    assert {r.connection for r in s3.log} == {1} and s3.connections == 1
    assert s3.log[0].time <= s3.log[1].time <= time.time()


def test_pipelined_and_split_requests(open3):
    """Requests come in any pieces; answers go in order, also when the first one is slow."""
    open3.put("b", "a", b"1")
    open3.put("b", "b", b"2")
    open3.fault("hang", key="a", seconds=0.1)
    both = (b"GET /b/a HTTP/1.1\r\nHost: h\r\n\r\nGET /b/b HTTP/1.1\r\nHost: h\r\nConnection: "
            b"close\r\n\r\n")
    answer = send(open3, both)
    assert answer.index(b"\r\n\r\n1HTTP/1.1") < answer.index(b"\r\n\r\n2")
    with socket.create_connection(("127.0.0.1", open3.port), timeout=5) as connection:
        for piece in (b"PUT /b/c HTTP/1.1\r\nHo", b"st: h\r\nExpect: 100-continue\r\nContent-Len",
                      b"gth: 4\r\n\r", b"\n"):
            connection.sendall(piece)
            time.sleep(0.02)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"bo")
        connection.sendall(b"dy")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert open3.get("b", "c").body == b"body"
    assert send(open3, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in send(open3, b"GET /b/a HTTP/1.0\r\n\r\n")


def test_many_at_once(s3):
    """Many threads read, write and seed; nothing is lost."""
    clients = [client_of(s3) for _ in range(4)]

    def work(n):
        for m in range(10):
            key = f"{n}/{m}"
            clients[n % 4].put_object(Bucket="b", Key=key, Body=key.encode())
            s3.put("b", f"seed/{n}/{m}", b"")
            assert clients[n % 4].get_object(Bucket="b", Key=key)["Body"].read() == key.encode()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(s3.objects("b")) == 160 and len(s3.log) == 160 and len({r.n for r in s3.log}) == 160


def test_crash_inside_is_told():
    """A hook that raises is a 500 for the client and an AssertionError for the test."""
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        with FakeS3(sign=False) as server:
            server.hook = lambda request: 1 / 0
            assert ask(server, "GET", "/")[0] == 500


def test_stop_with_hung_clients():
    """Leaving the block drops whoever hangs, and ends the thread."""
    with FakeS3(sign=False) as server:
        server.put("b", "k", BODY)
        server.fault("hang", times=None)
        waiting = threading.Thread(target=fetch, args=(server,))
        waiting.start()
        while not server.log:
            time.sleep(0.01)
    waiting.join(2)
    assert not waiting.is_alive() and not server.thread.is_alive()


def test_seeding_refuses_nonsense(s3):
    """The helpers are strict, too."""
    for wrong in ({"key": ""}, {"key": "x" * 1025}, {"key": "k", "storage_class": "WARM"},
                  {"key": "k", "version": "v1"}, {"key": "k", "body": b"abc", "parts": [1, 1]}):
        with pytest.raises(AssertionError):
            s3.put("b", **wrong)
    assert s3.put("b", "k", b"x") == "null"
    s3.bucket("b", versioning="Enabled")
    assert (s3.put("b", "k", b"y", version="v1", etag="odd", sse="aws:kms") == "v1"
            == s3.get("b", "k").id)
    assert [v.key for v in s3.objects("b")] == ["k"] and len(s3.versions("b")) == 2


def test_port_in_use(s3):
    """A taken port is an error, not a hang."""
    with pytest.raises(OSError, match="cannot listen"):
        FakeS3().start(s3.port)


def test_standalone():
    """python -m fakes3 PORT says READY and serves."""
    command = [sys.executable, "-m", "fakes3", "0", "--bucket", "b"]
    support = Path(fakes3.__file__).parent.parent
    with subprocess.Popen(command, cwd=support, stdout=subprocess.PIPE, text=True) as process:
        try:
            ready, url = process.stdout.readline().split()
            place = types.SimpleNamespace(url=url, access_key=FakeS3.access_key,
                                          secret_key=FakeS3.secret_key)
            client = client_of(place)
            client.put_object(Bucket="b", Key="k", Body=b"x")
            assert (ready == "READY"
                    and client.get_object(Bucket="b", Key="k")["Body"].read() == b"x")
        finally:
            process.kill()


def test_tls(tmp_path):
    """tls= makes it https, for tests of certificates."""
    certificate(tmp_path)
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    with FakeS3(tls=files) as server:
        server.put("b", "k", b"x")
        client = client_of(server, verify=str(files[0]))
        client.put_object(Bucket="b", Key="k", Body=BODY)           # trailer, unforced
        assert client.get_object(Bucket="b", Key="k")["Body"].read() == BODY
        assert server.log[0].headers["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def certificate(folder):
    """Write a self-signed certificate of 127.0.0.1."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now, day = datetime.now(timezone.utc), timedelta(days=1)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1).not_valid_before(now - day)
            .not_valid_after(now + day).add_extension(alternative, False)
            .sign(key, hashes.SHA256()))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                                       serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption()))
