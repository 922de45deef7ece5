"""Entries of S3's listings as JSON, by the names of the API, as the AWS CLI and others write them.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ObjectVersion.html
"""

from s3kit.etags import bare
from s3kit.manifest.entries import in_iso, restore_in
from s3kit.manifest.foreign.json_parts import text_of
from s3kit.manifest.foreign.plain import nonsense, plain_row

NAMES = {"Key": "key", "VersionId": "version_id", "IsLatest": "is_latest", "Size": "size",
         "LastModified": "last_modified", "ETag": "etag", "StorageClass": "storage_class",
         "ChecksumAlgorithm": "checksum_algorithm", "ChecksumType": "checksum_type"}
VALUES = {f"Checksum{name}": name for name in ("CRC64NVME", "CRC32", "CRC32C", "SHA1", "SHA256",
                                               "SHA512", "MD5", "XXHASH64", "XXHASH3",
                                               "XXHASH128")}


def entry_row(entry, bucket, kind, where):
    """Return the Row of an entry. `kind` is what is_delete_marker says: '' where only current
    objects are listed; `where` names its place.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("Key"), str):
        return nonsense(text_of(entry), where, "it is not an entry of a listing: it has no Key")
    columns = {column: text_of(entry[name]) for name, column in NAMES.items() if name in entry}
    columns |= {"bucket": bucket, "is_delete_marker": kind}
    columns["etag"] = bare(columns.get("etag", ""))
    columns["last_modified"] = time_of(columns.get("last_modified", ""))
    restore = entry.get("RestoreStatus")
    if isinstance(restore, dict):
        columns["restore"] = restore_in([text_of(restore.get(name)) for name in
                                         ("IsRestoreInProgress", "RestoreExpiryDate")])
    for name, algorithm in VALUES.items():
        if entry.get(name):
            columns |= {"checksum_algorithm": algorithm, "checksum": text_of(entry[name])}
            break
    return plain_row(columns, where)


def time_of(text):
    """Return a time as rows have it: the AWS CLI writes `+00:00` where S3 says `Z`."""
    return in_iso(f"{text[:-6]}Z" if text.endswith("+00:00") else text)
