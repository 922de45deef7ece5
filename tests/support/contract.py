"""Every command as people run it, with all it needs, for the tests of what every command promises
(test_contract.py).
"""

import errno
import fcntl
import hashlib
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
import tty
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes3 import CHARACTERS, FakeS3

from s3kit.disk.ledger import Entry, Ledger
from s3kit.disk.paths import path_of
from s3kit.errors import Cut
from s3kit.manifest.streams import Input
from s3kit.migrate.phases import FETCH as FETCHED
from s3kit.migrate.phases import SCAN
from s3kit.proof.digest import digest_of
from s3kit.units import from_epoch

# s3-restore with --wait does another thing than without: it is two commands here.
LIST, MANIFEST, FILTER, FETCH, VERIFY, PUT, RESTORE, WAIT, PRUNE, MIGRATE = COMMANDS = (
    "s3-list", "s3-manifest", "s3-filter", "s3-fetch", "s3-verify", "s3-put", "s3-restore",
    "s3-restore --wait", "s3-prune", "s3-migrate")
# s3-list reads no manifest, nor does s3-migrate
READERS = (MANIFEST, FILTER, FETCH, VERIFY, PUT, RESTORE, WAIT, PRUNE)
# s3-filter asks nothing of S3: what is promised of servers does not reach it
ASKERS = tuple(command for command in COMMANDS if command != FILTER)
PASSERS = (MANIFEST, FILTER)                # leave rows that came as they are
RESTORES = (RESTORE, WAIT)
POOLED = (FETCH, VERIFY, PUT)               # have workers
STATES = {MANIFEST: "listed", FILTER: "listed", FETCH: "fetched", VERIFY: "verified",
          PUT: "stored", RESTORE: "restoring", WAIT: "restored",
          PRUNE: "pruned"}                  # of a row that each has done
LIMIT = 30                                  # seconds that anything may take
BUCKET, FAR = "b", "far"                    # s3-put sends to the other one
BODIES = {"a.txt": b"alpha", "dir/b.bin": bytes(range(256)) * 8, "dir/\u00fc c.txt": b"gamma" * 3}
FROZEN = ("a.txt", "dir/b.bin")  # in GLACIER where s3-restore is tested; the third is in STANDARD
HEAD = "bucket,key,size,etag,state,proof"
PROOF = "crc64nvme"
# What is promised where a server cannot do what the everyday call needs: how the command ends, the
# state of each row, and the reason on stderr. Nothing is deleted, there or here.
INSTEAD = {
    ("old-list-1", MIGRATE): (3, None, "does not list the versions"),
    # files of another tool: no run of ours has seen the same bytes come twice
    ("minio-gateway", VERIFY): (5, "unverifiable", "which may be wrong itself"),
    ("gcs", VERIFY): (5, "unverifiable", "nothing is known that the bytes could be compared with"),
    ("exoscale", VERIFY): (1, "mismatch", "the bytes do not match S3's etag-md5"),
    ("exoscale", MIGRATE): (1, "unverifiable", "which may be wrong itself"),
    # no checksums, and ETags that are no MD5s
    **{(server, PUT): (5, "unverifiable", "S3 says nothing that the bytes it has stored could be")
       for server in ("minio-gateway", "exoscale", "gcs")},
    # what has no version id is deleted on the condition that it has not changed, or not at all
    ("gcs-deletes", PRUNE): (1, "failed", "nobody knows whether the server heeds If-Match"),
    ("ceph-deletes", PRUNE): (1, "failed", "the server does not heed If-Match"),
    ("snowball", PRUNE): (1, "failed", "the server does not heed If-Match"),
    ("snowball", MIGRATE): (3, None, "does not list the versions"),
}
# What is promised of archives, policies and versions is not tried on a server that has none: these
# commands, and these tests of all commands.
NOT_TRIED = {"snowball": {RESTORE, WAIT, "s3-policy", "test_manifest_by_hand"}}
# Which commands a server's difference reaches. Of a listing s3-put asks for one key.
REACHES = {"listings": (LIST, MANIFEST, WAIT, MIGRATE, "s3-doctor"),
           "objects": (FETCH, VERIFY, PUT, RESTORE, WAIT, PRUNE, MIGRATE),
           "deletions": (PRUNE, "s3-doctor"), "policies": ("s3-policy",), "uploads": (PUT,)}
