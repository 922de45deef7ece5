"""Large files: their parts, what fails, and what is left of them."""

import os
import random

import pytest

from s3kit.disk import lock
from s3kit.errors import Fault
from s3kit.manifest.row import CONFLICT, FAILED, STORED
from s3kit.proof.digest import digest_of
from s3kit.put.plan import LARGEST
from s3kit.put.targets import clearing
from s3kit.transfer.put_job import Identity
from unit.put.in_process import STEP, Run

BODY = os.urandom(3 * STEP + 7)        # four parts


def parts_of(run):
    """Return the numbers of the parts that were sent."""
    return [job.number for job in run.stage.done if job.kind == "part"]


# --- all goes well


def test_a_large_file(desk):
    """It is begun, sent in parts, completed; S3's word on it all is the proof."""
    run = Run(desk, is_fresh=True)
    row = run.put(body=BODY)
    assert run.body() == BODY and parts_of(run) == [1, 2, 3, 4]
    assert run.stage.kinds() == ["create", *["part"] * 4, "complete"]
    stored = run.fake.get("b", "p/k")
    assert (row.state, row.proof, row.etag, row.version_id, row.size) == (
        STORED, "crc32", stored.etag, stored.id, str(len(BODY)))
    assert row.digest == digest_of(BODY)
    assert row.extra["stored_at"] == f"s3://b/p/k?versionId={stored.id}"
    assert run.uploads() == [] and run.under_way() == [] and run.stage.said == []
    assert run.putting.large.under_way == set()
    assert run.place.uploads.at("b", "p/k").far_proof == "crc32"


@pytest.mark.parametrize("size, parts", [(STEP, 0), (STEP + 1, 2), (2 * STEP, 2)])
def test_what_is_large(desk, size, parts):
    """More than goes in one request."""
    run = Run(desk, is_fresh=True)
    assert run.put(body=BODY[:size]).state == STORED
    assert len(parts_of(run)) == parts and run.body() == BODY[:size]


@pytest.mark.parametrize("algorithm, proof", [
    ("sha256", f"sha256-parts:{STEP}"), ("md5", f"etag-md5-parts:{STEP}"),
    ("crc64nvme", "crc64nvme")])
def test_other_checksums(desk, algorithm, proof):
    """Each proves the whole."""
    run = Run(desk, is_fresh=True, checksum=algorithm)
    if algorithm == "md5":
        run.fake.fault("no-sum", method=None, key="p/k", times=None)
    assert (run.put(body=BODY).proof, run.body()) == (proof, BODY)


def test_parts_in_any_order(desk):
    """Workers answer as they are done."""
    run, chance = Run(desk, is_fresh=True), random.Random(7)
    run.stage.before = lambda kind, job: chance.shuffle(run.stage.queue)
    body = os.urandom(20 * STEP + 1)
    row = run.put(body=body)
    assert run.body() == body and row.digest == digest_of(body)
    assert sorted(parts_of(run)) == list(range(1, 22)) and parts_of(run) != sorted(parts_of(run))


def test_only_so_many_parts_are_on_their_way(desk):
    """The others follow."""
    run, most = Run(desk, is_fresh=True), []
    run.putting.large.window.window.allowed = 2
    run.stage.before = lambda kind, job: most.append(len(run.stage.queue))
    assert run.put(body=os.urandom(30 * STEP)).state == STORED and 1 <= max(most) < 30


def test_a_file_that_s3_does_not_take(desk, monkeypatch):
    """It is too large for any plan: nothing is asked."""
    run = Run(desk)
    desk.file("k", b"")
    real = os.stat(desk.folder / "k")
    monkeypatch.setattr(Identity, "of", classmethod(lambda cls, status: cls(
        LARGEST + 1, real.st_mtime_ns, real.st_ctime_ns, real.st_ino)))
    row = run.put()
    assert row.state == FAILED and "S3 takes" in row.error and run.fake.log == []


# --- what passes


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("kind, options", [("lost", {}), ("status", {"status": 503}),
                                           ("status", {"status": 500}), ("refuse", {})])
def test_what_passes(desk, method, kind, options):
    """Each request is sent once more, by us or by libcurl; what comes of it is the same."""
    for after in range(2 if method == "POST" else 4):
        run = Run(desk, is_fresh=False)
        run.fake.fault(kind, method=method, after=after, key="p/k", **options)
        body = os.urandom(3 * STEP + 7)
        row = run.put(body=body)
        assert row.state == STORED and row.proof == "crc32" and run.body() == body
        assert len(run.stage.retried) <= 1 and run.under_way() == []
        lost = kind == "lost" and method == "POST" and after == 0
        assert len(run.uploads()) == lost <= run.putting.large.unsure
        run.fake.buckets["b"].uploads.clear()
        versions = [one.body for one in run.fake.versions("b")]
        assert versions.count(body) == 1


