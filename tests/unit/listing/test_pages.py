"""Pages of a listing: every field of every entry, and what goes on."""

from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Fault, NoVersions
from s3kit.listing import continuation
from s3kit.listing.pages import Page
from s3kit.manifest import entries
from s3kit.manifest.row import Row
from s3kit.s3.xml import local, parse

NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def page_of(inside, root="ListVersionsResult", ns=NS):
    """Return the Page of what is inside a listing."""
    return Page("b", f"<{root} {ns}><EncodingType>url</EncodingType>{inside}</{root}>".encode(),
                root == "ListVersionsResult")


def entry(kind="Version", **more):
    """Return an entry's XML."""
    fields = {"Key": "k", "VersionId": "v", "IsLatest": "true",
              "LastModified": "2024-01-01T00:00:00.000Z"} | more
    return f"<{kind}>" + "".join(f"<{name}>{value}</{name}>" for name,
                                 value in fields.items() if value is not None) + f"</{kind}>"


@pytest.mark.parametrize("ns", [NS, "", 'xmlns="urn:other"'])
def test_every_field_is_read(ns):
    """Whatever the namespace; what is not ours (Owner, comments, unknown elements) is passed over.
    """
    whole = entry(Key="a%2Bb+c", ETag="&quot;ABC&quot;", Size="7", StorageClass="GLACIER",
                  ChecksumType="FULL_OBJECT",
                  ChecksumAlgorithm="CRC32</ChecksumAlgorithm><ChecksumAlgorithm>SHA256",
                  Owner="<ID>o</ID>", New="x")
    rows = page_of(f"<!-- c -->{whole}<?pi x?>{entry('DeleteMarker', StorageClass='STANDARD')}",
                   ns=ns).rows
    assert rows == [Row("b", "a+b c", "v", "true", "false", "7", "2024-01-01T00:00:00Z", "ABC",
                        "GLACIER", "CRC32 SHA256", "FULL_OBJECT", state="listed"),
                    Row("b", "k", "v", "true", "true", "", "2024-01-01T00:00:00Z", state="listed")]
    assert (page_of(entry("Contents", VersionId=None, IsLatest=None), "ListBucketResult", ns)
            .rows[0].is_delete_marker == "")


@pytest.mark.parametrize("inside,restore", [
    ("<IsRestoreInProgress>true</IsRestoreInProgress>", "ongoing"),
    ("<IsRestoreInProgress>false</IsRestoreInProgress>", ""),
    ("<IsRestoreInProgress>false</IsRestoreInProgress>"
     "<RestoreExpiryDate>2024-01-03T00:00:00.000Z</RestoreExpiryDate>",
     "ready until 2024-01-03T00:00:00Z")])
def test_restore_status(inside, restore):
    """Of one entry, and not of the next."""
    assert ([row.restore for row in page_of(entry(RestoreStatus=inside) + entry()).rows]
            == [restore, ""])


@pytest.mark.parametrize("text, told", [
    ("Sat, 28 Nov 2026 12:00:01 GMT", "2026-11-28T12:00:01Z"),
    ("Saturday, 28-Nov-26 12:00:01 GMT", "2026-11-28T12:00:01Z"),
    ("Sat Nov 28 12:00:01 2026", "2026-11-28T12:00:01Z"),
    ("Sat, 28 Nov 2026 14:00:01 +0200", "2026-11-28T12:00:01Z"),
    ("2026-11-28T14:00:01+02:00", "2026-11-28T14:00:01+02:00"),
    ("1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59.500Z"), ("yesterday", "yesterday")])
def test_times_of_another_form(text, told):
    """Those of HTTP are written as all others; what is no time stays as it is."""
    row, = page_of(entry(LastModified=text, RestoreStatus="<IsRestoreInProgress>false"
                         f"</IsRestoreInProgress><RestoreExpiryDate>{text}</RestoreExpiryDate>")
                   ).rows
    assert (row.last_modified, row.restore) == (told, f"ready until {told}")


