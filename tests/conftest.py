"""What all tests share: servers, and running our commands as a user's shell would."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

HERE = Path(__file__).resolve().parent
ROOT, BIN = HERE.parent, HERE.parent / "bin"
sys.path[:0] = [str(ROOT), str(HERE), str(HERE / "support")]

import servers  # noqa: E402
import tools  # noqa: E402
from fakes3 import FakeS3  # noqa: E402

# A shell that runs the tests in the background has them ignore SIGINT, and so would all that they
# start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no fault of what is tested.
settings.register_profile("s3kit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("s3kit")


@dataclass
class Done:
    """How a command or pipeline ended: `status` is a list for a pipeline."""

    status: object
    out: str
    err: str


def clean_env(extra=None):
    """Return our environment without anybody's AWS settings, plus `extra`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_EC2_METADATA_DISABLED": "true", "PYTHON": sys.executable}
    env["PATH"] = f"{SHIMS}:{env['PATH']}"
    return env | {name: str(value) for name, value in (extra or {}).items()}


def env_of(fake):
    """Return the environment that leads to a strict fake."""
    return {"AWS_ENDPOINT_URL_S3": fake.url, "AWS_ACCESS_KEY_ID": fake.access_key,
            "AWS_SECRET_ACCESS_KEY": fake.secret_key, "AWS_REGION": fake.home}


def set_aws(monkeypatch, settings):
    """Have this process know these AWS settings, {name: what str() makes text}, and no others."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))


def examples(command):
    """Return the command lines of a page's EXAMPLES."""
    text = ((ROOT / "man" / f"{command}.1").read_text().partition(".Sh EXAMPLES\n")[2]
            .partition(".Sh ")[0])
    return [line.replace("\\(aq", "'") for line in re.findall(r"^\.Dl (.+)$", text, re.MULTILINE)]


SHIMS = HERE / ".shims"
SERVERS = "s3kit server"        # the property under which a test hands over what became of commands
KEPT = "kept"                   # what a test of the contract says of its command, if it passes


@pytest.fixture(scope="session", autouse=True)
def shims(tmp_path_factory):
    """Put bin/ on the PATH, run by the Python that runs the tests."""
    global SHIMS
    SHIMS = make_shims(tmp_path_factory.mktemp("bin"))
    return SHIMS


@pytest.fixture(scope="session", autouse=True)
def run_files(tmp_path_factory):
    """Have what commands tell of their runs lie where nobody else looks."""
    os.environ["XDG_RUNTIME_DIR"] = str(tmp_path_factory.mktemp("runs"))


def make_shims(folder):
    """Write scripts that run bin/ by this Python; return the folder."""
    folder.mkdir(exist_ok=True)
    for command in BIN.iterdir():
        shim = folder / command.name
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{command}" "$@"\n')
        shim.chmod(0o755)
    return folder


def needs_of(test):
    """Return what a test's marks `system` say it needs; nothing: `make test` runs it."""
    return [need for mark in test.iter_markers("system") for need in mark.args or [""]]


def pytest_collection_modifyitems(items):
    """Refuse marks that say nothing, and tests that mount file systems without one; mark what is
    run against a character. What asks nothing of S3 has one server only: none.
    """
    from contract import is_of_minutes, is_of_no_server
    items[:] = [test for test in items
                if not (hasattr(test, "callspec") and is_of_no_server(test))]
    known = {*tools.TOOLS, *tools.OTHERS}
    for test in items:
        if getattr(test, "callspec", None) and test.callspec.params.get("character"):
            test.add_marker(pytest.mark.system("minutes") if is_of_minutes(test)
                            else pytest.mark.long)
    for test in items:
        needs = needs_of(test)
        if set(needs) - known:
            raise pytest.UsageError(
                f"{test.nodeid}: system{tuple(needs)} is not made of {', '.join(sorted(known))}")
        if "mounts" in test.fixturenames and "root" not in needs:
            raise pytest.UsageError(
                f"{test.nodeid} mounts: it needs @pytest.mark.system(..., 'root')")


@pytest.fixture(scope="session")
def refused(tmp_path_factory):
    """Return (directory of refusals for every test, the one for tests without a mark)."""
    return (tools.refuse(tmp_path_factory.mktemp("never"), tools.NOBODY_HAS),
            tools.refuse(tmp_path_factory.mktemp("unmarked"), tools.TOOLS))


@pytest.fixture(autouse=True)
def only_the_tools_it_names(request, refused, monkeypatch):
    """A test finds the tools that its mark names, and none that `make test` must do without."""
    needs = needs_of(request.node)
    absent = tools.missing(set(needs) & set(tools.TOOLS))
    if absent:
        pytest.fail(f"missing: {', '.join(absent)} (apt-get install {' '.join(absent.values())})",
                    pytrace=False)
    if "root" in needs and os.geteuid() != 0:
        pytest.fail("this test needs root", pytrace=False)
    folders = refused[:1] if needs else refused
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, folders), os.environ["PATH"]]))


