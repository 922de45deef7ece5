"""S3 Inventory reports as Amazon's S3 writes them
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html), made with csv, gzip,
hashlib and pyarrow.
"""

import csv
import gzip
import hashlib
import io
import json
from datetime import datetime, timezone
from urllib.parse import quote_plus

SCHEMA = ("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate",
          "ETag", "StorageClass", "IsMultipartUploaded", "EncryptionStatus",
          "IntelligentTieringAccessTier", "ChecksumAlgorithm")
FLAGS = ("IsLatest", "IsDeleteMarker", "IsMultipartUploaded")
SNAKE = {"ETag": "e_tag", "IntelligentTieringAccessTier": "intelligent_tiering_access_tier"}
TIME = "2025-01-02T03:04:05.000Z"


def version(key, **columns):
    """Return a record of one version, as a dict by the names of SCHEMA; all of it is text."""
    return {"Bucket": "src", "Key": key, "VersionId": "PZ9ibn9D5lP6", "IsLatest": "true",
            "IsDeleteMarker": "false", "Size": "1024", "LastModifiedDate": TIME,
            "ETag": "9e107d9d372bb6826bd81d3542a419d6", "StorageClass": "STANDARD",
            "IsMultipartUploaded": "false", "EncryptionStatus": "SSE-S3",
            "IntelligentTieringAccessTier": "", "ChecksumAlgorithm": "CRC64NVME", **columns}


def csv_bytes(records, schema=SCHEMA):
    """Return a data file in CSV: every cell quoted, keys URL-encoded as forms are, no header."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for record in records:
        writer.writerow([quote_plus(record[name], safe="/") if name == "Key" else record[name]
                         for name in schema])
    return text.getvalue().encode()


def gzip_bytes(records, schema=SCHEMA):
    """Return a data file in CSV, compressed."""
    return gzip.compress(csv_bytes(records, schema), mtime=0)


def table(records, schema=SCHEMA):
    """Return records as a pyarrow Table, typed as Amazon's S3 types them."""
    import pyarrow
    columns = {}
    for name in schema:
        texts = [record[name] for record in records]
        snake = SNAKE.get(name) or "".join(f"_{c.lower()}" if c.isupper() else c
                                           for c in name).lstrip("_")
        if name in FLAGS:
            values, kind = [None if text == "" else text == "true" for text in texts], "bool"
        elif name == "Size":
            values, kind = [int(text) if text else None for text in texts], "int64"
        elif name == "LastModifiedDate":
            values = [datetime.fromisoformat(text[:-1]).replace(tzinfo=timezone.utc)
                      for text in texts]
            kind = pyarrow.timestamp("ms", "UTC")
        else:
            values, kind = [text or None for text in texts], "string"
        columns[snake] = pyarrow.array(values, kind)
    return pyarrow.table(columns)


def parquet_bytes(records, schema=SCHEMA):
    """Return a data file in Parquet."""
    import pyarrow.parquet
    out = io.BytesIO()
    pyarrow.parquet.write_table(table(records, schema), out, compression="snappy")
    return out.getvalue()


def orc_bytes(records, schema=SCHEMA):
    """Return a data file in ORC."""
    import pyarrow.orc
    out = io.BytesIO()
    pyarrow.orc.write_table(table(records, schema), out, compression="zlib")
    return out.getvalue()


MAKERS = {"CSV": (gzip_bytes, "csv.gz"), "Parquet": (parquet_bytes, "parquet"),
          "ORC": (orc_bytes, "orc")}


def report(pieces, kind="CSV", schema=SCHEMA, prefix="inv/", **changes):
    """Return {key: bytes} of a report whose data files have the records of each of `pieces`."""
    make, ending = MAKERS[kind]
    top, files, listed = f"{prefix}src/daily", {}, []
    for at, records in enumerate(pieces):
        key = f"{top}/data/{at:08x}-0000.{ending}"
        files[key] = data = make(records, schema)
        listed.append({"key": key, "size": len(data), "MD5checksum": hashlib.md5(data).hexdigest()})
    document = {"sourceBucket": "src", "destinationBucket": "arn:aws:s3:::inventories",
                "version": "2016-11-30", "creationTimestamp": "1514944800000", "fileFormat": kind,
                "fileSchema": ", ".join(schema), "files": listed, **changes}
    text = json.dumps(document).encode()
    files[f"{top}/2026-01-02T00-00Z/manifest.json"] = text
    files[f"{top}/2026-01-02T00-00Z/manifest.checksum"] = hashlib.md5(text).hexdigest().encode()
    return files


def write(files, folder, strip=""):
    """Write a report's files below a folder, without the start of their keys; return the path of
    its manifest.json.
    """
    for key, data in files.items():
        path = folder / key.removeprefix(strip)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return next(folder / key.removeprefix(strip) for key in files if key.endswith("/manifest.json"))
