"""The row: one record for one object version, which every command shares (s3kit-manifest(5)).

Every column is text, as the manifest has it, with `key` and `path` decoded; so a row passes through
a command unchanged at no cost, and what a person wrote stays what they wrote.
"""

import re
from functools import lru_cache

from s3kit.manifest.edited import why_no_size, why_spoilt
from s3kit.text import is_unicode
from s3kit.units import number

COLUMNS = ("bucket", "key", "version_id", "is_latest", "is_delete_marker", "size", "last_modified",
           "etag", "storage_class", "checksum_algorithm", "checksum_type", "checksum", "restore",
           "state", "path", "digest", "proof", "error")
# Columns of ours that only a manifest has which a command made so; they are in a row's `extra`.
OPTIONAL = ("stored_at", "content_type", "content_encoding", "content_disposition",
            "content_language", "cache_control", "metadata")
KNOWN = frozenset(COLUMNS + OPTIONAL)
BARE_NAMES = {column.replace("_", ""): column for column in COLUMNS + OPTIONAL}
KEY, PATH = COLUMNS.index("key"), COLUMNS.index("path")

LISTED, RESTORING, RESTORED, FETCHED, VERIFIED, PRUNED, STORED = (
    "listed", "restoring", "restored", "fetched", "verified", "pruned", "stored")
FAILED, MISSING, MISMATCH, UNVERIFIABLE, CONFLICT, LOCKED, VANISHED = (
    "failed", "missing", "mismatch", "unverifiable", "conflict", "locked", "vanished")
STATES = (LISTED, RESTORING, RESTORED, FETCHED, VERIFIED, PRUNED, STORED,
          FAILED, MISSING, MISMATCH, UNVERIFIABLE, CONFLICT, LOCKED, VANISHED)
WRONG = frozenset((FAILED, MISSING, MISMATCH, CONFLICT, LOCKED, VANISHED))

KEY_BYTES = 1024
# Buckets of before 2018 may hold capitals, underscores and 255 characters.
BUCKET = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
FLAGS = ("", "true", "false")
# What neither form nor a spreadsheet can carry: `%` itself, C0, DEL, C1, what XML 1.0 forbids, and
# a leading character that makes a spreadsheet compute (OWASP, "CSV Injection"; XML 1.0, production
# [2] Char).
UNSAFE = re.compile("[%\x00-\x1f\x7f-\x9f\ufffe\uffff]|^[=+\\-@]")
COMPUTES = frozenset("=+-@")        # the first characters among them
ESCAPE = re.compile("%([0-9A-Fa-f]{2})?")


class Row:
    """One object version; all columns as text, empty where nothing is known.

    `extra` holds unknown columns by name, and those of OPTIONAL that the manifest has; `verbatim`
    the columns of a row that made no sense, as they were read, so that they are passed on as they
    were.
    """

    # No dataclass: its import costs as much as half of the package.
    __slots__ = (*COLUMNS, "extra", "verbatim")

    def __init__(self, bucket: str = "", key: str = "", version_id: str = "", is_latest: str = "",
                 is_delete_marker: str = "", size: str = "", last_modified: str = "",
                 etag: str = "", storage_class: str = "", checksum_algorithm: str = "",
                 checksum_type: str = "", checksum: str = "", restore: str = "", state: str = "",
                 path: str = "", digest: str = "", proof: str = "", error: str = "",
                 extra: "dict[str, str] | None" = None, verbatim: "dict[str, str] | None" = None):
        self.bucket = bucket
        self.key = key
        self.version_id = version_id
        self.is_latest = is_latest
        self.is_delete_marker = is_delete_marker
        self.size = size
        self.last_modified = last_modified
        self.etag = etag
        self.storage_class = storage_class
        self.checksum_algorithm = checksum_algorithm
        self.checksum_type = checksum_type
        self.checksum = checksum
        self.restore = restore
        self.state = state
        self.path = path
        self.digest = digest
        self.proof = proof
        self.error = error
        self.extra, self.verbatim = extra, verbatim

    def __eq__(self, other):
        """Return whether two rows say the same."""
        return isinstance(other, Row) and all(getattr(self, name) == getattr(other, name)
                                              for name in Row.__slots__)

    __hash__ = None

    def __repr__(self):
        """Return the columns that say something."""
        said = ", ".join(f"{name}={getattr(self, name)!r}"
                         for name in Row.__slots__ if getattr(self, name))
        return f"Row({said})"

    def optional(self, column: str) -> str:
        """Return what a column of OPTIONAL says, an empty text where there is none."""
        return (self.extra or {}).get(column, "")

    def set_optional(self, column: str, text: str) -> None:
        """Give a column of OPTIONAL a text.

        CSV carries it only where the column is in the header, of which a command tells its Sink.
        """
        self.extra = {**(self.extra or {}), column: text}

    @property
    def length(self) -> "int | None":
        """The object's size in bytes, or None where the row says none, or what is not a number."""
        return number(self.size)

    @property
    def is_marker(self) -> bool:
        """Whether the row is a delete marker: a version without bytes."""
        return self.is_delete_marker == "true"

    @property
    def name(self) -> str:
        """The row for people: s3://bucket/key, with the version where one is named."""
        version = f"?versionId={self.version_id}" if self.version_id else ""
        return f"s3://{self.bucket}/{self.key}{version}"


