"""INT and TERM: to stop where the work is whole, or at once."""

import os
import signal
import sys
from contextlib import contextmanager


class Interrupted(BaseException):
    """A signal asked us to stop; its number is the argument."""


class Signals:
    """INT and TERM: the first asks to stop, the second ends at once by the default action."""

    number = 0
    graceful = False

    @classmethod
    def watch(cls):
        """Install the handlers; Python's own SIGPIPE setting stays (writing to sockets needs it).
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:      # as under nohup
                signal.signal(number, cls.take)

    @classmethod
    def take(cls, number, frame):
        """Take a signal: stop here and now, or where the work is whole if it asked for that."""
        if cls.number:
            die_of(number)
        cls.number = number
        if not cls.graceful:
            raise Interrupted(number)

    @classmethod
    @contextmanager
    def at_once(cls):
        """Within this a signal stops us here and now: for calls of which nobody knows how long they
        take.
        """
        before, cls.graceful = cls.graceful, False
        try:
            cls.check()
            yield
        finally:
            cls.graceful = before

    @classmethod
    def check(cls):
        """Raise Interrupted if a signal has come."""
        if cls.number:
            raise Interrupted(cls.number)


def die_of(number):
    """End by a signal's default action, so that the shell knows."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError, RuntimeError):
        pass            # full, closed, or we are in the middle of a write to it
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
