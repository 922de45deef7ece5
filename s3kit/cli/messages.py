"""One line on stderr for people."""

import sys
import threading

from s3kit.text import visible

CLEAR = "\r\x1b[K"          # to the beginning of the line, and erase what a progress bar left there


class Screen:
    """What is on the terminal at present: the `bars` that are drawn, if we draw them, and whether
    it `is_shared` with bars at all, which may be those of another stage. Who writes has the lock.
    """

    bars, is_shared = None, False
    lock = threading.RLock()

    @classmethod
    def clear(cls):
        """Take our bars away."""
        with cls.lock:
            if cls.bars:
                cls.bars.clear()


def say(name, text):
    """Write `NAME: text` to stderr, with what could act on a terminal written out."""
    with Screen.lock:
        put(f"{CLEAR if Screen.is_shared else ''}{visible(f'{name}: {text}')}\n")


def put(text):
    """Write to stderr; one that is closed or full gets nothing."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass
