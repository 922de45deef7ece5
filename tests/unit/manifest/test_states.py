"""What is done with a row: a table for every command, and what a row says of its object."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.disk.ledger import Entry
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.manifest.row import Row
from s3kit.s3 import description
from s3kit.units import known_ns

ENTRY = Entry("b", "k", "v", "e", 5, "2026-01-01T00:00:00Z", "GLACIER", "CRC32", "FULL_OBJECT",
              "y/Q5Jg==", "b/k", 1, 2, "xxh3:1", "etag-md5", rows.FETCHED)
# which commands act on a row of each state: fetch, restore, verify
ACTS = {"": "frv", rows.LISTED: "frv", rows.RESTORING: "frv", rows.RESTORED: "frv",
        rows.FETCHED: "fv", rows.VERIFIED: "v", rows.PRUNED: "v", rows.STORED: "frv",
        rows.FAILED: "fr", rows.MISSING: "frv", rows.MISMATCH: "frv", rows.UNVERIFIABLE: "v",
        rows.CONFLICT: "fr", rows.LOCKED: "f", rows.VANISHED: ""}
DECISIONS = {"f": states.is_to_fetch, "r": states.is_to_restore, "v": states.is_to_verify}


def acts(row):
    """Return the letters of the commands that act on a row."""
    return "".join(letter for letter, decision in DECISIONS.items() if decision(row))


@pytest.mark.parametrize("state", ["", *rows.STATES])
def test_which_commands_act_on_which_state(state):
    """On delete markers and on rows that make no sense none does."""
    assert acts(Row("b", "k", state=state)) == ACTS[state]
    assert acts(Row("b", "k", state=state, is_delete_marker="true")) == ""
    assert acts(Row("b", "k", state=state, verbatim={})) == ""


@pytest.mark.parametrize("state", ["", *rows.STATES])
def test_which_rows_are_told_again(state):
    """s3-fetch lets those be that it does not act on and whose bytes came; s3-restore also what is
    fetched, but not what S3 has no more.
    """
    row = Row("b", "k", state=state)
    assert states.is_come_before(row) is (state in ("verified", "unverifiable", "pruned"))
    came = state in ("fetched", "verified", "unverifiable")
    assert states.is_to_restore(row, again=True) is (came or states.is_to_restore(row))
    for other in (Row("b", "k", state=state, is_delete_marker="true"),
                  Row("b", "k", state=state, verbatim={})):
        assert not states.is_come_before(other) and not states.is_to_restore(other, again=True)


@pytest.mark.parametrize("storage, may_be", [
    ("", True), ("GLACIER", True), ("DEEP_ARCHIVE", True), ("INTELLIGENT_TIERING", True),
    ("GLACIER_IR", False), ("STANDARD", False), ("STANDARD_IA", False)])
def test_what_may_lie_in_an_archive(storage, may_be):
    assert states.is_to_restore(Row("b", "k", storage_class=storage)) is may_be


@pytest.mark.parametrize("column", ["version_id", "etag"])
@given(text=st.text(max_size=6) | st.sampled_from(["v\r\nx-amz-acl: public-read", "a b", "\x7f"]))
def test_what_goes_into_a_request_is_plain(column, text):
    """Letters, digits and signs of ASCII, no blank and no control character."""
    plain = all(33 <= ord(character) <= 126 for character in text)
    assert states.is_askable(Row("b", "k", **{column: text})) is plain


@pytest.mark.parametrize("version, etag, is_pinned", [("v", "", True), ("", "e", True),
                                                      ("null", "", False), ("", "", False),
                                                      ("null", "e", True)])
def test_which_bytes_a_row_means(version, etag, is_pinned):
    assert states.is_pinned(Row("b", "k", version, etag=etag)) is is_pinned


@pytest.mark.parametrize("storage, restore, is_thawing", [
    ("GLACIER", "ongoing", True), ("DEEP_ARCHIVE", "ongoing", True), ("GLACIER", "", False),
    ("GLACIER", "ready until 2026-01-01T00:00:00Z", False), ("STANDARD", "ongoing", False)])
def test_what_cannot_be_read_yet(storage, restore, is_thawing):
    row = Row("b", "k", storage_class=storage, restore=restore)
    assert states.is_thawing(row) is is_thawing


@pytest.mark.parametrize("etag, size, is_same", [
    ("e", "5", True), ("", "", True), ("e", "", True), ("", "5", True), ("x", "5", False),
    ("e", "6", False), ("", "005", True), ("", "0", False)])
def test_the_same_object(etag, size, is_same):
    """What the row does not say is not held against the ledger's entry."""
    assert states.is_same_object(Row("b", "k", etag=etag, size=size), ENTRY) is is_same
    assert states.is_same_object(Row("b", "k", etag="x", size="5"), ENTRY._replace(etag=""))


