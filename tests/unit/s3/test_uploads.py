"""How a request says what is sent: by which checksum, and whether its bytes are signed."""

import pytest

from s3kit.errors import Fault
from s3kit.s3 import uploads as module
from s3kit.s3.address import Endpoint
from s3kit.s3.capabilities import UNSIGNED_BODIES, UPLOAD_CHECKSUMS, Capabilities
from s3kit.s3.headers import claim_in
from s3kit.s3.uploads import (
    algorithm_for,
    as_headers,
    checksum_header,
    elements_of,
    hash_header,
    type_of,
)

MINE = Endpoint("b", "http://127.0.0.1:9/b", access_key="A", secret_key="s")
SECURE = MINE._replace(url="https://s3.example.com/b")
AMAZON = MINE._replace(url="https://b.s3.eu-west-1.amazonaws.com")


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """What is known of servers."""
    made = Capabilities()
    monkeypatch.setattr(module, "KNOWN", made)
    return made


@pytest.mark.parametrize("endpoint, asked, algorithm", [
    (AMAZON, "", "crc64nvme"), (MINE, "", "crc32"), (SECURE, "", "crc32"),
    (AMAZON, "sha256", "sha256"), (MINE, "crc32c", "crc32c"),
    (MINE._replace(url="https://ec2-1.compute.amazonaws.com/b"), "", "crc32")])
def test_which_checksum(known, endpoint, asked, algorithm):
    """Amazon's own default there; elsewhere the oldest, else the MD5; what is asked for always."""
    assert algorithm_for(endpoint, asked) == algorithm
    known.learn(endpoint, UPLOAD_CHECKSUMS)
    assert algorithm_for(endpoint, asked) == (asked or "md5")


@pytest.mark.parametrize("algorithm, kind", [
    ("crc32", "FULL_OBJECT"), ("crc32c", "FULL_OBJECT"), ("crc64nvme", "FULL_OBJECT"),
    ("sha1", "COMPOSITE"), ("sha256", "COMPOSITE")])
def test_the_type_of_a_checksum_of_parts(algorithm, kind):
    """S3 combines CRCs alone."""
    assert type_of(algorithm) == kind


@pytest.mark.parametrize("algorithm, line", [
    ("md5", "Content-MD5: abc="), ("crc32", "x-amz-checksum-crc32: abc="),
    ("crc64nvme", "x-amz-checksum-crc64nvme: abc=")])
def test_the_header_of_a_checksum(algorithm, line):
    """S3's own, or HTTP's."""
    assert checksum_header(algorithm, "abc=") == line


@pytest.mark.parametrize("endpoint, is_wanted, is_hashed", [
    (MINE, False, True), (SECURE, False, False), (SECURE, True, True), (AMAZON, False, False),
    (AMAZON, True, True)])
def test_the_hash_of_a_body(known, endpoint, is_wanted, is_hashed):
    """Where TLS guards it and no policy wants it, it costs nothing."""
    asked = []
    found = hash_header(endpoint, lambda: asked.append(1) or "00ff", is_wanted)
    assert found == [f"x-amz-content-sha256: {'00ff' if is_hashed else 'UNSIGNED-PAYLOAD'}"]
    assert bool(asked) == is_hashed
    known.learn(endpoint, UNSIGNED_BODIES)
    assert hash_header(endpoint, lambda: "00ff") == ["x-amz-content-sha256: 00ff"]


def test_nothing_is_signed_without_credentials():
    """So nothing is hashed."""
    assert hash_header(MINE._replace(access_key=""), lambda: 1 / 0, True) == []


SPACE = b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def test_an_answer_in_xml():
    """Its elements, by their names alone."""
    assert elements_of(b"<R %s><ETag>&quot;a&quot;</ETag><Key/><A><B>x</B></A></R>" % SPACE) == {
        "ETag": '"a"', "Key": "", "A": ""}
    with pytest.raises(Fault):
        elements_of(b"<html><p>Please log in")


@pytest.mark.parametrize("told, proof", [
    ({"ChecksumCRC32": "y/Q5Jg==", "ChecksumType": "FULL_OBJECT"}, "crc32"),
    ({"ChecksumCRC64NVME": "rosUhgp5mIg="}, "crc64nvme"),
    ({"ChecksumSHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=-2",
      "ChecksumType": "COMPOSITE"}, "sha256-parts"),
    ({}, "etag-md5-parts"), ({"ChecksumCRC32": ""}, "etag-md5-parts")])
def test_a_completion_says_what_a_head_does(told, proof):
    """The same is read from it."""
    etag = '"0123456789abcdef0123456789abcdef-2"'
    headers = as_headers(told | {"ETag": etag}, {"x-amz-version-id": "v", "etag": "other"})
    assert headers["etag"] == etag and headers["x-amz-version-id"] == "v"
    assert claim_in(headers, 9).proof == proof


def test_a_completion_without_an_etag():
    """None is taken from elsewhere."""
    assert as_headers({}, {"etag": '"x"'})["etag"] == ""
