"""Lists of keys, one a line or each ended by NUL: nothing is encoded, nothing quoted."""

import codecs

from s3kit.errors import Fault
from s3kit.manifest.row import COLUMNS, LISTED, from_values

ENDS = {"keys": "\n", "keys0": "\0"}
HOLD = 1 << 20      # bytes without an end, which is not a list of keys


class Reader:
    """Feed it bytes, it gives back rows: `feed`, then `close`."""

    marked = ended = False
    miscounts, extras = (), ()

    def __init__(self, form, bucket):
        self.form, self.bucket, self.end = form, bucket, ENDS[form]
        # Only what editors write has a byte order mark.
        encoding = "utf-8-sig" if form == "keys" else "utf-8"
        self.decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        self.rest = ""
        self.line = self.count = 0
        self.stop = None

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        if self.stop:
            return []
        *keys, self.rest = (self.rest + self.decoder.decode(data)).split(self.end)
        if len(self.rest) > HOLD:
            self.stop = Fault(f"line {self.line + len(keys) + 1}: no end of the key within "
                              f"{HOLD:,} characters")
        return self.rows(keys)

    def close(self):
        """Return the last row, for the last key may have no end."""
        return self.rows([self.rest + self.decoder.decode(b"", True)])

    def rows(self, keys):
        """Return the rows of some keys; an empty line is none."""
        found = []
        for key in keys:
            self.line += 1
            if self.end == "\n":
                key = key.removesuffix("\r")
            if key:
                found.append(self.row(key))
        self.count += len(found)
        return found

    def row(self, key):
        """Return the Row of a key as it stands: a `%` in it is nothing but that."""
        cells = dict.fromkeys(COLUMNS, "") | {"bucket": self.bucket, "state": LISTED,
                                              "key": key.replace("%", "%25")}
        return from_values(list(cells.values()), self.line)


class Writer:
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`."""

    is_marked = False
    extras = ()

    def __init__(self, form):
        self.form, self.separator = form, ENDS[form]
        self.is_first = True

    def begin(self, extras):
        """Return nothing: there is no header."""
        return b""

    def rows(self, rows):
        """Return the keys of rows. Raises Fault for one that a list of keys cannot name."""
        for row in rows:
            why = self.why_not(row)
            if why:
                raise Fault(f"{row.name}: {why}")
            self.is_first = False
        return "".join(row.key + self.separator for row in rows).encode()

    def why_not(self, row):
        """Return why a row cannot be in a list of keys, or ''."""
        if row.verbatim is not None:
            return f"{row.error}: it has no place in a list of keys"
        if row.is_marker or row.is_latest == "false":
            return "a list of keys names no delete markers and older versions"
        if self.separator in row.key or "\r" in row.key[-1:] and self.separator == "\n":
            return "the end of its line is in the key (-f keys0 can carry it)"
        if self.is_first and row.key[0] == "\ufeff" and self.separator == "\n":
            return ("the list would begin with a byte order mark, which is none of the key's "
                    "(-f keys0 can carry it)")
        return ""

    def end(self, count):
        """Return nothing: there is no end mark."""
        return b""


def reader(form, bucket, columns):
    """Return a reader of a list of keys."""
    return Reader(form, bucket)


def writer(form):
    """Return a writer of a list of keys."""
    return Writer(form)
