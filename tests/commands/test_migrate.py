"""s3-migrate: whole buckets, cut at any time, gone on with, and never deleted without proof and a
yes.
"""

import json
import os
import pty
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import BIN, clean_env, env_of, examples
from fakes3 import CHARACTERS
from terminals import pieces

from manifests import read_rows
from s3kit.migrate.phases import PHASES

DEST = ("-d", "d")
WORK = Path("d", ".s3kit", "migration")
FILES = [phase.file for phase in PHASES]
LIMIT = 60


def kept(fake, bucket):
    """Return {(key, version id)} that S3 has, delete markers included."""
    return {(version.key, version.id) for version in fake.versions(bucket)}


def states(path):
    """Return {(key, version id): state} of a manifest."""
    return {(row.key, row.version_id): row.state for row in read_rows(path)}


def fill(fake):
    """Make three buckets: with versions and markers, never versioned, with odd keys; return all
    their bytes.
    """
    fake.bucket("photos", versioning="Enabled")
    fake.bucket("logs")
    fake.bucket("odd", versioning="Enabled")
    for n in range(12):
        fake.put("photos", f"2024/{n}.jpg", b"first of %d" % n)
        fake.put("logs", f"day {n}", b"log %d" % n)
    for n in range(4):
        fake.put("photos", f"2024/{n}.jpg", b"second of %d" % n)
    fake.delete("photos", "2024/5.jpg")
    for key in ("a", "a/b", "../up", "x//y", "=1+1", "%41", "new\nline", "\u65e5\u672c", "dir/"):
        fake.put("odd", key, b"" if key.endswith("/") else key.encode())
    return bodies(fake, "photos", "logs", "odd")


def bodies(fake, *buckets):
    """Return {(bucket, key, version id): bytes} of all versions that have bytes."""
    return {(bucket, version.key, version.id): version.body
            for bucket in buckets for version in fake.versions(bucket) if not version.marker}


def arrived(tmp_path, was, *buckets):
    """Assert that every object is here, by the manifests of what was deleted."""
    found = {(row.bucket, row.key, row.version_id): row for bucket in buckets
             for row in read_rows(tmp_path / WORK / bucket / "5-pruned.csv") if not row.is_marker}
    assert found.keys() == was.keys()
    for name, row in found.items():
        assert row.state == "pruned" and row.proof not in ("", "size")
        path = tmp_path / "d" / row.path
        assert path.is_dir() or path.read_bytes() == was[name]


