"""s3-prune: what is deleted, what is kept, and that nobody can make it delete what was not proven.
"""

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import BIN, clean_env, env_of, examples
from fakes3 import CHARACTERS, FakeS3
from terminals import pieces

from manifests import read_rows

DEST = ("-d", "d")


def proven(fake, run, tmp_path, bucket="b", *options):
    """Return the file with the manifest of a bucket, fetched to `d` and verified."""
    listed = run("s3-manifest", *options, f"s3://{bucket}", env=env_of(fake)).out
    fetched = run("s3-fetch", *DEST, input=listed, env=env_of(fake)).out
    done = run("s3-verify", *DEST, input=fetched, env=env_of(fake))
    (tmp_path / f"{bucket}.csv").write_text(done.out)
    return tmp_path / f"{bucket}.csv"


def states(text):
    """Return {key: state} of a manifest."""
    return {row.key: row.state for row in read_rows(text)}


def kept(fake, bucket="b"):
    """Return {(key, version id)} that S3 has, delete markers included."""
    return {(version.key, version.id) for version in fake.versions(bucket)}


@pytest.mark.parametrize("versioning", [None, "Enabled", "Suspended"])
def test_all_that_is_proven_goes(fake, run, tmp_path, versioning):
    """Odd keys, too, whichever way each must be deleted."""
    fake.bucket("b", versioning="Enabled" if versioning else None)
    for key in ("plain", "a\nb", "c\x01", "\x1b[31m", "x/../y", "..", "./z", "é", "a&<b>'\"", "%41",
                " ", "=1+1", "dir/"):
        fake.put("b", key, b"" if key.endswith("/") else key.encode())
        if versioning:
            fake.put("b", key, b"" if key.endswith("/") else b"2" + key.encode())
    if versioning == "Suspended":
        fake.bucket("b", versioning="Suspended")
        for key in ("plain", "a\nb", "x/../y", "c\x01"):
            fake.put("b", key, b"null " + key.encode())
    manifest = proven(fake, run, tmp_path, "b", *["--versions"] * bool(versioning))
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 0, done.err
    assert {row.state for row in read_rows(done.out)} == {"pruned"} and not kept(fake)
    again = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert (again.status == 0
            and {row.state for row in read_rows(again.out)} == {"pruned"}), "gone already is gone"


def test_what_is_not_proven_stays(fake, run, tmp_path):
    """Rows of every state and proof, as people and other commands may hand them in."""
    fake.bucket("b")
    keys = ["verified", "fetched", "listed", "failed", "mismatch", "unverifiable", "sized", "lying",
            "unknown", "restored"]
    for key in keys:
        fake.put("b", key, b"body of " + key.encode())
    rows = {row.key: row for row in read_rows(proven(fake, run, tmp_path))}
    lines = []
    for key, row in rows.items():
        state = key if key in ("fetched", "listed", "failed", "mismatch", "unverifiable",
                               "restored") else "verified"
        proof = "size" if key == "sized" else row.proof
        etag = "0" * 32 if key == "lying" else row.etag
        bucket = "b" if key != "unknown" else "elsewhere"
        lines.append(f"{bucket},{key},{etag},{row.size},{state},{proof}")
    text = "bucket,key,etag,size,state,proof\n" + "\n".join(lines) + "\n"
    done = run("s3-prune", "--yes", *DEST, input=text, env=env_of(fake))
    found = {row.key: row for row in read_rows(done.out)}
    assert {key for key, row in found.items() if row.state == "pruned"} == {"verified"}
    assert (found["lying"].state == found["unknown"].state == "failed"
            and "kept in S3" in found["lying"].error)
    assert {version.key for version in fake.versions("b")} == set(keys) - {"verified"}
    assert done.status == 1


def test_options_that_widen(fake, run, tmp_path):
    """--fetched and --accept-proof size do what they say, and no more."""
    fake.bucket("b")
    fake.put("b", "checked", b"1")
    fake.put("b", "unchecked", b"2", checksum=None, sse="aws:kms", etag="f" * 32)
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fetched = run("s3-fetch", *DEST, input=listed, env=env_of(fake)).out
    assert states(fetched) == {"checked": "fetched", "unchecked": "fetched"}
    done = run("s3-prune", "--yes", *DEST, input=fetched, env=env_of(fake))
    assert done.status == 5 and len(kept(fake)) == 2
    done = run("s3-prune", "--yes", "--fetched", *DEST, input=fetched, env=env_of(fake))
    assert done.status == 5 and kept(fake) == {("unchecked", "null")}
    done = run("s3-prune", "--yes", "--fetched", "--accept-proof", "size", *DEST, input=fetched,
               env=env_of(fake))
    assert done.status == 0 and not kept(fake)


def change_nothing(path):
    """Leave the file as it is."""


def rotate(path):
    """Move a file away, as log rotation does, and begin a new one."""
    path.rename(path.with_name("old"))
    path.write_bytes(path.with_name("old").read_bytes())


@pytest.mark.system("minutes")
@pytest.mark.parametrize("change", [Path.unlink, os.utime, rotate,
                                    lambda path: os.truncate(path, 1),
                                    lambda path: path.write_bytes(b"x")],
                         ids=["removed", "touched", "rotated", "cut", "written to"])
def test_a_file_changed_after_it_was_verified_keeps_its_object(fake, run, tmp_path, change):
    fake.bucket("b", versioning="Enabled")
    for key in ("one", "two"):
        fake.put("b", key, b"body")
    manifest = proven(fake, run, tmp_path)
    change(tmp_path / "d" / "b" / "one")
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 1 and states(done.out) == {"one": "failed", "two": "pruned"}
    assert {key for key, _ in kept(fake)} == {"one"}
    again = run("s3-fetch", *DEST, input=done.out, env=env_of(fake))
    assert again.status == 0 and states(again.out) == {"one": "fetched",
                                                       "two": "pruned"}, "s3-fetch gets it again"


def test_a_pipeline_into_a_place_that_is_not_there_yet(fake, pipe):
    """s3-prune starts long before s3-fetch has made the destination."""
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "one", b"body")
    done = pipe(
        "s3-manifest s3://b | (sleep 1; s3-fetch -d d) | s3-verify -d d | s3-prune --yes -d d",
        env=env_of(fake))
    assert (set(done.status) == {0} and states(done.out) == {"one": "pruned"}
            and not kept(fake)), done.err


def rot(path):
    """Change a bit of a file, as a dying disk does: nothing tells of it but the bytes."""
    before = path.stat()
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    with open(path, "r+b") as file:
        file.write(body)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.system("minutes")