# What every call has, beside what its test is about. Nobody is there to be asked.
OPTIONS = {FETCH: ["-j1"], VERIFY: ["-j1"], MIGRATE: ["-j1"],
           PUT: ["-j1", "--to", f"s3://{FAR}"], RESTORE: ["--yes"],
           WAIT: ["--yes", "--poll", "0.1s"], PRUNE: ["--yes"]}


def over(table, commands=COMMANDS):
    """Return (case, command) for every command that a table's case speaks of; a str says why it
    cannot apply.
    """
    return [pytest.param(case, command, id=f"{command}-{case}") for case, by in table.items()
            for command in commands
            if not isinstance(by.get(command) if isinstance(by, dict) else None, str)]


def is_of_minutes(test):
    """Tell whether `make test-system` runs a test against its character, not only `make test-long`:
    those with the mark `servers`, which may name cases, of commands that the character's difference
    reaches. Of cases s3-migrate, which runs the others, has none.
    """
    mark, of = test.get_closest_marker("servers"), test.callspec.params
    if mark is None or mark.args and (of["command"] == MIGRATE or of["case"] not in mark.args):
        return False
    return any(of["command"] in REACHES[kind] for kind in CHARACTERS[of["character"]].differs)


def is_of_no_server(test):
    """Tell whether a test runs a command against a server's character that never asks S3, or that
    uploads nothing where the character differs in nothing else; or what is NOT_TRIED there.
    """
    of = test.callspec.params
    if not of.get("character"):
        return False
    if NOT_TRIED.get(of["character"], set()) & {of.get("command"), test.originalname}:
        return True
    uploads = CHARACTERS[of["character"]].differs == ("uploads",)
    return of.get("command") == FILTER or (
        uploads and of.get("command") not in REACHES["uploads"])


STARTED = []            # of the test that runs


class Running:
    """A command on its way. `terminal` names the descriptors that are a pseudo-terminal ("02":
    stdin and stderr).

    `input`: None is /dev/null, bytes come through a pipe, "hold" is a pipe on which nothing comes.
    Other descriptors are pipes; `stdout` may be a file. `wait` returns what became of it.
    """

    def __init__(self, argv, env, input=None, terminal="", cwd=None, stdout=None, umask=-1):
        self.input = input if isinstance(input, bytes) else None
        self.master = self.slave = None
        if terminal:
            self.master, self.slave = pty.openpty()
            tty.setraw(self.slave)
            fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.open = list(os.pipe()) if input == "hold" else []
        fds = [subprocess.PIPE if self.input is not None else self.open[0] if self.open
               else subprocess.DEVNULL, stdout or subprocess.PIPE, subprocess.PIPE]
        for fd in terminal:
            fds[int(fd)] = self.slave
        self.process = subprocess.Popen(list(argv), stdin=fds[0], stdout=fds[1], stderr=fds[2],
                                        env=env, cwd=cwd, start_new_session=True, umask=umask)
        self.pid = self.process.pid
        self.shown = bytearray()
        if terminal:
            os.close(self.slave)
            self.reader = threading.Thread(target=self.watch_terminal, daemon=True)
            self.reader.start()
        STARTED.append(self)

    def watch_terminal(self):
        """Keep what is written to the terminal."""
        try:
            while data := os.read(self.master, 65536):
                self.shown += data
        except OSError as error:
            assert error.errno in (errno.EIO, errno.EBADF)

    def wait(self, seconds=LIMIT):
        """Return status (negative: the signal), out (bytes), err, screen (text).

        Fails after `seconds`.
        """
        try:
            out, err = self.process.communicate(self.input, timeout=seconds)
        except subprocess.TimeoutExpired:
            trace = self.stacks()
            self.kill()
            pytest.fail(f"{self.process.args} did not end within {seconds} s\n{trace}")
        if self.master is not None:
            self.reader.join(LIMIT)
        return SimpleNamespace(status=self.process.returncode, out=out or b"",
                               err=(err or b"").decode(),
                               screen=self.shown.decode(errors="surrogateescape"))

    def send(self, number):
        """Send a signal to the command alone."""
        os.kill(self.pid, number)

    def family(self):
        """Return the pids of the session's processes, the command's own first if it lives."""
        return sorted(family(self.pid), key=lambda pid: (pid != self.pid, pid))

    def workers(self):
        """Return the pids of the pool's workers."""
        return self.family()[1:]

    def catches(self, number):
        """Return whether the command has a handler for a signal."""
        return "Cgt" in treats(self.pid, number)

    def stacks(self):
        """Return what the processes wait for, for the report of a failure."""
        lines = []
        for pid in self.family():
            try:
                lines.append(f"{pid} {Path('/proc', str(pid), 'wchan').read_text()}")
            except OSError:
                pass
        return "\n".join(lines)

    def kill(self):
        """End the session, whatever it does."""
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def end(self):
        """Close what is open; return the processes that were left behind."""
        until(lambda: not self.family() or self.process.poll() is None, 3, fails=False)
        left = self.family()
        self.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                try:
                    pipe.close()
                except OSError:
                    pass
        if self.master is not None:
            self.reader.join(LIMIT)
            self.open.append(self.master)
        for fd in self.open:
            os.close(fd)
        return left


