"""What the ledger is told of a row: of its file, or that it failed."""

import time

from s3kit.disk.failures import Failure
from s3kit.disk.ledger import Entry
from s3kit.text import visible
from s3kit.units import from_epoch


def entry_of(row, version_id, size, mtime_ns, inode, tries=0, state=None, digest=None):
    """Return the ledger's Entry of a row as it leaves: its version as S3 was asked for it, its
    file's size, time and inode.

    `state` is what the ledger is to say where that is not the row's own state; so is `digest`, for
    a row may have one that was given, and the ledger has ours.
    """
    return Entry(row.bucket, row.key, version_id, row.etag, size, row.last_modified,
                 row.storage_class, row.checksum_algorithm, row.checksum_type, row.checksum,
                 row.path, mtime_ns, inode, row.digest if digest is None else digest, row.proof,
                 row.state if state is None else state, row.error, tries, from_epoch(time.time()))


def failure_of(row):
    """Return the ledger's Failure of a row as it leaves."""
    return Failure(row.bucket, row.key, row.version_id, row.etag, row.length, row.last_modified,
                   row.storage_class, row.checksum_algorithm, row.checksum_type, row.checksum,
                   row.path, row.digest, row.proof, row.state, visible(row.error),
                   from_epoch(time.time()))
