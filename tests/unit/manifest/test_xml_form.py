"""Rows to and from XML: streamed, strict, and safe against what XML can do to a reader."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from s3kit.errors import Cut, Fault
from s3kit.manifest.row import COLUMNS, FAILED, KNOWN, STATES, Row, column_of
from s3kit.manifest.xml_form import ATTRIBUTES, NAMESPACE, OPEN, Reader, Writer

# Everything that XML 1.0 can carry, and the characters that need care there.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
               | st.sampled_from("\"'\n\r\t<>&]; \x7f\x85"), max_size=20)
FLAG = st.sampled_from(("", "true", "false"))
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("_x0041 -.:{}<&"),
                min_size=1, max_size=12).filter(lambda name: column_of(name) not in KNOWN)
CONTROLS = st.text(st.characters(exclude_categories=("Cs",))
                   | st.sampled_from("\0\n\x1b\x80\ufffe%<&\""), min_size=1, max_size=20)
SPECIAL = {"bucket": st.sampled_from(("b", "photos-2024", "Old_Bucket.1")), "key": CONTROLS,
           "path": CONTROLS, "size": st.integers(0, 1 << 60).map(str) | st.just(""),
           "is_latest": FLAG, "is_delete_marker": FLAG, "state": st.sampled_from(("",) + STATES)}
OTHERS = st.dictionaries(st.sampled_from([column for column in COLUMNS if column not in SPECIAL]),
                         TEXT, max_size=4)
FULL = Row(*(f'<{column}> & "{column}"' for column in COLUMNS))
FULL.bucket, FULL.size, FULL.is_latest, FULL.is_delete_marker, FULL.state = (
    "b", "1", "true", "false", "listed")


def rows():
    """Return a strategy for whole rows that make sense, with unknown columns of any name."""
    extra = st.none() | st.dictionaries(NAMES, TEXT.filter(bool), min_size=1, max_size=3)
    return st.builds(lambda special, others, extra: Row(**special, **others, extra=extra),
                     st.fixed_dictionaries(SPECIAL), OTHERS, extra)


def write(some):
    """Return a whole manifest."""
    writer = Writer()
    return writer.begin([]) + writer.rows(some) + writer.end(len(some))


def read(data, step=None, **options):
    """Return (rows, reader) of a manifest fed in one piece, or `step` bytes at a time."""
    data = data.encode() if isinstance(data, str) else data
    reader = Reader(**options)
    found = []
    for start in range(0, len(data), step or max(1, len(data))):
        found += reader.feed(data[start:start + (step or len(data))])
        if reader.stop:
            return found, reader
    return found + reader.close(), reader


def manifest(*objects, end=None):
    """Return the text of a manifest with these objects."""
    return OPEN + "".join(f"  {text}\n" for text in objects) + (
        f'  <end rows="{len(objects)}"/>\n</manifest>\n' if end is None else end)


@given(st.lists(rows(), max_size=3))
@example([FULL])
@example([Row("b", "k", extra={"_x0041_": "1"})])
@example([Row("b", "k", extra={"xmlns": "1", "XMLID": "2"})])
def test_whole_rows_survive(some):
    """Every column of every row, unknown ones too, is read as it was written; so are the count and
    the mark.
    """
    found, reader = read(write(some))
    assert found == some
    assert ((reader.declared, reader.count, reader.ended, reader.stop)
            == (len(some), len(some), True, None))


def test_optional_columns_are_written_as_ours():
    """With hyphens; they are read in either spelling, the first that says something."""
    row = Row("b", "k", extra={"stored_at": "s3://c/k", "content_type": "text/plain", "no_t": "1"})
    assert (b'key="k" stored-at="s3://c/k" content-type="text/plain" no_t="1"/>') in write([row])
    assert read(write([row]))[0] == [row]
    found, reader = read(manifest('<object bucket="b" key="k" Content-Type="a/b" content_type="c"'
                                  ' stored-at="" StoredAt="s3://c/k"/>'))
    assert [row.extra for row in found] == [{"content_type": "a/b", "stored_at": "s3://c/k"}]
    assert reader.extras == ["content_type", "stored_at"]


@given(st.lists(rows(), max_size=3), st.integers(1, 40))
@example([Row("b", "k", extra={"a": "1", "b": "2"})], 1)
@example([Row("b", "k&")], 1)
def test_rows_come_out_the_same_however_the_bytes_come(some, step):
    """A block may end anywhere, and what was read is written again byte for byte."""
    data = write(some)
    whole, at_once = read(data)
    found, reader = read(data, step)
    assert (found, reader.ended, reader.extras) == (whole, at_once.ended, at_once.extras)
    assert write(found) == data


@given(st.lists(rows(), max_size=3))
def test_any_xml_parser_reads_it(some):
    """The form is plain XML: another parser finds the same attributes."""
    root = etree.fromstring(write(some))
    found = [element.attrib for element in root.iterfind(f"{{{NAMESPACE}}}object")]
    assert [element.get("bucket", "") for element in found] == [row.bucket for row in some]
    assert [element.get("etag", "") for element in found] == [row.etag for row in some]


def test_the_form_itself():
    """The form of s3kit-manifest(5), to the letter; empty columns are left out."""
    row = Row("photos", "2024/a.jpg", "3sL4kq", etag='a"<&\n',
              extra={"size class": "big", "none": ""})
    assert write([row]).decode() == ('<manifest xmlns="urn:s3kit:manifest:1">\n'
                                     '  <object bucket="photos" key="2024/a.jpg" '
                                     'version-id="3sL4kq" etag="a&quot;&lt;&amp;&#10;"'
                                     ' size_x0020_class="big"/>\n'
                                     '  <end rows="1"/>\n</manifest>\n')


def test_what_xml_cannot_carry_is_replaced():
    """Keys are encoded; a control character elsewhere becomes U+FFFD, and the XML stays XML."""
    found, reader = read(write([Row("b", "\0\x1b\ufffe", error="\x1b[31m\udcff\uffff")]))
    assert (found[0].key, found[0].error) == ("\0\x1b\ufffe", "\ufffd[31m\ufffd\ufffd")
    assert reader.stop is None


def test_attributes_are_the_columns():
    """One name for one column, with XML's dash for the underscore."""
    assert [name.replace("-", "_") for name in ATTRIBUTES] == list(COLUMNS)


