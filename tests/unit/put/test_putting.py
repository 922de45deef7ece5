"""What becomes of the workers' answers, and of the rows."""

import hashlib
import os

import pytest

from s3kit.errors import SOME_FAILED, UNVERIFIABLE as NOT_VERIFIED, Fault
from s3kit.manifest.row import (
    CONFLICT,
    FAILED,
    LISTED,
    MISMATCH,
    PRUNED,
    STORED,
    UNVERIFIABLE,
    VERIFIED,
    Row,
)
from s3kit.proof.digest import digest_of
from s3kit.put.putting import UNPROVEN, weakest
from unit.put.in_process import Run

BODY, OTHER = b"the bytes of a file", b"the bytes of a fire"
MD5 = hashlib.md5(BODY).hexdigest()


def under_way(run, **columns):
    """Return the errand of a row that was taken."""
    run.desk.file("k", BODY)
    run.putting.take(Row(**{"bucket": "src", "key": "k", "path": "k"} | columns), None)
    [(errand, _)], run.stage.queue = run.stage.queue, []
    return errand


# --- rows that are stored


def test_a_row_of_a_bucket_stays_that(desk):
    """What is deleted after a copy is the source."""
    run = Run(desk)
    row = run.put(body=BODY, version_id="v", etag=MD5, storage_class="GLACIER", is_latest="false",
                  last_modified="2001-01-01T00:00:00Z", error="before", state=VERIFIED)
    stored = run.fake.get("b", "p/k")
    assert (row.bucket, row.key, row.version_id, row.etag, row.storage_class, row.is_latest,
            row.last_modified, row.checksum) == (
        "src", "k", "v", MD5, "GLACIER", "false", "2001-01-01T00:00:00Z", "")
    assert (row.state, row.error, row.path, row.proof, row.digest, row.size) == (
        STORED, "", "k", "crc32", digest_of(BODY), str(len(BODY)))
    assert row.extra == {"stored_at": f"s3://b/p/k?versionId={stored.id}"}
    [(_, upload)] = run.stage.finished
    assert (upload.bucket, upload.key, upload.version_id, upload.etag) == ("src", "k", "v", MD5)
    assert (upload.to_bucket, upload.to_key, upload.to_version_id, upload.to_etag) == (
        "b", "p/k", stored.id, stored.etag)
    assert (upload.size, upload.path, upload.far_proof, upload.proof) == (
        len(BODY), "k", "crc32", "crc32")


def test_a_row_of_a_file_becomes_the_copy_s(desk):
    """With all that S3 says of it."""
    run = Run(desk, to_storage_class="STANDARD_IA")
    row = run.put(body=BODY, size=str(len(BODY)), last_modified="2001-01-01T00:00:00Z")
    stored = run.fake.get("b", "p/k")
    assert (row.bucket, row.key, row.version_id, row.etag, row.is_latest) == (
        "b", "p/k", stored.id, stored.etag, "true")
    assert (row.checksum_algorithm, row.checksum_type, row.checksum) == (
        "CRC32", "FULL_OBJECT", stored.checksum)
    assert row.last_modified != "2001-01-01T00:00:00Z" and row.path == "k"
    [(_, upload)] = run.stage.finished
    assert upload[4:8] == ("b", "p/k", stored.id, stored.etag)


@pytest.mark.parametrize("columns, state", [
    ({"version_id": "v"}, PRUNED), ({"bucket": "b", "key": "p/k", "version_id": "v"}, PRUNED),
    ({"bucket": "b", "key": "p/k"}, STORED)])
def test_a_row_that_is_pruned(desk, columns, state):
    """Its file is stored, and its version stays deleted; what has no version is there again."""
    run = Run(desk, target=("b", "" if "key" in columns else "p/"))
    row = run.put(body=BODY, path="k", etag=MD5, state=PRUNED, **{"key": "k"} | columns)
    assert (row.state, row.error) == (state, "") and run.body() == BODY
    assert row.extra["stored_at"].startswith("s3://b/p/k?versionId=")
    assert run.putting.summary()[0] == "1 row stored" and run.putting.status() == 0


