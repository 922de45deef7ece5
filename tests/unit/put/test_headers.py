"""What an object gets beside its bytes: what is said of it, and what cannot go through a header."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s3kit.manifest.row import Row
from s3kit.put.headers import Headers, content_type, mtime_text

TIME = 1_700_000_000_500_000_000


def made(row=None, mtime_ns=TIME, **options):
    """Return {name: value} of the headers of a row's object; a name may not come twice."""
    args = SimpleNamespace(**{"content_type": None, "metadata": [], "to_storage_class": None,
                              "kms_key": None, "tag": []} | options)
    lines = Headers(args).of(row or Row("b", "k"), mtime_ns, "TOKEN")
    found = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        assert name not in found
        found[name] = value if colon else None
    return found


# rclone: whole seconds, then up to nine digits, without zeros at the end; the sign before all
# (https://github.com/ncw/swift, nsToFloatString)
@pytest.mark.parametrize("mtime_ns, text", [
    (0, "0"), (1, "0.000000001"), (100_000_000, "0.1"), (10**9, "1"), (10**10, "10"),
    (12345678912, "12.345678912"), (12345678900, "12.3456789"), (12_000_000_000, "12"),
    (TIME, "1700000000.5"), (1_700_000_000_000_000_001, "1700000000.000000001"),
    (-1, "-0.000000001"), (-10**9, "-1"), (-1_500_000_000, "-1.5"), (-500_000_000, "-0.5"),
    (-1_250_000_000, "-1.25"), (-10 * 10**9, "-10")])
def test_a_time(mtime_ns, text):
    """As rclone writes it."""
    assert mtime_text(mtime_ns) == text


@given(st.integers(-(1 << 63), (1 << 63) - 1))
@example(-(1 << 63))
def test_any_time(mtime_ns):
    """To the nanosecond, and never in powers of ten."""
    text = mtime_text(mtime_ns)
    assert Decimal(text) == Decimal(mtime_ns).scaleb(-9)
    assert "E" not in text and not (("." in text) and text.endswith(("0", ".")))


@pytest.mark.parametrize("key, kind", [
    ("a.txt", "text/plain"), ("p/a.HTML", "text/html"), ("a.jpg", "image/jpeg"),
    ("a.json", "application/json"), ("a.tar.gz", "application/gzip"), ("a.tgz", "application/gzip"),
    ("a.xz", "application/x-xz"), ("a.bz2", "application/x-bzip2"),
    ("a.br", "application/octet-stream"), ("a.nobodyknows", "application/octet-stream"),
    ("noname", "application/octet-stream"), (".html", "application/octet-stream"),
    ("x.html/", "application/octet-stream"), ("x.html/y", "application/octet-stream"),
    ("", "application/octet-stream"), ("a.", "application/octet-stream")])
def test_the_type_by_the_suffix(key, kind):
    """A compressed file is that, and not what it has inside."""
    assert content_type(key) == kind


def test_what_every_object_has():
    """Its type, the time of its file, and the token."""
    assert made() == {"Content-Type": "application/octet-stream",
                      "x-amz-meta-mtime": "1700000000.5", "x-amz-meta-s3kit-token": "TOKEN"}
    assert "x-amz-meta-mtime" not in made(mtime_ns=None)


def test_what_a_row_says_of_its_source():
    """It is kept; a time of its own is more than that of the file here."""
    row = Row("b", "k.txt", extra={
        "content_type": "text/x-mine; charset=utf-8", "content_encoding": "gzip",
        "content_disposition": 'attachment; filename="a b"', "content_language": "de",
        "cache_control": "max-age=1", "metadata": "Colour=dark+blue&mtime=5&e=%25&empty="})
    assert made(row) == {
        "Content-Type": "text/x-mine; charset=utf-8", "Content-Encoding": "gzip",
        "Content-Disposition": 'attachment; filename="a b"', "Content-Language": "de",
        "Cache-Control": "max-age=1", "x-amz-meta-colour": "dark blue", "x-amz-meta-mtime": "5",
        "x-amz-meta-e": "%", "x-amz-meta-empty;": None, "x-amz-meta-s3kit-token": "TOKEN"}


