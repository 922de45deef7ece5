"""s3-restore: what is asked for, how often, how much at a time, and that rows go on the moment they
can be read.
"""

import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest
from conftest import BIN, clean_env, env_of, examples
from fakes3 import DAY, TIERS, Credential, FakeS3, Restore
from terminals import pieces

from manifests import read_rows

HOUR = 3600
WAIT = ("--wait", "--poll", "0.1s")
CLASSES = [("STANDARD", None), ("GLACIER", None), ("DEEP_ARCHIVE", None), ("GLACIER_IR", None),
           ("INTELLIGENT_TIERING", None), ("INTELLIGENT_TIERING", "ARCHIVE_ACCESS"),
           ("INTELLIGENT_TIERING", "DEEP_ARCHIVE_ACCESS"), ("STANDARD_IA", None)]


def fill(fake, number, classes=CLASSES, bucket="b", versioning="Enabled"):
    """Make a bucket of so many objects, of these classes in turn."""
    fake.bucket(bucket, versioning=versioning)
    for n in range(number):
        storage_class, tier = classes[n % len(classes)]
        fake.put(bucket, f"k{n:05}", b"body %d" % n, storage_class=storage_class, tier=tier)


def listed(fake, run, tmp_path, *options, bucket="b"):
    """Return the file with the manifest of a bucket."""
    done = run("s3-manifest", *options, f"s3://{bucket}", "-o", f"{bucket}.csv", env=env_of(fake))
    assert done.status == 0, done.err
    return tmp_path / f"{bucket}.csv"


def by_key(text):
    """Return {key: row} of a manifest."""
    return {row.key: row for row in read_rows(text)}


def asked(fake, status=None):
    """Return [(key, version id)] of the requests for restores."""
    return [(request.key, request.query.get("versionId", ""))
            for request in fake.requests("POST", status=status) if "restore" in request.query]


def ongoing(fake, bucket="b"):
    """Return the versions that S3 is at work on."""
    now = fake.clock.now()
    return [version for version in fake.versions(bucket) if version.state(now) == "ongoing"]


@contextmanager
def flying(fake, seconds=HOUR, every=0.05):
    """Let the virtual time pass meanwhile: so many seconds every so often."""
    over = threading.Event()

    def fly():
        while not over.wait(every):
            with fake.lock:
                fake.clock.advance(seconds)
    thread = threading.Thread(target=fly)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Started:
    """An s3-restore of its own, whose rows are read as they come."""

    def __init__(self, fake, tmp_path, *argv, env=None):
        self.process = subprocess.Popen([sys.executable, str(BIN / "s3-restore"), "--yes",
                                         *map(str, argv)],
                                        env=clean_env(env or env_of(fake)),
                                        cwd=tmp_path, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.text = b""

    def until(self, wanted, seconds=20):
        """Read until `wanted(text)` is true."""
        end = time.monotonic() + seconds
        while not wanted(self.text.decode()):
            assert time.monotonic() < end, f"it did not come: {self.text}"
            if select.select([self.process.stdout], [], [], 0.05)[0]:
                self.text += os.read(self.process.stdout.fileno(), 1 << 16)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def until(wanted, seconds=20):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


# --- what is asked for


@pytest.mark.system("minutes")
@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_all_classes(fake, run, tmp_path, tier, versioning):
    """Each class is asked as it must be, and what can be read goes on as it came.

    The fake takes nothing else.
    """
    fill(fake, 32, versioning=versioning)
    manifest = listed(fake, run, tmp_path)
    before = by_key(manifest)
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, "--tier", tier, "--days", "3", manifest,
                   env=env_of(fake))
    assert done.status == 0, done.err
    for n, (key, row) in enumerate(by_key(done.out).items()):
        row = by_key(done.out)[f"k{n:05}"]
        storage_class, archive_tier = CLASSES[n % len(CLASSES)]
        if storage_class in ("GLACIER", "DEEP_ARCHIVE"):
            assert (row.state == "restored"
                    and re.fullmatch(r"ready until \d{4}-\d\d-\d\dT00:00:00Z", row.restore))
        elif archive_tier:
            assert (row.state, row.restore) == ("restored", "")
        else:
            assert row == before[row.key]
    bodies = {request.key: request.body.decode() for request in fake.requests("POST")}
    assert len(bodies) == len(asked(fake)) == len(asked(fake, 202)) == 16
    for n in range(32):
        storage_class, archive_tier = CLASSES[n % len(CLASSES)]
        body = bodies.get(f"k{n:05}")
        if body:
            deep = "DEEP" in storage_class + (archive_tier or "")
            assert f"<Tier>{'Standard' if deep and tier == 'Expedited' else tier}</Tier>" in body
            assert ("<Days>3</Days>" in body) == (storage_class != "INTELLIGENT_TIERING")


@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_odd_keys(fake, run, tmp_path, versioning):
    """Whatever a key looks like, also those that libcurl cannot sign, those that XML cannot carry,
    and the longest.
    """
    fake.bucket("b", versioning=versioning)
    keys = ["plain", "a\nb", "c\x01", "x/../y", "..", "./z", "é", "a&<b>'\"", "%41", " ", "=1+1",
            "dir/", "?restore", "x" * 1024, "\ue000", "\U0001f600"]
    for key in keys:
        fake.put("b", key, b"body", storage_class="GLACIER")
    fake.put("b", "tier/../x", b"body", storage_class="INTELLIGENT_TIERING", tier="ARCHIVE_ACCESS")
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, listed(fake, run, tmp_path), env=env_of(fake))
    assert done.status == 0, done.err
    assert ({key: row.state for key, row in by_key(done.out).items()}
            == dict.fromkeys([*keys, "tier/../x"], "restored"))
    assert sorted(key for key, _ in asked(fake)) == sorted([*keys, "tier/../x"])


