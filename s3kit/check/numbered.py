"""A manifest whose rows come with their places in it."""

from s3kit.manifest import csv_form
from s3kit.manifest.streams import Input


class NumberedReader(csv_form.Reader):
    """A Reader of CSV that notes in `lines` on which line each row ends, and in `header_line` where
    the last header stands.
    """

    def __init__(self, bucket="", columns=None):
        super().__init__(bucket, columns)
        self.lines, self.header_line = [], 0

    def record(self, cells, line):
        """Return the Row of one record, or None where it is none."""
        before = self.columns.header
        row = super().record(cells, line)
        if row:
            self.lines.append(line)
        elif self.columns.header is not before:
            self.header_line = line
        return row

    def not_csv(self, line, text):
        """Count a record that the csv module cannot read."""
        super().not_csv(line, text)
        self.lines.append(line)


class NumberedInput(Input):
    """An Input that knows the numbers of its rows."""

    def reader_of(self, form):
        """Return the reader for a form that is a stream of bytes."""
        return NumberedReader(self.bucket, self.columns) if form == "csv" else super().reader_of(
            form)

    @property
    def has_lines(self):
        """Whether rows are numbered by their lines."""
        return isinstance(self.reader, NumberedReader)

    def numbered(self):
        """Yield lists of (number, row). Raises what `batches` does."""
        count = 0
        for rows in self.batches():
            if self.has_lines:
                numbers, self.reader.lines = self.reader.lines, []
            else:
                numbers = range(count + 1, count + len(rows) + 1)
            count += len(rows)
            yield list(zip(numbers, rows))
