"""What the case `inventory` does, done by DuckDB: WORK MANIFEST.JSON FOLDER OUT."""

import glob
import json
import os
import subprocess
import sys

import duckdb

SHARDS = 16
KEPT = ("Bucket", "VersionId", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate", "ETag",
        "StorageClass", "ChecksumAlgorithm")


def main(work, report, folder, out):
    """Do `all`, `class` or `shards`."""
    with open(report) as file:
        document = json.load(file)
    data = [os.path.join(os.path.dirname(report), "data", os.path.basename(entry["key"]))
            for entry in document["files"]]
    names = [name.strip() for name in document["fileSchema"].split(",")]
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    rows = (f"SELECT url_decode(replace(Key, '+', ' ')) AS Key, {', '.join(KEPT)} FROM "
            f"read_csv({data}, auto_detect=false, header=false, delim=',', quote='\"', "
            f"columns={{{types}}})")
    if work == "class":
        rows += " WHERE StorageClass = 'STANDARD'"
    if work != "shards":
        duckdb.sql(f"COPY ({rows}) TO '{out}' (FORMAT csv, HEADER false)")
        return
    duckdb.sql(f"COPY (SELECT *, hash(Bucket || chr(0) || Key) % {SHARDS} AS shard FROM ({rows})) "
               f"TO '{folder}/duckdb' (FORMAT csv, HEADER false, PARTITION_BY shard, "
               "OVERWRITE_OR_IGNORE)")
    with open(out, "wb") as file:
        subprocess.run(["cat", *glob.glob(f"{folder}/duckdb/*/*.csv")], stdout=file, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
