"""The oracle of relays: two S3s with keys of their own, volumes, and what must hold of all three
whatever was done to s3-relay.

A case makes a RelayWorld, lets something go wrong (`begin`, `once`), calls `look` on what is there
when no relay runs, then `resume` to the end, which calls `settle`. What the far S3 has is looked at
in its own store, what it was asked in its own log, the ledger by SQLite alone.
"""

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import conftest
from fakes3 import Credential, FakeS3
from fakes3.operations import step_of

from faults.oracle import TRUE_TIME, Ran, files_below
from faults.put_oracle import Answers
from faults.test_kill import children

from s3kit.disk.paths import path_of

NEAR, FAR, PREFIX = "near", "far", "p/"
ROUNDED = 4096          # what a row's room is rounded up to, with as much once more for names
ON_VOLUME = "volume != '' AND state != 'stored'"
WRITES = ("PutObject", "CompleteMultipartUpload")
MANY = 1000             # rows, which take longer than the halves to begin


def bodies_of(seed, small=30, middle=4, large=1):
    """Return {key: body} of objects that go in one request, and of others that go in parts."""
    chance = random.Random(seed)
    bodies = {f"dir{n % 3}/small{n}": chance.randbytes(chance.randrange(1, 9000))
              for n in range(small)}
    bodies |= {f"middle{n}": chance.randbytes(200_000 + chance.randrange(600_000))
               for n in range(middle)}
    bodies |= {f"large{n}": chance.randbytes((8 << 20) + 1 + chance.randrange(1 << 20))
               for n in range(large)}
    return bodies | {"empty": b"", "name with \u00e9 and %41": b"odd"}


