"""Claims that are more than S3's word: right bytes are kept, wrong ones are asked for again."""

import base64
import hashlib
import random

import pytest
from conftest import env_of
from fakes3 import FakeS3

from manifests import read_rows

KIB = 1 << 10
UNEVEN = [300 * KIB, 250 * KIB, 250 * KIB]
BODY = random.Random(8).randbytes(sum(UNEVEN))
LARGE_PARTS = [30 << 20, 25 << 20, 20 << 20]


@pytest.fixture
def other():
    """A server that is not Amazon's, and keeps no checksums; its ETags are MD5s."""
    with FakeS3(character="no-checksums") as server:
        server.bucket("b")
        yield server


def fetched(run, server, dest, *options):
    """Fetch all of bucket `b`; return (the run, {key: row})."""
    listed = run("s3-manifest", "s3://b", env=env_of(server)).out
    done = run("s3-fetch", *options, "-d", dest, input=listed, env=env_of(server))
    return done, {row.key: row for row in read_rows(done.out)}


def verified(run, server, dest, manifest=None):
    """Verify with --discard what lies in `dest`, by a manifest or a new listing; return (the run,
    {key: row}).
    """
    manifest = manifest or run("s3-manifest", "s3://b", env=env_of(server)).out
    done = run("s3-verify", "--discard", "-d", dest, input=manifest, env=env_of(server))
    return done, {row.key: row for row in read_rows(done.out)}


def placed(dest, body=BODY, key="k"):
    """Put a file where another tool would have; return its path."""
    file = dest / "b" / key
    file.parent.mkdir(parents=True)
    file.write_bytes(body)
    return file


def composite(sizes):
    """Return the SHA-256 of parts' SHA-256s in base64, without their number."""
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    hashes = [hashlib.sha256(BODY[at:at + size]).digest() for at, size in zip(starts, sizes)]
    return base64.b64encode(hashlib.sha256(b"".join(hashes)).digest()).decode()


CASES = {
    "uneven parts": ({"parts": UNEVEN, "checksum": None}, "etag-md5-parts"),
    "a smaller part first": ({"parts": UNEVEN[::-1], "checksum": None}, "etag-md5-parts"),
    "uneven parts with a checksum": ({"parts": UNEVEN, "checksum": "SHA256"}, "sha256-parts"),
    "no number of parts":
    ({"parts": UNEVEN[1:] + UNEVEN[:1], "checksum": None,
      "headers": {"x-amz-checksum-sha256": composite(UNEVEN[1:] + UNEVEN[:1])}}, "sha256-parts"),
    "an ETag of one part that is not": ({"etag": "0" * 32 + "-1", "checksum": None}, "size"),
}


@pytest.mark.parametrize("case", CASES)
def test_right_bytes(fake, run, tmp_path, case):
    """They are fetched, with the best proof there is, and verified; nothing is removed."""
    fake.bucket("b")
    how, proof = CASES[case]
    fake.put("b", "k", BODY, **how)
    done, rows = fetched(run, fake, tmp_path / "d")
    assert (done.status, rows["k"].state, rows["k"].proof) == (0, "fetched", proof), done.err
    again, rows = verified(run, fake, tmp_path / "d", done.out)
    assert (again.status, rows["k"].state) == (0, "verified"), again.err
    assert (tmp_path / "d/b/k").read_bytes() == BODY


@pytest.mark.parametrize("case", CASES)
def test_right_bytes_of_another_tool(fake, run, tmp_path, case):
    """They are verified or unverifiable, and stay."""
    fake.bucket("b")
    how, proof = CASES[case]
    fake.put("b", "k", BODY, **how)
    file = placed(tmp_path / "d")
    done, rows = verified(run, fake, tmp_path / "d")
    assert rows["k"].state == ("unverifiable" if proof == "size" else "verified"), done.err
    assert rows["k"].proof == proof and file.exists()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("how, proof", [
    ({"parts": LARGE_PARTS, "checksum": None}, "etag-md5-parts"),
    ({"parts": LARGE_PARTS, "checksum": "CRC32", "checksum_type": "COMPOSITE"}, "crc32-parts"),
    ({"etag": "0" * 32 + "-1", "checksum": None}, "size")])
def test_right_bytes_in_ranges(fake, run, tmp_path, how, proof):
    """A large object need not be fetched again to be read by its own parts."""
    fake.bucket("b")
    body = random.Random(9).randbytes(sum(LARGE_PARTS))
    fake.put("b", "k", body, **how)
    done, rows = fetched(run, fake, tmp_path / "d")
    assert (done.status, rows["k"].proof) == (0, proof), done.err
    assert (tmp_path / "d/b/k").read_bytes() == body
    got = sum(request.method == "GET" and request.key == "k" for request in fake.log)
    assert got == (3 if proof != "size" else 2 * 5)
    again, rows = verified(run, fake, tmp_path / "d", done.out)
    assert (again.status, rows["k"].state) == (0, "verified"), again.err


