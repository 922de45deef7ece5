"""The figures of a destination or of manifests, whichever way they come: row by row, or summed up.

`facts()` has all of it under fixed names (s3-status(1)): every form in which s3-status tells it is
made of these, so that no two can differ.
"""

from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.status.amounts import NONE, Amount, Amounts
from s3kit.status.causes import MOST_TEXT, Causes, identity

# States of rows whose bytes were compared; whether with something that proves them, the proof says.
COMPARED = frozenset((rows.FETCHED, rows.VERIFIED, rows.STORED, rows.PRUNED))
# States of rows that are told with their cause; and so is every row with an error.
TOLD = rows.WRONG | {rows.UNVERIFIABLE}
MOST_UNPROVEN = 1000        # rows that are named


def is_proven(state, proof):
    """Return whether a row's bytes are proven by more than their number, or another's word."""
    return state in COMPARED and states.is_strong(proof)


class Figures:
    """Counts rows; `add` takes some, `add_sum` many of one kind. In bounded memory."""

    def __init__(self):
        self.total, self.proven, self.unproven = Amount(), Amount(), Amount()
        self.buckets, self.states, self.proofs = Amounts(), Amounts(), Amounts()
        self.causes, self.unproven_rows = Causes(), []
        self.markers = self.wrong = self.unverifiable = self.unanswered = 0
        self.changed_at = ""

    def add(self, batch):
        """Count rows of a manifest; return those that tell of something wrong or unverifiable."""
        sums, wrong = {}, []
        for row in batch:
            kind = row.bucket, row.state, row.proof, row.is_marker
            size = row.length
            found = sums.get(kind)
            if found is None:
                found = sums[kind] = [0, 0, 0]
            found[0] += 1
            found[1] += size or 0
            found[2] += size is None and not kind[3]
            if row.error or row.state in TOLD:
                wrong.append(row)
                self.add_error(row)
            if len(self.unproven_rows) < MOST_UNPROVEN and not (
                    kind[3] or is_proven(row.state, row.proof)):
                self.add_unproven(row)
        for (bucket, state, proof, is_marker), found in sums.items():
            self.add_sum(bucket, state, proof, *found, is_marker)
        return wrong

    def add_sum(self, bucket, state, proof, number, size, unknown, is_marker=False):
        """Count rows of one bucket, state and proof; delete markers have no bytes to prove."""
        for amount in (self.total, self.proven if is_proven(state, proof) else self.unproven):
            if amount is self.total or not is_marker:
                amount.add(number, size, unknown)
        self.buckets.add(bucket, number, size, unknown)
        self.states.add(state, number, size, unknown)
        if is_marker:
            self.markers += number
        else:
            self.proofs.add(proof, number, size, unknown)
        self.unverifiable += number if state == rows.UNVERIFIABLE else 0

    def add_unproven(self, row):
        """Keep what names a row that is not proven: one of the first MOST_UNPROVEN."""
        self.unproven_rows.append({
            **identity(row), "state": row.state or NONE, "proof": row.proof or NONE,
            "bytes": row.length, "error": row.error[:MOST_TEXT]})

    def add_error(self, row):
        """Count the error of a row that has one, or should have."""
        self.wrong += row.state != rows.UNVERIFIABLE
        size = row.length
        self.causes.add(row, size or 0, size is None and not row.is_marker)

    def status(self):
        """Return the exit status that the figures mean."""
        if self.wrong:
            return SOME_FAILED
        return UNVERIFIABLE if self.unverifiable else DONE

    def facts(self):
        """Return all of it, as JSON has it."""
        total = self.total.facts()
        return {**total, "delete_markers": self.markers, "changed_at": self.changed_at or None,
                "unanswered_deletions": self.unanswered, "buckets": self.buckets.facts(),
                "states": self.states.facts(), "proofs": self.proofs.facts(),
                "proven": self.proven.facts(),
                "unproven": {**self.unproven.facts(), "first": self.unproven_rows},
                "errors": self.causes.facts(), "other_errors": self.causes.others.facts()}
