"""A row whose file is looked at."""

import pytest

from s3kit.manifest.row import UNVERIFIABLE, VERIFIED, Row
from s3kit.pipeline.entries import entry_of
from s3kit.verify.file_errand import FileErrand

SINCE = "2026-01-01T00:00:00Z"


def errand_of(row, entry=None, status=None):
    """Return the errand of a row."""
    return FileErrand(row, "b/k", status, entry)


def entry(**columns):
    """Return the ledger's Entry of a file of seven bytes."""
    return entry_of(Row("b", "k", path="b/k", state=VERIFIED, **columns), "", 7, 1, 1)


@pytest.mark.parametrize("size, known, length", [("4", True, 4), ("", True, 7), ("", False, None)])
def test_how_long_an_object_is(size, known, length):
    """As the row says, else the ledger."""
    assert errand_of(Row("b", "k", size=size), entry() if known else None).length == length


@pytest.mark.parametrize("digest, recorded, read, same", [
    ("", "", "d", None), ("d", "", "d", True), ("", "d", "d", True), ("e", "d", "d", False)])
def test_a_recorded_digest(digest, recorded, read, same):
    """That of the row goes before the ledger's; without any nothing is said."""
    made = errand_of(Row("b", "k", digest=digest), entry(digest=recorded))
    assert made.is_recorded(read) is same


def test_the_digest_of_an_unverifiable_row():
    """It can only tell a change."""
    made = errand_of(Row("b", "k", digest="d", state=UNVERIFIABLE))
    assert made.is_recorded("d") is None and made.is_recorded("e") is False


def test_a_given_digest_of_no_known_kind():
    """It is said why it proves nothing."""
    made = errand_of(Row("b", "k", digest="crc9:00"))
    assert made.given == "" and made.ours in ("", "crc9:00")


def test_what_was_proven_before():
    """By the row, else by the ledger."""
    assert errand_of(Row("b", "k", proof="sha256"), entry(proof="size")).known_proof == "sha256"
    assert errand_of(Row("b", "k"), entry(proof="size")).known_proof == "size"
    assert errand_of(Row("b", "k")).proof_by_record == "digest"
    assert errand_of(Row("b", "k"), entry(proof="given-md5")).proof_by_record == "given-md5"
