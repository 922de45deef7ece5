"""What to do with a row: decided here, without any I/O, so that tables can test it."""
import re

from s3kit.etags import is_same
from s3kit.manifest import row as rows
from s3kit.proof.given import is_by_given, is_given
from s3kit.storage_classes import ARCHIVED_CLASSES, TIERING
from s3kit.units import known_ns

FETCHABLE = frozenset(("", rows.LISTED, rows.RESTORING, rows.RESTORED, rows.FETCHED, rows.FAILED,
                       rows.MISSING, rows.MISMATCH, rows.LOCKED, rows.CONFLICT, rows.STORED))
# States of rows whose bytes came before; s3-fetch lets them be.
CAME_BEFORE = frozenset((rows.VERIFIED, rows.UNVERIFIABLE, rows.PRUNED))
# The same for s3-restore, of those that S3 still has.
ONCE_FETCHED = frozenset((rows.FETCHED, rows.VERIFIED, rows.UNVERIFIABLE))
RESTORABLE = frozenset(("", rows.LISTED, rows.RESTORING, rows.RESTORED, rows.FAILED, rows.MISSING,
                        rows.MISMATCH, rows.CONFLICT, rows.STORED))
VERIFIABLE = frozenset(("", rows.LISTED, rows.RESTORED, rows.RESTORING, rows.FETCHED, rows.VERIFIED,
                        rows.MISSING, rows.MISMATCH, rows.UNVERIFIABLE, rows.STORED, rows.PRUNED))
# States of rows that no file was ever said to be there of.
NEVER_HERE = frozenset(("", rows.LISTED, rows.RESTORING, rows.RESTORED))
# "": a row that does not say
MAY_BE_ARCHIVED = frozenset(("", TIERING, *ARCHIVED_CLASSES))
PLAIN = re.compile("[!-~]*")
# The optional columns of what S3 says of an object besides its bytes.
DESCRIPTION = tuple(column for column in rows.OPTIONAL if column != "stored_at")


def is_to_fetch(row):
    """Return whether s3-fetch acts on a row; delete markers have no bytes."""
    return row.state in FETCHABLE and not row.is_marker and row.verbatim is None


def is_come_before(row):
    """Return whether a row says that its bytes came before, and were looked at since."""
    return row.state in CAME_BEFORE and not row.is_marker and row.verbatim is None


def is_to_restore(row, again=False):
    """Return whether s3-restore looks at a row: its bytes may lie in an archive; with `again` they
    may have come before.
    """
    return (row.storage_class in MAY_BE_ARCHIVED and not row.is_marker and row.verbatim is None
            and (row.state in RESTORABLE or again and row.state in ONCE_FETCHED))


def is_to_verify(row):
    """Return whether s3-verify acts on a row."""
    return row.state in VERIFIABLE and not row.is_marker and row.verbatim is None


def is_askable(row):
    """Return whether S3 can be asked for the very version that a row names.

    Its id and ETag go into the request as they are: what is not plain could add headers of its own.
    """
    return PLAIN.fullmatch(row.version_id) is not None and PLAIN.fullmatch(row.etag) is not None


def is_pinned(row):
    """Return whether a row says which bytes it means: by a version, or by an ETag where the version
    can be overwritten.
    """
    return row.version_id not in ("", "null") or bool(row.etag)


def is_strong(proof):
    """Return whether a proof's name is of one that deletes without being asked for by name."""
    return proof not in ("", "size") and not is_by_given(proof)


def is_thawing(row):
    """Return whether the row itself says that its archived bytes cannot be read yet."""
    return row.storage_class in ARCHIVED_CLASSES and row.restore == "ongoing"


def is_same_object(row, entry):
    """Return whether a ledger Entry speaks of the very version that the row names."""
    if row.etag and entry.etag and not is_same(row.etag, entry.etag):
        return False
    return not row.size or int(row.size) == entry.size


def is_put_again(row, entry):
    """Return whether a row's object is a later one than a ledger Entry's, of the same bytes under
    the same name.

    A version id names one object for ever; what has none, or `null`, can be put once more.
    """
    if row.version_id not in ("", "null"):
        return False
    at, before = known_ns(row.last_modified), known_ns(entry.last_modified)
    return at is not None and before is not None and at > before


def keep(row, entry):
    """Fill a row from the ledger's Entry of its finished file, as `fetched`."""
    row.etag, row.size = row.etag or entry.etag, row.size or str(entry.size)
    row.version_id = row.version_id or entry.version_id
    row.last_modified = row.last_modified or entry.last_modified
    row.storage_class = row.storage_class or entry.storage_class
    take_checksum(row, entry)
    row.path, row.proof = entry.path, entry.proof
    take_digest(row, entry.digest)
    row.state, row.error = rows.FETCHED, ""


def make_listed(row):
    """Take from a row what was said of a file that is not there; its path stays."""
    row.state, row.proof, row.error = rows.LISTED, "", ""
    take_digest(row, "")


def take_digest(row, ours):
    """Give a row our digest of its file, or '' for none; one that was given stays, for nobody could
    say it again.
    """
    if not is_given(row.digest):
        row.digest = ours


def take_checksum(row, told):
    """Give a row the checksum that was `told` of its object (an Entry, or an Outcome), if any was.
    """
    if told.checksum:
        row.checksum_algorithm, row.checksum_type = told.checksum_algorithm, told.checksum_type
        row.checksum = told.checksum


def is_described(row):
    """Return whether a row says anything that S3 says of an object besides its bytes."""
    return row.extra is not None and any(map(row.extra.get, DESCRIPTION))


def description_of(row):
    """Return {column: text} of what a row says of its object besides the bytes."""
    return {name: text for name, text in (row.extra or {}).items() if text and name in DESCRIPTION}


def take_description(row, told):
    """Give a row what was `told` of its object besides the bytes, {column: text}, in the place of
    what it said before.
    """
    others = {name: text for name, text in (row.extra or {}).items() if name not in DESCRIPTION}
    row.extra = others | told or None
