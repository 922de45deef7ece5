"""What hashdeep writes: sizes and hashes of files, after a header that says which.

The name is the last column, with whatever commas; nothing is quoted, nothing escaped
(https://github.com/jessek/hashdeep/blob/master/src/display.cpp).
"""

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.sums import nonsense, row_of
from s3kit.manifest.foreign.text_lines import Lines
from s3kit.proof.given import given
from s3kit.units import number

STRONGEST = ("sha256", "sha1", "md5")
BANNER, NAMES, FROM = "%%%% HASHDEEP", "%%%% ", "## Invoked from: "


class Reader(Lines):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    `extras` are the columns of the hashes that do not go to `digest`.
    """

    form = "hashdeep"

    def __init__(self, bucket):
        super().__init__(bucket)
        self.names, self.kind, self.top, self.extras = None, "", "", []

    def close(self):
        """Return no more: the last line has an end, too."""
        super().close()
        if self.names is None and not self.stop:
            self.stop = Cut("no names of columns came: the list was cut")
        return []

    def row(self, text):
        """Return the Row of a line, None where it says nothing of a file."""
        if text.startswith(FROM):
            self.top = text.removeprefix(FROM).rstrip("/") + "/"
        elif text.startswith(NAMES) and not text.startswith(BANNER):
            self.choose(text.removeprefix(NAMES).split(","))
        elif text and not text.startswith(("##", BANNER)):
            return self.file(text)
        return None

    def choose(self, names):
        """Take the names of the columns."""
        if names[0] != "size" or names[-1] != "filename" or len(set(names)) < len(names):
            self.stop = Fault(f"line {self.line}: unknown columns: {','.join(names)}")
            return
        self.names = names
        self.kind = next((kind for kind in STRONGEST if kind in names), "")
        self.extras = [name for name in names[1:-1] if name != self.kind]

    def file(self, line):
        """Return the Row of a file's line."""
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
