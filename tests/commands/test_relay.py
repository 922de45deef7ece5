"""s3-relay: all that the source has arrives at the target, once, whatever happens on its way; who
it is at either side is seen nowhere.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import clean_env
from contract import family, until
from fakes3 import Credential, FakeS3
from odd_keys import ODD_KEYS
from terminals import pieces

BIN = Path(__file__).resolve().parents[2] / "bin"
MIB = 1 << 20
SECRETS = {"source": "source/secret+of/the/tests", "target": "target/secret+of/the/tests"}
PROMISED = 2.5      # seconds to stop after a signal: 2 are promised, the rest is the machine's
LIMIT = 40          # seconds in which a run has done what a test waits for


class Pair:
    """Two servers, `source` with the bucket `a` and `target` with `b`, each with keys of its own,
    which profiles of these names have; commands run in `folder`.
    """

    def __init__(self, folder, source, target):
        self.folder, self.source, self.target = folder, source, target
        self.running = []
        for name, fake in self.sides.items():
            fake.credentials = {f"AKIA{name.upper()}": Credential(SECRETS[name])}
        source.bucket("a")
        target.bucket("b")
        self.write_keys()
        self.env = {"AWS_SHARED_CREDENTIALS_FILE": folder / "keys"}

    @property
    def sides(self):
        """The servers by name."""
        return {"source": self.source, "target": self.target}

    def write_keys(self, **wrong):
        """Write the file of keys; other secrets by profile."""
        (self.folder / "keys").write_text("".join(
            f"[{name}]\naws_access_key_id = AKIA{name.upper()}\n"
            f"aws_secret_access_key = {wrong.get(name, secret)}\n"
            for name, secret in SECRETS.items()))

    def words(self, *more, source="s3://a/in/", target="s3://b/out/", volumes=("v",)):
        """Return the words that relay from one prefix to the other."""
        ends = [word for name, fake in self.sides.items()
                for word in (f"--{name}-endpoint-url", fake.url, f"--{name}-profile", name,
                             f"--{name}-region", "us-east-1")]
        return ["s3-relay", source, target, *ends, "--min-free", "0", "-w", "w", "-j", "1",
                *(word for volume in volumes for word in ("--volume", volume)), *more]

    def start(self, *words):
        """Start s3-relay in a session of its own."""
        process = subprocess.Popen(
            [sys.executable, str(BIN / words[0]), *map(str, words[1:])], cwd=self.folder,
            env=clean_env(self.env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=open(self.folder / "said", "w"), text=True, start_new_session=True)
        self.running.append(process)
        return process

    @property
    def said(self):
        """What the started one has said."""
        return (self.folder / "said").read_text()

    def end(self, process, number=signal.SIGTERM):
        """Send a signal; return the seconds until it and its children were gone."""
        begin = time.monotonic()
        process.send_signal(number)
        assert process.wait(10) == -number, self.said
        until(lambda: not family(process.pid), 2)
        return time.monotonic() - begin

    def fill(self, bodies):
        """Put objects below the source's prefix."""
        for key, body in bodies.items():
            self.source.put("a", f"in/{key}", body)

    def copies(self, prefix="out/"):
        """Return {key without the prefix: bytes} of the target."""
        return {each.key.removeprefix(prefix): each.body for each in self.target.objects("b")}

    def sent(self, key=None):
        """Return the keys whose bytes the target took, once for each time."""
        return sorted(each.key for each in self.target.requests(status=200, key=key) if each.key
                      and (each.method == "PUT" and "partNumber" not in each.query
                           or each.method == "POST" and "uploadId" in each.query))

    def got(self):
        """Return the keys whose bytes the source gave, once for each answer."""
        return sorted(each.key for each in self.source.requests("GET") if each.key)

    def files(self, volume="v"):
        """Return the files of objects on a volume."""
        folder = self.folder / volume
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")
                      if path.is_file() and path.relative_to(folder).parts[0] != ".s3kit")

    def facts(self, run):
        """Return what `status --json` says."""
        done = run("s3-relay", "status", "-w", "w", "--json")
        assert done.status == 0, done.err
        return json.loads(done.out)


@pytest.fixture
def pair(tmp_path):
    """A Pair; what it has started is gone when the test ends."""
    with FakeS3() as source, FakeS3() as target:
        made = Pair(tmp_path, source, target)
        yield made
        left = {}
        for process in made.running:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()
            until(lambda: not family(process.pid), 3, fails=False)
            left |= {pid: process.args for pid in family(process.pid)}
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left, "processes were left behind"


