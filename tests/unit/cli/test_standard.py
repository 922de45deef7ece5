"""The standard descriptors: open from the beginning, and stdout's faults told apart."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from s3kit.cli.standard import NotWritten, Standard

ROOT = Path(__file__).resolve().parents[3]
START = """import os, sys
sys.path.insert(0, {root!r})
from s3kit.cli import standard
from s3kit.cli.standard import NotWritten, mute, open_standard
{body}
"""


def run(body, shell="", **options):
    """Run a script, its descriptors as a shell's redirections make them; return what came of it."""
    command = f"exec {sys.executable} -c \"$SCRIPT\" {shell}"
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    env = os.environ | {"SCRIPT": START.format(root=str(ROOT), body=body)}
    return subprocess.run(["sh", "-c", command], text=True, timeout=60, env=env, **pipes | options)


@pytest.mark.parametrize("shell", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_gets_a_standard_number(shell, tmp_path):
    """What is closed is opened, to nowhere."""
    body = f"""open_standard()
with open({str(tmp_path / 'file')!r}, "w") as file:
    os.write(file.fileno(), str(file.fileno()).encode())"""
    done = run(body, shell)
    assert done.returncode == 0 and int((tmp_path / "file").read_text()) > 2, done.stderr


def test_a_closed_stdout_is_not_a_place_where_output_vanishes():
    body = """open_standard()
try:
    print("x", flush=True)
except NotWritten as error:
    print(error.errno, error.is_pipe, file=sys.stderr)
mute(1)"""
    done = run(body, ">&-")
    assert (done.returncode, done.stderr) == (0, f"{errno.EBADF} False\n")


@pytest.mark.parametrize("where, number, is_pipe", [("/dev/full", errno.ENOSPC, False),
                                                    ("a pipe", errno.EPIPE, True)])
def test_what_cannot_be_written_is_told_apart(where, number, is_pipe):
    """With the errno and the words of the system; of a pipe whose reader has gone."""
    body = """open_standard()
try:
    print("x" * 100000, flush=True)
except NotWritten as error:
    print(error.errno, error.strerror, error.is_pipe, file=sys.stderr)
mute(1)"""
    if where == "a pipe":
        read, write = os.pipe()
        os.close(read)
    else:
        write = os.open(where, os.O_WRONLY)
    done = run(body, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, f"{number} {os.strerror(number)} {is_pipe}\n")


def test_what_is_written_arrives_in_the_same_encoding():
    body = "open_standard(); print('\\u00e4', sys.stdout.encoding)"
    env = {"PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-c", START.format(root=str(ROOT), body=body)]
    done = subprocess.run(command, env=os.environ | env, stdout=subprocess.PIPE, timeout=60)
    assert done.stdout.lower() == b"\xe4 latin-1\n" or done.stdout == b"\xe4 iso8859-1\n"


def test_without_a_stderr_messages_go_nowhere():
    done = run("open_standard(); print('lost', file=sys.stderr, flush=True)", "2>&-")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_muted_stdout_does_not_change_the_status():
    """Python would end with 120 where it cannot flush."""
    body = "open_standard(); sys.stdout.write('x'); mute(1); sys.exit(5)"
    with open("/dev/full", "w", encoding="utf-8") as full:
        assert run(body, stdout=full).returncode == 5
        assert run(body.replace("mute(1); ", ""), stdout=full).returncode == 120


def test_standard_writes_bytes_as_they_are():
    read, write = os.pipe()
    file = Standard(write, "w")
    assert file.write(b"\x00\xff") == 2
    file.close()
    assert os.read(read, 10) == b"\x00\xff"
    os.close(read)


def test_not_written_is_an_oserror():
    error = NotWritten(errno.EPIPE, "Broken pipe")
    assert isinstance(error, OSError) and error.is_pipe
    assert not NotWritten(errno.EIO, "I/O error").is_pipe
