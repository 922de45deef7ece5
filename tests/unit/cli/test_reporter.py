"""The thread that tells how a run goes: in a run file, on a terminal, in lines."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pyte
import pytest
from terminals import pieces

from s3kit.runs import pipelines
from s3kit.runs.folder import entries

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = f"""import os, sys, time
sys.path.insert(0, {str(ROOT)!r})
from types import SimpleNamespace
from s3kit.cli import frame, options, reporter
from s3kit.cli.messages import say
from s3kit.cli.progress import Progress
from s3kit.cli.signals import Interrupted
from s3kit.cli.tally import Tally
from s3kit.runs import pipelines
made = options.parser("s3-fetch", "")
made.add_argument("body")
options.progress_options(made)
reporter.PUBLISH_SECONDS, reporter.DRAW_SECONDS, reporter.LINE_SECONDS = 0.1, 0.05, 0.1
seen = dict.fromkeys(("publish", "draw", "tell_line"), 0)
def counted(name, call):
    def counting(self, *values, **more):
        call(self, *values, **more)
        seen[name] += 1
    return counting
for name in seen:
    setattr(reporter.Reporter, name, counted(name, getattr(reporter.Reporter, name)))
def work(args):
    tally, bar = Tally(args), Progress(args)
    def wait(what, times=2):
        until = seen[what] + times
        while seen[what] < until:
            time.sleep(0.01)
    def done():
        tally.summary(bar, ["all done"])
    exec(args.body)
    return 0
sys.exit(frame.run(made, work))
"""
BUSY = "bar.expect(2048); bar.move(1024); bar.read(None, True); "


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return the run directory of the processes of the test, as it will be."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return str(tmp_path / "s3kit")


def run(*argv, **options):
    """Run the script; return the process when it has ended."""
    return subprocess.run([sys.executable, "-c", SCRIPT, *argv], text=True, timeout=60,
                          **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                             "stderr": subprocess.PIPE} | options)


def at_terminal(*argv, **options):
    """Run the script with stderr on a terminal; return (the bytes, the screen at the end)."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    run(*argv, stderr=theirs, **options)
    os.close(theirs)
    shown = b"".join(pieces(ours)).decode()
    os.close(ours)
    screen = pyte.Screen(100, 24)
    pyte.Stream(screen).feed(shown)
    return shown, [line.rstrip() for line in screen.display if line.strip()]


def test_the_run_file_tells_how_it_went(home):
    """While it goes on and at its end; nobody else can read it."""
    body = BUSY + "tally.add('tried again'); wait('publish'); done()"
    assert run("--run", "night", body).returncode == 0
    [(_, path)] = entries(home)
    assert os.stat(path).st_mode & 0o777 == 0o600
    [said], rubbish = pipelines.all_runs(home)
    assert rubbish == 0 and said.state() == "done" and said.run == "night"
    assert (said.done, said.total, said.tried_again) == (1024, 2048, 1)
    assert said.said.startswith("all done in ") and 0 < said.began < said.written <= said.ended + 1


@pytest.mark.parametrize("body, status, state", [
    ("sys.exit(0)", 0, "done"), ("raise OSError(5, 'x', 'y')", 3, "failed"),
    ("raise Interrupted(15)", 143, "failed"), ("os._exit(3)", 0, "dead")])
def test_every_end_is_told(home, body, status, state):
    """But for that of a process that could not tell."""
    run(f"wait('publish'); {body}")
    [said], _ = pipelines.all_runs(home)
    assert (said.state(), said.status) == (state, status)


def test_what_ended_it_is_told(home):
    run("from s3kit.errors import Fault; raise Fault('no such thing \\x1b')")
    [said], _ = pipelines.all_runs(home)
    assert (said.status, said.said) == (3, "no such thing \\x1b")


def test_where_no_file_can_be_written_nobody_hears_of_it(home):
    os.mkdir(home, 0o777)
    os.chmod(home, 0o777)
    done = run(BUSY + "wait('publish'); done()", "-q")
    assert (done.returncode, done.stderr, os.listdir(home)) == (0, "", [])


@pytest.mark.usefixtures("home")
def test_without_a_terminal_there_are_lines():
    """Now and then, not with -q; the last is the summary."""
    lines = run(BUSY + "wait('tell_line'); done()").stderr.splitlines()
    assert len(lines) > 2 and lines[0].startswith("s3-fetch: 1.0K of 2.0K")
    assert lines[-1].startswith("s3-fetch: all done in")
    assert run("-q", BUSY + "wait('tell_line'); done()").stderr == ""
    asked = run("--progress", "60s", BUSY + "wait('publish'); done()").stderr.splitlines()
    assert len(asked) == 1


@pytest.mark.usefixtures("home")
def test_a_bar_on_a_terminal():
    """What is done of how much; it is gone before a message, and for good before the summary."""
    shown, screen = at_terminal(
        BUSY + "wait('draw'); say('s3-fetch', 'a \\x1bmessage'); wait('draw'); done()")
    assert "50% |" in shown and "1.0K of 2.0K" in shown
    assert screen[0] == "s3-fetch: a \\x1bmessage" and screen[1].startswith("s3-fetch: all done in")
    assert len(screen) == 2 and shown.endswith("\r\n")
    assert at_terminal("-q", BUSY + "wait('publish'); done()") == ("", [])


@pytest.mark.usefixtures("home")
def test_lines_on_a_terminal_where_they_are_asked_for():
    _, screen = at_terminal("--progress", "0.1s", BUSY + "wait('tell_line'); done()")
    assert len(screen) > 2 and not any("|" in line for line in screen)


@pytest.mark.usefixtures("home")
def test_a_signal_takes_the_bar_away_and_says_how_far_it_came():
    """The prompt comes on a line of its own."""
    row = "SimpleNamespace(state='fetched', error='')"
    shown, screen = at_terminal(f"tally.count({row}); {BUSY}wait('draw'); raise Interrupted(2)")
    assert screen == ["s3-fetch: interrupted; 1 row done; the same command goes on"]
    assert shown.endswith("\r\n") and "50% |" in shown
    assert run("-q", "raise Interrupted(2)").stderr == ""


def test_stages_share_the_terminal(home):
    """The last draws for all; each summary stays, in the order of the pipe."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    read, write = os.pipe()
    script = [sys.executable, "-c", SCRIPT]
    alone = "while len(pipelines.live_runs(" + repr(home) + ")) > 1: wait('publish')\ndone()"
    both = "wait('draw', 9); done()"
    first = subprocess.Popen([*script, both], stdout=write, stderr=theirs,
                             stdin=subprocess.DEVNULL, preexec_fn=os.setpgrp)
    last = subprocess.Popen([*script, f"wait('draw', 9)\n{alone}"], stdin=read, stderr=theirs,
                            stdout=subprocess.DEVNULL,
                            preexec_fn=lambda: os.setpgid(0, first.pid))
    for fd in (read, write, theirs):
        os.close(fd)
    shown = b"".join(pieces(ours)).decode()
    assert (first.wait(30), last.wait(30)) == (0, 0)
    os.close(ours)
    screen = pyte.Screen(100, 24)
    pyte.Stream(screen).feed(shown)
    assert [line.split(" in ")[0] for line in screen.display if line.strip()] == [
        "s3-fetch: all done"] * 2
    assert "s3-fetch    0, 0 rows\x1b[K\r\ns3-fetch    0, 0 rows\x1b[J" in shown
    assert json.loads(Path(entries(home)[0][1]).read_text(encoding="utf-8"))["terminal"] == ""
