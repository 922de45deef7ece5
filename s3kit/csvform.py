"""Rows to and from CSV (RFC 4180): the marked form with header and end mark, and a person's bare form."""

import codecs
import csv
import io
import re

from s3kit.errors import Cut, Fault
from s3kit.row import COLUMNS, FAILED, Row, from_values, values

MARK = "#s3kit manifest "
VERSION = "1"
END = re.compile(r"#end rows=(\d+)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .-]*")
HOLD = 1 << 20      # characters that an open quote may span


class Reader:
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    `stop` is the Fault that ends the reading, once there is one: the rows before it still come.
    `columns` names a headerless input's columns; `bucket` fills rows without one. After `close`,
    `marked` says whether the input promised an end mark, and `extras` the unknown columns' names.
    """

    form = "csv"

    def __init__(self, bucket="", columns=None):
        self.bucket = bucket
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self.buffer = ""
        self.line = 0
        self.marked = self.ended = False
        self.count = 0
        self.declared = None
        self.extras = []
        self.stop = None
        self.given = columns
        self.picks = None

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        self.buffer += self.decoder.decode(data)
        cut = self.buffer.rfind("\n") + 1
        if not cut or (self.buffer.count('"', 0, cut) % 2 and cut < HOLD):
            return []
        text, self.buffer = self.buffer[:cut], self.buffer[cut:]
        return self.parse(text)

    def close(self):
        """Return the last rows. A line without its end is whole only in a bare manifest."""
        rest, self.buffer = self.buffer + self.decoder.decode(b"", True), ""
        return self.parse(rest) if rest and not self.marked else []

    def parse(self, text):
        """Return the rows of whole lines, up to where `stop` is set."""
        rows = []
        records = csv.reader(io.StringIO(text, newline="\n"))
        try:
            while not self.stop:
                try:
                    for cells in records:
                        row = self.record(cells, self.line + records.line_num)
                        if row:
                            rows.append(row)
                    break
                except csv.Error as error:
                    rows.append(self.nonsense(self.line + records.line_num, str(error)))
        except Fault as fault:
            self.stop = fault
        self.line += records.line_num
        return rows

    def record(self, cells, line):
        """Return the Row of one record, or None where it is a header, a mark or an empty line."""
        if not cells or cells == [""]:
            return None
        if len(cells) == 1 and cells[0].startswith("#") and self.note(cells[0].rstrip(), line):
            return None
        if self.ended:
            raise Cut(f"line {line}: something follows the end mark")
        if self.picks is None and self.header(cells):
            return None
        self.count += 1
        return self.row(cells, line)

    def note(self, text, line):
        """Take a line that starts with `#`; return whether it was a mark of ours."""
        if text.startswith(MARK):
            if self.count and not self.ended:
                raise Cut(f"line {line}: a new manifest begins before the end mark of the last")
            if text[len(MARK):] != VERSION:
                raise Fault(f"manifest version {text[len(MARK):]} is newer than this s3kit reads")
            self.marked, self.ended, self.picks, self.count = True, False, None, 0
            return True
        end = END.fullmatch(text)
        if end and self.marked:
            self.ended, self.declared = True, int(end[1])
        return bool(end)

    def header(self, cells):
        """Choose the columns; return whether `cells` were a header row."""
        names = [cell.strip().lower() for cell in cells]
        is_header = "key" in names and all(NAME.fullmatch(name) for name in names)
        if self.marked and not is_header:
            raise Fault("the manifest has no header row with a column 'key'")
        if not is_header and len(names) == 1 and ";" in names[0]:
            raise Fault("columns are separated by ';': a manifest's are by ','")
        if is_header and len(set(names)) < len(names):
            raise Fault("two columns of the header have the same name")
        self.choose(cells if is_header else self.given or COLUMNS)
        return is_header

    def choose(self, names):
        """Set how cells become columns, from the names of the columns in order."""
        names = [name.strip() for name in names]
        lower = [name.lower() for name in names]
        self.width = len(names)
        self.direct = tuple(lower) == COLUMNS
        self.picks = [lower.index(column) if column in lower else -1 for column in COLUMNS]
        self.others = [(name, at) for at, name in enumerate(names) if lower[at] not in COLUMNS]
        self.extras += [name for name, _ in self.others if name not in self.extras]

    def row(self, cells, line):
        """Return the Row of one record; a short one of a bare manifest is padded."""
        if len(cells) != self.width:
            if len(cells) > self.width or self.marked:
                return self.nonsense(line, f"{len(cells)} columns, not {self.width}", cells)
            cells = cells + [""] * (self.width - len(cells))
        extra = None
        if not self.direct:
            if self.others:
                extra = {name: cells[at] for name, at in self.others}
            cells = [cells[at] if at >= 0 else "" for at in self.picks]
        if self.bucket and not cells[0]:
            cells[0] = self.bucket
        return from_values(cells, line, extra)

    def nonsense(self, line, why, cells=()):
        """Return a failed row for a line that has no columns to read."""
        kept = dict(zip(COLUMNS, cells))
        return Row(state=FAILED, error=f"line {line}: {why}", verbatim=kept)


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
        return self.text(values(row) + [(row.extra or {}).get(name, "") for name in self.extras] for row in rows)

    def end(self, count):
        """Return the end mark."""
        return f"#end rows={count}\n".encode()

    def text(self, records):
        """Return records as CSV bytes; a lone surrogate, from a line that was no UTF-8, goes back as it came."""
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerows(records)
        return out.getvalue().encode("utf-8", "surrogateescape")