def start(tmp_path, env, *words):
    """Start s3-migrate in a session of its own, without a terminal."""
    return subprocess.Popen([sys.executable, BIN / "s3-migrate", *DEST, *words], cwd=tmp_path,
                            env=clean_env(env), text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def family(tmp_path):
    """Return the living processes that work in this test's directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/cwd") == str(tmp_path) and b"s3kit" in Path(
                    f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
        except OSError:
            pass
    return found


def none_left(tmp_path, seconds=3):
    """Assert that soon no process is left."""
    end = time.monotonic() + seconds
    while family(tmp_path) and time.monotonic() < end:
        time.sleep(0.02)
    assert not family(tmp_path)


def at_terminal(tmp_path, env, words, answers):
    """Run s3-migrate at a terminal, where a person answers questions; return (status, what it
    showed).
    """
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, str(BIN / "s3-migrate"), *DEST, *words],
                  clean_env(env))
    shown, answers, told = b"", list(answers), 0
    for data in pieces(terminal):
        shown += data
        if answers and shown.endswith((b"[y/N] ", b"for good: ")) and len(shown) > told:
            told = len(shown) + len(answers[0]) + 2
            os.write(terminal, answers.pop(0) + b"\n")
    os.close(terminal)
    assert not answers, shown
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(errors="replace")


# --- the journey


def test_three_buckets(fake, run, tmp_path):
    """All versions arrive, are proven, and go; a second run finds nothing to do."""
    was = fill(fake)
    yes = [word for bucket in ("photos", "logs", "odd") for word in ("--yes", bucket)]
    done = run("s3-migrate", "photos", "s3://logs", "odd", *DEST, *yes, env=env_of(fake))
    assert done.status == 0, done.err
    assert done.out == "" and all(line.startswith("s3-migrate: ") for line in done.err.splitlines())
    assert ("s3-migrate: photos: 17 rows" in done.err and "1 delete marker" in done.err
            and "3 of 3 buckets complete" in done.err)
    arrived(tmp_path, was, "photos", "logs", "odd")
    assert not any(kept(fake, bucket) for bucket in ("photos", "logs", "odd"))
    assert (sorted(os.listdir(tmp_path / WORK / "photos"))
            == [name for name in FILES if name != "2-restored.csv"])
    before = len(fake.log)
    again = run("s3-migrate", "run", "photos", "logs", "odd", *DEST, env=env_of(fake))
    assert again.status == 0 and not [request for request in fake.log[before:]
                                      if request.key or request.method != "GET"]


def test_all_buckets(fake, run, tmp_path):
    """All, but those that are left out; each is verified, none is deleted without a yes."""
    was = fill(fake)
    done = run("s3-migrate", "--all-buckets", "--exclude-bucket", "o*", "--no-delete", *DEST,
               env=env_of(fake))
    assert done.status == 0 and "2 of 2 buckets complete" in done.err
    assert sorted(os.listdir(tmp_path / WORK)) == [".lock", "logs", "photos"]
    assert bodies(fake, "photos", "logs", "odd") == was
    kept_back = run("s3-migrate", "photos", *DEST, env=env_of(fake))
    assert (kept_back.status == 1 and "--yes photos" in kept_back.err
            and bodies(fake, "photos", "logs", "odd") == was)


def test_an_empty_bucket_and_markers_alone(fake, run, tmp_path):
    """Nothing is complete at once; a bucket of nothing but a marker becomes empty."""
    fake.bucket("empty")
    fake.bucket("marked", versioning="Enabled")
    fake.delete("marked", "never there")
    done = run("s3-migrate", "empty", "marked", "--yes", "marked", *DEST, env=env_of(fake))
    assert done.status == 0, done.err
    assert not kept(fake, "marked")


def test_current_only(fake, run, tmp_path):
    """Current objects alone; the older versions, which come to light, are not taken for new ones.
    """
    fill(fake)
    done = run("s3-migrate", "photos", "--current-only", "--yes", "photos", *DEST, env=env_of(fake))
    assert done.status == 0 and "came since" not in done.err, done.err
    assert len(read_rows(tmp_path / WORK / "photos" / "5-pruned.csv")) == 11
    assert len(kept(fake, "photos")) == 17 - 11


@pytest.mark.system("minutes")
def test_what_comes_after_the_scan(fake, run, tmp_path):
    """It stays in S3, is said, and --rescan takes it; the manifests so far are kept."""
    was = fill(fake)
    assert run("s3-migrate", "photos", "logs", "--no-delete", *DEST, env=env_of(fake)).status == 0
    fake.put("photos", "late.jpg", b"late")
    fake.put("logs", "day 3", b"overwritten")
    fake.put("logs", "late", b"late")
    done = run("s3-migrate", "photos", "logs", "--yes", "photos", "--yes", "logs", *DEST,
               env=env_of(fake))
    assert done.status == 1, "an object that was overwritten is not deleted"
    assert "photos: 1 version came since the scan: run again with --rescan" in done.err
    assert "day 3" in done.err and "logs: complete" not in done.err
    assert bodies(fake, "photos", "logs").keys() - was.keys() == {
        ("photos", "late.jpg", fake.get("photos", "late.jpg").id), ("logs", "late", "null")}
    assert {version.key for version in fake.versions("logs")} == {"day 3", "late"}
    done = run("s3-migrate", "--rescan", "photos", "logs", "--yes", "photos", "--yes", "logs",
               *DEST, env=env_of(fake))
    assert done.status == 0 and not kept(fake, "photos") and not kept(fake, "logs"), done.err
    assert len(read_rows(tmp_path / WORK / ".before" / "photos.1" / "5-pruned.csv")) == 17
    assert (tmp_path / "d" / "logs" / "day 3").read_bytes() == b"overwritten"


# --- what keeps a bucket


def spoil(path):
    """Change a file behind our back."""
    data = path.read_bytes()
    path.write_bytes(bytes((data[0] ^ 1,)) + data[1:])


@pytest.mark.system("minutes")
def test_a_mismatch_keeps_its_bucket(fake, run, tmp_path):
    """And no other; it is named, `errors` has its row, and retry-errors sets it right."""
    was = fill(fake)
    assert run("s3-migrate", "photos", "logs", "--no-delete", *DEST, env=env_of(fake)).status == 0
    spoil(tmp_path / "d" / "logs" / "day 7")
    (tmp_path / WORK / "logs" / "4-verified.csv").unlink()
    yes = ("--yes", "photos", "--yes", "logs")
    done = run("s3-migrate", "photos", "logs", *yes, *DEST, env=env_of(fake))
    assert done.status == 1 and not kept(fake, "photos") and len(kept(fake, "logs")) == 12
    assert ("logs: 1 of 12 rows not proven; nothing of it is deleted (1 mismatch, 11 verified)"
            in done.err)
    assert "logs: s3://logs/day 7?versionId=null: the bytes do not match" in done.err
    assert not [request for request in fake.log if request.bucket == "logs"
                and request.method == "DELETE" and request.key.startswith("day")]
    errors = run("s3-migrate", "errors", *DEST)
    assert (errors.status == 1 and [(row.bucket, row.key, row.state)
                                    for row in read_rows(errors.out)]
            == [("logs", "day 7", "mismatch")])
    status = run("s3-migrate", "status", *DEST, "logs")
    assert status.status == 1 and re.search(
        r"^logs +not proven +12 +\S+ +1 1 mismatch, 11 verified$", status.out, re.MULTILINE)
    before = len(fake.log)
    done = run("s3-migrate", "retry-errors", *yes[2:], *DEST, env=env_of(fake))
    assert done.status == 0 and not kept(fake, "logs"), done.err
    fetched = {request.key
               for request in fake.log[before:] if request.method == "GET" and request.key}
    assert fetched == {"day 7"}, "the others are fetched no second time"
    arrived(tmp_path, {name: body for name, body in was.items() if name[0] != "odd"}, "photos",
            "logs")
    assert (run("s3-migrate", "status", *DEST).status == 0
            and run("s3-migrate", "errors", *DEST).status == 0)


@pytest.mark.system("minutes")
def test_a_file_changed_between_verifying_and_deletion(fake, run, tmp_path):
    """s3-prune itself keeps the object; the bucket is not complete before retry-errors."""
    fill(fake)
    assert run("s3-migrate", "logs", "--no-delete", *DEST, env=env_of(fake)).status == 0
    spoil(tmp_path / "d" / "logs" / "day 7")
    done = run("s3-migrate", "logs", "--yes", "logs", *DEST, env=env_of(fake))
    assert done.status == 1 and kept(fake, "logs") == {("day 7", "null")}
    assert "logs: 1 of 12 rows not deleted (1 failed, 11 pruned)" in done.err
    facts = json.loads(run("s3-migrate", "status", "--json", *DEST).out)
    assert (facts["status"] == "not deleted" and facts["states"] == {"failed": 1, "pruned": 11}
            and not facts["complete"])
    done = run("s3-migrate", "retry-errors", "logs", "--yes", "logs", *DEST, env=env_of(fake))
    assert done.status == 0 and not kept(fake, "logs"), done.err


def test_a_locked_version(fake, run, tmp_path):
    fill(fake)
    fake.hold("photos", "2024/9.jpg")
    done = run("s3-migrate", "photos", "--yes", "photos", *DEST, env=env_of(fake))
    assert (done.status == 1 and [key for key, _ in kept(fake, "photos")] == ["2024/9.jpg"]
            and "1 locked" in done.err)


@pytest.mark.system("minutes")
def test_a_server_that_does_not_heed_conditions(fake, run, tmp_path):
    """What can be overwritten under its name is not deleted there, and the bucket's journey ends
    with that, each time; what has versions goes.
    """
    fill(fake)
    fake.character = CHARACTERS["ceph-deletes"]()
    words = ("photos", "logs", "--yes", "photos", "--yes", "logs", *DEST)
    done = run("s3-migrate", *words, env=env_of(fake))
    assert done.status == 1 and not kept(fake, "photos") and len(kept(fake, "logs")) == 12, done.err
    for _ in range(2):
        assert "logs: 12 of 12 rows not deleted (12 failed)" in done.err
        assert "the server does not heed If-Match when it deletes" in done.err
        done = run("s3-migrate", "retry-errors", *words, env=env_of(fake))
        assert done.status == 1 and len(kept(fake, "logs")) == 12, done.err


def test_the_question(fake, run, tmp_path):
    """A person keeps one bucket, which stays untouched, and types the other's name; both questions
    come when all is verified.
    """
    was = fill(fake)
    status, shown = at_terminal(tmp_path, env_of(fake), ["photos", "logs"], [b"yes\nlogs", b"logs"])
    assert status == 1, shown
    assert "photos: 17 rows" in shown and "16 verified, 1 delete marker, all proven" in shown
    assert (shown.index("s3-verify: 12 rows verified")
            < shown.index("Type the bucket's name to delete 17 versions of s3://photos for good:"))
    assert ("photos: kept in S3" in shown and "logs: complete: 12 pruned" in shown
            and "1 of 2 buckets complete" in shown)
    assert (not kept(fake, "logs") and bodies(fake, "photos", "odd").items() <= was.items()
            and len(kept(fake, "photos")) == 17)
    assert not [request for request in fake.log
                if request.bucket == "photos" and request.method in ("DELETE", "POST")]
    status, shown = at_terminal(tmp_path, env_of(fake), ["photos", "logs"], [b"photos"])
    assert status == 0 and not kept(fake, "photos"), shown


def test_reset(fake, run, tmp_path):
    """It asks, and removes manifests alone."""
    was = fill(fake)
    run("s3-migrate", "logs", "--no-delete", *DEST, env=env_of(fake))
    assert run("s3-migrate", "reset", "logs", *DEST).status == 2
    assert (at_terminal(tmp_path, env_of(fake), ["reset", "logs"], [b"no"])[0] == 1
            and os.listdir(tmp_path / WORK / "logs"))
    assert at_terminal(tmp_path, env_of(fake), ["reset", "logs"], [b"y"])[0] == 0
    assert (not (tmp_path / WORK / "logs").exists()
            and len(os.listdir(tmp_path / "d" / "logs")) == 12)
    assert bodies(fake, "photos", "logs", "odd") == was
    before = len(fake.log)
    assert run("s3-migrate", "logs", "--no-delete", *DEST, env=env_of(fake)).status == 0
    assert not [request for request in fake.log[before:]
                if request.key], "what is here is not fetched again"


WRONG = {"no bucket": ([], "no bucket"), "no bucket at all": (["s3://b/prefix"], "whole buckets"),
         "yes to another": (["b", "--yes", "c"], "--yes c"),
         "unknown": (["retry-errors", "b"], "not a bucket of"),
         "reset of none": (["reset"], "no bucket"),
         "nothing begun": (["status"], "no bucket was begun"),
         "no time": (["b", "--poll", "5"], "not a span of time"),
         "among the files": (["b", "-w", "d/work"], "among the files"),
         "the files' own place": (["b", "-w", "d"], "among the files")}


@pytest.mark.parametrize("case", WRONG)
def test_asked_wrongly(run, tmp_path, case):
    words, said = WRONG[case]
    done = run("s3-migrate", *words, *DEST)
    assert done.status == 2 and said in done.err and not (tmp_path / "d").exists(), done.err


def test_a_look_needs_no_destination(fake, run, tmp_path):
    """The work directory may lie where we are."""
    fill(fake)
    run("s3-migrate", "logs", "-w", "work", "--no-delete", *DEST, env=env_of(fake))
    assert "12 verified" in run("s3-migrate", "status", "-w", "work").out
    assert run("s3-migrate", "errors", "-w", "work").status == 0


@pytest.mark.parametrize("words", [["stauts"], ["retry-error", "logs"], ["rest", "logs"]])
def test_a_mistyped_verb_is_not_a_bucket(fake, run, tmp_path, words):
    """At a terminal it is asked about; a bucket of that name can be meant as s3://NAME."""
    fill(fake)
    fake.bucket(words[0])
    done = run("s3-migrate", *words, "--no-delete", *DEST, env=env_of(fake))
    assert (done.status == 2 and f"s3-migrate s3://{words[0]} means the bucket" in done.err
            and not (tmp_path / "d").exists()), done.err
    status, shown = at_terminal(tmp_path, env_of(fake), [*words, "--no-delete"], [b"n"])
    assert status == 2 and "nearly" in shown and not (tmp_path / "d").exists() and not fake.log
    assert run("s3-migrate", f"s3://{words[0]}", "--no-delete", *DEST, env=env_of(fake)).status == 0
    assert run("s3-migrate", words[0], "--no-delete", *DEST,
               env=env_of(fake)).status == 0, "one that was begun is known"


def test_a_bucket_that_does_not_exist_leaves_nothing(fake, run, tmp_path):
    done = run("s3-migrate", "nowhere", *DEST, env=env_of(fake))
    assert done.status == 3 and "nowhere" in done.err and not (tmp_path / "d").exists()
    (tmp_path / "d").mkdir()
    run("s3-migrate", "nowhere", *DEST, env=env_of(fake))
    assert os.listdir(tmp_path / "d") == []


def test_a_bucket_that_cannot_be_read_keeps_no_other(fake, run, tmp_path):
    fill(fake)
    done = run("s3-migrate", "nowhere", "logs", "--yes", "logs", *DEST, env=env_of(fake))
    assert (done.status == 3
            and "nowhere: the phase 'scan' did not end (s3-manifest ended with status 3)"
            in done.err)
    assert not kept(fake, "logs") and "1 of 2 buckets complete" in done.err
    assert not (tmp_path / WORK / "nowhere").exists()


def test_the_work_directory_is_held(fake, run, tmp_path):
    """A second one does nothing, and says so; status may look nevertheless."""
    fill(fake)
    fake.latency = 0.3
    first = start(tmp_path, env_of(fake), "logs", "--no-delete")
    while not (tmp_path / WORK / "logs").exists():
        time.sleep(0.01)
    second = run("s3-migrate", "photos", *DEST, env=env_of(fake))
    assert (second.status == 4 and "another s3-migrate works in" in second.err
            and not (tmp_path / WORK / "photos").exists())
    assert run("s3-migrate", "status", *DEST).status == 1
    fake.latency = 0
    first.communicate(timeout=LIMIT)
    assert first.returncode == 0


# --- archives


def test_archived_rows_left_alone(fake, run, tmp_path):
    """With --no-restore they are not proven, and keep the bucket."""
    fake.put("cold", "warm", b"warm")
    fake.put("cold", "ice", b"ice", storage_class="DEEP_ARCHIVE")
    done = run("s3-migrate", "cold", "--no-restore", "--yes", "cold", *DEST, env=env_of(fake))
    assert (done.status == 1 and len(kept(fake, "cold")) == 2
            and "s3://cold/ice?versionId=null: in an archive" in done.err)
    assert not fake.requests(method="POST")


@pytest.mark.system("minutes")
@pytest.mark.parametrize("buckets", [["cold"], ["cold", "colder"]], ids=["one", "two at once"])
def test_archives_are_restored(fake, run, tmp_path, buckets):
    """S3 is asked once for what is archived, tiers that no listing shows included, and it goes the
    way of all rows.
    """
    for bucket in buckets:
        fake.put(bucket, "warm", b"warm")
        fake.put(bucket, "ice", b"ice", storage_class="DEEP_ARCHIVE")
        fake.put(bucket, "snow", b"snow", storage_class="GLACIER")
        fake.put(bucket, "tiered", b"tiered", storage_class="INTELLIGENT_TIERING",
                 tier="ARCHIVE_ACCESS")
        fake.put(bucket, "untiered", b"untiered", storage_class="INTELLIGENT_TIERING")
    fake.restore_seconds = dict.fromkeys(fake.restore_seconds, 2)
    was = bodies(fake, *buckets)
    yes = [word for bucket in buckets for word in ("--yes", bucket)]
    done = run("s3-migrate", *buckets, *yes, "--poll", "1s", "--days", "2", *DEST, env=env_of(fake),
               timeout=200)
    assert done.status == 0, done.err
    arrived(tmp_path, was, *buckets)
    asked = [request for request in fake.log if "restore" in request.query]
    assert sorted((request.bucket, request.key) for request in asked) == \
        sorted((bucket, key) for bucket in buckets for key in ("ice", "snow", "tiered"))
    if buckets[1:]:
        first = next(n for n, request in enumerate(fake.log)
                     if request.key == "ice" and request.method == "GET" and request.status == 200)
        assert all(fake.log.index(request) < first for request in asked), "they wait together"


@pytest.mark.system("minutes")
def test_killed_while_it_waits_for_an_archive(fake, run, tmp_path):
    """Nothing is asked for twice; what was fetched meanwhile is not fetched again."""
    fake.put("cold", "warm", b"warm")
    fake.put("cold", "ice", b"ice", storage_class="DEEP_ARCHIVE")
    was = bodies(fake, "cold")
    words = ("cold", "--poll", "1s", "--yes", "cold")
    for number in (signal.SIGKILL, signal.SIGINT):
        process = start(tmp_path, env_of(fake), *words)
        while not [request for request in fake.log
                   if "restore" in request.query] and process.poll() is None:
            time.sleep(0.01)
        time.sleep(3)
        process.send_signal(number)
        began = time.monotonic()
        process.communicate(timeout=LIMIT)
        assert process.returncode == -number and time.monotonic() - began < 3
        none_left(tmp_path)
    fake.clock.advance(13 * 3600)
    done = run("s3-migrate", *words, *DEST, env=env_of(fake))
    assert done.status == 0, done.err
    arrived(tmp_path, was, "cold")
    assert len([request for request in fake.log if "restore" in request.query]) == 1
    assert len([request
                for request in fake.log if request.key == "warm" and request.method == "GET"]) == 1


# --- cut at any time


@pytest.mark.system("minutes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("phase", ["scan", "fetch", "verify", "delete"])
def test_a_signal_in_each_phase(fake, run, tmp_path, phase, number):
    """It stops in time, dies of the signal, leaves no process; the same command goes on."""
    fill(fake)
    # s3-verify asks S3 about it
    fake.put("photos", "encrypted", b"encrypted", checksum=None, sse="aws:kms", etag="f" * 32)
    wanted = bodies(fake, "photos")
    words = ("photos", "--yes", "photos")
    log = tmp_path / "log"
    with open(log, "w") as err:
        process = subprocess.Popen([sys.executable, BIN / "s3-migrate", *DEST, *words],
                                   cwd=tmp_path, env=clean_env(env_of(fake)),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                                   start_new_session=True)
        while f"photos: {phase}\n" not in log.read_text() and process.poll() is None:
            time.sleep(0.005)
        fake.latency = 10           # from here on nothing ends
        time.sleep(0.8)
        assert process.poll() is None
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(LIMIT) == -number
        assert time.monotonic() - began < 3
    none_left(tmp_path)
    fake.latency = 0
    done = run("s3-migrate", *DEST, *words, env=env_of(fake))
    assert done.status == 0 and f"photos: {phase}\n" in done.err, done.err
    arrived(tmp_path, wanted, "photos")
    assert (not kept(fake, "photos") and sorted(os.listdir(tmp_path / WORK / "photos"))
            == [name for name in FILES if "restored" not in name])


@pytest.mark.system("minutes")
def test_fetching_goes_on_row_by_row(fake, run, tmp_path):
    """What was fetched before a kill is not fetched again."""
    fake.bucket("b", versioning="Enabled")
    for n in range(300):
        fake.put("b", f"k{n:03}", b"%d" % n)
    fake.latency = 0.1
    process = start(tmp_path, env_of(fake), "b", "--no-delete", "-j", "1", "-c", "4")
    while len(fake.requests(method="GET", key="k150")) == 0 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LIMIT)
    fake.latency = 0
    first = {request.key for request in fake.requests(method="GET") if request.key}
    before = len(fake.log)
    assert run("s3-migrate", "b", "--no-delete", *DEST, env=env_of(fake)).status == 0
    second = {request.key
              for request in fake.log[before:] if request.key and request.method == "GET"}
    assert len(first) >= 150 and len(first & second) < 20 and len(first | second) == 300


def test_verifying_goes_on_row_by_row(fake, run, tmp_path):
    """What was verified since the scan, and is untouched, is not read again; what was touched is.
    """
    fill(fake)
    assert run("s3-migrate", "logs", "--no-delete", *DEST, env=env_of(fake)).status == 0
    scan = tmp_path / WORK / "logs" / FILES[0]
    os.utime(scan, (time.time() - 60, time.time() - 60))       # the journey of a longer bucket
    (tmp_path / WORK / "logs" / "4-verified.csv").unlink()
    os.utime(tmp_path / "d" / "logs" / "day 3")
    done = run("s3-migrate", "logs", "--no-delete", *DEST, env=env_of(fake))
    assert done.status == 0 and re.search(r"s3-verify: 12 rows verified \(5 read\)",
                                          done.err), done.err


@pytest.mark.system("minutes")
@pytest.mark.parametrize("file", [name for name in FILES if "restored" not in name])
@pytest.mark.parametrize("spoilt", ["removed", "cut"])
def test_a_manifest_that_is_not_whole(fake, run, tmp_path, file, spoilt):
    """Its phase is done again, and those after it: nobody believes what came of another one."""
    was = fill(fake)
    deleting = file == "5-pruned.csv"
    yes = ("--yes", "logs") if deleting else ("--no-delete",)
    assert run("s3-migrate", "logs", *yes, *DEST, env=env_of(fake)).status == 0
    path = tmp_path / WORK / "logs" / file
    if spoilt == "removed":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size - 9)
    if file == "1-scan.csv":
        fake.put("logs", "late", b"late")
    done = run("s3-migrate", "logs", *yes, *DEST, env=env_of(fake))
    assert done.status == 0, done.err
    last = read_rows(tmp_path / WORK / "logs" / ("5-pruned.csv" if deleting else "4-verified.csv"))
    assert len(last) == (13 if file == "1-scan.csv" else 12)
    assert deleting or bodies(fake, "logs").items() >= {name: body for name, body in was.items()
                                                        if name[0] == "logs"}.items()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("seed", [1])
