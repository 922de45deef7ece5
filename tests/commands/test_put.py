"""s3-put: what goes up is what was read, S3's word is held against it, and nothing is replaced or
left out without a word.
"""

import base64
import os
import random
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from conftest import clean_env, env_of
from fakes3 import CHARACTERS, FakeS3
from manifests import read_rows
from odd_keys import ODD_KEYS

BIN = Path(__file__).resolve().parents[2] / "bin"
MIB = 1 << 20


@pytest.fixture
def tree(tmp_path):
    """A directory of some files, one of them of three parts."""
    made, noise = tmp_path / "tree", random.Random(15)
    for number in range(12):
        path = made / f"d{number % 3}" / f"f{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise.randbytes(100 * number))
    (made / "big.iso").write_bytes(noise.randbytes(20 * MIB + 5))
    (made / "eight").write_bytes(noise.randbytes(8 * MIB))
    return made


@pytest.fixture
def b(fake):
    """A bucket that is empty."""
    fake.bucket("b")
    return fake


def files(folder):
    """Return {path: bytes} of a directory, ours left out."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in Path(folder).rglob("*")
            if path.is_file() and path.relative_to(folder).parts[0] != ".s3kit"}


def objects(fake, bucket, prefix=""):
    """Return {key without the prefix: bytes} of what a server has."""
    return {each.key.removeprefix(prefix): each.body for each in fake.objects(bucket)
            if each.key.startswith(prefix)}


def sent(fake):
    """Return the requests that brought bytes, or put parts together."""
    return [request for request in fake.requests()
            if request.method == "PUT" and request.key or request.method == "POST"]


def rows_of(path):
    """Return {path of the file: Row} of a manifest."""
    return {row.path: row for row in read_rows(path)}


def is_proven(fake, row):
    """Return whether a row's proof is true of what the server has at `stored_at`."""
    stored = fake.get(row.bucket, row.key, row.version_id or None)
    return row.proof == stored.algorithm.lower() and row.checksum == stored.checksum


# --- a tree


def test_a_tree_goes_up(run, b, tree, tmp_path):
    """Every row has the identity of its copy, and a proof that holds."""
    done = run("s3-put", "--to", "s3://b/p/", tree, "-o", "out.csv", env=env_of(b))
    assert done.status == 0, done.err
    assert "14 rows stored (28M)" in done.err
    assert objects(b, "b", "p/") == files(tree)
    rows = rows_of(tmp_path / "out.csv")
    assert rows.keys() == files(tree).keys()
    for path, row in rows.items():
        assert (row.bucket, row.key, row.state) == ("b", f"p/{path}", "stored")
        assert row.extra["stored_at"] == f"s3://b/p/{path}" and is_proven(b, row)
        assert row.etag == b.get("b", row.key).etag and int(row.size) == len(files(tree)[path])


def test_the_pipeline_and_the_directory_are_the_same(pipe, b, tree):
    """Rows of s3-manifest say what a directory does."""
    done = pipe("s3-manifest tree | s3-put --to s3://b/ -d tree", env=env_of(b))
    assert done.status == [0, 0], done.err
    assert objects(b, "b") == files(tree)


@pytest.mark.parametrize("ledger", [True, False])
def test_a_second_run_sends_nothing(run, b, tree, ledger):
    """What is there with the same content stays, whether the ledger knows it or S3 alone."""
    assert run("s3-put", "--to", "s3://b/p/", tree, env=env_of(b)).status == 0
    if not ledger:
        for path in (tree / ".s3kit").iterdir():
            path.unlink()
    for path in tree.rglob("*.txt"):
        os.utime(path, (1, 1))          # times say nothing
    before = len(sent(b))
    done = run("s3-put", "--to", "s3://b/p/", tree, "-o", "again.csv", env=env_of(b))
    assert done.status == 0 and "nothing to store, 14 rows already there" in done.err
    assert len(sent(b)) == before


def test_its_own_output_is_looked_at_again(run, b, tree, tmp_path):
    """A stored row keeps its target; one whose copy has gone is stored again."""
    assert run("s3-put", "--to", "s3://b/p/", tree, "-o", "out.csv", env=env_of(b)).status == 0
    b.delete("b", "p/d1/f1.txt")
    b.delete("b", "p/big.iso")
    done = run("s3-put", "--to", "s3://b/p/", "-d", tree, "out.csv", "-o", "two.csv",
               env=env_of(b))
    assert done.status == 0 and "2 rows stored" in done.err and "12 rows already" in done.err
    assert objects(b, "b", "p/") == files(tree)
    assert {row.state for row in read_rows(tmp_path / "two.csv")} == {"stored"}


