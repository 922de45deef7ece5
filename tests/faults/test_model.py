"""A small model of (S3, disk), and any sequence of commands, crashes, wire faults and changes from
outside held against it.

The commands run inside this process (see inprocess), so that a step costs milliseconds.
S3KIT_MODEL_STEPS is how many steps the long run makes (2,000,000 take some hours).
"""

import csv
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from fakes3 import FakeS3
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from faults import inprocess
from faults.inprocess import BOX, LARGE
from faults.oracle import PRESENT, rows_of
from s3kit.disk.paths import key_of
from s3kit.disk.tree import part_name
from s3kit.manifest.row import COLUMNS, encode

KEYS = ("a", "a/b", "A", "dir/x", "dir/y", "dir/", "new\nline", "%41", "big", "dir/big")
WIRE = ("flip", "other", "empty", "short", "reset", "status", "error200", "html", "wrong-etag",
        "refuse", "swap")
WHICH = st.integers(0, 9)
STEPS = 50                  # of one example
LONG = int(os.environ.get("S3KIT_MODEL_STEPS", "100000"))
COUNT = {"steps": 0, "crashes": 0, "faults": 0}


class Model(RuleBasedStateMachine):
    """S3 as the fake has it, with every version that ever was; the disk as it is, and what people
    put there.
    """

    def __init__(self):
        super().__init__()
        self.top = Path(tempfile.mkdtemp(prefix="s3kit-model-",
                                         dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        self.dest, self.outside = self.top / "dest", self.top / "outside"
        self.outside.write_text("must stay")
        self.fake = BOX.fake = FakeS3(sign=False)
        self.ever = {}              # (key, version id, etag) -> body, of all that ever was
        self.lists = []             # manifests: lists of rows as dictionaries
        self.people = {}  # path -> bytes that people put there; None for a link or directory
        self.explicit = {}          # path that a manifest named -> key

    def teardown(self):
        shutil.rmtree(self.top)
        assert not self.fake.errors, self.fake.errors

    # --- S3

    @initialize(versioning=st.sampled_from(["Enabled", "Suspended", None]),
                salt=st.integers(0, 1 << 16))
    def begin(self, versioning, salt):
        """Make a bucket."""
        self.fake.bucket("b", versioning=versioning)
        BOX.chance.seed(salt)
        for number, key in enumerate(KEYS[:5]):
            self.put(key, (5, 3000, 2 * LARGE)[number % 3], "CRC64NVME", 0)
        self.list(False)

    @rule(key=st.sampled_from(KEYS),
          size=st.sampled_from([0, 1, 700, 700, 3000, LARGE + 700, 3 * LARGE]),
          checksum=st.sampled_from(["CRC64NVME", "SHA256", None]), parts=st.integers(0, 3))
    def put(self, key, size, checksum, parts):
        """Put an object, or overwrite it."""
        COUNT["steps"] += 1
        body = BOX.chance.randbytes(0 if key == "dir/" and size < 700
                                    else size + (size > 1) * BOX.chance.randrange(2))
        # parts of all sizes are S3's own secret: nobody can check them
        cut = -(-len(body) // max(parts, 1))
        sizes = ([cut] * (parts - 1) + [len(body) - cut * (parts - 1)] if parts and len(body) > 5000
                 else None)
        self.fake.put("b", key, body, checksum=checksum, parts=sizes)
        self.remember()

    @rule(key=st.sampled_from(KEYS),
          kind=st.sampled_from(["mark", "purge", "archive", "thaw", "again"]))
    def change(self, key, kind):
        """Delete, delete for good, move to an archive or out of it, store the same again."""
        COUNT["steps"] += 1
        old = self.fake.get("b", key)
        if kind == "mark":
            self.fake.delete("b", key)
        elif kind == "again" and old and not old.marker:
            self.fake.put("b", key, old.body)
        elif kind == "purge" and old:
            self.fake.delete("b", key, old.id if self.fake.buckets["b"].versioning else None)
        elif kind in ("archive", "thaw") and old:
            old.storage_class = "GLACIER" if kind == "archive" else "STANDARD"
        self.remember()

    def remember(self):
        """Keep what there is now."""
        self.ever |= {(v.key, v.id, v.etag): v.body
                      for v in self.fake.versions("b") if not v.marker}

    # --- manifests

    @rule(versions=st.booleans())
    def list(self, versions):
        """Make a manifest of now."""
        COUNT["steps"] += 1
        status, out, said = BOX.run("s3-manifest", "-q", *["--versions"] * versions, "s3://b")
        rows = rows_of(out.decode())
        wanted = [v for v in (self.fake.versions("b") if versions else self.fake.objects("b"))]
        assert (status == 0 and [(r["key"], r["etag"]) for r in rows]
                == [(v.key, "" if v.marker else v.etag) for v in wanted]), said
        self.lists = [*self.lists[-4:], rows]

    @rule(which=WHICH, at=st.integers(0, 99), how=st.sampled_from(
        ["etag", "size", "version_id", "last_modified", "path", "state", "drop", "twice", "reverse",
         "move"]))
    def edit(self, which, at, how):
        """A person edits a manifest: empties a cell, drops or doubles a row, names another path."""
        COUNT["steps"] += 1
        rows = [dict(row) for row in self.lists[which % len(self.lists)]]
        if not rows:
            return
        row = rows[at % len(rows)]
        if how == "drop":
            rows.remove(row)
        elif how == "twice":
            rows.append(dict(row))
        elif how == "reverse":
            rows.reverse()
        elif how == "move" and row["is_delete_marker"] != "true":
            row["path"] = f"moved/{at}"
            self.explicit.setdefault(row["path"], set()).add(row["key"])
        elif how in row:
            row[how] = ""
        self.lists = [*self.lists[-4:], rows]

    def manifest(self, which):
        """Write one of the manifests, marked; return (path, its rows)."""
        rows = self.lists[which % len(self.lists)]
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["#s3kit manifest 1"])
        writer.writerow(COLUMNS)
        writer.writerows([encode(row[c]) if c in ("key", "path") else row[c] for c in COLUMNS]
                         for row in rows)
        path = self.top / "list.csv"
        path.write_text(text.getvalue() + f"#end rows={len(rows)}\n")
        return path, rows

    # --- people at the disk

    @rule(at=st.integers(0, 99), how=st.sampled_from(["touch", "remove", "flip", "grow", "empty",
                                                      "replace", "link", "directory"]))
    def meddle(self, at, how):
        """Somebody touches, removes, replaces or spoils a file."""
        COUNT["steps"] += 1
        files = sorted(path for path in self.files() if not self.dest.joinpath(path).is_symlink())
        if not files:
            return
        name = files[at % len(files)]
        file = self.dest / name
        body = file.read_bytes()
        if how == "touch":
            os.utime(file, (at, at))
            return
        file.unlink()
        if how == "flip" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        elif how in ("grow", "empty"):
            body = body + b"more" if how == "grow" else b""
        if how == "link":
            file.symlink_to(self.outside)
        elif how == "directory":
            file.mkdir()
        elif how != "remove":
            file.write_bytes(body)
        self.people[name] = None if how in ("link", "directory", "remove") else body

    @rule(how=st.sampled_from(["ledger", "parts", "all", "links", "links"]))
    def clear(self, how):
        """The ledger, the parts, or all that is ours is lost; or somebody removes the links again.
        """
        COUNT["steps"] += 1
        ours = self.dest / ".s3kit"
        if how == "links":
            for path in [*self.dest.rglob("*")]:
                if path.is_symlink():
                    path.unlink()
            return
        for path in ([*ours.glob("ledger*")] if how == "ledger"
                     else [ours / "parts" if how == "parts" else ours]):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    # --- commands

    @rule(which=WHICH)
    def fetch(self, which):
        """Fetch a list, old or new."""
        self.run_fetch(which)

    @rule(which=WHICH, faults=st.lists(st.tuples(st.sampled_from(WIRE), st.sampled_from(KEYS),
                                                 st.booleans()), min_size=1, max_size=3),
          flush_fails=st.sampled_from([0, 0, 0, 1]))
    def fetch_with_faults(self, which, faults, flush_fails):
        """Fetch over a wire that spoils answers, once or for ever, to a disk that fails to flush.
        """
        self.run_fetch(which, faults, flush_fails)

    @rule(which=WHICH, fuse=st.integers(1, 200), power=st.booleans(), kind=st.sampled_from(WIRE))
    def fetch_and_crash(self, which, fuse, power, kind):
        """Fetch, until the process dies or the power goes."""
        self.run_fetch(which, [(kind, None, False)], fuse=fuse, power=power)

    @rule(which=WHICH, discard=st.booleans(), quick=st.booleans())
    def verify(self, which, discard, quick):
        """Verify a list."""
        self.run_verify(which, discard, quick)

    @rule(which=WHICH, discard=st.booleans(), fuse=st.integers(1, 40), power=st.booleans())
    def verify_and_crash(self, which, discard, fuse, power):
        """Verify, until the process dies or the power goes."""
        self.run_verify(which, discard, False, fuse, power)

    @rule(versions=st.booleans(), discard=st.booleans())
    def all_in_order(self, versions, discard):
        """List, fetch and verify what there is now."""
        self.list(versions)
        self.run_fetch(-1)
        self.run_verify(-1, discard, False)

    def run_fetch(self, which, faults=(), flush_fails=0, fuse=None, power=False):
        """Run s3-fetch, and hold it against the model."""
        COUNT["steps"] += 1
        path, rows = self.manifest(which)
        before = self.files() | self.complete_parts()
        self.fake.faults, BOX.flush_fails = [], flush_fails
        # A 503 for ever is waited for, for a quarter of an hour.
        rules = [self.fake.fault(kind, key=key, times=None if for_ever else 1, **(
            {"status": 500 if for_ever else 503} if kind == "status" else {})) for kind, key,
                 for_ever in faults]
        status, out, said = BOX.run("s3-fetch", "-q", "-j", 2, "-d", self.dest, path, fuse=fuse)
        BOX.flush_fails, self.fake.faults, self.fake.log = 0, [], []
        COUNT["faults"] += sum(fault.hits for fault in rules)
        self.remember()             # `swap` overwrites
        left = self.believe(out, "fetched")
        if status is None or (flush_fails and status == 3):
            assert status is None or b"#end rows=" not in out, "a failed flush did not end the run"
            self.crashed(power, left)
            return
        assert status in (0, 1), f"{status}: {said}"
        assert (len(left) == len(rows)
                and b"#end rows=" in out), f"{len(left)} rows of {len(rows)} left"
        spoilt = {key for kind, key, for_ever in faults if for_ever or kind == "swap"}
        names = {(row["key"], row["version_id"], row["etag"], row["path"]) for row in rows}
        for row, came in zip(sorted(rows, key=order), sorted(left, key=order)):
            crowded = sum(name[0] == row["key"] or bool(row["path"]) and name[3] == row["path"]
                          for name in names) > 1
            wanted = self.after_fetch(row, before, bool(spoilt & {row["key"], None}), crowded,
                                      flush_fails)
            assert (came["state"]
                    in wanted), f"{came['key']!r} is {came['state']}, not {wanted}: {came['error']}"
            assert (came["state"] not in ("failed", "conflict", "vanished") or came["error"]
                    or row["error"]), "nobody says why"
        right = all(row["state"] in (*PRESENT, "unverifiable") or row["is_delete_marker"] == "true"
                    for row in left)
        assert status == (0 if right
                          else 1), f"status {status}, but {[row['state'] for row in left]}"
        self.no_parts(left)
        self.lists = [*self.lists[-4:], left]

    def after_fetch(self, row, before, is_spoilt, crowded, flush_fails):
        """Return the states that a row may have after s3-fetch."""
        if row["is_delete_marker"] == "true" or row["state"] in (
                "vanished", "verified", "unverifiable"):
            return {row["state"]}
        now = self.fake.get("b", row["key"], row["version_id"] or None)
        is_there = (now is not None and not now.marker and row["etag"] in ("", now.etag)
                    and row["size"] in ("", str(now.size)))
        wanted = {"fetched"} if is_there else {"vanished", "failed"}
        if is_there and now.state(self.fake.clock.now()) == "archived":
            wanted = {"listed" if row["state"] == "fetched" else row["state"], "failed"}
        if not is_there or "fetched" not in wanted:     # it may be on the disk all the same
            if any(body == held for (key, _, _),
                   held in self.ever.items() if key == row["key"] for body in before.values()):
                wanted |= {"fetched"}
        if row["key"].endswith("/"):
            wanted |= {"fetched"} if not is_there else set()
        if is_spoilt or flush_fails:
            wanted |= {"failed", "fetched", "vanished"}
        if crowded or self.is_in_the_way():
            wanted |= {"conflict"}
        return wanted

    def is_in_the_way(self):
        """Return whether people put a link on the disk, or a directory where a file beside a
        directory would go.
        """
        return any(path.is_symlink() or path.name.endswith("%f") and path.is_dir()
                   for path in self.dest.rglob("*"))

    def run_verify(self, which, discard, quick, fuse=None, power=False):
        """Run s3-verify, and hold it against the model."""
        COUNT["steps"] += 1
        self.dest.mkdir(exist_ok=True)
        path, rows = self.manifest(which)
        before = self.files()
        words = ["--discard"] * discard + ["--quick"] * quick
        status, out, said = BOX.run("s3-verify", "-q", "-j", 2, "-d", self.dest, *words, path,
                                    fuse=fuse)
        self.fake.log = []
        left = self.believe(out, "verified")
        if not discard:
            assert self.files() == before, "s3-verify changed a file"
        if status is None:
            self.crashed(power, left)
            return
        assert status in (0, 1, 5), f"{status}: {said}"
        assert len(left) == len(rows), f"{len(left)} rows of {len(rows)} left"
        for row, came in zip(sorted(rows, key=order), sorted(left, key=order)):
            # Where no ledger tells whose file it is, the first of two rows that claim it may have
            # had it removed.
            if not (discard and came["state"] == "missing"
                    and sum(row["path"] == other["path"] for other in rows) > 1):
                self.check_verified(row, came, before, discard, quick)
        self.lists = [*self.lists[-4:], left]

    def check_verified(self, row, came, before, discard, quick):
        """Hold one row's verdict against what was on the disk."""
        body = before.get(row["path"]) if row["path"] else None
        bodies = [held for (key, version, etag), held in self.ever.items() if key == row["key"]
                  and row["version_id"] in ("", version) and row["etag"] in ("", etag)]
        acts = row["is_delete_marker"] != "true" and row["state"] in (
            "", "listed", "fetched", "verified", "missing", "mismatch", "unverifiable")
        if not acts:
            assert came["state"] == row["state"], f"{came['state']} was {row['state']}"
        elif body is not None and body in bodies and row["etag"] and not quick:
            assert (came["state"]
                    == "verified"), f"the bytes are right, but {came['state']}: {came['error']}"
            assert row["path"] in self.files() or sum(r == row["path"] for r
                                                      in before) == 0, "a right file was removed"
        elif row["path"] and body is None and not os.path.lexists(self.dest / row["path"]):
            assert came["state"] in ("missing", row["state"]), came["state"]
        elif body is not None and body not in bodies:
            assert came["state"] not in PRESENT, f"{came['state']}, but the bytes are wrong"

    # --- what must hold

    def files(self):
        """Return {path: bytes} of the destination, links left out.

        Raises OSError for what cannot be listed.
        """
        found = {}
        for folder, folders, names in os.walk(self.dest,
                                              onerror=loud) if self.dest.exists() else ():
            if folder == str(self.dest) and ".s3kit" in folders:
                folders.remove(".s3kit")
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    with open(path, "rb") as file:
                        found[os.path.relpath(path, self.dest)] = file.read()
        return found

    def believe(self, out, state):
        """Check that each whole row that left with the state that the command gives tells the
        truth; return them.
        """
        rows, files = rows_of(out.decode()), self.files()
        unsynced = {path for path, _ in BOX.unsynced}
        for row in rows:
            if row["state"] != state or row["is_delete_marker"] == "true":
                continue            # as it came
            bodies = [body for (key, version, etag), body in self.ever.items() if key == row["key"]
                      and row["version_id"] in ("", version) and row["etag"] in ("", etag)]
            if row["key"].endswith("/") and (self.dest / row["path"]).is_dir():
                assert b"" in bodies, "a directory stands for bytes"
                continue
            assert row["path"] in files, (
                f"{row['state']}, but there is no file {row['path']!r}: {BOX.ran}, {rows}, "
                f"{sorted(files)}")
            assert (str(self.dest / row["path"])
                    not in unsynced), f"a row left before its file was on the disk: {row['path']!r}"
            really = [name for name, body in self.ever.items() if body == files[row["path"]]]
            assert any(files[row["path"]] == body
                       for body in bodies), f"{state}, but the bytes are those of {really}: {row}"
            self.people.pop(row["path"], None)
        return rows

    def crashed(self, power, left):
        """What left before a crash is true after it, a power cut included."""
        COUNT["crashes"] += 1
        if power:
            BOX.lose()
            files = self.files()
            for row in left:
                if row["state"] == "fetched" and not row["key"].endswith("/"):
                    assert row["path"] in files, (
                        f"a row left before its file was on the disk: {row['path']!r}")

    def complete_parts(self):
        """Return {name: bytes} of the parts that a run which died had completed, and not named."""
        folder = self.dest / ".s3kit" / "parts"
        return {path.name: path.read_bytes() for path in (folder.iterdir() if folder.is_dir()
                                                          else ())
                if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o100}

    def no_parts(self, left):
        """Check that no part of a row that is done is left."""
        parts = os.listdir(self.dest / ".s3kit" / "parts")
        for row in left:
            if row["state"] == "fetched":
                assert part_name("b", row["key"], row["version_id"],
                                 row["etag"]) not in parts, f"a part is left: {parts}, {row}"

    @invariant()
    def nothing_wrong(self):
        """No wrong bytes under a final name, nothing changed outside."""
        assert self.outside.read_text() == "must stay", "something outside was changed"
        assert sorted(os.listdir(self.top)) in (["dest", "list.csv", "outside"],
                                                ["list.csv", "outside"], ["outside"]), os.listdir(
                                                    self.top)
        for path, body in self.files().items():
            if self.people.get(path) == body:
                continue
            # A file that a manifest sends to where people made a directory lies beside it, and so
            # on.
            keys = self.explicit.get(path) or {key_of(re.sub("(%f)+$", "%f", path))[1]}
            assert any(held == body for (key, _, _),
                       held in self.ever.items() if key in keys), f"wrong bytes under {path!r}"


def loud(error):
    """Raise what os.walk would leave out."""
    raise error


def order(row):
    """Return what rows are compared by: they leave in another order than they came."""
    return (row["key"], row["version_id"], row["etag"], row["path"], row["is_delete_marker"],
            row["last_modified"])


@pytest.mark.system("minutes")
def test_nobody_else_loses_a_descriptor(model):
    """What another thread of this process opens while a command runs stays open, and nothing of the
    command's does.
    """
    before, opened = set(os.listdir("/proc/self/fd")), []
    lost = model.fake.respond

    def respond(asked):
        opened.append(open(os.devnull, "rb"))
        return lost(asked)

    model.fake.respond = respond
    model.run_fetch(-1)
    model.run_fetch(-1, fuse=60)
    assert opened and all(os.fstat(file.fileno()) for file in opened)
    for file in opened:
        file.close()
    assert set(os.listdir("/proc/self/fd")) <= before, "a command left a descriptor"


def run_model(cases, monkeypatch, number, steps):
    """Make so many steps, from a seed."""
    inprocess.move_in(monkeypatch)
    COUNT.update(steps=0, crashes=0, faults=0)
    count = cases("model: commands, crashes and changes in any order (steps)")
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)         # our threads hand over more often than they work
    try:
        with count.case(f"seed {number}"):
            while COUNT["steps"] < steps:       # examples may be shorter
                (run_state_machine_as_test(seed(number)(type("Seeded", (Model,), {})),
                                           settings=settings(
                                               max_examples=max(
                                                   1, (steps - COUNT["steps"]) // STEPS),
                                               stateful_step_count=STEPS, database=None,
                                               deadline=None, print_blob=True,
                                               phases=(Phase.generate,),
                                               suppress_health_check=list(HealthCheck))))
                number += 1000
    finally:
        sys.setswitchinterval(interval)
        count.run += COUNT["steps"] - 1
    assert count.broken or COUNT["crashes"] and COUNT["faults"], "nothing went wrong"


@pytest.mark.parametrize("number, steps", [
    (100, 500), pytest.param(0, 2_500, marks=pytest.mark.system("minutes"))])
def test_model(cases, monkeypatch, number, steps):
    run_model(cases, monkeypatch, number, steps)


@pytest.mark.system("minutes")
@pytest.mark.long
@pytest.mark.timeout(86400)
@pytest.mark.parametrize("number", range(10, 20))
def test_model_for_long(cases, monkeypatch, number):
    run_model(cases, monkeypatch, number, LONG // 10)


# --- what the model has found, in short

@pytest.fixture
def model(monkeypatch):
    """A model with the first list, of a versioned bucket."""
    inprocess.move_in(monkeypatch)
    made = Model()
    made.begin(versioning="Enabled", salt=0)
    yield made
    made.teardown()


@pytest.mark.system("minutes")
@pytest.mark.parametrize("key", ["a/b", "a"])
def test_versions_never_share_a_file(cases, model, key):
    """A new version takes the plain path, or the one beside a directory: no older one is kept there
    for its own.
    """
    with cases("two versions, one path").case(key):
        model.run_fetch(-1)
        model.put(key, 700, "CRC64NVME", 0)
        model.list(True)
        model.run_fetch(-1)
        model.run_verify(-1, False, False)


@pytest.mark.system("minutes")
def test_nothing_stays_fetched_without_its_file(cases, model):
    """A row that came as fetched, whose file is gone and whose object is in an archive, does not
    leave as fetched.
    """
    with cases("fetched, removed, archived").case("a"):
        model.run_fetch(-1)
        for name in model.files():
            (model.dest / name).unlink()
        for key in KEYS:
            model.change(key, "archive")
        model.run_fetch(-1)
        assert {row["state"] for row in model.lists[-1]} == {"listed"}


@pytest.mark.system("minutes")
def test_no_part_is_left_of_what_is_there(cases, model):
    """What a broken run left of a large object goes when another list, naming it otherwise, has
    brought its file.
    """
    with cases("a part left, the file found").case("A"):
        model.put("A", 3 * LARGE, "CRC64NVME", 0)
        model.list(False)
        plain = [row | {"version_id": ""} for row in model.lists[-1]]
        model.lists.append(plain)
        model.run_fetch(-1, [("refuse", "A", True)])
        model.list(True)
        model.run_fetch(-1)
        model.lists.append(plain)
        model.run_fetch(-1)
        assert os.listdir(model.dest / ".s3kit" / "parts") == [], "a part is left"


@pytest.mark.system("minutes")
@pytest.mark.parametrize("column", ["size", "etag"])
def test_parts_that_a_row_does_not_tell(cases, model, column):
    """An object of parts is checked by their size, though its row says too little to ask for it
    beforehand.
    """
    with cases("parts of an odd size, spoilt").case(f"no {column}"):
        model.put("a", LARGE // 2, "SHA256", 0)
        body = BOX.chance.randbytes(7000)
        model.fake.put("b", "a", body, checksum="SHA256", parts=[3333, 3333, 334])
        model.remember()
        model.list(False)
        model.lists.append([row | {column: ""} for row in model.lists[-1]])
        model.run_fetch(-1, [("flip", "a", True)])
        assert [row["state"] for row in model.lists[-1] if row["key"] == "a"] == ["failed"]
        model.lists.append([row | {column: ""} for row in model.lists[-2]])
        model.run_fetch(-1)
        assert ([row["proof"] for row in model.lists[-1] if row["key"] == "a"]
                == ["sha256-parts:3333"])