@pytest.mark.parametrize("text", [
    f'<?xml version="1.0"?>\n<manifest xmlns="{NAMESPACE}"><object bucket="b" key="a"/><end '
    'rows="1"/></manifest>',
    f'<?xml version="1.0" encoding="ISO-8859-1"?><m:manifest xmlns:m="{NAMESPACE}"><m:object '
    'bucket="b" key="a"/><m:end rows="1"/></m:manifest>',
    f"<manifest xmlns='{NAMESPACE}'><!-- by hand --><object key='a' bucket='b'></object>\n\n"
    "<end rows='1' /></manifest>\n",
    manifest('<object bucket="b"\n key="a">text says nothing</object>')])
def test_xml_by_hand(text):
    """Declarations, prefixes, comments, other quotes, other order: XML as people and programs write
    it.
    """
    found, reader = read(text)
    assert [(row.bucket, row.key, row.error) for row in found] == [("b", "a", "")]
    assert reader.ended and reader.declared == 1 and reader.stop is None


@pytest.mark.parametrize("key, text", [("R&D/a.jpg", "R&amp;D/a.jpg"), ("a&amp;b", "a&amp;amp;b"),
                                       ("<&>", "&lt;&#38;&gt;"), ("'\"", "&apos;&quot;"),
                                       ("ä", "&#xE4;"), ("a\nb", "a&#10;b"), ("a b", "a\nb")])
def test_references_in_a_key(key, text):
    """`&amp;` is an ampersand, whatever is refused of entities: `R&#38;D/a.jpg` would be another
    object.
    """
    found, _ = read(manifest(f'<object bucket="b" key="{text}"/>'))
    assert [row.key for row in found] == [key]


def test_a_bucket_fills_only_where_there_is_none():
    """`--bucket` is for rows without one."""
    found, _ = read(manifest('<object key="a"/>', '<object bucket="own" key="c"/>'), bucket="given")
    assert [row.bucket for row in found] == ["given", "own"]


