"""Where a row's bytes go, and whose row it is."""

from typing import NamedTuple

from s3kit.manifest import row as rows
from s3kit.manifest.row import KEY_BYTES
from s3kit.manifest.stored_at import copy_of
from s3kit.put.plan import LARGEST_PART
from s3kit.s3 import snowball
from s3kit.text import command, is_unicode

# `failed` may be s3-put's own; what another command found wrong is not stored, unless it is the
# copy that s3-verify has found so: that is stored again.
PUTTABLE = frozenset(("", rows.LISTED, rows.RESTORED, rows.FETCHED, rows.VERIFIED, rows.FAILED,
                      rows.STORED, rows.PRUNED))


def is_to_put(row):
    """Return whether s3-put acts on a row; delete markers have no bytes."""
    is_again = row.state in (rows.MISSING, rows.MISMATCH) and copy_of(row) is not None
    return (row.state in PUTTABLE or is_again) and not row.is_marker and row.verbatim is None


def is_local(row):
    """Return whether a row is of a file alone: it names no version, ETag or checksum of an object.
    """
    return not (row.etag or row.version_id or row.checksum)


def target_of(row, bucket, prefix, strip=""):
    """Return (bucket, key) where a row's bytes go: below the prefix, its key without `strip` at the
    beginning; of a row that is stored there already, where that is. The key is empty where the
    row's does not begin so, or ends there.
    """
    copy = copy_of(row)
    if copy and copy.bucket == bucket and copy.key.startswith(prefix):
        return bucket, copy.key
    rest = row.key[len(strip):] if row.key.startswith(strip) else ""
    return bucket, rest and prefix + rest


class Terms(NamedTuple):
    """What a target's server wants to be minded: how many bytes keys and parts have at most, and
    whether an upload that begins deletes the object that is there.
    """

    key: int = KEY_BYTES
    part: int = LARGEST_PART
    deletes_first: bool = False


def terms_of(endpoint):
    """Return the Terms of the server of an Endpoint, as far as it is known."""
    if snowball.is_at(endpoint):
        return Terms(snowball.KEY_BYTES, snowball.LARGEST_PART, deletes_first=True)
    return Terms()


def clearing(args):
    """Return the command that aborts the uploads which s3-put, called with `args`, may have begun.
    """
    return command("s3-put", "--uploads", "--abort", "--to", "s3://" + "/".join(args.target),
                   dest=args.dest)


def why_no_target(key, most=KEY_BYTES):
    """Return why S3, which takes keys of `most` bytes, takes no object under a key, or ''."""
    if not key:
        return "its key is not below what --strip takes away"
    if not is_unicode(key):
        return "its name is not UTF-8, as all keys are"
    length = len(key.encode())
    who = "S3" if most == KEY_BYTES else "Snowball's S3 adapter"
    return (f"the target's key has {length:,} bytes, and {who} takes {most:,}"
            if length > most else "")
