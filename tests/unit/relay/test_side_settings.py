"""The sides of a relay, their keys and addresses."""

import os

import pytest

from s3kit.errors import Usage
from s3kit.relay.settings import Settings
from s3kit.relay.side_settings import (
    SideConfig, about_device, about_keys, checked_address, endpoint_of, keys_of)

NAMES = ("access_key", "secret_key", "session_token")


def part(**values):
    """Return Settings of a side."""
    return Settings(values, "f", "source.")


@pytest.mark.parametrize("values, found", [
    (("A1", "s/+="), ("A1", "s/+=", "")), (("A1", "s", "t"), ("A1", "s", "t")),
    (("123", "456"), ("123", "456", "")), (("minioadmin", "minioadmin"), ("minioadmin",) * 2
                                           + ("",)), ((None, None), None), (("", ""), None)])
def test_keys(values, found):
    """They come in pairs, a session token may be there."""
    warnings = []
    assert keys_of(part(**dict(zip(NAMES, values))), NAMES, warnings) == found
    assert not warnings


@pytest.mark.parametrize("text", ["ACCESS_KEY", "xxx", "XXXX", "<key>", "your-access-key", "...",
                                  "YOUR_SECRET_ACCESS_KEY", "${AWS_ACCESS_KEY_ID}", "changeme",
                                  "access_key_id", "****", "My Access Key Here", "null", "{{ k }}"])
def test_placeholders(text):
    """They are no keys, and people are told."""
    warnings = []
    assert keys_of(part(access_key=text, secret_key=text), NAMES, warnings) is None
    assert len(warnings) == 1 and "source.access_key" in warnings[0]


@pytest.mark.parametrize("values, missing", [
    (("FAKE",), "secret_key"), ((None, "FAKE"), "access_key"), (("FAKE", "xxx"), "secret_key"),
    ((None, None, "FAKE"), "access_key")])
def test_half_a_pair(values, missing):
    """The other is named, the one that is there is not shown."""
    with pytest.raises(Usage, match=f"source.{missing} is missing") as raised:
        keys_of(part(**dict(zip(NAMES, values))), NAMES, [])
    assert "FAKE" not in str(raised.value)


def test_a_side_shows_no_keys():
    """Neither in a repr nor in one of what has it."""
    side = SideConfig("s3://b", keys=("FAKE", "FAKE", "FAKE"))
    assert "FAKE" not in f"{side!r} {side} {[side]}"


@pytest.mark.parametrize("region, url, is_adapter", [
    ("snow", "http://192.0.2.1:8080", True), ("snow", "https://192.0.2.1", False),
    ("us-east-1", "http://192.0.2.1", False), ("snow", None, False)])
def test_the_adapter_of_a_device(region, url, is_adapter):
    """It is told by HTTP and the region."""
    side = SideConfig("s3://b", region=region, endpoint_url=url)
    assert side.is_adapter is is_adapter
    assert len([text for text in about_device("source", side) if "Snowball" in text]) == is_adapter


@pytest.mark.parametrize("url", ["https://h", "http://192.0.2.1:8080", "https://[2001:db8::1]:9",
                                 "https://h/"])
def test_endpoints(url):
    """A host, maybe a port."""
    assert endpoint_of(part(), "endpoint_url", url) == url


@pytest.mark.parametrize("url", ["h", "h:80", "ftp://h", "https://", "https://u:FAKE@h",
                                 "https://[x", "http://h:x", "http://h:99999", "http://a b"])
def test_what_is_no_endpoint(url):
    """A password is not shown."""
    with pytest.raises(Usage, match="source.endpoint_url is not a URL") as raised:
        endpoint_of(part(), "endpoint_url", url)
    assert "FAKE" not in str(raised.value)


def test_addresses():
    """Exactly as they are, whatever slashes they have."""
    for address in ("s3://b", "s3://b/", "s3://b/p", "s3://b/p/", "s3://b//p/"):
        assert checked_address(part(), "address", address) == address
    for address in ("b/p", "s3://", "s3:///p", "s3://a b/p"):
        with pytest.raises(Usage, match="'f': source.address makes no sense"):
            checked_address(part(), "address", address)


@pytest.mark.parametrize("mode, count", [(0o600, 1), (0o640, 2), (0o604, 2)])
def test_files_with_keys(tmp_path, mode, count):
    """People are told, and more so if others can read them."""
    path = tmp_path / "f"
    path.touch(mode)
    os.chmod(path, mode)
    keyed, plain = SideConfig("s3://b", keys=("FAKE", "FAKE", "")), SideConfig("s3://b")
    said = list(about_keys(str(path), [plain, keyed]))
    assert len(said) == count and str(path) in said[0] and "FAKE" not in "".join(said)
    assert not list(about_keys(str(path), [plain, plain]))