@pytest.mark.parametrize("attributes, why", [
    ('bucket="b" key="a" size="x"', "size 'x' is not a number of bytes"),
    ('bucket="b" key="100%"', "a '%' in a key is written %25"),
    ('key="a"', "no bucket (give --bucket B for rows without one)"),
    ('bucket="b"', "no key"), ("", "no bucket (give --bucket B for rows without one)")])
def test_nonsense_is_named_and_stops_nothing(attributes, why):
    """The row comes back failed, is written as it was, and those around it are done."""
    good = '<object bucket="b" key="a"/>'
    found, reader = read(manifest(good, f"<object {attributes} note=\"n\"/>", good))
    assert [row.state for row in found] == ["", FAILED, ""]
    assert (found[1].error.endswith(": " + why)
            and found[1].error.startswith(("line 3", "object 2", "row 2")))
    written = etree.fromstring(write(found))[1].attrib
    assert dict(etree.fromstring(f"<object {attributes} note=\"n\"/>").attrib) == {
        name: text for name, text in written.items() if name not in ("state", "error")}
    assert reader.count == reader.declared == 3


@pytest.mark.parametrize("name", ["version_id", "VersionId", "Version-Id", "version_x005F_id"])
def test_the_other_form_s_names(name):
    """A slip of the pen for `version-id` is no unknown column: it names the version, or the row
    makes no sense.
    """
    found, _ = read(manifest(f'<object bucket="b" key="a" {name}="v"/>'))
    assert found[0].version_id == "v" or found[0].state == FAILED


# What is no manifest, or no longer one.

@pytest.mark.parametrize("text, kind, why", [
    ("<downloads><item/></downloads>", Fault,
     f'<downloads> is not a manifest (<manifest xmlns="{NAMESPACE}">)'),
    ('<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>', Fault,
     f'<ListVersionsResult> is not a manifest (<manifest xmlns="{NAMESPACE}">)'),
    ("<manifest/>", Fault, f'<manifest> is not a manifest (<manifest xmlns="{NAMESPACE}">)'),
    ('<manifest xmlns="urn:s3kit:manifest:2"/>', Fault,
     "manifest version 2 is newer than this s3kit reads"),
    (manifest('<object bucket="b" key="a"/>',
              end='<end rows="1"/><object bucket="b" key="c"/></manifest>'), Cut,
     "something follows the end mark"),
    (manifest(end='<end rows="0"/><end rows="0"/></manifest>'), Cut,
     "something follows the end mark"),
    (f"<!DOCTYPE manifest>{manifest()}", Fault, "a manifest must not have a DOCTYPE"),
    (f'<!DOCTYPE manifest SYSTEM "http://127.0.0.1:9/x.dtd">{manifest()}', Fault,
     "a manifest must not have a DOCTYPE")])
def test_what_ends_the_reading(text, kind, why):
    """Faults of the whole input, each by its name; one byte at a time or all at once."""
    for step in (None, 1):
        _, reader = read(text, step)
        assert (type(reader.stop), str(reader.stop)) == (kind, why)


@pytest.mark.parametrize("text", [manifest('<object bucket="b" key="a&#0;"/>'),
                                  manifest('<object bucket="b" bucket="c"/>'),
                                  manifest("<object bucket=\"b\" key=\"\x1b\"/>"),
                                  manifest('<object bucket="b" key="a<b"/>'), OPEN + "</object>",
                                  manifest('<object bucket="b" key="&nbsp;"/>'),
                                  manifest() + manifest(), manifest() + "more"])
def test_xml_that_is_none(text):
    """Broken XML ends the reading as a cut does: nothing after it can be believed."""
    found, reader = read(text)
    assert isinstance(reader.stop, Cut) and "not well-formed" in str(reader.stop)
    assert found == []


LAUGHS = "<!DOCTYPE manifest [<!ENTITY a '" + "ha" * 1000 + "'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(20)) + "]>"