def bodies_of(number, size=1000):
    """Return {key: bytes} of some objects, the first of them without bytes."""
    noise = random.Random(number)
    return {f"d{each % 3}/k{each:03}": noise.randbytes(min(each, 1) * (size + each))
            for each in range(number)}


# --- all is delivered


def test_all_is_delivered_and_once(pair, run):
    """Through two volumes, whatever the keys are, below the target's prefix; a second run asks for
    listings alone.
    """
    bodies = {key: body for key, body in ODD_KEYS if len(key.encode()) < 1000}
    bodies |= bodies_of(20) | {"large": random.Random(1).randbytes(9 * MIB)}
    pair.fill(bodies)
    pair.source.put("a", "elsewhere", b"is not meant")
    before = [(each.key, each.etag) for each in pair.source.objects("a")]
    words = pair.words("--once", volumes=("v", "u"))
    done = run(*words, env=pair.env)
    assert done.status == 0, done.err
    assert done.err.splitlines() == [line for line in done.err.splitlines()
                                     if f" {len(bodies)} rows delivered" in line]
    assert pair.copies() == bodies
    assert [(each.key, each.etag) for each in pair.source.objects("a")] == before
    assert pair.files("v") == pair.files("u") == []
    assert pair.sent() == sorted(f"out/{key}" for key in bodies)
    pair.source.log.clear(), pair.target.log.clear()
    again = run(*words, env=pair.env)
    assert again.status == 0 and "nothing to deliver" in again.err, again.err
    for fake in pair.sides.values():
        assert fake.log and all(each.method == "GET" and not each.key for each in fake.log)
    facts = pair.facts(run)
    assert facts["rows"]["stored"]["rows"] == len(bodies) == facts["last_hour"]["rows"]
    assert [volume["there"]["rows"] + volume["to_come"]["rows"]
            for volume in facts["volumes"]] == [0, 0]
    pair.target.delete("b", "out/\x1b[31mred")
    pair.target.put("b", "out/foreign", b"")
    audit = run(*words, "--audit", env=pair.env)
    assert audit.status == 1 and len(audit.out.splitlines()) == 2 and "\x1b" not in audit.out
    assert "out/foreign: is at the target, and was not delivered" in audit.out
    assert f"{len(bodies) - 1} rows delivered and there, 2 not explained" in audit.err


CONFIG = """
source: {{address: "s3://a/in/", endpoint_url: "{0.source.url}", region: us-east-1,
          access_key: AKIASOURCE, secret_key: "{1[source]}"}}
target: {{address: "s3://b/out/", endpoint_url: "{0.target.url}", region: us-east-1,
          access_key: AKIATARGET, secret_key: "{1[target]}"}}
volumes: [{{path: v, min_free: 0}}]
work: w
"""


def test_keys_of_a_file_are_seen_nowhere(pair, run):
    """Neither in the words of any process, nor in the ledger, nor in what is said."""
    pair.env = {"AWS_ACCESS_KEY_ID": "nobody's", "AWS_SECRET_ACCESS_KEY": "nobody's",
                "AWS_SESSION_TOKEN": "nobody's"}
    (pair.folder / "relay.yaml").write_text(CONFIG.format(pair, SECRETS))
    os.chmod(pair.folder / "relay.yaml", 0o600)
    pair.fill(bodies_of(5))
    pair.target.latency = 0.2
    process, seen = pair.start("s3-relay", "--once", "--config", "relay.yaml", "-v"), set()
    while process.poll() is None:
        for pid in family(process.pid):
            try:
                seen.add(Path(f"/proc/{pid}/cmdline").read_bytes())
            except OSError:
                pass
        time.sleep(0.05)
    assert process.returncode == 0 and pair.copies() == bodies_of(5), pair.said
    assert any(b"s3kit.commands.put" in words for words in seen)
    texts = [*seen, pair.said.encode(), process.stdout.read().encode()]
    texts += [path.read_bytes() for name in ("w", "v") for path in (pair.folder / name).rglob("*")
              if path.is_file()]
    assert len(texts) > 10
    for secret in SECRETS.values():
        assert not [text for text in texts if secret.encode() in text]
    assert "keys in it" in pair.said


# --- what fails


