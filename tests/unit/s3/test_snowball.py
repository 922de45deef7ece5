"""Snowball's S3 adapter is known by its name, and lacks more than one thing."""

from types import SimpleNamespace

import pytest

from s3kit.s3 import snowball
from s3kit.s3.address import Endpoint
from s3kit.s3.capabilities import CONDITIONS, LISTED_PARTS, UPLOAD_CHECKSUMS, Capabilities

ONE = Endpoint("a", "http://h:8080/a")


@pytest.fixture
def known(monkeypatch):
    """What is learned in this test alone."""
    monkeypatch.setattr(snowball, "KNOWN", Capabilities())
    return snowball.KNOWN


@pytest.mark.parametrize("server, is_one", [("AWSSnowball", True), ("AmazonS3", False),
                                            ("", False)])
def test_known_by_its_name(known, server, is_one):
    """In any answer; other servers are as they are."""
    snowball.heed(SimpleNamespace(endpoint=ONE, headers={"server": server}))
    assert snowball.is_at(ONE._replace(bucket="b", url="http://h:8080/b")) is is_one
    for what in (CONDITIONS, LISTED_PARTS, UPLOAD_CHECKSUMS):
        assert known.lacks(ONE, what) is is_one


def test_told_in_one_line(known):
    """Not one for each thing."""
    for _ in range(2):
        snowball.heed(SimpleNamespace(endpoint=ONE, headers={"server": "AWSSnowball"}))
    assert known.lines() == [f"http://h:8080 does not know {snowball.PAGES}: asked without it (it "
                             "is Snowball's S3 adapter)"]
