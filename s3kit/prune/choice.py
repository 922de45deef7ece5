"""Which rows of a run go: the proofs, held against the ledger and the files as they are now."""

import math
import os
import time

from s3kit.disk.ledger import NO_FILE, Ledger
from s3kit.disk.readback import is_intact
from s3kit.disk.tree import OURS, Tree
from s3kit.disk.uploads import Uploads
from s3kit.errors import Fault, reason
from s3kit.manifest import row as rows
from s3kit.manifest.filters import Filter
from s3kit.manifest.stored_at import copy_of
from s3kit.proof.given import is_by_given
from s3kit.prune import copies, proofs
from s3kit.prune.plan import Newest
from s3kit.prune.proofs import BrokenProof
from s3kit.units import from_epoch

DAY = 86400  # seconds after which a file that was verified is read back before its version goes


class Choice:
    """Decides on rows. `refused` has the buckets that a person said no to."""

    def __init__(self, args, signals):
        self.args, self.signals = args, signals
        self.rules, self.filter = proofs.Rules.of(args), Filter(args)
        since = args.verified_since.timestamp() if args.verified_since else time.time() - DAY
        self.since = math.ceil(since) * 1_000_000_000
        self.newest = Newest() if args.keep_newest else None
        self.refused = set()

    def open(self):
        """Open the destination and its ledger. Raises Fault."""
        folder = os.path.join(self.args.dest, OURS)
        if not os.path.isdir(folder):
            raise Fault(f"'{self.args.dest}' is no destination of s3-fetch or s3-put:"
                        f" there is no '{OURS}' in it (see -d)")
        self.tree, self.ledger = Tree(self.args.dest, make=False), Ledger(folder)
        self.ledger.sync_always()
        self.uploads = Uploads(self.ledger)

    def entries(self, batch):
        """Return {(bucket, key, version id): ledger's entry} of the rows that may go."""
        could = (rows.VERIFIED, rows.FETCHED, rows.STORED)
        return self.ledger.find_all([(row.bucket, row.key, row.version_id)
                                     for row in batch if row.state in could])

    def upload_of(self, row):
        """Return what the ledger knows of a stored row's copy, an Upload, or None."""
        copy = copy_of(row) if row.state == rows.STORED else None
        return self.uploads.of_copy(*copy) if copy else None

    def see(self, batch):
        """Take rows of the manifest, before any is decided on: which are the newest is known when
        all came.

        What S3 was asked to delete before does not count: more versions are kept then, never fewer.
        """
        if self.newest is None:
            return
        entries = self.entries(batch)
        asked = {name for name, entry in entries.items() if entry.state == rows.PRUNED}
        self.newest.add([row
                         for row in batch if (row.bucket, row.key, row.version_id) not in asked])

    def sort(self, batch):
        """Return [(row, ledger's entry, why it is kept or '')] for a plan."""
        entries = self.entries(batch)
        wanted = {id(row) for row in (batch if self.filter.is_idle else self.filter(batch))}
        found = []
        for row in batch:
            entry = entries.get((row.bucket, row.key, row.version_id))
            why = (self.why_kept(row, entry, self.upload_of(row)) if id(row) in wanted
                   else proofs.FILTERED)
            found.append((row, entry, why))
        return found

    def why_kept(self, row, entry, upload=None):
        """Return why S3 must keep a row's version, or '' if it carries proof, here and now.

        `entry` is the ledger's of its file, None where it knows none and of delete markers;
        `upload` that of its copy, if it is stored.
        """
        why = proofs.why_not_considered(row, self.rules)
        if why or (row.is_marker and row.bucket not in self.refused):
            return why
        if proofs.is_gone(row, entry):
            return proofs.GONE
        if copies.is_itself(row):
            return proofs.COPY
        if row.bucket in self.refused:
            return proofs.REFUSED
        if self.rules.noncurrent_only and row.is_latest != "false":
            return proofs.CURRENT
        if self.newest and self.newest.has(row, self.args.keep_newest):
            return proofs.NEWEST
        if not self.rules.accept(row.proof):
            return proofs.GIVEN if is_by_given(row.proof) else proofs.WEAK
        if row.state == rows.STORED:
            return copies.why_broken(row, upload, self.rules)
        status = self.tree.look(entry.path) if entry and entry.path else None
        return proofs.why_broken(row, entry, status, self.rules)

    def is_stale(self, entry):
        """Return whether a file was verified so long ago that it must be read back."""
        return proofs.is_stale(entry, self.since)

    def is_fresh(self, upload):
        """Return whether S3 confirmed a copy so lately that the ledger's word does, where S3 does
        not let us look at it.
        """
        return copies.is_fresh(upload, self.since)

    def read_back(self, entry):
        """Read a file; return (why it is not what was verified, or '', its entry as of now)."""
        try:
            with self.signals.at_once():
                if is_intact(self.tree, entry, self.signals.check):
                    return "", entry._replace(changed_at=from_epoch(time.time()))
        except (OSError, Fault) as fault:
            return BrokenProof(f"its file cannot be read: {reason(fault)}"), entry
        self.ledger.record([entry._replace(state=rows.MISMATCH, proof="", mtime_ns=NO_FILE)])
        return BrokenProof("its file does not have the bytes any more that were verified"), entry
