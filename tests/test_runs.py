"""s3-status of what runs: right figures whoever writes meanwhile, whatever lies there."""

import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import pyte
import pytest
from conftest import BIN, clean_env, env_of
from contract import Running

from s3kit import process
from s3kit.runs import folder
from s3kit.runs.snapshot import Snapshot
from s3kit.status import live


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return the run directory of the test's commands."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return folder.made()


def until(done):
    """Wait until something is so."""
    end = time.monotonic() + 30
    while not (found := done()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def stage_of(run, command):
    """Return what s3-status says of the one run of a command."""
    found = json.loads(run("s3-status", "--json").out)["runs"]
    stages = [stage for group in found for stage in group["stages"]]
    return next((stage for stage in stages if stage["command"] == command), None)


def test_a_pipeline_is_seen_from_elsewhere(fake, run, home, tmp_path):
    """While it runs, when it was killed, and until it is forgotten."""
    for key in "abc":
        fake.put("b", key, b"x" * 1000)
        fake.fault("hang", key=key, times=None)
    env = clean_env(env_of(fake))
    first = subprocess.Popen([sys.executable, BIN / "s3-manifest", "s3://b"], env=env,
                             stdout=subprocess.PIPE, cwd=tmp_path)
    with first, subprocess.Popen(
            [sys.executable, BIN / "s3-fetch", "-j1", "--run", "night", "-d", "d"], env=env,
            stdin=first.stdout, stdout=subprocess.DEVNULL, cwd=tmp_path) as last:
        stage = until(lambda: (stage := stage_of(run, "s3-fetch")) and stage["expected"] == 3000
                      and stage)
        assert (stage["state"], stage["run"], stage["dest"]) == (
            "running", "night", str(tmp_path / "d"))
        text = run("s3-status").out
        assert text.startswith("night: running") and text.index("s3-manifest") < text.index(
            "s3-fetch")
        assert "s3-fetch" in run("s3-status", "-d", tmp_path / "d").out
        last.send_signal(signal.SIGKILL)
    done = run("s3-status")
    assert done.status == 1 and "night: dead" in done.out
    assert f"to go on: cd {tmp_path}" in done.out and "s3-fetch -j1 --run night -d d" in done.out
    assert run("s3-status", "--reset").status == 2
    assert run("s3-status", "--reset", "--yes").status == 0 and folder.entries(home) == []
    assert run("s3-status").out == "nothing runs, and nothing ended within a day\n"


def test_rubbish_is_no_run(run, home, tmp_path):
    """It is counted, and nothing more; nor are another's files, links and FIFOs."""
    good = Snapshot(command="s3-fetch", pid=os.getpid(), start=process.start_of(os.getpid()),
                    world=process.world(), written=time.time(), began=1.0, rows={"fetched": 7})
    for number, data in enumerate((b"", b"{", b"[]", good.to_json()[:-40], b"\xff\xfe", b"null",
                                   good.to_json().replace(b'"fetched": 7', b'"fetched": -7'))):
        folder.write(os.path.join(home, f"{number}.json"), data)
    os.mkfifo(os.path.join(home, "fifo.json"))
    os.symlink(tmp_path, os.path.join(home, "link.json"))
    os.mkdir(os.path.join(home, "directory.json"))
    folder.write(os.path.join(home, "good.json"), good.to_json())
    found = json.loads(run("s3-status", "--json").out)
    assert found["unread"] == 10 and len(found["runs"]) == 1
    assert "10 files in the run directory are none of ours" in run("s3-status").out
    os.chmod(home, 0o777)
    assert json.loads(run("s3-status", "--json").out) == {"runs": [], "unread": 0}


def test_fifty_that_write_all_the_time(home):
    """No figure is half of one file and half of another; all fifty are there."""
    over = threading.Event()

    def write(number):
        for done in range(10**9):
            said = Snapshot(command="s3-fetch", pid=1000 + number, start="1", world="elsewhere",
                            written=time.time(), began=float(number), done=done,
                            expected=done, rows={"fetched": done}, said="x" * (done % 900))
            folder.write(os.path.join(home, f"{number}.json"), said.to_json())
            if over.wait(0.01):
                return

    threads = [threading.Thread(target=write, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    until(lambda: len(folder.entries(home)) == 50)
    for _ in range(20):
        groups, unread = live.found()
        stages = [each for group in groups for each in group]
        assert (len(stages), unread) == (50, 0)
        assert all(each.done == each.expected == each.count for each in stages)
    over.set()
    for thread in threads:
        thread.join()


@pytest.mark.long
def test_fifty_real_ones(run, home):
    """Commands that wait for rows are all seen at work, and all seen to end."""
    commands = [subprocess.Popen([sys.executable, BIN / "s3-filter", "--run", str(number)],
                                 stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL) for number in range(50)]
    until(lambda: len(json.loads(run("s3-status", "--json").out)["runs"]) == 50)
    assert {group["state"] for group in json.loads(run("s3-status", "--json").out)["runs"]
            } == {"running"}
    for command in commands:
        command.stdin.close()
        command.wait()
    assert {group["state"] for group in json.loads(run("s3-status", "--json").out)["runs"]
            } == {"failed"}         # not even a header came


@pytest.mark.usefixtures("home")
def test_the_whole_screen(shims, tmp_path):
    """On a screen of its own, a picture a frame in one piece, right after a resize, until q."""
    now = time.time()
    said = Snapshot(command="s3-fetch", run="night", pid=os.getpid(), world=process.world(),
                    start=process.start_of(os.getpid()), began=now, written=now + 60, unit="B",
                    done=1 << 29, total=1 << 30)
    folder.write(os.path.join(folder.made(), "1.json"), said.to_json())
    env = clean_env({"PATH": f"{shims}:{os.environ['PATH']}", "TERM": "xterm",
                     "COLUMNS": 80, "LINES": 24})
    looking = Running(["s3-status", "--watch"], env, terminal="012", cwd=tmp_path)
    until(lambda: looking.shown.count(b"night: running") >= 3)
    before = len(looking.shown)
    fcntl.ioctl(looking.master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 60, 0, 0))
    until(lambda: looking.shown.count(b"night: running", before) >= 6)
    os.write(looking.master, b"q")
    done = looking.wait()
    assert done.status == 0 and done.screen.endswith("\x1b[?25h\x1b[?1049l")
    frames = [frame for frame in done.screen.split("\x1b[H") if "night: running" in frame]
    assert max(map(len, frames)) < 2 * 100 * 24     # cells, and some colours
    narrow = pyte.Screen(60, 30)
    pyte.Stream(narrow).feed(frames[-3].replace("\n", "\r\n"))
    lines = [line.rstrip() for line in narrow.display if line.strip()]
    assert len(lines) == 2 and lines[0].startswith("night: running") and "50%" in lines[1]