def test_rows_that_fail_stop_no_other(pair, run):
    """One that is larger than its volume, named once; one that is deleted before it is fetched; one
    that the target does not take, of a name that would act on a terminal.
    """
    bodies = bodies_of(6)
    pair.fill(bodies | {"large": b"x" * 300_000, "gone": b"gone", "k\x1b]0;x\x07": b"refused"})
    pair.target.fault("status", method="PUT", key="out/k\x1b]0;x\x07", times=None, status=403,
                      code="AccessDenied", message="no\x1b[31m")

    def deleted(request):
        if request.key == "in/gone":
            pair.source.delete("a", "in/gone")
    pair.source.hook = deleted
    done = run(*pair.words("--once", "--budget", "100K"), env=pair.env)
    assert done.status == 1 and pair.copies() == bodies, done.err
    assert done.err.count("s3://a/in/large: 293K does not fit on any volume") == 1
    assert "6 rows delivered" in done.err and "2 rows failed" in done.err
    status = run("s3-relay", "status", "-w", "w")
    for text in (done.err, status.out):
        assert "AccessDenied" in text and "\x1b" not in text
    assert pair.facts(run)["rows"].keys() == {"stored", "failed", "vanished"}
    assert not [key for key in pair.got() if key == "in/large"]


@pytest.mark.parametrize("words, why", [
    (["--volume"], "expected one argument"),
    (["--volume", "v", "--volume", "./v"], "a volume is named twice"),
    (["--volume", "v", "--once", "--every", "5s"], "exclude each other"),
    ([], "no volume"), (["statsu"], "two addresses"), (["--volume", "v", "s3://c/"], "two addr"),
    (["status"], "--work DIR"), (["status", "s3://a/"], "takes no addresses"),
    (["status", "-w", "v"], "no relay works in 'v'"), (["reset", "-w", "v"], "no relay works"),
    (["import", "--volume", "v"], "which ledger"),
    (["--volume", "v", "s3://a/", "s3://a/x/"], "within one another"),
    (["--volume", "v", "s3://a/", "s3://a/"], "the source is the target"),
    (["--config", "none.yaml", "--order", "small"], "invalid choice")])
def test_wrong_words(run, tmp_path, words, why):
    """Nothing is done, and nothing made."""
    addresses = [] if {"status", "statsu", "reset", "import"} & {*words[:1]} or words[2:] and (
        words[2].endswith("a/")) else ["s3://a/", "s3://b/"]
    done = run("s3-relay", *addresses, *words)
    assert done.status == 2 and why in done.err and not done.out, done.err
    assert len(done.err.splitlines()) <= 3 and os.listdir(tmp_path) == []


def test_a_bucket_that_is_not_there(pair, run):
    """Waiting is of no use."""
    pair.fill(bodies_of(2))
    done = run(*pair.words("--once", target="s3://none/"), env=pair.env)
    assert done.status == 3 and "target: " in done.err and "none" in done.err, done.err


# --- while it runs


def test_while_it_runs_and_after(pair, run):
    """How it stands is seen, nobody else works there, and a signal ends it with all that it
    started. What is on a volume is used by the next run, whose ledger may have been forgotten; what
    has gone from there is fetched again.
    """
    bodies = bodies_of(6)
    pair.fill(bodies)
    pair.target.latency = 60.0
    process = pair.start(*pair.words())
    until(lambda: len(pair.files()) == 6 and (pair.folder / "w/relay.sqlite3").exists())
    until(lambda: pair.facts(run)["rows"] == {"fetched": {"rows": 6, "bytes": 5015}})
    done = run("s3-relay", "status", "-w", "w")
    assert "s3://a/in/ to s3://b/out/" in done.out and "0 to come (0), 6 there" in done.out
    held = [run(*words, env=pair.env) for words in (
        pair.words("--once"), ["s3-relay", "reset", "-w", "w", "--yes"])]
    assert [each.status for each in held] == [4, 4], held
    assert "another s3-relay works in" in held[0].err
    assert pair.end(process) < PROMISED
    assert pair.facts(run)["volumes"][0]["there"]["rows"] == 6

    refused = run("s3-relay", "reset", "-w", "w")
    assert refused.status == 2 and "--yes" in refused.err
    assert asked(pair, "n") == 2 and pair.facts(run)["rows"]
    assert asked(pair, "y") == 0 and len(pair.files()) == 6
    assert run("s3-relay", "status", "-w", "w").status == 2
    pair.target.latency = 0.0
    lost = pair.folder / "v" / pair.files()[0]
    lost.unlink()
    done = run(*pair.words("--once"), env=pair.env)
    assert done.status == 0 and pair.copies() == bodies, done.err
    assert pair.got() == sorted([*(f"in/{key}" for key in bodies),
                                 lost.relative_to(pair.folder / "v/a").as_posix()])
    assert len(pair.sent()) == 6 and pair.files() == []