def test_prefixes_and_what_goes_on():
    """Common prefixes, the query for the next page, and a server that forgets it."""
    told = ("<IsTruncated>true</IsTruncated>"
            "<NextKeyMarker>a%20b</NextKeyMarker><NextVersionIdMarker>v/1</NextVersionIdMarker>")
    assert page_of(told).next == "key-marker=a%20b&version-id-marker=v%2F1"
    page = page_of(f"<CommonPrefixes><Prefix>a%2F</Prefix></CommonPrefixes>{told}")
    assert (page.prefixes, page.next) == (["a/"], "key-marker=a%2F")
    with pytest.raises(Fault, match="goes on, but not where"):
        page_of("<IsTruncated>true</IsTruncated>")


@pytest.mark.parametrize("inside", [
    entry(Key="a%FF"), entry("DeleteMarker", Key="%C3"),
    "<CommonPrefixes><Prefix>a%FF%2F</Prefix></CommonPrefixes>"])
def test_keys_that_are_not_utf_8(inside):
    """They end the listing, by name; a marker beside good keys may be as it is, without encoding.
    """
    with pytest.raises(Fault, match="not UTF-8: '(a%FF|%C3)"):
        page_of(inside)
    told = "<IsTruncated>true</IsTruncated><NextKeyMarker>a%FF</NextKeyMarker>"
    assert page_of(entry(Key="a%25FF") + told).next == "key-marker=a%25FF&version-id-marker=v"
    assert page_of(told).next == "key-marker=a%25FF"


@pytest.mark.parametrize("xml", [b"<ListBucketResult>", b"no XML", b"<Error/>",
                                 b'<!DOCTYPE l [<!ENTITY e "x">]><ListBucketResult><Contents>'
                                 b'<Key>&e;</Key></Contents></ListBucketResult>',
                                 b'<!DOCTYPE l SYSTEM "file:///etc/passwd"><ListBucketResult/>'])
def test_what_is_no_listing(xml):
    """Cut, foreign and hostile documents are faults."""
    with pytest.raises(Fault):
        Page("b", xml, False)


VALUES = st.text(st.sampled_from("ab&<>\"'%+ é😀\t\n]"), max_size=6)
ENTRY = st.fixed_dictionaries({"Key": VALUES}, optional={"VersionId": VALUES, "Size": st.just("7"),
                                                         "ETag": st.sampled_from(
                                                             ["&quot;A&quot;", "&#34;b&#34;", '"c"',
                                                              "d", ""]), "LastModified":
                                                         st.sampled_from(
                                                             ["2024-01-01T00:00:00.000Z",
                                                              "2024-01-01T00:00:00Z"]), "Owner":
                                                         st.just("<ID>o</ID><Key>no</Key>"),
                                                         "ChecksumAlgorithm": st.sampled_from(
                                                             ["CRC32",
                                                              "CRC32</ChecksumAlgorithm>"
                                                              "<ChecksumAlgorithm>SHA1"]),
                                                         "Other": VALUES, "RestoreStatus": st.just(
                                                             "<IsRestoreInProgress>true</"
                                                             "IsRestoreInProgress>"),
                                                         "StorageClass":
                                                         st.just("<!-- c -->GLACIER")})
BETWEEN = st.sampled_from(["", "", "", "\n  ", "<!-- <Version><Key>k</Key></Version> -->",
                           "<Name>n</Name>", "<Version a='b'><Key>x</Key></Version>",
                           "<CommonPrefixes><Prefix>p</Prefix></CommonPrefixes>", "<Version/>",
                           "<![CDATA[<Version>]]>"])


@settings(max_examples=300)
@given(st.lists(st.tuples(BETWEEN, st.sampled_from(["Version", "DeleteMarker"]), ENTRY),
                max_size=12), st.booleans())
def test_the_stylesheet_reads_what_single_elements_say(given_entries, is_encoded):
    """Entries of any form, with anything between them, tabs and line feeds in values."""
    def text(name, value):
        """Return a value as XML, if it is not yet."""
        return escape(value) if name in ("Key", "VersionId", "Other") else value

    inside = "".join(between
                     + entry(kind, **{name: text(name, value) for name, value in fields.items()})
                     for between, kind, fields in given_entries)
    xml = (f"<ListVersionsResult {NS}>{'<EncodingType>url</EncodingType>' * is_encoded}{inside}</"
           "ListVersionsResult>".encode())
    try:
        page = Page("b", xml, True)
    except Fault as fault:
        assert is_encoded and "not UTF-8" in str(fault)
        return
    single = [entries.fields_of(child) for child in parse(xml).iterchildren("*")
              if local(child.tag) in entries.ENTRIES]
    assert page.rows == [row for fields in single for row in entries.rows_of(
        "b", [[cell] for cell in fields], page.key, True)]


