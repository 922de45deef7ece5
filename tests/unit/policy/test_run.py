"""What all verbs of s3-policy share."""

import pytest
from policyruns import ONLY_ME

from s3kit.errors import Fault, NoAccess, Usage
from s3kit.policy.run import assumed, is_general
from s3kit.s3.translation import coded


@pytest.mark.system("minutes")
def test_s3_cannot_be_reached(place, run, monkeypatch):
    """Status 3, at the first bucket: it is no fault of theirs."""
    run("plan", "b", "c", *ONLY_ME)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    status, _, err = run("backup", "b", "c")
    assert status == 3 and err.count("Could not connect") == 1


@pytest.mark.parametrize("fault, is_so", (
    (Fault("x"), False), (coded(Fault("x"), "EndpointConnectionError"), True),
    (NoAccess("x"), True), (coded(NoAccess("x"), "AccessDenied"), False),
    (coded(NoAccess("x"), "ExpiredToken"), True), (coded(Fault("x"), "NoSuchBucket"), False)))
def test_what_ends_the_run(fault, is_so):
    """Who we are, and whether S3 is there, is the same for all buckets."""
    assert is_general(fault) == is_so


def test_what_is_assumed():
    """Keys in small letters; an empty value is an absent key."""
    assert assumed(["aws:SourceVpce=vpce-1", "A=", "b=x=y"]) == {
        "aws:sourcevpce": ("vpce-1",), "a": (), "b": ("x=y",)}
    for word in ("", "=x", "a b=c", "key"):
        with pytest.raises(Usage, match="KEY=VALUE is wanted"):
            assumed([word])


def test_a_bucket_that_fails_stops_no_other(place, run):
    """Each is said, with -q, too; the status is that of the worst."""
    status, out, err = run("backup", "none", "c", "-q", "--json")
    assert status == 1 and err.startswith("s3-policy: none: S3 says NoSuchBucket")
    assert ['"failed"' in line for line in out.splitlines()] == [True, False]
