"""The samples and schemas in manifests/, and that all descriptions of the row are one."""

import csv
import json
import os
import re
import threading
from pathlib import Path

import pytest
import rnc2rng
from lxml import etree

from s3kit.errors import Fault
from s3kit.manifest.row import COLUMNS, FAILED, OPTIONAL, STATES
from s3kit.manifest.streams import Input, Output
from s3kit.manifest.xml_form import ATTRIBUTES, OPTIONAL_ATTRIBUTES

ROOT = Path(__file__).parents[1]
MANIFESTS = ROOT / "manifests"
VALID = sorted((MANIFESTS / "valid").iterdir())
INVALID = sorted(path for path in (MANIFESTS / "invalid").iterdir() if path.suffix != ".err")
PAIRS = [path for path in VALID if path.suffix == ".csv" and not path.name.startswith("bare-")]
BARE = [path for path in VALID if path.name.startswith("bare-")]
# What a bare manifest does not say itself.
OPTIONS = {"bare-key-only": {"bucket": "photos"},
           "bare-columns": {"bucket": "photos", "columns": ["key", "version_id"]}}
METADATA = json.loads((MANIFESTS / "csv-metadata.json").read_text())
PAGE = (ROOT / "man" / "s3kit-manifest.5").read_text()


def by_name(path):
    """Return what a sample is called."""
    return path.name


def read(path, fd=None, **options):
    """Return (rows, unknown columns, fault) of a manifest."""
    fd = os.open(path, os.O_RDONLY) if fd is None else fd
    source, rows, found = Input(fd, path.name, **options), [], None
    try:
        for some in source.batches():
            rows += some
    except Fault as fault:
        found = fault
    os.close(fd)
    return rows, source.extras, found


def marks(path):
    """Return the marks of the shards in a manifest's head."""
    with open(path, "rb", 0) as file:
        source = Input(file.fileno(), path.name)
        list(source.batches())
        return source.shards


def read_pipe(path):
    """Return what `read` does when the manifest comes through a pipe."""
    out, into = os.pipe()

    def feed():
        with open(into, "wb") as file:
            file.write(path.read_bytes())

    feeder = threading.Thread(target=feed)
    feeder.start()
    found = read(path, out)
    feeder.join()
    return found


@pytest.fixture(scope="module")
def schema():
    """The RELAX NG schema of the XML form."""
    grammar = rnc2rng.dumps(rnc2rng.load(str(MANIFESTS / "manifest.rnc")))
    return etree.RelaxNG(etree.fromstring(grammar.encode()))


# The samples.

@pytest.mark.parametrize("path", PAIRS, ids=by_name)
@pytest.mark.parametrize("there, back", [(".csv", ".xml"), (".xml", ".csv")])
def test_pairs_mean_the_same(path, there, back, tmp_path):
    """Either form is converted into the other, byte for byte."""
    rows, extras, fault = read(path.with_suffix(there))
    assert fault is None and all(row.verbatim is None for row in rows)
    output = Output(back[1:], str(tmp_path / "out"))
    output.shard = marks(path.with_suffix(there))[0]
    output.write(rows, extras)
    output.close()
    assert (tmp_path / "out").read_bytes() == path.with_suffix(back).read_bytes()


@pytest.mark.parametrize("path", BARE, ids=by_name)
def test_bare_manifests_name_the_same_two_objects(path):
    """However a person writes it down."""
    rows, _, fault = read(path, **OPTIONS.get(path.stem, {}))
    assert fault is None
    assert [(row.bucket, row.key, row.error) for row in rows] == [
        ("photos", "2024/a.jpg", ""), ("photos", "2024/b.jpg", "")]


@pytest.mark.parametrize("path", INVALID, ids=by_name)
def test_what_is_wrong_is_said(path):
    """Each invalid sample has one fault, or one row that makes no sense, in the words of its .err
    file.
    """
    rows, _, fault = read_pipe(path)
    said = [str(fault)] if fault else [row.error for row in rows if row.state == FAILED]
    # A fault names the input before it, and lxml adds words of its own to what is not well-formed.
    expected = path.with_name(path.name + ".err").read_text().removesuffix("\n")
    assert len(said) == 1 and said[0].removeprefix(f"{path.name}: ").startswith(expected), said


