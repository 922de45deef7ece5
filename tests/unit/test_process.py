"""Which process is meant."""

import os
import pty
import subprocess

from s3kit import process


def test_a_process_is_known_by_its_number_and_its_start():
    """So one that has the number later is another."""
    start = process.start_of(os.getpid())
    assert process.is_alive(os.getpid(), start)
    assert not process.is_alive(os.getpid(), "1")
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert not process.is_alive(gone.pid, "") and process.start_of(gone.pid) == ""
    assert not process.is_alive(1 << 62, "7")


def test_a_name_with_parentheses_is_no_field(tmp_path):
    """The kernel's line has the program's name before the fields, whatever it is."""
    odd = tmp_path / "a) S 1 2"
    os.symlink("/bin/sleep", odd)
    with subprocess.Popen([odd, "9"]) as running:
        try:
            assert process.start_of(running.pid).isdigit()
            assert process.is_alive(running.pid, process.start_of(running.pid))
        finally:
            running.kill()


def test_both_ends_of_a_pipe_have_its_name(tmp_path):
    read, write = os.pipe()
    with open(tmp_path / "file", "wb") as file:
        assert process.pipe_of(read) == process.pipe_of(write) != ""
        assert process.pipe_of(file.fileno()) == ""
    os.close(read)
    os.close(write)
    assert process.pipe_of(read) == "" == process.terminal_of(read)


def test_a_terminal_has_a_name():
    ours, theirs = pty.openpty()
    assert process.terminal_of(theirs).isdigit()
    os.close(theirs)
    os.close(ours)


def test_where_process_ids_count():
    """It is the same for all processes of one container, and says the boot."""
    assert process.world() == process.world() and len(process.world().split()) == 2
