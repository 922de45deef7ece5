"""Records of CSV files without a header (RFC 4180), from bytes as they come."""

import codecs
import csv
import io

from s3kit.errors import Cut, Fault
from s3kit.manifest.csv_form import HOLD, OPEN_QUOTE

BETWEEN = '","'         # two cells of a line in which every cell is quoted


class Records:
    """Feed it bytes, it gives back records: `feed`, then `close`.

    Each call returns (numbers of the lines on which records begin, the records as lists of cells).
    Cells are text; bytes that are not UTF-8 come as lone surrogates. A record that is not CSV comes
    as None, or if `is_lenient` as what the csv module makes of each of its lines. `stop` is None,
    or the Cut or Fault that ends the reading: a quote that is never closed, a record without end.
    The quote is `"` if not given.
    """

    def __init__(self, is_lenient=False, quote='"'):
        self.is_lenient, self.quote = is_lenient, quote
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self.buffer, self.line, self.stop = "", 0, None

    def text(self, data):
        """Return the whole lines that the bytes `data` complete, as text."""
        text = self.buffer + self.decoder.decode(data)
        cut = text.rfind("\n") + 1
        self.buffer = text[cut:]
        return text[:cut]

    def feed(self, data):
        """Return the lines and records that the bytes `data` complete."""
        return self.parse(self.text(data), last=False)

    def close(self):
        """Return the lines and records that are left."""
        rest, self.buffer = self.buffer + self.decoder.decode(b"", True), ""
        return self.parse(rest, last=True)

    def columns(self, data, width):
        """Return the columns of the lines that the bytes `data` complete, of a file in which every
        cell is quoted; None if they are not such, and `parse_again` must read them.
        """
        self.whole = self.text(data)
        columns = quoted_columns(self.whole, width)
        if columns is not None:
            self.line += len(columns[0])
        return columns

    def parse_again(self):
        """Return the lines and records of what `columns` has not understood."""
        return self.parse(self.whole, last=False)

    def parse(self, text, last):
        """Return the lines and records of whole lines.

        A record whose quote is still open goes back to the buffer, for more lines may close it.
        """
        lines, found, numbers, done = list(io.StringIO(text, newline="\n")), [], [], 0
        reader = csv.reader(iter(lines), strict=True, quotechar=self.quote)
        while True:
            try:
                for cells in reader:
                    if cells:
                        numbers.append(self.line + done + 1)
                        found.append(cells)
                    done = reader.line_num
                break
            except csv.Error as error:
                line = self.line + done + 1
                if "field limit" in str(error):
                    self.stop = endless(line)
                    break
                if str(error) == OPEN_QUOTE and last:
                    self.stop = Cut(f"line {line}: a quote is opened and never closed")
                    break
                if str(error) == OPEN_QUOTE:
                    self.buffer = "".join(lines[done:]) + self.buffer
                    break
                read = self.anyhow(lines[done:reader.line_num])
                numbers += range(line, line + len(read))
                found += read
                done = reader.line_num
        self.line += done
        if len(self.buffer) > HOLD and not self.stop:
            self.stop = endless(self.line + 1)
        return numbers, found

    def anyhow(self, lines):
        """Return the records of lines that are not CSV: [None], or what can be made of each line by
        itself, for none must go under in a quote that was opened before it.
        """
        if not self.is_lenient:
            return [None]
        found = []
        for line in lines:
            try:
                found += list(csv.reader([line], quotechar=self.quote)) or [None]
            except csv.Error:
                found.append(None)
        return found


def endless(line):
    """Return the Fault about a record that is too long to be one."""
    return Fault(f"line {line}: no end of the record within {HOLD:,} characters")


def quoted_columns(text, width):
    """Return the columns of lines in which each of `width` cells is quoted, and no cell has a quote
    or a line's end in it; None if they are not such.

    The numbers of quotes, and where lines end among the cells, show that nothing else is meant.
    """
    count = text.count("\n")
    if not count or text.count('"') != 2 * width * count or text[0] != '"' or text[-2:] != '"\n':
        return None
    step = width - 1
    if not step:
        pieces = text[1:-2].split('"\n"')
        return [pieces] if len(pieces) == count else None
    pieces = text[1:-2].split(BETWEEN)
    if len(pieces) != step * count + 1:
        return None
    if not all(['"\n"' in end for end in pieces[step:-1:step]]):
        return None
    cells = text[1:-2].replace('"\n"', BETWEEN).split(BETWEEN)
    return [cells[at::width] for at in range(width)]