@pytest.mark.parametrize("head, attributes", [
    (LAUGHS, 'key="&t;"'),
    ("<!DOCTYPE manifest [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>",
     'key="a">&f;</object><object bucket="b" key="c"'),
    ("<!DOCTYPE manifest [<!ENTITY % p SYSTEM 'file:///etc/passwd'>%p;]>", 'key="a"'),
    ("<!DOCTYPE manifest [<!ATTLIST object key CDATA 'given'>]>", 'note="a"')])
def test_entities_are_a_way_in_and_shut(head, attributes):
    """Billions of laughs, files, defaults: a DOCTYPE ends the reading before any of them, at once.
    """
    for step in (None, 1):
        start = time.monotonic()
        found, reader = read(head + manifest(f'<object bucket="b" {attributes}/>'), step)
        assert found == [] and str(reader.stop) == "a manifest must not have a DOCTYPE"
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("text",
                         ["<a>" * 300_000, OPEN + "<a>" * 300_000, OPEN + "<object>" * 300_000])
def test_depth_is_bounded(text):
    """Deep nesting ends the reading instead of the stack."""
    _, reader = read(text, 1 << 16)
    assert isinstance(reader.stop, Fault)


def test_an_attribute_without_end():
    """A value of many MB is refused, not kept."""
    _, reader = read(manifest(f'<object bucket="b" key="{"x" * 12_000_000}"/>'), 1 << 17)
    assert isinstance(reader.stop, Cut)


@pytest.mark.parametrize("end", [
    "", "</manifest>", '<end rows="1"/>', '<end rows="1"></manifest>', '<end rows="1"/></manifes'])
def test_without_an_end_mark(end):
    """All of the end mark and the last tag must be there; the rows before it came whole all the
    same.
    """
    found, reader = read(manifest('<object bucket="b" key="a"/>', end=end))
    assert [row.key for row in found] == ["a"]
    assert reader.stop or not reader.ended


@pytest.mark.parametrize("count", ["", "x", "-1", "²", "1.0", "9" * 5000, "+1"])
def test_counts_that_are_none(count):
    """A count that cannot be read is a wrong one, never a traceback."""
    _, reader = read(manifest('<object bucket="b" key="a"/>',
                              end=f'<end rows="{count}"/></manifest>'))
    assert reader.declared != 1 or reader.stop


@pytest.mark.parametrize("element", ['<objct bucket="b" key="a"/>', '<Object bucket="b" key="a"/>',
                                     '<list><object bucket="b" key="a"/></list>',
                                     '<object xmlns="urn:other" bucket="b" key="a"/>'])
def test_an_element_that_we_do_not_know_is_not_passed_over(element):
    """A misspelt <object> must not vanish without a word: a failed row or the end of the reading.
    """
    found, reader = read(manifest(element, end='<end rows="0"/></manifest>'))
    assert reader.stop or [row.state for row in found] == [FAILED]


MEMORY = """
import resource
from s3kit.manifest.row import Row
from s3kit.manifest.xml_form import Reader, Writer
some = [Row("photos", f"2024/{n}.jpg", "v", size=str(n), etag="0" * 32, extra={"note": "x"}) for n in range(1000)]
writer, reader, count = Writer(), Reader(), 0
reader.feed(writer.begin([]))
for step in range(100):
    count += len(reader.feed(writer.rows(some)))
    if step == 4:
        early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reader.feed(writer.end(count))
reader.close()
assert reader.ended and reader.count == reader.declared == 100000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early)
"""  # noqa: E501


@pytest.mark.system("minutes")
def test_memory_is_constant():
    """100,000 rows cost no more memory than 5,000 do: at most 2 MiB of chance."""
    grown = subprocess.run([sys.executable, "-c", MEMORY], cwd=Path(__file__).parents[3],
                           capture_output=True, text=True, timeout=60, check=True)
    assert int(grown.stdout) < 2048


@given(st.binary(max_size=60), st.integers(0, 300), st.integers(1, 50))
def test_no_bytes_end_in_a_traceback(noise, at, step):
    """Whatever comes, the answer is rows or a Fault."""
    data = write([Row("b", "k", size="1", extra={"n": "1"})])
    _, reader = read(data[:at] + noise + data[at:], step)
    assert reader.stop is None or isinstance(reader.stop, Fault)