@pytest.mark.parametrize("size", [5, 9 * MIB])
def test_rows_of_a_tree_that_fail_keep_their_target(run, b, tmp_path, size):
    """Three runs, each on what the one before said: one object."""
    (tmp_path / "D").mkdir()
    (tmp_path / "D" / "f").write_bytes(b"f" * size)
    assert run("s3-put", "--to", "s3://b/p/", "D", "-o", "1.csv", env=env_of(b)).status == 0
    b.fault("status", method=None, key="p/f", times=None, status=500, code="InternalError")
    assert run("s3-put", "--to", "s3://b/p/", "-d", "D", "--retries", "0", "1.csv", "-o", "2.csv",
               env=env_of(b)).status == 1
    b.faults.clear()
    done = run("s3-put", "--to", "s3://b/p/", "-d", "D", "2.csv", "-o", "3.csv", env=env_of(b))
    [row] = read_rows(tmp_path / "3.csv")
    assert done.status == 0 and (row.state, row.proof) == ("stored", "crc32"), done.err
    assert objects(b, "b").keys() == {"p/f"} and row.extra["stored_at"] == "s3://b/p/f"


# --- a bucket


def test_rows_of_a_bucket_stay_those_of_their_source(pipe, b, tmp_path):
    """What is deleted after a copy is the source: the row names it, and `stored_at` the copy."""
    b.bucket("a", versioning="Enabled")
    bodies = {"x/1": b"one", "x/2": b"two", "big": random.Random(3).randbytes(17 * MIB)}
    ids = {key: b.put("a", key, body) for key, body in bodies.items()}
    b.bucket("b", versioning="Enabled")
    done = pipe("s3-manifest s3://a/ | s3-fetch -d D | s3-put -d D --to s3://b/in/ -o out.csv",
                env=env_of(b))
    assert done.status == [0, 0, 0], done.err
    for row in read_rows(tmp_path / "out.csv"):
        assert (row.bucket, row.version_id, row.state) == ("a", ids[row.key], "stored")
        where, _, version = row.extra["stored_at"].partition("?versionId=")
        assert where == f"s3://b/in/{row.key}"
        assert b.get("b", f"in/{row.key}", version).body == bodies[row.key]
        assert row.proof == "crc32"


def test_bytes_that_are_not_those_of_the_row_are_not_sent(pipe, b, tmp_path):
    """Hop one and hop two have the same digest, or nothing goes."""
    b.bucket("a")
    b.put("a", "small", b"small")
    b.put("a", "large", random.Random(4).randbytes(9 * MIB))
    assert pipe("s3-manifest s3://a/ | s3-fetch -d D -o f.csv", env=env_of(b)).status == [0, 0]
    for name in ("small", "large"):
        path = tmp_path / "D" / "a" / name
        before = path.read_bytes()
        path.write_bytes(bytes([before[0] ^ 1]) + before[1:])
    done = pipe("s3-put -d D --to s3://b/ f.csv -o out.csv", env=env_of(b))
    assert done.status == [1]
    assert {row.state for row in read_rows(tmp_path / "out.csv")} == {"mismatch"}
    assert "the digest differs" in done.err and not objects(b, "b")
    assert not b.buckets["b"].uploads, "an upload was forgotten"


@pytest.mark.parametrize("size", [5, 9 * MIB])
def test_bytes_that_are_not_those_of_the_row_are_not_found_either(pipe, b, tmp_path, size):
    """The target has those of a file that was changed since it was fetched: no copy of the row's
    object, for which that could be deleted.
    """
    b.bucket("a")
    b.put("a", "k", b"x" * size)
    assert pipe("s3-manifest s3://a/ | s3-fetch -d D -o f.csv", env=env_of(b)).status == [0, 0]
    (tmp_path / "D" / "a" / "k").write_bytes(b"y" * size)
    b.put("b", "k", b"y" * size)
    done = pipe("s3-put -d D --to s3://b/ f.csv -o out.csv", env=env_of(b))
    [row] = read_rows(tmp_path / "out.csv")
    assert done.status == [1] and "the digest differs" in done.err
    assert (row.state, row.extra["stored_at"]) == ("mismatch", "")