def test_killed_ten_times_on_a_real_server(seaweed, run, tmp_path, seed):
    """Three buckets, kill -9 at random times; in the end all is here, nothing is there."""
    killed_often(seaweed, run, tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_killed_often_on_a_real_server(seaweed, run, tmp_path, seed):
    """The same with other times."""
    killed_often(seaweed, run, tmp_path, seed)


def killed_often(seaweed, run, tmp_path, seed):
    """Kill s3-migrate of three buckets ten times, then let it end."""
    chance, client = random.Random(seed), seaweed.client()
    buckets = [f"migrate-{name}-{seed}" for name in ("one", "two", "three")]
    was = {}
    for bucket in buckets:
        client.create_bucket(Bucket=bucket)
        if not bucket.startswith("migrate-two"):
            client.put_bucket_versioning(Bucket=bucket,
                                         VersioningConfiguration={"Status": "Enabled"})
        for n in range(60):
            body = chance.randbytes(chance.randrange(1, 300_000))
            version = client.put_object(Bucket=bucket, Key=f"dir {n % 5}/{n}", Body=body,
                                        ChecksumAlgorithm="CRC32").get("VersionId", "null")
            was[bucket, f"dir {n % 5}/{n}", version] = body
    client.delete_object(Bucket=buckets[0], Key="dir 1/1")
    words = [*buckets, *(word for bucket in buckets for word in ("--yes", bucket))]
    kills = []
    for _ in range(10):
        # Some buckets are done soon, and never all of them.
        process = start(tmp_path, seaweed.env, *words, "--limit-rate",
                        "1M" if len(kills) < 4 else "100K")
        time.sleep(chance.uniform(0.5, 3))
        assert (process.poll()
                is None), f"seed {seed}: it ended before it was killed ten times: {kills}"
        process.kill()
        kills.append(process.communicate(timeout=LIMIT)[1].rpartition("s3-migrate: ")[2].strip())
        none_left(tmp_path)
    done = run("s3-migrate", *words, *DEST, env=seaweed.env, timeout=200)
    assert done.status == 0, f"seed {seed}, killed after {kills}:\n{done.err}"
    arrived(tmp_path, was, *buckets)
    for bucket in buckets:
        there = client.list_object_versions(Bucket=bucket)
        assert not there.get("Versions") and not there.get("DeleteMarkers")
        assert sorted(os.listdir(tmp_path / WORK / bucket)) == [
            name for name in FILES if "restored" not in name], "nothing half-written is left"


# --- the page


def test_the_examples_of_the_page(fake, pipe, tmp_path):
    """Each is run, in the page's order, on buckets of those names, and does what it is there for.
    """
    for n in range(5):
        fake.put("photos", f"{n}.jpg", b"photo %d" % n)
        fake.put("music", f"{n}.ogg", b"music %d" % n)
    lines = examples("s3-migrate")
    assert len(lines) == 5 and all(shlex.split(line)[0] == "s3-migrate" for line in lines)
    for line in lines:
        done = pipe(line.replace("/data", f"{tmp_path}/data"), env=env_of(fake))
        assert done.status[0] in (0, 1 if " status " in line else 0), f"{line}: {done.err}"
    assert not kept(fake, "photos") and not kept(fake, "music")
    assert sorted(os.listdir(tmp_path / "data" / "photos")) == [f"{n}.jpg" for n in range(5)]
