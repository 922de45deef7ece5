"""Rows to and from CSV (RFC 4180): the marked form with header and end mark, and a person's bare
form.
"""

import codecs
import csv
import io
import re

from s3kit.errors import Cut, Fault
from s3kit.manifest import bare, base
from s3kit.manifest.columns import Columns
from s3kit.manifest.row import COLUMNS, FAILED, Row, from_values, values
from s3kit.manifest.shards import mark_of
from s3kit.text import to_bytes

MARK, SHARD = "#s3kit manifest ", "#shard "
VERSION = "1"
END = re.compile(r"#end rows=([0-9]{1,19})")
NONE = -1           # no number of cells
SHOWN = 10          # end marks that do not fit, of which people are told
HOLD = 1 << 20      # characters that one record may have
csv.field_size_limit(HOLD)
QUOTE, SPECIAL = '"', re.compile('[",\r\n]')
OPEN_QUOTE = "unexpected end of data"       # how the csv module says it, in strict mode


class Reader(base.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    `columns` names a headerless input's columns; `bucket` fills rows without one. Of `miscounts`
    there are SHOWN at most.
    """

    form = "csv"

    def __init__(self, bucket="", columns=None):
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self.buffer = ""
        self.line = 0
        # rows, and those that an end mark of a bare input has counted
        self.count = self.counted = 0
        self.declared, self.miscounts = None, []
        self.early = 0              # comments before it is known whether all lines are keys
        self.columns = Columns(bucket, columns)
        self.extras, self.shards = self.columns.extras, []
        self.stop = None
        self.width = NONE           # how many cells are a row's columns as they stand

    @property
    def has_header(self):
        """Whether the columns are known."""
        return bool(self.columns.names)

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        if self.stop:
            return []
        self.buffer += self.decoder.decode(data)
        cut = self.buffer.rfind("\n") + 1
        text, self.buffer = self.buffer[:cut], self.buffer[cut:]
        rows = self.parse(text, last=False) if text else []
        if len(self.buffer) > HOLD and not self.stop:
            self.stop = Fault(bare.CR_ALONE if not self.line and "\r" in self.buffer else
                              f"line {self.line + 1}: no end of the row within {HOLD:,} characters")
        return rows

    def close(self):
        """Return the last rows. A line without its end may be whole only in a bare manifest."""
        rest, self.buffer = self.buffer + self.decoder.decode(b"", True), ""
        if not rest or self.stop or self.marked:
            return []
        if not self.count and (MARK + VERSION).startswith(rest):
            self.stop = Cut("the input was cut within its first line")
            return []
        rows = self.parse(rest, last=True)
        self.lacks_end = bool(rows)
        return rows

    def parse(self, text, last):
        """Return the rows of whole lines, up to where `stop` is set.

        A record whose quote is still open goes back to the buffer, for more lines may close it.
        """
        lines, rows = list(io.StringIO(text, newline="\n")), []
        self.done = 0
        has_comments = not self.marked and (text[0] == "#" or "\n#" in text)
        records = csv.reader(self.uncommented(lines) if has_comments else iter(lines), strict=True)
        try:
            while not self.read(records, lines, rows, last):
                pass
        except Fault as fault:
            self.stop = fault
        self.line += self.done
        return rows

    def read(self, records, lines, rows, last):
        """Append the rows of `records`, those of `lines`, up to one that is not CSV; return whether
        none is.
        """
        try:
            for cells in records:
                row = self.record(cells, self.line + records.line_num)
                self.done = records.line_num
                if row:
                    rows.append(row)
            return True
        except csv.Error as error:
            done = self.done
            if str(error) == OPEN_QUOTE and not last:
                self.buffer = "".join(lines[done:]) + self.buffer
                return True
            if "field limit" in str(error):
                # Where this row ends nobody knows: what follows may be the inside of a cell.
                raise Fault(f"line {self.line + done + 1}: no end of the row within {HOLD:,} "
                            "characters") from None
            self.not_csv(self.line + done + 1, lines[done])
            rows.append(failed(self.line + done + 1, error, lines[done:records.line_num]))
            self.done = records.line_num
            return False

    def uncommented(self, lines):
        """Yield lines, those that are comments as empty ones: a row can begin where the last one
        was done.
        """
        for at, line in enumerate(lines):
            yield "\n" if at == self.done and line[0] == "#" and self.is_comment(line) else line

    def not_csv(self, line, text):
        """Count a record that the csv module cannot read. Raises Fault where none of the file can
        be, Cut after the end mark.
        """
        if self.ended:
            raise Cut(f"line {line}: something follows the end mark")
        if self.columns.names is None:
            bare.check_first_line(text)
        self.count += 1

    def record(self, cells, line):
        """Return the Row of one record, or None where it is a header, a mark or an empty line."""
        if len(cells) == self.width and cells[0] and cells[0][0] != "#":
            self.count += 1         # as nearly all are
            return from_values(cells, line)
        columns = self.columns
        is_first = columns.names is None
        if not any(cells) or (is_first or cells[0][:1] in bare.SIGNS) and self.says_nothing(cells):
            return None
        if cells[0][:1] == "#" and not any(cells[1:]) and self.note(cells[0].rstrip(), line):
            return None
        if self.ended:
            raise Cut(f"line {line}: something follows the end mark")
        if is_first:
            is_header = columns.take(cells, self.marked)
            self.comments += self.early if columns.header is None and columns.first == "key" else 0
            self.width = len(COLUMNS) if self.marked and columns.is_direct else NONE
            if is_header:
                return None
        if cells == columns.header and not self.marked:
            return None         # `cat` of two bare manifests
        self.count += 1
        return columns.row(cells, line)

    def is_comment(self, line):
        """Return whether a line that begins with `#` is a comment, and count it if it could be a
        key. In a list of keys without a header it is one.
        """
        columns = self.columns
        is_key = columns.first == "key"
        if self.marked or is_key and not columns.header or not bare.is_comment(
                line, columns.names is None):
            return False
        self.comments += is_key
        self.early += columns.names is None and not is_key
        return True

    def says_nothing(self, cells):
        """Return whether a record of a bare manifest is not meant as one; with the key first it may
        be one all the same.
        """
        columns = self.columns
        return (not self.marked and columns.first == "bucket"
                and bare.says_nothing(cells, columns.names is None))

    def note(self, text, line):
        """Take a line that starts with `#`; return whether it was a mark of ours."""
        if text.startswith(MARK):
            if not self.ended and (self.marked or self.count):
                raise Cut(f"line {line}: a new manifest begins before the end mark of the last")
            if text.rstrip(";") == MARK + VERSION != text:
                raise bare.separated_by(";")
            if text[len(MARK):] != VERSION:
                raise Fault(f"manifest version {text[len(MARK):]} is newer than this s3kit reads")
            self.marked, self.ended, self.count, self.counted = True, False, 0, 0
            self.columns.begin()
            self.shards.append("")
            return True
        if text.startswith(SHARD) and not self.marked:      # what somebody took from a shard
            return self.columns.first != "key"
        if text.startswith(SHARD) and self.columns.names is None:
            self.shards[-1] = mark_of(text.removeprefix(SHARD))
            return True
        end = END.fullmatch(text)
        if end:
            self.end(int(end[1]))
        return bool(end)

    def end(self, said):
        """Take an end mark; one in a bare input is that of the piece before it, and promises
        nothing about what follows.
        """
        self.declared, came = said, self.count - self.counted
        if said != came and len(self.miscounts) < SHOWN:
            self.miscounts.append((said, came))
        if self.marked:
            self.ended, self.width = True, NONE
        else:
            self.counted = self.count


def failed(line, error, lines):
    """Return the failed row of what the csv module cannot read, for an `error` of its."""
    why = ("a quote is opened and never closed" if str(error) == OPEN_QUOTE
           else f"not CSV: {error}")
    return Row(state=FAILED, error=f"line {line}: {why}",
               verbatim={"key": "".join(lines).rstrip("\r\n")[:1024]})


class Writer(base.Writer):
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`."""

    is_marked = True

    def begin(self, extras):
        """Return the first lines; `extras` are the unknown columns to carry along."""
        self.extras = list(extras)
        mark = [[SHARD + self.shard]] if self.shard else []
        return self.text([[MARK + VERSION], *mark, list(COLUMNS) + self.extras])

    def rows(self, rows):
        """Return the lines of `rows`."""
        if not self.extras:
            return self.text(map(values, rows))
        return self.text(values(row) + [(row.extra or {}).get(name, "") for name in self.extras]
                         for row in rows)

    def end(self, count):
        """Return the end mark."""
        return f"#end rows={count}\n".encode()

    def text(self, records):
        """Return records as CSV bytes; a lone surrogate, from a line that was no UTF-8, goes back
        as it came.

        Nearly always nothing is to be quoted, which is seen of all lines at once.
        """
        records = list(records)
        lines = "\n".join(map(",".join, records)) + "\n"
        if ('"' in lines or "\r" in lines or lines.count("\n") != len(records)
                or lines.count(",") != sum(map(len, records)) - len(records)):
            lines = "".join(map(quoted, records))
        return to_bytes(lines)


class BareWriter(Writer):
    """Writes a header and rows alone, as tools read them that know no comments."""

    is_marked = False

    def begin(self, extras):
        """Return the header; `extras` are the unknown columns to carry along."""
        self.extras = list(extras)
        return self.text([list(COLUMNS) + self.extras])

    def end(self, count):
        """Return nothing: there is no end mark."""
        return b""


def quoted(record):
    """Return a record as a line of CSV, the cells quoted that must be (RFC 4180)."""
    return ",".join(f'"{cell.replace(QUOTE, QUOTE * 2)}"' if SPECIAL.search(cell) else cell
                    for cell in record) + "\n"
