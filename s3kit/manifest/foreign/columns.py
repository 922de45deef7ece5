"""Whole columns of another tool's list of objects, turned to rows many at a time."""

import re
from itertools import repeat
from urllib.parse import unquote_plus

from s3kit.errors import Fault
from s3kit.etags import bare
from s3kit.manifest.row import (COLUMNS, FAILED, FLAGS, KEY_BYTES, LISTED, Row, column_of, fault_of,
                                is_bucket)
from s3kit.text import is_unicode

# What the columns of S3 Inventory are called in its schema of CSV, ORC and Parquet, letters only
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html).
NAMES = {"bucket": "bucket", "key": "key", "versionid": "version_id", "islatest": "is_latest",
         "isdeletemarker": "is_delete_marker", "size": "size", "lastmodifieddate": "last_modified",
         "lastmodified": "last_modified", "etag": "etag", "storageclass": "storage_class",
         "checksumalgorithm": "checksum_algorithm"}
FLAG_COLUMNS = ("is_latest", "is_delete_marker")
BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
NO_KEY = "a '%' in the key encodes nothing: it is written %25"


def meaning(name):
    """Return which of our columns a name of the schema means, or ''."""
    return NAMES.get(re.sub("[^a-z]", "", name.lower()), "")


def decoded(key):
    """Return a key that was URL-encoded as forms are. Raises ValueError if it makes no sense."""
    if "%" not in key:
        return key.replace("+", " ")
    if BAD_ESCAPE.search(key):
        raise ValueError(NO_KEY)
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("the key's percent-encoding is not UTF-8") from None


class Table:
    """How the columns of a schema become rows; `rows` makes them.

    `names` are those of the schema in order, '' for a column to be ignored; `bucket` is that of
    rows that name none. `encoded`: keys are URL-encoded. `null` is what an empty version id means:
    S3 Inventory has the null version so, where it lists versions at all. `extras` are the names of
    the columns that mean none of ours. Raises Fault where no column has the keys, or two mean the
    same.
    """

    def __init__(self, names, bucket="", encoded=True, null="null"):
        self.names, self.bucket, self.encoded, self.null = list(names), bucket, encoded, null
        self.width = len(self.names)
        meant = [meaning(name) for name in self.names]
        self.at = {name: at for at, name in enumerate(meant) if name}
        self.others = [(other_name(name), at) for at, name in enumerate(self.names)
                       if not meant[at] and name]
        self.extras = [name for name, _ in self.others]
        if len(self.at) + len(set(self.extras)) < sum(map(bool, self.names)):
            raise Fault("two columns of the schema have the same name")
        if "key" not in self.at:
            raise Fault(f"the schema has no column Key: {', '.join(self.names)}")
        self.faults = {}

    def rows(self, columns, where):
        """Return the Rows of columns of text; `where(at)` names the place of the one at `at`.

        Those that make no sense come back `failed`, their cells kept verbatim.
        """
        ours = {name: columns[at] for name, at in self.at.items()}
        cells = {name: self.read(name, texts) for name, texts in ours.items()}
        self.fill(cells, len(columns[0]))
        extras = repeat(None)
        if self.others:
            extras = [dict(zip(self.extras, texts))
                      for texts in zip(*[columns[at] for _, at in self.others])]
        rows = list(map(Row, *[cells.get(name, repeat("")) for name in COLUMNS], extras))
        if self.faults or not is_clean(cells, columns):
            self.mark(rows, columns, where)
        return rows

    def read(self, name, texts):
        """Return a column's cells as rows have them; what is wrong with some goes to `faults`."""
        if name == "key" and self.encoded:
            return self.keys(texts)
        if name == "last_modified":
            return [text.replace(".000Z", "Z") for text in texts]
        if name == "etag" and '"' in "".join(texts):
            return list(map(bare, texts))
        if name == "version_id" and self.null and not all(texts):
            return [text or self.null for text in texts]
        if name in FLAG_COLUMNS and not set(texts) <= set(FLAGS):
            return [text.strip().lower() for text in texts]
        if name == "bucket" and self.bucket and not all(texts):
            return [text or self.bucket for text in texts]
        return texts

    def keys(self, texts):
        """Return decoded keys; an undecodable one stays as it is, and its fault is noted."""
        joined = "".join(texts)
        if "%" not in joined:
            return [text.replace("+", " ") for text in texts] if "+" in joined else texts
        found = []
        for at, text in enumerate(texts):
            try:
                found.append(decoded(text) if "%" in text else text.replace("+", " "))
            except ValueError as error:
                self.faults[at] = str(error)
                found.append(text)
        return found

    def fill(self, cells, count):
        """Add the columns that the schema has not, and what follows from those that it has."""
        cells.setdefault("bucket", [self.bucket] * count)
        cells["state"] = repeat(LISTED)
        marks = cells.get("is_delete_marker")
        if marks and "storage_class" in cells and "true" in marks:
            cells["storage_class"] = ["" if mark == "true" else name for mark, name in
                                      zip(marks, cells["storage_class"])]

    def mark(self, rows, columns, where):
        """Turn the rows that make no sense into failed ones."""
        for at, row in enumerate(rows):
            raw = [column[at] for column in columns]
            why = self.faults.get(at) or fault_of(row)
            if not why and not is_unicode("".join(raw)):
                why = "it is not Unicode text"
            if why:
                row.verbatim = {name: raw[place] for name, place in self.at.items()}
                row.state, row.error = FAILED, f"{where(at)}: {why}"
        self.faults = {}

    def square(self, records):
        """Return the columns of records; those of another width are cut or filled up, and the fault
        is noted.
        """
        for at, record in enumerate(records):
            if record is None or len(record) != self.width:
                self.faults[at] = ("not CSV" if record is None
                                   else f"{len(record)} columns, not {self.width}")
                records[at] = ((record or []) + [""] * self.width)[:self.width]
        return list(zip(*records)) if records else []


def other_name(name):
    """Return the name of an unknown column, another than those of ours."""
    return f"Inventory{name}" if column_of(name) in COLUMNS else name


def is_clean(cells, columns):
    """Return whether all rows surely make sense, seen of whole columns at once."""
    keys = cells["key"]
    if not all(keys) or not all(map(is_bucket, set(cells["bucket"]))):
        return False
    if not "".join(keys).isascii() or max(map(len, keys)) > KEY_BYTES:
        return False
    sizes = cells.get("size")
    if sizes:
        digits = "".join(sizes)
        if digits and not (digits.isascii() and digits.isdigit()) or max(map(len, sizes)) > 18:
            return False
    return (all(set(cells.get(name, ())) <= set(FLAGS) for name in FLAG_COLUMNS)
            and all("".join(column).isascii() for column in columns))
