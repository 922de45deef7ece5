"""Text for people: no object name may write an escape sequence to a terminal or a log."""

import re

# C0, DEL, C1, line separators, bidirectional controls, and what is no character at all.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
                    "\ud800-\udfff\ufeff\ufffe\uffff]")


def visible(text):
    """Return `text` with everything that could act on a terminal written out as \\xNN or \\uNNNN.
    """
    text = str(text)
    return UNSAFE.sub(escape, text) if UNSAFE.search(text) else text


def escape(match):
    """Return one unsafe character written out."""
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def count(number, noun):
    """Return `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
