"""Which rows stay, by what each of them says: an operation."""

from s3kit.manifest.filters import Filter
from s3kit.manifest.row import STATES

NO_STATE = "none"           # how people name the state of a row that has none


class Selection:
    """The rows that pass the filters of all commands and those of s3-filter; a row that makes no
    sense stays, so that it is not lost unseen.
    """

    def __init__(self, args):
        self.filter = Filter(args)
        tests = []
        if args.state:
            states = frozenset("" if name == NO_STATE else name for name in args.state)
            tests.append(lambda row: row.state in states)
        if args.latest is not None:
            tests.append(is_latest if args.latest else is_noncurrent)
        if args.markers is not None:
            tests.append(lambda row: row.is_marker is args.markers)
        self.tests = tests

    def __call__(self, batches):
        """Yield the rows that stay."""
        for rows in batches:
            rows = self.filter(rows)
            for keeps in self.tests:
                rows = [row for row in rows if row.verbatim is not None or keeps(row)]
            if rows:
                yield rows


def parse_states(text):
    """Return the states of `--state`. Raises ValueError."""
    names = text.split(",")
    for name in names:
        if name not in (*STATES, NO_STATE):
            raise ValueError(f"'{name}' is not a state ({', '.join(STATES)}; {NO_STATE})")
    return names


def is_latest(row):
    """Return whether a row is the newest version of its key, as one is that names no version."""
    return row.is_latest == "true" or not (row.is_latest or row.version_id)


def is_noncurrent(row):
    """Return whether a row says that its key has a newer version."""
    return row.is_latest == "false"
