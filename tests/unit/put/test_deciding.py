"""Which file goes where: what is decided of a row before S3 is asked."""

import os
import zlib

import pytest
from fakes3 import b64

from s3kit.disk.ledger import Entry
from s3kit.disk.uploads import Upload
from s3kit.errors import Fault
from s3kit.manifest.row import CONFLICT, FAILED, FETCHED, LISTED, MISMATCH, STORED, Row
from s3kit.proof.claims import NO_CLAIM
from s3kit.proof.digest import digest_of
from s3kit.put.deciding import expected_of, stored_of
from s3kit.transfer.put_job import Identity
from unit.put.in_process import STEP, Run

BODY = b"the bytes of a file"
OURS, THEIRS = digest_of(BODY), digest_of(b"other")
MD5 = "md5:" + "0" * 32


def job_of(run, row, entry=None):
    """Return the job that a row gets."""
    run.putting.take(row, entry)
    [(errand, job)] = run.stage.queue
    return job


def entry_of(**changed):
    """Return the ledger's Entry of a file that was fetched."""
    return Entry("src", "k", "v", "e", len(BODY), "", "", "", "", "", "src/k", 1, 2, OURS,
                 "crc64nvme", FETCHED)._replace(**changed)


# --- the file and its target


@pytest.mark.parametrize("is_fresh", [False, True])
@pytest.mark.parametrize("if_absent", [False, True])
def test_a_job(desk, is_fresh, if_absent):
    """The file as it is now, on what condition it goes, and by which options. With --if-absent the
    target is always looked at, for not all servers heed conditions.
    """
    identity = desk.file("k", BODY)
    run = Run(desk, is_fresh=is_fresh, if_absent=if_absent, follow_links=True,
              checksum="sha256")
    job = job_of(run, Row("src", "k", path="k", state=LISTED))
    assert (job.kind, job.bucket, job.key, job.path, job.identity) == (
        "put", "b", "p/k", "k", identity)
    assert (job.is_looked, job.condition) == (
        if_absent or not is_fresh, "*" if is_fresh else "")
    assert job.only_absent == if_absent and job.follows and job.algorithm == "sha256"
    assert f"x-amz-meta-s3kit-token: {job.token}" in job.headers and len(job.token) == 32
    assert [line for line in job.headers if line.startswith("x-amz-meta-mtime: ")]


def test_no_two_jobs_have_one_token(desk):
    """Each write can be told from every other."""
    desk.file("k", BODY)
    tokens = {job_of(Run(desk), Row("src", "k", path="k")).token for _ in range(5)}
    assert len(tokens) == 5


@pytest.mark.parametrize("at, row, known", [
    ("elsewhere", Row("src", "k", path="elsewhere"), False), ("src/k", Row("src", "k"), False),
    ("k", Row("src", "k"), False), ("src/k", Row("src", "k", "v"), True)])
def test_where_the_file_lies(desk, at, row, known):
    """Where the row says, the ledger, s3-fetch, or the key."""
    desk.file(at, BODY)
    assert job_of(Run(desk), row, entry_of() if known else None).path == at


def test_an_entry_of_another_object(desk):
    """It says nothing of this one: neither where it lies nor what its digest is."""
    desk.file("k", BODY)
    job = job_of(Run(desk), Row("src", "k", "v", etag="other"), entry_of(path="gone"))
    assert job.path == "k" and job.expected.digest == ""


@pytest.mark.parametrize("row, state, why", [
    (Row("src", "none", path="none"), FAILED, "there is no file 'none' below '{}'"),
    (Row("src", "folder", path="folder"), FAILED, "'folder' is a directory"),
    (Row("src", "link", path="link"), FAILED, "'link' is a symbolic link (--follow-links)"),
    (Row("src", "k", path="k", size="5"), FAILED, "the file has 19 bytes, not 5"),
    (Row("src", "k", path="k", size="5", etag="e"), MISMATCH, "the file has 19 bytes, not 5"),
    (Row("src", "k" * 1023, path="k"), FAILED, "the target's key has 1,025 bytes"),
    (Row("src", "k", path="k", size="x"), STORED, ""), (Row("src", "k", path="k"), STORED, "")])