def staged(pair, run, bodies, volumes=("v",)):
    """Have files of these objects lie on volumes, while nothing can be put."""
    pair.fill(bodies)
    slow, pair.target.latency = pair.target.latency, 60.0
    process = pair.start(*pair.words(volumes=volumes))
    until(lambda: sum(len(pair.files(volume)) for volume in volumes) == len(bodies)
          and pair.facts(run)["rows"].keys() == {"fetched"})
    pair.end(process)
    pair.target.latency = slow


def rot(path, is_cut=False):
    """Change a file as a disk would: its times stay."""
    told, body = path.stat(), path.read_bytes()
    with open(path, "r+b") as file:
        file.write(bytes([body[0] ^ 1]))
        file.truncate(len(body) - is_cut)
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))


def test_what_rots_on_a_volume_and_what_is_lost_with_one(pair, run):
    """Both are fetched again, and nothing else; in the place of a lost volume can be a new one."""
    large = random.Random(2).randbytes(9 * MIB)
    bodies = bodies_of(12) | {"large1": large, "large2": large[1:]}      # one for each volume
    staged(pair, run, bodies, ("v", "u"))
    kept, lost = ([name.removeprefix("a/") for name in pair.files(volume)] for volume in "vu")
    rotten = [name for name in kept if name != "in/d0/k000"][-3:]
    for name in rotten:
        rot(pair.folder / "v/a" / name, name == rotten[0])
    assert "large" in rotten[2] and lost
    os.rename(pair.folder / "u", pair.folder / "dead")
    wrong = [run("s3-relay", *words, "-w", "w") for words in (
        ("reset", "--lost", "x", "--yes"), ("reset", "--lost", "u"), ("status", "--lost", "u"))]
    assert [each.status for each in wrong] == [2, 2, 2]
    assert f"which has '{pair.folder}/u', '{pair.folder}/v'" in wrong[0].err
    assert run("s3-relay", "reset", "--lost", "u", "-w", "w", "--yes").status == 0
    assert [each["path"] for each in pair.facts(run)["volumes"]] == [f"{pair.folder}/v"]
    done = run(*pair.words("--once", volumes=("v", "u")), env=pair.env)
    assert done.status == 0 and pair.copies() == bodies, done.err
    for name in rotten:
        [said] = [line for line in done.err.splitlines() if f"s3://a/{name}: " in line]
        assert "; it is fetched again" in said
    assert "14 rows delivered" in done.err and "3 rotten files fetched again" in done.err
    assert pair.files("v") == pair.files("u") == []
    got = pair.got()
    assert {name for name in got if got.count(name) > 1} >= {*rotten, *lost}
    assert not {name for name in kept if got.count(name) > 1 and name not in rotten}


def asked(pair, answer):
    """Reset on a terminal, with this answer; return the status."""
    import pty
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(pair.folder)
        os.execve(sys.executable, [sys.executable, str(BIN / "s3-relay"), "reset", "-w", "w"],
                  clean_env(pair.env))
    shown = b""
    while not shown.endswith(b"6 files that have not arrived stay on their volumes. [y/N] "):
        shown += os.read(terminal, 4096)
    os.write(terminal, f"{answer}\n".encode())
    shown += b"".join(pieces(terminal))
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_signal_ends_an_audit(pair):
    """Also while it waits for an answer."""
    hang = pair.source.fault("hang", times=None)
    process = pair.start(*pair.words("--audit"))
    until(lambda: hang.hits)
    assert pair.end(process) < PROMISED


def test_what_is_overwritten_is_delivered_again(pair):
    """The newer wins; what was not changed is let alone."""
    pair.fill({"k": b"first", "other": b"other"})
    process = pair.start(*pair.words("--every", "1s"))
    until(lambda: pair.copies() == {"k": b"first", "other": b"other"})
    pair.fill({"k": b"second, which is longer"})
    until(lambda: pair.copies()["k"].startswith(b"second"))
    assert pair.end(process) < PROMISED
    assert pair.sent() == ["out/k", "out/k", "out/other"]


def test_what_is_current_again_is_delivered_again(pair):
    """A, B, A: a later version was delivered, and is deleted."""
    pair.source.bucket("versions", versioning="Enabled")
    pair.source.put("versions", "in/k", b"first")
    process = pair.start(*pair.words("--every", "1s", source="s3://versions/in/"))
    until(lambda: pair.copies() == {"k": b"first"})
    newer = pair.source.put("versions", "in/k", b"second, which is longer")
    until(lambda: pair.copies()["k"].startswith(b"second"))
    pair.source.delete("versions", "in/k", newer)
    until(lambda: pair.copies() == {"k": b"first"})
    assert pair.end(process) < PROMISED and len(pair.sent()) == 3


