"""Lists of keys, one a line or each ended by NUL: nothing is encoded, nothing quoted."""

from s3kit.errors import Fault
from s3kit.manifest import base
from s3kit.manifest.foreign.text_lines import Lines
from s3kit.manifest.row import COLUMNS, LISTED, from_values

ENDS = {"keys": "\n", "keys0": "\0"}


class Reader(Lines):
    """Feed it bytes, it gives back rows: `feed`, then `close`. No editor writes NUL: what lists
    names so ends each of them.
    """

    def __init__(self, form, bucket):
        self.form, self.end = form, ENDS[form]
        self.needs_end = self.end != "\n"
        super().__init__(bucket)

    def row(self, key):
        """Return the Row of a key as it stands, a `%` in it is nothing but that; of an empty line
        None.
        """
        if not key:
            return None
        cells = dict.fromkeys(COLUMNS, "") | {"bucket": self.bucket, "state": LISTED,
                                              "key": key.replace("%", "%25")}
        return from_values(list(cells.values()), self.line)


class Writer(base.Writer):
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`."""

    def __init__(self, form):
        self.form, self.separator = form, ENDS[form]
        self.is_first = True

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
        if row.version_id and not row.is_latest:
            return ("it names a version, and does not say that it is the latest, which is what a "
                    "list of keys names (-f batch and -f ndjson keep versions)")
        if self.separator in row.key or "\r" in row.key[-1:] and self.separator == "\n":
            return "the end of its line is in the key (-f keys0 can carry it)"
        if self.is_first and row.key[0] == "\ufeff" and self.separator == "\n":
            return ("the list would begin with a byte order mark, which is none of the key's "
                    "(-f keys0 can carry it)")
        return ""


def reader(form, bucket, columns):
    """Return a reader of a list of keys."""
    return Reader(form, bucket)


def writer(form):
    """Return a writer of a list of keys."""
    return Writer(form)
