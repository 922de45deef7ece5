"""Which process is meant: its number is given to others when it has ended."""

import os
import stat

BOOT = "/proc/sys/kernel/random/boot_id"
START = 19              # the field, of those that follow the name


def start_of(pid):
    """Return when a process started, as the kernel counts (a text of digits), or '' where nobody
    says: there is none, or no /proc (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # the name before it may have blanks and parentheses of its own
            return file.read().rpartition(b")")[2].split()[START].decode()
    except (OSError, IndexError, UnicodeDecodeError):
        return ""


def world():
    """Return what process ids are counted in: the boot, and the namespace; '' where nobody says."""
    try:
        with open(BOOT, encoding="ascii") as file:
            return f"{file.read().strip()} {os.stat('/proc/self/ns/pid').st_ino}"
    except (OSError, ValueError):
        return ""


def is_alive(pid, start):
    """Return whether the process that had this id and started then is there; where nobody says when
    it started, whether one has the id.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return not start or start_of(pid) == start


def pipe_of(fd):
    """Return a name for the pipe that a descriptor is an end of, which its other end has as well;
    '' where it is none.
    """
    try:
        status = os.fstat(fd)
    except OSError:
        return ""
    return f"{status.st_dev}:{status.st_ino}" if stat.S_ISFIFO(status.st_mode) else ""


def terminal_of(fd):
    """Return a name for the terminal that a descriptor is open to, '' where it is none."""
    try:
        return str(os.fstat(fd).st_rdev) if os.isatty(fd) else ""
    except OSError:
        return ""
