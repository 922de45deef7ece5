"""What people see, and what stays secret: no byte of a name or a server acts on a terminal, no
credential is written down.

Terminals are real ones (pty). Below 0x20 only line ends may come, and, where a bar is drawn, the
few sequences that draw it.
"""

import os
import pty
import re
import signal
import stat
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest
from fakes3 import Credential
from terminals import pieces

from faults.keys import KEYS_OF_TERMINALS, corpus
from faults.oracle import World, entries_below

LONG = [pytest.mark.long, pytest.mark.timeout(3600)]

# --- terminals

# Control characters but the line end, and what turns text around or hides it.
ACTING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
# How bars are drawn: from the line's beginning (each picture goes there, at its end, too) a line of
# ours, or nothing; the rest of a line and what is below cleared; lines up.
DRAWING = re.compile(r"\r(?=\r|\x1b\[[KJ]|s3-(?:manifest|fetch|verify) +[\d ]|$|\n|\x1b\[\d)"
                     r"|\x1b\[[KJ]|\x1b\[\dA")
EVIL = "Evil\x1b[31m\x07\x9b2J\x9d0;t\x9c\u202etxt\rs3-fetch: done"
MODES = {  # name: (options, whether stderr is a terminal, whether a bar may be drawn)
    "a terminal, -v": (["-v"], True, True), "a file, -v": (["-v"], False, False),
    "a terminal": ([], True, True), "a terminal, -q": (["-q"], True, False),
    "a file": ([], False, False), "a file, -q": (["-q"], False, False)}


def on_terminal(world, *argv, env=None):
    """Run a command whose stdout and stderr are a terminal; return (status, what came out there).
    """
    master, slave = pty.openpty()
    settings = termios.tcgetattr(slave)
    settings[1] &= ~termios.OPOST           # the terminal's own \r\n is not ours
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    termios.tcsetwinsize(slave, (24, 200))
    seen = []
    process = world.start(*argv, env={"TERM": "xterm"} | (env or {}), stdout=slave, stderr=slave)
    os.close(slave)
    reader = threading.Thread(target=lambda: seen.extend(pieces(master)))
    reader.start()
    ran = world.finish(process, time.monotonic())
    reader.join()
    os.close(master)
    return ran.status, b"".join(seen)


def into_file(world, *argv, env=None):
    """Run a command whose stderr goes to a file; return (status, what is in the file)."""
    with open(world.folder / "log", "wb") as log:
        process = world.start(*argv, env=env, stdout=subprocess.DEVNULL, stderr=log)
        ran = world.finish(process, time.monotonic())
    return ran.status, Path(log.name).read_bytes()


def harmless(data, may_draw):
    """Check that nothing in what came out acts on a terminal."""
    text = data.decode()        # raises for what is no UTF-8
    if may_draw:
        text = DRAWING.sub("", text)
    found = ACTING.search(text)
    assert not found, (
        f"{found[0]!r} came out: ...{text[max(0, found.start() - 60):found.end() + 20]!r}")


