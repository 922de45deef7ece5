"""What is done before the first part: the row, the target, and the uploads of earlier runs."""

import hashlib
import os
import zlib

import pytest
from fakes3 import b64

from s3kit.disk import lock
from s3kit.manifest.row import CONFLICT, FAILED, MISMATCH, STORED, UNVERIFIABLE
from s3kit.proof.claims import claim_of
from s3kit.proof.digest import digest_of
from s3kit.put.beginning import HELD_SECONDS, is_same_part, with_our_parts
from unit.put.in_process import STEP, Run

BODY, OTHER = os.urandom(3 * STEP + 7), os.urandom(3 * STEP + 7)


def crc32(body):
    """Return a CRC-32 as S3 has it."""
    return b64(zlib.crc32(body).to_bytes(4, "big"))


def kinds(run):
    """Return the kinds of jobs that were done, but for parts."""
    return [kind for kind in run.stage.kinds() if kind != "part"]


# --- what is at the target


@pytest.mark.parametrize("parts, checksum, proof", [
    ([STEP, STEP, STEP, 7], None, f"etag-md5-parts:{STEP}"), (None, "CRC32", "crc32"),
    (None, "SHA256", "sha256"), ([STEP, STEP, STEP, 7], "SHA256", f"sha256-parts:{STEP}")])
def test_the_same_bytes_are_there(desk, parts, checksum, proof):
    """The file is read, and not sent."""
    version = desk.fake.put("b", "p/k", BODY, parts=parts, checksum=checksum)
    run = Run(desk)
    row = run.put(body=BODY)
    assert (row.state, row.proof, row.version_id, row.digest) == (
        STORED, proof, version, digest_of(BODY))
    assert kinds(run) == ["look", "check"] and len(run.fake.versions("b")) == 1
    assert (run.putting.stored, run.putting.kept) == (0, 1)


@pytest.mark.parametrize("there, read", [(OTHER, True), (BODY + b"!", False), (b"", False)])
def test_other_bytes_are_there(desk, there, read):
    """They are replaced, on the condition that they are those still."""
    desk.fake.put("b", "p/k", there)
    etag = desk.fake.get("b", "p/k").etag
    run = Run(desk)
    assert run.put(body=BODY).state == STORED and run.body() == BODY
    assert kinds(run) == ["look", *["check"] * read, "create", "complete"]
    assert run.fake.log[-1].headers["if-match"] == f'"{etag}"'


def test_what_is_there_is_kept(desk):
    """With --if-absent; nothing was begun."""
    desk.fake.put("b", "p/k", OTHER)
    run = Run(desk, if_absent=True)
    assert run.put(body=BODY).state == CONFLICT and run.body() == OTHER
    assert kinds(run) == ["look", "check"]


@pytest.mark.parametrize("if_absent, state", [(False, STORED), (True, FAILED)])
def test_we_may_not_look(desk, if_absent, state):
    """Then it is sent without a condition, or not at all."""
    desk.fake.fault("status", method="HEAD", key="p/k", status=403, times=None)
    run = Run(desk, if_absent=if_absent)
    assert run.put(body=BODY).state == state and run.uploads() == []
    assert not {"if-match", "if-none-match"} & {*run.fake.log[-1].headers}


def test_nothing_is_there(desk):
    """It is completed on that condition."""
    run = Run(desk)
    assert run.put(body=BODY).state == STORED
    assert run.fake.log[-1].headers["if-none-match"] == "*"


# --- what the row says of the bytes


@pytest.mark.parametrize("body, state", [(BODY, STORED), (OTHER, MISMATCH)])
@pytest.mark.parametrize("columns", [
    {"checksum_algorithm": "CRC32", "checksum_type": "FULL_OBJECT", "checksum": crc32(BODY)},
    {"digest": f"sha256:{hashlib.sha256(BODY).hexdigest()}", "etag": "no-md5"},
    {"digest": "ours", "etag": "no-md5", "proof": "crc64nvme"}])
