"""From a row to the request that deletes exactly its version."""

import pytest
from unit.prune.conftest import Access

from s3kit.manifest.row import Row
from s3kit.prune import targets as module
from s3kit.prune.proofs import BrokenProof
from s3kit.prune.targets import NoBucket, Targets

ETAG = "e" * 32


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """The buckets whose server was tried for If-Match; that of `deaf` does not heed it."""
    found = []

    def why_unheeded(endpoint, version_id):
        found.append((endpoint.bucket, version_id))
        return "the server does not heed If-Match" if endpoint.bucket == "deaf" else ""

    monkeypatch.setattr(module, "why_unheeded", why_unheeded)
    return found


@pytest.mark.parametrize("versioning", ["Enabled", "Suspended"])
def test_a_version_id_names_bytes_that_never_change(versioning, asked):
    """No condition, and the server is not tried for one."""
    doomed = Targets(Access({"b": versioning})).target(Row("b", "k", "v", etag=ETAG))
    assert (doomed.key, doomed.version_id, doomed.etag) == ("k", "v", "")
    assert doomed.is_frozen is (versioning == "Enabled") and not asked


@pytest.mark.parametrize("versioning, version_id", [("", ""), ("", "null"), ("Suspended", "null"),
                                                    ("Enabled", "null")])
def test_what_can_be_overwritten_goes_by_its_etag(versioning, version_id, asked):
    doomed = Targets(Access({"b": versioning})).target(Row("b", "k", version_id, etag=ETAG))
    assert doomed.etag == ETAG and doomed.version_id == version_id
    assert asked == [("b", "null" if versioning else "")]


@pytest.mark.parametrize("row, versioning, words", [
    (Row("b", "k", etag=ETAG), "Enabled", "names no version"),
    (Row("b", "k", etag=ETAG), "Suspended", "names no version"),
    (Row("b", "k", "null", is_delete_marker="true"), "Suspended", "null delete marker"),
    (Row("b", "k", "null", is_delete_marker="true"), "", "null delete marker"),
    (Row("b", "k"), "", "no ETag"), (Row("b", "k", "null"), "Enabled", "no ETag"),
    (Row("deaf", "k", etag=ETAG), "", "does not heed")])
def test_what_is_not_safe(row, versioning, words):
    """It fails, with the reason, whatever its proof."""
    found = Targets(Access({row.bucket: versioning})).target(row)
    assert isinstance(found, BrokenProof) and words in found and not isinstance(found, NoBucket)


def test_a_null_marker_that_nobody_can_replace_now():
    """Where there are versions, nothing takes the place of the null one."""
    row = Row("b", "k", "null", is_delete_marker="true")
    doomed = Targets(Access({"b": "Enabled"})).target(row)
    assert doomed.version_id == "null" and not doomed.etag


def test_where_nobody_tells_of_versions_none_is_made(asked):
    """The server is tried by the name of a null version: without, a delete marker could come."""
    Targets(Access({"b": None})).target(Row("b", "k", etag=ETAG))
    assert asked == [("b", "null")]


def test_a_server_is_tried_once_for_each_bucket(asked):
    targets = Targets(Access({"b": "", "c": ""}))
    for bucket in ("b", "c", "b"):
        targets.target(Row(bucket, "k", etag=ETAG))
    assert asked == [("b", ""), ("c", "")]


def test_a_bucket_that_is_not_there(monkeypatch):
    """S3 is asked once, and every row of it hears the same."""
    access = Access()
    targets = Targets(access)
    first = targets.target(Row("none", "k", "v"))
    monkeypatch.setattr(access, "endpoint", None)
    second = targets.target(Row("none", "j", "w"))
    assert isinstance(first, NoBucket) and second is first and "NoSuchBucket" in first
