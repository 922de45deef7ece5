"""Completion reports of S3 Batch Operations: what became of each task, and the checksums that
"Compute checksum" jobs found (https://docs.aws.amazon.com/AmazonS3/latest/userguide/
batch-ops-examples-reports.html).
"""

import os

from s3kit.errors import Cut, Fault
from s3kit.manifest import streams
from s3kit.manifest.foreign import checksum_message
from s3kit.manifest.foreign.columns import decoded
from s3kit.manifest.foreign.csv_records import Records
from s3kit.manifest.foreign.data_files import (DataFile, Folder, ReportReader, check_sum, checked,
                                               files_in, head_of, is_json, read_json)
from s3kit.manifest.row import COLUMNS, FAILED, LISTED, Row, fault_of
from s3kit.text import is_unicode

NAMES = ("Results", "MD5Checksum", None, "Bucket")
FIELDS = ("bucket", "key", "version_id", "task", "one", "other", "message")
FORMAT = "Report_CSV_20180820"


class Report(ReportReader):
    """The rows of a report: iterate over `batches`.

    A task that failed is a failed row with S3's words; one that succeeded is `listed`, for it says
    nothing of bytes that were fetched.
    """

    form = "batch-report"

    def files(self):
        """Return the DataFiles of a manifest.json. Raises Fault, Cut."""
        data, name = self.place.manifest(), self.place.name
        check_sum(data, self.place.beside("manifest.json.md5"), name)
        document = read_json(data, name)
        if document.get("Format") != FORMAT:
            raise Fault(f"{name}: a report in the format '{document.get('Format')}' is not known")
        return files_in(document, NAMES, name)

    def batches(self):
        """Yield lists of rows. Raises Fault, Cut where a file of results is missing or another."""
        files = self.files()
        self.place.check(files)
        for file in files:
            name = os.path.basename(file.key)
            try:
                yield from self.results(file, name)
            except Cut as cut:
                raise Cut(f"{self.place.name}: {cut}") from None

    def results(self, file, name):
        """Yield the rows of one file of results."""
        records = Records(is_lenient=True)
        for block in streams.named(streams.expand(checked(self.place.blocks(file), file)), name):
            yield self.rows(*records.feed(block), name)
            if records.stop:
                break
        else:
            yield self.rows(*records.close(), name)
        if records.stop:
            raise Cut(f"{name}: {records.stop}")

    def rows(self, lines, records, name):
        """Return the rows of records; a header, which a person may have added, is none."""
        found = [row_of(record, f"{name}, line {line}", self.bucket)
                 for line, record in zip(lines, records)
                 if not (line == 1 and record and record[:2] == ["Bucket", "Key"])]
        self.note(found)
        return found


class Results(Report):
    """A file of results without its manifest.json."""

    def files(self):
        """Return the file itself."""
        file = DataFile(os.path.basename(self.place.path))
        self.place.found[file] = self.place.path
        return [file]

    def batches(self):
        """Yield lists of rows. Raises Fault, Cut."""
        for file in self.files():
            yield from self.results(file, self.place.path)


def row_of(record, where, bucket):
    """Return the Row of one record; one that makes no sense is `failed`, its cells verbatim."""
    cells = list(record or [])
    # A message that nobody has quoted has been cut at its commas.
    cells[6:] = [",".join(cells[6:])] if len(cells) > 6 else []
    told = dict(zip(FIELDS, cells))
    row = Row(told.get("bucket") or bucket, told.get("key", ""), told.get("version_id", ""))
    try:
        row.key = decoded(row.key)
        if len(cells) < len(FIELDS):
            raise ValueError(f"{len(cells)} columns, not {len(FIELDS)}")
        take(row, told)
        why = fault_of(row) or ("" if is_unicode("".join(cells)) else "it is not Unicode text")
    except ValueError as error:
        why = str(error)
    if why:
        row.state, row.error = FAILED, f"{where}: {why}"
        row.verbatim = {name: told[name] for name in COLUMNS if name in told}
    return row


def take(row, told):
    """Give a row what its task says. Raises ValueError where that makes no sense."""
    task = told["task"].strip().lower()
    if task == "failed":
        row.state, row.error = FAILED, words(told)
    elif task == "succeeded":
        row.state = LISTED
        checksum_message.take(row, told["message"])
    else:
        raise ValueError(f"the task has '{told['task']}', not succeeded or failed")


def words(told):
    """Return why a task failed. The status is the numeric one of two cells: S3 writes it first,
    while its own ReportSchema says that the error's code is.
    """
    one, other = told["one"].strip(), told["other"].strip()
    status, code = (one, other) if one.isdecimal() or not other.isdecimal() else (other, one)
    if status and not status.isdecimal():
        status, code = "", " ".join(filter(None, (status, code)))
    parts = [code, status and f"(HTTP {status})", " ".join(told["message"].split())]
    return "the Batch Operations task failed: " + " ".join(filter(None, parts))


def opened(form, path, bucket, columns):
    """Return what reads the report whose manifest.json, or file of results, lies at `path`."""
    kind = Report if is_json(head_of(path)) else Results
    return kind(Folder(path), bucket)


def placed(place, bucket):
    """Return what reads the report whose files a `place` gives."""
    return Report(place, bucket)
