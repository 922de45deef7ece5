"""What a phase's manifest says of its rows: proven, archived, wrong."""

from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.migrate.phases import DELETE, FETCH, VERIFY
from s3kit.storage_classes import ARCHIVED_CLASSES, TIERING
from s3kit.units import known_ns

MARKER = "delete marker"                    # the state of one that is still there, for people
MAYBE_ARCHIVED = (*ARCHIVED_CLASSES, TIERING)
NAMED = 10                                  # rows that people are told of


class Census:
    """What a manifest of a phase says: how many rows in which state, and which of them are wrong.
    """

    def __init__(self, phase):
        self.phase = phase
        self.rows = self.bytes = self.markers = self.proven = 0
        self.pruned = self.archived = self.wrong = 0
        self.states, self.named = {}, []
        self.newest = None      # the latest time, in nanoseconds since 1970

    def add(self, row):
        """Count a row."""
        self.rows += 1
        self.bytes += (row.verbatim is None and row.length) or 0
        self.markers += row.is_marker
        state = MARKER if row.is_marker and row.state in ("",
                                                          rows.LISTED) else row.state or rows.LISTED
        self.states[state] = self.states.get(state, 0) + 1
        self.pruned += row.state == rows.PRUNED
        self.proven += is_proven(row)
        self.archived += is_archived(row, self.phase)
        at = known_ns(row.last_modified)
        if at is not None and (self.newest is None or at > self.newest):
            self.newest = at
        if is_wrong(row, self.phase):
            self.wrong += 1
            if len(self.named) < NAMED:
                state = "in an archive" if is_archived(row, self.phase) else row.state
                self.named.append(f"{row.name}: {row.error or state}")

    def is_complete(self, deleting=True):
        """Return whether the journey is over: all is deleted, or proven where nothing is to be
        deleted.
        """
        return (self.phase in (VERIFY, DELETE)
                and self.rows == (self.pruned if deleting else self.proven))

    def told(self):
        """Return the states in words."""
        return ", ".join(f"{number:,} {state}" for state, number in sorted(self.states.items()))


def is_proven(row):
    """Return whether a row may go, or has gone: s3-prune asks for no less."""
    if row.verbatim is not None:
        return False
    if row.is_marker:
        return row.state in ("", rows.LISTED, rows.PRUNED)      # it has no bytes
    return row.state == rows.PRUNED or (row.state == rows.VERIFIED
                                        and states.is_strong(row.proof))


def is_archived(row, phase):
    """Return whether a row's bytes are still to be brought back from an archive."""
    if row.verbatim is not None or row.is_marker or row.state in (
            rows.FETCHED, rows.VERIFIED, rows.PRUNED):
        return False
    # No listing tells of Intelligent-Tiering's tiers: a fetch that leaves a row as it was does.
    return row.storage_class in MAYBE_ARCHIVED or (phase in (FETCH, VERIFY) and row.state
                                                   in ("", rows.LISTED, rows.RESTORING))


def is_wrong(row, phase):
    """Return whether a row of a phase's manifest is not what the phase was for."""
    if row.verbatim is not None or row.state in rows.WRONG or row.state == rows.UNVERIFIABLE:
        return True
    if phase == DELETE:
        return row.state != rows.PRUNED
    if phase == VERIFY:
        return not is_proven(row)
    return (phase == FETCH and not row.is_marker
            and row.state not in (rows.FETCHED, rows.VERIFIED, rows.PRUNED))