@pytest.mark.parametrize("size", [0, 4, (8 << 20) + 1, 16 << 20])
def test_a_file_that_rotted_keeps_its_object(fake, run, tmp_path, size):
    """What was verified long ago is read back; S3 keeps its object, and s3-fetch gets it again."""
    fake.bucket("b", versioning="Enabled")
    for key in ("one", "two"):
        fake.put("b", key, os.urandom(size))
    manifest = proven(fake, run, tmp_path)
    if size:
        rot(tmp_path / "d" / "b" / "one")
    with sqlite3.connect(tmp_path / "d" / ".s3kit" / "ledger.sqlite3") as base:
        base.execute("UPDATE object SET changed_at = '2026-01-01T00:00:00Z'")
    base.close()
    planned = run("s3-prune", "-n", *DEST, manifest, env=env_of(fake))
    assert len(states(planned.out)) == 2, "a plan reads no files"
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    with sqlite3.connect(tmp_path / "d" / ".s3kit" / "ledger.sqlite3") as base:
        known = dict(base.execute("SELECT key, state FROM object"))
    base.close()
    assert known == {"one": "mismatch" if size else "pruned",
                     "two": "pruned"}, "the only copies are known as such"
    if not size:
        assert done.status == 0 and not kept(fake)
        return
    assert done.status == 1 and states(done.out) == {"one": "failed", "two": "pruned"}
    assert ("does not have the bytes any more" in done.err
            and {key for key, _ in kept(fake)} == {"one"})
    whole = run("s3-fetch", *DEST, input=done.out, env=env_of(fake))
    assert states(whole.out) == {"one": "fetched", "two": "pruned"}
    assert (tmp_path / "d" / "b" / "one").read_bytes() == fake.get("b", "one").body


def test_what_was_verified_just_now_is_not_read_again(fake, run, tmp_path):
    """So the pipeline reads every file once; --verified-since has all of them read."""
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "one", b"body")
    manifest = proven(fake, run, tmp_path)
    rot(tmp_path / "d" / "b" / "one")
    done = run("s3-prune", "--yes", "--verified-since", "2100-01-01", *DEST, manifest,
               env=env_of(fake))
    assert done.status == 1 and kept(fake)


def test_locked_versions(fake, run, tmp_path):
    """Object Lock and legal hold are a state, not an error to try again."""
    fake.bucket("b", versioning="Enabled")
    for key in ("free", "held"):
        fake.put("b", key, b"body")
    fake.hold("b", "held")
    done = run("s3-prune", "--yes", *DEST, proven(fake, run, tmp_path), env=env_of(fake))
    assert done.status == 1 and states(done.out) == {"free": "pruned", "held": "locked"}
    assert "object lock" in done.err
    assert len(fake.requests(method="POST")) == 1


def test_no_permission(fake, run, tmp_path):
    """Refused, row by row or as a whole, is failed, with S3's words."""
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "k", b"body")
    manifest = proven(fake, run, tmp_path)
    fake.fault("status", key="", method="POST", times=None, status=403, code="AccessDenied",
               message="Access Denied")
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 1 and states(done.out) == {"k": "failed"} and "AccessDenied" in done.err


@pytest.mark.system("minutes")
@pytest.mark.parametrize("kind, options", [("status", {"status": 500, "code": "InternalError"}),
                                           ("status", {"status": 503, "code": "SlowDown"}),
                                           ("error200", {}), ("reset", {}), ("short", {}),
                                           ("refuse", {})])
@pytest.mark.parametrize("done", [False, True], ids=["not done", "done all the same"])
def test_a_passing_fault(fake, run, tmp_path, kind, options, done):
    """Whether S3 had carried it out or not: it is asked again, and the rows say what is so."""
    for bucket, versioning in (("b", "Enabled"), ("plain", None)):
        fake.bucket(bucket, versioning=versioning)
        for n in range(5):
            fake.put(bucket, f"k{n}", b"body %d" % n)
        manifest = proven(fake, run, tmp_path, bucket)
        spoilt = fake.fault(kind, method="POST" if versioning else "DELETE",
                            key=None if versioning else "k1", bucket=bucket, done=done, **options)
        ran = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
        assert ran.status == 0, ran.err
        assert (set(states(ran.out).values()) == {"pruned"} and not kept(fake, bucket)
                and spoilt.hits == 1)


def test_an_answer_that_leaves_keys_out(fake, run, tmp_path):
    """Only what S3 says it has deleted is deleted; what it does not name is asked for again."""
    fake.bucket("b", versioning="Enabled")
    for n in range(20):
        fake.put("b", f"k{n:02}", b"body")
    manifest = proven(fake, run, tmp_path)
    fake.fault("other", key="", method="POST", times=1,
               body=b'<DeleteResult '
               b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></DeleteResult>')
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 0 and len(fake.requests(method="POST")) <= 4 and not kept(fake)


def test_a_server_that_heeds_no_condition(fake, run, tmp_path):
    """Found out before anything is lost."""
    fake.bucket("b")
    fake.put("b", "k", b"body")
    manifest = proven(fake, run, tmp_path)
    fake.sign = False           # the header is signed, and is taken away
    fake.hook = lambda request: request.headers.pop("if-match",
                                                    None) if request.method == "DELETE" else None
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert (done.status == 1 and "does not heed If-Match" in done.err
            and kept(fake) == {("k", "null")})


def test_a_server_that_finds_nothing_whatever_the_condition(fake, run, tmp_path):
    """Its 404 is not taken for a condition that failed: what was overwritten since stays."""
    fake.bucket("b")
    fake.put("b", "k", b"body")
    manifest = proven(fake, run, tmp_path)
    fake.character = CHARACTERS["gcs-deletes"]()
    fake.put("b", "k", b"newer bytes")
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 1 and "nobody knows whether" in done.err
    assert kept(fake) == {("k", "null")} and fake.get("b", "k").body == b"newer bytes"


def test_one_row_that_cannot_go_safely_does_not_stop_the_others(fake, run, tmp_path):
    """A null version whose server ignores the condition fails; what has a version id goes."""
    fake.bucket("b")
    fake.put("b", "null", b"body")
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "other", b"body")
    manifest = proven(fake, run, tmp_path, "b", "--versions")
    fake.sign = False
    fake.hook = lambda request: request.headers.pop("if-match",
                                                    None) if request.method == "DELETE" else None
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 1 and states(done.out) == {"null": "failed", "other": "pruned"}, done.err
    assert kept(fake) == {("null", "null")}


@pytest.mark.system("minutes")
@pytest.mark.parametrize("versioning", [None, "Enabled"])
@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_page_is_not_s3_s_word(fake, run, tmp_path, versioning, status):
    """Whatever a proxy answers with, nothing is `pruned` that S3 did not say; the ledger does not
    go back either.
    """
    fake.bucket("b", versioning=versioning)
    fake.put("b", "k", b"body")
    manifest = proven(fake, run, tmp_path)
    for method in ("POST", "DELETE"):
        fake.fault("page", key=None if method == "POST" else "k", method=method, times=None,
                   status=status)
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert (done.status == 1 and states(done.out) == {"k": "failed"}
            and len(kept(fake)) == 1), done.err
    assert ledger_states(tmp_path) == {"k": "pruned"}, "nobody knows what became of it"
    fake.faults.clear()
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 0 and states(done.out) == {"k": "pruned"} and not kept(fake)


