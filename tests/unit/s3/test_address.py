"""S3 addresses, and how a bucket is reached."""

import json
from pathlib import Path

import botocore
import pytest

from s3kit.errors import Usage
from s3kit.s3.address import (
    AMAZONS,
    Endpoint,
    has_dots,
    is_amazon_s3,
    is_amazons,
    is_name,
    parse_s3,
    question,
)


@pytest.mark.parametrize("text, found", [("s3://b", ("b", "")), ("s3://b/", ("b", "")),
                                         ("s3://b/a/b", ("b", "a/b")), ("s3://b//a", ("b", "/a"))])
def test_addresses(text, found):
    """Bucket and prefix, a prefix as it stands."""
    assert parse_s3(text) == found


@pytest.mark.parametrize("text", ["", "b", "s3:/b", "S3://b", "s3://", "s3:///key", "http://b/k",
                                  "s3://bücket/", "s3://b\udcff", "s3://b/\udcffk", "s3://b c/k",
                                  "s3://b\0", "s3://\ufeffb"])
def test_what_is_not_an_address(text):
    """Is a wrong use of the command."""
    with pytest.raises(Usage):
        parse_s3(text)


@pytest.mark.parametrize("text, address", [
    ("b", "s3://b/"), ("b/", "s3://b/"), ("b/a b", "'s3://b/a b'"), ("S3://b/k", "s3://b/k"),
    ("s3:/b", "s3://b/"), ("s3:b", "s3://b/"), ("arn:aws:s3:::b/k", "s3://b/k"),
    ("arn:aws-cn:s3:::b", "s3://b/")])
def test_what_may_be_meant_as_an_address(text, address):
    """A bucket without s3://, or with half of it; as a shell takes it."""
    assert question(text) == f": did you mean {address}?"
    assert question(text) in str(pytest.raises(Usage, parse_s3, text).value)


@pytest.mark.parametrize("text", ["", "/tmp/b", "./b", "~/b", "http://b/k", "all.csv", "b c", "-b",
                                  "b/all.csv.gz", "b\u00fc"])
def test_what_is_meant_as_something_else(text):
    """Files that are not there above all."""
    assert question(text) == ""


def test_names_of_buckets():
    """Those of before 2018, too; an ARN is botocore's to understand."""
    assert all(map(is_name, ["b", "Old_Bucket", "x" * 255, "arn:aws:s3:eu-west-1:1:accesspoint/p"]))
    assert not any(map(is_name, ["", "x" * 256, "a/b", "ü", "arn:a b", "b\n"]))


@pytest.mark.parametrize("key, expected", [("a/../b", True), ("..", True), (".", True),
                                           ("./a", True), ("a/.", True), ("a/./b", True),
                                           ("../a", True), ("a..b", False), (".hidden", False),
                                           ("a/.hidden", False), ("a/...", False), ("...", False),
                                           ("", False), ("a//b", False)])
def test_dot_segments(key, expected):
    """RFC 3986, section 5.2.4: only `.` and `..` as whole segments are removed from a path."""
    assert has_dots(key) is expected


@pytest.mark.parametrize("key, encoded", [("a b", "a%20b"), ("a+b", "a%2Bb"), ("\u00fc", "%C3%BC"),
                                          ("a/~b", "a/~b"), ("a?b#c", "a%3Fb%23c"),
                                          ("%41", "%2541")])
def test_urls_of_keys(key, encoded):
    """As signatures have them: all but unreserved letters and slashes encoded."""
    endpoint = Endpoint("b", "http://h/b")
    assert endpoint.object_url(key) == f"http://h/b/{encoded}"
    assert endpoint.object_url(key, "versionId=v") == f"http://h/b/{encoded}?versionId=v"
    assert endpoint.object_url(key, version_id="v+/=") == (
        f"http://h/b/{encoded}?versionId=v%2B%2F%3D")
    assert (endpoint.object_url(key, "partNumber=1", "null")
            == f"http://h/b/{encoded}?partNumber=1&versionId=null")


def test_secrets_are_not_shown():
    """In whatever message an Endpoint ends up."""
    endpoint = Endpoint("b", "http://h/b", "r", "ACCESS", "SECRET", "TOKEN")
    assert not [word for word in ("ACCESS", "SECRET", "TOKEN")
                if word in f"{endpoint} {endpoint!r} {[endpoint]}"]


@pytest.mark.parametrize("url", [
    "https://s3.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/b", "HTTPS://S3.AmazonAWS.com.",
    "https://b.s3-us-west-2.amazonaws.com", "https://s3.dualstack.eu-west-1.amazonaws.com:443",
    "https://s3.eu-west-1.api.aws", "https://s3.cn-north-1.amazonaws.com.cn",
    "https://s3-fips.us-gov-west-1.amazonaws.com", "https://s3.eusc-de-east-1.amazonaws.eu",
    "https://s3.us-iso-east-1.c2s.ic.gov", "https://b--x-s3.s3express-use1-az4.us-east-1.amazonaws"
    ".com", "https://bucket.vpce-1a2b.s3.us-east-1.vpce.amazonaws.com",
    "https://p-111122223333.s3-accesspoint.us-west-2.amazonaws.com"])
def test_amazon_s_own(url):
    """By the end of the host's name, in every partition, and a part that names the service."""
    assert is_amazons(url) and is_amazon_s3(url)


@pytest.mark.parametrize("url", [
    "http://x.amazonaws.com.evil.example", "https://s3.amazonaws.com@evil.example/",
    "https://evil.example/.amazonaws.com", "https://s3.notamazonaws.com", "http://127.0.0.1:9000",
    "https://s3.example/?s3.amazonaws.com", "http://amazonaws.com.s3.example", "http://[::1]:9000",
    ""])
def test_what_only_looks_like_amazon_s(url):
    """Whatever else a URL has in it."""
    assert not is_amazons(url) and not is_amazon_s3(url)


def test_a_server_on_a_machine_of_amazon_s():
    """Is not S3; other services are Amazon's, too."""
    for url in ("http://ec2-1-2-3-4.us-west-2.compute.amazonaws.com:9000",
                "http://lb-1.eu-west-1.elb.amazonaws.com", "https://sts.eu-west-1.amazonaws.com"):
        assert is_amazons(url) and not is_amazon_s3(url)


def test_all_partitions_of_botocore():
    """Their domains, with and without IPv6."""
    file = Path(botocore.__file__).parent / "data/partitions.json"
    told = [partition["outputs"] for partition in json.loads(file.read_text())["partitions"]]
    assert {outputs[name] for outputs in told
            for name in ("dnsSuffix", "dualStackDnsSuffix")} <= {*AMAZONS}
