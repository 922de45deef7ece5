"""The progress bar: only on a terminal, and what stands there at the end."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import pytest
from terminals import pieces

from s3kit.cli.messages import Screen
from s3kit.cli.progress import Progress, in_pipe

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = f"""import sys, time
sys.path.insert(0, {str(ROOT)!r})
from types import SimpleNamespace
from s3kit.cli.messages import say
from s3kit.cli.progress import Progress
quiet, prog = "-q" in sys.argv, sys.argv[1]
bar = Progress(SimpleNamespace(prog=prog, quiet=quiet))
bar.expect(2048)
bar.move(1024, "3 rows")
time.sleep(0.3)
bar.move(0, "halfway")
say(prog, "a message")
bar.end(prog + ": done \\x1b[2J")
"""


def run(*argv, **options):
    """Run the script; return what it wrote to stderr."""
    return subprocess.run([sys.executable, "-c", SCRIPT, *argv], text=True, timeout=60, check=True,
                          **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                             "stderr": subprocess.PIPE} | options).stderr


def at_terminal(*argv, **options):
    """Run the script with stderr on a terminal; return what was shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    run(*argv, stderr=theirs, **options)
    os.close(theirs)
    shown = b"".join(pieces(ours))
    os.close(ours)
    return shown.decode()


def test_without_a_terminal_there_are_only_lines():
    assert run("s3-fetch") == "s3-fetch: a message\ns3-fetch: done \\x1b[2J\n"


def test_quiet_is_without_a_bar_and_without_the_summary():
    assert run("s3-fetch", "-q") == "s3-fetch: a message\n"
    assert at_terminal("s3-fetch", "-q") == "s3-fetch: a message\r\n"


def test_a_bar_on_a_terminal():
    """What is done of how much; it is gone before a message, and for good before the summary."""
    shown = at_terminal("s3-fetch")
    assert re.search(r"s3-fetch +:  50%.* 1\.00k/2\.00k .*halfway", shown, re.IGNORECASE), shown
    assert "\r\x1b[Ks3-fetch: a message\r\n" in shown
    assert shown.endswith("s3-fetch: done \\x1b[2J\r\n") and "\x1b[2J" not in shown


def test_a_stage_in_a_pipe_keeps_to_its_line():
    """The summary of one that another follows stands in its bar's place; that of the last comes
    below all of them, for good.
    """
    done = "done \\x1b[2J"
    read, write = os.pipe()
    first = at_terminal("s3-manifest", stdout=write)
    assert first.rstrip(" ").endswith(f"\rs3-manifest: {done}")
    middle = at_terminal("s3-fetch", stdin=read, stdout=write)
    assert re.search(re.escape(f"\r\n\r\n\rs3-fetch: {done}") + r" *(\x1b\[A){2}$", middle)
    last = at_terminal("s3-fetch", stdin=read)
    assert last.endswith(f"\x1b[A\x1b[A\r\n\r\ns3-fetch: {done}\r\n")
    os.close(read)
    os.close(write)


@pytest.fixture
def bar():
    """Return a Progress without a terminal."""
    return Progress(SimpleNamespace(prog="s3-fetch", quiet=False))


def test_nothing_is_drawn_without_a_terminal(bar, capsys):
    """All calls are allowed, the end as often as one likes."""
    bar.expect(5)
    bar.move(5, "text")
    bar.close()
    bar.end("s3-fetch: done")
    assert bar.bar is None and Screen.bar is None
    assert capsys.readouterr().err == "s3-fetch: done\n"


def test_what_is_a_pipe(tmp_path):
    read, write = os.pipe()
    with open(tmp_path / "file", "w", encoding="utf-8") as file:
        assert in_pipe(read) and in_pipe(write) and not in_pipe(file.fileno())
    os.close(read)
    os.close(write)