@pytest.mark.system("minutes")
@pytest.mark.parametrize("part, proof, got", [
    (16 << 20, f"etag-md5-parts:{16 << 20}", 2 * 5),
    (12 << 20, f"etag-md5-parts:{12 << 20}", 2 * 6), ((11 << 20) + 7, "size", 2 * 7)])
def test_part_sizes_that_nobody_tells(run, tmp_path, part, proof, got):
    """Each byte comes once, and the server is asked about parts of the first object alone, or where
    no likely size is right.
    """
    body = random.Random(9).randbytes(70 << 20)
    with FakeS3(character="ceph") as ceph:
        ceph.bucket("b")
        sizes = [part] * (len(body) // part) + [len(body) % part]
        for key in ("k", "l"):
            ceph.put("b", key, body, parts=sizes, checksum=None)
        done, rows = fetched(run, ceph, tmp_path / "d", "-j", "1", "-c", "1")
        assert (done.status, {row.proof for row in rows.values()}) == (0, {proof}), done.err
        assert (tmp_path / "d/b/k").read_bytes() == (tmp_path / "d/b/l").read_bytes() == body
        methods = [request.method for request in ceph.log if request.key]
        assert (methods.count("GET"), methods.count("HEAD")) == (got, 3 if proof != "size" else 7)
        done, rows = verified(run, ceph, tmp_path / "d", done.out)
        assert (done.status, {row.state for row in rows.values()}) == (0, {"verified"}), done.err


@pytest.mark.parametrize("body", [BODY, bytes(65 << 20)], ids=["middle", "large"])
def test_digits_that_are_not_an_md5_without_retries(run, other, tmp_path, body):
    """The second time is no retry: nothing has failed."""
    other.put("b", "k", body, etag="0" * 32)
    done, rows = fetched(run, other, tmp_path / "d", "--retries", "0")
    assert (done.status, rows["k"].proof) == (0, "size"), done.err
    assert (tmp_path / "d/b/k").read_bytes() == body


def test_digits_that_are_not_an_md5(run, other, tmp_path):
    """What came twice is the object; it is not proven, so nothing will be deleted for it."""
    other.put("b", "k", BODY, etag="0" * 32)
    done, rows = fetched(run, other, tmp_path / "d")
    assert (done.status, rows["k"].proof) == (0, "size"), done.err
    for manifest in (done.out, None):
        checked, rows = verified(run, other, tmp_path / "d", manifest)
        assert (checked.status, rows["k"].state, rows["k"].proof) == (5, "unverifiable", "size")
    again, rows = verified(run, other, tmp_path / "d", checked.out)
    assert (again.status, rows["k"].state) == (5, "unverifiable")
    assert (tmp_path / "d/b/k").read_bytes() == BODY


def test_a_wrong_body_once(run, other, tmp_path):
    """It is asked for again, and proven by its MD5."""
    other.put("b", "k", BODY)
    other.fault("flip", key="k", times=1)
    done, rows = fetched(run, other, tmp_path / "d")
    assert (done.status, rows["k"].proof) == (0, "etag-md5"), done.err


@pytest.mark.system("minutes")
@pytest.mark.parametrize("how", [{}, {"parts": UNEVEN}])
def test_a_body_that_is_wrong_in_other_ways_each_time(run, other, tmp_path, how):
    """That is a fault of the way, and no file."""
    other.put("b", "k", BODY, **how)
    for at in range(2 * 3):
        other.fault("flip", key="k", times=1, at=at)
    done, rows = fetched(run, other, tmp_path / "d", "--retries", "2")
    assert (done.status, rows["k"].state) == (1, "failed")
    assert "do not match" in rows["k"].error and not (tmp_path / "d/b/k").exists()


@pytest.mark.system("minutes")
def test_a_wrong_file_of_another_tool(run, other, fake, tmp_path):
    """An ETag alone removes no file; S3's checksum does."""
    other.put("b", "k", BODY)
    file = placed(tmp_path / "d", BODY[::-1])
    done, rows = verified(run, other, tmp_path / "d")
    assert (done.status, rows["k"].state) == (1, "mismatch") and file.exists()
    assert rows["k"].error.endswith("the file was kept: an ETag may be something else than an MD5")
    fake.put("b", "k", BODY, checksum="SHA256")
    done, rows = verified(run, fake, tmp_path / "d")
    assert (done.status, rows["k"].state) == (1, "mismatch") and not file.exists()