def test_every_sample_has_its_other_half():
    """A CSV has its XML, an XML its CSV, and what is invalid its message."""
    assert {path.stem for path in PAIRS} == {path.stem for path in VALID if path.suffix == ".xml"}
    assert {path.name + ".err" for path in INVALID} == {
        path.name for path in (MANIFESTS / "invalid").iterdir() if path.suffix == ".err"}
    assert set(OPTIONS) < {path.stem for path in BARE}


def test_the_samples_hold_what_is_odd():
    """The cases that forms and tools break on are among the samples."""
    rows = [row for path in PAIRS for row in read(path)[0]]
    keys = "".join(row.key for row in rows)
    assert set("\0\n\r\x1b\x85,\"'&<>=%\\\u2028\ufeff\ufffe\uffff😀") <= set(keys)
    assert {len(row.key.encode()) for row in rows} >= {1, 1024}
    assert {row.key[0] for row in rows} >= set("=+-@/.#")
    assert {row.state for row in rows} == set(STATES)
    assert {row.version_id for row in rows} >= {"", "null", "v1"}
    assert {row.size for row in rows} >= {"", "0"} and max(row.length or 0
                                                           for row in rows) > 5 << 30
    assert any(row.is_marker for row in rows) and any(row.extra for row in rows)
    assert any("-" in row.etag for row in rows) and any("-" in row.checksum for row in rows)
    assert {row.proof.partition(":")[0] for row in rows} >= {
        "crc64nvme", "sha256", "etag-md5", "etag-md5-parts", "size"}


# The schemas.

@pytest.mark.parametrize("path", [path for path in VALID if path.suffix == ".xml"], ids=by_name)
def test_the_schema_accepts_what_is_valid(schema, path):
    """RELAX NG says the same as the reader."""
    schema.assertValid(etree.parse(path))


GOOD = ('<manifest xmlns="urn:s3kit:manifest:1"><object bucket="b" key="a" size="1"'
        ' last-modified="2026-01-31T12:00:00Z" state="verified" path="b/a"'
        ' digest="xxh3-128:99aa06d3014798d86001c324468d497f" proof="crc32c" note="any"/>'
        '<end rows="1"/></manifest>')


@pytest.mark.parametrize("good, bad", [
    ('<end rows="1"/>', ""), ('rows="1"', ""), ('rows="1"', 'rows="x"'), ('rows="1"', 'rows="-1"'),
    ('<end rows="1"/>', '<end rows="1"/><end rows="1"/>'),
    ('<end rows="1"/>', '<end rows="1" more="1"/>'),
    ("<object", '<end rows="0"/><object'), ("<object", "<item/><object"),
    ("<object", "text<object"),
    ('manifest:1">', 'manifest:1" shard="0/4">'), ('manifest:1">', 'manifest:1" shard="4">'),
    (":manifest:1", ":manifest:2"), (' xmlns="urn:s3kit:manifest:1"', ""),
    ('<object bucket="b"', '<object xmlns="urn:x" bucket="b"'),
    ('bucket="b"', ""), ('bucket="b"', 'bucket="a/b"'), ('bucket="b"', 'bucket=""'),
    ('key="a"', ""), ('key="a"', 'key=""'), ('key="a"', 'key="100%"'), ('key="a"', 'key="%4"'),
    ('size="1"', 'size="x"'), ('size="1"', 'size="-1"'), ('size="1"', 'size="1.5"'),
    ('size="1"', 'is-latest="1"'), ('size="1"', 'is-delete-marker="True"'),
    ("2026-01-31T12:00:00Z", "yesterday"), ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00+01:00"),
    ('size="1"', 'checksum-type="FULL"'), ('size="1"', 'checksum="no base64"'),
    ('size="1"', 'restore="soon"'),
    ('"verified"', '"done"'), ('"b/a"', '"b/100%"'), ("xxh3-128:99", "md5:99"), ("8d497f", "8d497"),
    ('note="any"', 'stored-at="b/a"'), ('note="any"', 'metadata="mtime"'),
    ('"crc32c"', '"CRC32C"'), ('"crc32c"', '"etag-md5-parts:x"'),
    ("/><end", "><part/></object><end")])
