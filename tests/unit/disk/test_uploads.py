"""What the ledger knows of uploads: those that are stored, and those that are under way."""

import os
import sqlite3

import pytest

from s3kit.disk.ledger import Ledger, is_same_file
from s3kit.disk.sqlite_errors import Broken
from s3kit.disk.uploads import Sending, Upload, Uploads, storable
from s3kit.manifest.row import Row

SENDING = Sending("id", "to", "k", "p", 20, 5, 7, 10, "crc32", "token", "2026-01-01T00:00:00Z")
UPLOAD = Upload("to", "p/k", "w", "e2", "b", "k", "v", "e1", "b/k", 4, 5, 7, "CRC32",
                "FULL_OBJECT", "y/Q5Jg==", "xxh3-128:00", "etag-md5", "crc32",
                "2026-01-01T00:00:00Z")
LARGE = (1 << 64) - 2       # an inode, or a time, as some file systems have them


def pieces(number, **changed):
    """Return what a worker says of a part."""
    return {"number": number, "size": 10, "etag": f"e{number}", "checksum": "00", "md5": "",
            "leaves": "11"} | changed


@pytest.fixture
def uploads(tmp_path):
    """Uploads without any."""
    ledger = Ledger(str(tmp_path))
    yield Uploads(ledger)
    ledger.base.close()


def again(uploads):
    """Return what another process sees."""
    return Uploads(Ledger(os.path.dirname(uploads.ledger.path)))


# --- what is stored


def test_what_is_stored(uploads):
    """It is found by its target, by everybody, with all that was said of it."""
    uploads.record([UPLOAD, UPLOAD._replace(to_key="other", to_etag="e3")])
    for seen in (uploads, again(uploads)):
        assert seen.at("to", "p/k") == UPLOAD
        assert seen.at("to", "other").to_etag == "e3"
        assert seen.at("to", "k") is None and seen.at("b", "p/k") is None


def test_what_was_sent_from_a_path(uploads):
    """To all of its targets."""
    other = UPLOAD._replace(to_key="other")
    uploads.record([UPLOAD, other, UPLOAD._replace(to_key="third", path="b/x")])
    for seen in (uploads, again(uploads)):
        assert sorted(seen.sent_from("b/k")) == sorted([UPLOAD, other])
        assert seen.sent_from("none") == []


@pytest.mark.parametrize("version_id, known, doubted", [
    ("w", "w", True), ("x", "w", False), ("", "w", False), ("", "null", True), ("null", "", True),
    ("", "", True), ("w", "", False)])
def test_a_copy_that_may_be_gone(uploads, version_id, known, doubted):
    """It is known as one, without its proof; a version id of `null` is as good as none."""
    there = UPLOAD._replace(to_version_id=known)
    uploads.record([there, there._replace(to_key="other")])
    uploads.doubt([("to", "p/k", version_id), ("to", "none", version_id)])
    assert again(uploads).at("to", "p/k") == there._replace(
        far_proof="" if doubted else there.far_proof)
    assert uploads.at("to", "other").far_proof == there.far_proof


def test_one_object_at_a_target(uploads):
    """The last one counts."""
    uploads.record([UPLOAD])
    uploads.record([UPLOAD._replace(to_version_id="x", key="other")])
    assert uploads.at("to", "p/k") == UPLOAD._replace(to_version_id="x", key="other")


