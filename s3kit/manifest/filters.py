"""Which rows the filters of all commands keep."""

import fnmatch
import re

from s3kit.manifest.row import COLUMNS, FAILED, values
from s3kit.units import known_ns, moment_ns


class Filter:
    """What `--include` and the other filters keep; call it with a list of rows.

    The last rule that matches a key decides. Where none does, the key stays, unless the first rule
    is an include: `--include '*.jpg'` keeps only those, `--exclude '*' --include '*.jpg'` too.
    """

    def __init__(self, args):
        self.rules = [(keeps,
                       re.compile(pattern if is_regex else rf"\A{fnmatch.translate(pattern)}"))
                      for keeps, is_regex, pattern in getattr(args, "rules", None) or []]
        self.default = not self.rules or not self.rules[0][0]
        self.least, self.most = args.min_size, args.max_size
        self.newer = moment_ns(args.newer) if args.newer else None
        self.older = moment_ns(args.older) if args.older else None
        self.classes = args.storage_class
        self.is_idle = (not (self.rules or self.classes)
                        and {self.least, self.most, self.newer, self.older} == {None})

    def __call__(self, rows):
        """Return the rows to keep; one that makes no sense stays, so that it is not lost unseen."""
        return rows if self.is_idle else [row for row in rows
                                          if row.verbatim is not None or self.keeps(row)]

    def keeps(self, row):
        """Return whether a row passes every filter; an unknown size or time passes none about it.

        One whose time nobody can read makes no sense here, and stays as such a row does.
        """
        decided = self.default
        for keeps, pattern in self.rules:
            if pattern.search(row.key):
                decided = keeps
        if not decided:
            return False
        if self.least is not None or self.most is not None:
            length = row.length
            if length is None or not (self.least or 0) <= length <= (
                    length if self.most is None else self.most):
                return False
        if self.classes and (row.storage_class or "STANDARD") not in self.classes:
            return False
        if self.newer is None and self.older is None:
            return True
        at = known_ns(row.last_modified)
        if at is None:
            return bool(row.last_modified) and untimely(row)
        return (self.newer is None or at >= self.newer) and (self.older is None or at < self.older)


def untimely(row):
    """Make a row a failed one, whose time nobody can read; return True."""
    row.verbatim = dict(zip(COLUMNS, values(row)))
    row.state, row.error = FAILED, (
        f"last_modified '{row.last_modified}' is not a time (like 2026-01-31T12:00:00Z)")
    return True
