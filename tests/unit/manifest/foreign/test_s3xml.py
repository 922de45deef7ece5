"""S3's own listings in XML: real pages, pages in a row, and what is not whole."""

import pytest
from foreignruns import LISTINGS, listing, read
from odd_keys import KEYS

from s3kit.errors import Cut, Fault
from s3kit.manifest.foreign import s3xml

NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
MORE = ["NA", "null", "x\u240ay", "\uff0e", "\u201bq", "007", "cold"]


def page(inside, top="<Name>b</Name><IsTruncated>false</IsTruncated>", kind="ListVersionsResult"):
    """Return a page with some entries."""
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} {NS}>{top}{inside}</{kind}>'
            ).encode()


def entry(key, kind="Version", more=""):
    """Return an entry."""
    return f"<{kind}><Key>{key}</Key>{more}</{kind}>"


def keys_of(data, **options):
    """Return the keys of listings that make sense to the end."""
    rows, stop = read(s3xml.Reader(**options), data)
    assert stop is None and not [row for row in rows if row.verbatim]
    return [row.key for row in rows]


@pytest.mark.parametrize("step", [1, 4099, None])
def test_real_pages(step):
    """Those of the strict fake, with the odd keys, encoded once; order and all columns are kept."""
    rows, stop = listing(s3xml.Reader(), "versions.xml", step)
    assert stop is None and {row.key for row in rows} <= {*KEYS, *MORE}
    plain = [row for row in rows if row.key == "plain"]
    assert [(row.is_latest, row.is_delete_marker, row.size) for row in plain] == [
        ("true", "true", ""), ("false", "false", "5"), ("false", "false", "9")]
    assert len({row.version_id for row in rows}) == len(rows) == 62
    cold = next(row for row in rows if row.key == "cold")
    assert (cold.storage_class, cold.restore, cold.bucket) == ("GLACIER", "ongoing", "odd-keys")
    current, stop = listing(s3xml.Reader("other"), "objects.xml", step)
    assert stop is None and [row.key for row in current] == [
        row.key for row in rows if row.is_latest == "true" and row.is_delete_marker == "false"]
    assert {row.is_latest + row.is_delete_marker + row.version_id for row in current} == {""}
    assert {row.bucket for row in current} == {"odd-keys"}


def test_keys_that_are_not_encoded():
    """A percent sign is one; only EncodingType says otherwise, wherever it stands."""
    rows, stop = listing(s3xml.Reader(), "objects-v1.xml")
    assert stop is None and [row.key for row in rows] == ["%0A", "%C2%85"]
    assert keys_of(page(entry("a+b%2B&amp;"))) == ["a+b%2B&"]
    assert keys_of(page(entry("a+b%2B&amp;") + "<EncodingType>url</EncodingType>")) == ["a b+&"]


def test_several_pages():
    """Each following the one before it, of one bucket and of several."""
    first = page(entry("a"), "<Name>b</Name><KeyMarker></KeyMarker><IsTruncated>true</IsTruncated>"
                 "<NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker>")
    last = page(entry("b"), "<Name>b</Name><KeyMarker>a</KeyMarker><VersionIdMarker>v"
                "</VersionIdMarker><IsTruncated>false</IsTruncated>")
    assert keys_of(first + b"\n\n" + last) == ["a", "b"]
    assert keys_of(b"\xef\xbb\xbf" + first + last + first + last) == ["a", "b"] * 2
    for data, why in ((first, "page 1 says that more"), (last, "page 1 begins in the middle"),
                      (first + first, "page 2 does not follow"), (b"  \n", "there is no page"),
                      (first + last[:-1], "page 2 is cut"), (last + b"x", "page 2 is cut")):
        rows, stop = read(s3xml.Reader(), data)
        assert isinstance(stop, Cut) and why in str(stop)
        assert [row.key for row in rows] in ([], ["a"], ["b"], ["a", "a"])


@pytest.mark.parametrize("at", range(0, 900, 37))
def test_a_cut_page(at):
    """Wherever it is cut."""
    data = (LISTINGS / "objects-v1.xml").read_bytes()
    rows, stop = read(s3xml.Reader(), data[:at])
    assert not rows and isinstance(stop, Cut)


def test_an_error_is_not_an_empty_listing():
    data = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    rows, stop = read(s3xml.Reader(), page(entry("a")) + data)
    assert len(rows) == 1 and str(stop) == (
        "it is not a listing, but an error of S3's: AccessDenied Access Denied")


@pytest.mark.parametrize("data, why", [
    (b'<!DOCTYPE x [<!ENTITY e "k">]>' + page(entry("&e;")).partition(b"\n")[2], "DOCTYPE"),
    (page(entry("&e;")), "not well-formed"), (page(entry("\x01")), "not well-formed"),
    (page("<Version></Versio>"), "not well-formed")])
def test_what_is_no_page(data, why):
    """Nothing of it is read, and no entity."""
    rows, stop = read(s3xml.Reader(), data)
    assert not rows and why in str(stop)


def test_no_page_is_without_end(monkeypatch):
    """It would be kept in memory."""
    monkeypatch.setattr(s3xml, "LIMIT", 1 << 20)
    _, stop = read(s3xml.Reader(), page(entry("k") * 100000), 1 << 16)
    assert type(stop) is Fault and "page 1: no end of it within 1 MiB" in str(stop)


def test_nonsense_is_named():
    """A key that is not UTF-8, a size that is none, a prefix of which nothing is listed."""
    data = page(entry("%FF") + entry("k", more="<Size>NA</Size>") + entry("good")
                + "<CommonPrefixes><Prefix>p%2F</Prefix></CommonPrefixes>"
                "<EncodingType>url</EncodingType>", "<IsTruncated>false</IsTruncated>")
    rows, stop = read(s3xml.Reader("b"), data)
    assert stop is None
    assert [(row.bucket, row.error) for row in rows] == [
        ("b", "row 1: the key is not Unicode text"),
        ("b", "row 2: size 'NA' is not a number of bytes"), ("b", ""),
        ("b", "row 4: a common prefix: what is below it is not listed")]
    assert rows[3].verbatim["key"] == "p/"