# --- outages


def test_a_wrong_secret_is_said_once_and_waited_for(pair):
    """Rows come meanwhile; when the file of keys is right, they go."""
    bodies = bodies_of(3)
    pair.fill(bodies)
    pair.write_keys(target="not/the/secret")
    process = pair.start(*pair.words("--once"))
    until(lambda: "target: " in pair.said and len(pair.files()) == 3)
    until(lambda: len(pair.target.requests(status=403)) > 1)
    assert pair.copies() == {}
    pair.write_keys()
    assert process.wait(LIMIT) == 0 and pair.copies() == bodies, pair.said
    lines = [line for line in pair.said.splitlines() if "s3-relay: target: " in line]
    assert len(lines) == 2 and "waiting until" in lines[0] and "again, after" in lines[1], pair.said
    assert len(pair.sent()) == 3
    assert not [secret for secret in (*SECRETS.values(), "not/the/secret") if secret in pair.said]


def test_the_first_volume_is_not_mounted(pair, run):
    """Its ledger is in it: nothing is begun anew in what is in its place."""
    (pair.folder / "v").mkdir()
    (pair.folder / "u/.s3kit").mkdir(parents=True)
    (pair.folder / "u/.s3kit/relay.id").write_text("the relay's\n")
    words = [word for word in pair.words("--once", volumes=("v", "u")) if word not in ("-w", "w")]
    done = run(*words, env=pair.env)
    assert done.status == 3 and "is its file system mounted?" in done.err, done.err
    assert os.listdir(pair.folder / "v") == [] and not pair.source.log


@pytest.mark.system("minutes")
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_side_that_is_away_for_a_while(pair, run, side):
    """Nothing is lost, and nothing is sent twice."""
    bodies = bodies_of(60, 20_000)
    pair.fill(bodies)
    fake = pair.sides[side]
    fake.latency = 0.05
    process = pair.start(*pair.words("--once"))
    key = {"source": "GET", "target": "PUT"}[side]
    until(lambda: len([each for each in fake.requests(key) if each.key]) > 10)
    port = fake.port
    fake.stop()
    until(lambda: f"s3-relay: {side}: " in pair.said)
    fake.latency = 0.0
    fake.start(port)
    assert process.wait(LIMIT) == 0 and pair.copies() == bodies, pair.said
    assert pair.sent() == sorted(f"out/{key}" for key in bodies)
    lines = [line for line in pair.said.splitlines() if f"s3-relay: {side}: " in line]
    assert "waiting until" in lines[0] and "again, after" in lines[-1] and len(lines) == 2, lines
    assert pair.files() == [] and pair.facts(run)["outages"] == []


@pytest.mark.system("minutes")
def test_a_target_without_room(pair, run):
    """It answers questions, so that only a row shows that it is over: people do not hear of each
    try, and no row fails.
    """
    bodies = bodies_of(4)
    pair.fill(bodies)
    full = pair.target.fault("status", method="PUT", times=None, status=507,
                             code="InsufficientStorage")
    process = pair.start(*pair.words("--once"))
    until(lambda: full.hits > 6)
    assert [each["side"] for each in pair.facts(run)["outages"]] == ["target"]
    pair.target.faults.clear()
    assert process.wait(LIMIT) == 0 and pair.copies() == bodies, pair.said
    lines = [line for line in pair.said.splitlines() if "s3-relay: target: " in line]
    assert len(lines) == 2 and "InsufficientStorage" in lines[0] and "again, after" in lines[1]


@pytest.mark.system("minutes")
def test_a_volume_that_is_not_mounted(pair, run):
    """Nothing is written to what is in its place; the other goes on, and so does it when it is
    there again.
    """
    bodies = bodies_of(4)
    pair.fill(bodies)
    assert run(*pair.words("--once", volumes=("v", "u")), env=pair.env).status == 0
    os.rename(pair.folder / "u", pair.folder / "away")
    (pair.folder / "u").mkdir()
    pair.fill({"new": b"new"})
    process = pair.start(*pair.words("--every", "1s", volumes=("v", "u")))
    until(lambda: pair.copies() == bodies | {"new": b"new"} and "is it mounted?" in pair.said)
    assert os.listdir(pair.folder / "u") == []
    os.rmdir(pair.folder / "u")
    os.rename(pair.folder / "away", pair.folder / "u")
    until(lambda: "can be used again" in pair.said)
    assert pair.end(process) < PROMISED and pair.said.count("is it mounted?") == 1
