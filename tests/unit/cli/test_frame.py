"""What the frame says of a failure, and the status that follows."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
START = """import os, sys, threading
sys.path.insert(0, {root!r})
from s3kit.cli import frame, options
def work(args):
    {body}
    return 0
sys.exit(frame.run(options.parser("s3-list", "test"), work, []))
"""


def run(body, **options):
    """Run a command whose work is a line of Python; return the CompletedProcess."""
    return subprocess.run([sys.executable, "-c", START.format(root=str(ROOT), body=body)],
                          text=True, timeout=60, stdin=subprocess.DEVNULL,
                          **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options))


IN_A_THREAD = "thread = threading.Thread(target=lambda: {}['x']); thread.start(); thread.join()"
HANGS = "threading.Thread(target=lambda: {}['x']).start(); threading.Event().wait()"
OURS = {"main": ("{}['x']", "KeyError"), "thread": (IN_A_THREAD, "KeyError"),
        "waits for it": (HANGS, "KeyError"),
        "import": ("from s3kit.text import missing", "ImportError"),
        "module": ("import s3kit.missing", "ModuleNotFoundError"),
        "anonymous": ("os.read(99, 1)", "OSError"),
        "other pipe": ("raise BrokenPipeError(32, 'Broken pipe')", "BrokenPipeError"),
        "memory": ("raise MemoryError", "MemoryError")}


@pytest.mark.parametrize("case", OURS)
def test_a_fault_of_ours_ends_with_3(case):
    """Its trace, then where to report it: never 1, which means that rows failed."""
    body, kind = OURS[case]
    done = run(body)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "Traceback (most recent call last)" in done.stderr
    assert (done.stderr.splitlines()[-1]
            == f"s3-list: this is a fault of s3kit ({kind}): please report it with the lines above")


def test_a_signal_within_a_library_s_call_is_a_signal():
    """Python says SystemError where a function in C returns though a handler has raised."""
    done = run("from s3kit.cli.signals import Interrupted; "
               "raise SystemError('returned a result with an exception set') from Interrupted(15)")
    assert (done.returncode, done.stderr) == (-15, "")
    done = run("raise SystemError('returned a result with an exception set')")
    assert done.returncode == 3 and "fault of s3kit (SystemError)" in done.stderr


def test_no_trace_acts_on_a_terminal():
    done = run("raise ValueError('\\x1b[2J')")
    assert done.returncode == 3 and "\x1b" not in done.stderr and "\\x1b[2J" in done.stderr


def test_a_library_that_is_not_installed():
    done = run("import no_such_library")
    assert done.returncode == 3 and "Traceback" not in done.stderr
    assert done.stderr.startswith("s3-list: cannot load 'no_such_library'")


def test_an_error_about_a_file_names_it():
    done = run("open('/nonexistent/x')")
    assert ((done.returncode, done.stderr)
            == (3, "s3-list: cannot use '/nonexistent/x': No such file or directory\n"))


def test_stdout_that_is_full():
    """Only that is called the output."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = run("print('x' * 100000)", stdout=full)
    assert ((done.returncode, done.stderr)
            == (3, "s3-list: cannot write the output: No space left on device\n"))


def test_a_reader_of_stdout_that_has_gone():
    process = subprocess.Popen([sys.executable, "-c",
                                START.format(root=str(ROOT), body="print('x' * 1000000)")],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait(60) == -13
    process.stderr.close()