def test_a_row_that_is_put_again(desk):
    """By its own output: it is there, and stays as it is."""
    first = Run(desk)
    row = first.put(body=BODY)
    copy = Row(**{name: getattr(row, name) for name in Row.__slots__})
    run = Run(desk)
    run.putting.take(copy, None)
    run.stage.work()
    assert copy.state == STORED and copy.extra == row.extra and copy.key == "p/k"
    assert (run.putting.stored, run.putting.kept) == (0, 1)
    assert len(run.fake.versions("b")) == 1


def test_a_file_that_changed_since_its_copy(desk):
    """Its row becomes that of the new copy."""
    first = Run(desk).put(body=BODY)
    row = Row("b", "p/k", first.version_id, etag=first.etag, path="k", extra=dict(first.extra))
    desk.file("k", OTHER)
    run = Run(desk)
    run.putting.take(row, None)
    run.stage.work()
    new = run.fake.get("b", "p/k")
    assert row.state == STORED and new.body == OTHER and new.id != first.version_id
    assert (row.version_id, row.etag) == (new.id, new.etag)
    assert row.extra["stored_at"].endswith(new.id)


def test_a_bucket_without_versions(desk):
    """The copy has no version."""
    desk.fake.buckets["b"].versioning = ""
    row = Run(desk).put(body=BODY)
    assert row.extra == {"stored_at": "s3://b/p/k"} and (row.version_id, row.is_latest) == ("", "")


def test_other_columns_stay(desk):
    """And a digest that was given: nobody could say it again."""
    given = f"md5:{MD5}"
    row = Run(desk).put(body=BODY, extra={"mine": "x"}, digest=given, etag="e")
    assert row.extra["mine"] == "x" and row.digest == given and row.state == STORED


def test_nothing_is_known_of_the_copy(desk):
    """It is not stored, but not wrong either."""
    run = Run(desk, kms_key="key")
    run.fake.fault("no-sum", method=None, key="p/k", times=None)
    row = run.put(body=BODY, etag=MD5)
    assert (row.state, row.error, row.proof) == (UNVERIFIABLE, UNPROVEN, "size")
    assert row.extra["stored_at"] and run.stage.left == [(row, True)]
    assert run.putting.status() == NOT_VERIFIED


@pytest.mark.parametrize("hop, far, proof", [
    (None, "crc32", "crc32"), (None, "size", "size"), ("crc64nvme", "crc32", "crc32"),
    ("crc64nvme", "size", "size"), ("etag-md5", "sha256", "sha256"), ("size", "crc32", "size"),
    ("", "crc32", "size"), ("", "size", "size"), ("given-md5", "crc32", "given-md5"),
    ("given-md5", "size", "size")])
def test_a_chain_is_as_strong_as_its_weakest_link(hop, far, proof):
    """From the object to the file, from the file to its copy."""
    assert weakest(hop, far) == proof


@pytest.mark.parametrize("columns, proof", [
    ({}, "crc32"), ({"etag": MD5}, "crc32"), ({"etag": "no-md5"}, "size"),
    ({"etag": "e", "digest": f"md5:{MD5}"}, "given-md5"),
    ({"etag": "e", "digest": digest_of(BODY), "proof": "sha256"}, "crc32"),
    ({"etag": "e", "digest": digest_of(BODY), "proof": "size"}, "size"),
    ({"etag": "e", "digest": digest_of(BODY)}, "size")])
def test_the_proof_of_a_row(desk, columns, proof):
    """That of its object, end to end; the copy's own is kept apart."""
    run = Run(desk)
    row = run.put(body=BODY, **columns)
    assert (row.state, row.proof) == (STORED, proof)
    assert run.place.uploads.at("b", "p/k").far_proof == "crc32"


def test_files_are_removed_after_that(desk):
    """Those whose copies are proven."""
    run = Run(desk, remove_local=True)
    assert run.put(body=BODY, etag="no-md5").state == STORED
    assert not (desk.folder / "k").exists() and run.place.removed == 1
    assert "1 file removed" in run.putting.summary()


# --- rows that fail


def test_what_fails_in_passing(desk):
    """It is looked at first, then sent again; in the end the row fails, aloud."""
    run = Run(desk, is_fresh=True, retries=2)
    run.fake.fault("status", method="PUT", key="p/k", status=500, times=None)
    row = run.put(body=BODY)
    assert row.state == FAILED and "InternalError" in row.error
    assert run.stage.left == [(row, True)] and len(run.stage.retried) == 2
    assert [job.is_looked for job in run.stage.done] == [False, True, True]
    assert [one.method for one in run.fake.log] == ["PUT", "HEAD", "PUT", "HEAD", "PUT"]