@pytest.mark.system("minutes")
@pytest.mark.parametrize("fault, options", [("page", {"status": 404}), ("page", {"status": 405}),
                                            ("status", {"status": 501, "code": "NotImplemented"}),
                                            ("status", {"status": 404, "code": "NoSuchKey"})])
def test_a_server_without_deleteobjects(fake, run, tmp_path, fault, options):
    """It is asked version by version, and found out once."""
    fake.bucket("b", versioning="Enabled")
    for n in range(2300):
        fake.put("b", f"k{n:04}", b"body")
    manifest = proven(fake, run, tmp_path)
    fake.fault(fault, method="POST", times=None, **options)
    done = run("s3-prune", "--yes", "-c", "1", *DEST, manifest, env=env_of(fake))
    assert (done.status == 0 and set(states(done.out).values()) == {"pruned"}
            and not kept(fake)), done.err
    assert len(fake.requests(method="POST")) == 1


def ledger_states(tmp_path):
    """Return {key: state} of the ledger."""
    with sqlite3.connect(tmp_path / "d" / ".s3kit" / "ledger.sqlite3") as base:
        found = dict(base.execute("SELECT key, state FROM object"))
    base.close()
    return found


def test_what_was_gone_before_is_counted_apart(fake, run, tmp_path):
    """Not as deleted, not against --max-delete, and S3 is not asked again; a plan leaves it out."""
    fake.bucket("b", versioning="Enabled")
    for n in range(9):
        fake.put("b", f"k{n}", b"body")
    manifest = proven(fake, run, tmp_path)
    words = ["s3-prune", "--yes", "--undo", "undo.csv", *DEST, manifest]
    run(*words, "--max-delete", "5", env=env_of(fake))
    done = run(*words, "--max-delete", "2", env=env_of(fake))
    assert ("2 rows deleted" in done.err and "5 were gone before" in done.err
            and len(kept(fake)) == 2)
    assert [state for _, state in sorted(states(done.out).items())].count("pruned") == 7
    planned = run("s3-prune", "-n", *DEST, manifest, env=env_of(fake))
    assert len(read_rows(planned.out)) == 2 and "7  kept: gone before" in planned.err
    done = run(*words, env=env_of(fake))
    assert done.status == 0 and "2 rows deleted" in done.err and "7 were gone before" in done.err
    assert (sorted(row.key for row in read_rows(tmp_path / "undo.csv"))
            == [f"k{n}" for n in range(9)])


@pytest.mark.parametrize("has_versions", [False, True])
def test_what_is_gone_is_no_conflict(run, tmp_path, has_versions):
    """Also where a condition on what is not there is answered as one on what is another."""
    with FakeS3(character="gone-is-412") as fake:
        fake.bucket("b")
        for key in ("gone", "hidden", "newer", "there"):
            fake.put("b", key, b"body of " + key.encode())
        manifest = proven(fake, run, tmp_path, "b", "--versions")
        if has_versions:
            fake.bucket("b", versioning="Enabled")
        for key in ("gone", "hidden"):
            fake.bucket("b").remove(fake.get("b", key))
        if has_versions:
            fake.delete("b", "hidden")
        fake.put("b", "newer", b"another body")
        done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
        assert states(done.out) == {"gone": "pruned", "hidden": "pruned", "there": "pruned",
                                    "newer": "pruned" if has_versions else "conflict"}
        assert "2 rows deleted" in done.err if has_versions else "1 row deleted" in done.err
        assert {key for key, _ in kept(fake)} == {"newer"} | ({"hidden"} if has_versions else set())


def test_the_same_bytes_put_again_are_another_object(fake, run, tmp_path):
    """Under a name that is no version's the ledger alone does not say gone: an object of a later
    time is there now.
    """
    fake.bucket("b")
    fake.put("b", "k", b"body", modified=1_700_000_000)
    manifest = proven(fake, run, tmp_path)
    assert (run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake)).status == 0
            and not kept(fake))
    fake.put("b", "k", b"body", modified=1_700_000_009)
    again = proven(fake, run, tmp_path)
    done = run("s3-prune", "--yes", *DEST, again, env=env_of(fake))
    assert done.status == 0 and "1 row deleted" in done.err and not kept(fake), done.err


@pytest.mark.parametrize("earlier, later",
                         [("12:00:00Z", "12:00:00.500Z"), ("13:00:00+02:00", "12:00:00Z")])
def test_the_newest_by_time(fake, run, tmp_path, earlier, later):
    """--keep-newest compares times, however a manifest writes them."""
    fake.bucket("b", versioning="Enabled")
    ids = [fake.put("b", "k", b"%d" % n) for n in range(2)]
    rows = read_rows(proven(fake, run, tmp_path, "b", "--versions"))
    at = dict(zip(ids, (earlier, later)))
    text = "bucket,key,version_id,etag,size,last_modified,state,proof\n" + "".join(
        f"b,k,{row.version_id},{row.etag},{row.size},2026-01-01T{at[row.version_id]},verified,"
        f"{row.proof}\n" for row in rows)
    done = run("s3-prune", "--yes", "--keep-newest", "1", *DEST, input=text, env=env_of(fake))
    assert kept(fake) == {("k", ids[1])}, done.err


def test_versions_and_markers(fake, run, tmp_path):
    """--noncurrent-only, --keep-newest, --delete-markers, --max-delete."""
    fake.bucket("b", versioning="Enabled")
    ids = [fake.put("b", "k", b"%d" % n, modified=1_700_000_000 + n) for n in range(5)]
    fake.put("b", "other", b"o")
    gone = fake.put("b", "gone", b"g")
    marker = fake.delete("b", "gone")
    manifest = proven(fake, run, tmp_path, "b", "--versions")

    def left(*options):
        with_options = run("s3-prune", "-n", *options, *DEST, manifest, env=env_of(fake))
        assert with_options.status in (0, 5), with_options.err
        return {row.version_id for row in read_rows(with_options.out)}

    everything = left()
    assert everything == {*ids, gone, fake.get("b", "other").id}
    assert left("--delete-markers") == everything | {marker}
    assert left("--noncurrent-only") == {*ids[:4], gone}
    assert left("--keep-newest", "2") == set(ids[:3])
    assert left("--include", "o*") == {fake.get("b", "other").id}
    assert len(left("--max-delete", "3")) == 3
    assert len(kept(fake)) == 8, "a dry run deletes nothing"
    done = run("s3-prune", "--yes", "--max-delete", "3", *DEST, manifest, env=env_of(fake))
    assert done.status == 1 and len(kept(fake)) == 5