@pytest.mark.parametrize("spoilt", ["<Key>&e;</Key>", "<Key>\x01</Key>", "<Key>a</Kay>", "<Key>a",
                                    "<Key>\ufffe</Key>"])
def test_what_is_no_xml_is_a_fault(spoilt):
    """Among good entries, too."""
    good = "<Version><Key>k</Key></Version>" * 3
    assert len(page_of(good).rows) == len(page_of(good).rows) == 3
    with pytest.raises(Fault):
        page_of(good + f"<Version>{spoilt}</Version>" + good)


@given(st.text(min_size=1, max_size=8), st.text(max_size=8))
def test_a_marker_says_any_key(key, version):
    """Percent-decoded, the query is what the next page is asked for."""
    found = dict(parse_qsl(continuation.marker_query(key, version), keep_blank_values=True))
    assert found == {"key-marker": key} | ({"version-id-marker": version} if version else {})


def test_a_page_is_cut_in_two():
    """No row is lost, and both parts know what the page does."""
    page = page_of("".join(entry(Key=f"k{n}") for n in range(5)))
    rows = list(page.rows)
    rest = page.cut(2)
    assert (page.rows, rest.rows, rest.prefixes, rest.next) == (rows[:2], rows[2:], [], "")


def test_a_token_of_any_characters_goes_on():
    xml = (f"<ListBucketResult {NS}><IsTruncated>true</IsTruncated><NextContinuationToken>a+b/="
           "&amp;</NextContinuationToken></ListBucketResult>").encode()
    assert Page("b", xml, False).next == "continuation-token=a%2Bb%2F%3D%26"


def test_keys_of_a_server_that_does_not_encode():
    """It leaves EncodingType out: a plus is a plus."""
    xml = (f"<ListBucketResult {NS}><Contents><Key>a+b%20</Key></Contents><CommonPrefixes><Prefix>"
           "p+</Prefix></CommonPrefixes></ListBucketResult>").encode()
    page = Page("b", xml, False)
    assert ([row.key for row in page.rows], page.prefixes) == (["a+b%20"], ["p+"])


@pytest.mark.parametrize("name", ["NextKeyMarker", "KeyMarker", "NextVersionIdMarker", "NextMarker",
                                  "Marker", "StartAfter", "NextContinuationToken",
                                  "ContinuationToken"])
@pytest.mark.parametrize("marker", [b"a\x01", b"a&#x1;", b"\xff"])
def test_markers_that_no_xml_can_carry(name, marker):
    """Are not needed; elsewhere a page with such a text cannot be read."""
    xml = (b"<ListVersionsResult><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
           b"<%s>%s</%s><Version><Key>a%%01</Key><VersionId>v</VersionId></Version>"
           b"</ListVersionsResult>" % (name.encode(), marker, name.encode()))
    page = Page("b", xml, True)
    assert [row.key for row in page.rows] == ["a\x01"]
    assert page.next == "key-marker=a%01&version-id-marker=v"
    with pytest.raises(Fault):
        Page("b", xml.replace(b"a%01", marker), True)


def test_which_listing_it_is():
    """Current objects are not versions, nor the other way round."""
    with pytest.raises(NoVersions, match="does not list the versions of 'b'"):
        page_of(entry("Contents"))
    with pytest.raises(Fault, match="is one of versions, which nobody asked for"):
        page_of(entry("DeleteMarker"), "ListBucketResult")
    assert page_of("").rows == page_of("", "ListBucketResult").rows == []


def test_several_prefixes_in_one_element():
    """Each counts."""
    page = page_of("<CommonPrefixes><Owner/><Prefix>a/</Prefix><!-- c --><Prefix>b/</Prefix>"
                   "</CommonPrefixes><CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>")
    assert page.prefixes == ["a/", "b/", "c/"]


@pytest.mark.parametrize("said, latest", [("true", "true"), (" True ", "true"), ("False", "false"),
                                          ("", ""), ("1", "")])
def test_whether_a_version_is_the_latest(said, latest):
    """However it is spelt; what is neither is nothing."""
    assert page_of(entry(IsLatest=said)).rows[0].is_latest == latest
