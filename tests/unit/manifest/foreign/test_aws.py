"""The AWS CLI's JSON: what it wrote of a real bucket, merged again, and what is not whole."""

import json

import pytest
from foreignruns import LISTINGS, listing, read
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign import aws, s3xml


@pytest.mark.parametrize("step", [1, 4099, None])
@pytest.mark.parametrize("name", ["versions", "objects"])
def test_it_says_what_the_answers_said(name, step):
    """The same rows as S3's own XML, in the same order; the current objects were asked for without
    what they say of restores.
    """
    rows, stop = listing(aws.Reader("odd-keys"), f"aws-{name}.json", step)
    assert [row.key for row in rows if row.restore] == ["cold"]
    for row in rows:
        row.restore = row.restore if name == "versions" else ""
    assert stop is None and rows == listing(s3xml.Reader(), f"{name}.xml")[0]


@pytest.mark.parametrize("name", ["objects-page", "versions-page", "versions-nopaginate"])
def test_a_page_is_not_all(name):
    """Rows come, and that more are missing is said; the bucket's name may be in it."""
    rows, stop = listing(aws.Reader("b"), f"aws-{name}.json")
    assert isinstance(stop, Cut) and "more follow" in str(stop) and len(rows) in (3, 4)
    assert rows[0].bucket == ("odd-keys" if "nopaginate" in name else "b")


def test_no_objects():
    assert listing(aws.Reader("b"), "aws-empty.json") == ([], None)
    rows, stop = read(aws.Reader("b"), b"")
    assert not rows and str(stop) == "there is no page"


def test_documents_one_after_the_other():
    """Pages of a loop with --starting-token, and listings of two buckets."""
    page = (LISTINGS / "aws-objects-page.json").read_bytes()
    rest = json.dumps({"Contents": [{"Key": "a"}]}).encode()
    rows, stop = read(aws.Reader("b"), page + rest + page + rest)
    assert stop is None and len(rows) == 8
    rows, stop = read(aws.Reader("b"), page + page)
    assert len(rows) == 6 and "page 2 does not follow" in str(stop)


@pytest.mark.parametrize("at", range(60, 1190, 59))
def test_a_cut_document(at):
    """It has no rows at all, wherever it is cut."""
    rows, stop = read(aws.Reader("b"), (LISTINGS / "aws-objects.json").read_bytes()[:at], 64)
    assert not rows and isinstance(stop, Cut) and "the document is cut" in str(stop)


def test_no_bucket():
    """Which bucket it was is not in the document: every row says so, once."""
    rows, stop = listing(aws.Reader(), "aws-objects.json")
    assert stop is None and {row.state for row in rows} == {"failed"}
    assert rows[4].error == "row 5: no bucket (give --bucket B for rows without one)"
    assert rows[4].verbatim["bucket"] == ""


def test_nonsense_is_named():
    """Text that is not an entry, a prefix of which nothing is listed."""
    data = (b'{"Contents": [\n"k",\n{"Key": "a", "Size": "NA"},\n{"Key": "b"}],\n'
            b'"CommonPrefixes": [{"Prefix": "p/"}]}')
    rows, stop = read(aws.Reader("b"), data)
    assert stop is None and [row.error for row in rows] == [
        "line 2: it is not an entry of a listing: it has no Key",
        "line 3: size 'NA' is not a number of bytes", "",
        "line 5: a common prefix: what is below it is not listed"]
    assert rows[3].verbatim["key"] == "p/"


def test_what_is_refused(monkeypatch):
    """A piece of a document, and one that would need too much memory."""
    for piece in (b'[{"Key": "a"}]', b"[]"):
        _, stop = read(aws.Reader("b"), piece)
        assert "--query" in str(stop)
    monkeypatch.setattr(aws, "LIMIT", 1000)
    rows, stop = listing(aws.Reader("b"), "aws-objects.json", 100)
    assert not rows and type(stop) is Fault and "s3-manifest --versions" in str(stop)


ENTRIES = st.lists(st.tuples(st.sampled_from(["a", "b", "\ue000", "\U0001f600"]), st.booleans(),
                             st.integers(0, 3)), max_size=10)


@settings(max_examples=100)
@given(ENTRIES)
def test_versions_and_markers_are_merged(entries):
    """Against S3's order: by the keys' bytes, the newest first; where only the times are told and
    two are of one second, a version counts as the newer one.
    """
    entries = sorted(entries, key=lambda entry: (entry[0].encode(), -entry[2], entry[1]))
    listed, before = [], None
    for number, (key, is_marker, second) in enumerate(entries):
        listed.append((key, is_marker, {"Key": key, "VersionId": str(number), "IsLatest":
                                        key != before,
                                        "LastModified": f"2026-01-01T00:00:0{second}+00:00"}))
        before = key
    document = {name: [entry for _, is_marker, entry in listed if is_marker is kind]
                for name, kind in (("Versions", False), ("DeleteMarkers", True))}
    document = {name: found for name, found in document.items() if found}
    rows, stop = read(aws.Reader("b"), json.dumps(document).encode())
    assert stop is None
    assert [row.version_id for row in rows] == [str(number) for number in range(len(entries))]


def test_the_latest_is_first():
    """Also where its second is that of others."""
    entries = [{"Key": "k", "VersionId": name, "IsLatest": name == "marker",
                "LastModified": "2026-01-01T00:00:00Z"} for name in ("version", "marker")]
    document = {"Versions": entries[:1], "DeleteMarkers": entries[1:]}
    rows, _ = read(aws.Reader("b"), json.dumps(document).encode())
    assert [row.version_id for row in rows] == ["marker", "version"]
