"""S3's answers in XML."""

import re

import pytest

from s3kit.errors import Fault
from s3kit.s3.xml import local, parse, parse_without, read_encoded


def test_a_document():
    """The root, whatever its namespace."""
    assert local(parse(b'<a xmlns="urn:x"><b/></a>').tag) == "a" and local("a") == "a"


@pytest.mark.parametrize("before", [b"", b"\r\n ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n",
                                    b"\t\xef\xbb\xbf"])
def test_what_may_come_before(before):
    """Blanks and a byte order mark, which XML does not have before its declaration."""
    assert parse(before + b'<?xml version="1.0" encoding="UTF-8"?><a/>').tag == "a"


@pytest.mark.parametrize("text", [b"", b"<a>", b"not XML", b"<a></b>", b"\xff\xfe",
                                  b'<!DOCTYPE a><a/>', b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
                                  b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'])
def test_what_is_not_taken(text):
    """Broken documents, and those that would have us read others."""
    with pytest.raises(Fault, match="^the server's XML") as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text, key", [("a%2Fb", "a/b"), ("a+b", "a b"), ("a%2Bb", "a+b"),
                                       ("%C3%BC", "\u00fc"), ("plain", "plain")])
def test_encoded_keys(text, key):
    """S3 encodes keys of a listing as forms are: a plus sign is a space."""
    assert read_encoded(text) == key


@pytest.mark.parametrize("text", ["a%FF", "%C3", "x+%80", "%ED%A0%80", "%C0%AF"])
def test_a_key_that_is_not_utf_8(text):
    """A replacement character would name another key: the answer cannot be read."""
    with pytest.raises(Fault, match="not UTF-8: '" + re.escape(text)):
        read_encoded(text)
    assert read_encoded("%EF%BF%BD") == "\ufffd"       # a key's own


def test_what_is_read_without():
    """Only where the answer cannot be read as it is, and that is the reason."""
    assert parse_without(b"<a><b>1</b></a>", re.compile(b"<b>.*</b>"))[0].text == "1"
    assert not len(parse_without(b"<a><b>&#x1;</b></a>", re.compile(b"<b>.*</b>")))
    with pytest.raises(Fault, match="^the server's XML cannot be read"):
        parse_without(b"<a><c>&#x1;</c></a>", re.compile(b"<b>.*</b>"))