def commands_of(world):
    """Return [(name, argv, prepare, statuses)] of what is run; `prepare` sets the stage for it."""
    where, dest = f"s3://{world.bucket}", ["-j", 2, "-d", world.dest, world.list]

    def refuse(status, code=EVIL):
        return lambda: world.fake.fault("status", key=bool, method=None, times=None, status=status,
                                        code=code, message=EVIL,
                                        headers={"x-amz-bucket-region": "e\x1b[31mu"})

    def refuse_lists():
        world.fake.fault("status", key="", method=None, times=None, status=403, code=EVIL,
                         message=EVIL)

    def spoil_files():
        for entry in list(entries_below(world.dest / world.bucket, b"")):
            if entry.is_file(follow_symlinks=False):
                with open(entry.path, "ab") as file:
                    file.write(b"!")

    def remove_files():
        subprocess.run(["rm", "-rf", world.dest / world.bucket], check=True)

    def nothing():
        pass

    odd = f"\x1b[31m\u202e{EVIL}"
    return [
        ("s3-list -R", ["s3-list", "-R", where], nothing, [0]),
        ("s3-list -l", ["s3-list", "-l", "--versions", f"{where}/"], nothing, [0]),
        ("s3-list --json", ["s3-list", "--json", "-R", where], nothing, [0]),
        ("s3-list refused", ["s3-list", where], refuse_lists, [1, 3]),
        ("s3-manifest", ["s3-manifest", where], nothing, [0]),
        ("s3-manifest as XML", ["s3-manifest", "-f", "xml", where], nothing, [0]),
        ("s3-manifest refused", ["s3-manifest", where], refuse_lists, [1, 3]),
        ("s3-fetch, 403", ["s3-fetch", *dest], refuse(403), [1]),
        ("s3-fetch, 500", ["s3-fetch", "--retries", 0, *dest], refuse(500), [1]),
        ("s3-fetch, another region", ["s3-fetch", *dest], refuse(301, "PermanentRedirect"), [1]),
        ("s3-fetch, wrong ETags", ["s3-fetch", "--retries", 0, *dest],
         lambda: world.fake.fault("wrong-etag", key=bool, method=None, times=None,
                                  etag="e\x1b[31m\x9bm"), [1]),
        ("s3-fetch", ["s3-fetch", *dest], nothing, [0]),
        ("s3-fetch, shown", ["s3-fetch", "-o", "-", *dest], nothing, [0]),
        ("s3-verify", ["s3-verify", *dest], nothing, [0]),
        ("s3-verify, other bytes", ["s3-verify", *dest], spoil_files, [1]),
        ("s3-manifest of the tree", ["s3-manifest", world.dest], nothing, [0]),
        ("s3-verify, nothing there", ["s3-verify", *dest], remove_files, [1]),
        ("odd arguments", ["s3-fetch", "-d", odd, odd], nothing, [3]),
        ("odd options", ["s3-verify", f"--{odd}"], nothing, [2]),
        ("odd addresses", ["s3-list", f"s3://{odd}/{odd}"], nothing, [2]),
        ("odd settings", ["s3-list", "--endpoint-url", f"http://{odd}", "--profile", odd, where],
         nothing, [3]),
    ]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("keys, mode, words", [("some", "a terminal, -v", ""),
                                               ("some", "a file, -v", "s3-fetch, ")]
                         + [pytest.param("all", mode, "", marks=LONG) for mode in MODES])
def test_terminals(cases, tmp_path, keys, mode, words):
    """`words` chooses among the commands."""
    count = cases("hostile names and answers on a terminal or in a log")
    bodies, (options, is_terminal, may_draw) = corpus(), MODES[mode]
    bodies = bodies if keys == "all" else {key: bodies[key] for key in KEYS_OF_TERMINALS}
    with World(tmp_path / "w", bodies) as world:
        world.write_list()
        for name, argv, prepare, statuses in commands_of(world):
            if words in name:
                with count.case(f"{name} on {mode}"):
                    world.fake.faults.clear()
                    prepare()
                    status, said = (on_terminal if is_terminal else into_file)(
                        world, argv[0], *options, *argv[1:])
                    assert status in statuses, f"{status}: {said[-500:]}"
                    assert all(fault.hits
                               for fault in world.fake.faults), "the server was not asked"
                    harmless(said, may_draw)
                    assert (said or "-v" not in options
                            or argv[0] not in ("s3-fetch", "s3-verify")), "nothing came out"
    subprocess.run(["rm", "-rf", tmp_path / "w"], check=True)        # deeper than Python may remove


# --- secrets

