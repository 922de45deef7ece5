"""What hashdeep writes: sizes and hashes of files, after a header that says which.

The name is the last column, with whatever commas; nothing is quoted, nothing escaped
(https://github.com/jessek/hashdeep/blob/master/src/display.cpp).
"""

import codecs

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.sums import nonsense, row_of
from s3kit.proof.given import given
from s3kit.units import number

STRONGEST = ("sha256", "sha1", "md5")
BANNER, NAMES, FROM = "%%%% HASHDEEP", "%%%% ", "## Invoked from: "
HOLD = 1 << 16      # characters of a line at most


class Reader:
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    `extras` are the columns of the hashes that do not go to `digest`.
    """

    form, marked, ended, miscounts = "hashdeep", False, False, ()

    def __init__(self, bucket):
        self.bucket, self.names, self.kind, self.extras = bucket, None, "", []
        self.top, self.rest, self.line, self.count, self.stop = "", "", 0, 0, None
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        if self.stop:
            return []
        *lines, self.rest = (self.rest + self.decoder.decode(data)).split("\n")
        rows = self.rows(lines)
        if len(self.rest) > HOLD and not self.stop:
            self.stop = Fault(f"line {self.line + 1}: no end within {HOLD:,} characters")
        return rows

    def close(self):
        """Return no more: the last line has an end, too."""
        if self.rest + self.decoder.decode(b"", True) and not self.stop:
            self.stop = Cut("the input was cut: its last line has no end")
        elif self.names is None and not self.stop:
            self.stop = Cut("the input was cut: no names of columns came")
        return []

    def rows(self, lines):
        """Return the rows of some lines."""
        found = []
        for line in lines:
            self.line += 1
            line = line.removesuffix("\r")
            if line.startswith(FROM):
                self.top = line.removeprefix(FROM).rstrip("/") + "/"
            elif line.startswith(NAMES) and not line.startswith(BANNER):
                self.choose(line.removeprefix(NAMES).split(","))
            elif line and not line.startswith(("##", BANNER)):
                found.append(self.row(line))
            if self.stop:
                break
        self.count += len(found)
        return found

    def choose(self, names):
        """Take the names of the columns."""
        if names[0] != "size" or names[-1] != "filename" or len(set(names)) < len(names):
            self.stop = Fault(f"line {self.line}: unknown columns: {','.join(names)}")
            return
        self.names = names
        self.kind = next((kind for kind in STRONGEST if kind in names), "")
        self.extras = [name for name in names[1:-1] if name != self.kind]

    def row(self, line):
        """Return the Row of one line."""
        try:
            if self.names is None:
                raise ValueError("no names of columns came before it")
            cells = line.split(",", len(self.names) - 1)
            if len(cells) < len(self.names) or number(cells[0]) is None:
                raise ValueError("not a line of hashdeep (it breaks names with line feeds in two)")
            told = dict(zip(self.names, cells))
            digest = given(self.kind, told[self.kind]) if self.kind else ""
            row = row_of(self.bucket, cells[-1].removeprefix(self.top), digest, self.line)
        except ValueError as error:
            return nonsense(line, f"line {self.line}: {error}")
        if row.verbatim is None:
            row.size = cells[0]
        row.extra = {name: told[name] for name in self.extras}
        return row


def reader(form, bucket, columns):
    """Return a reader of hashdeep's output."""
    return Reader(bucket)
