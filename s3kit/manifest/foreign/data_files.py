"""The data files that a manifest.json of Amazon's names: where copies of them lie, and whether they
are those that it means.
"""

import hashlib
import json
import os
import re
from typing import NamedTuple

from s3kit.errors import Cut, Fault, of_file
from s3kit.manifest import base, streams
from s3kit.units import number

MOST = 64 << 20         # bytes of a manifest.json; each data file takes some 200
MD5 = re.compile("[0-9a-f]{32}")


class DataFile(NamedTuple):
    """One data file: its key in `bucket`, size in bytes (None: not told) and MD5 in hex (or '')."""

    key: str
    bucket: str = ""
    size: int | None = None
    md5: str = ""


def is_json(head):
    """Return whether the first bytes of a file are those of a manifest.json."""
    return head.removeprefix(streams.BOM).lstrip().startswith(b"{")


def read_json(data, what):
    """Return the object in the bytes of a manifest.json. Raises Fault."""
    try:
        found = json.loads(data.removeprefix(streams.BOM))
    except (ValueError, RecursionError):
        raise Fault(f"{what}: it is not JSON, or was cut") from None
    if not isinstance(found, dict):
        raise Fault(f"{what}: it is not a JSON object")
    return found


def text_in(document, name, what):
    """Return the text of this name in a JSON object. Raises Fault where there is none."""
    found = document.get(name)
    if not isinstance(found, str) or not found:
        raise Fault(f"{what}: it has no '{name}'")
    return found


def files_in(document, names, what):
    """Return the DataFiles in a JSON object, by the names of their list, MD5, size and bucket.

    Raises Fault for a list, or an entry of it, that makes no sense.
    """
    listed = document.get(names[0])
    if not isinstance(listed, list):
        raise Fault(f"{what}: it has no list '{names[0]}'")
    found = []
    for entry in listed:
        entry = entry if isinstance(entry, dict) else {}
        key, md5 = entry.get("key", entry.get("Key")), str(entry.get(names[1], "")).lower()
        size = number(str(entry.get(names[2], ""))) if names[2] else None
        if not isinstance(key, str) or not key or not MD5.fullmatch(md5):
            raise Fault(f"{what}: a data file in it has no key or no MD5")
        if names[2] and size is None:
            raise Fault(f"{what}: it does not say how large '{key}' is")
        found.append(DataFile(key, str(entry.get(names[3], "")), size, md5))
    return found


class ReportReader(base.Reader):
    """What reads a report, a manifest.json and its data files.

    `place` gives the bytes of these (see Folder). `is_sorted`: whether all rows so far came in
    order of bucket and key; nobody promises it.
    """

    def __init__(self, place, bucket=""):
        self.place, self.bucket = place, bucket
        self.extras, self.count = [], 0
        self.is_sorted, self.last = True, ("", "")

    def note(self, rows):
        """Count rows, and see whether they are in order."""
        self.count += len(rows)
        if self.is_sorted and rows:
            names = [self.last, *((row.bucket, row.key) for row in rows)]
            self.is_sorted, self.last = names == sorted(names), names[-1]


