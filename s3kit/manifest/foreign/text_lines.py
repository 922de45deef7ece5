"""Other tools' lists of text, one thing a line: what all forms of it have in common."""

import codecs

from s3kit.errors import Cut, Fault
from s3kit.manifest import base

HOLD = 1 << 20          # characters that one line may have
SURE = 1 << 16          # no name of a file is as long: within them a list shows how its lines end
CUT = "the last line has no end: the list was cut"


class Lines(base.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    A form has `row(text)`, which returns the Row of line number `self.line`, or None where it says
    nothing of an object; it may set `stop`. Bytes that are not UTF-8 come as lone surrogates.
    `needs_end`: only its program writes it, which ends each line, so that a last one without an end
    is half of one. `end` is a line feed, as editors write it (then CR LF and a byte order mark are
    theirs), or another character.
    """

    end = "\n"
    needs_end = True

    def __init__(self, bucket=""):
        self.bucket = bucket
        encoding = "utf-8" if self.end == "\0" else "utf-8-sig"
        self.decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        self.rest, self.has_crlf = "", self.end == "\n"
        self.line = self.count = 0
        self.stop = None

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        if self.stop:
            return []
        self.rest += self.decoder.decode(data)
        return self.whole()

    def whole(self):
        """Return the rows of the lines that have come with their ends."""
        *lines, self.rest = self.rest.split(self.end)
        rows = self.rows(lines)
        if len(self.rest) > HOLD:
            self.stop = Fault(f"line {self.line + 1}: no end within {HOLD:,} characters")
        return rows

    def close(self):
        """Return the last row, if its line may have no end (see base.Reader)."""
        rest = self.rest + self.decoder.decode(b"", True)
        if not rest or self.stop:
            return []
        if self.needs_end or not self.is_by_hand:
            self.stop = Cut(CUT)
            return []
        self.lacks_end = True
        return self.rows([rest])

    def rows(self, lines):
        """Return the rows of some lines."""
        found = []
        for text in lines:
            self.line += 1
            row = self.row(text.removesuffix("\r") if self.has_crlf else text)
            if row:
                found.append(row)
            if self.stop:
                break
        self.count += len(found)
        return found


class FileNames(Lines):
    """Lines that name files. Where a NUL comes, which no name has, all lines end with one; else
    they end with CR LF if the first one does, for a name may end with a CR, too.
    """

    end = None

    def feed(self, data):
        """Return the rows that the bytes `data` complete, as soon as it is sure how lines end."""
        if self.stop:
            return []
        self.rest += self.decoder.decode(data)
        if self.end is None and len(self.rest) < SURE and "\0" not in self.rest:
            return []
        return self.whole()

    def whole(self):
        """Return the rows of the lines that have come with their ends."""
        if self.end is None:
            self.end = "\0" if "\0" in self.rest else "\n"
            self.has_crlf = self.end == "\n" and self.rest.partition("\n")[0].endswith("\r")
        return super().whole()

    def close(self):
        """Return the last rows; a last line without an end is none, for its name may have been cut.
        """
        return [] if self.stop else self.whole() + super().close()
