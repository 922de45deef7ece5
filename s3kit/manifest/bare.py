"""What stands in a bare manifest besides its rows, and how people's programs separate columns.

Excel saves CSV with semicolons in countries that write a decimal comma.
"""

import re

from s3kit.errors import Fault
from s3kit.manifest.edited import ERROR
from s3kit.manifest.row import COLUMNS, KNOWN, column_of

# How our own marks begin, also spoilt ones: no comments.
MARK = r"(?i)#\s*(?:s3kit\s+manifest|end\s+rows|shard\s+\d)"
QUOTED = r'\s*"(?:[^"]|"")*"\s*([;\t])'
SIGNS = ("", " ", "\t", "#")         # how the first cell begins of what `says_nothing` looks at
WORDS = {";": "';'", "\t": "tabs"}
CR_ALONE = "lines end in CR alone: save it with lines that end in LF or CR LF"


def is_comment(line, is_first):
    """Return whether a line that begins with `#` is a person's comment; `is_first` where no row or
    header was before it.

    Raises Fault where it is a header instead: without one cells would be taken for others.
    """
    if re.match(MARK, line) or re.match(ERROR, line):
        return False
    names = [column_of(name) for name in line[1:].split(",")]
    if is_first and "key" in names and set(names) <= {*KNOWN, ""}:
        raise Fault(f"a header begins without '#': '{line.strip()}'")
    return True


def says_nothing(cells, is_first):
    """Return whether a record that begins with the bucket is a comment in quotes, blanks alone, or
    `sep=,`, which some write for Excel.
    """
    if any(map(str.strip, cells[1:])):
        return False
    text = cells[0].strip()
    if not text or is_first and len(cells) == 2 and text.lower() == "sep=":
        return True
    return text[0] == "#" and is_comment(text, is_first)


def separated_by(sign):
    """Return the Fault of a manifest whose columns are separated by `sign`."""
    return Fault(f"columns are separated by {WORDS[sign]}: a manifest's are by ','")


def check_separator(text):
    """Raise Fault where a first cell, of a bucket or of a header, shows another separator."""
    for sign in WORDS:
        if sign in text.strip(" "):
            raise separated_by(sign)


def check_first_line(line):
    """Raise Fault where a first line, which is not CSV, shows what was done to the whole file."""
    quoted = re.match(QUOTED, line)
    if quoted:
        raise separated_by(quoted[1])
    if "\r" in line.rstrip("\r\n"):
        raise Fault(CR_ALONE)


def is_header_row(names, given, bucket):
    """Return whether a first row is a header, not an object called `key` where `given` has its
    keys.

    With a `bucket` given, a short row without one is a header rather than an object in a bucket of
    its own.
    """
    if "key" not in names:
        return False
    known = [name for name in names if name in KNOWN]
    at = names.index("key")
    return len(known) > 1 or len(names) == 1 or given[at:at + 1] != ["key"] or (
        bool(bucket) and given == list(COLUMNS) and len(names) < len(COLUMNS))
