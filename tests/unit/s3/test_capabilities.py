"""What servers lack is learned once for each server, and told."""

from s3kit.s3.address import Endpoint
from s3kit.s3.capabilities import CHECKSUM_MODE, RESTORE_STATUS, Capabilities, server_of

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