def charge(size):
    """Return the room that a row of so many bytes must have."""
    return -(-size // ROUNDED) * ROUNDED + ROUNDED


class RelayWorld:
    """Two FakeS3s, `near` with `bodies` and `far`, and `volumes` (paths; a number: so many
    directories below `folder`). `options` are those of all runs.
    """

    def __init__(self, folder, bodies=None, volumes=2, options=(), versioning="Enabled"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.volumes = [self.folder / f"vol{n}" for n in range(volumes)] if isinstance(
            volumes, int) else [Path(volume) for volume in volumes]
        self.near, self.far = self.server(NEAR), self.server(FAR)
        self.near.bucket(NEAR, versioning=versioning)
        self.far.bucket(FAR, versioning="Enabled")
        self.answers, self.early, self.is_away = Answers(self.far), [], False
        self.far.hook = self.watch
        self.work, self.bodies, self.said = self.folder / "work", {}, ""
        self.add(bodies_of(1) if bodies is None else bodies)
        self.env, self.process = self.credentials(), None
        self.options = ["-j", 1, *options]

    def server(self, name):
        """Return a FakeS3 that knows nobody but its own user."""
        fake = FakeS3()
        fake.access_key, fake.secret_key = f"KEYOF{name.upper()}", f"secret/of/{name}"
        fake.credentials = {fake.access_key: Credential(fake.secret_key)}
        return fake.start()

    def credentials(self):
        """Write a profile for each S3; return the environment that leads to them."""
        path = self.folder / "credentials"
        path.write_text("".join(
            f"[{name}]\naws_access_key_id = {fake.access_key}\n"
            f"aws_secret_access_key = {fake.secret_key}\nregion = us-east-1\n"
            for name, fake in ((NEAR, self.near), (FAR, self.far))))
        return {"AWS_SHARED_CREDENTIALS_FILE": path, "AWS_REGION": "us-east-1"}

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process and self.process.poll() is None:
            kill_all(self.process.pid)
            self.process.communicate()
        self.near.stop()
        self.far.stop()
        errors = self.near.errors + self.far.errors
        if errors and kind is None:
            raise AssertionError("inside a fake S3:\n" + "\n".join(errors))

    def add(self, bodies):
        """Put objects into the source."""
        for key, body in bodies.items():
            self.near.put(NEAR, key, body)
        self.bodies |= bodies

    def watch(self, request):
        """Note what is sent to the far S3 and does not lie on a volume any more, unless one
        `is_away`: who has a file open there goes on reading.
        """
        is_write = step_of(request) in WRITES and not self.is_away
        if is_write and not self.places(request.key.removeprefix(PREFIX)):
            self.early.append(request.key)

    def places(self, key):
        """Return where files of a key lie."""
        name = path_of(NEAR, key)
        return [path for path in (volume / name for volume in self.volumes)
                if os.path.lexists(path)]

    # --- doing things

    def words(self, *options):
        """Return the words of s3-relay from the one to the other."""
        return ["s3-relay", "-w", self.work, *(f"--volume={volume}" for volume in self.volumes),
                "--source-profile", NEAR, "--source-endpoint-url", self.near.url,
                "--target-profile", FAR, "--target-endpoint-url", self.far.url,
                *self.options, *options, f"s3://{NEAR}/", f"s3://{FAR}/{PREFIX}"]

    def begin(self, *options, wrap=(), env=None):
        """Start s3-relay in a process group of its own; `end` takes the process."""
        words = self.words(*options)
        self.process = subprocess.Popen(
            [*map(str, wrap), sys.executable, str(conftest.BIN / words[0]), *map(str, words[1:])],
            env=conftest.clean_env(self.env | (env or {})), cwd=self.folder, text=True,
            errors="backslashreplace", start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return self.process

    def end(self, process, timeout=TRUE_TIME):
        """Wait for a started s3-relay; return Ran."""
        began = time.monotonic()
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            kill_all(process.pid)
            err = process.communicate()[1]
            raise AssertionError(f"it did not end within {timeout} s: {err[-1500:]}; "
                                 f"{self.census()}") from None
        self.said += err
        assert "Traceback" not in err, err
        return Ran(process.returncode, out, err, time.monotonic() - began)

    def once(self, *options, timeout=TRUE_TIME, **more):
        """Run s3-relay until all that one listing shows is delivered; return Ran."""
        return self.end(self.begin("--once", *options, **more), timeout)

    def stop(self, process):
        """End an s3-relay as a service manager does; return Ran."""
        os.kill(process.pid, signal.SIGTERM)
        ran = self.end(process, 10)
        assert ran.seconds < 3, f"it took {ran.seconds:.1f} s to stop"
        return ran

    # --- what must hold

    def rows(self, where="1"):
        """Return rows of the ledger as dictionaries."""
        path = self.work / "relay.sqlite3"
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as base:
            base.row_factory = sqlite3.Row
            if not base.execute("SELECT 1 FROM sqlite_master WHERE name = 'delivery'").fetchone():
                return []
            return list(map(dict, base.execute(f"SELECT * FROM delivery WHERE {where}")))

    def census(self):
        """Return {(state, volume, error): rows} of the ledger."""
        return dict(Counter((row["state"], Path(row["volume"]).name, row["error"])
                            for row in self.rows()))

    def reserved(self):
        """Return {volume: bytes that the ledger has given to rows there}."""
        found = dict.fromkeys(map(str, self.volumes), 0)
        for row in self.rows(ON_VOLUME):
            found[row["volume"]] = found.get(row["volume"], 0) + charge(row["size"])
        return found

    def has(self, key):
        """Return whether the far S3 has the bytes of a key."""
        there = self.far.get(FAR, PREFIX + key)
        return there is not None and not there.marker and there.body == self.bodies[key]

    def look(self):
        """Check what must hold whenever no relay runs."""
        self.sides_are_safe()
        for row in self.rows():
            if row["state"] == "stored":
                self.is_stored(row)
            elif row["state"] == "fetched":
                self.is_fetched(row)
        for volume in self.volumes:
            if os.path.lexists(volume):
                self.files_are_true(volume)

    def sides_are_safe(self):
        """Check what both S3s were asked, and that nothing came twice or wrong."""
        changed = [request for request in self.near.requests()
                   if request.method not in ("GET", "HEAD")]
        assert not changed, f"the source was changed: {changed[0]}"
        deletes = [request for request in self.far.requests("DELETE")
                   if "uploadId" not in request.query]
        assert not deletes, f"an object was deleted: {deletes[0]}"
        assert not self.early, f"sent when no volume had it any more: {self.early}"
        versions = self.far.versions(FAR)
        twice = [key for key, n in Counter(each.key for each in versions).items() if n > 1]
        assert not twice, f"delivered twice: {twice}"
        for each in versions:
            key = each.key.removeprefix(PREFIX)
            assert self.bodies.get(key) == each.body, f"wrong bytes of {each.key!r}"
        for key, before, condition, step in list(self.answers.writes):
            assert before is None and condition, f"{step} of {key!r} replaces what may be there"

    def is_stored(self, row):
        """Check a row of the ledger that says `stored`."""
        assert self.has(row["key"]), f"{row['key']!r} is not stored"
        url = urlsplit(row["stored_at"])
        assert (url.netloc, unquote(url.path[1:])) == (FAR, PREFIX + row["key"]), row["stored_at"]
        assert row["proof"] and row["far_proof"] and row["digest"], f"no proofs: {row}"

    def is_fetched(self, row):
        """Check a row that says `fetched`: its file is there, or it went as its copy was there."""
        place = Path(row["volume"], row["path"])
        if place.exists():
            assert place.read_bytes() == self.bodies[row["key"]], f"wrong bytes in {place}"
        else:
            assert self.has(row["key"]), f"{row['key']!r} was removed before it was delivered"

    def files_are_true(self, volume):
        """Check that no name on a volume has other bytes than some object."""
        truth = {hashlib.sha256(body).digest() for body in self.bodies.values()}
        for path, body in files_below(volume).items():
            assert hashlib.sha256(body).digest() in truth, f"wrong bytes in {volume}/{path}"

    def resume(self, *options, timeout=TRUE_TIME):
        """Run once more without any fault; everything must then be settled. Return Ran."""
        self.near.faults.clear()
        self.far.faults.clear()
        ran = self.once(*options, timeout=timeout)
        assert ran.status == 0, f"the resume ended with {ran.status}: {ran.err}; {self.census()}"
        self.settle()
        return ran

    def settle(self, but=()):
        """Check the end: all is delivered once but some keys, and nothing is left on volumes."""
        self.look()
        missing = [key for key in self.bodies if key not in but and not self.has(key)]
        assert not missing, f"lost: {missing[:5]}"
        states = Counter(row["state"] for row in self.rows() if row["key"] not in but)
        assert set(states) <= {"stored"}, f"all is delivered, but: {self.census()}"
        for volume in self.volumes:
            left = files_below(volume)
            assert not left, f"left in {volume}: {sorted(left)[:5]}"
        left = [upload.key for upload in self.far.uploads(FAR) if upload.parts]
        assert not left or "upload" in self.said, f"uploads are left that nobody knows: {left}"

    def asked_again(self, before):
        """Return the requests since the first `before` that asked the source for bytes."""
        return [request for request in self.near.log[before:]
                if request.method == "GET" and request.key]


# --- what is seen while it runs


class Samples:
    """What is seen every few milliseconds of `volumes` and of the ledger in `work`, while a relay
    runs: the least `free` of each volume and the most `reserved`; `moments` are (rows that came to
    volumes, rows that were delivered), looked at for a tenth of the time.
    """

    def __init__(self, volumes, work):
        self.path, self.base, self.count, self.moments = Path(work) / "relay.sqlite3", None, 0, []
        self.free = {str(volume): 1 << 62 for volume in volumes}
        self.reserved = dict.fromkeys(self.free, 0)
        self.is_over, self.due = threading.Event(), 0.0
        self.thread = threading.Thread(target=self.sample)

    def __enter__(self):
        self.began = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()
        print(self.figures())

    def sample(self):
        """Look again and again."""
        while not self.is_over.wait(0.02):
            try:
                self.look_at_room()
                self.look()
                self.count += 1
            except (OSError, sqlite3.OperationalError):     # it is being made, or is away
                self.close()
        self.close()

    def look_at_room(self):
        """See how much is free."""
        for volume in self.free:
            told = os.statvfs(volume)
            self.free[volume] = min(self.free[volume], told.f_bavail * told.f_frsize)

    def look(self):
        """Look at the ledger once."""
        if self.base is None:
            self.base = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=5)
        for volume, size in self.base.execute(
                f"SELECT volume, sum((size + {ROUNDED - 1}) / {ROUNDED} * {ROUNDED} + {ROUNDED}) "
                f"FROM delivery WHERE {ON_VOLUME} GROUP BY volume"):
            self.reserved[volume] = max(self.reserved.get(volume, 0), size)
        began = time.monotonic()
        if began >= self.due:
            self.moments.append(self.base.execute(
                "SELECT total(fetched_at != ''), total(state = 'stored') FROM delivery"
            ).fetchone())
            self.due = time.monotonic() + 9 * (time.monotonic() - began)

    def close(self):
        """Close the ledger."""
        if self.base:
            self.base.close()
            self.base = None

    @property
    def together(self):
        """How many moments have seen both halves do something since the moment before."""
        return sum(later[0] > before[0] and later[1] > before[1]
                   for before, later in zip(self.moments, self.moments[1:]))

    def check(self, least=0, budget=1 << 62):
        """Check that so much stayed free of each volume, that no more than the budget was reserved,
        and, of many rows, that both halves were at work at once.
        """
        assert min(self.free.values()) >= least, f"less is free than should be: {self.free}"
        assert max(self.reserved.values()) <= budget, f"over the budget: {self.reserved}"
        assert self.moments[-1][0] < MANY or self.together, (
            f"one half after the other: {self.moments[::len(self.moments) // 9]}")

    def figures(self):
        """Return what was seen, for people."""
        sizes = ", ".join(f"{Path(volume).name} {self.free[volume] >> 10:,}K free at least, "
                          f"{self.reserved[volume] >> 10:,}K reserved at most"
                          for volume in self.free)
        return (f"{time.monotonic() - self.began:.1f} s, {self.count:,} samples: {sizes}; both "
                f"halves at work in {self.together:,} of {len(self.moments):,} moments")


# --- processes


def tree(pid):
    """Return [(process id, what it is)] of an s3-relay and all below it: "relay", a command's name
    without `s3-`, its name and " worker", or "probe".
    """
    found = [(pid, "relay")]
    for child in children(pid):
        name = name_of(child)
        if name:
            found.append((child, name))
            found += [(worker, f"{name} worker") for worker in children(child)]
    return found


def name_of(pid):
    """Return what a child of s3-relay is, '' if that is not known yet."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    modules = [word.decode() for word in words if word.startswith(b"s3kit.")]
    return {"s3kit.relay.side": "probe"}.get(modules[0], modules[0].rpartition(".")[2]
                                             ) if modules else ""


def kill_all(pid):
    """Kill an s3-relay and all below it."""
    for each, _ in reversed(tree(pid)):
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            pass