def family(session):
    """Return the pids of a session's living processes."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(name))
    return found


def treats(pid, number):
    """Return how a process treats a signal: a set of Blk, Ign, Cgt."""
    try:
        text = Path("/proc", str(pid), "status").read_text()
    except OSError:
        return set()
    masks = re.findall(r"Sig(Blk|Ign|Cgt):\s*(\w+)", text)
    return {kind for kind, mask in masks if int(mask, 16) >> (number - 1) & 1}


def until(true, seconds=LIMIT, fails=True):
    """Wait until `true()`; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            assert not fails, "it did not happen in time"
            return
        time.sleep(0.002)


NOBODY = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}


def environment(shims, home, s3):
    """Return the whole environment of a command: nothing of the tests' own, no metadata service."""
    return {"PATH": f"{shims}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": os.environ["XDG_RUNTIME_DIR"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DEFAULT_REGION": s3.home if s3 else "us-east-1",
            "AWS_ENDPOINT_URL_S3": s3.url if s3 else "",
            "AWS_ACCESS_KEY_ID": (s3 or FakeS3).access_key,
            "AWS_SECRET_ACCESS_KEY": FakeS3.secret_key}


def marked(*lines, head=HEAD):
    """Return a marked CSV manifest of these lines."""
    return "\n".join(("#s3kit manifest 1", head, *lines, f"#end rows={len(lines)}", "")).encode()


def xml(*elements):
    """Return an XML manifest of these attributes."""
    body = "".join(f"  <object {each}/>\n" for each in elements)
    return (f'<manifest xmlns="urn:s3kit:manifest:1">\n{body}  <end '
            f'rows="{len(elements)}"/>\n</manifest>\n'.encode())


def quoted(text):
    """Return a CSV cell."""
    return '"' + text.replace('"', '""') + '"'


class World:
    """A fake S3 with a bucket, a place for files, and each command's everyday call.

    The files are there as if another tool had left them, so that s3-verify has what to read and
    must ask S3 about rows that do not say enough. For s3-prune the ledger knows them, for
    s3-restore two of three are in an archive; s3-put sends them to a bucket that is empty.

    `status`, `state`, `why`: how the everyday call ends on this server, the state of its rows, and
    what it says; `instead`: what is promised there where it cannot do its work, see INSTEAD.
    """

    def __init__(self, folder, shims, s3=None, command=None):
        self.folder, self.s3 = folder, s3
        self.instead = s3 and INSTEAD.get((s3.character.name, command))
        self.status, self.state, self.why = self.instead or (0, STATES.get(command), "")
        self.home, self.dest, self.there = folder / "home", folder / "dest", folder / "there"
        self.home.mkdir(parents=True)
        self.env = environment(shims, self.home, s3)
        for key, body in BODIES.items():
            if s3:
                s3.put(BUCKET, key, body, storage_class="GLACIER"
                       if command in RESTORES and key in FROZEN else "STANDARD")
            if command == PRUNE:
                self.prove(key, body)
            else:
                self.lay(key, body)
        if command == PUT and s3:
            s3.bucket(FAR)
        if command == WAIT and s3:
            s3.restore_seconds = dict.fromkeys(s3.restore_seconds, 0.05)

    def ended(self, done):
        """Assert that the everyday call ended as is promised on this server, and that it took
        nothing away where it could not do its work; return whether it did.
        """
        assert done.status == self.status and self.why in done.err + done.screen, done.err
        if self.instead:
            assert {version.key for version in self.s3.versions(BUCKET)} >= set(BODIES)
            assert all((self.there / BUCKET / key).read_bytes() == body
                       for key, body in BODIES.items())
        return not self.instead

    def lay(self, key, body, bucket=BUCKET):
        """Put a file where s3-verify looks for it; return its path."""
        path = self.there / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path

    def prove(self, key, body, version="", bucket=BUCKET):
        """Leave a file and its entry in the ledger as s3-fetch and s3-verify do."""
        name = path_of(bucket, key)
        status = self.lay(name.partition("/")[2], body, bucket).stat()
        ledger = self.ledger()
        ledger.record([Entry(bucket, key, version, self.etag_of(body), len(body), "", "", "", "",
                             "", name, status.st_mtime_ns, status.st_ino, digest_of(body), PROOF,
                             "verified", changed_at=from_epoch(time.time()))])
        ledger.close()

    def ledger(self):
        """Return the ledger of the place where s3-verify and s3-prune look."""
        folder = self.there / ".s3kit"
        folder.mkdir(mode=0o700, exist_ok=True)
        return Ledger(str(folder))

    def file(self, name, content):
        """Write a file; return its name as text."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def by_hand(self, *lines, head="bucket,key"):
        """Write a person's manifest; return its name."""
        return self.file(f"by hand {len(lines)}.csv", "\n".join((head, *lines, "")))

    def named(self, command, *keys, bucket=BUCKET):
        """Write a person's manifest of these keys (as CSV has them), with no more than the command
        needs; return its name.
        """
        if command != PRUNE:
            return self.by_hand(*(f"{bucket},{key}" for key in keys))
        return self.by_hand(*(f"{bucket},{key},{quoted(self.etag(key))},verified,{PROOF}"
                              for key in keys),
                            head="bucket,key,etag,state,proof")

    def etag(self, key):
        """Return the ETag that a row of a key should have."""
        version = self.s3 and self.s3.get(BUCKET, key)
        return version.etag if version else self.etag_of(BODIES.get(key, b""))

    def etag_of(self, body):
        """Return the ETag that an object has on this server which was put in one piece."""
        etag = hashlib.md5(body).hexdigest()
        return self.s3.character.etag(etag) if self.s3 else etag

    def row(self, command, key):
        """Return a CSV line of HEAD, true to what S3 has, in the state in which the command takes
        it up.
        """
        version = self.s3.get(BUCKET, key)
        verdict = f"verified,{PROOF}" if command == PRUNE else "listed,"
        return f"{BUCKET},{quoted(key)},{version.size},{quoted(version.etag)},{verdict}"

    def manifest(self, command, *more):
        """Return the marked manifest that a command takes up: of BODIES, and of more keys."""
        return marked(*(self.row(command, key) for key in (*BODIES, *more)))

    def words(self, command, *files, place=None):
        """Return the words of a command that reads these manifests."""
        dest = place or {FETCH: self.dest, MIGRATE: self.dest, VERIFY: self.there,
                         PUT: self.there, PRUNE: self.there}.get(command)
        return [*command.split(), *OPTIONS.get(command, ()), *(["-d", str(dest)] if dest else []),
                *map(str, files)]

    def usual(self, command):
        """Return the words of a call that does all that the command is for, S3 included."""
        if command == LIST:
            return [LIST, "-R", f"s3://{BUCKET}/"]
        if command == MIGRATE:
            return self.words(MIGRATE, "--no-delete", BUCKET)
        return self.words(command, f"s3://{BUCKET}/" if command == MANIFEST
                          else self.named(command, *BODIES))

    def telling(self, command, rows=2):
        """Return the words of a call that writes on stdout; s3-migrate does of a bucket of which so
        many rows have failed.
        """
        if command != MIGRATE:
            return self.usual(command)
        folder = self.there / ".s3kit" / "migration" / BUCKET
        folder.mkdir(parents=True, exist_ok=True)
        for phase in (SCAN, FETCHED):
            (folder / phase.file).write_bytes(marked(*(f"{BUCKET},many/{number},1,,failed,"
                                                       for number in range(rows))))
        return [MIGRATE, "errors", "-d", str(self.there)]

    def start(self, words, **options):
        """Start a command; `env` adds to the environment, a value of None takes away."""
        env = {name: value for name,
               value in (self.env | options.pop("env", {})).items() if value is not None}
        return Running(words, env, **{"cwd": self.home} | options)

    def run(self, words, seconds=LIMIT, **options):
        """Run a command to its end."""
        return self.start(words, **options).wait(seconds)

    def side_by_side(self, *calls):
        """Run calls (dicts of `words` and options) two at a time, each s3-fetch, s3-migrate and
        s3-put to a place of its own.
        """
        for number, call in enumerate(calls):
            if self.s3 and FAR in self.s3.buckets:
                self.s3.bucket(f"{FAR}{number}")
            call["words"] = [f"{word}{number}" if word in (str(self.dest), f"s3://{FAR}") else word
                             for word in call["words"]]
        with ThreadPoolExecutor(2) as two:
            return list(two.map(lambda call: self.run(**call), calls))

    def shell(self, script, **options):
        """Run a line of bash."""
        return self.run(["bash", "-c", script], **options)

    def whole(self):
        """Assert that every file under a final name is an object's every byte; return their names.
        """
        found = set()
        for folder, names, files in os.walk(self.dest):
            if Path(folder) == self.dest and ".s3kit" in names:
                names.remove(".s3kit")
            for name in files:
                path = Path(folder, name)
                key = str(path.relative_to(self.dest / BUCKET))
                assert path.read_bytes() == self.s3.get(BUCKET, key).body, f"{key} is not whole"
                found.add(key)
        return found


def read(data, tmp_path):
    """Return (rows, what was wrong) of an output; what was wrong is None where it is whole."""
    path, found, cut = tmp_path / "read", [], None
    path.write_bytes(data)
    with open(path, "rb") as file:
        source = Input(file.fileno(), "stdout")
        try:
            for batch in source.batches():
                found += batch
        except Cut as fault:
            cut = fault
        assert (source.reader and source.reader.marked
                and not source.warnings), "not a manifest of ours"
    return found, cut


def parsed(data, tmp_path):
    """Return the rows of a manifest that must be whole; nothing may be in it that is no row."""
    found, cut = read(data, tmp_path)
    assert not cut and all(row.verbatim is None for row in found), cut
    return found


def some_rows(data, tmp_path):
    """Return the rows of an output that was cut, which must not carry an end mark."""
    assert b"#end" not in data and b"<end" not in data and b"</manifest" not in data
    found, cut = read(data, tmp_path) if data else ([], True)
    assert cut, "the output does not tell that it was cut"
    return found


def lines_of(command, err):
    """Return the lines on stderr, each of which must start with the program's name."""
    # on a terminal, its stages
    names = tuple(f"{name}: " for name in (COMMANDS if command == MIGRATE else command.split()[:1]))
    for line in err.splitlines():
        assert line.startswith(names), f"not a line of ours: {line!r}"
    return err.splitlines()


def one_fault(command, done, status, *words):
    """Assert that a command ended with `status` and one line on stderr that has these words."""
    assert (done.status, len(lines_of(command, done.err))) == (status, 1), (done.status, done.err)
    assert all(word in done.err for word in words), done.err
