"""What S3's answers say of the rows of a manifest."""

from types import SimpleNamespace

import pytest

from s3kit.check.findings import Findings
from s3kit.check.presence import PlacedErrand, Presence
from s3kit.errors import Fault, NoSuchBucket
from s3kit.manifest.row import Row
from s3kit.restore import answers
from s3kit.restore.answers import Status


class Stage:
    """Knows bucket `b`, and notes what is asked."""

    def __init__(self):
        self.args = SimpleNamespace(prog="s3-manifest", quiet=True, verbose=False)
        self.tally, self.progress = None, SimpleNamespace(move=lambda amount: None)
        self.sent, self.access, self.tries = [], self, 0

    def endpoint(self, bucket):
        """Return what stands for an Endpoint."""
        if bucket != "b":
            raise NoSuchBucket(f"bucket '{bucket}' does not exist")
        return bucket

    def send(self, errand):
        """Take a question."""
        self.sent.append(errand)

    def retry(self, errand, status, most):
        """Try again, once."""
        self.tries += 1
        return self.tries == 1


@pytest.fixture
def presence():
    """A Presence whose file has one line."""
    findings = Findings()
    findings.add_file("m")
    return Presence(Stage(), findings)


def ask(presence, row):
    """Return the errand of a row."""
    presence.places.append(presence.findings.place(1))
    presence.take(row, None)
    return presence.stage.sent[-1] if presence.stage.sent else None


@pytest.mark.parametrize("row, status, said", [
    (Row("b", "k"), Status(answers.ONLINE, size="5"), ""),
    (Row("b", "k", size="5"), Status(answers.ARCHIVED, size="5"), ""),
    (Row("b", "k", size="4"), Status(answers.ONLINE, size="5"),
     "m:1: size: S3 says 5 bytes, not 4\n"),
    (Row("b", "k"), Status(answers.VANISHED), "m:1: key: S3 does not have s3://b/k\n"),
    (Row("b", "k", "v"), Status(answers.VANISHED),
     "m:1: version_id: S3 does not have s3://b/k?versionId=v\n"),
    (Row("b", "k", etag="e"), Status(answers.FAILED, answers.CHANGED),
     "m:1: etag: S3 has another object as s3://b/k now\n"),
    (Row("b", "k"), Status(answers.FAILED, "403"),
     "m:1: S3 does not say whether it has s3://b/k: 403\n"),
    (Row("b", "k", is_delete_marker="true"), Status(answers.VANISHED, answers.MARKER), ""),
    (Row("b", "k"), Status(answers.VANISHED, answers.MARKER),
     "m:1: is_delete_marker: s3://b/k is a delete marker in S3\n"),
    (Row("b", "k", is_delete_marker="true"), Status(answers.ONLINE),
     "m:1: is_delete_marker: s3://b/k is not a delete marker in S3\n")])
def test_answers(presence, capsys, row, status, said):
    """What it does not have, or has otherwise."""
    errand = ask(presence, row)
    assert errand.job.by_head
    presence.answered(errand, status)
    assert capsys.readouterr().out == said


def test_what_failed_in_passing_is_asked_again(presence, capsys):
    """And told when it does not pass."""
    errand = ask(presence, Row("b", "k"))
    presence.answered(errand, Status(answers.AGAIN, "500"))
    assert capsys.readouterr().out == ""
    presence.answered(errand, Status(answers.AGAIN, "500"))
    assert "does not say" in capsys.readouterr().out
    with pytest.raises(Fault, match="no clock"):
        presence.answered(errand, Status(answers.FATAL, "no clock"))


def test_a_bucket_that_is_not_there(presence, capsys):
    """Each of its rows is told, S3 is asked once."""
    for _ in range(2):
        assert ask(presence, Row("c", "k")) is None
    assert capsys.readouterr().out == "m:1: bucket: bucket 'c' does not exist\n" * 2
    assert PlacedErrand.__slots__ == ("place",) and not presence.places
