"""The oracle: a bucket, a destination, a neighbourhood, and what must hold of them whatever was
done to s3kit.

A case makes a World, lets something go wrong (`fetch`, `start`), calls `look` and `believe` on what
is there at that instant, then `resume` to the end, which calls `settle`. Every violation is an
AssertionError that says what is lost.
"""

import copy
import csv
import fcntl
import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

import conftest
from fakes3 import FakeS3

from s3kit.disk.paths import key_of, path_of

BUCKET = "b"
PRESENT = ("fetched", "verified")  # states by which s3kit says: the bytes are here, and on the disk
TRUE_TIME = 120         # seconds within which anything has ended


@dataclass
class Ran:
    """How a command ended; `rows` are those whole lines that left it."""

    status: int
    out: str
    err: str
    seconds: float
    rows: list = field(default_factory=list)


def rows_of(text):
    """Return the rows of a marked CSV manifest as dictionaries, a last line that was cut left out.

    Read without s3kit, so that a fault of its readers does not hide one of its writers.
    """
    lines = text[:text.rfind("\n") + 1].partition("\n")
    if not lines[0].startswith("#s3kit manifest"):
        return []
    rows = [row for row in csv.DictReader(io.StringIO(lines[2], newline=""))
            if not (row["bucket"] or "").startswith("#end rows=")]
    for row in rows:
        row["key"] = (unquote_to_bytes(row["key"].encode("utf-8", "surrogateescape"))
                      .decode("utf-8", "surrogateescape"))
        row["path"] = (unquote_to_bytes((row["path"] or "").encode("utf-8", "surrogateescape"))
                       .decode("utf-8", "surrogateescape"))
    return rows


def mixed(seed=0, small=6, middle=3):
    """Return {key: body} of small objects, which workers keep in memory, and middle ones, which
    they stream.
    """
    chance = random.Random(seed)
    bodies = {f"dir{n % 3}/small{n}": chance.randbytes(chance.randrange(1, 9000))
              for n in range(small)}
    bodies |= {f"dir{n % 2}/deep/er/middle{n}":
               chance.randbytes(300_000 + chance.randrange(900_000)) for n in range(middle)}
    return bodies | {"empty": b""}