def test_undo(fake, run, tmp_path):
    """What is in the undo file is there before S3 is asked; several runs add to it."""
    fake.bucket("b", versioning="Enabled")
    for n in range(3):
        fake.put("b", f"k{n}", b"body")
    manifest = proven(fake, run, tmp_path)
    seen = []
    fake.hook = (lambda request: request.method == "POST"
                 and seen.append((tmp_path / "undo.csv").read_text()))
    for options in (["--max-delete", "1"], []):
        run("s3-prune", "--yes", "--undo", "undo.csv", *options, *DEST, manifest, env=env_of(fake))
    assert ([text.count("\nb,k") for text in seen]
            == [1, 3]), "what went in the first run is not written twice"
    rows = read_rows(tmp_path / "undo.csv")
    assert ({row.key for row in rows} == {"k0", "k1", "k2"}
            and all(row.path and row.digest for row in rows))
    assert (tmp_path / "undo.csv").stat().st_mode & 0o777 == 0o600


def test_the_question(fake, tmp_path, run, shims):
    """At a terminal, bucket by bucket; only the bucket's name deletes, and not one that was typed
    before the question.
    """
    import pty
    for bucket in ("one", "two"):
        fake.bucket(bucket, versioning="Enabled")
        fake.put(bucket, "dir/k", b"body")
    both = "".join(proven(fake, run, tmp_path, bucket).read_text() for bucket in ("one", "two"))
    (tmp_path / "m.csv").write_text(both)
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, str(BIN / "s3-prune"), *DEST, "m.csv"],
                  clean_env(env_of(fake)))
    shown = b""
    for bucket, answer in ((b"one", b"yes\ntwo\n"), (b"two", b"two\n")):
        while not shown.endswith(b"Type the bucket's name to delete 1 version of s3://%s for good: "
                                 % bucket):
            shown += os.read(terminal, 4096)
        os.write(terminal, answer)
    shown += b"".join(pieces(terminal))
    assert os.waitpid(pid, 0)[1] == 0, shown
    assert b"s3://one: 1 version to delete (4), 0 kept" in shown and b"dir/" in shown
    assert len(kept(fake, "one")) == 1 and not kept(fake, "two")


def test_nobody_to_ask(fake, run, tmp_path):
    """Without a terminal and without --yes nothing is read, and nothing done."""
    fake.put("b", "k", b"body")
    done = run("s3-prune", *DEST, proven(fake, run, tmp_path), env=env_of(fake))
    assert done.status == 2 and "--yes" in done.err and len(kept(fake)) == 1


def test_cut_input(fake, run, tmp_path):
    """The rows that came carry their proof and go; no end mark, status 3.

    A question is not even asked.
    """
    fake.bucket("b", versioning="Enabled")
    for n in range(4):
        fake.put("b", f"k{n}", b"body")
    lines = proven(fake, run, tmp_path).read_text().splitlines(True)
    done = run("s3-prune", "--yes", *DEST, input="".join(lines[:4]), env=env_of(fake))
    assert done.status == 3 and "#end" not in done.out and len(kept(fake)) == 2
    done = run("s3-prune", "-n", *DEST, input="".join(lines[:4]), env=env_of(fake))
    assert done.status == 3 and len(kept(fake)) == 2


