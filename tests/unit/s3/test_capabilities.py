"""What servers lack is learned once for each server, and told."""

from types import SimpleNamespace

import pytest

from s3kit.s3.address import Endpoint
from s3kit.s3.capabilities import (
    CHECKSUM_MODE,
    PART_SIZES,
    RESTORE_STATUS,
    Capabilities,
    may_refuse,
    server_of,
)

ONE, SAME, OTHER = (Endpoint("a", "http://h:1/a"), Endpoint("b", "http://h:1/b"),
                    Endpoint("a", "https://h:1/a"))


def test_learned_once_for_a_server():
    """All its buckets have it in common; other servers and other things do not."""
    known = Capabilities()
    assert not known.lacks(ONE, RESTORE_STATUS)
    assert known.learn(ONE, RESTORE_STATUS, "S3 says InvalidArgument")
    assert not known.learn(SAME, RESTORE_STATUS, "once more")
    assert known.lacks(SAME, RESTORE_STATUS)
    assert not known.lacks(SAME, CHECKSUM_MODE) and not known.lacks(OTHER, RESTORE_STATUS)


def test_told_in_lines():
    """With the server's own words where it had some."""
    known = Capabilities()
    known.learn(ONE, RESTORE_STATUS, "S3 says InvalidArgument")
    known.learn(OTHER, CHECKSUM_MODE)
    assert known.lines() == [
        f"http://h:1 does not know {RESTORE_STATUS}: asked without it (S3 says InvalidArgument)",
        f"https://h:1 does not know {CHECKSUM_MODE}: asked without it"]


def test_the_server_of_a_url():
    """Without the path, with the port."""
    assert server_of("http://127.0.0.1:8333/b") == "http://127.0.0.1:8333"
    assert server_of("https://b.s3.amazonaws.com") == "https://b.s3.amazonaws.com"


def test_told_once():
    """With -v, what is news."""
    known, said = Capabilities(), []
    known.learn(ONE, RESTORE_STATUS)
    known.tell(said.append, True)
    known.learn(ONE, PART_SIZES)
    known.tell(said.append, True)
    known.tell(said.append, True)
    known.learn(OTHER, PART_SIZES)
    known.tell(said.append, False)
    assert said == known.lines()[:2]


@pytest.mark.parametrize("status, code, errno, headers, may_be", [
    (400, "InvalidArgument", 0, {}, True), (400, "InvalidRequest", 0, {}, True),
    (405, "MethodNotAllowed", 0, {}, True), (405, "HTTP405", 0, {}, True),
    (501, "NotImplemented", 0, {}, True), (400, "HTTP400", 0, {}, True),
    (405, "MethodNotAllowed", 0, {"x-amz-delete-marker": "true"}, False),
    (400, "ExpiredToken", 0, {}, False), (400, "AuthorizationHeaderMalformed", 0, {}, False),
    (400, "RequestTimeout", 0, {}, False), (403, "AccessDenied", 0, {}, False),
    (404, "NoSuchBucket", 0, {}, False), (400, "NoSuchBucket", 0, {}, False),
    (404, "NoSuchKey", 0, {}, False), (400, "InvalidArgument", 56, {}, False),
    (500, "InternalError", 0, {}, False), (503, "SlowDown", 0, {}, False), (200, "", 0, {}, False)])
def test_what_may_refuse_an_extra(status, code, errno, headers, may_be):
    """Statuses of servers that do not know what they are asked for, whether they name it or not."""
    transfer = SimpleNamespace(status=status, code=code, errno=errno, headers=headers)
    assert may_refuse(transfer) == may_be
