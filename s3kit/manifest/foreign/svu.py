r"""The CSV of S3-Version-Utilities: a key and its version on each line, no header and no bucket
(https://github.com/vile8/S3-Version-Utilities, s3_manifest.py).

It is that of Python's csv module with `quotechar='\\'`: a cell that holds a comma, a backslash or
the end of a line stands between backslashes, and a backslash in it is written twice.
"""

import re

from s3kit.errors import Fault
from s3kit.manifest import base
from s3kit.manifest.foreign import pairs
from s3kit.manifest.row import COLUMNS, LISTED, encode, from_values

QUOTE = "\\"
# A byte order mark at the beginning would be taken for an editor's.
SPECIAL = re.compile("[,\\\\\r\n]|^\ufeff")


class Reader(pairs.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    A line without a version would be whatever S3 has now, and makes no sense.
    """

    form, quote, wanted = "svu", QUOTE, "a key and its version"

    def row(self, key, version, line):
        """Return the Row of a key and its version."""
        cells = dict.fromkeys(COLUMNS, "") | {"bucket": self.bucket, "key": encode(key),
                                              "version_id": version, "state": LISTED}
        return from_values(list(cells.values()), line)


class Writer(base.Writer):
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`."""

    def __init__(self):
        self.bucket = ""

    def rows(self, rows):
        """Return the lines of rows. Raises Fault for one that this form cannot carry."""
        for row in rows:
            why = self.why_not(row)
            if why:
                raise Fault(f"{row.name}: {why}")
        return "".join(f"{quoted(row.key)},{quoted(row.version_id)}\r\n" for row in rows).encode()

    def why_not(self, row):
        """Return why a row cannot be in a list of S3-Version-Utilities, or ''."""
        if row.verbatim is not None:
            return f"{row.error}: it has no place in a list of versions"
        if not row.version_id:
            return "it names no version, and each line of svu has one"
        if row.is_marker:
            return "svu does not know delete markers (s3-filter --no-markers leaves them out)"
        self.bucket = self.bucket or row.bucket
        if row.bucket != self.bucket:
            return f"svu does not name buckets, and the rows before it are of '{self.bucket}'"
        if "\0" in row.key:
            return "svu cannot carry a NUL in a key"
        return ""


def quoted(cell):
    """Return a cell as Python's csv module writes it with this quote."""
    return f"\\{cell.replace(QUOTE, QUOTE * 2)}\\" if SPECIAL.search(cell) else cell


def reader(form, bucket, columns):
    """Return a reader of a list of S3-Version-Utilities."""
    return Reader(bucket)


def writer(form):
    """Return a writer of a list of S3-Version-Utilities."""
    return Writer()
