"""JSON, one object a line: what all forms of it have in common."""

import codecs

from s3kit.errors import Cut, Fault
from s3kit.manifest import base
from s3kit.manifest.foreign.json_parts import DECODER
from s3kit.manifest.foreign.plain import nonsense

HOLD = 1 << 22      # bytes of one line


class Lines(base.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    A form has `take(entry, line)`, which returns the Row of one object of JSON, None where it is
    none, or raises Fault; and may have `finish()`, which returns what ends the reading of a whole
    input, or None.
    """

    def __init__(self, bucket=""):
        self.bucket = bucket
        self.rest = b""
        self.line = self.count = 0
        self.miscounts, self.extras = [], []
        self.stop = None

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        if self.stop:
            return []
        *lines, self.rest = (self.rest + data).split(b"\n")
        rows = self.rows(lines)
        if len(self.rest) > HOLD and not self.stop:
            self.stop = Fault(f"line {self.line + 1}: no end of the line within {HOLD:,} bytes")
        return rows

    def close(self):
        """Return the last row: a last line without its end is whole if its object is."""
        if self.stop:
            return []
        rest, self.rest = self.rest, b""
        rows = []
        if rest.strip():
            if self.parsed(rest.strip()) is None:
                self.stop = Cut(f"line {self.line + 1}: the input was cut")
                return []
            rows = self.rows([rest])
        self.stop = self.stop or self.finish()
        return rows

    def rows(self, lines):
        """Return the rows of whole lines, up to where `stop` is set."""
        found = []
        try:
            for line in lines:
                self.line += 1
                if self.line == 1:
                    line = line.removeprefix(codecs.BOM_UTF8)
                line = line.strip()
                if line:
                    row = self.row(line)
                    if row:
                        self.count += 1
                        found.append(row)
        except Fault as fault:
            self.stop = fault
        return found

    def row(self, line):
        """Return the Row of one line, or None."""
        entry = self.parsed(line)
        if entry is None:
            return nonsense(line.decode("utf-8", "surrogateescape"), f"line {self.line}",
                            "not an object of JSON")
        return self.take(entry, self.line)

    def parsed(self, line):
        """Return the object of a line, or None where it is not one."""
        try:
            entry = DECODER.decode(line.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            return None
        return entry if isinstance(entry, dict) else None

    def finish(self):
        """Return what ends the reading of an input that has come to its end, or None."""
        return None