def test_the_file_is_held_against_its_row(desk, body, state, columns):
    """Bytes that are not the row's never become its copy, and are not sent where that is seen
    before.
    """
    if columns.get("digest") == "ours":
        columns = columns | {"digest": digest_of(BODY)}     # by the leaves of this test
    run = Run(desk, is_fresh=True)
    row = run.put(body=body, **columns)
    assert row.state == state and run.uploads() == [] and run.under_way() == []
    assert run.body() == (BODY if state == STORED else None)


def test_a_claim_that_says_nothing(desk):
    """Parts of sizes that nobody knows: the copy has the file's bytes, and the row's are no more
    than as long.
    """
    run = Run(desk, is_fresh=True)
    row = run.put(body=BODY, etag="0" * 32 + "-2")
    assert (row.state, row.proof, run.body()) == (STORED, "size", BODY)
    assert run.place.uploads.at("b", "p/k").far_proof == "crc32"


def test_a_claim_that_may_be_wrong(desk):
    """An ETag that does not fit may be no MD5: nobody knows."""
    run = Run(desk, is_fresh=True)
    row = run.put(body=BODY, etag=hashlib.md5(OTHER).hexdigest())
    assert row.state == UNVERIFIABLE and "may be wrong itself" in row.error
    assert run.body() is None and run.uploads() == []


# --- uploads of earlier runs


def broken_off(desk, jobs=4, **options):
    """Return a run that was killed after so many jobs (a beginning, then parts)."""
    run = Run(desk, is_fresh=True, **options)
    run.put(body=BODY, most=jobs)
    for errand in run.putting.large.under_way:
        os.close(errand.large.fd)           # as the kernel does
    run.fake.log.clear()
    return run


@pytest.mark.parametrize("jobs, sent", [(1, 4), (2, 3), (4, 1), (5, 0)])
def test_only_what_is_missing_is_sent(desk, jobs, sent):
    """Parts that S3 has, and that we know, are not sent again."""
    [upload] = broken_off(desk, jobs).uploads()
    run = Run(desk)
    row = run.put()
    assert (row.state, row.digest, run.body()) == (STORED, digest_of(BODY), BODY)
    assert kinds(run) == ["look", "parts", "complete"]
    assert run.stage.kinds().count("part") == sent
    assert [one.query.get("uploadId") for one in run.fake.log if one.method == "POST"] == [upload]
    assert run.uploads() == [] and run.under_way() == []


def test_a_part_that_s3_does_not_have_as_we_know_it(desk):
    """It is sent again."""
    before = broken_off(desk)
    upload = before.fake.buckets["b"].uploads[before.uploads()[0]]
    upload.parts[2].etag = "0" * 32
    run = Run(desk)
    assert run.put().state == STORED and run.body() == BODY
    assert [job.number for job in run.stage.done if job.kind == "part"] == [2, 4]


def test_a_server_that_does_not_list_parts(desk):
    """What we know must do."""
    broken_off(desk)
    desk.fake.fault("status", method="GET", key="p/k", status=501, times=None)
    run = Run(desk)
    assert run.put().state == STORED and run.body() == BODY
    assert [job.number for job in run.stage.done if job.kind == "part"] == [4]


@pytest.mark.parametrize("change, why", [
    (lambda desk: os.utime(desk.folder / "k", ns=(1, 1)), "the file was changed"),
    (lambda desk: desk.file("k", OTHER), "the file was changed")])
def test_a_file_that_was_changed_since(desk, change, why):
    """Its upload is aborted, and another one begun: parts of two files are never mixed."""
    [old] = broken_off(desk).uploads()
    change(desk)
    run = Run(desk)
    assert run.put().state == STORED and run.body() == (desk.folder / "k").read_bytes()
    assert kinds(run) == ["abort", "look", "create", "complete"]
    assert any(why in said for said in run.stage.said)
    assert old not in run.uploads() and run.uploads() == [] and run.under_way() == []


@pytest.mark.parametrize("options, why", [
    ({"part_size": 2 * STEP}, "the size of its parts is another now"),
    ({"checksum": "sha256"}, "its checksum is another now")])
def test_options_that_were_changed_since(desk, options, why):
    """An upload goes on as it was begun, or not at all."""
    broken_off(desk)
    run = Run(desk, **options)
    assert run.put().state == STORED and run.body() == BODY and run.uploads() == []
    assert any(why in said for said in run.stage.said)


