"""The column `stored_at`: where s3-put has put a row's bytes."""

from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote

NAME = "stored_at"
# Why a row is not stored any more, for people.
REPLACED = "another object is in the place of its copy"
GONE = "its copy is not there any more"


class Copy(NamedTuple):
    """One version of an object; `version_id` is empty where its bucket has no versions."""

    bucket: str
    key: str
    version_id: str = ""


def written(copy):
    """Return a Copy as the column has it: `s3://bucket/key?versionId=V`, the key URL-encoded."""
    version = f"?versionId={quote(copy.version_id, safe='')}" if copy.version_id else ""
    return f"s3://{copy.bucket}/{quote(copy.key, safe='/~')}{version}"


def copy_of(row):
    """Return the Copy that a row names, or None where it names none."""
    return copy_in(row.optional(NAME))


def copy_in(text):
    """Return the Copy that the column's text names, or None where it names none."""
    if not text.startswith("s3://"):
        return None
    bucket, _, rest = text[5:].partition("/")
    key, _, query = rest.partition("?")
    version = dict(parse_qsl(query)).get("versionId", "")
    try:
        key = unquote(key, errors="strict")
    except UnicodeDecodeError:
        return None
    return Copy(bucket, key, version) if bucket and key else None


def is_the_copy(row):
    """Return whether a row is of the copy itself, as those of a local tree become."""
    copy = copy_of(row)
    return copy is not None and (row.bucket, row.key) == copy[:2] and (
        row.version_id in ("", copy.version_id))
