"""Access keys that libcurl would change are served."""

import base64
import hashlib

import pytest
from fakes3.signatures import Credential

from s3kit.s3.address import Endpoint
from s3kit.s3.content import Content
from s3kit.s3.signature import is_libcurls, signed
from s3kit.s3.wire import Wire

KEYS = ["account:user", "a/b", "a+b@c", "a b=", "%41", "ten:ant$user"]


@pytest.mark.parametrize("access_key", ["AKIA", "s3.kit_~-"])
def test_what_libcurl_leaves_as_it_is(access_key):
    """Such keys are signed for by it."""
    assert is_libcurls(Endpoint("b", "", "eu-west-1", access_key))


def test_what_is_added():
    """The time, the hash of the body, the token and the signature; what was there stays."""
    endpoint = Endpoint("b", "", "eu-west-1", "a:b", "s/ecret", "token")
    found = dict(line.split(": ", 1) for line in signed(
        endpoint, "POST", "http://h:9000/b?delete=", ["Content-MD5: x"], b"<Delete/>"))
    assert found["Content-MD5"] == "x" and found["X-Amz-Security-Token"] == "token"
    assert found["X-Amz-Content-SHA256"] == hashlib.sha256(b"<Delete/>").hexdigest()
    assert found["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=a:b/")
    assert "/eu-west-1/s3/aws4_request" in found["Authorization"]


def test_another_service():
    """Is signed for here: libcurl knows how paths are encoded for `s3` alone."""
    endpoint = Endpoint("b", "", "us-west-2", "AKIA", "secret", service="s3-outposts")
    assert not is_libcurls(endpoint)
    found = "".join(signed(endpoint, "GET", "https://h/a%20b", []))
    assert "/us-west-2/s3-outposts/aws4_request" in found


@pytest.mark.parametrize("access_key", KEYS)
def test_access_keys_that_libcurl_would_change(fake, access_key):
    """All that is sent is served: by one handle, with a token, beside keys that libcurl signs."""
    assert not is_libcurls(Endpoint("b", "", "eu-west-1", access_key))
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


def test_the_hash_that_a_header_says():
    """It is what is signed: the body is not in memory, or need not be hashed."""
    endpoint = Endpoint("b", "", "eu-west-1", "a:b", "secret")
    signatures = set()
    for told in ("UNSIGNED-PAYLOAD", hashlib.sha256(b"x").hexdigest(), ""):
        headers = [f"x-amz-content-sha256: {told}"] if told else []
        lines = signed(endpoint, "PUT", "http://h:9000/b/k", headers)
        found = [line.partition(": ")[2] for line in lines
                 if line.lower().startswith("x-amz-content-sha256:")]
        assert found == [told or hashlib.sha256(b"").hexdigest()]
        signatures.add(next(line for line in lines if line.startswith("Authorization")))
    assert len(signatures) == 3


@pytest.mark.parametrize("access_key", ["AKIA", "account:user"])
@pytest.mark.parametrize("key", ["k", "a/../b"])
@pytest.mark.parametrize("told, status", [
    ("UNSIGNED-PAYLOAD", 200), (hashlib.sha256(b"body").hexdigest(), 200),
    (hashlib.sha256(b"other").hexdigest(), 400)])
def test_a_put_whose_hash_is_told(fake, access_key, key, told, status):
    """Signed by libcurl or by us, it is held against the body by the server."""
    fake.bucket("b")
    fake.credentials[access_key] = Credential("secret")
    endpoint = Endpoint("b", f"{fake.url}/b", "us-east-1", access_key, "secret")
    wire = Wire(1)
    transfer = wire.start(None, endpoint, endpoint.object_url(key), method="PUT",
                          headers=[f"x-amz-content-sha256: {told}"], body=Content(b"body", 4))
    while wire.active:
        wire.turn(0.5)
    assert transfer.status == status, transfer.body
    assert fake.log[-1].headers["x-amz-content-sha256"] == told
    assert (fake.get("b", key) is not None) == (status == 200)


@pytest.mark.parametrize("access_key", ["AKIA", "account:user"])
@pytest.mark.parametrize("key", ["k", "a/../b"])
def test_headers_that_are_empty_or_not_sent(fake, access_key, key):
    """An empty one is sent and signed; one that is left out is neither."""
    fake.bucket("b")
    fake.credentials[access_key] = Credential("secret")
    endpoint = Endpoint("b", f"{fake.url}/b", "us-east-1", access_key, "secret")
    wire, body = Wire(1), b"x" * (2 << 20)      # of which libcurl would ask first (Expect)
    transfer = wire.start(
        None, endpoint, endpoint.object_url(key), method="PUT", body=Content(body, len(body)),
        headers=["x-amz-content-sha256: UNSIGNED-PAYLOAD", "x-amz-meta-empty;", "Expect:",
                 "x-amz-meta-b: c;d:e", "Content-Type:"])
    while wire.active:
        wire.turn(0.5)
    assert transfer.status == 200, transfer.body
    assert fake.get("b", key).headers == {"x-amz-meta-empty": "", "x-amz-meta-b": "c;d:e"}
    assert not {"expect", "content-type"} & {*fake.log[-1].headers}