def test_old_versions(fake, run, tmp_path):
    """Each version by its id, also below a delete marker, whose row goes on as it came."""
    fake.bucket("b", versioning="Enabled")
    ids = {fake.put("b", "k", b"%d" % n, storage_class="DEEP_ARCHIVE") for n in range(5)}
    fake.delete("b", "k")
    manifest = listed(fake, run, tmp_path, "--versions")
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, manifest, env=env_of(fake))
    assert done.status == 0, done.err
    assert {version for _, version in asked(fake, 202)} == ids and len(asked(fake)) == 5
    assert sorted(row.state for row in read_rows(done.out)) == ["listed"] + 5 * ["restored"]


def test_a_bare_manifest(fake, run):
    """Without a class the listing tells it."""
    fill(fake, 16)
    text = "bucket,key\n" + "".join(f"b,k{n:05}\n" for n in range(16))
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, input=text, env=env_of(fake))
    assert done.status == 0, done.err
    states = [row.state for row in sorted(read_rows(done.out), key=lambda row: row.key)]
    assert states == 2 * ["", "restored", "restored", "", "", "restored", "restored", ""]


@pytest.mark.parametrize("state",
                         ["fetched", "verified", "pruned", "vanished", "unverifiable", "locked"])
def test_states_it_does_not_know_to_advance(fake, run, tmp_path, state):
    """They pass unchanged, and S3 is asked nothing."""
    fill(fake, 3, [("GLACIER", None)])
    text = listed(fake, run, tmp_path).read_text().replace(",listed,", f",{state},")
    fake.log.clear()
    done = run("s3-restore", "--yes", input=text, env=env_of(fake))
    assert sorted(done.out.splitlines()) == sorted(text.splitlines()) and not fake.log
    assert done.status == (1 if state in ("vanished", "locked") else 0)


def test_without_wait(fake, run, tmp_path):
    """Rows leave as asked for; the same command on its own output asks for nothing twice, and tells
    when they are back.
    """
    fill(fake, 16)
    manifest = listed(fake, run, tmp_path)
    for _ in range(2):
        done = run("s3-restore", "--yes", "-i", manifest, env=env_of(fake))
        assert done.status == 0, done.err
        found = by_key(manifest)
        assert ({key for key,
                 row in found.items() if (row.state, row.restore) == ("restoring", "ongoing")}
                == {version.key for version in ongoing(fake)})
        assert len(ongoing(fake)) == len(asked(fake)) == 8
    fake.clock.advance(13 * HOUR)
    done = run("s3-restore", "--yes", "-i", manifest, env=env_of(fake))
    assert done.status == 0 and len(asked(fake)) == 8
    assert (sorted(row.state for row in by_key(manifest).values())
            == 8 * ["listed"] + 8 * ["restored"])


def test_a_dry_run_asks_for_nothing(fake, run, tmp_path):
    """It writes the rows that would be asked for, as they are."""
    fill(fake, 16)
    manifest = listed(fake, run, tmp_path)
    run("s3-restore", "--yes", "--include", "k00001", manifest, env=env_of(fake))
    fake.log.clear()
    done = run("s3-restore", "-n", manifest, env=env_of(fake))
    assert done.status == 0 and not fake.requests("POST") and "7 rows to ask for" in done.err
    found = by_key(done.out)
    assert sorted(found) == ["k00002", "k00005", "k00006", "k00009", "k00010", "k00013", "k00014"]
    assert all(row == by_key(manifest)[row.key] for row in found.values())


def test_a_dry_run_rewrites_no_file(fake, run, tmp_path):
    """FILE would lose every row that S3 need not be asked for."""
    fill(fake, 8)
    manifest = listed(fake, run, tmp_path)
    before = manifest.read_bytes()
    done = run("s3-restore", "-n", "-i", manifest, env=env_of(fake))
    assert manifest.read_bytes() == before
    assert done.status == 2 and "-n" in done.err and "-i" in done.err