@pytest.mark.parametrize("checksum, body, state", [
    ("CRC64NVME", b"right", "stored"), ("CRC64NVME", b"wrong", "mismatch"),
    ("SHA256", b"wrong", "mismatch"), (None, b"right", "stored"), (None, b"wrong", "unverifiable")])
def test_a_file_of_another_tool_is_held_against_the_row(pipe, b, tmp_path, checksum, body, state):
    """What S3 said of the object counts where we have no digest; an ETag may be none."""
    b.bucket("a")
    b.put("a", "k", b"right", checksum=checksum)
    (tmp_path / "k").write_bytes(body)
    done = pipe("s3-manifest s3://a/ | s3-fetch -d D -o f.csv", env=env_of(b))
    text = (tmp_path / "f.csv").read_text()
    rows = read_rows(tmp_path / "f.csv")
    text = text.replace(rows[0].digest, "").replace(rows[0].path, "").replace("fetched", "listed")
    (tmp_path / "g.csv").write_text(text)
    done = pipe("s3-put --to s3://b/ g.csv -o out.csv", env=env_of(b))
    [row] = read_rows(tmp_path / "out.csv")
    assert row.state == state, done.err
    assert bool(objects(b, "b")) == (state == "stored")


def test_a_weak_proof_stays_weak(pipe, b, tmp_path):
    """What was fetched on its size alone is not proven by a second hop."""
    b.bucket("a")
    b.put("a", "k", b"body", checksum=None, sse="aws:kms", etag="f" * 32)
    done = pipe("s3-manifest s3://a/ | s3-fetch -d D | s3-put -d D --to s3://b/ -o out.csv",
                env=env_of(b))
    [row] = read_rows(tmp_path / "out.csv")
    assert (row.state, row.proof) == ("stored", "size"), done.err


# --- what is there


def test_what_is_there_is_replaced_on_the_condition_that_it_is_still_that(run, b, tree):
    """Another content under the key goes, but for what nobody has compared."""
    b.put("b", "d1/f1.txt", b"old")
    etag = b.get("b", "d1/f1.txt").etag
    assert run("s3-put", "--to", "s3://b/", tree, env=env_of(b)).status == 0
    [put] = b.requests(method="PUT", key="d1/f1.txt")
    assert put.headers["if-match"] == f'"{etag}"'
    [new] = b.requests(method="PUT", key="d2/f2.txt")
    assert new.headers["if-none-match"] == "*"
    assert objects(b, "b") == files(tree)


@pytest.mark.parametrize("key", ["d1/f1.txt", "big.iso"])
def test_if_absent_replaces_nothing(run, b, tree, tmp_path, key):
    """A conflict, not a failure; the rest is stored."""
    b.put("b", key, b"old")
    done = run("s3-put", "--to", "s3://b/", "--if-absent", tree, "-o", "out.csv", env=env_of(b))
    assert done.status == 1 and "another object is there" in done.err
    assert b.get("b", key).body == b"old"
    assert rows_of(tmp_path / "out.csv")[key].state == "conflict"
    assert not b.buckets["b"].uploads


@pytest.mark.parametrize("size", [5, 9 * MIB])
def test_if_absent_on_a_server_that_passes_over_conditions(run, tmp_path, size):
    """What came after the run began is looked at, too."""
    (tmp_path / "D").mkdir()
    (tmp_path / "D" / "f").write_bytes(b"f" * size)
    with FakeS3(character="conditions-ignored") as s3:
        s3.bucket("b")
        s3.fault("rival", method="HEAD", key="f")       # it was empty when the run began
        done = run("s3-put", "--to", "s3://b/", "--if-absent", "D", env=env_of(s3))
        assert done.status == 1 and "another object is there" in done.err
        assert s3.get("b", "f").body == b"the rival's" and not s3.buckets["b"].uploads


@pytest.mark.parametrize("key", ["d1/f1.txt", "big.iso"])
def test_what_comes_meanwhile_stays(run, b, tree, tmp_path, key):
    """A racing writer's object is not replaced: nobody has compared with it."""
    def race(request):
        if request.key == key and request.method == ("POST" if key == "big.iso" else "PUT") and (
                "uploads" not in request.query) and not b.get("b", key):
            b.put("b", key, b"racer")

    b.hook = race
    done = run("s3-put", "--to", "s3://b/", tree, "-o", "out.csv", env=env_of(b))
    assert done.status == 1 and "meanwhile" in done.err, done.err
    assert b.get("b", key).body == b"racer"
    assert rows_of(tmp_path / "out.csv")[key].state == "conflict"
    assert not b.buckets["b"].uploads