class World:
    """A strict fake with one bucket, a destination below `folder`, and beside it what nobody may
    touch.

    `bodies` is {key: bytes}, stored at once; more may be put on `fake` at any time. `env` is for
    commands.
    """

    def __init__(self, folder, bodies=None, versioning="Enabled", dest=None, bucket=BUCKET):
        self.folder, self.bucket = Path(folder), bucket
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dest = Path(dest) if dest else self.folder / "near" / "dest"
        self.dest.parent.mkdir(parents=True, exist_ok=True)
        self.beside = self.neighbour()
        self.fake = FakeS3().start()
        self.fake.bucket(bucket, versioning=versioning)
        for key, body in (mixed() if bodies is None else bodies).items():
            self.fake.put(bucket, key, body)
        self.env = conftest.env_of(self.fake)
        self.list = self.folder / "list.csv"
        self.past = {}
        self.calm = self.outside()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.fake.stop()

    def remove(self):
        """Remove all files, where many Worlds follow each other."""
        shutil.rmtree(self.folder)

    def at(self, dest):
        """Return this World with another destination in its place: a copy of it, as of a disk after
        a power cut.
        """
        other = copy.copy(self)
        other.dest = Path(dest)
        return other

    def elsewhere(self, folder):
        """Return a World of the same bucket and list with a destination and a neighbourhood of its
        own.
        """
        other = copy.copy(self)
        other.folder = Path(folder)
        other.dest = other.folder / "near" / "dest"
        other.dest.mkdir(parents=True)
        other.beside = other.neighbour()
        other.calm = other.outside()
        return other

    def neighbour(self):
        """Make what must stay as it is; return its directory."""
        beside = self.folder / "near" / "sentinel"
        (beside / "dir").mkdir(parents=True)
        for name in ("file", "dir/file"):
            (beside / name).write_text(f"must stay: {name}")
        return beside

    # --- doing things

    def command(self, *argv):
        """Return argv of one of our commands."""
        return [sys.executable, str(conftest.BIN / argv[0]), *map(str, argv[1:])]

    def start(self, *argv, wrap=(), env=None, **options):
        """Start a command, below `wrap` (as strace and its options) if given, in a process group of
        its own.
        """
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE} | options
        return subprocess.Popen([*map(str, wrap), *self.command(*argv)],
                                env=conftest.clean_env(self.env | (env or {})), cwd=self.folder,
                                start_new_session=True, **options)

    def run(self, *argv, wrap=(), env=None, timeout=TRUE_TIME, **options):
        """Run a command to its end and return Ran; what takes longer than `timeout` is a violation.
        """
        began = time.monotonic()
        process = self.start(*argv, wrap=wrap, env=env, **options)
        return self.finish(process, began, timeout)

    def finish(self, process, began, timeout=TRUE_TIME):
        """Wait for a started command; return Ran."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise AssertionError(f"it did not end within {timeout} s") from None
        out, err = (text.decode("utf-8", "surrogateescape") for text in (out or b"", err or b""))
        return Ran(process.returncode, out, err, time.monotonic() - began, rows_of(out))

    def write_list(self, *options):
        """Write the manifest of the bucket as it is now; return its path."""
        done = self.run("s3-manifest", *options, f"s3://{self.bucket}")
        assert done.status == 0, done.err
        self.list.write_text(done.out)
        return self.list

    def fetch(self, *options, wrap=(), env=None, timeout=TRUE_TIME, source=None):
        """Run s3-fetch on the list (written first if it is missing)."""
        if not source and not self.list.exists():
            self.write_list()
        return self.run("s3-fetch", "-j", 2, "-d", self.dest, *options, source or self.list,
                        wrap=wrap, env=env, timeout=timeout)

    def verify(self, *options, wrap=(), env=None, timeout=TRUE_TIME):
        """Run s3-verify on the list."""
        return self.run("s3-verify", "-j", 2, "-d", self.dest, *options, self.list, wrap=wrap,
                        env=env, timeout=timeout)

    # --- what must hold

    def outside(self):
        """Return what is in the neighbourhood of the destination, hashed."""
        found = {}
        for entry in entries_below(self.folder / "near", os.fsencode(self.dest)):
            status = entry.stat(follow_symlinks=False)
            found[os.fsdecode(entry.path)] = (status.st_mode, status.st_size, status.st_mtime_ns,
                                              bytes_of(entry))
        return found

    def files(self):
        """Return {path: bytes} of all files under final names."""
        return files_below(self.dest) if os.path.lexists(self.dest) else {}

    def remember(self):
        """Keep in mind all versions that there are now: a case is about to overwrite or remove
        some.
        """
        self.past |= {(version.key, version.id, version.etag): version
                      for version in self.fake.versions(self.bucket)}

    def versions(self):
        """Return all versions that there are or that `remember` saw."""
        now = {(version.key, version.id, version.etag): version
               for version in self.fake.versions(self.bucket)}
        return list((self.past | now).values())

    def truth(self):
        """Return {path: {sha256, ...}} of all bytes that may ever lie there: those of any version
        of the key.
        """
        found = {}
        for version in self.versions():
            if not version.marker:
                digest = hashlib.sha256(version.body).digest()
                for name in ("", version.id, version.etag):
                    path = (path_of(self.bucket, version.key, name) if name
                            else path_of(self.bucket, version.key))
                    found.setdefault(path, set()).add(digest)
        return found

    def truth_by_names(self):
        """Return what `truth` does for the files that are there, by the way back from their names,
        whatever their marks.
        """
        bodies, found = {}, {}
        for version in self.versions():
            (bodies.setdefault((self.bucket, version.key), set())
             .add(hashlib.sha256(version.body).digest()))
        for path in self.files():
            assert (key_of(path)
                    in bodies), f"the name {path!r} leads to {key_of(path)[1]!r}, which is no key"
            found[path] = bodies[key_of(path)]
        return found

    def look(self, truth=None):
        """Check what must hold at every instant: no wrong bytes under a final name, nothing changed
        outside.
        """
        truth = truth or self.truth()
        for path, body in self.files().items():
            assert path in truth, f"a file of a name that no object has: {path!r}"
            assert hashlib.sha256(body).digest() in truth[
                path], f"wrong bytes under the final name {path!r} ({len(body)} bytes)"
        assert self.outside() == self.calm, "something outside the destination changed"
        self.nothing_deleted()

    def nothing_deleted(self):
        """Check that no request asked S3 to write or delete anything."""
        assert not [r for r in self.fake.requests()
                    if r.method not in ("GET", "HEAD")], "s3-fetch changed the bucket"

    def believe(self, rows):
        """Check that what rows say is true: a row that says `fetched` names a file with its
        version's bytes.
        """
        known = {}
        for version in self.versions():
            known.setdefault(version.key, []).append(version)
        for row in rows:
            if row["state"] in PRESENT:
                self.is_here(row, known.get(row["key"], []))

    def is_here(self, row, versions=None):
        """Check that a row's file is there, of its version."""
        versions = self.versions() if versions is None else versions
        named = [version for version in versions if version.key == row["key"] and not version.marker
                 and row["version_id"] in ("", version.id) and row["etag"] in ("", version.etag)]
        assert named, (
            f"a row says {row['state']} of a version that S3 does not have: {row['key']!r}")
        path = os.fsencode(self.dest) + b"/" + row["path"].encode("utf-8", "surrogateescape")
        if row["path"].endswith("/"):
            assert os.path.isdir(path)
            return
        assert os.path.isfile(path) and not os.path.islink(
            path), f"{row['state']}, but there is no file: {row['path']!r}"
        with open(path, "rb") as file:
            assert file.read() in [version.body for version in named], (
                f"{row['state']}, but the bytes are wrong: {row['path']!r}")

    def tell_truth(self, ran, wanted=None):
        """Check that exit status, rows and files agree.

        `wanted` is how many rows there should be (the list's).
        """
        self.believe(ran.rows)
        assert "Traceback" not in ran.err, ran.err
        if ran.status == 0:
            wanted = len(rows_of(self.list.read_text())) if wanted is None else wanted
            assert len(ran.rows) == wanted, f"status 0, but {len(ran.rows)} rows of {wanted}"
            assert "#end rows=" in ran.out, "status 0 without the end mark"
            wrong = [row for row in ran.rows
                     if row["state"] not in PRESENT and row["is_delete_marker"] != "true"]
            assert not wrong, f"status 0, but a row is {wrong[0]['state']}: {wrong[0]['error']}"

    def resume(self, *options, **more):
        """Run again without any fault; everything must then be settled. Return Ran."""
        ran = self.fetch(*options, **more)
        assert ran.status == 0, f"the resume ended with {ran.status}: {ran.err}"
        self.settle(ran)
        return ran

    def settle(self, ran):
        """Check the end: every row here with the right bytes; no process, part or lock left;
        nothing else touched.
        """
        self.tell_truth(ran)
        self.look()
        self.nothing_left()

    def nothing_left(self):
        """Check that no part, no journal and no lock is left."""
        parts = self.dest / ".s3kit" / "parts"
        assert not parts.exists() or not os.listdir(parts), f"parts left: {os.listdir(parts)}"
        for path in (self.dest / ".s3kit").rglob("*"):
            if path.is_file():
                with open(path, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if somebody holds it


def entries_below(top, but):
    """Yield os.DirEntry of all that is below a directory, without `but` and what is in it.

    No os.walk: it recurses, and keys nest deeper than Python may.
    """
    folders = [os.fsencode(top)]
    while folders:
        for entry in os.scandir(folders.pop()):
            if entry.path != but:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


def bytes_of(entry):
    """Return the bytes of a regular file, nothing for anything else (a FIFO would wait for us for
    ever).
    """
    if not entry.is_file(follow_symlinks=False):
        return b""
    with open(entry.path, "rb") as file:
        return file.read()


def files_below(dest):
    """Return {path: bytes} of a destination's regular files, ours in `.s3kit` left out."""
    root = os.fsencode(dest)
    return {os.fsdecode(entry.path[len(root) + 1:]): bytes_of(entry) for entry
            in entries_below(root, root + b"/.s3kit") if entry.is_file(follow_symlinks=False)}