@pytest.mark.system("minutes")
def test_killed_and_run_again(fake, tmp_path, run):
    """kill -9 in the midst of it: the second run ends as the first would have, and every row says
    pruned.
    """
    fake.bucket("b", versioning="Enabled")
    fake.bucket("plain")
    for n in range(1500):
        fake.put("b", f"k{n:04}", b"body %d" % n)
    for n in range(200):
        fake.put("plain", f"k{n:04}", b"body %d" % n)
    for bucket in ("b", "plain"):
        manifest = proven(fake, run, tmp_path, bucket)
        fake.latency = 0.05
        before = len(fake.log)
        process = subprocess.Popen([sys.executable, BIN / "s3-prune", "--yes", "-c", "2", *DEST,
                                    manifest], cwd=tmp_path, env=clean_env(env_of(fake)),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(kept(fake, bucket)) in (1500, 200) and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        fake.latency = 0
        assert len(fake.log) > before
        done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
        assert done.status == 0, done.err
        assert set(states(done.out).values()) == {"pruned"} and not kept(fake, bucket)


@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_killed_before_the_answer(fake, run, tmp_path, versioning):
    """S3 has deleted, and we never heard: the files are the only copies, and --local leaves them.

    What S3 kept is not taken for gone.
    """
    fake.bucket("b", versioning=versioning)
    for key in ("one", "two"):
        fake.put("b", key, b"body of " + key.encode())
    manifest = proven(fake, run, tmp_path)
    hung = fake.fault("hang", method="POST" if versioning else "DELETE",
                      key=None if versioning else "one", times=None, done=True)
    process = subprocess.Popen([sys.executable, BIN / "s3-prune", "--yes", *DEST, manifest],
                               cwd=tmp_path, env=clean_env(env_of(fake)), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    while not hung.hits and process.poll() is None:
        time.sleep(0.01)
    while fake.get("b", "one"):
        time.sleep(0.01)
    process.kill()
    process.wait()
    fake.faults.clear()
    fake.put("b", "new", b"so that the manifest has the bucket")
    (tmp_path / "d" / "b" / "stray").write_text("in no bucket")
    time.sleep(0.05)
    now = run("s3-manifest", "s3://b", env=env_of(fake)).out
    done = run("s3-prune", "--local", "--yes", *DEST, input=now)
    assert done.status == 0 and sorted(os.listdir(tmp_path / "d" / "b")) == ["one", "two"], done.err
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 0 and set(states(done.out).values()) == {"pruned"}
    assert [version.key for version in fake.versions("b")] == ["new"]


def test_what_s3_keeps_is_not_taken_for_gone(fake, run, tmp_path):
    """In the ledger, too: what S3 refused to delete was verified, and is no more than that."""
    fake.bucket("b", versioning="Enabled")
    for key in ("free", "held"):
        fake.put("b", key, b"body")
    fake.hold("b", "held")
    run("s3-prune", "--yes", *DEST, proven(fake, run, tmp_path), env=env_of(fake))
    with sqlite3.connect(tmp_path / "d" / ".s3kit" / "ledger.sqlite3") as base:
        assert (dict(base.execute("SELECT key, state FROM object"))
                == {"free": "pruned", "held": "verified"})


def test_the_last_copy_stays_the_last_copy(fake, run, tmp_path):
    """Whoever verifies it once more by an old manifest: --local leaves it."""
    fake.bucket("b", versioning="Enabled")
    for key in ("one", "two"):
        fake.put("b", key, b"body")
    manifest = proven(fake, run, tmp_path)
    assert run("s3-prune", "--yes", "--include", "one", *DEST, manifest,
               env=env_of(fake)).status == 0
    assert run("s3-verify", *DEST, manifest, env=env_of(fake)).status == 0
    time.sleep(0.05)
    now = run("s3-manifest", "s3://b", env=env_of(fake)).out
    done = run("s3-prune", "--local", "--yes", *DEST, input=now)
    assert ("1 file left: the only copies" in done.err
            and sorted(os.listdir(tmp_path / "d" / "b")) == ["one", "two"])


@pytest.mark.system("minutes")
@pytest.mark.long
def test_when_no_answer_ever_comes_the_files_may_be_the_only_copies(fake, run, tmp_path):
    """S3 deletes, and every answer is cut: the rows failed, the versions are gone, and --local
    leaves the files.
    """
    fake.bucket("b", versioning="Enabled")
    for key in ("one", "two"):
        fake.put("b", key, b"body")
    manifest = proven(fake, run, tmp_path)
    for method in ("POST", "DELETE"):
        fake.fault("reset", key=None, method=method, times=None, done=True)
    done = run("s3-prune", "--yes", *DEST, manifest, env={**env_of(fake)}, timeout=200)
    assert done.status == 1 and set(states(done.out).values()) == {"failed"} and not kept(fake)
    assert set(ledger_states(tmp_path).values()) == {"pruned"}
    fake.faults.clear()
    fake.put("b", "new", b"so that the manifest has the bucket")
    time.sleep(0.05)
    now = run("s3-manifest", "s3://b", env=env_of(fake)).out
    done = run("s3-prune", "--local", "--yes", *DEST, input=now)
    assert sorted(os.listdir(tmp_path / "d" / "b")) == ["one", "two"], done.err


@pytest.mark.system("minutes")
@pytest.mark.parametrize("kind, options", [
    ("reset", {}), ("html", {"body": b""}), ("html", {"body": b"<DeleteResult/>"}),
    ("html", {"body": b"<ListBucketResult/>"}), ("error200", {}), ("status", {"status": 502})])
@pytest.mark.parametrize("is_done", [True, False], ids=["gone", "there"])
def test_no_answer_about_many_ever_comes(fake, run, tmp_path, kind, options, is_done):
    """Then each is asked about alone: the same question again would not be answered either."""
    fake.bucket("b", versioning="Enabled")
    for key in ("one", "two"):
        fake.put("b", key, b"body")
    manifest = proven(fake, run, tmp_path)
    fake.fault(kind, key="", method="POST", times=None, done=is_done, **options)
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 0 and set(states(done.out).values()) == {"pruned"}, done.err
    assert not kept(fake) and len(fake.requests(method="POST")) <= 4
    assert len(fake.requests(method="DELETE")) == 2


# --- races


def overwrite(fake, bucket, key):
    """Put other bytes."""
    fake.put(bucket, key, b"newer bytes of " + key.encode())


def put_the_same(fake, bucket, key):
    """Put the same bytes once more, as somebody who is sure to keep them."""
    fake.put(bucket, key, fake.get(bucket, key).body
             if fake.get(bucket, key) and not fake.get(bucket, key).marker else b"again")


def delete(fake, bucket, key):
    """Delete without a version: a marker where there are versions."""
    fake.delete(bucket, key)


def delete_and_put(fake, bucket, key):
    """Delete, and put other bytes."""
    fake.delete(bucket, key)
    overwrite(fake, bucket, key)


def hold(fake, bucket, key):
    """Put it under a legal hold."""
    if fake.bucket(bucket).versioning and fake.get(bucket, key) and not fake.get(
            bucket, key).marker:
        fake.hold(bucket, key)


def archive(fake, bucket, key):
    """Move it to another class, which makes a new version of it."""
    fake.put(bucket, key, b"newer, archived", storage_class="GLACIER")


CHANGES = (overwrite, put_the_same, delete, delete_and_put, hold, archive)
POINTS = ("before fetch", "during fetch", "before verify", "before prune", "during prune",
          "after prune")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seeds", [10])
@pytest.mark.parametrize("versioning", [None, "Enabled", "Suspended"])
def test_races(tmp_path, shims, run, versioning, seeds):
    """6 points in time x 6 changes from outside x 3 kinds of bucket x 10 seeds: no newer object is
    ever lost.

    Every key lives through one of the cases; the stages run one after the other, and the changes
    come between or, by the fake's hook, at the instant before a request about the key is carried
    out.
    """
    with FakeS3() as fake:
        race(fake, run, tmp_path, versioning, seeds)


def race(fake, run, tmp_path, versioning, seeds):
    """Run all cases of one kind of bucket."""
    env, chance = env_of(fake), random.Random(5)
    fake.bucket("b", versioning="Enabled" if versioning else None)
    cases = {f"{seed}/{point.replace(' ', '-')}/{change.__name__}": (point, change)
             for seed in range(seeds) for point in POINTS for change in CHANGES}
    for key in cases:
        for n in range(chance.randrange(1, 3) if versioning else 1):
            fake.put("b", key, f"{n} {key} {chance.random()}".encode())
    if versioning == "Suspended":
        fake.bucket("b", versioning="Suspended")
        for key in chance.sample(sorted(cases), len(cases) // 2):
            fake.put("b", key, f"null {key}".encode())
    mine = {}       # (key, id): bytes that the outside put, or that it looked at last

    def outside(point):
        """Let the outside act on all keys whose case is this point in time."""
        for key, (at, change) in cases.items():
            if at == point:
                act(key, change)

    def act(key, change):
        """Make one change; what it put is the outside's own."""
        with fake.lock:
            before = {version.seq for version in fake.buckets["b"].keys.get(key, [])}
            change(fake, "b", key)
            for version in fake.buckets["b"].keys.get(key, []):
                if version.seq not in before:
                    mine[key, version.seq] = version

    def hook(point, wanted):
        """Return a hook that acts once on each key whose case is `point`, before a request about it
        is carried out.
        """
        seen = set()

        def before(request):
            if not wanted(request):
                return
            keys = ([request.key] if request.key
                    else re.findall("<Key>([^<]*)</Key>", request.body.decode()))
            for key in keys:
                if cases.get(key, ("",))[0] == point and key not in seen:
                    seen.add(key)
                    act(key, cases[key][1])
        return before

    options = ["--versions"] if versioning else []
    text = run("s3-manifest", *options, "s3://b", env=env).out
    outside("before fetch")
    fake.hook = hook("during fetch", lambda request: request.method == "GET" and request.key)
    text = run("s3-fetch", *DEST, "--retries", "1", input=text, env=env).out
    fake.hook = None
    outside("before verify")
    text = run("s3-verify", *DEST, input=text, env=env).out
    outside("before prune")
    fake.hook = hook("during prune", lambda request: request.method == "DELETE"
                     or (request.method == "POST" and "delete" in request.query))
    held = {id(version) for version in fake.versions("b") if version.held}
    existing = {(version.key, version.seq): version
                for version in fake.versions("b") if not version.marker}
    done = run("s3-prune", "--yes", *DEST, input=text, env=env, timeout=200)
    fake.hook = None
    outside("after prune")
    assert done.status in (0, 1), done.err

    there = {(version.key, version.seq) for version in fake.versions("b")}
    pruned = {(row.key, row.etag) for row in read_rows(done.out) if row.state == "pruned"}
    # The very same bytes, put again under a name that is no version's, cannot be told apart: they
    # are here, with proof.
    lost = [key for (key, seq), version in mine.items() if (key, seq) not in there
            and not version.marker and not (version.id == "null" and (
                (key, version.etag) in pruned or overtaken(version, mine)))]
    assert not lost, f"newer objects are gone: {lost[:5]}"
    assert not [version for version in existing.values()
                if id(version) in held and (version.key, version.seq) not in there]
    by_name = {(version.key, version.id): version for version in existing.values()}
    for row in read_rows(done.out):
        if row.state == "pruned" and (row.key, row.version_id or "null") in by_name:
            version = by_name[row.key, row.version_id or "null"]
            if version.etag == row.etag:
                assert ((tmp_path / "d" / row.path).read_bytes()
                        == version.body), f"deleted, and not here: {row.key}"
    # What vanished from S3 by our doing is here with its bytes: whatever was there when s3-prune
    # began.
    for (key, seq), version in existing.items():
        if (key, seq) not in there and cases[key][0] not in ("during prune", "after prune"):
            assert (key, version.etag) in pruned, f"gone without a row that says so: {key}"
    count = sum(row.state == "pruned" for row in read_rows(done.out))
    assert count > len(cases) / 4, "hardly anything was deleted: the test sees nothing"


def overtaken(version, mine):
    """Return whether the outside itself replaced a null version of its own later."""
    return any(key == version.key and seq > version.seq for key, seq in mine)


# --- the other way round


def test_local(fake, run, tmp_path):
    """Files that a whole manifest does not name go; nothing else, and nothing outside the buckets'
    directories.
    """
    fake.bucket("b", versioning="Enabled")
    for key in ("kept", "dir/kept", "old", "dir/old", "gone/only", "last copy", "é/old"):
        fake.put("b", key, key.encode())
    manifest = proven(fake, run, tmp_path)
    run("s3-prune", "--yes", "--include", "last*", *DEST, manifest, env=env_of(fake))
    for key in ("old", "dir/old", "gone/only", "é/old"):
        fake.delete("b", key)
    top = tmp_path / "d"
    (top / "other-bucket").mkdir()
    (top / "other-bucket" / "file").write_text("not ours")
    (top / "b" / "link").symlink_to("kept")
    (top / "b" / os.fsdecode(b"no-utf8-\xff")).write_text("foreign")
    os.mkfifo(top / "b" / "fifo")
    time.sleep(0.05)
    now = run("s3-manifest", "s3://b", env=env_of(fake)).out

    def files():
        return {os.fsdecode(os.path.relpath(os.path.join(folder, name), top)) for folder, _,
                names in os.walk(top) for name in names if ".s3kit" not in folder}

    before = files()
    done = run("s3-prune", "--local", "-n", *DEST, input=now)
    wanted = {"b/old", "b/dir/old", "b/gone/only", "b/é/old", os.fsdecode(b"b/no-utf8-\xff")}
    assert {row.path for row in read_rows(done.out)} == wanted and files() == before
    done = run("s3-prune", "--local", "--yes", *DEST, input=now)
    assert done.status == 0 and files() == before - wanted, done.err
    assert "5 files removed" in done.err and "1 file left: the only copies" in done.err
    assert not (top / "b" / "gone").exists() and (top / "b" / "dir").exists()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("spoil", [lambda lines: lines[:-1], lambda lines: lines[1:],
                                   lambda lines: [*lines[:-1], "#end rows=99\n"],
                                   lambda lines: [*lines[:2], "b,,,,,,x\n", *lines[3:]],
                                   lambda lines: [lines[0], "#shard 1/2\n", *lines[1:]]],
                         ids=["cut", "bare", "miscounted", "a row of no sense", "a shard"])
@pytest.mark.parametrize("by", ["pipe", "file"])
def test_local_wants_the_whole_manifest(fake, run, tmp_path, spoil, by):
    """What is not named goes: so a manifest that may lack rows removes nothing."""
    fake.bucket("b", versioning="Enabled")
    for key in ("one", "two"):
        fake.put("b", key, b"body")
    lines = proven(fake, run, tmp_path).read_text().splitlines(True)
    (tmp_path / "d" / "b" / "stray").write_text("x")
    time.sleep(0.05)
    text = "".join(spoil(lines))
    (tmp_path / "m.csv").write_text(text)
    done = run("s3-prune", "--local", "--yes", *DEST, *["m.csv"] * (by == "file"),
               input=text if by == "pipe" else None)
    assert done.status == 3, done.err
    assert sorted(path.name for path in (tmp_path / "d" / "b").iterdir()) == ["one", "stray", "two"]


@pytest.mark.parametrize("words", [["--include", "x"], ["--min-size", "1"], ["--bucket", "b"],
                                   ["--columns", "key"], ["--max-delete", "1"], ["--undo", "u"],
                                   ["--keep-newest", "1"], ["--fetched"], ["-i"]])
def test_local_takes_nothing_that_it_would_not_heed(run, tmp_path, words):
    """A filter would make it remove what it leaves out, and -i would rewrite the manifest with what
    was removed.
    """
    (tmp_path / "m.csv").write_text("#s3kit manifest 1\nbucket,key\n#end rows=0\n")
    done = run("s3-prune", "--local", "--yes", *words, "m.csv")
    assert done.status == 2 and "--local removes what the manifest does not name" in done.err
    assert (sorted(os.listdir(tmp_path)) == ["m.csv"]
            and "bucket,key\n" in (tmp_path / "m.csv").read_text())


def fresh_files(top):
    """Return the files below a destination, as paths relative to it."""
    return {os.path.relpath(os.path.join(folder, name), top) for folder, _,
            names in os.walk(top) for name in names if ".s3kit" not in folder}


def test_local_knows_a_path_with_a_mark(fake, run, tmp_path):
    """`d/%_`, `a%f`, `a%d/...`: with neither a ledger's entry nor a path in the row, the key of the
    path is named.
    """
    fake.bucket("b")
    for key in ("d/", "d/x", "a", "a/b", "c//e", "B", "b"):
        fake.put("b", key, b"body of " + key.encode())
    proven(fake, run, tmp_path)
    top = tmp_path / "d"
    (top / "b" / "foo%+").write_text("not a path of ours")
    before = fresh_files(top)
    assert len(before) >= 7
    with sqlite3.connect(top / ".s3kit" / "ledger.sqlite3") as base:
        base.execute("DELETE FROM object")
    base.close()
    time.sleep(0.05)
    now = run("s3-manifest", "s3://b", env=env_of(fake)).out
    planned = run("s3-prune", "--local", "-n", "--older-than-ledger", *DEST, input=now)
    assert {row.path for row in read_rows(planned.out)} == {"b/foo%+"}, planned.err
    done = run("s3-prune", "--local", "--yes", "--older-than-ledger", *DEST, input=now)
    assert done.status == 0 and fresh_files(top) == before - {"b/foo%+"}, done.err


@pytest.mark.parametrize("then", ["nothing", "fetched again", "verified by an old manifest"])
def test_local_without_the_ledger_that_knew(fake, run, tmp_path, then):
    """The ledger may be moved away: what an empty or a new one cannot vouch for stays, and is said.
    """
    fake.bucket("b", versioning="Enabled")
    for key in ("one", "two"):
        fake.put("b", key, b"body")
    manifest = proven(fake, run, tmp_path)
    assert (run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake)).status == 0
            and not kept(fake))
    for path in (tmp_path / "d" / ".s3kit").glob("ledger*"):
        path.rename(tmp_path / path.name)
    fake.put("b", "new", b"body")
    now = run("s3-manifest", "s3://b", env=env_of(fake)).out
    if then == "fetched again":
        assert run("s3-fetch", *DEST, input=now, env=env_of(fake)).status == 0
    elif then == "verified by an old manifest":
        assert run("s3-verify", *DEST, manifest, env=env_of(fake)).status == 0
    time.sleep(0.05)
    left = fresh_files(tmp_path / "d")
    done = run("s3-prune", "--local", "--yes", *DEST, input=now)
    assert done.status == 0 and fresh_files(tmp_path / "d") == left, done.err
    assert "2 files left: older than the ledger" in done.err
    done = run("s3-prune", "--local", "--yes", "--older-than-ledger", *DEST, input=now)
    assert fresh_files(tmp_path / "d") == left - {"b/one", "b/two"}


def test_the_option_of_local_goes_with_local(run):
    done = run("s3-prune", "--older-than-ledger", "--yes", input="")
    assert done.status == 2 and "goes with --local" in done.err


# --- the page


def test_the_examples_of_the_page(fake, run, pipe, tmp_path):
    """Each is run, in the page's order, and does what it is there for."""
    fake.bucket("photos", versioning="Enabled")
    for key in ("a.jpg", "b.jpg"):
        for age in (b"old", b"new"):
            fake.put("photos", key, age + key.encode())
    env, data = env_of(fake), tmp_path / "data"
    listed = run("s3-manifest", "--versions", "s3://photos", env=env).out
    fetched = run("s3-fetch", "-d", data, input=listed, env=env).out
    assert run("s3-verify", "-d", data, "-o", "all.csv", input=fetched, env=env).status == 0
    proven, plan, current, old, back, move, local = (line.replace("/data", str(data))
                                                     for line in examples("s3-prune"))
    assert pipe(proven, env=env).status == [0, 0, 0]
    done = pipe(plan, env=env)
    assert (done.status == [0, 0] and done.out.split()[-3::2] == ["2", "total"]
            and "2 versions to delete" in done.err and len(kept(fake, "photos")) == 4)
    assert pipe(current, env=env).status == [0] and set(states(tmp_path / "proven.csv")
                                                        .values()) == {"pruned"}
    assert len(kept(fake, "photos")) == 2
    done = pipe(old, env=env)
    assert done.status == [0] and not kept(fake, "photos"), done.err
    assert [row.is_latest for row in read_rows(tmp_path / "undo.csv")] == ["false", "false"]
    assert pipe(back, env=env).status == [0]
    assert {version.key: version.body for version in fake.versions("photos")} == {
        "a.jpg": b"olda.jpg", "b.jpg": b"oldb.jpg"}
    for bucket in ("a", "b"):
        fake.bucket(bucket)
    fake.put("a", "k", b"moves")
    assert pipe(move, env=env).status == [0] * 4 and not kept(fake, "a")
    assert fake.get("b", "k").body == b"moves"
    fake.put("photos", "c.jpg", b"so that the manifest has the bucket")
    files = {path.name for path in (data / "photos").iterdir()}
    (data / "photos" / "stray.jpg").write_text("in the bucket no more")
    time.sleep(0.05)
    done = pipe(local, env=env)
    assert (done.status == [0] and {path.name for path in (data / "photos").iterdir()} == files
            and len(files) == 4), done.err


# --- what is stored elsewhere


def stored(fake, run, tmp_path, *options, keys=("one", "dir/two", "é")):
    """Return the file with the manifest of bucket `b`, fetched to `d` and stored in `far`, below
    `to/`.
    """
    for key in keys:
        fake.put("b", key, b"body of " + key.encode())
    listed = run("s3-manifest", "s3://b", env=env_of(fake)).out
    fetched = run("s3-fetch", *DEST, input=listed, env=env_of(fake)).out
    done = run("s3-put", "--to", "s3://far/to/", *options, *DEST, input=fetched, env=env_of(fake))
    assert done.status == 0, done.err
    (tmp_path / "stored.csv").write_text(done.out)
    return tmp_path / "stored.csv"


@pytest.fixture
def buckets(fake, versioning):
    """The fake, with the buckets `b` and `far`."""
    fake.bucket("b", versioning=versioning)
    fake.bucket("far", versioning=versioning)
    return fake


ALL_WAYS = pytest.mark.parametrize("versioning", [None, "Enabled"])


@ALL_WAYS
@pytest.mark.parametrize("options", [(), ("--remove-local",)])
def test_what_is_stored_elsewhere_goes(buckets, run, tmp_path, options):
    """The copy is the proof: its file may be gone; nothing of the copy goes, and a second run finds
    all gone.
    """
    manifest = stored(buckets, run, tmp_path, *options)
    bodies = {version.key: version.body for version in buckets.versions("far")}
    done = run("s3-prune", "--yes", *DEST, "--undo", "undo.csv", manifest, env=env_of(buckets))
    assert done.status == 0 and "3 rows deleted" in done.err, done.err
    assert set(states(done.out).values()) == {"pruned"} and not kept(buckets)
    assert {version.key: version.body for version in buckets.versions("far")} == bodies
    assert all(row.extra["stored_at"].startswith("s3://far/to/") for row in read_rows(done.out))
    undone = read_rows(tmp_path / "undo.csv")
    assert len(undone) == 3 and all(row.extra["stored_at"] for row in undone)
    assert set(ledger_states(tmp_path).values()) == {"pruned"}
    again = run("s3-prune", "--yes", *DEST, manifest, env=env_of(buckets))
    assert again.status == 0 and "3 were gone before" in again.err
    assert {version.key: version.body for version in buckets.versions("far")} == bodies


@ALL_WAYS
def test_a_copy_that_is_not_there_any_more_keeps_its_source(buckets, run, tmp_path):
    """Gone, or another in its place: nothing is deleted for what the ledger says alone."""
    manifest = stored(buckets, run, tmp_path, "--remove-local", keys=("gone", "other", "there"))
    gone = next(each for each in buckets.versions("far") if each.key == "to/gone")
    buckets.delete("far", "to/gone", gone.id)
    other = next(each for each in buckets.versions("far") if each.key == "to/other")
    buckets.delete("far", "to/other", other.id)
    buckets.put("far", "to/other", b"not the body of other")
    done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(buckets))
    assert done.status == 1
    assert states(done.out) == {"gone": "failed", "other": "failed", "there": "pruned"}
    assert {key for key, _ in kept(buckets)} == {"gone", "other"}
    assert "its copy is not there any more" in done.err


