"""How an upload is put together, and what S3's word on the whole is worth."""

import os

import pytest

from s3kit.manifest.row import CONFLICT, FAILED, MISMATCH, STORED, UNVERIFIABLE
from s3kit.proof.digest import digest_of
from unit.put.in_process import STEP, Run

BODY, OTHER = os.urandom(3 * STEP + 7), os.urandom(3 * STEP + 7)
KMS = "key"


# --- the file


@pytest.mark.parametrize("change", [
    lambda desk: os.utime(desk.folder / "k", ns=(1, 1)), lambda desk: desk.file("k", OTHER),
    lambda desk: os.unlink(desk.folder / "k"), lambda desk: os.truncate(desk.folder / "k", 5)])
def test_a_file_that_changed_before_the_completion(desk, change):
    """What was sent is of no file: it is not completed, and nothing is left."""
    run = Run(desk, is_fresh=True)
    took = run.putting.large.uploads.took

    def taking(upload_id, pieces):
        took(upload_id, pieces)
        if pieces["number"] == 4:
            change(desk)
    run.putting.large.uploads.took = taking
    row = run.put(body=BODY)
    assert row.state == FAILED and "changed while it was read" in row.error
    assert "complete" not in run.stage.kinds() and run.body() is None
    assert run.uploads() == [] and run.under_way() == []


def test_a_digest_that_differs(desk):
    """The parts' own digests add up to another than the row's: it is not completed."""
    run = Run(desk, is_fresh=True)
    row = run.put(body=BODY, etag="e", digest=digest_of(OTHER))
    assert row.state == MISMATCH and "the digest differs" in row.error
    assert run.body() is None and run.uploads() == [] and "complete" not in run.stage.kinds()


# --- what S3 says of the whole


def test_a_wrong_checksum_of_the_whole(desk):
    """S3 has other bytes: it is sent from the beginning, and replaces them."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("wrong-sum", method="POST", after=1, key="p/k")
    row = run.put(body=BODY)
    assert row.state == STORED and run.body() == BODY
    assert any("checksum in S3's answer" in said for said in run.stage.said)
    assert run.uploads() == [] and run.under_way() == []


def test_a_checksum_that_stays_wrong(desk):
    """It is not stored, whatever is there."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("wrong-sum", method=None, key="p/k", times=None,
                   where=lambda one: one.method in ("POST", "HEAD"))
    row = run.put(body=BODY)
    assert row.state == FAILED and row.proof == "" and "checksum" in row.error
    assert run.stage.kinds().count("complete") <= 3


def test_no_checksum_in_the_answer(desk):
    """The head of the very version says it; it is asked for once."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("no-sum", method="POST", key="p/k", times=None)
    row = run.put(body=BODY, checksum_algorithm="")
    assert (row.state, row.proof) == (STORED, "crc32")
    looks = [one for one in run.fake.log if one.method == "HEAD"]
    assert [one.query.get("versionId") for one in looks] == [row.version_id]


@pytest.mark.parametrize("options, state, proof", [
    ({}, STORED, f"etag-md5-parts:{STEP}"), ({"kms_key": KMS}, UNVERIFIABLE, "size")])
def test_no_checksum_at_all(desk, options, state, proof):
    """An ETag of parts may be enough: the file is read for it. Else nothing can be said."""
    run = Run(desk, is_fresh=True, **options)
    run.fake.fault("no-sum", method=None, key="p/k", times=None,
                   where=lambda one: one.method in ("POST", "HEAD"))
    row = run.put(body=BODY)
    assert (row.state, row.proof, run.body()) == (state, proof, BODY)
    assert run.place.uploads.at("b", "p/k").far_proof == proof
    assert run.stage.kinds().count("complete") == 1


def test_we_may_not_look_at_what_was_completed(desk):
    """What S3 said at the completion counts."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("no-sum", method="POST", key="p/k", times=None)
    run.fake.fault("status", method="HEAD", key="p/k", status=403, times=None)
    row = run.put(body=BODY)
    assert (row.state, row.proof) == (STORED, f"etag-md5-parts:{STEP}")


def test_what_was_completed_is_not_there(desk):
    """It is sent from the beginning."""
    run = Run(desk, is_fresh=True)
    run.fake.buckets["b"].versioning = ""
    run.fake.fault("no-sum", method="POST", after=1, key="p/k")
    run.fake.fault("rival", method="HEAD", key="p/k", body=None)
    row = run.put(body=BODY)
    assert row.state == STORED and run.body() == BODY
    assert any("what was completed is not there" in said for said in run.stage.said)


def test_what_was_completed_is_another_s_now(desk):
    """In a bucket without versions: that is no proof of ours."""
    run = Run(desk, is_fresh=True)
    run.fake.buckets["b"].versioning = ""
    run.fake.fault("no-sum", method="POST", after=1, key="p/k")
    run.fake.fault("rival", method="HEAD", key="p/k", body=OTHER)
    row = run.put(body=BODY)
    assert (row.state, run.body(), row.proof) == (CONFLICT, OTHER, "")


# --- doubts


@pytest.mark.parametrize("kind, options", [("lost", {}), ("blanks", {"cut": True, "seconds": 0.1}),
                                           ("twice", {})])
def test_an_answer_that_was_lost(desk, kind, options):
    """The upload is gone, but the object has our token: it is complete, and that once."""
    run = Run(desk, is_fresh=True)
    run.fake.fault(kind, method="POST", after=1, key="p/k", **options)
    row = run.put(body=BODY)
    assert (row.state, row.proof, run.body()) == (STORED, "crc32", BODY)
    assert len(run.fake.versions("b")) == 1 and run.stage.kinds().count("create") == 1
    assert row.version_id == run.fake.get("b", "p/k").id and run.under_way() == []


def test_an_older_object_is_not_taken_for_the_upload(desk):
    """NoSuchUpload and an object at the key: that is not success."""
    run = Run(desk)
    run.fake.put("b", "p/k", OTHER, checksum=None, etag="of-no-bytes")
    run.fake.fault("take-upload", method="POST", after=1, key="p/k")
    row = run.put(body=BODY)
    assert row.state == STORED and run.body() == BODY
    assert run.stage.kinds().count("create") == 2


def test_a_conflict(desk):
    """409: the upload is gone with it; all is sent again."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("conflict", method="POST", after=1, key="p/k")
    row = run.put(body=BODY)
    assert row.state == STORED and run.body() == BODY and run.uploads() == []


@pytest.mark.parametrize("is_there", [False, True])
def test_another_came_meanwhile(desk, is_there):
    """It stays, and the upload is aborted."""
    if is_there:
        desk.fake.put("b", "p/k", b"before")
    run = Run(desk)
    run.fake.fault("rival", method="POST", after=1, key="p/k", body=OTHER)
    row = run.put(body=BODY)
    assert (row.state, run.body(), row.proof) == (CONFLICT, OTHER, "")
    assert run.uploads() == [] and run.under_way() == []


def test_another_stored_the_same_bytes_meanwhile(desk):
    """Then they are there; our upload is aborted."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("rival", method="POST", after=1, key="p/k", body=BODY, checksum="CRC32")
    row = run.put(body=BODY)
    assert (row.state, row.proof, len(run.fake.versions("b"))) == (STORED, "crc32", 1)
    assert run.uploads() == [] and (run.putting.stored, run.putting.kept) == (0, 1)


def test_what_came_meanwhile_is_gone_again(desk):
    """It is sent from the beginning."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("status", method="POST", after=1, key="p/k", status=412)
    row = run.put(body=BODY)
    assert row.state == STORED and run.body() == BODY and run.uploads() == []
