"""What `rclone lsjson -R` writes: a list of objects and directories.

Where rclone writes two keys alike, the row is a failed one.
"""

import re

from s3kit.errors import Cut, Fault
from s3kit.manifest import base
from s3kit.manifest.foreign.json_parts import Parts, text_of
from s3kit.manifest.foreign.plain import nonsense, plain_row, spoil
from s3kit.manifest.foreign.rclone_names import WHY_UNSURE, is_unsure, key_of
from s3kit.manifest.row import Row

HASHES = {"sha512": 128, "sha256": 64, "sha1": 40, "md5": 32}       # digits, the strongest first
HEX = re.compile("[0-9a-f]+")


class Reader(base.Reader):
    """Feed it bytes, it gives back rows: `feed`, then `close`."""

    form = "rclone-lsjson"
    extras = ["ModTime"]

    def __init__(self, bucket=""):
        self.bucket = bucket
        self.parts = Parts()
        self.count = self.documents = 0
        self.directory, self.is_deep = "", False
        self.stop = None

    def feed(self, data, last=False):
        """Return the rows that the bytes `data` complete."""
        rows = []
        if self.stop:
            return rows
        try:
            for name, value, line in self.parts.feed(data, last):
                if name is None:
                    self.documents += 1
                elif name:
                    raise Fault(f"line {line}: not a list as rclone lsjson writes it")
                else:
                    row = self.row(value, f"line {line}")
                    if row:
                        rows.append(row)
            self.stop = self.parts.stop
        except Fault as fault:
            self.stop = fault
        self.count += len(rows)
        return rows

    def close(self):
        """Return the last rows; say what is missing."""
        rows = self.feed(b"", last=True)
        if self.stop:
            return rows
        if self.parts.is_open or not self.documents:
            self.stop = Cut(f"line {self.parts.line}: the list is cut")
        elif self.directory and not self.is_deep:
            self.stop = Cut(f"nothing below '{self.directory}' is listed: rclone lsjson needs -R")
        return rows

    def row(self, entry, where):
        """Return the Row of an entry, None for a directory."""
        if not isinstance(entry, dict) or not isinstance(entry.get("Path"), str):
            return nonsense(text_of(entry), where, "it is not of rclone lsjson: it has no Path")
        path, size = entry["Path"], text_of(entry.get("Size"))
        if entry.get("IsDir") is True:
            if size.startswith("-"):
                self.directory = self.directory or path
            return None
        self.is_deep = self.is_deep or "/" in path
        key = key_of(path)
        extra = {"ModTime": text_of(entry.get("ModTime"))}
        if is_unsure(path):
            return spoil(Row(self.bucket, key, extra=extra), where, WHY_UNSURE)
        return plain_row({"bucket": self.bucket, "key": key,
                          "size": "" if size.startswith("-") else size,
                          "storage_class": text_of(entry.get("Tier")),
                          "digest": digest_of(entry.get("Hashes"))}, where, extra)


def digest_of(hashes):
    """Return the strongest of an entry's hashes as rows have it, or ''."""
    if isinstance(hashes, dict):
        for name, length in HASHES.items():
            text = text_of(hashes.get(name)).lower()
            if len(text) == length and HEX.fullmatch(text):
                return f"{name}:{text}"
    return ""


def reader(form, bucket, columns):
    """Return a reader of what rclone lists."""
    return Reader(bucket)