def test_two_rows_with_one_target(run, b, tmp_path):
    """The second is named: it would have replaced the first."""
    for name in "xy":
        (tmp_path / name).write_text(name)
    (tmp_path / "m.csv").write_text("bucket,key,path\na,k,x\nc,k,y\n")
    done = run("s3-put", "--to", "s3://b/", "m.csv", "-o", "out.csv", env=env_of(b))
    assert done.status == 1 and "another row has the target 's3://b/k'" in done.err
    assert objects(b, "b") == {"k": b"x"}


# --- files


def test_nothing_is_left_out_without_a_word(run, b, tree, tmp_path):
    """Links, FIFOs and files that are gone are rows that failed."""
    (tree / "link").symlink_to(tree / "eight")
    (tree / "lost").symlink_to(tree / "nowhere")
    os.mkfifo(tree / "fifo")
    done = run("s3-put", "--to", "s3://b/", tree, "-o", "out.csv", env=env_of(b))
    assert done.status == 1
    for words in ("'link' is a symbolic link (--follow-links)", "'fifo' is a FIFO",
                  "'lost' is a symbolic link"):
        assert words in done.err
    failed = {row.path for row in read_rows(tmp_path / "out.csv") if row.state == "failed"}
    assert failed == {"link", "lost", "fifo"} and "14 rows stored" in done.err


def test_links_are_followed_on_demand(run, b, tree):
    """Also those that lead to directories, once; one that leads nowhere is named."""
    (tree / "link").symlink_to(tree / "eight")
    (tree / "round").symlink_to(tree)
    (tree / "lost").symlink_to(tree / "nowhere")
    done = run("s3-put", "--to", "s3://b/", "--follow-links", tree, env=env_of(b))
    assert done.status == 1 and "'lost' is a symbolic link" in done.err
    assert objects(b, "b") == files(tree) and "link" in objects(b, "b")


def test_a_file_that_is_not_there(run, b, tmp_path):
    """A list by hand names it."""
    done = run("s3-put", "--to", "s3://b/", input="key\nnowhere\n", env=env_of(b))
    assert done.status == 1 and "there is no file" in done.err and "failed" in done.out


def test_keys_that_end_in_a_slash(run, b, tmp_path):
    """A directory stands for one, or a row that says that it has no bytes; a name alone does not.
    """
    (tmp_path / "D" / "there").mkdir(parents=True)
    (tmp_path / "m.csv").write_text("key,size\nthere/,\nnowhere/,\nsaid/,0\n")
    done = run("s3-put", "--to", "s3://b/", "-d", "D", "m.csv", env=env_of(b))
    assert done.status == 1 and "there is no file" in done.err and "nowhere/" in done.err
    assert objects(b, "b") == {"there/": b"", "said/": b""}


def test_keys_of_every_kind_come_back(pipe, b, tmp_path):
    """Down from one bucket, up to another: the same keys, the same bytes."""
    b.bucket("a")
    for key, body in ODD_KEYS:
        b.put("a", key, body)
    done = pipe("s3-manifest s3://a/ | s3-fetch -d D | s3-put -d D --to s3://b/ -o out.csv",
                env=env_of(b), timeout=120)
    assert done.status == [0, 0, 0], done.err
    assert objects(b, "b") == dict(ODD_KEYS)
    assert {row.state for row in read_rows(tmp_path / "out.csv")} == {"stored"}


def test_names_that_no_key_can_have(run, b, tmp_path):
    """A file whose name is not UTF-8 is named; the others are stored."""
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "ok").write_text("ok")
    Path(os.fsdecode(bytes(tmp_path / "t") + b"/\xff")).write_text("no")
    done = run("s3-put", "--to", "s3://b/", "t", env=env_of(b))
    assert done.status == 1 and "not UTF-8" in done.err and objects(b, "b") == {"ok": b"ok"}
    (tmp_path / "m.csv").write_text("key\n" + "k" * 1020 + "\n")
    done = run("s3-put", "--to", "s3://b/prefix/", "m.csv", env=env_of(b))
    assert done.status == 1 and "the target's key has 1,027 bytes" in done.err


def test_a_file_of_data_is_no_manifest(run, b, tree):
    """It is not read as millions of keys."""
    done = run("s3-put", "--to", "s3://b/", tree / "eight", env=env_of(b))
    assert done.status == 2 and "is no manifest" in done.err and not b.log


