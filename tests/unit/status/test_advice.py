"""What people can do about an error."""

import re
from pathlib import Path

import pytest

from s3kit.manifest.row import STATES, WRONG
from s3kit.status import advice
from s3kit.status.advice import BY_CAUSE, BY_STATE, LATER, LOOK, advice_for
from s3kit.text import cause_of

SOURCE = "\n".join(path.read_text() for path in Path(advice.__file__).parents[1].rglob("*.py")
                   if path.parent.name != "status")
# Errors as rows have them, and the beginning of what is to be done. Those in quotes are S3's words.
EXAMPLES = [
    ("line 7: size 'six' is not a number of bytes", "correct the row"),
    ("kept in S3: its file was changed since it was verified", "look why, then fetch and verify"),
    ("kept in S3: its file has gone since it was verified", "S3 still has it"),
    ("the server does not heed If-Match when it deletes: ...", "delete by version ids"),
    ("bucket 'x' does not exist", "look at the bucket's name"),
    ("S3 says NoSuchVersion: The specified version does not exist.", "the row is out of date"),
    ("S3 has it no more", "the row is out of date"),
    ("the object was changed since it was listed", "the row is out of date"),
    ("S3 sent another object: ETag a, not b", "the row is out of date"),
    ("S3 says InvalidObjectState: ...", "bring it back first"),
    ("the object is in GLACIER", "bring it back first"),
    ("S3 says AccessDenied: Access Denied", "these credentials may not read it"),
    ("S3 says ExpiredToken: ...", "look at the credentials"),
    ("S3 says SlowDown: Please reduce your request rate.", "it may pass"),
    ("no answer came for 300 seconds (--read-timeout)", "it may pass"),
    ("Failed to connect to 127.0.0.1 port 9: Couldn't connect to server", "it may pass"),
    ("12 bytes came, not 40", "it may pass"),
    ("the server's certificate is not to be trusted: self signed (see --ca-bundle)", "give --ca"),
    ("its worker died 3 times (the last of signal 9 (Killed))", "look for want of memory"),
    ("another row has the path 'b/k'", "something is in the way"),
    ("a file is in the way: 'b/k'", "something is in the way"),
    ("there is no regular file in its place", "something is in the way"),
    ("'b/k' is the only copy of an object of this name", "something is in the way"),
    ("cannot write 'b/k': No space left on device", "make room"),
    ("cannot write 'b/k': Permission denied", "let this user write there"),
    ("cannot read 'b/k': Input/output error", "look at the disk"),
    ("nothing is known that the bytes could be compared with", "nobody can say"),
    ("the bytes do not match S3's etag-md5, which may be wrong itself", "nobody can say"),
    ("the bytes do not match S3's crc32", "s3-fetch tries it again"),
    ("there is no file 'b/k'", "s3-fetch tries it again"),
    ("the file has 1 bytes, not 2", "s3-fetch tries it again")]
# Words of S3's, of the system's and of libcurl's: everything else in a pattern is ours.
THEIRS = re.compile(
    "NoSuch(Bucket|Key|Version)|NotFound|says|PreconditionFailed|InvalidObjectState|Expired|"
    "InvalidAccessKeyId|SignatureDoesNotMatch|TokenRefresh|AccessDenied|Forbidden|SlowDown|"
    "InternalError|ServiceUnavailable|RequestTimeout|too slow|timed out|onnect|reset by peer|"
    "resolve host|failure|transfer closed|certificate|No space left|uota|Permission denied|"
    r"Read-only file system|Operation not permitted|Input/output error|N|\.\.\.")


@pytest.mark.parametrize("error, begins", EXAMPLES)
def test_what_to_do(error, begins):
    """By the cause, whatever the state."""
    assert advice_for(cause_of(error), "failed").startswith(begins)


def test_every_advice_has_an_example():
    """And every pattern is met by one of them first."""
    met = {next(pattern for pattern, _ in BY_CAUSE if pattern.search(cause_of(error)))
           for error, _ in EXAMPLES}
    assert met == {pattern for pattern, _ in BY_CAUSE}


def test_patterns_are_words_that_are_said():
    """What is in no message of ours, nor of S3's or the system's, waits for nothing."""
    words = [word for pattern, _ in BY_CAUSE for word in pattern.pattern.split("|")]
    assert [word for word in words if not THEIRS.search(word)
            and re.sub(r"[\^]|\($", "", word).strip() not in SOURCE] == []


def test_a_cause_that_nobody_knows():
    """The state may say it; of a failed row only its words do."""
    assert advice_for("what is that", "failed") == LOOK and advice_for("", "failed") == LATER
    assert {advice_for("what is that", state) for state in BY_STATE} == set(BY_STATE.values())
    assert set(BY_STATE) == (WRONG | {"unverifiable"}) - {"failed"} <= set(STATES)
