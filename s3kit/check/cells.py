"""Which cells of a row make no sense, and what was expected in their place."""

import re
from difflib import get_close_matches

from s3kit.disk.paths import is_inside
from s3kit.manifest import edited
from s3kit.manifest.row import (BARE_NAMES, COLUMNS, FAILED, KNOWN, STATES, column_of,
                                from_values)
from s3kit.manifest.states import PLAIN
from s3kit.units import known_ns

EXPECTED = {"bucket": "letters, digits, '.', '-' and '_'",
            "key": "text of at most 1,024 bytes, '%' written as %25",
            "is_latest": "true or false", "is_delete_marker": "true or false",
            "size": "the number of bytes in digits", "state": f"one of {', '.join(STATES)}",
            "last_modified": "a time like 2026-01-31T12:00:00Z",
            "version_id": "an id as S3 gives it", "etag": "an ETag as S3 gives it",
            "checksum": "base64, as S3 gives it", "path": "a path below the destination",
            "digest": "the name of a hash, a colon, and hexadecimal digits"}
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?(?:-[0-9]+)?")
DIGEST = re.compile(r"[a-z0-9-]+:[0-9a-fA-F]+")


def faults(row):
    """Yield (column, what) of a row that makes no sense; the column is '' where it is all of it.

    Each cell is read as the only one of its row, so that one fault does not hide another.
    """
    told = without_place(row.error)
    found = [(column, why) for column, cell in row.verbatim.items()
             if (why := fault_of_cell(column, cell))]
    if told not in [why for _, why in found]:       # too many cells, a quote: they mean nothing
        found = [("", told)]
    for column, why in found:
        yield column, why if why.endswith(")") else why + expected(column)


def fault_of_cell(column, cell):
    """Return why a cell makes no sense by itself, or ''."""
    cells = ["b", "k", *[""] * (len(COLUMNS) - 2)]
    cells[COLUMNS.index(column)] = cell
    row = from_values(cells, 0)
    return without_place(row.error) if row.verbatim is not None and row.state == FAILED else ""


def without_place(error):
    """Return the error of a row that makes no sense, without `line 7: `."""
    return re.sub(r"^(?:line|row) \d+: ", "", error)


def expected(column):
    """Return what belongs into a column, to stand behind what is wrong."""
    return f" (expected: {EXPECTED[column]})" if column in EXPECTED else ""


def oddities(row, is_bare):
    """Yield (column, what) of what commands would take, and most likely was not meant."""
    if row.last_modified and known_ns(row.last_modified) is None:
        yield "last_modified", f"'{row.last_modified}' is not a time{expected('last_modified')}"
    for column, pattern in (("version_id", PLAIN), ("etag", PLAIN), ("checksum", BASE64),
                            ("digest", DIGEST)):
        cell = getattr(row, column)
        if cell and not pattern.fullmatch(cell):
            yield column, f"'{cell}' cannot be one{expected(column)}"
    if row.path and not is_inside(row.path):
        yield "path", f"'{row.path}' leads outside the destination{expected('path')}"
    if is_bare:
        yield from odd_key(row.key)


def odd_key(key):
    """Yield (column, what) of a key that a person hardly means."""
    if key != key.strip():
        yield "key", f"'{key}' has blanks at its ends, which belong to it"
    if re.fullmatch(edited.ERROR, key) or re.fullmatch(edited.ROUNDED, key):
        yield "key", f"'{key}' is what spreadsheets make of other keys"


def misspelt(names):
    """Yield what is wrong with the names of a header: a column of ours that is nearly named is not
    one.
    """
    for name in names:
        bare = re.sub("[-_ ]", "", name.strip().lower())
        close = get_close_matches(bare, [other for other in BARE_NAMES
                                         if BARE_NAMES[other] not in map(column_of, names)], 1, 0.8)
        if close and column_of(name) not in KNOWN:
            yield f"'{name}' is a column of your own: was {BARE_NAMES[close[0]]} meant?"