def test_a_prefix_is_taken_as_it_stands(run, b, tmp_path):
    """As all prefixes are; people hear of one that looks like a directory."""
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "k").write_text("ok")
    done = run("s3-put", "--to", "s3://b/p", "t", env=env_of(b))
    assert done.status == 0 and objects(b, "b") == {"pk": b"ok"}
    warning = "keys will begin with 'p' as it stands (--to s3://b/p/ puts them below it)"
    assert done.err.count("warning") == 1 and warning in done.err
    assert warning in run("s3-put", "-n", "--to", "s3://b/p", "t").err
    assert run("s3-put", "-q", "--to", "s3://b/p", "t", env=env_of(b)).err == ""


# --- what objects get


def test_what_objects_get_beside_their_bytes(run, b, tmp_path):
    """Time as rclone writes it, type by name, and what the command line says."""
    (tmp_path / "t").mkdir()
    for name in ("a.html", "b.tar.gz", "c"):
        (tmp_path / "t" / name).write_text(name)
        os.utime(tmp_path / "t" / name, ns=(0, 1_700_000_000_250_000_000))
    done = run("s3-put", "--to", "s3://b/", "t", "--metadata", "Owner=me too", "--tag", "k=v w",
               "--storage-class", "STANDARD_IA", env=env_of(b))
    assert done.status == 0, done.err
    types = {"a.html": "text/html", "b.tar.gz": "application/gzip",
             "c": "application/octet-stream"}
    for name, kind in types.items():
        [put] = b.requests(method="PUT", key=name)
        assert put.headers["content-type"] == kind
        assert put.headers["x-amz-meta-mtime"] == "1700000000.25"
        assert put.headers["x-amz-meta-owner"] == "me too"
        assert put.headers["x-amz-tagging"] == "k=v%20w"
        assert put.headers["x-amz-storage-class"] == "STANDARD_IA"
        assert "aws-chunked" not in put.headers.get("content-encoding", "")


@pytest.mark.parametrize("words", [["--metadata", "x"], ["--metadata", "k=\u00fc"],
                                   ["--part-size", "5M"], ["--part-size", "6G"], ["--abort"],
                                   ["-n", "--remove-local"], ["--tag", "="], ["."], ["-d", "x"]])
def test_wrong_words(run, b, tree, words):
    """Usage; nothing is sent."""
    done = run("s3-put", "--to", "s3://b/", tree, *words, env=env_of(b))
    assert done.status == 2 and done.err.startswith("s3-put: ") and not b.log


@pytest.mark.parametrize("checksum", ["crc64nvme", "crc32c", "sha1", "sha256", "md5"])
def test_other_checksums(run, b, tree, tmp_path, checksum):
    """S3 is told them, whole and in parts, and tells them."""
    done = run("s3-put", "--to", "s3://b/", tree, "--checksum", checksum, "-o", "out.csv",
               env=env_of(b))
    assert done.status == 0, done.err
    rows = rows_of(tmp_path / "out.csv")
    is_crc, is_md5 = checksum.startswith("crc"), checksum == "md5"
    small, large = rows["d1/f1.txt"].proof, rows["big.iso"].proof
    assert small == checksum or is_md5
    assert large == (checksum if is_crc else f"{checksum}-parts:{8 * MIB}") or is_md5
    assert objects(b, "b") == files(tree)


def test_parts_say_what_they_are(run, b, tree):
    """The algorithm and the type are declared at creation, a value goes with each part, the whole
    value and the size with the completion.
    """
    assert run("s3-put", "--to", "s3://b/", tree, env=env_of(b)).status == 0
    [create] = b.requests(method="POST", key="big.iso", where=lambda r: "uploads" in r.query)
    assert create.headers["x-amz-checksum-algorithm"] == "CRC32"
    assert create.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    parts = b.requests(method="PUT", key="big.iso")
    assert sorted(part.query["partNumber"] for part in parts) == ["1", "2", "3"]
    assert all("x-amz-checksum-crc32" in part.headers for part in parts)
    [complete] = b.requests(method="POST", key="big.iso", where=lambda r: "uploadId" in r.query)
    body = (tree / "big.iso").read_bytes()
    assert complete.headers["x-amz-checksum-crc32"] == base64.b64encode(
        zlib.crc32(body).to_bytes(4, "big")).decode()
    assert complete.headers["x-amz-mp-object-size"] == str(len(body))
    assert complete.headers["if-none-match"] == "*"


# --- ends