@ALL_WAYS
def test_a_copy_is_never_deleted(buckets, run, tmp_path):
    """Whatever other commands have said of its row meanwhile."""
    tree = tmp_path / "d" / "b"
    tree.mkdir(parents=True)
    (tree / "file").write_bytes(b"bytes")
    done = run("s3-put", "--to", "s3://b/", "d", env=env_of(buckets))
    assert states(done.out) == {"b/file": "stored"}
    texts = [done.out, run("s3-verify", *DEST, input=done.out, env=env_of(buckets)).out,
             run("s3-fetch", *DEST, input=done.out, env=env_of(buckets)).out]
    texts += [run("s3-verify", *DEST, input=texts[2], env=env_of(buckets)).out]
    texts += [text.replace(",stored,", ",verified,") for text in texts]
    for text in texts:
        ran = run("s3-prune", "--yes", "--fetched", *DEST, input=text, env=env_of(buckets))
        assert ran.status == 0 and "1 row kept: the copies themselves" in ran.err, ran.err
        assert len(kept(buckets)) == 1 and not buckets.requests("DELETE")
    assert [row.state for row in read_rows(texts[3])] == ["verified"]


def test_stored_rows_and_no_ledger_of_them(fake, run, tmp_path):
    """Another place, or a ledger that was lost, knows no copy: its source stays."""
    fake.bucket("b")
    fake.bucket("far")
    manifest = stored(fake, run, tmp_path)
    (tmp_path / "other" / ".s3kit").mkdir(parents=True)
    done = run("s3-prune", "--yes", "-d", "other", manifest, env=env_of(fake))
    assert done.status == 1 and "does not know its copy" in done.err and len(kept(fake)) == 3
    assert run("s3-prune", "--yes", "-d", "none", manifest, env=env_of(fake)).status == 3


