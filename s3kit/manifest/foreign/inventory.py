"""S3 Inventory: a manifest.json and the data files that it names, or data files alone
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html).
"""

import os

from s3kit.errors import Cut, Fault
from s3kit.manifest import streams
from s3kit.manifest.foreign.columns import Table
from s3kit.manifest.foreign.csv_records import Records
from s3kit.manifest.foreign.data_files import (DataFile, Folder, ReportReader, check_sum, checked,
                                               files_in, head_of, is_json, read_json, text_in)

FORMATS = ("CSV", "ORC", "Parquet")
NAMES = ("files", "MD5checksum", "size", "bucket")
MAGIC = {b"PAR1": "Parquet", b"ORC": "ORC"}


class Inventory(ReportReader):
    """The rows of a report: iterate over `batches`."""

    form = "inventory"

    def batches(self):
        """Yield lists of rows. Raises Fault, Cut where a data file is missing or not the one that
        is meant.
        """
        data = self.place.manifest()
        check_sum(data, self.place.beside("manifest.checksum"), self.place.name)
        document = read_json(data, self.place.name)
        kind = text_in(document, "fileFormat", self.place.name)
        if kind not in FORMATS:
            raise Fault(f"{self.place.name}: data files in '{kind}' are not known")
        files = files_in(document, NAMES, self.place.name)
        arn = document.get("destinationBucket")
        bucket = arn.rpartition(":")[2] if isinstance(arn, str) else ""
        files = [file._replace(bucket=bucket) for file in files]
        self.bucket = self.bucket or text_in(document, "sourceBucket", self.place.name)
        self.place.check(files)
        names = None
        if kind == "CSV":
            names = [name.strip() for name in
                     text_in(document, "fileSchema", self.place.name).split(",")]
        yield from self.read(files, kind, names)

    def read(self, files, kind, names):
        """Yield the rows of data files, one after the other; `names` is the schema of CSV."""
        for file in files:
            try:
                rows = self.csv(file, names) if kind == "CSV" else self.typed(file, kind)
                for found in rows:
                    self.note(found)
                    yield found
            except (Cut, Fault) as fault:
                raise type(fault)(self.said(fault)) from None

    def said(self, fault):
        """Return a fault's text with the manifest's name before it, once."""
        text = str(fault)
        return text if text.startswith(self.place.name) else f"{self.place.name}: {text}"

    def csv(self, file, names):
        """Yield the rows of a data file in CSV."""
        table, records, name = Table(names, self.bucket), Records(), os.path.basename(file.key)
        self.learn(table)
        blocks = streams.named(streams.expand(checked(self.place.blocks(file), file)), name)
        for block in blocks:
            first = records.line + 1
            columns = records.columns(block, table.width)
            if columns is not None:
                yield table.rows(columns, lambda at, first=first: f"{name}, line {first + at}")
            else:
                yield from rows_of(table, *records.parse_again(), f"{name}, ")
            if records.stop:
                break
        else:
            yield from rows_of(table, *records.close(), f"{name}, ")
        if records.stop:
            raise type(records.stop)(f"{name}: {records.stop}")

    def typed(self, file, kind):
        """Yield the rows of a data file in Parquet or ORC."""
        from s3kit.manifest.foreign import typed_files
        name = os.path.basename(file.key)
        with self.place.opened(file) as opened:
            for table, columns, first in typed_files.batches(opened, kind, name, self.bucket):
                self.learn(table)
                yield table.rows(columns, lambda at, first=first: f"{name}, row {first + at}")

    def learn(self, table):
        """Note the unknown columns of a schema."""
        self.extras += [name for name in table.extras if name not in self.extras]


def rows_of(table, lines, records, name):
    """Yield the rows of CSV records, read one by one; `name` begins what is said of one."""
    columns = table.square(records)
    if columns:
        yield table.rows(columns, lambda at: f"{name}line {lines[at]}")


class DataFiles(Inventory):
    """Data files without their manifest.json: one, or those that a symlink.txt names."""

    def __init__(self, path, kind, bucket, columns):
        super().__init__(Folder(path), bucket)
        self.kind, self.names = kind, columns

    def batches(self):
        """Yield lists of rows. Raises Fault, Cut."""
        if self.kind == "symlink":
            files = [DataFile(key.partition("/")[2], key.partition("/")[0])
                     for key in self.symlinks()]
            self.place.check(files)
        else:
            files = [DataFile(os.path.basename(self.place.path))]
            self.place.found[files[0]] = self.place.path
        for file in files:
            kind = kind_of(next(iter(self.place.blocks(file)), b""))
            if kind == "CSV" and not self.names:
                raise Fault(f"{self.place.name}: a data file in CSV does not say what its columns "
                            "are: give --columns, as fileSchema in manifest.json has them")
            yield from self.read([file], kind, self.names)

    def symlinks(self):
        """Return what follows `s3://` in a symlink.txt, as Hive reads it."""
        lines = self.place.manifest().decode("utf-8", "replace").split()
        if not all(line.startswith("s3://") for line in lines):
            raise Fault(f"{self.place.name}: not every line is the s3:// address of a data file")
        return [line[5:] for line in lines]


def kind_of(first):
    """Return the format of a data file from its first bytes."""
    return next((kind for magic, kind in MAGIC.items() if first.startswith(magic)), "CSV")


def opened(form, path, bucket, columns):
    """Return what reads the report whose manifest.json, or data file, lies at `path`."""
    head = head_of(path)
    if is_json(head):
        return Inventory(Folder(path), bucket)
    return DataFiles(path, "symlink" if head.startswith(b"s3://") else kind_of(head), bucket,
                     columns)


def placed(place, bucket):
    """Return what reads the report whose files a `place` gives."""
    return Inventory(place, bucket)