class Folder:
    """Where copies of data files lie, near the manifest.json at `path`.

    `aws s3 sync` of a whole bucket makes paths that are whole keys, of a prefix those that are the
    rest of them; files that were copied one by one lie beside.
    """

    def __init__(self, path):
        self.path, self.name = path, path
        self.top = os.path.dirname(os.path.abspath(path))
        self.found = {}
        self.last = (self.top, 0)   # the directory, and how many parts of the key are left out

    def manifest(self):
        """Return the bytes of the manifest.json, which people may have compressed. Raises Fault."""
        return expanded(read_whole(self.path), self.path)

    def beside(self, name):
        """Return the bytes of a file beside the manifest.json, or None where there is none."""
        try:
            return read_whole(os.path.join(self.top, name))
        except Fault:
            return None

    def check(self, files):
        """Find all files, and hold them to their sizes. Raises Fault for the first that is missing
        or has another.
        """
        for file in files:
            path = self.found[file] = self.find(file.key)
            size = os.stat(path).st_size
            if file.size is not None and size != file.size:
                raise Fault(f"{self.name}: the data file '{path}' has {size:,} bytes, not "
                            f"{file.size:,}")

    def find(self, key):
        """Return the path of the copy of a data file. Raises Fault, saying where it was looked for.
        """
        parts = [part for part in key.split("/") if part]
        if ".." in parts or "\0" in key:
            raise Fault(f"{self.name}: '{key}' cannot be the name of a data file")
        for folder, skipped in [self.last, *self.places(len(parts))]:
            path = os.path.join(folder, *parts[skipped:])
            if skipped < len(parts) and os.path.isfile(path):
                self.last = folder, skipped
                return path
        raise Fault(f"{self.name}: there is no copy of the data file '{key}': it was looked for "
                    f"beside, and under this name or the end of it in '{self.top}' and the "
                    "directories above")

    def places(self, count):
        """Yield (directory, how many of a key's `count` parts are left out), the likeliest first.

        A bare name is looked for beside the manifest.json alone.
        """
        folder = self.top
        while True:
            for skipped in range(count):
                if skipped < count - 1 or folder == self.top:
                    yield folder, skipped
            above = os.path.dirname(folder)
            if above == folder:
                return
            folder = above

    def blocks(self, file):
        """Yield the bytes of a data file. Raises Fault."""
        path = self.found[file]
        try:
            with open(path, "rb") as opened:
                yield from iter(lambda: opened.read(streams.BLOCK), b"")
        except OSError as error:
            raise of_file("read", path, error) from None

    def opened(self, file):
        """Return a file object of a data file whose bytes are those that are meant. Raises Fault.
        """
        for _ in checked(self.blocks(file), file):
            pass
        return open(self.found[file], "rb")


def head_of(path):
    """Return the first bytes of a file, of a compressed one those that it holds. Raises Fault."""
    try:
        with open(path, "rb") as file:
            blocks = iter(lambda: file.read(streams.BLOCK), b"")
            return streams.next_of(streams.named(streams.expand(blocks), path))
    except OSError as error:
        raise of_file("read", path, error) from None


def expanded(data, what):
    """Return the bytes of a manifest.json as they were before they were compressed, if they are.

    Raises Fault where they are too many, Cut where some are missing.
    """
    found = bytearray()
    for block in streams.named(streams.expand(iter([data])), what):
        found += block
        if len(found) > MOST:
            raise too_large(what)
    return bytes(found)


def too_large(what):
    """Return the Fault about what is no manifest.json by its size."""
    return Fault(f"'{what}' has more than {MOST >> 20} MiB: it is not a manifest.json")


def read_whole(path):
    """Return the bytes of a small file. Raises Fault."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise of_file("read", path, error) from None
    if len(data) > MOST:
        raise too_large(path)
    return data


def checked(blocks, file):
    """Yield the blocks of a data file; at their end raise Cut if they are not what is meant."""
    size, digest = 0, hashlib.md5(usedforsecurity=False)
    for block in blocks:
        size += len(block)
        digest.update(block)
        yield block
    if file.size is not None and size != file.size:
        raise Cut(f"the data file '{file.key}' has {size:,} bytes, not {file.size:,}: its rows are "
                  "not to be trusted")
    if file.md5 and digest.hexdigest() != file.md5:
        raise Cut(f"the MD5 of the data file '{file.key}' is {digest.hexdigest()}, not {file.md5}: "
                  "its rows are not to be trusted")


def check_sum(data, told, name):
    """Hold a manifest.json to the MD5 in the file beside it. Raises Cut."""
    text = told.decode("ascii", "replace").strip().lower() if told else ""
    if MD5.fullmatch(text) and hashlib.md5(data, usedforsecurity=False).hexdigest() != text:
        raise Cut(f"{name}: its MD5 is not the one in the file beside it: {text}")
