"""Completion reports of S3 Batch Operations as Amazon's S3 writes them
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-examples-reports.html).
"""

import base64
import hashlib
import json

TOP = "reports/job-f8fb9d89"
DIGEST = hashlib.md5(b"abc").digest()
TOLD = {"checksum_base64": base64.b64encode(DIGEST).decode(), "etag": "0" * 32 + "-3",
        "checksumAlgorithm": "MD5", "checksumType": "FULL_OBJECT",
        "checksum_hex": DIGEST.hex().upper()}


def message(told):
    """Return the message of a "Compute checksum" task."""
    return json.dumps(told, separators=(",", ":")).replace("=", r"\u003d")


def quoted(text):
    """Return a cell of CSV."""
    return '"' + text.replace('"', '""') + '"'


def report(folder, *results, **changes):
    """Write a report of files of results; return the path of its manifest.json."""
    listed = []
    for at, data in enumerate(results):
        key = f"{TOP}/results/{at:040x}.csv"
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        listed.append({"TaskExecutionStatus": "succeeded", "Bucket": "my-job-reports",
                       "MD5Checksum": hashlib.md5(data).hexdigest(), "Key": key})
    document = {"Format": "Report_CSV_20180820", "ReportCreationDate": "2019-04-05T17:48:39.725Z",
                "Results": listed, "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, "
                                                   "HTTPStatusCode, ResultMessage", **changes}
    path = folder / TOP / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    path.with_name("manifest.json.md5").write_text(hashlib.md5(path.read_bytes()).hexdigest())
    return path
