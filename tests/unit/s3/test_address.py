"""S3 addresses, and how a bucket is reached."""

import pytest

from s3kit.errors import Usage
from s3kit.s3.address import Endpoint, has_dots, is_name, parse_s3


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
