"""The figures of a destination, from its ledger."""

import os
from contextlib import closing

from s3kit.disk.snapshot import Snapshot
from s3kit.disk.tree import OURS
from s3kit.manifest.row import FETCHED, PRUNED, STORED, VERIFIED, Row
from s3kit.status.amounts import Amount, Amounts
from s3kit.status.figures import MOST_UNPROVEN, TOLD, Figures

BATCH = 256             # rows that are written together
ERRORS = (f"state IN ({', '.join('?' * len(TOLD))}) OR error != ''", sorted(TOLD))
# As figures.is_proven has it; what SQL lets through too much is left out by that.
UNPROVEN = ("state NOT IN (?, ?, ?, ?) OR proof IN ('', 'size') OR proof LIKE 'given-%'",
            (FETCHED, VERIFIED, STORED, PRUNED))


def figures_of(dest, write=None, name=None):
    """Return (Figures, more facts) of a destination; `write(rows)` gets the rows that tell of
    something wrong or unverifiable, `name(row)` each of them, if they are given. Raises Fault.
    """
    figures = Figures()
    with closing(Snapshot(dest, OURS)) as ledger:
        for bucket, state, proof, number, size, unknown, unanswered, at in ledger.amounts():
            figures.add_sum(bucket, state, proof, number, size, unknown)
            figures.unanswered += unanswered
            figures.changed_at = max(figures.changed_at, at)
        for version in ledger.versions(*UNPROVEN, most=MOST_UNPROVEN):
            figures.add_unproven(row_of(version))
        batch = []
        for version in ledger.versions(*ERRORS):
            batch.append(row_of(version))
            figures.add_error(batch[-1])
            if name:
                name(batch[-1])
            if len(batch) == BATCH:
                batch = written(batch, write)
        written(batch, write)
        uploads = uploads_of(ledger, figures)
        ledger.check()
    return figures, {"destination": os.path.abspath(dest), "uploads": uploads}


def written(batch, write):
    """Write rows, if they are wanted; return a list for more."""
    if write and batch:
        write(batch)
    return []


def row_of(version):
    """Return the Row of what the ledger knows of an object version, a disk.failures.Failure."""
    known = version._asdict()
    del known["changed_at"]
    known["size"] = "" if version.size is None else str(version.size)
    return Row(**known)


def uploads_of(ledger, figures):
    """Return what s3-put has stored from a destination, as JSON has it."""
    stored, unconfirmed, buckets = Amount(), Amount(), Amounts()
    for bucket, proof, number, size, unknown, at in ledger.uploads():
        (stored if proof else unconfirmed).add(number, size, unknown)
        buckets.add(bucket, number, size, unknown)
        figures.changed_at = max(figures.changed_at, at)
    return {"stored": stored.facts(), "unconfirmed": unconfirmed.facts(),
            "buckets": buckets.facts(), "unfinished": ledger.sendings()}
