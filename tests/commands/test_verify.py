"""s3-verify: what the disk says against what S3 said, whichever tool put the files there."""

import base64
import hashlib
import os
import random
import subprocess
from pathlib import Path

import pytest
from batch_reports import message, quoted
from conftest import env_of
from fakes3 import FakeS3

from manifests import read_rows

from s3kit.proof.checksums import ALGORITHMS, hasher
from s3kit.proof.digest import digest_of


@pytest.fixture
def fetched(fake, run, tmp_path):
    """Return (manifest, destination) of three objects that s3-fetch brought."""
    fake.bucket("b", versioning="Enabled")
    for key in ("a", "dir/b", "dir/c"):
        fake.put("b", key, key.encode() * 1000)
    dest = tmp_path / "d"
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    return run("s3-fetch", "-d", dest, input=listed, env=env_of(fake)).out, dest


def rot(path):
    """Change one byte of a file and give it its old time: what a disk does."""
    status = os.stat(path)
    with open(path, "r+b") as file:
        file.seek(500)
        byte = file.read(1)
        file.seek(500)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_rot_is_a_mismatch(fetched, run):
    """A byte that changed without a trace is found; the others are verified; the status is 1."""
    manifest, dest = fetched
    rot(dest / "b" / "dir" / "b")
    done = run("s3-verify", "-d", dest, input=manifest)
    assert done.status == 1
    assert ({row.key: row.state for row in read_rows(done.out)}
            == {"a": "verified", "dir/b": "mismatch", "dir/c": "verified"})
    assert (dest / "b" / "dir" / "b").exists()


def test_discard_and_fetch_again(fetched, fake, run):
    """--discard removes what differs, s3-fetch gets just that, and all is verified."""
    manifest, dest = fetched
    rot(dest / "b" / "a")
    found = run("s3-verify", "--discard", "-d", dest, input=manifest)
    assert found.status == 1 and not (dest / "b" / "a").exists()
    before = len(fake.log)
    again = run("s3-fetch", "-d", dest, input=found.out, env=env_of(fake))
    assert again.status == 0, again.err
    assert [request.key for request in fake.log[before:] if request.key] == ["a"]
    last = run("s3-verify", "-d", dest, input=again.out)
    assert last.status == 0 and {row.state for row in read_rows(last.out)} == {"verified"}


def test_missing_and_short(fetched, run):
    """A file that is gone is `missing`; one of another length is a `mismatch` without being read.
    """
    manifest, dest = fetched
    (dest / "b" / "a").unlink()
    (dest / "b" / "dir" / "b").write_bytes(b"short")
    done = run("s3-verify", "-d", dest, input=manifest)
    assert done.status == 1
    assert ({row.key: row.state for row in read_rows(done.out)}
            == {"a": "missing", "dir/b": "mismatch", "dir/c": "verified"})


def test_quick_asks_nothing_of_s3(fetched, fake, run):
    """--quick compares with the ledger's digest: it finds rot, and needs neither network nor
    credentials.
    """
    manifest, dest = fetched
    before = len(fake.log)
    done = run("s3-verify", "--quick", "-d", dest, input=manifest)
    assert done.status == 0 and {row.proof for row in read_rows(done.out)} == {"digest"}
    rot(dest / "b" / "a")
    done = run("s3-verify", "--quick", "-d", dest, input=manifest)
    assert done.status == 1 and len(fake.log) == before


