"""Manifests of S3 Batch Operations, in CSV: bucket, URL-encoded key and perhaps version id, without
a header (https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html).
"""

import re
from urllib.parse import quote

from s3kit.errors import Cut, Fault
from s3kit.manifest import base
from s3kit.manifest.foreign.columns import Table
from s3kit.manifest.foreign.csv_records import Records
from s3kit.manifest.foreign.inventory import rows_of
from s3kit.manifest.foreign.text_lines import CUT

FIELDS = ["Bucket", "Key", "VersionId"]
PLAIN = re.compile("[!#-+.-~-]*")        # printable ASCII, but for blanks, quotes and commas
SAFE = re.compile("[A-Za-z0-9_.~/-]+")  # a key that is encoded as itself


class Reader(base.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`.

    Without `columns` there are two or three, as the first record has.
    """

    form = "batch"

    def __init__(self, bucket, columns):
        self.bucket, self.columns = bucket, columns
        self.records, self.table = Records(), None
        self.extras, self.count, self.stop = [], 0, None

    def feed(self, data):
        """Return the rows that the bytes `data` complete."""
        return [] if self.stop else self.rows(*self.records.feed(data))

    def close(self):
        """Return the last rows. A last line may have no end (see base.Reader), but for one that was
        cut before its version id: it would name what S3 has now.
        """
        rest = self.records.buffer
        if self.stop:
            return []
        self.lacks_end = bool(rest) and not rest.endswith("\n")
        if rest.endswith(","):
            self.stop = Cut("the last line ends with a comma, and has no end: it was cut")
        elif self.lacks_end and not self.is_by_hand:
            self.stop = Cut(CUT)
        return [] if self.stop else self.rows(*self.records.close())

    def rows(self, lines, records):
        """Return the rows of records, up to where `stop` is set."""
        self.stop = self.records.stop
        if records and not self.table:
            try:
                self.table = self.of(records[0] or [])
            except Fault as fault:
                self.stop = fault
                return []
            self.extras = self.table.extras
        rows = [row for found in rows_of(self.table, lines, records, "") for row in found
                ] if records else []
        self.count += len(rows)
        return rows

    def of(self, record):
        """Return the Table of a first record's columns. Raises Fault."""
        if self.columns:
            names = ["" if name.lower() == "ignore" else name for name in self.columns]
        elif len(record) in (2, 3):
            names = FIELDS[:len(record)]
        else:
            raise Fault("a manifest of S3 Batch Operations has the columns Bucket, Key and perhaps "
                        f"VersionId; this has {len(record)}: give --columns")
        return Table(names, self.bucket, null="")


class Writer(base.Writer):
    """Turns rows to bytes: `begin`, `rows` as often as wanted, `end`.

    All rows have version ids or none has, and all are in one bucket: a job wants that.
    """

    def __init__(self):
        self.first = None

    def rows(self, rows):
        """Return the lines of rows. Raises Fault for one that a job could not take."""
        lines = []
        for row in rows:
            self.first = self.first or row
            why = self.why_not(row)
            if why:
                raise Fault(f"{row.name}: {why}")
            key = row.key if SAFE.fullmatch(row.key) else quote(row.key, safe="/")
            lines.append(f"{row.bucket},{key},{row.version_id}\n" if row.version_id
                         else f"{row.bucket},{key}\n")
        return "".join(lines).encode()

    def why_not(self, row):
        """Return why a row cannot be in the manifest, or ''."""
        if row.verbatim is not None:
            return f"{row.error}: a job could not take it"
        if row.is_marker:
            return "a job of S3 Batch Operations takes no delete markers"
        if row.bucket != self.first.bucket:
            return (f"a job of S3 Batch Operations takes the objects of one bucket, here "
                    f"'{self.first.bucket}'")
        if bool(row.version_id) != bool(self.first.version_id):
            return ("a job of S3 Batch Operations takes rows that all have version ids, or none; "
                    f"{self.first.name} is not like this")
        if not row.version_id and row.is_latest == "false":
            return "it is not the latest version, and has no version id"
        if not PLAIN.fullmatch(row.version_id):
            return "its version id cannot be in a manifest of S3 Batch Operations"
        return ""


def reader(form, bucket, columns):
    """Return a reader of a manifest of S3 Batch Operations."""
    return Reader(bucket, columns)


def writer(form):
    """Return a writer of a manifest of S3 Batch Operations."""
    return Writer()