@pytest.mark.parametrize("version, at, is_again", [
    ("", "2026-01-01T00:00:01Z", True), ("null", "2026-01-01T00:00:00.001Z", True),
    ("v", "2026-01-02T00:00:00Z", False), ("", "2026-01-01T00:00:00Z", False),
    ("", "2026-01-01T00:30:00+01:00", False), ("", "", False), ("", "soon", False)])
def test_put_again(version, at, is_again):
    """Later, and under a name that can be put once more."""
    row = Row("b", "k", version, last_modified=at)
    assert states.is_put_again(row, ENTRY) is is_again
    assert not states.is_put_again(row, ENTRY._replace(last_modified=""))
    assert is_again is (version != "v" and (known_ns(at) or 0) > known_ns(ENTRY.last_modified))


def test_a_row_is_filled_from_the_ledger():
    """All that the row does not say, and what only the ledger knows."""
    row = Row("b", "k", state=rows.FAILED, error="timed out")
    states.keep(row, ENTRY)
    assert row == Row("b", "k", "v", size="5", last_modified=ENTRY.last_modified, etag="e",
                      storage_class="GLACIER", checksum_algorithm="CRC32",
                      checksum_type="FULL_OBJECT", checksum="y/Q5Jg==", state=rows.FETCHED,
                      path="b/k", digest="xxh3:1", proof="etag-md5")


def test_what_a_row_says_stays():
    """But for a checksum, of which the ledger has the one that was checked."""
    row = Row("b", "k", "w", size="05", last_modified="2025-01-01T00:00:00Z", etag="f",
              storage_class="STANDARD", checksum_algorithm="SHA1", checksum="x", restore="ongoing")
    states.keep(row, ENTRY._replace(checksum=""))
    assert (row.version_id, row.size, row.last_modified, row.etag, row.storage_class) == (
        "w", "05", "2025-01-01T00:00:00Z", "f", "STANDARD")
    assert (row.checksum_algorithm, row.checksum, row.restore) == ("SHA1", "x", "ongoing")
    states.keep(row, ENTRY)
    assert (row.checksum_algorithm, row.checksum) == ("CRC32", "y/Q5Jg==")


def test_every_state_has_its_commands():
    assert set(ACTS) == {"", *rows.STATES}
    assert states.NEVER_HERE == {"", rows.LISTED, rows.RESTORING, rows.RESTORED}


@pytest.mark.parametrize("told, checksum", [(ENTRY, "y/Q5Jg=="),
                                            (ENTRY._replace(checksum=""), "x")])
def test_the_checksum_that_was_told(told, checksum):
    """It takes the place of the row's; none takes nothing away."""
    row = Row("b", "k", checksum="x")
    states.take_checksum(row, told)
    assert (row.checksum, row.checksum_type) == (checksum, "FULL_OBJECT" if told.checksum else "")


def test_what_a_row_says_of_its_object_besides_the_bytes():
    """What was told takes the place of all that was there, and of nothing else."""
    row = Row("b", "k")
    assert not states.is_described(row)
    states.take_description(row, {})
    assert row.extra is None
    row.extra = {"note": "x", "stored_at": "s3://c/k", "content_type": ""}
    assert not states.is_described(row)
    row.set_optional("metadata", "a=1")
    assert states.is_described(row) and states.description_of(row) == {"metadata": "a=1"}
    states.take_description(row, {"content_type": "text/plain"})
    assert row.extra == {"note": "x", "stored_at": "s3://c/k", "content_type": "text/plain"}
    assert set(states.DESCRIPTION) == {*description.COLUMNS.values(), "metadata"}