def encode(text: str) -> str:
    """Return a key or path as a manifest carries it: percent-encoded just enough to be safe."""
    # most keys are seen to be safe by these alone, in a third of the time of the expression
    if not text or text.isprintable() and "%" not in text and text[0] not in COMPUTES:
        return text
    return UNSAFE.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), text)


def decode(text: str) -> str:
    """Return the key or path that `encode` wrote as `text`.

    Raises ValueError if it makes no sense.
    """
    if "%" not in text:
        return text
    raw = bytearray()
    end = 0
    for match in ESCAPE.finditer(text):
        if not match[1]:
            raise ValueError("a '%' in a key is written %25")
        raw += text[end:match.start()].encode() + bytes((int(match[1], 16),))
        end = match.end()
    raw += text[end:].encode()
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ValueError("the key's percent-encoding is not UTF-8") from None


def column_of(name):
    """Return the column that a name means: `VersionId`, `version-id` and `Version ID` are one.

    A pin under a name that we did not know would be no pin at all.
    """
    name = name.strip().lower()
    return BARE_NAMES.get(re.sub("[-_ ]", "", name), name)


def values(row):
    """Return the row's columns in order, as both forms write them."""
    if row.verbatim is not None:
        given = row.verbatim
        return [given.get(c, "") if c not in ("state", "error") else getattr(row, c)
                for c in COLUMNS]
    return [row.bucket, encode(row.key), row.version_id, row.is_latest, row.is_delete_marker,
            row.size, row.last_modified, row.etag, row.storage_class, row.checksum_algorithm,
            row.checksum_type, row.checksum, row.restore, row.state, encode(row.path), row.digest,
            row.proof, row.error]


def from_values(cells, number, extra=None, unit="line"):
    """Return the Row of `cells` (text in the order of COLUMNS), read at line (or row) `number`.

    A row that makes no sense comes back `failed`, its error naming the line, its cells kept
    verbatim.
    """
    row, text = Row(*cells, extra), "".join(cells)
    try:
        if "%" in text:
            row.key, row.path = decode(row.key), decode(row.path)
        if row.is_latest not in FLAGS or row.is_delete_marker not in FLAGS:
            # a spreadsheet writes TRUE
            row.is_latest, row.is_delete_marker = (
                text.strip().lower() for text in (row.is_latest, row.is_delete_marker))
        nonsense = fault_of(row)
    except ValueError as error:
        nonsense = str(error)
    if not (nonsense or text.isascii() or is_unicode(text)):
        nonsense = (
            "the column "
            f"'{next(name for name, cell in zip(COLUMNS, cells) if not is_unicode(cell))}' is not "
            "Unicode text")
    if nonsense:
        row.verbatim = dict(zip(COLUMNS, cells))
        row.state, row.error = FAILED, f"{unit} {number}: {nonsense}"
    return row


def with_prefix(prefix, rows):
    """Return rows with `prefix` before their keys; one that then makes no sense is `failed`."""
    for row in rows:
        if row.verbatim is None:
            before = dict(zip(COLUMNS, values(row)))
            row.key = prefix + row.key
            nonsense = fault_of(row)
            if nonsense:
                row.verbatim = before
                row.state, row.error = FAILED, f"with the prefix: {nonsense}"
    return rows


@lru_cache(256)
def is_bucket(text):
    """Return whether a text can be a bucket's name."""
    return BUCKET.fullmatch(text) is not None


def fault_of(row):
    """Return why the row makes no sense, or an empty text."""
    if not row.bucket:
        return "no bucket (give --bucket B for rows without one)"
    if not row.key:
        return "no key"
    if not row.key.isascii() or len(row.key) > KEY_BYTES:
        try:
            if len(row.key.encode()) > KEY_BYTES:
                return f"the key is longer than {KEY_BYTES} bytes"
        except UnicodeEncodeError:
            return "the key is not Unicode text"
    if not is_bucket(row.bucket):
        return f"'{row.bucket}' cannot be a bucket"
    if row.size and number(row.size) is None:
        return f"size '{row.size}' is not a number of bytes{why_no_size(row.size)}"
    if row.is_delete_marker not in FLAGS or row.is_latest not in FLAGS:
        return "is_latest and is_delete_marker are 'true', 'false' or empty"
    if row.state and row.state not in STATES:
        return f"'{row.state}' is not a state"
    pins = row.version_id + row.etag
    if "E+" in pins or "#" in pins:     # as good as none
        return why_spoilt("version_id", row.version_id) or why_spoilt("etag", row.etag)
    return ""