def test_what_is_not_sent(desk, row, state, why):
    """It is said why, and nothing is asked."""
    desk.file("k", BODY)
    (desk.folder / "folder").mkdir()
    (desk.folder / "link").symlink_to("k")
    run = Run(desk, is_fresh=True)
    run.putting.take(row, None)
    run.stage.work()
    assert row.state == state and why.format(desk.folder) in row.error
    assert len(run.fake.log) == (state == STORED)
    assert run.stage.left == [(row, state != STORED)]


def test_a_link_that_is_followed(desk):
    """Its target's bytes go, of the target's size."""
    desk.file("target", BODY)
    (desk.folder / "link").symlink_to("target")
    run = Run(desk, follow_links=True)
    assert run.put("link", size=str(len(BODY))).state == STORED and run.body("p/link") == BODY


def test_a_key_that_is_a_directory(desk):
    """It has no bytes, whether the directory is there or not; with bytes it is a file's."""
    (desk.folder / "there").mkdir()
    run = Run(desk)
    for key in ("there/", "gone/"):
        row = run.put(key, path="", size="0")
        assert row.state == STORED and run.body(f"p/{key}") == b""
        assert "x-amz-meta-mtime" not in run.fake.get("b", f"p/{key}").headers
    assert run.put("full/", path="", size="5").state == FAILED


def test_two_rows_with_one_target(desk):
    """The second one is a conflict; the very same row once more is not."""
    desk.file("k", BODY), desk.file("l", b"other")
    run = Run(desk)
    assert run.put("k").state == STORED
    row = run.put("k", bucket="another", path="l")
    assert row.state == CONFLICT and row.error == "another row has the target 's3://b/p/k'"
    assert run.body() == BODY and run.put("k").state == STORED


def test_a_bucket_that_is_not_there(desk):
    """It ends the run."""
    desk.file("k", BODY)
    run = Run(desk, target=("none", ""))
    with pytest.raises(Fault, match="bucket 'none' does not exist"):
        run.put("k")


@pytest.mark.parametrize("size, is_large", [(STEP, False), (STEP + 1, True)])
def test_how_it_goes(desk, size, is_large):
    """In one request, or in parts."""
    run = Run(desk, is_fresh=True)
    assert run.put(body=os.urandom(size)).state == STORED
    assert (run.stage.kinds() == ["put"]) != is_large


# --- a file that is gone


def test_a_file_that_was_stored_and_is_gone(desk):
    """The copy is looked at, that very version: it is enough."""
    first = Run(desk)
    stored = first.put(body=BODY, etag="e", version_id="v")
    os.unlink(desk.folder / "k")
    desk.fake.put("b", "p/k", b"newer")
    run = Run(desk)
    row = run.put(etag="e", version_id="v")
    assert (row.state, row.extra, row.proof) == (STORED, stored.extra, stored.proof)
    assert run.stage.kinds() == ["look"] and (run.putting.stored, run.putting.kept) == (0, 1)


@pytest.mark.parametrize("columns", [
    {"version_id": "w"}, {"bucket": "another", "etag": "x"}, {"etag": "e"}, {"size": "5"},
    {"last_modified": "2001-01-01T00:00:00Z"}])
def test_a_file_of_another_object(desk, columns):
    """What was stored there is of another row: its file is missing."""
    Run(desk).put(body=BODY, version_id="v", etag="x")
    os.unlink(desk.folder / "k")
    run = Run(desk)
    row = run.put(**columns)
    assert row.state == FAILED and "there is no file 'k'" in row.error and run.stage.done == []


def test_a_file_of_a_local_row_that_is_gone(desk):
    """Its row knows nothing of the copy: the path, the size and the time tell."""
    desk.file("k", BODY)
    os.utime(desk.folder / "k", (1_700_000_000, 1_700_000_000))
    stored = Run(desk).put()
    os.unlink(desk.folder / "k")
    row = Run(desk).put(size=str(len(BODY)), last_modified="2023-11-14T22:13:20Z")
    assert row.state == STORED and row.version_id == stored.version_id and row.key == "p/k"


