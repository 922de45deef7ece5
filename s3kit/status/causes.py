"""What was found wrong, by cause: how many rows, an example, what to do; in bounded memory."""

from collections import Counter

from s3kit.manifest.row import KEY_BYTES
from s3kit.status.advice import advice_for
from s3kit.status.amounts import Amount
from s3kit.text import cause_of

MOST_CAUSES = 1000      # that are told apart; all others are counted together
MOST_TEXT = 1000        # characters of an example's error
SILENT = "{}, and the row does not say why"


def identity(row):
    """Return what names a row, as JSON has it; a row that makes no sense may have cells of any
    length.
    """
    return {"bucket": row.bucket[:MOST_TEXT], "key": row.key[:KEY_BYTES],
            "version_id": row.version_id[:MOST_TEXT]}


class Cause:
    """The rows of one cause: their Amount, their states, the first of them."""

    def __init__(self, row):
        self.amount, self.states = Amount(), Counter()
        self.example = identity(row)
        self.error = row.error[:MOST_TEXT]

    def facts(self, cause):
        """Return it as JSON has it."""
        return {"cause": cause, **self.amount.facts(), "states": dict(self.states.most_common()),
                "error": self.error, "example": self.example,
                "advice": advice_for(cause, self.states.most_common(1)[0][0])}


class Causes:
    """The rows with errors, by cause."""

    def __init__(self):
        self.by_name, self.others = {}, Amount()

    def add(self, row, size, unknown):
        """Count a row that has an error, or whose state is wrong."""
        name = (cause_of(row.error, row.key, row.path) if row.error
                else SILENT.format(row.state or "no state"))
        found = self.by_name.get(name)
        if found is None:
            if len(self.by_name) >= MOST_CAUSES:
                self.others.add(1, size, unknown)
                return
            found = self.by_name[name] = Cause(row)
        found.amount.add(1, size, unknown)
        found.states[row.state] += 1

    def facts(self):
        """Return the causes as JSON has them, the most rows first."""
        return [found.facts(name) for name, found in sorted(
            self.by_name.items(), key=lambda pair: (-pair[1].amount.rows, pair[0]))]