def finish(process, data, timeout):
    """Return (stdout, stderr) of a process, its whole group killed if it takes too long."""
    try:
        return process.communicate(data, timeout)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def text(data):
    """Return bytes as str, whatever they are."""
    return data.decode("utf-8", "surrogateescape")


@pytest.fixture
def run(shims, tmp_path):
    """Return run(command, arguments..., input=, env=, timeout=, cwd=) -> Done; runs bin/COMMAND."""

    def run(*argv, input=None, env=None, timeout=60, cwd=None):
        data = input.encode("utf-8", "surrogateescape") if isinstance(input, str) else input
        process = subprocess.Popen([sys.executable, str(BIN / argv[0]), *map(str, argv[1:])],
                                   env=clean_env(env), cwd=cwd or tmp_path,
                                   stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
        out, err = finish(process, data, timeout)
        return Done(process.returncode, text(out), text(err))

    return run


@pytest.fixture
def pipe(shims, tmp_path):
    """Return pipe(line, env=, timeout=, cwd=) -> Done; runs a line of bash, `status` is its
    PIPESTATUS.
    """

    def pipe(line, env=None, timeout=60, cwd=None):
        line += '\necho "${PIPESTATUS[@]}" >&9'
        back, front = os.pipe()
        process = subprocess.Popen(["bash", "-c", f"exec 9>&{front}\n{line}"], env=clean_env(env),
                                   cwd=cwd or tmp_path, pass_fds=[front], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
        os.close(front)
        out, err = finish(process, None, timeout)
        with os.fdopen(back) as said:
            status = [int(word) for word in said.read().split()]
        return Done(status, text(out), text(err))

    return pipe


@pytest.fixture
def character():
    """The name of the character of this test's fake, or None: Amazon's."""
    return None


@pytest.fixture
def fake(character):
    """A strict fake S3 of this test's own."""
    with FakeS3(character=character) as server:
        yield server


@pytest.fixture(scope="session")
def seaweed():
    """SeaweedFS, signatures and policies enforced, with guests."""
    with servers.Seaweed(more=servers.GUESTS) as server:
        yield server


@pytest.fixture(scope="session")
def ministack():
    """MiniStack."""
    with servers.Ministack() as server:
        yield server


@pytest.fixture(scope="session")
def moto():
    """moto."""
    with servers.Moto() as server:
        yield server


@pytest.fixture(scope="session")
def rclone():
    """rclone serve s3."""
    with servers.Rclone() as server:
        yield server


@pytest.fixture(autouse=True)
def no_process_left(request):
    """No worker of ours may be left when a test ends."""
    before = workers()
    yield
    end = time.monotonic() + 3
    while workers() - before and time.monotonic() < end:
        time.sleep(0.02)
    assert not workers() - before, "a worker was left behind"


def workers():
    """Return the ids of living workers whose parent's parent is this test process or that are
    orphans of it.
    """
    found = set()
    mine = str(SHIMS).encode()
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                command = Path("/proc", pid, "cmdline").read_bytes()
                if b"from s3kit.pipeline.worker import live" in command and mine in Path(
                        "/proc", pid, "environ").read_bytes():
                    found.add(pid)
            except OSError:
                pass
    return found


def pytest_terminal_summary(terminalreporter):
    """End with what the fault suite tried, and what became of the pipeline on other servers, if any
    of it ran.
    """
    from faults.table import table
    reports = [report for reports in terminalreporter.stats.values() for report in reports
               if getattr(report, "when", "") == "teardown"
               or getattr(report, "user_properties", None)]
    properties = [report.user_properties for report in reports]
    for title, lines in (("faults", table(properties)),
                         ("servers that are not Amazon's", servers_table(reports))):
        if lines:
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line)


def servers_table(reports):
    """Return the lines: server, and what became of each command there. Of the contract's tests the
    number of promises that were kept, and that were not.
    """
    said, heads = {}, {}
    failed = {report.nodeid for report in reports if report.failed}
    for report in reports:
        for server, command, words in (
                (value[0][1], *cell) for name, value in report.user_properties if name == SERVERS
                for cell in value[1:]):
            heads[command] = None
            words = "not" if report.nodeid in failed and words == KEPT else words
            said.setdefault(server, {}).setdefault(command, {}).setdefault(words, set()).add(
                report.nodeid)
    lines = [["server", *heads]] + [
        [server, *(cell_of(found.get(command, {})) for command in heads)]
        for server, found in sorted(said.items())]
    widths = [max(map(len, column)) + 2 for column in zip(*lines)]
    return ["".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
            for line in lines[:len(said) and None]]


def cell_of(found):
    """Return what tests said of a command on a server, {words: tests}, as one text."""
    count = {words: f"{len(tests)} {words}" for words, tests in found.items()
             if words in (KEPT, "not")}
    return ", ".join(count.get(words, words) for words in sorted(found, key=count.__contains__))