def test_the_schema_refuses_what_is_not(schema, good, bad):
    """One change in a good manifest, and it is none."""
    assert schema.validate(etree.fromstring(GOOD))
    assert GOOD.count(good) == 1
    assert not schema.validate(etree.fromstring(GOOD.replace(good, bad)))


def is_cell(cell, column):
    """Return whether a CSVW column's description allows the cell; the few types that ours uses."""
    kind = column.get("datatype", "string")
    kind = kind if isinstance(kind, dict) else {"base": kind}
    if not cell:
        return not column.get("required")
    if kind["base"] == "integer":
        return cell.isdigit() and int(cell) >= kind["minimum"]
    if kind["base"] == "boolean":
        return cell in ("true", "false")
    if kind["base"] == "dateTime":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", cell))
    assert kind["base"] == "string"
    return bool(re.fullmatch(kind.get("format", ".*"), cell, re.DOTALL))


def columns_of(table):
    """Return the columns of a table: those of all, and its own, which names these only."""
    columns = METADATA["tableSchema"]["columns"]
    own = table.get("tableSchema", {"columns": columns})["columns"]
    assert [column["name"] for column in own[:len(columns)]] == list(COLUMNS)
    return columns + own[len(columns):]


@pytest.mark.parametrize("table", METADATA["tables"], ids=lambda table: table["url"])
def test_the_metadata_describe_the_samples(table):
    """Every cell of every sample in standard columns is what CSV on the Web says it is."""
    dialect, columns = METADATA["dialect"], columns_of(table)
    text = (MANIFESTS / table["url"]).read_text(dialect["encoding"])
    lines = [line
             for line in text.split("\n") if line and not line.startswith(dialect["commentPrefix"])]
    header, *records = csv.reader(lines, delimiter=dialect["delimiter"],
                                  quotechar=dialect["quoteChar"],
                                  doublequote=dialect["doubleQuote"])
    assert header == [column["titles"] for column in columns]
    assert [(cell, column["name"]) for cells in records for cell,
            column in zip(cells, columns, strict=True) if not is_cell(cell, column)] == []


def test_the_metadata_name_every_sample():
    """All pairs but the one whose columns are not ours."""
    assert [table["url"] for table in METADATA["tables"]] == [
        f"valid/{path.name}" for path in PAIRS if path.stem != "unknown-columns"]


# One row, four descriptions.

def grammar():
    """Return the schema's text without its comments."""
    return re.sub("#.*", "", (MANIFESTS / "manifest.rnc").read_text())


def test_four_descriptions_name_the_same_columns():
    """row.py, RELAX NG, CSV on the Web and s3kit-manifest(5): the same names in the same order."""
    attributes = [*ATTRIBUTES, *OPTIONAL_ATTRIBUTES.values()]
    assert re.findall(r"attribute ([a-z-]+) {.*}\??,$", grammar(), re.MULTILINE) == attributes
    unknown = grammar().partition("attribute * - (")[2].partition(")")[0]
    assert [name.strip() for name in unknown.split("|")] == attributes
    assert [column["name"] for column in METADATA["tableSchema"]["columns"]] == list(COLUMNS)
    assert re.findall(r"^\.It Cm (\S+)$", PAGE, re.MULTILINE) == [*COLUMNS, *OPTIONAL]
    own = [table["tableSchema"]["columns"] for table in METADATA["tables"] if len(table) > 1]
    assert [[column["name"] for column in columns] for columns in own] == [[*COLUMNS, *OPTIONAL]]


def test_four_descriptions_name_the_same_states():
    """The same states in the same order."""
    listed = grammar().partition("state =")[2].partition("unknown =")[0]
    assert re.findall('"([a-z]+)"', listed) == list(STATES)
    state = METADATA["tableSchema"]["columns"][COLUMNS.index("state")]
    assert state["datatype"]["format"].split("|") == list(STATES)
    page = PAGE.partition(".Ss States")[2].partition(".Ss ")[0]
    assert re.findall(r"^\.It Li (\S+)$", page, re.MULTILINE) == list(STATES)


def test_every_column_is_described_in_words():
    """The metadata explain each column, and the page's own example is a manifest."""
    assert all(column["dc:description"] for column in METADATA["tableSchema"]["columns"])
    assert "\n#s3kit manifest 1\nbucket,key," in PAGE
