"""The expressions of `--where`: read by a grammar of our own, and never run as code.

    or:    and { OR and }
    and:   not { AND not }
    not:   NOT not | ( or ) | predicate
    predicate: operand = operand (also != <> < <= > >=)
             | column [NOT] IN ( literal, ... ) | column [NOT] LIKE text | column IS [NOT] EMPTY
"""

import re

from s3kit.filter import comparing
from s3kit.filter.comparing import Column, Literal
from s3kit.text import is_unicode

TOKEN = re.compile(r"""\s*(?:
    (?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")+")
    |(?P<value>[0-9]{4}-[0-9]{2}[-+0-9T:.Z]*|[0-9][0-9A-Za-z.]*)
    |(?P<name>[^\W\d]\w*(?:-\w+)*)
    |(?P<sign><=|>=|<>|!=|==|[=<>(),])
    |(?P<end>\Z))""", re.VERBOSE)
WORDS = frozenset(("and", "or", "not", "in", "like", "is", "empty"))
FLAGS = frozenset(("true", "false"))
DEPTH = 50          # parentheses and NOTs within each other
SHOWN = 20          # characters of the place that is wrong


class Expression:
    """What an expression means: `test(row)` returns True, False, or None where it is not known.

    `unknown` are the columns' names that are not ours and stand without quotes, each with what to
    say where the input does not have it. Raises ValueError, which shows where it is wrong.
    """

    def __init__(self, text):
        self.text, self.at = text, 0
        self.unknown = {}
        self.depth = 0
        if not is_unicode(text):
            raise ValueError("it is not UTF-8 text")
        self.advance()
        self.test = self.either()
        if self.kind != "end":
            raise self.wrong("'and', 'or' or the end is expected")

    def advance(self):
        """Take the next token: its kind, its text, and where it begins."""
        match = TOKEN.match(self.text, self.at)
        self.start = self.at + len(self.text[self.at:]) - len(self.text[self.at:].lstrip())
        if not match:
            raise self.wrong("a quote is never closed" if self.text[self.start] in "'\""
                             else "this has no place in an expression")
        self.kind, self.token = match.lastgroup, match[match.lastgroup]
        self.word = self.token.lower() if self.kind == "name" else ""
        if self.word in WORDS:
            self.kind = "word"
        self.at = match.end()

    def wrong(self, why, start=None):
        """Return the error that says where and why."""
        start = self.start if start is None else start
        rest = self.text[start:start + SHOWN]
        place = f"at character {start + 1}, '{rest}'" if rest.strip() else "at its end"
        return ValueError(f"{place}: {why}")

    def take(self, *words):
        """Take one of some words or signs if it comes; return it, or ''."""
        found = self.word if self.kind == "word" else self.token if self.kind == "sign" else ""
        if found not in words or not found:
            return ""
        self.advance()
        return found

    def expect(self, word):
        """Take a word or sign, which must come."""
        if not self.take(word):
            raise self.wrong(f"'{word}' is expected")

    def either(self):
        """Return the test of what is joined by OR."""
        tests = [self.both()]
        while self.take("or"):
            tests.append(self.both())
        return comparing.any_of(tests)

    def both(self):
        """Return the test of what is joined by AND."""
        tests = [self.one()]
        while self.take("and"):
            tests.append(self.one())
        return comparing.all_of(tests)

    def one(self):
        """Return the test of one part, which may be an expression in parentheses."""
        self.depth += 1
        if self.depth > DEPTH:
            raise self.wrong("this is nested too deep")
        if self.take("not"):
            test = comparing.negation(self.one())
        elif self.take("("):
            test = self.either()
            self.expect(")")
        else:
            test = self.predicate()
        self.depth -= 1
        return test

    def predicate(self):
        """Return the test of a comparison and what is like one."""
        start, left = self.start, self.operand()
        sign = self.take(*comparing.OPERATORS)
        try:
            if sign:
                return comparing.compare(left, sign, self.operand())
            if not isinstance(left, Column):
                raise self.wrong("a comparison is expected")
            negated = self.take("not") and "not"
            test = self.word_test(left, negated)
            return comparing.negation(test) if negated else test
        except ValueError as error:
            if str(error).startswith("at "):
                raise
            raise self.wrong(error, start) from None

    def word_test(self, column, negated):
        """Return the test of IN, LIKE and IS."""
        if self.take("in"):
            return comparing.among(column, self.literals())
        if self.take("like"):
            return comparing.like(column, self.literal(("text",)).text)
        if not negated and self.take("is"):
            negated = self.take("not")
            self.expect("empty")
            test = comparing.is_empty(column)
            return comparing.negation(test) if negated else test
        raise self.wrong("a comparison is expected (=, !=, <, <=, >, >=, in, like, is empty)")

    def literals(self):
        """Return the literals of a list in parentheses."""
        self.expect("(")
        found = [self.literal()]
        while self.take(","):
            found.append(self.literal())
        self.expect(")")
        return found

    def operand(self):
        """Return a column or a literal."""
        if self.kind == "quoted":
            column = Column(self.token[1:-1].replace('""', '"'))
        elif self.kind == "name" and self.word not in FLAGS:
            column = Column(self.token)
            if not column.is_known:
                self.unknown.setdefault(column.name, str(self.wrong(
                    f"there is no column '{column.name}' (a text stands in single quotes)")))
        else:
            return self.literal(expected="a column or a value")
        self.advance()
        return column

    def literal(self, kinds=("text", "value", "name"), expected="a value"):
        """Return a literal, which must come."""
        if self.kind not in kinds or self.kind == "name" and self.word not in FLAGS:
            wants = "a text in single quotes" if kinds == ("text",) else expected
            raise self.wrong(f"{wants} is expected")
        text = self.token[1:-1].replace("''", "'") if self.kind == "text" else self.token
        found = Literal(self.word or text, self.kind != "value")
        self.advance()
        return found
