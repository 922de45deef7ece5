"""One line on stderr for people."""

import sys

from s3kit.text import visible

CLEAR = "\r\x1b[K"          # to the beginning of the line, and erase what a progress bar left there


class Screen:
    """What is on the terminal at present: the progress bar that is shown, or None."""

    bar = None


def say(name, text):
    """Write `NAME: text` to stderr, with what could act on a terminal written out."""
    try:
        sys.stderr.write(f"{CLEAR if Screen.bar else ''}{visible(f'{name}: {text}')}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass            # stderr is closed or full