def test_a_beginning_whose_answer_was_lost(desk):
    """S3 may have an empty upload that nobody knows: it is said."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("lost", method="POST", key="p/k")
    assert run.put(body=BODY).state == STORED and len(run.uploads()) == 1
    run.putting.summary()
    assert "1 answer to the beginning of an upload did not come" in run.stage.said[-1]


@pytest.mark.parametrize("after, kinds", [(0, ["create"]), (1, ["create", "complete"])])
def test_tries_that_are_spent(desk, after, kinds):
    """The row fails, and nothing is left to be paid for."""
    run = Run(desk, is_fresh=True, retries=2)
    run.fake.fault("status", method="POST", key="p/k", status=500, after=after, times=None)
    row = run.put(body=BODY)
    assert row.state == FAILED and "InternalError" in row.error
    assert run.uploads() == [] and run.under_way() == [] and len(run.stage.retried) == 2
    assert run.body() is None and run.stage.left == [(row, True)]


def test_a_part_that_is_refused(desk):
    """No more are sent; the upload is aborted when those on their way are back."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("status", method="PUT", key="p/k", status=403, after=1, times=None)
    row = run.put(body=os.urandom(40 * STEP))
    assert row.state == FAILED and "AccessDenied" in row.error
    assert run.stage.kinds()[-1] == "abort" and len(parts_of(run)) < 40
    assert run.uploads() == [] and run.under_way() == [] and len(run.stage.left) == 1


def test_an_abort_that_fails(desk):
    """It is said, and the row fails for what failed first."""
    run = Run(desk, is_fresh=True, retries=1)
    run.fake.fault("status", method="PUT", key="p/k", status=403, times=None)
    run.fake.fault("status", method="DELETE", key="p/k", status=500, times=None)
    row = run.put(body=BODY)
    assert row.state == FAILED and "AccessDenied" in row.error and len(run.uploads()) == 1
    run.putting.summary()
    assert "1 upload could not be aborted" in run.stage.said[-1]


def test_s3_will_not_have_us(desk):
    """The run ends; what was begun is known to the ledger."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("status", method="PUT", key="p/k", status=404, code="NoSuchBucket", times=None)
    with pytest.raises(Fault, match="NoSuchBucket"):
        run.put(body=BODY)
    assert run.under_way() == run.uploads() and len(run.uploads()) == 1


# --- an upload that is taken away


@pytest.mark.parametrize("method, after", [("PUT", 0), ("PUT", 2), ("POST", 1)])
def test_an_upload_that_is_taken_away(desk, method, after):
    """By a rule, or by somebody: it begins anew, and is said."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("take-upload", method=method, key="p/k", after=after)
    row = run.put(body=BODY)
    assert row.state == STORED and run.body() == BODY and run.uploads() == []
    assert any("is sent from the beginning" in said for said in run.stage.said)


def test_an_upload_that_is_taken_away_again_and_again(desk):
    """It is not begun for ever."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("take-upload", method="PUT", key="p/k", times=None)
    row = run.put(body=BODY)
    assert row.state == FAILED and "NoSuchUpload" in row.error
    assert run.stage.kinds().count("create") == 3 and run.uploads() == []
    assert run.under_way() == []


# --- an object in the way


def test_another_came_meanwhile(desk):
    """It stays; the upload is aborted."""
    run = Run(desk, is_fresh=True)
    run.fake.fault("rival", method="POST", after=1, key="p/k")
    row = run.put(body=BODY)
    assert (row.state, run.body(), run.uploads()) == (CONFLICT, b"the rival's", [])


# --- runs that end


def test_a_run_that_is_broken_off(desk):
    """What it had sent stays, and that is said."""
    run = Run(desk, is_fresh=True)
    run.put(body=BODY, most=3)
    run.putting.abandon()
    assert "1 upload not complete: the same command goes on" in run.stage.said[0]
    assert clearing(run.args) in run.stage.said[0]
    assert len(run.uploads()) == 1 and run.under_way() == run.uploads()


def test_a_run_that_has_nothing_under_way(desk):
    """It says nothing."""
    run = Run(desk, is_fresh=True)
    run.put(body=BODY)
    run.putting.abandon()
    assert run.stage.said == []


def test_the_lock_of_a_target(desk):
    """It is held while it is sent, and gone afterwards."""
    run = Run(desk, is_fresh=True)
    seen = []

    def look(kind, job):
        [errand] = run.putting.large.under_way
        name = run.putting.large.beginning.lock_of(errand.job)
        seen.append(lock.hold(name, run.place.folder_fd))
    run.stage.before = look
    run.put(body=BODY)
    assert seen == [None] * 6
    assert not [name for name in os.listdir(desk.folder / ".s3kit") if name.endswith(".put")]
