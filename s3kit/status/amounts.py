"""How many rows and bytes there are of each kind, in bounded memory."""

MOST_KINDS = 1000       # that are told apart; all others are counted together
LONGEST = 300           # characters of a name: more than any bucket, state or proof has
OTHERS = "(others)"
NONE = "none"           # the name of what rows do not say


class Amount:
    """Rows, their bytes, and how many of them do not say their size: the bytes are the least then.
    """

    __slots__ = ("rows", "bytes", "unknown")

    def __init__(self):
        self.rows = self.bytes = self.unknown = 0

    def add(self, rows, size, unknown):
        """Count more."""
        self.rows += rows
        self.bytes += size
        self.unknown += unknown

    def facts(self):
        """Return it as JSON has it."""
        return {"rows": self.rows, "bytes": self.bytes, "rows_of_unknown_size": self.unknown}


class Amounts:
    """An Amount of each of at most MOST_KINDS kinds, by name."""

    def __init__(self):
        self.by_name = {}

    def add(self, name, rows, size, unknown):
        """Count rows under a name."""
        name = name[:LONGEST] or NONE
        if name not in self.by_name and len(self.by_name) >= MOST_KINDS:
            name = OTHERS
        self.by_name.setdefault(name, Amount()).add(rows, size, unknown)

    def facts(self):
        """Return {name: amount}, the most rows first, the others last."""
        found = sorted(self.by_name.items(),
                       key=lambda pair: (pair[0] == OTHERS, -pair[1].rows, pair[0]))
        return {name: amount.facts() for name, amount in found}
