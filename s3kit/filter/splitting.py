"""A manifest in pieces, each of them whole."""

import os
import re

from s3kit.errors import Usage, of_file

SPECIAL = re.compile("(%%|%(?:0[1-9])?d|%)")


class Pattern:
    """The names of the pieces: `part-%03d.csv.gz` is part-001.csv.gz, part-002.csv.gz ... As in
    printf(3), `%%` is a per cent sign.
    """

    def __init__(self, text):
        """Raises ValueError for what names no pieces."""
        self.folder, name = os.path.split(text)
        parts = SPECIAL.split(name)
        numbers = [at for at, part in enumerate(parts) if part[:1] == "%" and part[-1] == "d"]
        if len(numbers) != 1 or "%" in parts:
            raise ValueError(f"'{text}' has not one %d (or %03d ...), where the number stands")
        at, = numbers
        texts = ["%" if part == "%%" else part for part in parts]
        self.before, self.form, self.after = "".join(texts[:at]), parts[at], "".join(texts[at + 1:])

    def name(self, number):
        """Return the name of a piece."""
        return os.path.join(self.folder, f"{self.before}{self.form % number}{self.after}")

    def find(self):
        """Return the name of a piece that is there, or ''. Raises Fault."""
        pieces = re.compile(f"{re.escape(self.before)}[0-9]+{re.escape(self.after)}")
        try:
            found = sorted(filter(pieces.fullmatch, os.listdir(self.folder or ".")))
        except OSError as error:
            raise of_file("look into", self.folder or ".", error) from None
        return os.path.join(self.folder, found[0]) if found else ""


class Pieces:
    """Where rows go that are split: to one Sink after another, with a Sink's methods.

    A piece ends before it has more than `most_rows`, or objects of more than `most_bytes` together;
    one row is always in it. `make(name)` returns the Sink of a piece. Raises Usage where pieces of
    an earlier run are there: with those of this one they would look like one manifest's.
    """

    def __init__(self, make, pattern, most_rows=None, most_bytes=None):
        self.make, self.pattern = make, pattern
        self.most_rows, self.most_bytes = most_rows, most_bytes
        earlier = pattern.find()
        if earlier:
            raise Usage(f"'{earlier}' is there already: remove the pieces of an earlier run, or "
                        "choose another name")
        self.number, self.sink = 0, None
        self.next()

    def next(self):
        """Begin the next piece, after the one before it is whole."""
        if self.sink:
            self.sink.close()
        self.number += 1
        self.sink = self.make(self.pattern.name(self.number))
        self.rows = self.bytes = 0

    def write(self, rows, extras=()):
        """Write rows, into as many pieces as it takes."""
        begin = 0
        for at, row in enumerate(rows):
            size = row.length or 0
            if self.is_full(size):
                self.put(rows[begin:at], extras)
                begin = at
                self.next()
            self.rows += 1
            self.bytes += size
        self.put(rows[begin:], extras)

    def put(self, rows, extras):
        """Write rows into this piece."""
        if rows:
            self.sink.write(rows, extras)

    def is_full(self, size):
        """Return whether a row of this size belongs into the next piece."""
        if not self.rows:
            return False
        return (self.rows == self.most_rows
                or self.most_bytes is not None and self.bytes + size > self.most_bytes)

    def close(self):
        """Make the last piece whole."""
        self.sink.close()

    def abandon(self):
        """Leave without the last piece; those before it are whole."""
        if self.sink:
            self.sink.abandon()
