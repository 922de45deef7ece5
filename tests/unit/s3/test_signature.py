"""Signatures are those of botocore, and go where libcurl's do not."""

import base64
import datetime
import hashlib

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from fakes3.signatures import Credential

from s3kit.s3.address import Endpoint
from s3kit.s3.signature import canonical_query, is_libcurls, signed
from s3kit.s3.wire import Wire

KEYS = ["account:user", "a/b", "a+b@c", "a b=", "%41", "ten:ant$user"]
NOW = 1_700_000_000


@pytest.mark.parametrize("access_key", ["AKIA", "s3.kit_~-"])
def test_what_libcurl_leaves_as_it_is(access_key):
    """Such keys are signed for by it."""
    assert is_libcurls(access_key)


@pytest.mark.parametrize("url, headers, body", [
    ("http://h:9000/b/a%20b/c~?versionId=x&partNumber=1", ["x-amz-checksum-mode: ENABLED"], b""),
    ("https://b.example.org:443/%3F?delete=", ["Content-MD5: x", "x-amz-request-payer:  a  b"],
     b"<Delete/>"),
    ("http://h:80/b?list-type=2&prefix=%2F&encoding-type=url&fetch-owner", [], b"")])
def test_signatures_are_botocores(monkeypatch, url, headers, body):
    """For a path, a query in any order, a port, a body, headers with blanks."""
    moment = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: moment)
    found = dict(line.split(": ", 1) for line in signed(
        Endpoint("b", "", "eu-west-1", "a:b", "s/ecret"), "POST", url, headers, body, NOW))
    given = {name: value for name, value in (line.split(": ", 1) for line in headers)
             if name.startswith("x-amz")}
    request = AWSRequest("POST", url, headers=given, data=body)
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials("a:b", "s/ecret"), "s3", "eu-west-1").add_auth(request)
    assert found["Authorization"] == request.headers["Authorization"]
    assert found["x-amz-date"] == request.headers["X-Amz-Date"]


def test_a_query_in_order():
    """Each part has its sign, and each value stays as it is encoded."""
    assert canonical_query("b=%2F&a&c=1&a=0") == "a=&a=0&b=%2F&c=1"
    assert canonical_query("") == ""


@pytest.mark.parametrize("access_key", KEYS)
def test_access_keys_that_libcurl_would_change(fake, access_key):
    """All that is sent is served: by one handle, with a token, beside keys that libcurl signs."""
    assert not is_libcurls(access_key)
    secret, token = 'se:cr/et+"%41 ', "to/ken+="
    body = b"<Delete><Object><Key>x</Key></Object></Delete>"
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "a b/é+%", b"body")
    fake.credentials[access_key] = Credential(secret, token)
    mine = Endpoint("b", f"{fake.url}/b", "us-east-1", access_key, secret, token)
    theirs = mine._replace(access_key=fake.access_key, secret_key=fake.secret_key, token="")
    wire, url = Wire(1), mine.object_url("a b/é+%")
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    for endpoint in (mine, theirs, mine):
        for method, where, headers, status in (
                ("GET", url, ["x-amz-checksum-mode: ENABLED"], 200),
                ("GET", url, ["Range: bytes=1-2"], 206), ("HEAD", f"{url}?partNumber=1", [], 206),
                ("GET", f"{mine.url}?versions=&prefix=a%20b%2F&max-keys=2", [], 200),
                ("POST", f"{mine.url}?delete=", [f"Content-MD5: {md5}"], 200),
                ("DELETE", mine.object_url("x"), [], 204)):
            transfer = wire.start(None, endpoint, where, method=method, headers=headers,
                                  body=body if method == "POST" else b"")
            while wire.active:
                wire.turn(0.5)
            assert transfer.status == status, (method, where, transfer.body)
    assert fake.connections == 1
