"""JSON documents taken apart as they come: the elements of their lists one by one.

All is text: numbers keep every digit, `true` stays that, `null` is ''. One element may have HOLD
characters, a document as many as it likes.
"""

import codecs
import json
import re

from s3kit.errors import Cut, Fault

HOLD = 1 << 20
BLANK = re.compile(r"[ \t\r\n]*")
NUMBER = re.compile("[0-9+.eE-]*")
WORDS = {True: "true", False: "false", None: ""}


def refuse(word):
    """Refuse what Python reads and JSON does not have: NaN and its like."""
    raise ValueError(f"{word} is not JSON")


DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=refuse)


def text_of(value):
    """Return a JSON value as text: lists with a blank between their values, objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(map(text_of, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else WORDS[value]


class Unfinished(Exception):
    """More text must come before this can be read."""


class Parts:
    """Feed it bytes; `feed` returns what they complete, as a list of (name, value, line).

    For each element of a list in a document that is an object: the list's name and the element. For
    its other members: their name and value. For each element of a document that is a list: '' and
    the element. At the end of a document: None and None. `stop` is set where the text is not JSON;
    `is_open` says whether a document is not at its end.
    """

    def __init__(self):
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self.text, self.at = "", 0
        self.line = 1
        self.state, self.name = self.document, ""
        self.stop = None

    @property
    def is_open(self):
        """Whether a document is not at its end."""
        return self.state != self.document or bool(self.text[self.at:].strip())

    def feed(self, data, last=False):
        """Return what the bytes `data` complete; `last`: no more will come."""
        self.text = self.text[self.at:] + self.decoder.decode(data, last)
        self.at, found = 0, []
        try:
            while True:
                blank = BLANK.match(self.text, self.at).end()
                self.move(blank)
                self.state(found)
        except Unfinished:
            if len(self.text) - self.at > HOLD:
                self.stop = Fault(f"line {self.line}: no end of a value within {HOLD:,} characters")
        except ValueError as error:
            self.stop = Cut(f"line {self.line}: not JSON as it should be: {error}")
        return found

    def move(self, at):
        """Go on to a place in the text."""
        self.line += self.text.count("\n", self.at, at)
        self.at = at

    def sign(self, wanted):
        """Return the next sign, which is one of `wanted`, and pass over it."""
        if self.at >= len(self.text):
            raise Unfinished
        sign = self.text[self.at]
        if sign not in wanted:
            raise ValueError(f"{sign!r} where {' or '.join(wanted)} should be")
        self.at += 1
        return sign

    def value(self):
        """Return the next value, whole."""
        try:
            value, end = DECODER.raw_decode(self.text, self.at)
        except RecursionError:
            raise ValueError("nested too deep") from None
        except json.JSONDecodeError as error:
            if error.pos >= len(self.text) - 8 or "Unterminated" in error.msg:
                raise Unfinished from None
            raise ValueError(error.msg) from None
        if self.text[end - 1] not in '"]}' and NUMBER.fullmatch(self.text, end):
            raise Unfinished        # a number may go on, which is read as far as it is one
        self.move(end)
        return value

    def document(self, found):
        """Begin a document."""
        is_list = self.sign("{[") == "["
        self.state, self.name = (self.element, "") if is_list else (self.member, "")
        self.is_list = is_list

    def member(self, found):
        """Take a member's name, or the end of a document without any."""
        if self.text[self.at:self.at + 1] == "}":
            self.end(found)
            return
        start, line = self.at, self.line
        name = self.value()
        if not isinstance(name, str) or self.text[start] != '"':
            raise ValueError("a name should be in quotes")
        try:
            self.move(BLANK.match(self.text, self.at).end())
            self.sign(":")
        except Unfinished:
            self.at, self.line = start, line
            raise
        self.name, self.state = name, self.content

    def content(self, found):
        """Take a member's value, or begin its list."""
        if self.text[self.at:self.at + 1] == "[":
            self.at += 1
            self.state = self.element
            return
        line = self.line
        found.append((self.name, self.value(), line))
        self.state = self.after_member

    def after_member(self, found):
        """Go on behind a member."""
        if self.sign(",}") == ",":
            self.state = self.member
        else:
            self.at -= 1
            self.end(found)

    def element(self, found):
        """Take an element of a list, or the end of an empty one."""
        if self.text[self.at:self.at + 1] == "]":
            self.at += 1
            self.end_list(found)
            return
        line = self.line
        found.append((self.name, self.value(), line))
        self.state = self.after_element

    def after_element(self, found):
        """Go on behind an element."""
        if self.sign(",]") == ",":
            self.state = self.element
        else:
            self.end_list(found)

    def end_list(self, found):
        """End a list, which may be the document."""
        if self.is_list:
            found.append((None, None, self.line))
            self.state = self.document
        else:
            self.state = self.after_member

    def end(self, found):
        """End a document that is an object."""
        self.at += 1
        found.append((None, None, self.line))
        self.state = self.document