def test_files_go_when_their_copies_are_proven(run, b, tree):
    """--remove-local: each file, and nothing else; a second run finds the copies."""
    before = files(tree)
    manifest = tree.parent / "m.csv"
    assert run("s3-manifest", tree, "-o", manifest).status == 0
    done = run("s3-put", "--to", "s3://b/", "--remove-local", "-d", tree, manifest,
               env=env_of(b))
    assert done.status == 0 and "14 files removed" in done.err
    assert objects(b, "b") == before and not files(tree)
    done = run("s3-put", "--to", "s3://b/", "--remove-local", "-d", tree, manifest,
               env=env_of(b))
    assert done.status == 0 and "14 rows already there" in done.err, done.err
    b.delete("b", "eight")
    done = run("s3-put", "--to", "s3://b/", "-d", tree, manifest, env=env_of(b))
    assert done.status == 1 and "is there no more" in done.err


def test_a_copy_is_looked_at_before_its_file_goes(run, b, tree):
    """--remove-local: S3's answer to the bytes is not enough, large files included."""
    b.bucket("b", versioning="Enabled")
    there, heads = [], []

    def look(request):
        if request.method == "HEAD" and "versionId" in request.query:
            heads.append(request.key)
            there.append((tree / request.key).exists())
    b.hook = look
    done = run("s3-put", "--to", "s3://b/", "--remove-local", "--bucket", "b", tree, env=env_of(b))
    assert done.status == 0, done.err
    assert sorted(set(heads)) == sorted(objects(b, "b")) and all(there) and not files(tree)


def test_keys_lose_a_prefix(run, b, tmp_path):
    """--strip; a row whose key does not begin so fails, and nothing is sent of it."""
    for name in ("a/one", "a/b/two", "c"):
        (tmp_path / "t" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "t" / name).write_text(name)
    done = run("s3-put", "--to", "s3://b/p/", "--strip", "a/", tmp_path / "t", env=env_of(b))
    assert done.status == 1 and "c: its key is not below what --strip takes away" in done.err
    assert objects(b, "b") == {"p/one": b"a/one", "p/b/two": b"a/b/two"}
    again = run("s3-put", "--to", "s3://b/p/", "--strip", "a/", tmp_path / "t", env=env_of(b))
    assert "2 rows already there" in again.err, again.err


def test_files_that_went_are_known_by_rows_that_do_not_name_their_copies(run, b, tree):
    """Rows of a local tree have another bucket and key than the copies below a prefix; a file that
    was changed after it was stored, and then removed, is not taken for it.
    """
    manifest = tree.parent / "m.csv"
    assert run("s3-manifest", "--bucket", "x", tree, "-o", manifest).status == 0
    command = ["s3-put", "--to", "s3://b/p/", "--remove-local", "-d", tree]
    assert run(*command, manifest, env=env_of(b)).status == 0 and not files(tree)
    done = run(*command, manifest, "-o", "two.csv", env=env_of(b))
    assert done.status == 0 and "14 rows already there" in done.err, done.err
    assert {row.extra["stored_at"] for row in read_rows(tree.parent / "two.csv")} == {
        f"s3://b/{key}" for key in objects(b, "b")}
    (tree / "eight").write_bytes(bytes(8 * MIB))
    os.utime(tree / "eight", (5, 5))
    assert run("s3-manifest", "--bucket", "x", tree, "-o", manifest).status == 0
    (tree / "eight").unlink()
    done = run(*command, manifest, env=env_of(b))
    assert done.status == 1 and "there is no file 'eight'" in done.err


@pytest.mark.parametrize("state", ["listed", "failed"])
@pytest.mark.parametrize("body", [b"other", b"two"])
def test_files_that_went_are_those_of_their_objects(pipe, b, tmp_path, body, state):
    """What is in the place of the source since, and was not fetched, is not what is stored."""
    b.bucket("a")
    b.put("a", "k", b"first")
    assert pipe("s3-manifest s3://a/ | s3-fetch -d D | s3-put -d D --remove-local --to s3://b/",
                env=env_of(b)).status == [0, 0, 0]
    b.put("a", "k", body)
    done = pipe(f"s3-manifest s3://a/ | sed s/listed/{state}/ | s3-put -d D --to s3://b/ -o o.csv",
                env=env_of(b))
    [row] = read_rows(tmp_path / "o.csv")
    assert row.state == "failed" and "there is no file" in row.error, done.err


def is_part(number):
    """Return what tells a request that sends a part of this number."""
    return lambda request: request.query.get("partNumber") == str(number)


