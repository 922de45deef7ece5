"""What a worker that uploads knows, and files that it holds against claims."""

import os
import pickle
import subprocess
import sys
import zlib

import pytest
from fakes3 import b64

from s3kit.proof.claims import NO_CLAIM, claim_of
from s3kit.proof.digest import digest_of
from s3kit.transfer import ranges
from s3kit.transfer.job import CHECKED, FAILED
from s3kit.transfer.local_file import CHANGED
from s3kit.transfer.put_job import SENT, UNSTABLE
from s3kit.transfer.put_work import TASKS, PutWork

BODY, OTHER = b"the bytes of a file" * 100, b"the bytes of others"


def crc(body):
    """Return S3's claim of a CRC-32."""
    return claim_of("CRC32", "FULL_OBJECT", b64(zlib.crc32(body).to_bytes(4, "big")), "", len(body))


def test_every_kind_of_job_has_its_task(puts):
    """None is that of a download."""
    assert set(TASKS) == {"put", "look", "create", "part", "parts", "complete", "abort", "check",
                          "hide"}
    engine = puts.engine()
    assert engine.tasks == TASKS


def test_a_worker_starts_without_lxml():
    """Most have no XML to read, and it takes a sixth of their start."""
    script = ("import sys, s3kit.pipeline.worker, s3kit.s3.wire, s3kit.transfer.put_work\n"
              "print('lxml' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_batch_for_other_executors(puts):
    """Work goes to a worker as it is, and is called there with a batch."""
    work = pickle.loads(pickle.dumps(puts.work()))
    assert isinstance(work, PutWork) and hash(work) == hash(puts.work())
    outcomes = work([puts.put(BODY), puts.put(OTHER, key="l")])
    assert [outcome.state for outcome in outcomes] == [SENT, SENT]
    assert puts.body() == BODY and puts.body("l") == OTHER


@pytest.mark.parametrize("claim, proof", [(crc(BODY), "crc32"), (crc(OTHER), ""),
                                          (NO_CLAIM, "size")])
def test_a_file_against_a_claim(puts, claim, proof):
    """Nothing is asked of S3; our digest comes with it."""
    outcome = puts.do(puts.put(BODY, kind="check", claim=claim))
    assert (outcome.state, outcome.proof, outcome.digest, outcome.size) == (
        CHECKED, proof, digest_of(BODY), len(BODY))
    assert puts.fake.log == [] and outcome.meets_given is None


@pytest.mark.parametrize("body, is_met", [(BODY, True), (OTHER, False)])
def test_a_file_against_a_given_digest(puts, body, is_met):
    """As well."""
    import hashlib
    given = f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert puts.do(puts.put(BODY, kind="check", given=given)).meets_given is is_met


@pytest.mark.parametrize("proof", ["crc32", ""])
def test_a_file_that_changes_while_it_is_read(puts, monkeypatch, proof):
    """What was found holds for no file: it is neither right nor wrong."""
    step = ranges.Reading.step

    def stepping(reading):
        os.utime(puts.folder / "k", ns=(1, 1))
        step(reading)
    monkeypatch.setattr(ranges.Reading, "step", stepping)
    outcome = puts.do(puts.put(BODY, kind="check", claim=crc(BODY if proof else OTHER)))
    assert (outcome.state, outcome.error, outcome.proof) == (UNSTABLE, CHANGED, "")


def test_a_file_that_changed_before(puts):
    """It is not read."""
    job = puts.put(BODY, kind="check", claim=crc(BODY))
    puts.file("k", BODY)
    os.utime(puts.folder / "k", ns=(1, 1))
    assert puts.do(job)[:2] == (UNSTABLE, CHANGED)


def test_a_file_that_is_gone(puts):
    """It is said."""
    job = puts.put(BODY, kind="check", claim=crc(BODY))
    os.unlink(puts.folder / "k")
    assert puts.do(job)[:2] == (FAILED, "cannot read 'k': No such file or directory")


def test_a_link_that_is_followed(puts):
    """As for what is sent."""
    puts.file("target", BODY)
    (puts.folder / "k").symlink_to("target")
    job = puts.put(None, kind="check", claim=crc(BODY), path="k")
    assert puts.do(job._replace(follows=True)).proof == "crc32"
    assert puts.do(job).state != CHECKED