@pytest.mark.parametrize("change", [
    lambda fake: fake.delete("b", "p/k", fake.get("b", "p/k").id),
    lambda fake: setattr(fake.get("b", "p/k"), "etag", "other")])
def test_a_copy_that_is_gone_as_well(desk, change):
    """Then nothing is left of it, as far as we know."""
    Run(desk).put(body=BODY, version_id="v", etag="x")
    os.unlink(desk.folder / "k")
    change(desk.fake)
    row = Run(desk).put(version_id="v", etag="x", extra={"stored_at": "s3://b/p/k"}, proof="crc32")
    assert row.state == FAILED and "is there no more, and its file is gone" in row.error
    assert row.extra["stored_at"] == "" and row.proof == ""


# --- what a row says of the bytes


def crc(body):
    """Return the columns of S3's CRC."""
    return {"checksum_algorithm": "CRC32", "checksum_type": "FULL_OBJECT",
            "checksum": b64(zlib.crc32(body).to_bytes(4, "big"))}


COPY = {"stored_at": "s3://b/k"}


@pytest.mark.parametrize("columns, known, digest, proof, given, hop", [
    # of a file alone: it is what the row is about
    ({}, None, "", "size", "", None), ({"digest": OURS}, None, OURS, "size", "", None),
    ({"digest": MD5}, None, "", "size", MD5, None),
    ({"digest": OURS, "etag": "e", "extra": COPY}, None, OURS, "size", "", None),
    # of an object: our digest, of bytes that were checked as they came
    ({"etag": "e", "digest": OURS, "proof": "crc32"}, None, OURS, "size", "", "crc32"),
    ({"etag": "e", "digest": OURS}, None, OURS, "size", "", ""),
    ({"etag": "e", "digest": OURS}, THEIRS, OURS, "size", "", "crc64nvme"),
    ({"etag": "e"}, OURS, OURS, "size", "", "crc64nvme"),
    ({"etag": "e", "digest": MD5}, OURS, OURS, "size", MD5, "crc64nvme"),
    # else what S3 says, or somebody
    ({"etag": "e"} | crc(BODY), None, "", "crc32", "", "crc32"),
    ({"etag": "0" * 32}, None, "", "etag-md5", "", "etag-md5"),
    ({"etag": "0" * 32 + "-2"}, None, "", "etag-md5-parts", "", "etag-md5-parts"),
    ({"etag": "e", "digest": MD5}, None, "", "size", MD5, "given-md5"),
    ({"etag": "e", "digest": MD5} | crc(BODY), None, "", "crc32", MD5, "crc32"),
    ({"etag": "e", "digest": "md5:12"}, None, "", "size", "", ""),
    ({"version_id": "v"}, None, "", "size", "", "")])
def test_what_is_expected(columns, known, digest, proof, given, hop):
    """And by what the bytes are the object's, if they are that."""
    row = Row(**{"bucket": "b", "key": "k"} | columns)
    entry = entry_of(digest=known) if known else None
    expected, found = expected_of(row, entry, len(BODY))
    assert (expected.digest, expected.claim.proof, expected.given, found) == (
        digest, proof, given, hop)
    assert (expected.claim == NO_CLAIM) == (proof == "size")


@pytest.mark.parametrize("change, is_known", [
    ({}, True), ({"path": "other"}, False), ({"mtime_ns": 1}, False), ({"inode": 1}, False),
    ({"size": 1}, False), ({"far_proof": ""}, False), ({"far_proof": "size"}, True)])
def test_what_the_ledger_knows_of_a_target(change, is_known):
    """That it was made of the file, if that was not changed since."""
    upload = Upload("b", "k", "", "e", "", "", "", "", "k", 4, 5, 7, "", "", "", "d", "size",
                    "etag-md5", "")._replace(**change)
    found = stored_of(upload, "k", Identity(4, 5, 6, 7))
    assert found == (("e", upload.far_proof, "d") if is_known else ())
    assert stored_of(None, "k", Identity(4, 5, 6, 7)) == ()