def test_versions_at_a_target(uploads):
    """One that is covered by a later one is known by its id, and by its source."""
    later = UPLOAD._replace(to_version_id="x", version_id="v2", path="b/k2")
    uploads.record([UPLOAD, later])
    for seen in (uploads, again(uploads)):
        assert seen.of_copy("to", "p/k", "w") == UPLOAD and seen.of_copy("to", "p/k", "x") == later
        assert seen.of_copy("to", "p/k", "y") == later and seen.of_copy("to", "k", "w") is None
        assert seen.of_source(("to", "p/k"), ("b", "k", "v")) == UPLOAD
        assert seen.of_source(("to", "p/k"), ("b", "k", "v2")) == later
        assert seen.of_source(("to", "p/k"), ("b", "k", "v3")) is None
        assert seen.sent_from("b/k") == [UPLOAD] and seen.sent_from("b/k2") == [later]
    uploads.doubt([("to", "p/k", "w")])
    assert uploads.of_copy("to", "p/k", "w") == UPLOAD._replace(far_proof="")
    uploads.note([UPLOAD._replace(proof="size"), UPLOAD._replace(to_version_id="y")])
    assert uploads.of_copy("to", "p/k", "w") == UPLOAD._replace(proof="size")
    assert uploads.at("to", "p/k") == later


@pytest.mark.parametrize("before, after, is_covered", [
    ("w", "w", False), ("", "w", False), ("null", "w", False), ("w", "null", True)])
def test_what_is_covered(uploads, before, after, is_covered):
    """Not the same version again, nor what has no version: that is replaced."""
    uploads.record([UPLOAD._replace(to_version_id=before)])
    uploads.record([UPLOAD._replace(to_version_id=after, path="b/k2")])
    assert len(uploads.sent_from("b/k")) == is_covered and len(uploads.sent_from("b/k2")) == 1


def test_all_or_nothing(uploads):
    """One that cannot be written takes the others with it; the next ones can."""
    with pytest.raises(Broken, match="cannot write the ledger"):
        uploads.record([UPLOAD, UPLOAD._replace(to_key="bad", size=None)])
    assert uploads.at("to", "p/k") is None
    uploads.record([UPLOAD])
    assert uploads.at("to", "p/k") == UPLOAD


@pytest.mark.parametrize("row, found", [
    (Row("b", "k", "v"), True), (Row("to", "p/k", "w"), True), (Row("b", "k", ""), False),
    (Row("b", "k", "w"), False), (Row("to", "k", "w"), False), (Row("b", "l", "v"), False),
    (Row("b", "k", "v", etag="e1", size="4"), True), (Row("b", "k", "v", etag="e2"), False),
    (Row("b", "k", "v", size="5"), False), (Row("to", "p/k", "w", etag="e2"), True),
    (Row("to", "p/k", "w", etag="e1"), False)])
def test_whose_copy_it_is(row, found):
    """That of the row's object, or the row is of the copy itself."""
    assert UPLOAD.is_of(row) is found


def test_whether_anything_was_uploaded(uploads):
    """One that was only begun counts."""
    assert uploads.is_empty()
    uploads.begin(SENDING)
    assert not uploads.is_empty()
    uploads.end("id")
    assert uploads.is_empty()
    uploads.record([UPLOAD])
    assert not uploads.is_empty()


# --- what is under way


def test_an_upload_under_way(uploads):
    """Found by its target, with the parts that S3 has confirmed, until it ends."""
    uploads.begin(SENDING)
    uploads.begin(SENDING._replace(upload_id="second"))
    uploads.begin(SENDING._replace(upload_id="elsewhere", to_key="l"))
    uploads.took("id", pieces(2))
    uploads.took("id", pieces(1, md5="22"))
    uploads.took("second", pieces(1, etag="other"))
    for seen in (uploads, again(uploads)):
        assert sorted(seen.under_way("to", "k")) == [SENDING, SENDING._replace(upload_id="second")]
        assert seen.under_way("b", "k") == []
        assert seen.parts("id") == {1: pieces(1, md5="22"), 2: pieces(2)}
    uploads.end("id")
    assert [one.upload_id for one in uploads.under_way("to", "k")] == ["second"]
    assert uploads.parts("id") == {} and uploads.parts("second") == {1: pieces(1, etag="other")}
    assert [one.upload_id for one in uploads.under_way("to", "l")] == ["elsewhere"]


def test_a_part_that_was_sent_again(uploads):
    """What S3 confirmed last is what it has."""
    uploads.begin(SENDING)
    uploads.took("id", pieces(1))
    uploads.took("id", pieces(1, etag="new"))
    assert uploads.parts("id") == {1: pieces(1, etag="new")}


