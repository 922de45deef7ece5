"""Where uploads go: a tree of files, and for each run a bucket in which nothing is; what came is
held against the files.
"""

import contextlib
import csv
import functools
import hashlib
import shutil
import tempfile
from pathlib import Path

from comparing import Seaweed
from light import Bucket
from sink import PARTS, WHOLE, Sink, md5s

from s3kit.etags import is_same


class Uploads:
    """Uploads of one tree to a server, which is to be entered. `server`, `tree`; `fresh()` lends an
    empty Bucket for a run, `came(bucket)` is what it has then: {key: whether it is the file}.
    """

    def __init__(self, source, server):
        self.source, self.server, self.runs = source, server, 0

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    @property
    def place(self):
        """The directory that a tool is told of: that of the files."""
        return self.tree

    @contextlib.contextmanager
    def fresh(self):
        """Lend the Bucket of a run; what s3-put knows of earlier ones is removed."""
        shutil.rmtree(self.tree / ".s3kit", ignore_errors=True)
        yield self.source

    def lacks(self, bucket, tool, out):
        """Return what is wrong with what a tool has uploaded, in words; `out` is its output."""
        wanted = {key: size for key, size in self.source.sizes
                  if tool.share == 1 or key.startswith("0/")}
        came = self.came(bucket)
        right = sum(came.get(key) == size for key, size in wanted.items())
        if right < len(wanted) or len(came) > len(wanted):
            return f"{right:,} objects of {len(wanted):,} are right, {len(came):,} are there"
        return unproven(out, len(wanted)) if tool.ours else ""


def unproven(out, wanted):
    """Return what is wrong with the rows that s3-put wrote: each says that it is stored, and by
    what that is proven.
    """
    with open(out, newline="") as file:
        mark, *lines, end = file.readlines()
    rows = list(csv.DictReader(lines))
    good = sum(row["state"] == "stored" and row["proof"] not in ("", "size") for row in rows)
    return "" if good == wanted else f"{good:,} rows of {wanted:,} are proven"


class ToSink(Uploads):
    """Uploads to a Sink, whose bucket is always empty; the bodies' lengths are looked at."""

    def __init__(self, source, latency=0.0):
        super().__init__(source, Sink(source, latency))

    @property
    def tree(self):
        """The directory of the files."""
        return self.server.tree

    def came(self, bucket):
        """Return {key: bytes}."""
        return self.server.came()


class ToSeaweed(Uploads):
    """Uploads to SeaweedFS, to a bucket of its own each; the ETags are held against the files."""

    def __init__(self, bench, source):
        super().__init__(source, Seaweed([], bench.peers.env))
        self.folder = Path(tempfile.mkdtemp(dir=bench.work))
        source.write(self.folder)

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.folder)

    @property
    def tree(self):
        """The directory of the files."""
        return self.folder / self.source.name

    @contextlib.contextmanager
    def fresh(self):
        """Lend a new bucket, and remove it with all that it has."""
        self.runs += 1
        name, client = f"{self.source.name}-{self.runs}", self.server.client()
        client.create_bucket(Bucket=name)
        try:
            with super().fresh():
                yield Bucket(name, self.source.sizes)
        finally:
            client.delete_bucket(Bucket=name)

    def came(self, bucket):
        """Return {key: bytes, None where the ETag is not the file's}."""
        pages = self.server.client().get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
        return {item["Key"]: item["Size"] if self.is_the_file(item) else None
                for page in pages for item in page.get("Contents", ())}

    def is_the_file(self, item):
        """Return whether an item of a list has its file's ETag, in parts of whatever size."""
        etag, key = item["ETag"].strip('"'), item["Key"]
        _, dash, count = etag.partition("-")
        if not dash:
            return is_same(etag, self.etag_of(key))
        return any(etag == self.etag_in_parts(key, step) for step in PARTS
                   if -(-item["Size"] // step) == int(count))

    @functools.lru_cache(None)
    def etag_of(self, key):
        """Return the MD5 of a file that may be sent in one request."""
        return md5s(self.tree / key, WHOLE)[0][2].hex()

    @functools.lru_cache(None)
    def etag_in_parts(self, key, step):
        """Return a file's ETag in parts of `step` bytes."""
        sums = [digest for _, _, digest in md5s(self.tree / key, step)]
        return f"{hashlib.md5(b''.join(sums)).hexdigest()}-{len(sums)}"


class Relayed(ToSeaweed):
    """From another server to SeaweedFS, by way of an empty directory (`place`) for each run."""

    way = None

    @property
    def place(self):
        """The directory."""
        return self.way

    @contextlib.contextmanager
    def fresh(self):
        """Lend a new bucket and a new directory."""
        with super().fresh() as bucket:
            self.way = Path(tempfile.mkdtemp(dir=self.folder.parent))
            try:
                yield bucket
            finally:
                shutil.rmtree(self.way)

    def lacks(self, bucket, tool, out):
        """Return what is wrong with what has come, in words."""
        came, wanted = self.came(bucket), dict(self.source.sizes)
        right = sum(came.get(key) == size for key, size in wanted.items())
        return "" if right == len(wanted) == len(came) else (
            f"{right:,} objects of {len(wanted):,} are right, {len(came):,} are there")
