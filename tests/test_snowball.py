"""Snowball's S3 adapter as source and as target: all of it arrives, proven as far as the device
says anything, and nothing that is right there is deleted.
"""

import random

import pytest
from commands.test_put import files, killed_while_sending, objects
from conftest import env_of
from fakes3 import FakeS3
from manifests import read_rows
from odd_keys import ODD_KEYS

MIB = 1 << 20
LARGE = random.Random(16).randbytes(66 * MIB)       # is fetched in ranges
ODD = [(key, body) for key, body in ODD_KEYS if len(key.encode()) <= 933]


@pytest.fixture
def snow():
    """The fake device with an empty bucket."""
    with FakeS3(character="snowball") as server:
        server.bucket("b")
        yield server


@pytest.fixture
def tree(tmp_path):
    """A directory of a small file, and one of three parts."""
    made, noise = tmp_path / "tree", random.Random(17)
    (made / "d").mkdir(parents=True)
    (made / "d" / "small \u00fc").write_bytes(b"body")
    (made / "big.iso").write_bytes(noise.randbytes(20 * MIB + 5))
    return made


def states(manifest):
    """Return {(state, proof without a size)} of the rows of a manifest."""
    return {(row.state, row.proof.partition(":")[0]) for row in read_rows(manifest)}


# --- as a source


@pytest.mark.parametrize("is_md5", [True, False])
def test_all_of_it_is_fetched(run, tmp_path, snow, is_md5):
    """Odd keys and a large object; where ETags are no MD5s, nothing is called verified."""
    snow.character.is_md5 = is_md5
    for key, body in ODD:
        snow.put("b", key, body)
    snow.put("b", "large", LARGE, parts=[8 * MIB] * 8 + [2 * MIB])
    listed = run("s3-manifest", "s3://b/", env=env_of(snow))
    assert listed.status == 0, listed.err
    fetched = run("s3-fetch", "-d", "d", input=listed.out, env=env_of(snow))
    assert fetched.status == 0, fetched.err
    rows = list(read_rows(fetched.out))
    bodies = dict(ODD) | {"large": LARGE}
    assert sorted(row.key for row in rows) == sorted(bodies)
    assert all(row.digest.startswith("xxh3-128:") and not row.version_id for row in rows)
    for row in rows:
        path = tmp_path / "d" / row.path
        assert path.is_dir() or path.read_bytes() == bodies[row.key]
    assert states(fetched.out) - {("fetched", "etag-md5")} == (
        {("fetched", "etag-md5-parts")} if is_md5 else {("fetched", "size")})
    checked = run("s3-verify", "-d", "d", input=fetched.out, env=env_of(snow))
    # a directory has no bytes to be compared
    assert {row.state for row in read_rows(checked.out) if row.size != "0"} == (
        {"verified"} if is_md5 else {"unverifiable"}), checked.err


def test_an_object_that_was_changed_since_it_was_listed(run, tmp_path, snow):
    """The device heeds no condition: its answer is not taken for the object of the row."""
    snow.put("b", "k", b"old")
    listed = run("s3-manifest", "s3://b/", env=env_of(snow))
    snow.put("b", "k", b"new")
    fetched = run("s3-fetch", "-d", "d", "--retries", "1", input=listed.out, env=env_of(snow))
    row, = read_rows(fetched.out)
    assert fetched.status == 1 and row.state == "failed" and "another object" in row.error
    assert not (tmp_path / "d" / "b" / "k").exists()


# --- as a target


@pytest.mark.parametrize("is_md5", [True, False])
def test_what_is_right_there_is_not_sent_again(run, snow, tree, is_md5):
    """By S3's word, or by the ledger's: an upload that began would delete the object."""
    snow.character.is_md5 = is_md5
    for time in range(2):
        snow.log.clear()
        listed = run("s3-manifest", tree, env=env_of(snow))
        put = run("s3-put", "-d", tree, "--to", "s3://b/p/", input=listed.out, env=env_of(snow))
        assert put.status == (0 if is_md5 else 5), put.err
        assert states(put.out) == ({("stored", "etag-md5"), ("stored", "etag-md5-parts")}
                                   if is_md5 else {("unverifiable", "size")})
        assert objects(snow, "b", "p/") == files(tree) and not snow.uploads("b")
        wrote = snow.requests("PUT") + snow.requests("POST")
        assert bool(wrote) == (time == 0)
        assert not [request for request in snow.requests() if request.headers.keys() & {
            "if-match", "if-none-match", "x-amz-checksum-crc32", "x-amz-sdk-checksum-algorithm"}]


def test_a_large_object_that_another_has_put_there(run, snow, tree):
    """It is looked at before: the same bytes stay, others are replaced."""
    body = (tree / "big.iso").read_bytes()
    snow.put("b", "big.iso", body, parts=[8 * MIB, 8 * MIB, 4 * MIB + 5])
    for there in (body, b"another"):
        if there != body:
            snow.put("b", "big.iso", there)
        put = run("s3-put", "--to", "s3://b/", tree, env=env_of(snow))
        assert put.status == 0 and objects(snow, "b") == files(tree), put.err
        assert bool(snow.requests("POST")) == (there != body)


def test_what_cannot_be_looked_at_is_not_put_at_risk(run, snow, tree):
    """No upload begins where nobody knows what it would delete."""
    snow.put("b", "big.iso", b"theirs")
    snow.fault("status", key="big.iso", method="HEAD", times=None, status=403, code="AccessDenied")
    put = run("s3-put", "--to", "s3://b/", tree, env=env_of(snow))
    assert put.status == 1 and "big.iso: S3 does not let us look" in put.err
    assert snow.get("b", "big.iso").body == b"theirs"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_large_upload_is_taken_up_by_our_own_word(run, snow, tree, is_there):
    """After kill -9: the device does not list parts. What it knows no more is sent anew."""
    killed_while_sending(snow, tree)
    if not is_there:
        snow.buckets["b"].uploads.clear()
    before = len(snow.log)
    put = run("s3-put", "--to", "s3://b/", tree, env=env_of(snow))
    assert put.status == 0, put.err
    again = [request.query["partNumber"] for request in list(snow.log)[before:]
             if "partNumber" in request.query and request.status == 200]
    assert sorted(again) == (["3"] if is_there else ["1", "2", "3"])
    assert objects(snow, "b") == files(tree) and not snow.uploads("b")


def test_keys_that_are_too_long_for_it(run, snow, tmp_path):
    """They fail, with the reason; the others go."""
    folders = ["d" * 200] * 4
    top = tmp_path / "t"
    top.joinpath(*folders).mkdir(parents=True)
    for length in (129, 130):
        top.joinpath(*folders, "k" * length).write_bytes(b"x")
    put = run("s3-put", "--to", "s3://b/", top, env=env_of(snow))
    assert put.status == 1
    assert "the target's key has 934 bytes, and Snowball's S3 adapter takes 933" in put.err
    assert [len(key) for key in objects(snow, "b")] == [933]


def test_a_bucket_is_moved_through_it(run, snow, tmp_path):
    """From a device to Amazon's, as if both were S3."""
    for key, body in ODD[:20]:
        snow.put("b", key, body)
    listed = run("s3-manifest", "s3://b/", env=env_of(snow))
    fetched = run("s3-fetch", "-d", "d", input=listed.out, env=env_of(snow))
    with FakeS3() as far:
        far.bucket("far")
        put = run("s3-put", "-d", "d", "--to", "s3://far/", input=fetched.out, env=env_of(far))
        assert put.status == 0, put.err
        assert objects(far, "far") == dict(ODD[:20])
    assert states(put.out) == {("stored", "crc32")}