def test_an_upload_is_known_before_its_first_part(uploads, tmp_path):
    """That must survive a power cut: it is flushed; parts are not, they can be sent again."""
    seen = []
    uploads.base.set_trace_callback(seen.append)
    uploads.begin(SENDING)
    texts = [text.split(" ")[0] if "synchronous" not in text else text.strip() for text in seen]
    full, insert = texts.index("PRAGMA synchronous = FULL"), texts.index("INSERT")
    assert full < texts.index("BEGIN") < insert < texts.index("COMMIT")
    assert texts[-1] == "PRAGMA synchronous = 1" and texts.index("COMMIT") < len(texts) - 1
    seen.clear()
    uploads.took("id", pieces(1))
    assert not [text for text in seen if "synchronous" in text]


@pytest.mark.parametrize("changed, found", [
    ({}, True), ({"path": "q"}, False), ({"size": 21}, False), ({"mtime_ns": 6}, False),
    ({"inode": 8}, False)])
def test_whether_the_file_is_still_the_same(changed, found):
    """A part of another file must not be taken for one of this."""
    now = SENDING._replace(**changed)
    assert SENDING.is_of(now.path, now) is found
    status = os.stat_result([0o100644, now.inode, 0, 1, 0, 0, now.size, 0, 0, 0],
                            {"st_mtime_ns": now.mtime_ns})
    assert is_same_file(SENDING, status) is (found or "path" in changed)


def test_numbers_that_sqlite_does_not_have(uploads):
    """Inodes and times of 64 bits come back as those of the same file."""
    large = SENDING._replace(inode=LARGE, mtime_ns=LARGE)
    uploads.begin(large)
    [found] = uploads.under_way("to", "k")
    assert found.is_of("p", large) and not found.is_of("p", large._replace(inode=LARGE - 1))
    assert storable(large) == found
    uploads.record([UPLOAD._replace(inode=LARGE)])
    status = os.stat_result([0o100644, LARGE, 0, 1, 0, 0, 4, 0, 0, 0], {"st_mtime_ns": 5})
    assert is_same_file(uploads.at("to", "p/k"), status)


# --- a database that cannot be used


USES = {"record": lambda uploads: uploads.record([UPLOAD]),
        "begin": lambda uploads: uploads.begin(SENDING),
        "took": lambda uploads: uploads.took("id", pieces(1)),
        "end": lambda uploads: uploads.end("id"), "at": lambda uploads: uploads.at("b", "k"),
        "parts": lambda uploads: uploads.parts("id"),
        "under way": lambda uploads: uploads.under_way("b", "k"),
        "empty": lambda uploads: uploads.is_empty()}


@pytest.mark.parametrize("use", USES)
def test_no_raw_error_leaves(uploads, use):
    """People are told which file it is, and why."""
    class Failing:
        def __getattr__(self, name):
            def fail(*values):
                raise sqlite3.OperationalError("database or disk is full")
            return fail

    uploads.base = Failing()
    with pytest.raises(Broken, match="the ledger '.*ledger.sqlite3': "):
        USES[use](uploads)


def test_a_ledger_of_before(tmp_path):
    """It gets the tables, and keeps what it has; they are made once."""
    ledger = Ledger(str(tmp_path))
    assert Uploads(ledger).is_empty()
    Uploads(ledger).record([UPLOAD])
    assert Uploads(Ledger(str(tmp_path))).at("to", "p/k") == UPLOAD


def test_an_error_within_a_transaction_undoes_it(uploads):
    """Also one that is not SQLite's, which goes on as it is."""
    with pytest.raises(KeyError):
        with uploads.writing():
            uploads.base.execute("DELETE FROM sending")
            uploads.base.execute("INSERT INTO part VALUES ('id', 1, 1, '', '', '', '')")
            raise KeyError("x")
    assert uploads.parts("id") == {}
    uploads.begin(SENDING)
    assert uploads.under_way("to", "k") == [SENDING]