def test_a_lost_answer(desk):
    """Nothing is sent twice."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("lost", method="PUT", key="p/k")
    assert run.put(body=BODY).state == STORED and len(run.fake.versions("b")) == 1
    assert (run.putting.stored, run.putting.kept) == (1, 0)


@pytest.mark.parametrize("there, columns, options, state", [
    (OTHER, {}, {"if_absent": True}, CONFLICT),
    (None, {"etag": "e", "digest": digest_of(OTHER)}, {}, MISMATCH),
    (None, {"etag": hashlib.md5(OTHER).hexdigest()}, {}, UNVERIFIABLE),
    (None, {"size": "5"}, {}, FAILED)])
def test_what_fails_for_good(desk, there, columns, options, state):
    """Its row says how; a copy of before is not its any more."""
    if there:
        desk.fake.put("b", "p/k", there)
    run = Run(desk, **options)
    row = run.put(body=BODY, extra={"stored_at": "s3://b/p/k"}, **{"proof": "crc32"} | columns)
    assert row.state == state and row.error and run.stage.left == [(row, True)]
    assert (row.extra["stored_at"], row.proof) == ("", "")
    assert run.body() == there and run.stage.finished == []


def test_a_row_without_the_column_gets_none(desk):
    """It failed: there is nothing to say."""
    row = Run(desk).put("none")
    assert row.state == FAILED and row.extra is None


def test_s3_will_not_have_us(desk):
    """That ends the run."""
    run = Run(desk)
    run.fake.fault("status", method="PUT", key="p/k", status=403, code="InvalidAccessKeyId")
    with pytest.raises(Fault, match="InvalidAccessKeyId"):
        run.put(body=BODY)


@pytest.mark.parametrize("state, is_mine", [(LISTED, True), (STORED, True), (MISMATCH, False)])
def test_which_rows(desk, state, is_mine):
    """As targets has it."""
    assert Run(desk).putting.is_mine(Row("b", "k", state=state)) == is_mine


# --- afterwards


def test_what_is_shown(desk):
    """Bytes that go."""
    run, moves = Run(desk), []
    run.putting.progress.move = lambda *move: moves.append(move)
    run.putting.moved(5), run.putting.moved(7)
    assert moves == [(5,), (7,)] and run.putting.moved_bytes == 12


def test_the_summary(desk):
    """Only what there was."""
    def said(run):
        return [part for part in run.putting.summary() if part]

    run = Run(desk)
    assert said(run) == ["0 rows stored"] and run.putting.status() == 0
    desk.fake.put("b", "p/there", BODY)
    run.put("there", body=BODY)
    assert said(run) == ["nothing to store", "1 row already there"]
    run.put("k", body=BODY), run.put("none")
    run.putting.moved(2048)
    assert said(run) == ["1 row stored (2.0K)", "1 row already there", "1 row failed"]
    assert run.putting.status() == SOME_FAILED


def test_a_directory_without_a_ledger(desk, monkeypatch):
    """All is sent as well; nothing is known of it later."""
    real = os.makedirs

    def refuse(path, *more, **options):
        if str(path).endswith(".s3kit"):
            raise OSError(30, "Read-only file system", path)
        return real(path, *more, **options)
    monkeypatch.setattr("s3kit.put.place.os.makedirs", refuse)
    run = Run(desk)
    assert run.place.uploads is None
    assert run.put("k", body=BODY).state == STORED and run.body() == BODY
    large = os.urandom(12_000)
    assert run.put("l", body=large).state == STORED and run.body("p/l") == large
    os.unlink(desk.folder / "k")
    assert run.put("k").state in (FAILED, CONFLICT)


def test_an_errand_that_is_sent_once_more(desk):
    """With what is there looked at first."""
    run = Run(desk, is_fresh=True)
    errand = under_way(run)
    run.putting.resend(errand)
    [(sent, job)] = run.stage.queue
    assert sent is errand and job.is_looked and job.token == errand.job.token