def test_an_upload_that_is_gone(desk):
    """A rule has taken it: it begins anew."""
    before = broken_off(desk)
    before.fake.buckets["b"].uploads.clear()
    run = Run(desk)
    assert run.put().state == STORED and run.body() == BODY
    assert any("sent from the beginning" in said for said in run.stage.said)
    assert run.under_way() == []


@pytest.mark.parametrize("is_known", [True, False])
def test_an_upload_that_was_completed(desk, is_known):
    """Its answer was lost, and the run was killed: the token says whose it is. After a power cut
    the ledger may not know the last parts.
    """
    run = Run(desk, is_fresh=True)
    run.fake.fault("lost", method="POST", after=1, key="p/k")
    run.put(body=BODY, most=6)
    assert run.body() == BODY and run.under_way()
    for errand in run.putting.large.under_way:
        os.close(errand.large.fd)
    if not is_known:
        run.place.uploads.base.execute("DELETE FROM part WHERE number > 2")
    run = Run(desk)
    row = run.put()
    assert (row.state, row.digest) == (STORED, digest_of(BODY))
    assert len(run.fake.versions("b")) == 1 and run.under_way() == [] and run.uploads() == []
    assert run.stage.kinds() == (["look"] if is_known else ["look", "check", "abort"])


def test_two_uploads_of_one_file(desk):
    """One goes on, the other is aborted."""
    before = broken_off(desk)
    [sending] = before.place.uploads.under_way("b", "p/k")
    before.place.uploads.begin(sending._replace(upload_id="another"))
    run = Run(desk)
    assert run.put().state == STORED and run.body() == BODY
    assert any("begun twice" in said for said in run.stage.said)
    assert run.uploads() == [] and run.under_way() == []


def test_the_token_of_the_upload_counts(desk):
    """What is completed has the one that it was begun with."""
    [upload] = broken_off(desk).uploads()
    token = desk.fake.buckets["b"].uploads[upload].terms["headers"]["x-amz-meta-s3kit-token"]
    Run(desk).put()
    assert desk.fake.get("b", "p/k").headers["x-amz-meta-s3kit-token"] == token


# --- another process


def test_another_process_sends_it(desk):
    """It is waited for, and then what is there is looked at."""
    run = Run(desk, is_fresh=True)
    desk.file("k", BODY)
    held = []

    def later(seconds, call, *values):
        assert seconds == HELD_SECONDS
        if len(held) < 3:
            held.append(len(run.stage.done))
        if len(held) == 3:
            os.close(fd)
            held.append(None)
            run.fake.put("b", "p/k", BODY)
        run.stage.slept.append((call, values))
    run.stage.later = later
    job = type("Job", (), {"bucket": "b", "key": "p/k"})
    fd = lock.hold(run.putting.large.beginning.lock_of(job), run.place.folder_fd)
    row = run.put()
    assert held[:3] == [0, 0, 0] and row.state == STORED and kinds(run) == ["look", "check"]


# --- words


@pytest.mark.parametrize("listed, is_same", [
    ((10, "e", "/w=="), True), ((10, "e", ""), True), (None, False), ((11, "e", "/w=="), False),
    ((10, "f", "/w=="), False), ((10, "e", "AA=="), False)])
def test_whether_a_part_is_the_one_that_s3_has(listed, is_same):
    """By its bytes, its ETag, and its checksum where it is told."""
    part = {"size": 10, "etag": "e", "checksum": "ff"}
    assert is_same_part(part, listed) is is_same


@pytest.mark.parametrize("text, size, proof", [
    ("-3", 25, "etag-md5-parts:10"), ("-3", 30, "etag-md5-parts:10"),
    ("-3", 31, "etag-md5-parts"), ("-3", 20, "etag-md5-parts"), ("", 25, "etag-md5")])
def test_parts_of_our_size(text, size, proof):
    """Where there are as many, they are likely ours."""
    claim = claim_of("", "", "", "0" * 32 + text, size)
    assert with_our_parts(claim, size, 10).proof == proof
