"""What `--where` compares: columns of a row, as texts, numbers or times.

A test is a function of a row that returns True, False, or None where a size or time is not known;
nothing of an expression is ever run as code.
"""

import fnmatch
import operator
import re

from s3kit.manifest.row import COLUMNS, KNOWN, column_of
from s3kit.units import known_ns, moment_ns, number, parse_size, parse_time

OPERATORS = {"=": operator.eq, "==": operator.eq, "!=": operator.ne, "<>": operator.ne,
             "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
TEXT, SIZE, TIME, ANY = "a text", "a size", "a time", "any"
KINDS = {"size": SIZE, "last_modified": TIME}
NUMBER = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]+)?")
ESCAPED = re.compile(r"\\(.)|([%_*?\[\\])", re.DOTALL)
LONGEST = 10_000        # characters of a pattern of `like`


class Column:
    """A column by the name that people give it; one that only they know is of any kind."""

    def __init__(self, name):
        known = column_of(name)
        self.is_known = known in KNOWN
        self.name = known if self.is_known else name
        self.kind = KINDS.get(known, TEXT) if self.is_known else ANY

    def raw(self):
        """Return the function that gives a row's text."""
        if self.name in COLUMNS:
            return operator.attrgetter(self.name)
        name = self.name
        return lambda row: row.extra.get(name, "") if row.extra else ""

    def read(self, kind):
        """Return the function that gives a row's value of a kind, None where it is not known."""
        raw = self.raw()
        if kind is TEXT:
            return raw
        value = known_ns if kind is TIME else number if self.is_known else any_number
        return lambda row: value(raw(row))


class Literal:
    """A value as it is written: `quoted`, or a number, size, span or date as it stands."""

    def __init__(self, text, quoted):
        self.text, self.quoted = text, quoted

    def kind(self):
        """Return the kind that it shows by itself, beside a column of any. Raises ValueError."""
        if self.quoted:
            return TEXT
        if any_number(self.text) is not None:
            return SIZE
        kinds = [kind for kind in (SIZE, TIME) if self.is_of(kind)]
        if len(kinds) != 1:
            raise ValueError(f"'{self.text}' can be a size or a span of time (like 5M or 300s)"
                             if kinds else f"'{self.text}' is not a number, a size or a time")
        return kinds[0]

    def is_of(self, kind):
        """Return whether it makes sense as one of a kind."""
        try:
            return self.value(kind, "") is not None
        except ValueError:
            return False

    def value(self, kind, name):
        """Return the value of a kind, for comparing with the column `name`. Raises ValueError."""
        if kind is TIME:
            return moment_ns(parse_time(self.text))
        if kind is SIZE:
            exact = any_number(self.text)
            return parse_size(self.text) if exact is None else exact
        if not self.quoted:
            raise ValueError(f"'{name}' is a text: write '{self.text}' in quotes")
        return self.text


def any_number(text):
    """Return the number that a text names, with sign or fraction, or None."""
    text = text.strip()
    if not NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def compare(left, sign, right):
    """Return the test of a comparison of two operands. Raises ValueError."""
    if isinstance(left, Literal):
        if isinstance(right, Literal):
            raise ValueError("a comparison needs a column")
        left, sign, right = right, SWAPPED.get(sign, sign), left
    holds = OPERATORS[sign]
    if isinstance(right, Column):
        return compare_columns(left, holds, right)
    kind = right.kind() if left.kind is ANY else left.kind
    read, value = left.read(kind), right.value(kind, left.name)
    if kind is TEXT:
        return lambda row: holds(read(row), value)

    def test(row):
        found = read(row)
        return None if found is None else holds(found, value)
    return test


def compare_columns(left, holds, right):
    """Return the test of a comparison of two columns. Raises ValueError."""
    kinds = {left.kind, right.kind} - {ANY} or {TEXT}
    if len(kinds) > 1:
        raise ValueError(f"'{left.name}' is {left.kind}, '{right.name}' is {right.kind}")
    kind = kinds.pop()
    one, other = left.read(kind), right.read(kind)

    def test(row):
        found, beside = one(row), other(row)
        return None if found is None or beside is None else holds(found, beside)
    return test


def among(column, literals):
    """Return the test whether a column has one of some values. Raises ValueError."""
    kinds = {literal.kind() for literal in literals} if column.kind is ANY else {column.kind}
    if len(kinds) > 1:
        raise ValueError("the values are of several kinds")
    kind = kinds.pop()
    read = column.read(kind)
    values = frozenset(literal.value(kind, column.name) for literal in literals)

    def test(row):
        found = read(row)
        return None if found is None else found in values
    return test


def like(column, pattern):
    """Return the test whether all of a text is like a pattern: `%` is any text, `_` any character,
    and a backslash takes the next one as it is. Raises ValueError.
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"the pattern is longer than {LONGEST:,} characters")
    if re.fullmatch(r"(?:[^\\]|\\.)*\\", pattern, re.DOTALL):
        raise ValueError("a backslash ends the pattern")
    # A glob's expression goes over a text once, however many of its stars there are.
    match = re.compile(fnmatch.translate(ESCAPED.sub(glob, pattern))).match
    raw = column.raw()
    return lambda row: match(raw(row)) is not None


def glob(match):
    """Return what a glob has for a special character of a pattern."""
    if match[1] is None and match[2] in "%_":
        return {"%": "*", "_": "?"}[match[2]]
    text = match[1] or match[2]
    return f"[{text}]" if text in "*?[" else text


def is_empty(column):
    """Return the test whether a row says nothing in a column."""
    raw = column.raw()
    return lambda row: not raw(row)


def negation(test):
    """Return the test of the opposite; what is not known stays so."""
    def opposite(row):
        found = test(row)
        return None if found is None else not found
    return opposite


def all_of(tests):
    """Return the test whether all hold."""
    return combined(tests, False)


def any_of(tests):
    """Return the test whether one holds."""
    return combined(tests, True)


def combined(tests, decides):
    """Return the test of several, of which one that is `decides` settles it."""
    if len(tests) == 1:
        return tests[0]

    def test(row):
        known = True
        for one in tests:
            found = one(row)
            if found is decides:
                return decides
            known = known and found is not None
        return not decides if known else None
    return test
