"""Text for people and by them: no object name may write an escape sequence to a terminal or a log,
and what they wrote is read whatever their editor put before it.
"""

import re

from s3kit.errors import Fault, of_file

# C0, DEL, C1, line separators, bidirectional controls, and what is no character at all.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
                    "\ud800-\udfff\ufeff\ufffe\uffff]")
LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
# What differs from one row to the next in messages of one cause. An apostrophe within a word, as in
# "S3's", opens and closes nothing.
NAMES = re.compile(r"""(?<!\w)'.*?'(?!\w)|(?<!\w)".*?"(?!\w)|\b(?:s3|https?)://\S+|\barn:\S+""",
                   re.DOTALL)
# Version ids, ETags, upload ids: long, with digits in them.
IDS = re.compile(r"(?<![\w-])(?:[0-9a-f]{16,}(?:-\d+)?|"
                 r"(?=\S*\d)(?=\S*[A-Z])[\w.+/=-]{16,})(?!\w)")
# HTTP's statuses and numbers of errors and signals are words, and so are those in names (crc32).
NUMBERS = re.compile(r"(?<![\w%.-])(?<!says )(?<!status )(?<!error )(?<!signal )\d[\d,.:]*(?<=\d)"
                     r"(?:[KMGTPE](?:i?B)?)?(?!\w)")
LONGEST_CAUSE, LOOKED_AT = 200, 2000     # characters of it, and of the error


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


def cause_of(error, *names):
    """Return what the errors of many rows have in common: the text without names and numbers.

    `names` are those that the row is known to have (key, path): they may have quotes in them.
    """
    for name in names:
        if name:
            error = error.replace(f"'{name}'", "'...'")
    text = NUMBERS.sub("N", IDS.sub("...", NAMES.sub("'...'", error[:LOOKED_AT])))
    return visible(" ".join(text.split()))[:LONGEST_CAUSE]


def command(*words, dest="."):
    """Return a command line of ours that people can paste; `dest` is their -d."""
    from shlex import join
    return join([*words, *(["-d", dest] if dest != "." else [])])


def is_unicode(text):
    """Return whether a text can be sent: bytes of a command line that are not UTF-8 come as lone
    surrogates, and no name in S3 has such.
    """
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def to_bytes(text):
    """Return a text as UTF-8: a lone surrogate that stands for a byte goes back as it came, another
    (JSON can name them) becomes U+FFFD.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return LONE.sub("\ufffd", text).encode("utf-8", "surrogateescape")


def read_text(path):
    """Return the text of a file that people write, without a byte order mark. Raises Fault."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except UnicodeDecodeError:
        raise Fault(f"cannot read '{path}': it is not UTF-8 text") from None
    except OSError as error:
        raise of_file("read", path, error) from None
