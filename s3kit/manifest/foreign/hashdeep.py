"""What hashdeep writes: sizes and hashes of files, after a header that says which.

The name is the last column, with whatever commas; nothing is quoted, nothing escaped
(https://github.com/jessek/hashdeep/blob/master/src/display.cpp). Its option -0 ends the lines of
files, not those of the header, with NUL.
"""

from getopt import GetoptError, gnu_getopt

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign.sums import nonsense, row_of
from s3kit.manifest.foreign.text_lines import FileNames
from s3kit.proof.given import given
from s3kit.units import number

STRONGEST = ("sha256", "sha1", "md5")
BANNER, NAMES, COMMENT, FROM = "%%%% HASHDEEP", "%%%% ", "##", "## Invoked from: "
# What `getopt` is told by src/main.cpp, and what of it makes names that no file has.
OPTIONS = "abc:CdeEF:f:o:I:i:MmXxtlk:rsp:wvVhW:0D:uj:"
SPOILS = {"-b": "leaves the directories of all names out",
          "-p": "takes hashes of pieces of files",
          "-u": "writes letters as U+XXXX, which can be the name of another file"}


class Reader(FileNames):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    `extras` are the columns of the hashes that do not go to `digest`.
    """

    form = "hashdeep"

    def __init__(self, bucket):
        super().__init__(bucket)
        self.names, self.kind, self.top, self.command = None, "", "", ""
        self.extra, self.extras = [], []    # of this header, and of all

    def close(self):
        """Return the last rows."""
        rows = super().close()
        if self.names is None and not self.stop:
            self.stop = Cut("no names of columns came: the list was cut")
        return rows

    def row(self, text):
        """Return the Row of a line, None where it says nothing of a file."""
        while text.startswith((NAMES, COMMENT)):
            line, _, text = text.partition("\n")    # with -0 a file's line stands behind them
            self.head(line.removesuffix("\r") if text else line)
        return self.file(text) if text and not self.stop else None

    def head(self, line):
        """Take a line of the header."""
        if line.startswith(BANNER):
            self.command = ""
        elif line.startswith(NAMES):
            self.choose(line.removeprefix(NAMES).split(","))
        elif line.startswith(FROM):
            self.top = line.removeprefix(FROM).rstrip("/") + "/"
        elif line.strip() != COMMENT:
            self.command += line.removeprefix(COMMENT)
        else:
            self.check_options()

    def check_options(self):
        """Stop where the header's command had hashdeep write names that cannot be looked for."""
        try:
            given_options, _ = gnu_getopt(self.command.split(), OPTIONS)
        except GetoptError:
            return      # arguments are not quoted in it
        for option, _ in given_options:
            if option in SPOILS and not self.stop:
                self.stop = Fault(f"line {self.line}: hashdeep {option} {SPOILS[option]}: run it "
                                  f"without, or take {option} out of the list's first lines if "
                                  "these names are right")

    def choose(self, names):
        """Take the names of the columns."""
        if names[0] != "size" or names[-1] != "filename" or len(set(names)) < len(names):
            self.stop = Fault(f"line {self.line}: unknown columns: {','.join(names)}")
            return
        self.names = names
        self.kind = next((kind for kind in STRONGEST if kind in names), "")
        self.extra = [name for name in names[1:-1] if name != self.kind]
        self.extras += [name for name in self.extra if name not in self.extras]

    def file(self, line):
        """Return the Row of a file's line."""
        try:
            if self.names is None:
                raise ValueError("no names of columns came before it")
            cells = line.split(",", len(self.names) - 1)
            if len(cells) < len(self.names) or number(cells[0]) is None:
                raise ValueError("not a line of hashdeep (without its option -0 it breaks names "
                                 "with line feeds in two)")
            told = dict(zip(self.names, cells))
            digest = given(self.kind, told[self.kind]) if self.kind else ""
            row = row_of(self.bucket, cells[-1].removeprefix(self.top), digest, self.line)
        except ValueError as error:
            return nonsense(line, f"line {self.line}: {error}")
        if row.verbatim is None:
            row.size = cells[0]
        row.extra = {name: told[name] for name in self.extra}
        return row


def reader(form, bucket, columns):
    """Return a reader of hashdeep's output."""
    return Reader(bucket)
