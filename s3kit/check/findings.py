"""What was found, one a line on stdout as compilers write it: FILE:LINE: what."""

import sys
import threading

from s3kit.text import visible

LINES = 40              # bits of a place that number the line; those above number the file


class Findings:
    """Writes findings, and counts them; its threads may all write.

    A place is a number: which file, and which line of it (`add_file`, `place`).
    """

    def __init__(self):
        self.files, self.count = [], 0
        self.lock = threading.Lock()

    def add_file(self, name):
        """Begin the lines of a file."""
        self.files.append((name, "line"))

    def has_rows(self):
        """The file's rows are numbered, for its form has no lines."""
        self.files[-1] = (self.files[-1][0], "row")

    def place(self, line):
        """Return the place of a line of the last file."""
        return len(self.files) - 1 << LINES | line

    def name(self, place):
        """Return a place as people read it."""
        name, unit = self.files[place >> LINES]
        line = place & (1 << LINES) - 1
        return f"{name}:{line}" if unit == "line" else f"{name}: row {line}"

    def other(self, place, than):
        """Return a place as it is named in what is said of another one."""
        name, unit = self.files[place >> LINES]
        return (f"{unit} {place & (1 << LINES) - 1}" if place >> LINES == than >> LINES
                else self.name(place))

    def add(self, place, column, what):
        """Write what was found at a place, of a column where one is meant."""
        self.write(f"{self.name(place)}: {column}{': ' if column else ''}{what}")

    def write(self, text):
        """Write a finding. Raises NotWritten."""
        with self.lock:
            self.count += 1
            sys.stdout.write(visible(text) + "\n")
