"""Rows to and from CSV (RFC 4180): the marked form with header and end mark, and a person's bare
form.
"""

import codecs
import csv
import io
import re

from s3kit.errors import Cut, Fault
from s3kit.manifest.row import COLUMNS, FAILED, Row, column_of, from_values, values

MARK = "#s3kit manifest "
VERSION = "1"
END = re.compile(r"#end rows=([0-9]{1,19})")
NONE = -1           # no number of cells
SHOWN = 10          # end marks that do not fit, of which people are told
HOLD = 1 << 20      # characters that one record may have
csv.field_size_limit(HOLD)
QUOTE, SPECIAL = '"', re.compile('[",\r\n]')
OPEN_QUOTE = "unexpected end of data"       # how the csv module says it, in strict mode


class Reader:
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    `stop` is the Fault that ends the reading, once there is one: the rows before it still come.
    `columns` names a headerless input's columns; `bucket` fills rows without one. `marked` says
    whether the input promised an end mark, `ended` whether it came, `miscounts` has (said, came) of
    the end marks that are untrue, SHOWN at most, and `extras` has the unknown columns' names.
    """

    form = "csv"

    def __init__(self, bucket="", columns=None):
        self.bucket = bucket
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self.buffer = ""
        self.line = 0
        self.marked = self.ended = False
        # rows, and those that an end mark of a bare input has counted
        self.count = self.counted = 0
        self.declared, self.miscounts = None, []
        self.extras = []
        self.stop = None
        self.given = [column_of(name) for name in columns or COLUMNS]
        self.names = self.first = None
        self.width = NONE           # how many cells are a row's columns as they stand

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        if self.stop:
            return []
        self.buffer += self.decoder.decode(data)
        cut = self.buffer.rfind("\n") + 1
        text, self.buffer = self.buffer[:cut], self.buffer[cut:]
        rows = self.parse(text, last=False) if text else []
        if len(self.buffer) > HOLD and not self.stop:
            self.stop = Fault(f"line {self.line + 1}: no end of the row within {HOLD:,} characters")
        return rows

    def close(self):
        """Return the last rows. A line without its end is whole only in a bare manifest."""
        rest, self.buffer = self.buffer + self.decoder.decode(b"", True), ""
        if not rest or self.stop or self.marked:
            return []
        if not self.count and (MARK + VERSION).startswith(rest):
            self.stop = Cut("the input was cut within its first line")
            return []
        return self.parse(rest, last=True)

    def parse(self, text, last):
        """Return the rows of whole lines, up to where `stop` is set.

        A record whose quote is still open goes back to the buffer, for more lines may close it.
        """
        lines = list(io.StringIO(text, newline="\n"))
        records, rows = csv.reader(iter(lines), strict=True), []
        done = 0
        try:
            while True:
                try:
                    for cells in records:
                        row = self.record(cells, self.line + records.line_num)
                        done = records.line_num
                        if row:
                            rows.append(row)
                    break
                except csv.Error as error:
                    if str(error) == OPEN_QUOTE and not last:
                        self.buffer = "".join(lines[done:]) + self.buffer
                        break
                    if "field limit" in str(error):
                        # Where this row ends nobody knows: what follows may be the inside of a
                        # cell.
                        raise Fault(
                            f"line {self.line + done + 1}: no end of the row within {HOLD:,} "
                            "characters") from None
                    rows.append(self.not_csv(self.line + done + 1, error,
                                             lines[done:records.line_num]))
                    done = records.line_num
        except Fault as fault:
            self.stop = fault
        self.line += done
        return rows

    def not_csv(self, line, error, lines):
        """Return a failed row for what the csv module cannot read."""
        if self.ended:
            raise Cut(f"line {line}: something follows the end mark")
        self.count += 1
        why = ("a quote is opened and never closed" if str(error) == OPEN_QUOTE
               else f"not CSV: {error}")
        return Row(state=FAILED, error=f"line {line}: {why}",
                   verbatim={"key": "".join(lines).rstrip("\r\n")[:1024]})

    def record(self, cells, line):
        """Return the Row of one record, or None where it is a header, a mark or an empty line."""
        if len(cells) == self.width and cells[0] and cells[0][0] != "#":
            self.count += 1         # as nearly all are
            return from_values(cells, line)
        if not any(cells):
            return None
        if cells[0].startswith("#") and not any(cells[1:]) and self.note(cells[0].rstrip(), line):
            return None
        if self.ended:
            raise Cut(f"line {line}: something follows the end mark")
        if self.names is None and self.header(cells):
            self.first = cells
            return None
        if cells == self.first and not self.marked:
            return None         # `cat` of two bare manifests
        self.count += 1
        return self.row(cells, line)

    def note(self, text, line):
        """Take a line that starts with `#`; return whether it was a mark of ours."""
        if text.startswith(MARK):
            if not self.ended and (self.marked or self.count):
                raise Cut(f"line {line}: a new manifest begins before the end mark of the last")
            if text[len(MARK):] != VERSION:
                raise Fault(f"manifest version {text[len(MARK):]} is newer than this s3kit reads")
            self.marked, self.ended, self.names, self.count = True, False, None, 0
            self.counted = 0
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

    def header(self, cells):
        """Choose the columns; return whether `cells` were a header row."""
        names = [column_of(cell) for cell in cells]
        is_header = self.marked or is_header_row(names, self.given, self.bucket)
        if is_header and "key" not in names:
            raise Fault("the manifest has no header row with a column 'key'")
        if not is_header and len(names) == 1 < len(self.given):      # else keys, one a line
            for sign, word in ((";", "';'"), ("\t", "tabs")):
                if sign in names[0]:
                    raise Fault(f"columns are separated by {word}: a manifest's are by ','")
        # Unknown names may differ in their letters alone, as attributes do.
        named = [name if name in COLUMNS else self.unknown(cell) for name,
                 cell in zip(names, cells) if name]
        if is_header and len(set(named)) < len(named):
            raise Fault("two columns of the header have the same name")
        self.choose(cells if is_header else self.given)
        return is_header

    def choose(self, names):
        """Set how cells become columns, from the names of the columns in order."""
        self.names = [column_of(name) for name in names]
        self.direct = tuple(self.names) == COLUMNS
        self.width = len(COLUMNS) if self.marked and self.direct else NONE
        self.picks = [self.names.index(column) if column in self.names else -1
                      for column in COLUMNS]
        self.others = [(self.unknown(name), at) for at, name in enumerate(names)
                       if self.names[at] and self.names[at] not in COLUMNS]
        self.extras += [name for name, _ in self.others if name not in self.extras]

    def unknown(self, name):
        """Return an unknown column's name; blanks around it are a person's, or else they belong to
        it.
        """
        return name if self.marked else name.strip()

    def row(self, cells, line):
        """Return the Row of one record; a short one of a bare manifest is padded."""
        wrong = ""
        if len(cells) != len(self.names):
            if self.marked or any(cells[len(self.names):]):
                wrong = f"{len(cells)} columns, not {len(self.names)}"
            cells = (cells + [""] * len(self.names))[:len(self.names)]
        extra = None
        if not self.direct:
            if self.others:
                extra = {name: cells[at] for name, at in self.others}
            cells = [cells[at] if at >= 0 else "" for at in self.picks]
        if wrong:
            return Row(state=FAILED, error=f"line {line}: {wrong}", extra=extra,
                       verbatim=dict(zip(COLUMNS, cells)))
        if self.bucket and not cells[0]:
            cells[0] = self.bucket
        return from_values(cells, line, extra)


def is_header_row(names, given, bucket):
    """Return whether a first row is a header, not an object called `key` where `given` has its
    keys.

    With a `bucket` given, a short row without one is a header rather than an object in a bucket of
    its own.
    """
    if "key" not in names:
        return False
    known = [name for name in names if name in COLUMNS]
    at = names.index("key")
    return len(known) > 1 or len(names) == 1 or given[at:at + 1] != ["key"] or (
        bool(bucket) and given == list(COLUMNS) and len(names) < len(COLUMNS))


class Writer:
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`."""

    def __init__(self):
        self.extras = []

    def begin(self, extras):
        """Return the first lines; `extras` are the unknown columns to carry along."""
        self.extras = list(extras)
        return self.text([[MARK + VERSION], list(COLUMNS) + self.extras])

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
        return lines.encode("utf-8", "surrogateescape")


def quoted(record):
    """Return a record as a line of CSV, the cells quoted that must be (RFC 4180)."""
    return ",".join(f'"{cell.replace(QUOTE, QUOTE * 2)}"' if SPECIAL.search(cell) else cell
                    for cell in record) + "\n"