def test_an_upload_that_fails_is_aborted(run, b, tree):
    """None of its parts is left to be paid for."""
    b.fault("status", method="PUT", key="big.iso", times=None, status=403, code="AccessDenied",
            where=is_part(3))
    done = run("s3-put", "--to", "s3://b/", tree, "--retries", "0", env=env_of(b))
    assert done.status == 1 and "AccessDenied" in done.err
    assert b.requests(method="PUT", key="big.iso", where=is_part(1))
    assert not b.buckets["b"].uploads and "big.iso" not in objects(b, "b")


def killed_while_sending(b, tree, *options):
    """Kill s3-put by SIGKILL when S3 has two parts of three."""
    hang = b.fault("hang", method="PUT", key="big.iso", times=None, where=is_part(3))
    process = subprocess.Popen([sys.executable, BIN / "s3-put", "--to", "s3://b/", tree, *options],
                               env=clean_env(env_of(b)), stdout=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while not hang.hits or len(b.requests(method="PUT", key="big.iso", status=200)) < 2:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    time.sleep(0.3)
    process.kill()
    process.wait()
    b.faults.clear()


@pytest.mark.parametrize("lists", [True, False])
def test_a_large_upload_is_taken_up_inside(run, b, tree, lists):
    """After kill -9 only the part that was on its way is sent again, also where the server does not
    list parts; nothing is left of it afterwards.
    """
    killed_while_sending(b, tree)
    if not lists:
        b.fault("status", method="GET", key="big.iso", times=None, status=501,
                code="NotImplemented")
    before = len(b.log)
    done = run("s3-put", "--to", "s3://b/", tree, env=env_of(b))
    assert done.status == 0, done.err
    again = [request for request in list(b.log)[before:] if "partNumber" in request.query]
    assert [request.query["partNumber"] for request in again] == ["3"]
    assert objects(b, "b") == files(tree) and not b.buckets["b"].uploads


@pytest.mark.parametrize("change, why", [
    ("file", "the file was changed since its upload began"), ("part", "the size of its parts"),
    ("rule", "S3 says NoSuchUpload")])
def test_an_upload_that_is_of_no_use_begins_anew(run, b, tree, change, why):
    """It is aborted, and that is said in one line."""
    killed_while_sending(b, tree)
    [upload] = b.buckets["b"].uploads
    options = []
    if change == "file":
        os.utime(tree / "big.iso", (5, 5))
    elif change == "part":
        options = ["--part-size", "16M"]
    else:
        b.buckets["b"].end_upload(b.buckets["b"].uploads[upload])
    done = run("s3-put", "--to", "s3://b/", tree, *options, env=env_of(b))
    assert done.status == 0 and why in done.err, done.err
    assert "from the beginning" in done.err and not b.buckets["b"].uploads
    assert objects(b, "b") == files(tree)


def test_an_upload_of_which_nobody_has_heard_is_said(run, b, tree):
    """Killed before S3 has answered the beginning of an upload: the next run says what may be
    there.
    """
    hang = b.fault("hang", step="CreateMultipartUpload", key="big.iso")
    process = subprocess.Popen([sys.executable, BIN / "s3-put", "--to", "s3://b/", tree],
                               env=clean_env(env_of(b)), stdout=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while not hang.hits:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    time.sleep(0.2)
    process.kill()
    process.wait()
    for said in (True, False):
        done = run("s3-put", "--to", "s3://b/", tree, env=env_of(b))
        assert done.status == 0 and objects(b, "b") == files(tree)
        assert ("an earlier run ended while its upload began" in done.err) == said
    assert len(b.buckets["b"].uploads) == 1


def test_an_upload_that_is_not_complete_is_listed_and_cleared(run, b, tree):
    """The ledger knows which one the same command would go on with."""
    killed_while_sending(b, tree)
    done = run("s3-put", "--to", "s3://b/", "-d", tree, "--uploads", env=env_of(b))
    assert done.status == 0 and "resumable" in done.out and "big.iso" in done.out
    assert "1 unfinished upload, 3 parts" in done.err
    done = run("s3-put", "--to", "s3://b/", "--uploads", "--abort", "--older", "1d", env=env_of(b))
    assert done.status == 0 and b.buckets["b"].uploads
    done = run("s3-put", "--to", "s3://b/", "--uploads", "--abort", env=env_of(b))
    assert done.status == 0 and not b.buckets["b"].uploads


@pytest.mark.parametrize("there", ["no bucket", "no keys"])
def test_what_nobody_can_do_ends_the_run(run, b, tree, there):
    """One line, status 3."""
    env = env_of(b) | ({"AWS_SECRET_ACCESS_KEY": "wrong"} if there == "no keys" else {})
    done = run("s3-put", "--to", "s3://nobody/" if there == "no bucket" else "s3://b/", tree,
               env=env)
    assert done.status == 3 and len(done.err.splitlines()) == 1, done.err


def test_a_bucket_with_object_lock(run, b, tree):
    """It wants a checksum of every body, whole or part: all have one."""
    b.bucket("locked", versioning="Enabled").settings["object-lock"] = (
        "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
        "<Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>")
    for options in ([], ["--checksum", "md5"]):
        done = run("s3-put", "--to", f"s3://locked/{len(options)}/", tree, *options,
                   env=env_of(b))
        assert done.status == 0, done.err
        assert objects(b, "locked", f"{len(options)}/") == files(tree)


def test_a_bucket_goes_out_and_comes_back_as_it_was(pipe, run, b, tmp_path):
    """Types, metadata and times: s3-fetch --with-metadata says them, s3-put gives them, and
    s3-fetch --source-times restores the times of files.
    """
    b.bucket("a")
    told = {"Content-Type": "text/x-odd", "Content-Disposition": "attachment", "Cache-Control":
            "no-store", "x-amz-meta-owner": "me, too", "x-amz-meta-mtime": "1700000000.5",
            "x-amz-meta-empty": ""}
    b.put("a", "k", b"body", headers=told)
    b.put("a", "large", random.Random(1).randbytes(9 * MIB), headers=told)
    done = pipe("s3-manifest s3://a/ | s3-fetch --with-metadata --source-times -d D | "
                "s3-put -d D --to s3://b/ -o out.csv", env=env_of(b))
    assert done.status == [0, 0, 0], done.err
    assert (tmp_path / "D" / "a" / "k").stat().st_mtime == 1700000000.5
    for key in ("k", "large"):
        headers = {name: value for name, value in b.get("b", key).headers.items()
                   if name.lower() != "x-amz-meta-s3kit-token"}
        assert {name.lower(): value for name, value in headers.items()} == {
            name.lower(): value for name, value in told.items()}
    done = pipe("s3-manifest s3://b/ | s3-fetch --source-times -d E", env=env_of(b))
    assert (tmp_path / "E" / "b" / "large").stat().st_mtime == 1700000000.5


UPLOADS = [name for name, kind in CHARACTERS.items() if "uploads" in kind.differs]
UPLOADS += ["no-checksums", "minio-gateway", "exoscale", "b2", "gone-is-412", "redirecting"]
OPAQUE = ("minio-gateway", "exoscale", "gcs")       # no checksums, and ETags that are no MD5


@pytest.mark.parametrize("character", UPLOADS)
def test_servers_that_are_not_amazons(run, fake, tree, tmp_path, character):
    """What a server lacks is done without; nothing is stored that is not proven."""
    fake.bucket("b")
    fake.put("b", "d1/f1.txt", b"old")
    wanted = ("stored", "unverifiable")[character in OPAQUE]
    done = run("s3-put", "--to", "s3://b/", tree, "-o", "out.csv", env=env_of(fake))
    assert {row.state for row in read_rows(tmp_path / "out.csv")} == {wanted}, done.err
    assert objects(fake, "b") == files(tree)
    assert done.status == (0 if wanted == "stored" else 5)
    before = len(sent(fake))
    done = run("s3-put", "--to", "s3://b/", tree, env=env_of(fake))
    if wanted == "stored":
        assert done.status == 0 and len(sent(fake)) == before, done.err


def test_pages_do_not_give_up_what_others_have_put(run, b, tree, tmp_path):
    """Two pages of a proxy in the place of S3's answers say nothing of conditions: another's object
    that comes meanwhile still stays.
    """
    b.put("b", "something", b"there")
    b.fault("page", step="PutObject", key="d1/f1.txt", status=400, times=2)
    b.fault("rival", step="CompleteMultipartUpload", key="big.iso")
    done = run("s3-put", "--to", "s3://b/", tree, "-o", "out.csv", env=env_of(b))
    assert done.status == 1 and b.get("b", "big.iso").body == b"the rival's"
    rows = rows_of(tmp_path / "out.csv")
    assert rows["big.iso"].state == "conflict" and rows["d0/f3.txt"].state == "stored"