@pytest.mark.parametrize("layout", ["b/{key}", "{key}"], ids=["bucket and key", "key"])
def test_what_other_tools_downloaded(fake, run, tmp_path, layout):
    """Given only a manifest, files of another tool are verified, multipart ones too, wherever it
    put the bucket.
    """
    fake.bucket("b")
    bodies = {"plain": b"plain" * 999, "dir/parts": random.Random(1).randbytes(12 << 20)}
    fake.put("b", "plain", bodies["plain"], checksum=None)
    body = bodies["dir/parts"]
    fake.put("b", "dir/parts", b"",
             parts=[body[at:at + (5 << 20)] for at in range(0, len(body), 5 << 20)], checksum=None)
    for key, data in bodies.items():
        file = tmp_path / "d" / layout.format(key=key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    done = run("s3-verify", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert done.status == 0, done.err
    assert ({row.key: row.proof for row in read_rows(done.out)}
            == {"plain": "etag-md5", "dir/parts": f"etag-md5-parts:{5 << 20}"})
    offline = run("s3-verify", "-d", tmp_path / "d", input=listed)
    assert offline.status == 0, "common part sizes are found in one read, without S3"


def test_unverifiable_is_not_ok(fake, run, tmp_path):
    """An encrypted object whose ETag is no MD5 and that has no checksum: status 5, and neither ok
    nor corrupt.
    """
    fake.bucket("b")
    fake.put("b", "k", b"bytes", checksum=None, sse="aws:kms", etag="0" * 32)
    (tmp_path / "d" / "b").mkdir(parents=True)
    (tmp_path / "d" / "b" / "k").write_bytes(b"bytes")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    done = run("s3-verify", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    row = read_rows(done.out)[0]
    assert (done.status, row.state, row.proof) == (5, "unverifiable", "size")


@pytest.mark.parametrize("character, sse", [("ceph", "AES256"), (None, "aws:kms")])
def test_a_report_of_checksums_proves_old_objects(run, tmp_path, character, sse):
    """Objects in parts of odd sizes, or encrypted, without a checksum: nothing proves their files,
    until a "Compute checksum" job of S3's has told the checksum of each whole object.
    """
    body, lines = random.Random(7).randbytes(700_003), []
    with FakeS3(character=character) as server:
        for name in ALGORITHMS:
            server.put("b", name, body, checksum=None, parts=[300_001, 399_999, 3], sse=sse)
            told = hasher(name)
            told.update(body)
            lines.append(f"b,{name},,succeeded,200,,{quoted(message(by(name, told.digest())))}\n")
        env = env_of(server)
        listed = run("s3-manifest", "s3://b", env=env).out
        place = tmp_path / "d" / "b"
        place.mkdir(parents=True)
        for name in ALGORITHMS:
            (place / name).write_bytes(body)
        before = run("s3-verify", "-d", tmp_path / "d", input=listed, env=env)
        assert (before.status, {row.state for row in read_rows(before.out)}) == (
            5, {"unverifiable"})
        report = tmp_path / "results.csv"
        report.write_text("".join(lines))
        (place / "md5").write_bytes(body[:-1] + b"?")
        done = run("s3-verify", "-d", tmp_path / "d", "--from", "batch-report", report, env=env)
    rows = {row.key: row for row in read_rows(done.out)}
    assert (done.status, rows.pop("md5").state) == (1, "mismatch")
    assert {(name, row.state, row.proof) for name, row in rows.items()} == {
        (name, "verified", name) for name in ALGORITHMS if name != "md5"}


def by(algorithm, digest):
    """Return what a task has told of a checksum of a whole object."""
    return {"checksum_base64": base64.b64encode(digest).decode(), "checksumType": "FULL_OBJECT",
            "checksumAlgorithm": algorithm.upper(), "checksum_hex": digest.hex().upper()}


def test_an_encrypted_object_is_verified_by_our_digest(fake, run, tmp_path):
    """What s3-fetch brought is compared with the digest that it took, and says so."""
    fake.bucket("b")
    fake.put("b", "k", b"bytes", checksum=None, sse="aws:kms", etag="0" * 32)
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    got = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert got.status == 0 and read_rows(got.out)[0].proof == "size"
    done = run("s3-verify", "-d", tmp_path / "d", input=got.out, env=env_of(fake))
    row = read_rows(done.out)[0]
    assert (done.status, row.state, row.proof) == (0, "verified", "digest"), done.err


@pytest.mark.parametrize("turned", [False, True])
def test_discard_leaves_the_file_of_another_version(run, fake, tmp_path, turned):
    """A row whose path leads to another version's file is wrong; the file is not, in whatever order
    they come.
    """
    fake.bucket("b", versioning="Enabled")
    for body in (b"older", b"newer!"):
        fake.put("b", "k", body)
    listed = run("s3-manifest", "--versions", "s3://b", env=env_of(fake)).out
    fetched = read_rows(run("s3-fetch", "-d", "d", input=listed, env=env_of(fake)).out)
    newest = next(row for row in fetched if row.is_latest == "true")
    lines = [",".join((row.bucket, row.key, row.version_id, row.size, row.etag, newest.path))
             for row in fetched]
    done = run("s3-verify", "--discard", "-d", "d", env=env_of(fake), input="\n".join(
        ["bucket,key,version_id,size,etag,path", *(reversed(lines) if turned else lines), ""]))
    assert done.status == 1 and "of another version" in done.err
    assert {row.version_id: row.state for row in read_rows(done.out)} == {
        row.version_id: "verified" if row is newest else "mismatch" for row in fetched}
    assert (tmp_path / "d" / newest.path).read_bytes() == b"newer!"


@pytest.mark.parametrize("turned", [False, True])
def test_no_row_is_verified_whose_file_another_row_had_removed(run, fake, tmp_path, turned):
    """Where no ledger tells whose file it is, the first row decides; what is said is true of what
    is there.
    """
    fake.bucket("b", versioning="Enabled")
    for body in (b"older", b"newer!"):
        fake.put("b", "k", body)
    place = tmp_path / "d" / "b"
    place.mkdir(parents=True)
    (place / "k").write_bytes(b"newer!")
    listed = read_rows(run("s3-manifest", "--versions", "s3://b", env=env_of(fake)).out)
    lines = [",".join((row.bucket, row.key, row.version_id, row.size, row.etag, "b/k"))
             for row in listed]
    done = run("s3-verify", "--discard", "-d", "d", env=env_of(fake), input="\n".join(
        ["bucket,key,version_id,size,etag,path", *(reversed(lines) if turned else lines), ""]))
    states = {row.is_latest or row.size: row.state for row in read_rows(done.out)}
    assert ((place / "k").exists()) == ("verified"
                                        in states.values()) and "mismatch" in states.values()


@pytest.mark.system("mkfs.ext4", "mount", "findmnt", "blockdev", "root")
def test_reads_the_disk_and_not_the_page_cache(run, fake, tmp_path):
    """A byte flipped below the file system, while the page cache still has the right one, is found.
    """
    image, place = tmp_path / "image", tmp_path / "mounted"
    place.mkdir()
    subprocess.run(["truncate", "-s", "64M", image], check=True)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    try:
        body = random.Random(4).randbytes(1 << 20)
        fake.bucket("b")
        fake.put("b", "k", body)
        listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
        got = run("s3-fetch", "-d", place / "d", input=listed, env=env_of(fake))
        assert got.status == 0
        os.sync()
        # s3-fetch writes past the cache: now it is in there
        assert (place / "d" / "b" / "k").read_bytes() == body
        raw = image.read_bytes()
        at = raw.index(body[4096 * 10:4096 * 11])
        with open(image, "r+b") as file:
            file.seek(at)
            file.write(bytes([body[4096 * 10] ^ 1]))
        # The loop device's own cache is no disk either: drop it, but not the file's pages.
        device = subprocess.run(["findmnt", "-n", "-o", "SOURCE", place], capture_output=True,
                                text=True, check=True).stdout.strip()
        subprocess.run(["blockdev", "--flushbufs", device], check=True)
        assert (place / "d" / "b"
                / "k").read_bytes() == body, "the page cache still has the right bytes"
        done = run("s3-verify", "-d", place / "d", input=got.out, env=env_of(fake))
        assert done.status == 1 and read_rows(done.out)[0].state == "mismatch"
    finally:
        subprocess.run(["umount", place], check=True)


def test_failed_rows_stay_failed(fetched, run):
    """A row that failed before s3-verify goes on as it is, and the status tells."""
    manifest, dest = fetched
    rows = manifest.replace(",fetched,b/a,", ",failed,b/a,", 1)
    done = run("s3-verify", "-d", dest, input=rows)
    assert done.status == 1
    assert ({row.key: row.state for row in read_rows(done.out)}
            == {"a": "failed", "dir/b": "verified", "dir/c": "verified"})


def test_the_ledger_hears_of_it(fetched, run):
    """What was verified, and on what proof, is in the ledger, for s3-prune to rely on."""
    from s3kit.disk.ledger import Ledger
    manifest, dest = fetched
    run("s3-verify", "-d", dest, input=manifest)
    row = read_rows(manifest)[0]
    entry = Ledger(Path(dest, ".s3kit")).find(row.bucket, row.key, row.version_id)
    assert (entry.state, entry.proof, entry.path) == ("verified", "crc64nvme", row.path)


def test_archived_rows_wait_for_their_restore(fake, pipe, tmp_path):
    """What s3-fetch had to pass on s3-verify passes on, too: it is not missing; the status says
    that not all is done.
    """
    fake.bucket("b")
    fake.put("b", "cold", b"cold", storage_class="GLACIER")
    out = tmp_path / "out.csv"
    done = pipe(
        f"s3-manifest s3://b | s3-fetch -d {tmp_path}/d | s3-verify -d {tmp_path}/d -o {out}",
        env=env_of(fake))
    assert done.status == [0, 1, 1]
    assert read_rows(out)[0].state == "listed"


def test_a_placeholder_directory_stays_known(fake, run, pipe, tmp_path):
    """A zero-byte `dir/` is fetched once, whatever else s3-verify records of it."""
    fake.bucket("b")
    fake.put("b", "dir/", b"")
    done = pipe(f"s3-manifest s3://b | s3-fetch -d {tmp_path}/d | s3-verify -d {tmp_path}/d",
                env=env_of(fake))
    assert done.status == [0, 0, 0], done.err
    again = run("s3-fetch", "-d", tmp_path / "d",
                input=run("s3-manifest", "s3://b", env=env_of(fake)).out, env=env_of(fake))
    assert again.status == 0 and "nothing to fetch, 1 row already there" in again.err


def test_what_was_verified_since_is_not_read_again(fetched, run):
    """Unless the file or the row is another since; an older verdict, or one that was none, does not
    count.
    """
    manifest, dest = fetched
    first = run("s3-verify", "-d", dest, input=manifest)
    assert first.status == 0
    rot(dest / "b" / "a")  # leaves size, time and inode as they were: nobody reads it
    os.utime(dest / "b" / "dir" / "b")
    done = run("s3-verify", "--verified-since", "1h", "-d", dest, input=manifest)
    assert done.status == 0 and "(4.9K read)" in done.err, done.err
    assert {(row.key, row.state, row.proof, row.digest) for row in read_rows(done.out)} == \
        {(row.key, row.state, row.proof, row.digest) for row in read_rows(first.out)}
    found = run("s3-verify", "--verified-since", "2099-01-01", "-d", dest, input=manifest)
    assert (found.status == 1
            and {row.key for row in read_rows(found.out) if row.state == "mismatch"} == {"a"})
    again = run("s3-verify", "--verified-since", "1h", "-d", dest, input=manifest)
    assert again.status == 1, "a mismatch of a moment ago is no proof"


@pytest.mark.parametrize("state", ["fetched", "verified"])
def test_a_file_that_is_gone_is_missing_whatever_the_class(run, fake, tmp_path, state):
    """A row that says its file is there is not believed because its object lies in an archive."""
    (tmp_path / "d").mkdir()
    row = f"bucket,key,size,storage_class,state,path\nb,k,5,GLACIER,{state},b/k\n"
    for quick in ([], ["--quick"]):
        done = run("s3-verify", *quick, "-d", "d", env=env_of(fake), input=row)
        assert done.status == 1 and read_rows(done.out)[0].state == "missing", done


def test_what_was_wrong_is_not_there_because_a_directory_is(fake, run, tmp_path):
    """The ledger's word of a file that differed is not that of a directory in its place."""
    fake.bucket("b")
    fake.put("b", "k", b"right")
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    assert run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake)).status == 0
    (tmp_path / "d/b/k").write_bytes(b"wrong")
    assert run("s3-verify", "-d", tmp_path / "d", input=listed, env=env_of(fake)).status == 1
    (tmp_path / "d/b/k").unlink()
    (tmp_path / "d/b/k").mkdir()
    done = run("s3-fetch", "-d", tmp_path / "d", input=listed, env=env_of(fake))
    assert done.status == 0 and (tmp_path / "d/b/k%f").read_bytes() == b"right", done.out


def test_the_digest_of_unproven_bytes_does_not_outlive_their_row_s_verdict(run, tmp_path):
    """An unverifiable row whose file has gone is missing, and what was read of that file is no
    proof of another that comes to lie there.
    """
    (tmp_path / "d/b").mkdir(parents=True)
    digest = digest_of(b"other")
    row = f"bucket,key,size,state,path,digest,proof\nb,k,5,unverifiable,b/k,{digest},size\n"
    gone = run("s3-verify", "--quick", "-d", tmp_path / "d", input=row)
    assert gone.status == 1 and digest not in gone.out and ",missing," in gone.out
    (tmp_path / "d/b/k").write_bytes(b"other")
    again = run("s3-verify", "--quick", "-d", tmp_path / "d", input=gone.out)
    assert again.status == 5 and ",verified," not in again.out


def test_digests_that_another_program_took(fake, run, tmp_path):
    """They stay in the rows of all commands, prove where S3 says nothing, and tell what is another.
    S3 keeps what only they prove, until that is asked for.
    """
    fake.bucket("b")
    for key in ("said", "silent", "other"):
        fake.put("b", key, key.encode(), checksum=None, **{} if key == "said" else {
            "sse": "aws:kms", "etag": "f" * 32})
    given = {key: f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
             for key in ("said", "silent")} | {"other": "md5:" + "0" * 32}
    rows = "".join(f"b,{key},{digest}\n" for key, digest in given.items())
    fetched = run("s3-fetch", "-d", "d", input=f"bucket,key,digest\n{rows}", env=env_of(fake))
    assert fetched.status == 0 and {row.key: row.digest
                                    for row in read_rows(fetched.out)} == given
    for file in (tmp_path / "d/.s3kit").glob("ledger*"):
        file.unlink()       # else it knows what s3-fetch found
    done = run("s3-verify", "-d", "d", input=f"bucket,key,digest\n{rows}", env=env_of(fake))
    found = {row.key: row for row in read_rows(done.out)}
    assert done.status == 1 and {key: row.digest for key, row in found.items()} == given
    assert ({key: (row.state, row.proof) for key, row in found.items()}
            == {"said": ("verified", "etag-md5"), "silent": ("verified", "given-sha256"),
                "other": ("mismatch", "")})
    assert "given md5" in found["other"].error
    pruned = run("s3-prune", "--yes", "-d", "d", input=done.out, env=env_of(fake))
    assert {row.key for row in read_rows(pruned.out) if row.state == "pruned"} == {"said"}
    assert {version.key for version in fake.versions("b")} == {"silent", "other"}
    run("s3-prune", "--yes", "--accept-proof", "given", "-d", "d", input=done.out, env=env_of(fake))
    assert {version.key for version in fake.versions("b")} == {"other"}


def test_checksums_of_before(fake, run, tmp_path):
    """What sha256sum wrote of files that lie here is compared with them; sha256sum checks what is
    written again.
    """
    names = ["plain", "a,b", " lead", "back\\slash", "line\nfeed", "100%25", "dir/x"]
    (tmp_path / "old/dir").mkdir(parents=True)
    for name in names:
        (tmp_path / "old" / name).write_bytes(name.encode())
    sums = subprocess.run(["sha256sum", *names], cwd=tmp_path / "old", capture_output=True,
                          text=True, check=True).stdout
    listed = run("s3-manifest", "--bucket", "b", "-", input=sums)
    verified = run("s3-verify", "--quick", "-d", "old", input=listed.out)
    assert verified.status == 0, verified.err
    assert ({row.key: (row.state, row.proof) for row in read_rows(verified.out)}
            == dict.fromkeys(names, ("verified", "given-sha256")))
    again = run("s3-manifest", "-f", "sha256sum", "-", input=verified.out)
    assert subprocess.run(["sha256sum", "-c", "--strict", "--quiet"], cwd=tmp_path / "old",
                          input=again.out, text=True).returncode == 0
    (tmp_path / "old/plain").write_bytes(b"Plain")
    verified = run("s3-verify", "--quick", "-d", "old", input=listed.out)
    assert verified.status == 1
    assert [row.key for row in read_rows(verified.out) if row.state == "mismatch"] == ["plain"]
    (tmp_path / "etags.csv").write_text(f"bucket,key,etag\nb,k,{'0' * 32}\n")
    refused = run("s3-manifest", "-f", "md5sum", "etags.csv")
    assert refused.status == 3 and not refused.out and "s3://b/k" in refused.err


# --- what is stored elsewhere


def stored(server, run, tmp_path, *options, bucket="b", far="far"):
    """Return the file with the manifest of three objects, fetched to `d` and stored elsewhere."""
    listed = run("s3-manifest", f"s3://{bucket}", env=server).out
    fetched = run("s3-fetch", "-d", "d", input=listed, env=server).out
    done = run("s3-put", "--to", f"s3://{far}/to/", *options, "-d", "d", input=fetched, env=server)
    assert done.status == 0, done.err
    (tmp_path / "stored.csv").write_text(done.out)
    return tmp_path / "stored.csv"


def proofs(text):
    """Return {key: (state, proof)} of a manifest."""
    return {row.key: (row.state, row.proof) for row in read_rows(text)}


@pytest.mark.parametrize("versioning", [None, "Enabled"])
@pytest.mark.parametrize("options", [(), ("--remove-local",)])
def test_copies_are_looked_at_where_they_are(fake, run, tmp_path, versioning, options):
    """By their heads: nothing is downloaded. What is as it was stays stored, and is deleted by
    s3-prune; what is not is said to be, until it is stored again.
    """
    for bucket in ("b", "far"):
        fake.bucket(bucket, versioning=versioning)
    for key in ("gone", "other", "there"):
        fake.put("b", key, b"body of " + key.encode())
    manifest, env = stored(fake_env := env_of(fake), run, tmp_path, *options), fake_env
    before = len(fake.requests("GET", where=lambda request: request.key))
    done = run("s3-verify", "-d", "d", manifest, env=env)
    assert done.status == 0 and "3 rows still stored" in done.err, done.err
    assert proofs(done.out) == proofs(manifest)
    copies = {version.key: version.id for version in fake.versions("far")}
    fake.delete("far", "to/gone", copies["to/gone"])
    fake.delete("far", "to/other", copies["to/other"])
    fake.put("far", "to/other", b"BODY of other")
    done = run("s3-verify", "-d", "d", manifest, "-o", "looked.csv", env=env)
    states = {"gone": "missing", "other": "missing" if versioning else "mismatch",
              "there": "stored"}
    assert done.status == 1
    assert {row.key: row.state for row in read_rows(tmp_path / "looked.csv")} == states
    again = run("s3-verify", "-d", "d", "looked.csv", env=env)
    assert {row.key: row.state for row in read_rows(again.out)} == states
    bodies = [request for request in fake.requests("GET", where=lambda request: request.key)
              if request.status == 200]
    assert len(bodies) == before
    pruned = run("s3-prune", "--yes", "-d", "d", "looked.csv", env=env)
    assert {row.state for row in read_rows(pruned.out) if row.key == "there"} == {"pruned"}
    assert {version.key for version in fake.versions("b")} == {"gone", "other"}
    old = run("s3-prune", "--yes", "-d", "d", manifest, env=env)
    assert "was not there, or another, when it was looked at last" in old.err
    fetched = run("s3-fetch", "-d", "d", input=pruned.out, env=env)
    healed = run("s3-put", "--to", "s3://far/to/", "-d", "d", input=fetched.out, env=env)
    last = run("s3-verify", "-d", "d", input=healed.out, env=env)
    assert {row.key: row.state for row in read_rows(last.out)} == {
        "gone": "stored", "other": "stored", "there": "pruned"}, last.err


def test_copies_and_quick(fake, run, tmp_path):
    """--quick asks S3 nothing: what is stored passes as it is."""
    fake.bucket("b")
    fake.bucket("far")
    fake.put("b", "k", b"body")
    manifest = stored(env_of(fake), run, tmp_path)
    before = len(fake.log)
    done = run("s3-verify", "--quick", "-d", "d", manifest)
    assert done.status == 0 and done.out == manifest.read_text() and len(fake.log) == before


def test_a_copy_in_an_archive(fake, run, tmp_path):
    """It cannot be read, and need not be."""
    fake.bucket("b")
    fake.bucket("far")
    fake.put("b", "k", b"body")
    manifest = stored(env_of(fake), run, tmp_path, "--storage-class", "DEEP_ARCHIVE",
                      "--remove-local")
    done = run("s3-verify", "-d", "d", manifest, env=env_of(fake))
    assert done.status == 0 and [row.state for row in read_rows(done.out)] == ["stored"]
    done = run("s3-prune", "--yes", "-d", "d", input=done.out, env=env_of(fake))
    assert done.status == 0 and not fake.versions("b")


def test_a_copy_of_which_there_is_no_ledger(fake, run, tmp_path):
    """S3's checksums of the object and of its copy are compared, else the file is read."""
    fake.bucket("b")
    fake.bucket("far")
    fake.put("b", "same", b"body of same", checksum="CRC32")
    fake.put("b", "other", b"body of other", checksum="SHA256")
    manifest = stored(env_of(fake), run, tmp_path)
    for path in (tmp_path / "d" / ".s3kit").glob("ledger*"):
        path.unlink()
    done = run("s3-verify", "-d", "d", manifest, env=env_of(fake))
    assert done.status == 0 and proofs(done.out) == {"same": ("stored", "crc32"),
                                                     "other": ("stored", "crc32")}, done.err
    (tmp_path / "d" / "b" / "other").unlink()
    done = run("s3-verify", "-d", "d", manifest, env=env_of(fake))
    assert done.status == 5
    assert {row.key: row.state for row in read_rows(done.out)} == {"same": "stored",
                                                                   "other": "unverifiable"}
    assert run("s3-prune", "--yes", "-d", "d", manifest, env=env_of(fake)).status == 1
    assert len(fake.versions("b")) == 2


@pytest.mark.parametrize("versions", [False, True])
def test_copies_on_a_real_server(seaweed, run, tmp_path, versions):
    """SeaweedFS: looked at, deleted by their copies, of which none goes."""
    client, names = seaweed.client(), [f"verify-{end}-{versions}".lower() for end in ("b", "far")]
    for name in names:
        client.create_bucket(Bucket=name)
        if versions:
            client.put_bucket_versioning(Bucket=name,
                                         VersioningConfiguration={"Status": "Enabled"})
    bodies = {f"k{n}": b"body %d" % n for n in range(5)} | {"large": os.urandom(9 << 20)}
    for key, body in bodies.items():
        client.put_object(Bucket=names[0], Key=key, Body=body)
    manifest = stored(seaweed.env, run, tmp_path, "--remove-local", bucket=names[0], far=names[1])
    done = run("s3-verify", "-d", "d", manifest, env=seaweed.env)
    assert done.status == 0 and proofs(done.out) == proofs(manifest), done.err
    done = run("s3-prune", "--yes", "-d", "d", input=done.out, env=seaweed.env)
    assert done.status == 0 and {row.state for row in read_rows(done.out)} == {"pruned"}, done.err
    assert not client.list_object_versions(Bucket=names[0]).get("Versions")
    for key, body in bodies.items():
        assert client.get_object(Bucket=names[1], Key=f"to/{key}")["Body"].read() == body


def test_a_copy_that_is_wrong_is_put_back(fake, run, tmp_path):
    """From what s3-verify has written, as long as its file is there."""
    fake.bucket("b")
    fake.bucket("far")
    bodies = {f"to/{key}": b"body of " + key.encode() for key in ("gone", "other", "there")}
    for key, body in bodies.items():
        fake.put("b", key.removeprefix("to/"), body)
    manifest = stored(env_of(fake), run, tmp_path)
    fake.delete("far", "to/gone")
    fake.put("far", "to/other", b"something else")
    looked = run("s3-verify", "-i", "-d", "d", manifest, env=env_of(fake))
    assert looked.status == 1
    done = run("s3-put", "-i", "--to", "s3://far/to/", "-d", "d", manifest, env=env_of(fake))
    assert done.status == 0 and "2 rows stored" in done.err, done.err
    assert {version.key: version.body for version in fake.objects("far")} == bodies
    last = run("s3-prune", "--yes", "-d", "d", manifest, env=env_of(fake))
    assert last.status == 0 and not fake.versions("b"), last.err
