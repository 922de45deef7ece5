"""Lists of other tools' that are CSV with a key and one thing more on each line."""

from s3kit.errors import Cut
from s3kit.manifest import base
from s3kit.manifest.foreign.csv_records import Records
from s3kit.manifest.foreign.text_lines import CUT
from s3kit.manifest.row import FAILED, Row, encode


class Reader(base.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    A subclass has `form`, `quote`, `wanted` (what a line should be) and `row`.
    """

    wanted = ""
    quote = '"'

    def __init__(self, bucket=""):
        self.bucket = bucket
        self.records = Records(quote=self.quote)
        self.count, self.stop = 0, None

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        return [] if self.stop else self.rows(*self.records.feed(data))

    def close(self):
        """Return no rows: of a last line without an end nobody knows how it went on, and a version
        or size that was cut is another.
        """
        if not self.stop and self.records.close()[0]:
            self.stop = Cut(CUT)
        self.stop = self.stop or self.records.stop
        return []

    def rows(self, lines, records):
        """Return the rows of records, up to where `stop` is set."""
        self.stop = self.records.stop
        rows = [self.row_of(cells, line) for line, cells in zip(lines, records)
                if cells is None or not self.is_header(cells)]
        self.count += len(rows)
        return rows

    def is_header(self, cells):
        """Return whether a record says nothing of an object."""
        return not any(cells)

    def row_of(self, cells, line):
        """Return the Row of one record, failed where it is not a pair."""
        if cells is None or len(cells) != 2 or not cells[1]:
            text = ",".join(cells or ())
            return nonsense(self.bucket, text, line, f"not {self.wanted}" if cells else "not CSV")
        return self.row(*cells, line)


def nonsense(bucket, text, line, why):
    """Return the failed Row of a line that makes no sense."""
    return Row(state=FAILED, error=f"line {line}: {why}",
               verbatim={"bucket": bucket, "key": encode(text)})