def test_the_command_line_comes_first():
    """Before the row, and before what is guessed."""
    row = Row("b", "k.txt", extra={"content_type": "text/x-row", "metadata": "a=row&b=row"})
    found = made(row, content_type="text/x-line", metadata=[("a", "line"), ("mtime", "1")])
    assert (found["Content-Type"], found["x-amz-meta-a"], found["x-amz-meta-b"],
            found["x-amz-meta-mtime"]) == ("text/x-line", "line", "row", "1")
    assert made(Row("b", "k.txt"), content_type="")["Content-Type"] == "text/plain"


def test_the_class_the_key_and_tags():
    """Tags go URL-encoded, as in a query."""
    found = made(to_storage_class="GLACIER_IR", kms_key="arn:aws:kms:x",
                 tag=[("a b", "c&d"), ("e", "f=/\u00e9")])
    assert found["x-amz-storage-class"] == "GLACIER_IR"
    assert found["x-amz-server-side-encryption"] == "aws:kms"
    assert found["x-amz-server-side-encryption-aws-kms-key-id"] == "arn:aws:kms:x"
    assert found["x-amz-tagging"] == "a%20b=c%26d&e=f%3D%2F%C3%A9"
    assert not {name for name in made() if "tagging" in name or "encryption" in name
                or "class" in name}


def test_nobody_but_us_says_the_token():
    """A copy of a copy has its own."""
    for options in ({"row": Row("b", "k", extra={"metadata": "s3kit-token=old&S3kit-Token=x"})},
                    {"metadata": [("s3kit-token", "old")]}):
        assert made(**options)["x-amz-meta-s3kit-token"] == "TOKEN"


BREAKS = ["a\r\nx-amz-acl: public-read", "a\nb", "a\0b", " a", "a ", "\u00e9", "a\x7f", "\t"]


@pytest.mark.parametrize("text", BREAKS)
@pytest.mark.parametrize("column", ["content_type", "content_encoding", "content_disposition",
                                    "content_language", "cache_control"])
def test_what_cannot_go_through_a_header(column, text):
    """It is left out, and never becomes a header of its own."""
    assert made(Row("b", "k", extra={column: text})) == made()


@pytest.mark.parametrize("text", ["a%0D%0Ax-amz-acl:+public-read", "%C3%A9", "a%0A", "+a", "a%00"])
def test_metadata_that_cannot_go_through_a_header(text):
    """Neither as a value nor as a name."""
    assert made(Row("b", "k", extra={"metadata": f"name={text}"})) == made()
    assert made(Row("b", "k", extra={"metadata": f"{text}=value"})) == made()
    assert made(Row("b", "k", extra={"metadata": f"{text}="})) == made()


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a;", "a%2Fb", "a(b)", "%22a%22"])
def test_names_that_are_none(name):
    """A header's name is a token (RFC 9110, 5.6.2)."""
    assert made(Row("b", "k", extra={"metadata": f"{name}=value"})) == made()


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=60))
def test_no_row_makes_another_header(name, value, raw):
    """Whatever it says: each line is one header, of those that are asked for."""
    from urllib.parse import quote
    row = Row("b", "k", extra={"metadata": f"{quote(name)}={quote(value)}&{raw}",
                               "content_type": value, "cache_control": raw})
    args = SimpleNamespace(content_type=None, metadata=[], to_storage_class=None, kms_key=None,
                           tag=[])
    for line in Headers(args).of(row, TIME, "TOKEN"):
        assert line.isascii() and line.isprintable() and line == line.strip()
        named = line.partition(":")[0].removesuffix(";")
        assert named in ("Content-Type", "Cache-Control") or named.startswith("x-amz-meta-")
        assert " " not in named
