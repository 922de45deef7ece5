"""Whether a row's version may go: decided here, without any I/O, so that tables can test it.

A reason is a text; the empty text lets the version go. A BrokenProof is a proof that was there and
does not hold any more: it fails the row.
"""

from typing import NamedTuple

from s3kit.etags import is_same
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.proof.given import is_by_given
from s3kit.units import known_ns

# Why a row is kept. GONE: S3 said in an earlier run that it has deleted the version.
NOT_VERIFIED, WEAK, GIVEN, MARKER, CURRENT, NEWEST, ENOUGH, REFUSED, FILTERED, GONE, COPY = (
    "not verified", "proven by nothing but its size",
    "proven by nothing but a given digest (--accept-proof given)",
    "delete markers (--delete-markers)",
    "current versions", "among the newest", "more than --max-delete",
    "you said no", "left out by the filters", "gone before",
    "the copies themselves, or of their names")


class BrokenProof(str):
    """Why a proof does not hold any more, or why deleting by it would not be safe."""


class Rules(NamedTuple):
    """What the options let go: rows in state `fetched`, the proof `size`, markers, only old
    versions, proofs by digests that were given.
    """

    fetched: bool = False
    sized: bool = False
    markers: bool = False
    noncurrent_only: bool = False
    given: bool = False

    @classmethod
    def of(cls, args):
        """Return the Rules of a command line."""
        return cls(args.fetched, "size" in args.accept_proof, args.delete_markers,
                   args.noncurrent_only, "given" in args.accept_proof)

    def accept(self, proof):
        """Return whether a proof's name is one that deletes."""
        return (states.is_strong(proof) or self.given and is_by_given(proof)
                or self.sized and proof == "size")


def weak(proof):
    """Return in words what a proof rests on that does not delete."""
    return "a digest that was given" if is_by_given(proof) else "its size"


def is_settled(row):
    """Return whether a row passes as it is: gone already, wrong, or a line that makes no sense."""
    return row.verbatim is not None or row.state == rows.PRUNED or row.state in rows.WRONG


def why_not_considered(row, rules):
    """Return why a row says by itself that its version is not to be deleted, or ''."""
    if is_settled(row):
        return row.state
    if row.is_marker:
        is_named = row.version_id and row.state in ("", rows.LISTED)
        return "" if rules.markers and is_named else MARKER
    if row.state not in (rows.VERIFIED, rows.STORED) and not (
            row.state == rows.FETCHED and rules.fetched):
        return NOT_VERIFIED
    return ""


def is_gone(row, entry):
    """Return whether S3 has confirmed that it deleted a row's version (`entry` is the ledger's, or
    None).

    `tries` counts the requests that S3 never answered: after a kill nobody knows. What lies under a
    name that can be overwritten is the same object only if it is of the same time: somebody may
    have put the same bytes again.
    """
    if entry is None or entry.state != rows.PRUNED or entry.tries or not states.is_same_object(
            row, entry):
        return False
    if row.version_id not in ("", "null"):
        return True
    at = known_ns(row.last_modified)
    return (bool(row.etag) and is_same(row.etag, entry.etag) and at is not None
            and at == known_ns(entry.last_modified))


def why_broken(row, entry, status, rules):
    """Return the BrokenProof of a row, or ''.

    `entry` is the ledger's of its version, or None; `status` the os.stat_result at the entry's path
    now, or None where there is no file.
    """
    believed = (rows.VERIFIED, rows.PRUNED) + (rows.FETCHED,) * rules.fetched
    why = ""
    if entry is None or not entry.path:
        why = "the ledger does not know its file (s3-verify makes it known)"
    elif entry.state not in believed:
        why = f"the ledger says that it is {entry.state or 'not verified'}"
    elif not states.is_same_object(row, entry) or (row.path and row.path != entry.path):
        why = "the ledger knows another object of that name"
    elif not rules.accept(entry.proof):
        why = f"the ledger's proof is nothing but {weak(entry.proof)}"
    elif status is None:
        why = "its file has gone since it was verified"
    elif not entry.is_file(status):
        why = "its file was changed since it was verified"
    return BrokenProof(why) if why else ""


def is_stale(entry, since):
    """Return whether a file was verified before `since` (ns since 1970): its disk may have lost it.
    """
    if entry is None or not entry.path or entry.is_folder:      # the former is a marker
        return False
    at = known_ns(entry.changed_at)
    return at is None or at < since
