"""Whether two rows are of the same bytes, and what says so; never their times."""

import base64

from s3kit.etags import is_same, old
from s3kit.units import number

SAME, CHANGED, UNKNOWN = "same", "changed", "unknown"
STRENGTH = ("checksum", "digest", "etag")
SIZE = "size"
HEX = frozenset("0123456789abcdef")
# The columns in which foreign forms say how an object is encrypted, their names without signs.
ENCRYPTION = frozenset(("encryption", "encryptionstatus", "serversideencryption", "sse"))
# Whole hashes that S3 gives in base64 and others in hexadecimal digits.
DIGESTS = ("md5", "sha1", "sha256", "sha512", "xxhash64", "xxhash3", "xxhash128")


def compare(old_row, new_row):
    """Return (SAME, CHANGED or UNKNOWN, what that rests on: a column's name, or an empty text).

    The strongest evidence that both rows have decides: checksums of one algorithm and type, digests
    of one algorithm, ETags of one kind, the version's id in the same bucket, the size. Where sizes
    differ nothing else needs to be asked.
    """
    if old_row.is_marker or new_row.is_marker:
        is_same = old_row.is_marker and new_row.is_marker
        return (SAME if is_same else CHANGED), "is_delete_marker"
    sizes = number(old_row.size), number(new_row.size)
    if None not in sizes and sizes[0] != sizes[1]:
        return CHANGED, SIZE
    there = evidence(new_row)
    for kind, (column, value) in evidence(old_row).items():
        if kind in there:
            # what is named is the weaker of the two: an MD5 may be an ETag here, a digest there
            column = max(column, there[kind][0], key=STRENGTH.index)
            return (SAME if value == there[kind][1] else CHANGED), column
    if is_same_version(old_row, new_row):
        return SAME, "version_id"
    if is_put_again(old_row, new_row):
        return UNKNOWN, "etag"
    return (UNKNOWN, "") if None in sizes else (SAME, SIZE)


def is_same_version(one, other):
    """Return whether two rows name one version, which S3 never changes; `null` can be put again."""
    return (one.bucket == other.bucket and one.version_id == other.version_id
            and one.version_id not in ("", "null"))


def is_put_again(one, other):
    """Return whether two rows are of one name with two ETags: something was put there again, of
    which an equal size does not say that it is the same.
    """
    return (one.bucket == other.bucket and one.key == other.key
            and bool(one.etag and other.etag) and not is_same(one.etag, other.etag))


def evidence(row):
    """Return {kind: (column, value)} of what a row says of its object's bytes, the strongest first.

    Only values of one kind can be compared.
    """
    found = {}
    checksum, _, parts = row.checksum.partition("-")
    if checksum:
        algorithm, kind = row.checksum_algorithm.lower(), row.checksum_type.lower()
        if parts or kind == "composite":
            found[f"{algorithm} of {parts or 'unknown'} parts"] = "checksum", checksum
        elif algorithm in DIGESTS:
            found[algorithm] = "checksum", hex_of(checksum)
        else:
            found[algorithm] = "checksum", checksum
    algorithm, colon, value = row.digest.partition(":")
    if colon:
        found.setdefault(algorithm.lower(), ("digest", value.lower()))
    etag, dash, parts = old(row.etag).partition("-")
    if len(etag) == 32 and HEX.issuperset(etag) and not is_kms(row):
        if not dash:
            found.setdefault("md5", ("etag", etag))
        elif number(parts):
            found[f"etag of {number(parts)} parts"] = "etag", etag
    return found


def hex_of(text):
    """Return a base64 value in hexadecimal digits, or as it is where it cannot be read."""
    try:
        return base64.b64decode(text, validate=True).hex()
    except ValueError:
        return text


def is_kms(row):
    """Return whether a row says that its object is encrypted so that the ETag is not an MD5 (Amazon
    S3 API Reference, "Object": SSE-KMS, SSE-C).
    """
    for name, value in (row.extra or {}).items():
        if name.lower().replace("_", "").replace("-", "").replace(" ", "") in ENCRYPTION:
            return "KMS" in value.upper() or value.upper() == "SSE-C"
    return False