def test_filters(fake, run, tmp_path):
    """What they leave out is not asked for; it leaves the stream, but stays in FILE with -i."""
    fill(fake, 10, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    done = run("s3-restore", "--yes", "--include", "*5", manifest, env=env_of(fake))
    assert [key for key, _ in asked(fake)] == ["k00005"] and list(by_key(done.out)) == ["k00005"]
    run("s3-restore", "--yes", "-i", "--include", "*6", manifest, env=env_of(fake))
    assert len(by_key(manifest)) == 10 and len(asked(fake)) == 2
    done = run("s3-restore", "--yes", "-i", "--include", "none", manifest, env=env_of(fake))
    assert ("0 rows restored in" in done.err
            and len(by_key(manifest)) == 10), "what it left out it did not ask for"


# --- waiting


def test_rows_go_on_the_moment_they_can_be_read(fake, tmp_path, run):
    """What needs nothing at once; the fast before the slow; and each stays until S3 has it."""
    fake.bucket("b", versioning="Enabled")
    fake.put("b", "a-deep", b"1", storage_class="DEEP_ARCHIVE")
    fake.put("b", "b-tier", b"2", storage_class="INTELLIGENT_TIERING", tier="DEEP_ARCHIVE_ACCESS")
    fake.put("b", "c-glacier", b"3", storage_class="GLACIER")
    fake.put("b", "d-standard", b"4")
    manifest = listed(fake, run, tmp_path)
    with Started(fake, tmp_path, *WAIT, manifest) as restore:
        restore.until(lambda text: "d-standard" in text)
        until(lambda: len(ongoing(fake)) == 3)
        time.sleep(0.5)
        assert "glacier" not in restore.text.decode() and "deep" not in restore.text.decode()
        fake.clock.advance(6 * HOUR)
        restore.until(lambda text: "c-glacier" in text)
        time.sleep(0.5)
        assert ("deep" not in restore.text.decode() and "tier" not in restore.text.decode()
                and "#end" not in restore.text.decode())
        fake.clock.advance(7 * HOUR)
        restore.until(lambda text: "#end rows=4" in text)
        assert restore.process.wait(20) == 0
    assert len(asked(fake)) == 3


@pytest.mark.system("minutes")
@pytest.mark.parametrize("options, most, most_bytes", [(["--max-pending", "7"], 7, None),
                                                       (["--max-pending-size", "100"], 100, 100), (
                                                           ["--max-pending", "5",
                                                            "--max-pending-size", "60"], 5, 60)])
def test_the_cap(fake, run, tmp_path, options, most, most_bytes):
    """Never more are pending, of any class, and rows behind that need nothing do not wait; one that
    is too large goes alone.
    """
    fill(fake, 64)
    fake.put("b", "k00007-large", b"x" * 500, storage_class="GLACIER")
    fake.put("b", "z", b"needs nothing")
    seen = []

    def look(request):
        if request.method == "POST":
            pending = ongoing(fake)
            seen.append((len(pending) + 1, sum(version.size for version in pending)
                         + fake.get("b", request.key).size))
    fake.hook = look
    manifest = listed(fake, run, tmp_path)
    with Started(fake, tmp_path, *WAIT, *options, manifest) as restore:
        restore.until(lambda text: "b,z," in text)
        with flying(fake):
            restore.until(lambda text: "#end rows=66" in text, 50)
        assert restore.process.wait(20) == 0
    assert max(number for number, _ in seen) <= most and len(seen) == len(asked(fake, 202)) == 33
    assert most_bytes is None or all(size <= most_bytes or number == 1 for number, size in seen)
    assert max(number for number, _ in seen) >= 4


def test_the_cap_without_wait(fake, run, tmp_path):
    """What is beyond it goes on as it came, with status 1; later runs ask for it."""
    fill(fake, 10, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    for run_number, states in enumerate((["listed"] * 6 + ["restoring"] * 4,
                                         ["listed"] * 2 + ["restored"] * 4 + ["restoring"] * 4,
                                         ["restored"] * 8 + ["restoring"] * 2, ["restored"] * 10)):
        done = run("s3-restore", "--yes", "-i", "--max-pending", "4", manifest, env=env_of(fake))
        assert sorted(row.state for row in by_key(manifest).values()) == states
        assert done.status == (1 if "listed" in states else 0), done.err
        assert ("not asked for" in done.err) == ("listed" in states)
        fake.clock.advance(6 * HOUR)
    assert len(asked(fake)) == 10


@pytest.mark.system("minutes")
@pytest.mark.parametrize("signal_sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_asked_for_twice_after_a_kill(fake, run, tmp_path, signal_sent):
    """Killed again and again at any moment: every version is asked for once, and the cap holds."""
    fill(fake, 160)
    manifest, chance = listed(fake, run, tmp_path), random.Random(7)
    most = []
    fake.hook = lambda request: request.method == "POST" and most.append(len(ongoing(fake)) + 1)
    for _ in range(6):
        before = len(asked(fake))
        with (Started(fake, tmp_path, *WAIT, "--max-pending", "20", manifest) as restore,
              flying(fake, HOUR, 0.2)):
            goal = min(80, before + chance.randrange(1, 15))
            until(lambda: len(asked(fake)) >= goal)
            restore.process.send_signal(signal_sent)
            began = time.monotonic()
            assert restore.process.wait(10) == -signal_sent and time.monotonic() - began < 2
            assert b"#end" not in restore.text + restore.process.stdout.read()
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, "--max-pending", "20", manifest, env=env_of(fake))
    assert done.status == 0, done.err
    assert len(asked(fake)) == len(set(asked(fake))) == 80 and max(most) <= 20
    assert sorted({row.state for row in read_rows(done.out)}) == ["listed", "restored"]


def test_the_same_version_twice(fake, run, tmp_path):
    """Two rows of one version, one request, and both go on."""
    fill(fake, 3, [("GLACIER", None)])
    lines = listed(fake, run, tmp_path).read_text().splitlines()
    text = "\n".join([*lines[1:2], *lines[2:-1], *lines[2:-1]]) + "\n"
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, input=text, env=env_of(fake))
    assert (done.status == 0 and len(asked(fake)) == 3
            and [row.state for row in read_rows(done.out)] == 6 * ["restored"])


def test_copies_that_expired(fake, run, tmp_path):
    """Rows that say restored, ready or ongoing, and are not: asked for again; also what expires
    while it is waited for.
    """
    fill(fake, 12, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    with flying(fake):
        run("s3-restore", "--yes", *WAIT, "-i", "--days", "1", manifest, env=env_of(fake))
    assert {row.state for row in by_key(manifest).values()} == {"restored"}
    fake.clock.advance(3 * DAY)
    with Started(fake, tmp_path, *WAIT, "--days", "1", manifest) as restore:
        until(lambda: len(asked(fake)) == 24)
        fake.clock.advance(9 * DAY)         # back, and gone again
        until(lambda: len(asked(fake)) == 36)
        fake.clock.advance(6 * HOUR)
        restore.until(lambda text: "#end rows=12" in text)
        assert restore.process.wait(20) == 0


def test_copies_that_always_expire(fake, run, tmp_path):
    """Nobody pays without end."""
    fill(fake, 1, [("GLACIER", None)])
    fake.hook = lambda request: request.method == "POST" or fake.clock.advance(30 * DAY)
    done = run("s3-restore", "--yes", *WAIT, listed(fake, run, tmp_path), env=env_of(fake))
    assert done.status == 1 and len(asked(fake)) == 3 and "still in the archive" in done.err


@pytest.mark.system("minutes")
def test_a_slow_reader(fake, run, tmp_path):
    """A stage that follows and is busy holds up no request; what is back and not taken keeps its
    place below the cap.
    """
    fill(fake, 6000, 14 * [("STANDARD", None)] + [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    with Started(fake, tmp_path, *WAIT, "--max-pending", "300", manifest) as restore:
        until(lambda: len(asked(fake)) == 300)
        with flying(fake):
            time.sleep(2)
            assert len(asked(fake)) == 300, "nobody has read a row yet"
            restore.until(lambda text: "#end rows=6000" in text)
        assert restore.process.wait(20) == 0
    assert len(asked(fake)) == len(set(asked(fake))) == 400


def test_what_was_asked_for_before_counts(fake, run, tmp_path):
    """Wherever in the manifest it is: all rows are looked at before any is asked for."""
    fill(fake, 2100, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    run("s3-restore", "--yes", "--include-regex", "k020[0-1].", manifest, env=env_of(fake))
    assert len(asked(fake)) == 20
    with Started(fake, tmp_path, *WAIT, "--max-pending", "25", manifest) as restore:
        until(lambda: len(asked(fake)) == 25)
        time.sleep(1)
        assert len(asked(fake)) == 25 and restore.process.poll() is None


@pytest.mark.parametrize("how", ["stopped", "left", "full"])
def test_a_reader_that_never_comes(fake, tmp_path, run, pipe, how):
    """Stopped within two seconds, dead of SIGPIPE, or status 3: as every command."""
    fill(fake, 6000, 14 * [("STANDARD", None)] + [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    if how == "stopped":
        with Started(fake, tmp_path, *WAIT, manifest) as restore:
            until(lambda: len(asked(fake)) == 100)
            restore.process.terminate()
            began = time.monotonic()
            assert restore.process.wait(10) == -signal.SIGTERM and time.monotonic() - began < 2
    elif how == "left":
        assert (pipe(f"s3-restore --yes '{manifest}' | head -n 1", env=env_of(fake)).status
                == [128 + signal.SIGPIPE, 0])
    else:
        done = pipe(f"s3-restore --yes '{manifest}' > /dev/full", env=env_of(fake))
        assert (done.status == [3]
                and done.err == "s3-restore: cannot write the output: No space left on device\n")


def test_a_cut_input(fake, run, tmp_path):
    """The rows that came are asked for; no end mark, status 3."""
    fill(fake, 10, [("GLACIER", None)])
    lines = listed(fake, run, tmp_path).read_text().splitlines(keepends=True)
    done = run("s3-restore", "--yes", input="".join(lines[:7]), env=env_of(fake))
    assert done.status == 3 and "the input was cut" in done.err and "#end" not in done.out
    assert len(asked(fake)) == 5 == done.out.count("restoring")


def test_progress(fake, tmp_path, run):
    """On a terminal: pending, ready, and the oldest wait, renewed while nothing comes."""
    fill(fake, 4, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    back, front = pty.openpty()
    fcntl.ioctl(front, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 150, 0, 0))
    process = subprocess.Popen([sys.executable, str(BIN / "s3-restore"), "--yes", *WAIT,
                                str(manifest)], env=clean_env(env_of(fake)), cwd=tmp_path,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=front)
    os.close(front)
    seen = b""
    try:
        while len(re.findall(rb"4 pending, 0 ready, oldest wait [2-9]\.\d s", seen)) < 2:
            seen += os.read(back, 4096)
        fake.clock.advance(6 * HOUR)
        assert process.wait(20) == 0
        seen += os.read(back, 4096)
        assert b"4 rows restored" in seen
    finally:
        process.kill()
        process.wait()
        os.close(back)


# --- S3's answers


@pytest.mark.parametrize("wait", [True, False])
def test_somebody_else_asks_at_the_same_time(fake, run, tmp_path, wait):
    """409 is pending, 200 is there already, and what left the archive meanwhile goes on."""
    fill(fake, 6, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)

    def outside(request):
        if request.method == "POST":
            version, now = fake.get("b", request.key), fake.clock.now()
            if request.key.endswith(("2", "3")):
                version.restore = Restore("Standard", 7, now + HOUR, now + 9 * DAY)
            elif request.key.endswith("4"):
                version.restore = Restore("Standard", 7, now - HOUR, now + 9 * DAY)
            elif request.key.endswith("5"):
                version.storage_class = "STANDARD"
    fake.hook = outside
    with flying(fake):
        done = run("s3-restore", "--yes", *(WAIT if wait else ()), manifest, env=env_of(fake))
    assert done.status == 0, done.err
    answers = {request.key: request.status for request in fake.requests("POST")}
    assert answers == {"k00000": 202, "k00001": 202, "k00002": 409, "k00003": 409, "k00004": 200,
                       "k00005": 403}
    found = {key: row.state for key, row in by_key(done.out).items()}
    assert (found == dict.fromkeys(answers, "restored" if wait else "restoring")
            | dict.fromkeys(["k00004", "k00005"], "restored"))
    assert by_key(done.out)["k00004"].restore.startswith("ready until")


def test_expedited_unavailable(fake, run, tmp_path):
    """Fall back, wait, or fail: as asked."""
    fill(fake, 3, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    fake.expedited = False
    done = run("s3-restore", "--yes", "--tier", "Expedited", manifest, env=env_of(fake))
    assert (done.status == 1 and "--fallback" in done.err
            and {row.state for row in read_rows(done.out)} == {"failed"})
    assert not asked(fake, 202)
    with (Started(fake, tmp_path, *WAIT, "--tier", "Expedited", manifest) as restore,
          flying(fake, 60)):
        until(lambda: len(asked(fake)) > 8)
        assert not asked(fake, 202)
        fake.expedited = True
        restore.until(lambda text: "#end rows=3" in text)
        assert restore.process.wait(20) == 0 and len(asked(fake, 202)) == 3
    fill(fake, 3, [("GLACIER", None)], "other")
    fake.expedited = False
    done = run("s3-restore", "--yes", "--tier", "Expedited", "--fallback", "Bulk",
               listed(fake, run, tmp_path, bucket="other"), env=env_of(fake))
    assert (done.status == 0
            and {version.restore.tier for version in fake.versions("other")} == {"Bulk"})


@pytest.mark.system("minutes")
@pytest.mark.parametrize("kind, options", [("status", {"status": 500, "code": "InternalError"}),
                                           ("status", {"status": 503, "code": "SlowDown"}),
                                           ("error200", {}), ("reset", {}), ("refuse", {})])
@pytest.mark.parametrize("done", [False, True], ids=["not done", "done all the same"])
def test_a_passing_fault(fake, run, tmp_path, kind, options, done):
    """Whether S3 had taken the request or not: it is looked at again, and never taken twice."""
    fill(fake, 8, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    spoilt = fake.fault(kind, method="POST", done=done, times=3, **options)
    with flying(fake, 60):
        ran = run("s3-restore", "--yes", manifest, env=env_of(fake))
    assert ran.status == 0, ran.err
    assert {row.state for row in read_rows(ran.out)} == {"restoring"} and spoilt.hits == 3
    # libcurl itself sends again what a connection that had served before has swallowed.
    most = 8 if done and kind not in ("reset", "refuse") else 11
    assert len(ongoing(fake)) == len(set(asked(fake))) == 8 and len(asked(fake)) <= most


@pytest.mark.system("minutes")
@pytest.mark.parametrize("method, key", [("GET", ""), ("HEAD", None)])
def test_looks_that_fail_in_passing(fake, run, tmp_path, method, key):
    """They are done again; rows that are waited for wait on."""
    fill(fake, 16)
    manifest = listed(fake, run, tmp_path)
    spoilt = fake.fault("status", method=method, key=key, times=6, after=1, status=503,
                        code="SlowDown")
    with flying(fake, 600):
        ran = run("s3-restore", "--yes", *WAIT, manifest, env=env_of(fake))
    assert ran.status == 0 and spoilt.hits == 6 and len(asked(fake)) == 8, ran.err


def test_no_permission(fake, run, tmp_path):
    """To ask: the row fails in S3's words. To list: HEAD must say what the listing would."""
    fill(fake, 8, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    fake.fault("status", method="POST", key="k00003", times=None, status=403, code="AccessDenied",
               message="Access Denied")
    fake.fault("status", method="GET", key="", times=None, status=403, code="AccessDenied",
               message="Access Denied")
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, manifest, env=env_of(fake))
    found = by_key(done.out)
    assert done.status == 1 and "AccessDenied" in done.err
    assert ({key for key, row in found.items() if row.state == "failed"} == {"k00003"}
            and len(asked(fake, 202)) == 7)
    assert {row.state for row in found.values()} == {"failed", "restored"}
    again = run("s3-restore", "--yes", input=done.out, env=env_of(fake))
    assert (by_key(again.out)["k00003"].state == "failed"
            and len(asked(fake)) == 9), "it is tried again on its own output"


def test_what_is_gone_or_changed(fake, run, tmp_path):
    """Deleted, hidden, overwritten: none of it is paid for."""
    for bucket, versioning in (("b", None), ("v", "Enabled")):
        fill(fake, 5, [("GLACIER", None)], bucket, versioning)
        manifest = listed(fake, run, tmp_path, bucket=bucket)
        version = fake.get(bucket, "k00001").id
        fake.delete(bucket, "k00001", version if versioning else None)
        fake.put(bucket, "k00002", b"newer", storage_class="GLACIER")
        fake.put(bucket, "k00003", b"newer")
        done = run("s3-restore", "--yes", manifest, env=env_of(fake))
        found = {key: row.state for key, row in by_key(done.out).items()}
        other = "restoring" if versioning else "failed"
        assert found == {"k00000": "restoring", "k00001": "vanished", "k00002": other,
                         "k00003": other, "k00004": "restoring"}
        assert done.status == 1
    fake.delete("b", "k00000")
    text = "bucket,key\nb,k00000\nv,k00000\nnone,k\n"
    fake.delete("v", "k00000")
    done = run("s3-restore", "--yes", input=text, env=env_of(fake))
    assert ([(row.bucket, row.state)
             for row in sorted(read_rows(done.out), key=lambda row: row.bucket)]
            == [("b", "vanished"), ("none", "failed"), ("v", "vanished")]), done.err


def test_credentials_that_expire(fake, run, tmp_path):
    """Nothing is failed for it: the run ends, and goes on with new ones."""
    fill(fake, 4, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    with Started(fake, tmp_path, *WAIT, manifest) as restore:
        until(lambda: len(ongoing(fake)) == 4)
        fake.credentials[fake.access_key].expired = True
        assert restore.process.wait(20) == 3
        text = restore.process.stdout.read()
        assert (b"renew the credentials" in restore.process.stderr.read() and b"#end" not in text
                and b"failed" not in text)
    fake.credentials[fake.access_key].expired = False
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, manifest, env=env_of(fake))
    assert done.status == 0 and len(asked(fake)) == 4


@pytest.mark.parametrize("when", ["asking", "waiting"])
def test_credentials_that_are_renewed(fake, run, tmp_path, when):
    """With --wait they expire in the midst of it: the run goes on with new ones, and asks for
    nothing twice.
    """
    def give(name):
        fake.credentials[name] = Credential(f"secret of {name}", f"token of {name}")
        until = datetime.now(timezone.utc) + timedelta(minutes=2)
        (tmp_path / "new").write_text(json.dumps({
            "Version": 1, "AccessKeyId": name, "SecretAccessKey": f"secret of {name}",
            "SessionToken": f"token of {name}", "Expiration": until.isoformat()}))
        (tmp_path / "new").rename(tmp_path / "answer")

    once = threading.Lock()

    def renew():
        if once.acquire(blocking=False):
            give("SECOND")
            fake.credentials["FIRST"].expired = True

    fill(fake, 40, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    (tmp_path / "config").write_text(
        f"[default]\nregion = us-east-1\ncredential_process = cat {tmp_path}/answer\n")
    give("FIRST")
    if when == "asking":
        fake.hook = lambda request: len(asked(fake)) == 5 and renew()
    fake.log.clear()
    env = {"AWS_ENDPOINT_URL_S3": fake.url, "AWS_CONFIG_FILE": str(tmp_path / "config")}
    with Started(fake, tmp_path, *WAIT, manifest, env=env) as restore:
        until(lambda: len(ongoing(fake)) == 40)
        if when == "waiting":
            renew()
            until(lambda: fake.requests(status=400))
        with flying(fake):
            restore.until(lambda text: "#end rows=40" in text)
        assert restore.process.wait(20) == 0
    assert {row.state for row in read_rows(restore.text.decode())} == {"restored"}
    assert len(asked(fake, 202)) == len(set(asked(fake, 202))) == 40
    tokens = {request.headers.get("x-amz-security-token") for request in fake.requests(status=200)}
    assert fake.requests(status=400) and tokens == {"token of FIRST", "token of SECOND"}


# --- how S3 is looked at


@pytest.mark.system("minutes")
def test_pages_tell_of_a_thousand(fake, run, tmp_path):
    """One request for what lies together, never more than one for each row, and HEAD only for
    Intelligent-Tiering.
    """
    fill(fake, 4000, [("GLACIER", None)] + 19 * [("STANDARD", None)])
    manifest = listed(fake, run, tmp_path)
    fake.log.clear()
    with Started(fake, tmp_path, "--wait", "--poll", "2s", "--max-pending", "1000",
                 manifest) as restore:
        until(lambda: len(ongoing(fake)) == 200)
        time.sleep(0.5)
        assert (len(fake.requests("GET")) <= 8 and len(fake.requests("HEAD"))
                == 1), "and one HEAD, to learn whether the listing tells"
        fake.log.clear()
        until(lambda: len(fake.requests("GET")) >= 4)
        time.sleep(0.5)
        assert len(fake.log) <= 5
        fake.clock.advance(6 * HOUR)
        restore.until(lambda text: "#end rows=4000" in text)
    assert not fake.requests("HEAD")


def test_scattered_rows(fake, run, tmp_path):
    """Rows far apart: the listing jumps from one to the next."""
    fill(fake, 20000, [("STANDARD", None)])
    for n in range(0, 20000, 4000):
        fake.get("b", f"k{n:05}").storage_class = "GLACIER"
    manifest = listed(fake, run, tmp_path)
    fake.log.clear()
    done = run("s3-restore", "--yes", manifest, env=env_of(fake))
    assert done.status == 0 and len(asked(fake)) == 5
    assert len(fake.requests("GET", key="")) <= 6


def test_many_versions_of_one_key(fake, run, tmp_path):
    """What a page does not reach, HEAD says."""
    fake.bucket("b", versioning="Enabled")
    for n in range(2500):
        fake.put("b", "k", b"%d" % n,
                 storage_class="GLACIER" if n in (3, 1200, 2400) else "STANDARD")
    manifest = listed(fake, run, tmp_path, "--versions")
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, manifest, env=env_of(fake))
    assert done.status == 0 and len(asked(fake)) == 3, done.err
    assert sum(row.state == "restored" for row in read_rows(done.out)) == 3


@pytest.mark.system("minutes")
@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_a_listing_that_does_not_tell(fake, run, tmp_path, versioning):
    """Servers without RestoreStatus in their listings: found out by the first row, and HEAD looks
    at all; nothing is asked for twice.
    """
    fill(fake, 40, [("GLACIER", None)], versioning=versioning)
    manifest = listed(fake, run, tmp_path)
    fake.sign = False           # the header is signed, and is taken away
    fake.hook = lambda request: request.headers.pop("x-amz-optional-object-attributes", None)
    for _ in range(3):
        with (Started(fake, tmp_path, *WAIT, "--max-pending", "10", manifest) as restore,
              flying(fake, HOUR, 0.3)):
            goal = len(asked(fake)) + 5
            until(lambda: len(asked(fake)) >= goal)
            restore.process.kill()
    with flying(fake):
        done = run("s3-restore", "--yes", *WAIT, "--max-pending", "10", manifest, env=env_of(fake))
    assert done.status == 0, done.err
    assert (len(asked(fake)) == len(set(asked(fake))) == 40
            and {row.state for row in read_rows(done.out)} == {"restored"})
    assert all(row.restore.startswith("ready until ") for row in read_rows(done.out))


# --- what it costs


def test_estimate(fake, run, tmp_path):
    """By class, with hours and price, from the manifest alone; another table of prices gives other
    sums.
    """
    text = ("bucket,key,size,storage_class,restore,state\n" + "".join(
        f"b,k{n},{1 << 30},{storage_class},{restore},listed\n" for n, (storage_class, restore)
        in enumerate([("GLACIER", "")] * 100 + [("DEEP_ARCHIVE", "")] * 10 + [("STANDARD", "")] * 5
                     + [("GLACIER_IR", "")] * 5 + [("INTELLIGENT_TIERING", "")] * 3
                     + [("GLACIER", "ongoing")] * 2
                     + [("GLACIER", "ready until 2099-01-01T00:00:00Z")])))
    done = run("s3-restore", "--estimate", "--days", "30", input=text, env=env_of(fake))
    assert (done.status, done.err) == (0, "") and not fake.log
    lines = re.sub(" +", " ", done.out).splitlines()
    assert lines[0] == "DEEP_ARCHIVE 10 10G Standard 9 h to 12 h 0.20 USD"
    # 100 GB at 0.01, 100 requests at 0.05 a thousand
    assert lines[1] == "GLACIER 100 100G Standard 3 h to 5 h 1.00 USD"
    assert lines[2:5] == [
        "3: INTELLIGENT_TIERING: those in an archive tier come back free of charge, unless "
        "Expedited", "2: asked for already", "1: readable already"]
    assert lines[5] == "copies of 110G for 30 days: 2.53 USD"
    assert lines[6] == "in all: 110 objects, 3.74 USD, without transfer"
    assert "up to 24 h in all" in lines[7] and "check them" in lines[8]
    table = json.loads((BIN.parent / "s3kit" / "restore" / "prices.json").read_text())
    table["retrieval"]["GLACIER"]["Standard"]["gb"] = 1
    (tmp_path / "mine.json").write_text(json.dumps(table))
    done = run("s3-restore", "--estimate", "--prices", "mine.json", input=text, env=env_of(fake))
    assert "100.0" in done.out.splitlines()[1]
    (tmp_path / "mine.json").write_text('{"date": "today"}')
    done = run("s3-restore", "--estimate", "--prices", "mine.json", input=text, env=env_of(fake))
    assert done.status == 3 and "cannot use the prices in 'mine.json'" in done.err
    # What fails before the first row leaves nothing beside the manifest that it would have written.
    done = run("s3-restore", "--yes", "--prices", "mine.json", "-o", "out.csv", input=text,
               env=env_of(fake))
    assert done.status == 3 and not list(tmp_path.glob(".*.new"))


@pytest.mark.parametrize("answer, number", [(b"y\n", 4), (b"\n", 0), (b"n\n", 0)])
def test_a_person_is_asked(fake, run, tmp_path, answer, number):
    """On a terminal the estimate comes first; only yes spends money."""
    fill(fake, 8)
    manifest = listed(fake, run, tmp_path)
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, str(BIN / "s3-restore"), "-i", str(manifest)],
                  clean_env(env_of(fake)))
    seen = b""
    while b"[y/N]" not in seen:
        seen += os.read(terminal, 4096)
    assert not asked(fake) and b"USD" in seen
    os.write(terminal, answer)
    seen += b"".join(pieces(terminal))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    assert status == (0 if number else 1), seen
    assert len(asked(fake)) == number and len(by_key(manifest)) == 8


def test_an_answer_that_was_typed_before_the_question(fake, run, tmp_path):
    """It is thrown away: who typed it has not seen what it would cost."""
    fill(fake, 4, [("GLACIER", None)])
    text = listed(fake, run, tmp_path).read_text()
    os.mkfifo(tmp_path / "late.csv")
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, str(BIN / "s3-restore"), "late.csv", "-o",
                                   "out.csv"], clean_env(env_of(fake)))
    seen = b""
    with open(tmp_path / "late.csv", "w") as late:      # s3-restore reads it: the terminal is open
        os.write(terminal, b"y\n")
        while b"y" not in seen:
            seen += os.read(terminal, 4096)             # the terminal has it
        late.write(text)
    while b"[y/N] " not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, b"n\n")
    seen += b"".join(pieces(terminal))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    assert status == 1 and b"4 rows not asked for" in seen and not asked(fake), seen
    assert {row.state for row in by_key(tmp_path / "out.csv").values()} == {"listed"}


@pytest.mark.parametrize("words", [[], ["--wait"], ["-i"]])
def test_nobody_to_ask(fake, run, tmp_path, words):
    """In a pipeline without a terminal nothing is spent unless --yes says so; looks and sums are
    free.
    """
    fill(fake, 4, [("GLACIER", None)])
    manifest = listed(fake, run, tmp_path)
    before = manifest.read_text()
    done = run("s3-restore", *words, manifest, env=env_of(fake))
    assert (done.status, done.out) == (2, "") and not asked(fake) and manifest.read_text() == before
    assert "--yes" in done.err and "--estimate" in done.err
    for free in (["-n"], ["--estimate"]):
        assert run("s3-restore", *free, manifest, env=env_of(fake)).status == 0 and not asked(fake)


def on_terminal(line, env, folder, answer):
    """Run a line of sh whose terminal is ours, and answer its first question; return (status, what
    was seen before, all).
    """
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execve("/bin/sh", ["sh", "-c", line], env)
    seen, before = b"", None
    while True:
        try:
            block = os.read(terminal, 4096)
        except OSError:
            break
        if not block:
            break
        seen += block
        if before is None and b"[y/N]" in seen:
            before = seen
            os.write(terminal, answer)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return status, before, seen


@pytest.mark.parametrize("answer, number", [(b"y\n", 4), (b"n\n", 0)])
def test_a_person_is_asked_in_a_pipeline(fake, run, tmp_path, answer, number):
    """Also where stdout and stderr are not the terminal, the sums and the question come there."""
    fill(fake, 8)
    listed(fake, run, tmp_path)
    line = f"cat b.csv | {sys.executable} {BIN / 's3-restore'} 2> errors | cat > out.csv"
    _, before, seen = on_terminal(line, clean_env(env_of(fake)), tmp_path, answer)
    assert before is not None and b"USD" in before, seen
    assert len(asked(fake)) == number and len(by_key(tmp_path / "out.csv")) == 8
    assert "USD" not in (tmp_path / "errors").read_text()


def test_wrong_usage(run):
    """Nothing is done."""
    for words in (["--wait", "-n"], ["--estimate", "-o", "x"], ["--tier", "Fast"], ["--poll", "5"],
                  ["--poll", "0s"], ["--max-pending", "0"], ["--fallback", "Expedited"],
                  ["--days", "0"]):
        done = run("s3-restore", *words, input="key\n")
        assert done.status == 2 and done.err.startswith("s3-restore: "), words


# --- the page


def test_the_examples_of_the_page(fake, run, pipe, tmp_path):
    """Each is run, and does what it is there for, on a manifest of objects that are in an archive
    (again).
    """
    fake.bucket("photos")
    for n in range(4):
        fake.put("photos", f"{n}.jpg", b"photo %d" % n,
                 storage_class="GLACIER" if n else "STANDARD")
    estimate, pipeline, now_and_then = examples("s3-restore")

    def cold():
        """Let all copies expire, and list the bucket."""
        fake.clock.advance(30 * DAY)
        fake.log.clear()
        run("s3-manifest", "s3://photos", "-o", "photos.csv", env=env_of(fake))
    cold()
    done = pipe(estimate, env=env_of(fake))
    assert (done.status == [0] and "3 objects" in done.out and "Bulk" in done.out
            and not asked(fake)), done.err
    cold()
    with flying(fake):
        done = pipe(pipeline.replace("/data", f"{tmp_path}/data")
                    .replace("--wait", "--wait --poll 0.1s"), env=env_of(fake))
    assert done.status == [0, 0, 0] and len(asked(fake, 202)) == 3, done.err
    assert {row.state for row in by_key(tmp_path / "photos.csv").values()} == {"fetched"}
    assert sorted(os.listdir(tmp_path / "data" / "photos")) == [f"{n}.jpg" for n in range(4)]
    cold()
    done = pipe(now_and_then, env=env_of(fake))
    assert done.status == [0] and len(asked(fake, 202)) == 3, done.err
    fake.clock.advance(2 * DAY)
    assert pipe(now_and_then, env=env_of(fake)).status == [0] and len(asked(fake)) == 3
    assert (sorted(row.state for row in by_key(tmp_path / "photos.csv").values())
            == ["listed"] + 3 * ["restored"])


# --- together


def test_the_whole_pipeline(tmp_path, pipe):
    """1,000 archived versions of all classes, through everything: all fetched as they thaw, never
    more pending than the cap.
    """
    with FakeS3() as fake:
        kinds = [kind for kind in CLASSES if kind[0] in ("GLACIER", "DEEP_ARCHIVE") or kind[1]]
        fake.bucket("b", versioning="Enabled")
        for n in range(1000):
            storage_class, tier = kinds[n % len(kinds)]
            fake.put("b", f"{n % 13}/k{n // 2:04}", b"body %d" % n, storage_class=storage_class,
                     tier=tier)
        bodies = {(version.key, version.id): version.body for version in fake.versions("b")}
        most = []
        fake.hook = (lambda request: request.method == "POST" and "restore" in request.query
                     and most.append(len(ongoing(fake)) + 1))
        with flying(fake, HOUR, 0.1):
            done = pipe(
                "s3-manifest --versions s3://b | s3-restore --yes --wait --poll 0.1s --max-pending "
                "200 | s3-fetch -d d | s3-verify -d d | s3-prune --yes -d d > pruned.csv",
                env=env_of(fake), timeout=200)
        assert done.status == [0] * 5, done.err
        found = read_rows(tmp_path / "pruned.csv")
        assert (len(found) == 1000 and {row.state for row in found} == {"pruned"}
                and not fake.versions("b"))
        assert all((tmp_path / "d" / row.path).read_bytes() == bodies[row.key, row.version_id]
                   for row in found)
        assert max(most) <= 200 and len(asked(fake, 202)) == len(asked(fake)) == 1000
        posts = [request.n for request in fake.requests("POST") if "restore" in request.query]
        gets = [request.n for request in fake.requests("GET", status=200) if request.key]
        assert (min(gets)
                < max(posts)), "what was back was fetched while the rest was not even asked for"


@pytest.mark.system("minutes")
def test_on_ministack(ministack, run, tmp_path):
    """A server by others, with rules of its own: no versions, no RestoreStatus, two seconds for
    all.
    """
    client = ministack.client()
    client.create_bucket(Bucket="thaw")
    for n in range(12):
        storage_class = CLASSES[n % 4][0]
        client.put_object(Bucket="thaw", Key=f"k{n:02}", Body=b"body", StorageClass=storage_class)
    run("s3-manifest", "s3://thaw", "-o", "m.csv", env=ministack.env)
    done = run("s3-restore", "--yes", "--wait", "--poll", "0.3s", "--max-pending", "4", "m.csv",
               env=ministack.env)
    assert done.status == 0, done.err
    found = by_key(done.out)
    assert ({key for key, row in found.items() if row.state == "restored"}
            == {"k01", "k02", "k05", "k06", "k09", "k10"})
    fetched = run("s3-fetch", "-d", "d", input=done.out, env=ministack.env)
    assert (fetched.status == 0
            and {row.state for row in read_rows(fetched.out)} == {"fetched"}), fetched.err


def test_a_bare_404_is_not_gone(fake, run, tmp_path):
    """To HEAD it is S3's usual answer, and has no words: a GET says whether the version is gone.

    The page of a proxy says nothing.
    """
    fake.bucket("b")
    for key in ("gone", "hidden"):
        fake.put("b", key, b"body", storage_class="INTELLIGENT_TIERING")
    manifest = listed(fake, run, tmp_path)
    fake.delete("b", "gone")
    fake.fault("page", key="hidden", method=None, times=None)
    done = run("s3-restore", "--yes", manifest, env=env_of(fake))
    assert ({key: row.state for key, row in by_key(done.out).items()}
            == {"gone": "vanished", "hidden": "failed"}), done.err


def test_rows_that_are_stored_elsewhere(fake, run, tmp_path):
    """Their own objects are brought back, not the copies; where those are the rows keep."""
    fake.bucket("far")
    fill(fake, 2, [("GLACIER", None), ("STANDARD", None)])
    text = listed(fake, run, tmp_path).read_text()
    text = text.replace(",error\n", ",error,stored_at\n").replace(",listed,,,,\n",
                                                                  ",stored,,,,,s3://far/k\n")
    assert text.count("s3://far/k") == 2
    done = run("s3-restore", "--yes", input=text, env=env_of(fake))
    assert done.status == 0, done.err
    assert {row.key: (row.state, row.extra["stored_at"]) for row in read_rows(done.out)} == {
        "k00000": ("restoring", "s3://far/k"), "k00001": ("stored", "s3://far/k")}
    assert [key for key, _ in asked(fake)] == ["k00000"]
