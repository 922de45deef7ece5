"""What s3-verify found of a row: how the row leaves, what the ledger hears, which files go."""

import stat

from s3kit.disk.failures import Failures
from s3kit.disk.ledger import NO_FILE
from s3kit.errors import Fault, reason
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.pipeline.entries import entry_of, failure_of
from s3kit.proof.given import is_given, parted
from s3kit.storage_classes import ARCHIVED_CLASSES
from s3kit.transfer import job as jobs

KEPT = "; the file was kept: an ETag may be something else than an MD5"
KEPT_ONLY = "; the file was kept: it is all that is left of a version that s3-prune deleted"
KEPT_GIVEN = "; the file was kept: not both S3's own word and the given digest are against it"


class Results:
    """Lets the rows of a Stage go; `tree` is the destination, `removed` has the paths of files that
    were removed, `pruned` is how many good files are those of rows that are pruned, `archived` how
    many rows passed whose objects s3-fetch could not read.
    """

    def __init__(self, stage, tree):
        self.stage, self.tree, self.args = stage, tree, stage.args
        self.removed, self.failures = set(), Failures(stage.ledger)
        self.pruned = self.archived = 0

    def verified(self, errand, read, proof):
        """The bytes on the disk are S3's."""
        row = errand.row
        if errand.path in self.removed:
            self.fail(row, rows.MISSING,
                      f"the file '{errand.path}' was removed: it is not what another row says")
            return
        self.pruned += row.state == rows.PRUNED
        row.state = rows.PRUNED if row.state == rows.PRUNED else rows.VERIFIED
        row.error, row.proof = "", proof
        states.take_digest(row, read.digest)
        row.size = row.size or str(errand.status.st_size)
        self.record(errand, read)

    def still_verified(self, row, entry):
        """Let a row go whose file was verified not long ago, and is untouched since."""
        row.state, row.error, row.digest, row.proof = rows.VERIFIED, "", entry.digest, entry.proof
        self.failures.over([row])
        self.stage.leave(row)

    def differs(self, errand, why, is_derived=False):
        """The bytes on the disk are not S3's; `is_derived` if that is only likely."""
        row = errand.row
        row.proof = ""
        if not stat.S_ISREG(errand.status.st_mode):
            self.fail(row, rows.MISMATCH, why)
            return
        if self.is_anothers(errand):
            self.fail(row, rows.MISMATCH, f"{why}: it is the file of another version")
            return
        if self.args.discard and self.is_last_copy(errand):
            why += KEPT_ONLY
        elif self.args.discard and is_derived:
            why += KEPT_GIVEN if is_given(row.digest) else KEPT
        elif self.args.discard:
            why += self.remove(errand.path)
        self.forget_unproven(row, rows.MISMATCH)
        row.state, row.error = rows.MISMATCH, why
        self.record(errand, jobs.Outcome(jobs.CHECKED, mtime_ns=NO_FILE), aloud=True)

    def remove(self, path):
        """Remove a file; return what there is to say of that."""
        try:
            self.tree.remove(path)
        except (OSError, Fault) as error:
            return f"; the file cannot be removed: {reason(error)}"
        self.removed.add(path)
        return "; the file was removed"

    def is_anothers(self, errand):
        """Return whether a row's path leads to what was proven to be another version's, before or
        in this run.
        """
        ledger = self.stage.ledger
        known = (self.stage.outbox.pending_at(errand.path), ledger and ledger.at_path(errand.path))
        return any(entry and entry.state in (rows.FETCHED, rows.VERIFIED, rows.PRUNED)
                   and entry.is_file(errand.status) and entry[:3] != errand.name for entry in known)

    def is_last_copy(self, errand):
        """Return whether S3 has a row's version no more, as the row says or the ledger."""
        return errand.row.state == rows.PRUNED or is_known_pruned(errand.row, errand.entry)

    def record(self, errand, read, aloud=False):
        """Let a row go, and the ledger know.

        What s3-prune has deleted in S3 stays known as that: its file is the only copy. What
        s3-fetch has recorded was flushed before: its file, untouched since, needs no second flush.
        """
        row, entry = errand.row, errand.entry
        is_folder = stat.S_ISDIR(errand.status.st_mode)
        made = entry_of(row, row.version_id, 0 if is_folder else size_of(errand, read),
                        0 if is_folder else read.mtime_ns, read.inode, entry.tries if entry else 0,
                        rows.PRUNED if is_known_pruned(row, entry) else None,
                        read.digest or parted(row.digest)[0])
        self.stage.finish(row, made, entry is not None and entry.is_file(errand.status), aloud)

    def forget_unproven(self, row, state):
        """Take away the digest of an unverifiable row that becomes another: it was only read from a
        file, and would pass for that of S3's bytes.
        """
        if row.state == rows.UNVERIFIABLE and state != rows.UNVERIFIABLE:
            states.take_digest(row, "")

    def missing(self, row, why):
        """Let a row go that has no file: as it came, where s3-restore must come first."""
        if row.storage_class in ARCHIVED_CLASSES and row.state in states.NEVER_HERE:
            self.archived += 1
            self.stage.leave(row)
        else:
            self.fail(row, rows.MISSING, why)

    def fail(self, row, state, why):
        """Let a row go that was not verified."""
        self.forget_unproven(row, state)
        row.state, row.error = state, why
        if state != rows.UNVERIFIABLE:
            row.proof = ""
        self.failures.add(failure_of(row))
        self.stage.leave(row, aloud=True)


def size_of(errand, read):
    """Return how large an object is: as its file, but where that is wrong as the row or the ledger
    says, if they do.
    """
    if read.mtime_ns != NO_FILE:
        return errand.status.st_size
    entry, length = errand.entry, errand.row.length
    if length is None:
        length = entry.size if entry else errand.status.st_size
    return length


def is_known_pruned(row, entry):
    """Return whether the ledger's Entry of a row, or None, says that s3-prune deleted the very
    object that the row names.
    """
    return (entry is not None and entry.state == rows.PRUNED
            and states.is_same_object(row, entry) and not states.is_put_again(row, entry))