ACCESS, SECRET = "AKIACANARY7KEY00CANARY", "canarySECRET/7+s3cretCANARY"
TOKEN, PASSWORD = "canaryTOKEN7//tok3n==CANARY", "canaryPASSWORD7"
CANARIES = [ACCESS, SECRET, TOKEN, PASSWORD]
DOTS = "dots/../key"            # signed in Python, where keys and token are at hand
COMMANDS = ("s3-list", "s3-manifest", "s3-fetch", "s3-verify")


def spelled(canary):
    """Return the ways in which a secret may be written."""
    return {canary, canary.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")}


def leaks(text):
    """Return which canaries are in bytes."""
    return [canary for canary in CANARIES if any(one.encode() in text for one in spelled(canary))]


class Watch:
    """Looks at the command lines of all processes of a session, as often as it can, until it is
    told to stop.
    """

    def __init__(self, leader):
        self.leader, self.ended, self.found, self.looks, self.seen, self.status = (
            leader, False, [], 0, set(), None)
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.ended:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    if os.getsid(int(pid)) == self.leader:
                        for name in ("cmdline", "comm"):
                            self.found += leaks(Path("/proc", pid, name).read_bytes())
                        self.seen.add(pid)
                except (OSError, ProcessLookupError):
                    pass
            self.looks += 1
            time.sleep(0.02)

    def end(self):
        self.ended = True
        self.thread.join()


@pytest.fixture
def vault(tmp_path):
    """Return vault(name, text, mode) -> path: files of settings, which are not searched."""
    folder = tmp_path / "vault"
    folder.mkdir()

    def make(name, text, mode=0o600):
        path = folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    return make


KEYS = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
NO_KEYS = dict.fromkeys(KEYS, "")
FILE = (f"[default]\naws_access_key_id = {ACCESS}\naws_secret_access_key = "
        f"{SECRET}\naws_session_token = {TOKEN}\n")
ANSWER = (
    f'{{"Version": 1, "AccessKeyId": "{ACCESS}", "SecretAccessKey": "{SECRET}", "SessionToken": '
    f'"{TOKEN}"')


def process_of(vault, name, said, status=0):
    """Return the environment that has credentials come from a process that says something."""
    script = vault(f"{name}.sh", f"#!/bin/sh\ncat <<'END'\n{said}\nEND\nexit {status}\n", 0o700)
    return NO_KEYS | {"AWS_CONFIG_FILE":
                      vault(f"{name}.config", f"[default]\ncredential_process = {script}\n")}


def settings_of(world, vault):
    """Return {name: (environment, prepare)} of good and bad ways to have credentials and be
    answered.
    """
    def fault(kind, **options):
        return lambda: world.fake.fault(kind, key=None, method=None, times=None, **options)

    def expire():
        world.fake.credentials[ACCESS].expired = True

    told = {"AWSAccessKeyId": ACCESS, "Token-0": TOKEN,
            "StringToSign": f"AWS4-HMAC-SHA256 {SECRET}"}
    files = vault("credentials", FILE)
    broken = vault("broken", FILE + f"aws_secret_access_key {SECRET}\n{TOKEN}\n")
    missing = vault("missing", "[default]\ncredential_process = /no/such\n")
    closed = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
    proxy = {"http_proxy": f"http://user:{PASSWORD}@127.0.0.1:9",
             "HTTP_PROXY": f"http://user:{PASSWORD}@127.0.0.1:9"}
    return {  # the first three are good
        "keys in the environment": (KEYS, None),
        "keys in a file": (NO_KEYS | {"AWS_SHARED_CREDENTIALS_FILE": files}, None),
        "keys of a process":
        (process_of(vault, "good", ANSWER + ', "Expiration": "2099-01-01T00:00:00Z"}'), None),
        "403": (KEYS, fault("status", status=403, elements=told)),
        "500": (KEYS, fault("status", status=500, elements=told)),
        "expired": (KEYS, expire),
        "expired, of a process":
        (process_of(vault, "old", ANSWER + ', "Expiration": "2099-01-01T00:00:00Z"}'), expire),
        "expired long ago":
        (process_of(vault, "older", ANSWER + ', "Expiration": "2001-01-01T00:00:00Z"}'), None),
        "a wrong secret": (KEYS | {"AWS_SECRET_ACCESS_KEY": SECRET + "x"}, None),
        "a wrong key": (KEYS | {"AWS_ACCESS_KEY_ID": ACCESS + "X"}, None),
        "a wrong token": (KEYS | {"AWS_SESSION_TOKEN": TOKEN + "x"}, None),
        "no key to the secret": (KEYS | {"AWS_ACCESS_KEY_ID": ""}, None),
        "no secret to the key": (KEYS | {"AWS_SECRET_ACCESS_KEY": ""}, None),
        "a line end in the secret": (KEYS | {"AWS_SECRET_ACCESS_KEY": f"{SECRET}\n{TOKEN}"}, None),
        "a line end in the token": (KEYS | {"AWS_SESSION_TOKEN": f"{TOKEN}\r\nX: {SECRET}"}, None),
        "a broken file of credentials": (NO_KEYS | {"AWS_SHARED_CREDENTIALS_FILE": broken}, None),
        "a broken configuration": (NO_KEYS | {"AWS_CONFIG_FILE": broken}, None),
        "a process that says half": (process_of(vault, "half", ANSWER), None),
        "a process that says too little":
        (process_of(vault, "little", ANSWER.replace("SecretAccessKey", "Secret") + "}"), None),
        "a process of another version":
        (process_of(vault, "version", ANSWER.replace("1", "2", 1) + "}"), None),
        "a process that fails": (process_of(vault, "fails", ANSWER + "}", 1), None),
        "a process that is not there": (NO_KEYS | {"AWS_CONFIG_FILE": missing}, None),
        "nobody listens": (KEYS | closed, None),
        "a proxy that is not there": (KEYS | proxy, None),
        "no such bucket": (KEYS, lambda: world.fake.buckets.pop(world.bucket)),
        "not HTTP": (KEYS, fault("refuse")),
        "not XML": (KEYS, fault("html", body=b"<html>" + TOKEN.encode())),
    }


def run_watched(world, argv, env, signals=None):
    """Run a command; return (stdout, stderr, the Watch over its processes)."""
    process = world.start(*argv, env=env)
    watch = Watch(process.pid)
    try:
        if signals:
            while not world.fake.requests() and process.poll() is None:
                time.sleep(0.005)
            os.killpg(process.pid, signals)
        out, err = process.communicate(timeout=60)
        watch.status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise AssertionError("it did not end within 60 s") from None
    finally:
        watch.end()
    return out, err, watch


def search(world, out, err, watch):
    """Check that no canary is in what came out, in any file, in any command line; and that state is
    ours alone.
    """
    assert not leaks(out), f"{leaks(out)} on stdout"
    assert not leaks(err), f"{leaks(err)} on stderr: {err[-600:]}"
    assert not watch.found, f"{watch.found} in a process's title"
    assert watch.looks
    for entry in entries_below(world.folder, b""):
        assert not leaks(os.fsencode(entry.name)), f"{entry.path!r}"
        if entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as file:
                assert not leaks(file.read()), f"in the file {entry.path!r}"
        if b"/.s3kit" in entry.path:
            mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
            assert not mode & 0o077, f"others may read {entry.path!r}: {mode:o}"


def secret_world(folder):
    """Return a World that knows the canaries' owner, with an object whose request Python signs."""
    world = World(folder, {"a": b"1", "b/c": b"2" * 300_000, DOTS: b"3"})
    world.env = {"AWS_ENDPOINT_URL_S3": world.fake.url, "AWS_REGION": "us-east-1",
                 "TMPDIR": str(world.folder / "tmp")}
    (world.folder / "tmp").mkdir()
    world.fake.credentials = {ACCESS: Credential(SECRET, TOKEN)}
    return world


def argv_of(command, world, *options):
    """Return the words of one command on what a World has."""
    if command in ("s3-list", "s3-manifest"):
        return [command, *options, *["-R"] * (command == "s3-list"), f"s3://{world.bucket}"]
    return [command, *options, "-j", 1, *["--retries", 1] * (command == "s3-fetch"), "-d",
            world.dest, world.list]


@pytest.mark.system("minutes")
@pytest.mark.parametrize("commands, verbosity", [(["s3-fetch"], [["-v"]]), pytest.param(
    COMMANDS, [["-v"], [], ["-q"]], marks=LONG)], ids=["some", "all"])
def test_secrets(cases, tmp_path, vault, commands, verbosity):
    """Whoever we are and whatever goes wrong with it: keys, token and passwords stay where they
    were written down.
    """
    count = cases("secrets on good runs and bad ones")
    listed = make_list(tmp_path / "listed")
    with secret_world(tmp_path / "names") as world:
        names = list(settings_of(world, vault))
    for name in names:
        for options in verbosity:
            for command in commands:
                with secret_world(tmp_path / f"{name} {options} {command}") as world:
                    with count.case(f"{command} {' '.join(options)}: {name}"):
                        world.list.write_text(listed)
                        env, prepare = settings_of(world, vault)[name]
                        if prepare:
                            prepare()
                        out, err, watch = run_watched(world, argv_of(command, world, *options), env)
                        search(world, out, err, watch)
                        assert (command == "s3-verify" or (watch.status == 0)
                                == (name in names[:3])), f"{watch.status}: {err}"
                        assert out or err or "-v" not in options, "nothing was said"
                        assert b"Traceback" not in err, err


def make_list(folder):
    """Return the manifest of a secret World, and check by the way that its fetch and verification
    are good.
    """
    with secret_world(folder) as world:
        world.env |= KEYS
        text = world.write_list().read_text()
        assert world.fetch("-v").status == 0 and world.verify("-v").status == 0
    return text


@pytest.mark.system("minutes")
@pytest.mark.parametrize("commands",
                         [["s3-fetch"], pytest.param(["s3-list", "s3-manifest"], marks=LONG)],
                         ids=["fetch", "others"])
def test_secrets_of_runs_that_were_ended(cases, tmp_path, commands):
    count, listed = cases("secrets on runs that were ended"), make_list(tmp_path / "listed")
    for command in commands:
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with (secret_world(tmp_path / f"{command} {how.name}") as world,
                  count.case(f"{command}, {how.name}")):
                world.list.write_text(listed)
                world.fake.latency = 0.5
                out, err, watch = run_watched(world, argv_of(command, world, "-v"), KEYS, how)
                search(world, out, err, watch)
                assert watch.status == -how, watch.status


@pytest.mark.system("minutes")
def test_secrets_can_be_seen(tmp_path):
    """The search finds what it looks for: in output, also as it stands in URLs, in a file, in a
    command line.
    """
    assert leaks(f"x{SECRET}".encode()) == [SECRET]
    assert leaks(b"X-Amz-Security-Token=canaryTOKEN7%2F%2Ftok3n%3D%3DCANARY&") == [TOKEN]
    process = subprocess.Popen(["sh", "-c", "read wait", SECRET], stdin=subprocess.PIPE,
                               start_new_session=True)
    watch = Watch(process.pid)
    while watch.looks < 2:
        time.sleep(0.01)
    watch.end()
    process.communicate()
    with secret_world(tmp_path) as world:
        with pytest.raises(AssertionError, match="process's title"):
            search(world, b"", b"", watch)
        watch.found = []
        search(world, b"", b"", watch)
        (world.dest / "b").mkdir(parents=True)
        (world.dest / "b" / "file").write_text(f"x{TOKEN}")
        with pytest.raises(AssertionError, match="in the file"):
            search(world, b"", b"", watch)
