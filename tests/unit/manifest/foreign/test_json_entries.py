"""Entries by the names of the API."""

import pytest

from s3kit.manifest.foreign.json_entries import entry_row, time_of
from s3kit.manifest.row import Row


def test_an_entry():
    """Every member, all as text; whose it is does not count."""
    entry = {"Key": "a%41", "VersionId": "null", "IsLatest": False, "Size": "9007199254740993",
             "ETag": '"e-2"', "StorageClass": "GLACIER", "ChecksumAlgorithm": ["CRC32", "SHA1"],
             "ChecksumType": "COMPOSITE", "LastModified": "2026-01-31T12:00:00+00:00",
             "Owner": {"ID": "x"}, "RestoreStatus": {
                 "IsRestoreInProgress": False, "RestoreExpiryDate": "2026-02-01T00:00:00.000Z"}}
    assert entry_row(entry, "b", "false", "line 1") == Row(
        "b", "a%41", "null", "false", "false", "9007199254740993", "2026-01-31T12:00:00Z", "e-2",
        "GLACIER", "CRC32 SHA1", "COMPOSITE", restore="ready until 2026-02-01T00:00:00Z",
        state="listed")
    row = entry_row({"Key": "k", "ChecksumSHA256": "abc=", "RestoreStatus":
                     {"IsRestoreInProgress": True}}, "b", "", "line 1")
    assert (row.checksum_algorithm, row.checksum, row.restore) == ("SHA256", "abc=", "ongoing")


@pytest.mark.parametrize("entry", ["k", "7", None, {"Size": "1"}, {"Key": None}, {"Key": ["k"]}])
def test_what_is_no_entry(entry):
    assert entry_row(entry, "b", "", "line 3").error == (
        "line 3: it is not an entry of a listing: it has no Key")


@pytest.mark.parametrize("said, expected", [
    ("2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00Z"), ("", ""),
    ("2026-01-31T12:00:00.000Z", "2026-01-31T12:00:00Z"),
    ("2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00")])
def test_times(said, expected):
    assert time_of(said) == expected
