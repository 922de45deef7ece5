"""The figures of rows."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE
from s3kit.manifest.row import STATES, Row
from s3kit.status import figures
from s3kit.status.figures import Figures, is_proven

PROOFS = ("", "size", "crc32", "etag-md5", "given-md5", "digest")
ROWS = st.lists(st.builds(
    Row, bucket=st.sampled_from(["a", "b"]), key=st.sampled_from("xyz"),
    is_delete_marker=st.sampled_from(["", "true"]), size=st.sampled_from(["", "0", "7"]),
    state=st.sampled_from(["", *STATES]), proof=st.sampled_from(PROOFS),
    error=st.sampled_from(["", "why", "another"])), max_size=60)


def of(*rows):
    """Return the Figures of rows."""
    found = Figures()
    found.add(rows)
    return found


@pytest.mark.parametrize("state, proof, proven", [
    ("verified", "crc32", True), ("fetched", "etag-md5-parts:8388608", True),
    ("stored", "digest", True), ("pruned", "sha256", True), ("verified", "size", False),
    ("verified", "given-md5", False), ("verified", "", False), ("listed", "crc32", False),
    ("failed", "crc32", False), ("mismatch", "crc32", False), ("unverifiable", "size", False)])
def test_what_is_proven(state, proof, proven):
    """The weakest proof is never called the strongest, and one of another day proves nothing."""
    assert is_proven(state, proof) == proven


@given(ROWS)
def test_sums_agree(rows):
    """With each other, and with the rows counted one by one."""
    facts = of(*rows).facts()
    objects = [row for row in rows if not row.is_marker]
    for name, column, counted in (("buckets", "bucket", rows), ("states", "state", rows),
                                  ("proofs", "proof", objects)):
        assert {kind: amount["rows"] for kind, amount in facts[name].items()} == Counter(
            getattr(row, column) or "none" for row in counted)
        assert sum(amount["bytes"] for amount in facts[name].values()) == sum(
            int(row.size or 0) for row in counted)
    assert facts["rows"] == len(rows) and facts["delete_markers"] == len(rows) - len(objects)
    assert facts["proven"]["rows"] + facts["unproven"]["rows"] == len(objects)
    assert len(facts["unproven"]["first"]) == facts["unproven"]["rows"]
    assert sum(error["rows"] for error in facts["errors"]) == sum(
        bool(row.error or row.state in figures.TOLD) for row in rows)
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize("rows, status", [
    ([], DONE), ([Row("b", "k", state="listed")], DONE),
    ([Row("b", "k", state="unverifiable")], UNVERIFIABLE),
    ([Row("b", "k", state="unverifiable"), Row("b", "k", state="missing")], SOME_FAILED),
    ([Row("b", "k", state="fetched", error="its metadata is not known")], SOME_FAILED)])
def test_the_status(rows, status):
    """What is wrong goes before what nobody knows."""
    assert of(*rows).status() == status


def test_what_is_not_proven_is_bounded(monkeypatch):
    """Only the first are named; all are counted."""
    monkeypatch.setattr(figures, "MOST_UNPROVEN", 2)
    found = of(*(Row("b", str(number)) for number in range(5)))
    found.add([Row("b", "later")])
    facts = found.facts()["unproven"]
    assert facts["rows"] == 6 and [each["key"] for each in facts["first"]] == ["0", "1"]
