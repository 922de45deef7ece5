"""An S3 Inventory of many rows, the same in every run, and the ways to work with it."""

import gzip
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

from peers import CORES, HERE, Tool

FILES = 8
SHARDS = 16
CLASSES = ("STANDARD", "GLACIER", "STANDARD", "INTELLIGENT_TIERING")
SCHEMA = ("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate",
          "ETag", "StorageClass", "IsMultipartUploaded", "EncryptionStatus", "ChecksumAlgorithm")
# what the bench asks of a server and a bucket, where there is none
NO_SERVER = SimpleNamespace(url="http://127.0.0.1", env={}, counts=lambda: None)
NO_BUCKET = SimpleNamespace(name="inventory", sizes=[], entries=[])


def line(number):
    """Return one line of a data file; every fourth key has what is URL-encoded."""
    key = (f"data+of+{number % 365}/{number:09d}%2B.jpg" if number % 4 == 0
           else f"2026/{number % 365:03d}/{number:09d}.jpg")
    digest = hashlib.md5(b"%d" % number).hexdigest()
    return (f'"inventory","{key}","{digest[:24]}","true","false","{number * 977 % 10**9}",'
            f'"2026-01-02T03:{number // 60 % 60:02d}:{number % 60:02d}.000Z","{digest}",'
            f'"{CLASSES[number % 4]}","false","SSE-S3","CRC64NVME"\n')


def make(folder, rows):
    """Write an inventory of so many rows below a folder; return the path of its manifest.json."""
    folder = Path(folder)
    (folder / "data").mkdir(parents=True)
    files = []
    for number in range(FILES):
        path = folder / "data" / f"{number:08x}.csv.gz"
        # those that compress well take as long to expand
        with open(path, "wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as file:
            for start in range(number, rows, FILES * 1000):
                file.write("".join(map(line, range(start, min(rows, start + FILES * 1000), FILES))
                                   ).encode())
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "md5") if hasattr(hashlib, "file_digest") else (
                hashlib.md5(file.read()))
        files.append({"key": f"inventory/daily/data/{path.name}", "size": path.stat().st_size,
                      "MD5checksum": digest.hexdigest()})
    made = folder / "manifest.json"
    made.write_text(json.dumps({
        "sourceBucket": "inventory", "destinationBucket": "arn:aws:s3:::inventories",
        "version": "2016-11-30", "creationTimestamp": "1767225600000", "fileFormat": "CSV",
        "fileSchema": ", ".join(SCHEMA), "files": files}))
    return made


def duckdb(work, name, report):
    """Return DuckDB doing a piece of work (see duckdb_inventory.py)."""
    return Tool(f"DuckDB, {name}",
                f"{{python}} {HERE}/duckdb_inventory.py {work} {report} {{dest}} {{out}}", "duckdb",
                note="keeps no extra columns, checks no MD5", is_rival=False)


def to_manifest(report):
    """Return the ways from a report to a manifest."""
    return [Tool("s3-manifest", f"s3-manifest -q {report} > {{out}}"),
            duckdb("all", "to CSV", report)]


def to_one_class(report):
    """Return the ways to the rows of one storage class, which are half of all."""
    return [Tool("s3-manifest, s3-filter",
                 f"s3-manifest -q {report} | s3-filter -q --storage-class STANDARD > {{out}}"),
            duckdb("class", "filtered", report)]


def to_shards(report, made):
    """Return the ways to deal the rows of a report, or of the manifest `made` of it, to SHARDS
    files: s3-filter once for each, as the machines of an array job run it; and to put them together
    again, which misses none.
    """
    return [Tool("s3-filter --shard",
                 f"seq {SHARDS} | xargs -P {CORES} -I K s3-filter -q --shard K/{SHARDS} "
                 f"-o {{dest}}/K.csv {made} && cat {{dest}}/*.csv > {{out}}"),
            duckdb("shards", "partitioned", report),
            Tool("s3-filter --merge", "s3-filter -q --merge {dest}/*.csv > {out}")]