@pytest.mark.parametrize("old", [False, True])
def test_a_copy_that_nobody_may_look_at(fake, run, tmp_path, old):
    """What s3-put has written does for a day, and longer if it is told so."""
    fake.bucket("b", versioning="Enabled")
    fake.bucket("far", versioning="Enabled")
    manifest = stored(fake, run, tmp_path)
    for method in ("HEAD", "GET"):
        fake.fault("status", bucket="far", method=method, times=None, status=403,
                   code="AccessDenied", message="Access Denied")
    if old:
        with sqlite3.connect(tmp_path / "d" / ".s3kit" / "ledger.sqlite3") as base:
            base.execute("UPDATE upload SET changed_at = '2026-01-01T00:00:00Z'")
        base.close()
        done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
        assert done.status == 1 and len(kept(fake)) == 3 and "too long ago" in done.err
        done = run("s3-prune", "--yes", *DEST, "--verified-since", "2025-01-01", manifest,
                   env=env_of(fake))
    else:
        done = run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake))
    assert done.status == 0 and not kept(fake), done.err
    assert done.err.count("warning: copies in s3://far cannot be looked at") == 1


def test_a_file_that_is_stored_elsewhere_is_no_only_copy(fake, run, tmp_path):
    """--local removes it, where the manifest does not name it any more."""
    fake.bucket("b", versioning="Enabled")
    fake.bucket("far", versioning="Enabled")
    manifest = stored(fake, run, tmp_path)
    assert run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake)).status == 0
    fake.put("b", "last", b"of which there is no copy")
    manifest = proven(fake, run, tmp_path)
    assert run("s3-prune", "--yes", *DEST, manifest, env=env_of(fake)).status == 0
    fake.put("b", "new", b"x")
    run("s3-manifest", "s3://b", "-o", "now.csv", env=env_of(fake))
    time.sleep(0.1)
    done = run("s3-prune", "--local", "--yes", *DEST, "now.csv", env=env_of(fake))
    assert done.status == 0 and "3 files removed" in done.err and "1 file left" in done.err
    assert [path.name for path in (tmp_path / "d" / "b").rglob("*")] == ["last"]


