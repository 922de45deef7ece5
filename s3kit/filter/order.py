"""The orders that people name: `--sort -size,key`."""

from operator import attrgetter

from s3kit.errors import Fault
from s3kit.manifest.row import COLUMNS, KNOWN, column_of
from s3kit.units import known_ns, number

NUMERIC = ("size", "last_modified")
# Turns the order of UTF-8 text round: its bytes are below 0xF5, and END is above all of these.
TURNED = bytes(max(0, 0xFE - byte) for byte in range(256))
END = b"\xff"


def columns_of(text):
    """Return [(column, whether it is turned round)] of `--sort`'s text. Raises ValueError."""
    found = []
    for name in text.split(","):
        turned = name.strip().startswith("-")
        column = name.strip().removeprefix("-").strip()
        column = column_of(column) if column_of(column) in KNOWN else column
        if not column:
            raise ValueError("--sort wants the names of columns, like -size,key")
        found.append((column, turned))
    return found


def key_of(columns):
    """Return the function that gives a row's key for sorting, from what `columns_of` returns.

    A size is compared as a number, a time as a time, all else as text, as its UTF-8 bytes. A size
    or time that is not known, or makes no sense, is before all others; after them where turned.
    """
    if not any(turned or column in NUMERIC or column not in COLUMNS for column, turned in columns):
        return attrgetter(*(column for column, _ in columns))       # in a third of the time
    values = [value_of(column, turned) for column, turned in columns]
    if len(values) == 1:
        return values[0]
    return lambda row: [value(row) for value in values]


def check_columns(columns, extras):
    """Raise Fault where a column is neither a row's own nor one of the unknown ones: rows that are
    sorted by a misspelt name would look sorted.
    """
    for column, _ in columns:
        if column not in KNOWN and column not in extras:
            raise Fault(f"--sort: the rows have no column '{column}'")


def value_of(column, turned):
    """Return the function that gives what a row is compared by in one column."""
    if column in NUMERIC:
        read, sign = known_ns if column == "last_modified" else number, -1 if turned else 1

        def numeric(row):
            found = read(getattr(row, column))
            return (0, 0) if found is None else (sign, sign * found)
        return numeric

    def text(row):
        return getattr(row, column) if column in COLUMNS else (row.extra or {}).get(column, "")
    if not turned:
        return text
    return lambda row: text(row).encode("utf-8", "surrogatepass").translate(TURNED) + END