def test_a_plan_of_stored_rows_asks_nothing(fake, run, tmp_path):
    fake.bucket("b", versioning="Enabled")
    fake.bucket("far", versioning="Enabled")
    manifest = stored(fake, run, tmp_path)
    before = len(fake.requests())
    done = run("s3-prune", "-n", *DEST, manifest, env=env_of(fake))
    assert done.status == 0 and len(states(done.out)) == 3 and len(fake.requests()) == before


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_an_older_version_does_not_replace_the_copy_of_a_newer(fake, pipe, large, versioning):
    """Where the newest version has moved the one before comes to light. A target with versions
    keeps both.
    """
    fake.bucket("b", versioning="Enabled")
    fake.bucket("far", versioning=versioning)
    old, new = [bytes([digit]) * (9 << 20 if large else 9) for digit in b"12"]
    for body in (old, new):
        fake.put("b", "k", body)
    line = ("s3-manifest s3://b | s3-fetch -d d | s3-put -d d --remove-local --to s3://far/ | "
            "s3-prune --yes -d d")
    done = pipe(line, env=env_of(fake))
    assert done.status == [0] * 4 and fake.get("far", "k").body == new, done.err
    again = pipe(line, env=env_of(fake))
    bodies = {version.body for version in fake.versions("far")}
    if versioning:
        assert again.status == [0] * 4 and bodies == {old, new} and not kept(fake), again.err
    else:
        assert again.status == [0, 0, 1, 1] and bodies == {new} and len(kept(fake)) == 1
        assert "the only copy of a version that s3-prune deleted" in again.err
    assert not fake.buckets["far"].uploads
