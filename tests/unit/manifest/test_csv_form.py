"""Rows to and from CSV: the marked form, a person's bare form, and what is neither."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s3kit.errors import Cut, Fault
from s3kit.manifest import bare
from s3kit.manifest.csv_form import HOLD, Reader, Writer
from s3kit.manifest.row import COLUMNS, FAILED, STATES, Row, column_of

HEADER = ",".join(COLUMNS)
# All but NUL, which the csv module of Python 3.10 neither reads nor writes; keys are encoded.
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")
               | st.sampled_from("\",\n\r\t #'=%;&<"), max_size=20)
FLAG = st.sampled_from(("", "true", "false"))
SPECIAL = {"bucket": st.sampled_from(("b", "photos-2024", "Old_Bucket.1")),
           "key": TEXT.filter(bool), "size": st.integers(0, 1 << 60).map(str) | st.just(""),
           "is_latest": FLAG, "is_delete_marker": FLAG, "state": st.sampled_from(("",) + STATES)}
OTHERS = st.dictionaries(st.sampled_from([column for column in COLUMNS if column not in SPECIAL]),
                         TEXT, max_size=4)
FULL = Row(*(f'{column}, "{column}"' for column in COLUMNS))
FULL.bucket, FULL.size, FULL.is_latest, FULL.is_delete_marker, FULL.state = (
    "b", "1", "true", "false", "listed")
# Names of unknown columns; the odder ones have a test of their own.
NAMES = (st.text("abcXYZ_019 .-", min_size=1, max_size=8).map(str.strip).filter(
    lambda name: name and column_of(name) not in COLUMNS
    and not name[0].isdigit() and name[0] not in ".-"))


def rows(extras=()):
    """Return a strategy for whole rows that make sense, any column filled with anything."""
    extra = st.fixed_dictionaries({name: TEXT for name in extras}) if extras else st.none()
    return st.builds(lambda special, others, extra: Row(**special, **others, extra=extra),
                     st.fixed_dictionaries(SPECIAL), OTHERS, extra)


TABLES = (st.lists(NAMES, max_size=3,
                   unique_by=lambda name: name.lower().replace("-", "_").replace(" ", "_"))
          .flatmap(lambda extras: st.tuples(st.just(extras), st.lists(rows(extras), max_size=3))))


def write(some, extras=()):
    """Return a whole manifest."""
    writer = Writer()
    return writer.begin(extras) + writer.rows(some) + writer.end(len(some))


def read(data, step=None, **options):
    """Return (rows, reader) of a manifest fed in one piece, or `step` bytes at a time."""
    reader = Reader(**options)
    found = []
    for start in range(0, len(data), step or len(data)):
        found += reader.feed(data[start:start + (step or len(data))])
    return found + reader.close(), reader


def keys(text, **options):
    """Return the keys of a bare manifest, all of whose rows must make sense."""
    found, reader = read(text.encode(), bucket="b", **options)
    assert [row.error for row in found] == [""] * len(found) and reader.stop is None
    return [row.key for row in found]


@given(TABLES)
@example(([], [FULL]))
@example((["note"], [Row("b", "k", etag="a\rb", extra={"note": "a\rb"})]))
def test_whole_rows_survive(table):
    """Every column of every row, unknown ones too, is read as it was written; so are the count and
    the mark.
    """
    extras, some = table
    found, reader = read(write(some, extras))
    assert found == some
    assert (reader.extras, reader.declared, reader.count) == (extras, len(some), len(some))
    assert reader.marked and reader.ended and reader.stop is None


@given(TABLES)
@example(([], [Row("b", "k", error="a\rb")]))
def test_writing_what_was_read_changes_nothing(table):
    """CSV read and written again is the same, byte for byte."""
    extras, some = table
    data = write(some, extras)
    found, reader = read(data)
    assert write(found, reader.extras) == data


@given(st.lists(st.lists(st.text('a",\n\r %ä\udc80', max_size=4), min_size=2, max_size=4)))
@example([["a", ","], ["b", "c", "d"]])
@example([["a", "b\nc"]])
def test_lines_are_those_of_the_csv_module(records):
    """Whether a cell among them needs quotes or none does."""
    lines = []
    for cells in records:
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\r\n").writerow(cells)
        lines.append(line.getvalue()[:-2] + "\n")
    assert Writer().text(records) == "".join(lines).encode("utf-8", "surrogateescape")


@given(TABLES, st.integers(1, 40))
def test_rows_come_out_the_same_however_the_bytes_come(table, step):
    """A block may end anywhere: in a character, a quote, a line end."""
    extras, some = table
    data = write(some, extras)
    assert read(data, step)[0] == read(data)[0]


@pytest.mark.parametrize("line", ['b,a"b.jpg', 'b,"x\ny"', 'b,a"b\nb,"x\ny"\nb,c"d',
                                  'b,"say ""hi\n"""', "b,ä\r"])
def test_quotes_and_the_ends_of_blocks(line):
    """A quote inside a bare cell opens nothing: no row may be taken for whole where a block ends.
    """
    data = f"bucket,key\nb,first\n{line}\nb,last\n".encode()
    whole = read(data)[0]
    for step in range(1, len(data)):
        assert read(data, step)[0] == whole, step


def test_the_form_itself():
    """The form of s3kit-manifest(5), to the letter."""
    row = Row("photos", "2024/a.jpg", "3sL4kq", extra={"colour": 'red, "dark"'})
    assert write([row], ["colour"]).decode() == (
        f"#s3kit manifest 1\n{HEADER},colour\nphotos,2024/a.jpg,3sL4kq{',' * 15},\"red, "
        "\"\"dark\"\"\"\n#end rows=1\n")


@given(st.lists(st.lists(TEXT, min_size=18, max_size=18) | st.lists(
    st.sampled_from(("", "a", "a,b", 'a"b', "a\rb", "a\nb")), min_size=2, max_size=19), max_size=4))
def test_cells_are_quoted_as_the_csv_module_does_it(records):
    """Whatever the other cells of the row and the other rows hold."""
    expected = ""
    for record in records:
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\r\n").writerow(record)
        expected += line.getvalue().removesuffix("\r\n") + "\n"
    assert Writer().text(records).decode() == expected


def test_rows_of_other_columns_are_padded():
    """A row without some unknown column has it empty."""
    found, _ = read(write([Row("b", "k"), Row("b", "l", extra={"a": "1"})], ["a", "c"]))
    assert [row.extra for row in found] == [{"a": "", "c": ""}, {"a": "1", "c": ""}]


# Bare manifests: what people write by hand, and what grep leaves.

@pytest.mark.parametrize("text", ["bucket,key\nb,a\nb,c\n", "key,bucket\na,b\nc,b\n", "key\na\nc\n",
                                  "Size,KEY , ETag\n1,a,x\n2,c,y\n", "\ufeffkey\na\nc\n",
                                  "key\r\na\r\nc\r\n", "\nkey\n\na\n\n\nc\n\n", "key\na\nc",
                                  '"key","size"\n"a","1"\n"c",""\n', "key,size\na\nc,2\n",
                                  "b,a\nb,c\n", "b,a,,true,false,3\nb,c,,,,\n",
                                  f"{HEADER}\nb,a\nb,c\n", "key,colour\na,red\nc,\n",
                                  "colour,key\nred,a\n,c\n"])
def test_bare_manifests(text):
    """Any columns in any order, with or without a header, short rows, BOM, CRLF, blank lines, no
    last newline.
    """
    assert keys(text) == ["a", "c"]


def test_columns_of_a_bare_manifest():
    """What a row does not say is empty; unknown columns come along under the names that they were
    given.
    """
    found, reader = read(b"Size,Colour,key\n7,red,a\n", bucket="b")
    assert found == [Row("b", "a", size="7", extra={"Colour": "red"})]
    assert reader.extras == ["Colour"] and not reader.marked


def test_a_bucket_fills_only_where_there_is_none():
    """`--bucket` is for rows without one."""
    found, _ = read(b"bucket,key\n,a\nown,c\n", bucket="given")
    assert [row.bucket for row in found] == ["given", "own"]


def test_columns_named_by_the_caller():
    """`--columns key,version_id` names the columns of an input without a header."""
    found, _ = read(b"a,v1\nc,null\n", bucket="b", columns=["key", "version_id"])
    assert [(row.key, row.version_id) for row in found] == [("a", "v1"), ("c", "null")]
    assert keys("#a\n#end\n", columns=["key"]) == ["#a", "#end"]
    assert keys("key\na\n", columns=["size"]) == ["a"]          # a header of its own says more


def test_a_quoted_newline_is_part_of_the_key():
    """A quoted cell may hold line ends, commas and quotes."""
    assert keys('key\n"a\nb"\n"c, ""d"""\n') == ["a\nb", 'c, "d"']


def test_what_grep_and_tail_leave():
    """Standard columns without a header; an end mark without its beginning is no row."""
    data = write([Row("b", "key", size="1"), Row("b", "c", state="fetched")])
    lines = data.splitlines(keepends=True)
    found, reader = read(b"".join(lines[2:]))
    assert ([(row.key, row.size, row.state) for row in found]
            == [("key", "1", ""), ("c", "", "fetched")])
    assert not reader.marked and reader.stop is None


@pytest.mark.parametrize("header", ["key,größe", "key,size (bytes)", "bucket,key,", "key,,"])
def test_a_header_of_any_names(header):
    """A header with a name of another alphabet, or commas too many, is never an object called
    `key`.
    """
    assert keys(header + "\n" + ",".join("b" if name == "bucket" else "a" if name == "key" else "1"
                                         for name in header.split(",")) + "\n") == ["a"]


def test_a_header_that_comes_again():
    """`cat a.csv c.csv` of two bare manifests holds a header in its middle; it is no object called
    `key`.
    """
    found, _ = read(b"bucket,key\nb,a\nbucket,key\nb,c\n")
    assert [row.key for row in found] == ["a", "c"]


@pytest.mark.parametrize("name", ["version-id", "Version ID", "is-latest"])
def test_a_column_spelt_like_the_other_form_s(name):
    """A person who knows the XML writes `version-id`: that is the version, not an unknown column.
    """
    found, _ = read(f"key,{name}\na,true\n".encode(), bucket="b")
    assert getattr(found[0], name.lower().replace("-", "_").replace(" ", "_")) == "true"


# Rows that make no sense.

@pytest.mark.parametrize("line, why", [
    ("b,a,x", "line 3: size 'x' is not a number of bytes"),
    ("b,100%,1", "line 3: a '%' in a key is written %25"),
    (",a,1", "line 3: no bucket (give --bucket B for rows without one)"),
    ("b", "line 3: no key"),
    ("b,a,1,2", "line 3: 4 columns, not 3"),
    ("b,a\udcff,1", "line 3: the key is not Unicode text")])
def test_nonsense_is_named_and_stops_nothing(line, why):
    """The row comes back failed with its line; those around it are done."""
    data = f"bucket,key,size\nb,first,1\n{line}\nb,last,2\n".encode("utf-8", "surrogateescape")
    found, _ = read(data)
    assert [row.key for row in found][::2] == ["first", "last"]
    assert (found[1].state, found[1].error) == (FAILED, why)


@pytest.mark.parametrize("line",
                         ["b,100%,1", ",a,1", "b,a,x", "b,a\udcff,1", "b,a,1,2", "b,a,1,2,3,4"])
def test_nonsense_is_written_as_it_was(line):
    """The cells of a row that made no sense stand in their own columns again."""
    found, reader = read(f"bucket,key,size\n{line}\n".encode("utf-8", "surrogateescape"))
    out = write(found, reader.extras).splitlines()[2]
    first = line.encode("utf-8", "surrogateescape").split(b",")
    cells = dict(zip(COLUMNS, out.split(b",")))
    assert [cells["bucket"], cells["key"], cells["size"]] == first[:3]
    assert cells["state"] == b"failed"


def test_nonsense_keeps_its_columns_in_any_order():
    """A row with a cell too many: each cell goes back to the column whose name it stood under."""
    found, reader = read(b"key,colour,size,bucket\na,red,1,b,zz\n")
    _, header, out, _ = csv.reader(write(found, reader.extras).decode().splitlines())
    cells = dict(zip(header, out))
    assert {name: cells[name] for name in ("bucket", "key", "size", "colour")} == {
        "bucket": "b", "key": "a", "size": "1", "colour": "red"}


def test_a_row_in_the_standard_order_keeps_its_columns():
    """A row of a marked manifest with cells missing is not padded: something was lost there."""
    found, reader = read(f"#s3kit manifest 1\n{HEADER}\nb,a,v\n#end rows=1\n".encode())
    assert (found[0].state, found[0].error) == (FAILED, "line 3: 3 columns, not 18")
    assert write(found).splitlines()[2].startswith(b"b,a,v,")
    assert reader.count == reader.declared == 1


@pytest.mark.parametrize("text", ['key\n"a\nc\n', 'key\n"a', 'key\n"a\n', 'key,size\n"a""\nc,1\n'])
def test_a_quote_that_never_closes(text):
    """The rest of the input is not a key: whatever comes of it is marked failed."""
    found, _ = read(text.encode(), bucket="b")
    assert found and all(row.state == FAILED for row in found)


def test_a_character_cut_in_two():
    """A bare manifest that ends in the middle of a letter names no object."""
    found, _ = read(b"key\na\nc\xc3", bucket="b")
    assert [(row.key, row.state) for row in found][0] == ("a", "")
    assert (found[1].state, found[1].error) == (FAILED, "line 3: the key is not Unicode text")


def test_letters_after_a_closing_quote():
    """`"a"b.jpg` is not CSV, and `ab.jpg` would be another object."""
    found, _ = read(b'key\n"a"b.jpg\nc\n', bucket="b")
    assert [row.state for row in found] == [FAILED, ""]


def test_a_line_that_is_no_csv_counts():
    """A bare carriage return in a cell makes a failed row, which is a row all the same."""
    found, reader = read(
        f"#s3kit manifest 1\n{HEADER}\nb,a\rc{',' * 16}\nb,d{',' * 16}\n#end rows=2\n".encode())
    assert [row.state for row in found] == [FAILED, ""]
    assert reader.count == 2


def test_line_ends_of_old():
    """Carriage returns alone end no line; nothing is taken for an object."""
    found, _ = read(b"bucket,key\rb,a\rb,c\r")
    assert all(row.state == FAILED for row in found)


@pytest.mark.parametrize("data", [bytes(HOLD), b"x" * HOLD, b'"' + b"x" * HOLD])
def test_input_without_line_ends_is_not_kept(data):
    """`s3-fetch < /dev/zero` must end, and not by the kernel's out-of-memory killer."""
    reader = Reader(bucket="b")
    for _ in range(4):
        if not reader.stop:
            reader.feed(data)
    assert reader.stop or len(reader.buffer) <= 2 * HOLD


@pytest.mark.parametrize("length", [1 << 10, 1 << 17, 1 << 18, HOLD + 1, 2 * HOLD])
def test_a_cell_cannot_break_out_of_its_quotes(length):
    """However long a quoted cell is, the lines in it are not rows: a stranger may have written it.
    """
    header = f"#s3kit manifest 1\n{HEADER},note\n"
    cell = "x" * length + "\nb,injected" + "," * 17 + "\n"
    data = f'{header}b,a{"," * 17}"{cell}"\n'.encode()
    reader, found = Reader(), []
    for start in range(0, len(data), 1 << 17):
        found += reader.feed(data[start:start + (1 << 17)])
    assert "injected" not in [row.key for row in found + reader.close()]


# What editors and spreadsheets write.

TABLE = "bucket,key,is_latest\nphotos,a.jpg,TRUE\nphotos,b.jpg,FALSE\n"


@pytest.mark.parametrize("text", [
    TABLE, TABLE.replace("\n", "\r\n"), f"\ufeff{TABLE}", TABLE.replace(",", ",,"),
    "".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"\r\n' for line in TABLE.split()),
    TABLE.replace("bucket,key,is_latest", " Bucket , Key, Is Latest "),
    TABLE.replace("\n", ",,,,\n"), TABLE.replace("\n", "\n\n"), TABLE.replace("\n", "\n , ,\n"),
    "sep=,\n" + TABLE, "# mine\n" + TABLE, TABLE.replace("\n", "\n# a, \"b\" and \"c\n"),
    "#\r\n" + TABLE + "# no end", '"# in quotes, all"\n' + TABLE, TABLE.replace("TRUE", " True "),
    TABLE.replace("\n", "\n# as a sheet has it,,\n"), TABLE.rstrip("\n")])
@pytest.mark.parametrize("step", [None, 1, 7])
def test_what_editors_and_spreadsheets_write(text, step):
    """Comments, quotes, blank lines, capitals, a byte order mark, CR LF, cells added."""
    found, reader = read(text.encode(), step)
    assert [(row.bucket, row.key, row.is_latest, row.error) for row in found] == [
        ("photos", "a.jpg", "true", ""), ("photos", "b.jpg", "false", "")]
    assert (reader.stop, reader.comments) == (None, 0)


@pytest.mark.parametrize("text, kind, why", [
    ('"bucket";"key"\n"b";"a"\n', Fault, "columns are separated by ';': a manifest's are by ','"),
    ('"b"\t"a"\n', Fault, "columns are separated by tabs: a manifest's are by ','"),
    ("b;a\n", Fault, "columns are separated by ';': a manifest's are by ','"),
    ("b\ta, b\t1\n", Fault, "columns are separated by tabs: a manifest's are by ','"),
    ("2026-11-28  5  a.txt\nb,c\n", Fault,
     "'2026-11-28  5  a.txt' is no row of a manifest, which has a bucket and a key: --bucket B "
     "takes a list of keys"),
    ("sep=;\nbucket;key\n", Fault, "columns are separated by ';': a manifest's are by ','"),
    ("#s3kit manifest 1;;\nbucket;key;size\n", Fault,
     "columns are separated by ';': a manifest's are by ','"),
    ("#s3kit manifest 1\t\t\nbucket\tkey\tsize\n", Fault,
     "columns are separated by tabs: a manifest's are by ','"),
    ("bucket,key\rb,a\r", Fault, bare.CR_ALONE), ("b,a\rb,c\n", Fault, bare.CR_ALONE),
    ("bucket,key\r" + "b,a\r" * (HOLD // 4), Fault, bare.CR_ALONE),
    ("#key,bucket\na,b\n", Fault, "a header begins without '#': '#key,bucket'")])
def test_what_was_done_to_the_whole_file(text, kind, why):
    """It is told, and no cell is taken for another."""
    found, reader = read(text.encode())
    assert (found, type(reader.stop), str(reader.stop)) == ([], kind, why)


@pytest.mark.parametrize("step", [None, 1])
def test_lines_of_one_cell_are_keys_where_the_bucket_is_given(step):
    """As a manifest has them: quoted and encoded. A comment before them could have been one."""
    found, reader = read(b'# mine\na%20b\n"c,d"\n#e\nf,g\n', step, bucket="b")
    assert [(row.bucket, row.key, row.error) for row in found] == [
        ("b", "a b", ""), ("b", "c,d", ""), ("b", "#e", ""), ("", "", "line 5: 2 columns, not 1")]
    assert reader.comments == 1
    for text in (b"# mine\nkey\na\n", b"# mine\nb,a\n"):
        found, reader = read(text, step, bucket="b")
        assert ([row.key for row in found], reader.comments) == (["a"], 0)
    _, reader = read(b"a\tb\n", step, bucket="b")
    assert str(reader.stop).startswith("columns are separated by tabs")


def test_numbers_of_lines_count_comments():
    """And the lines of a quoted cell, whatever these begin with; a quote in a comment opens
    nothing.
    """
    found, _ = read(b'# one "\nkey\n#two\n"a\n# no comment\n"\n#six\nb,c\n', bucket="b")
    assert [(row.key, row.error) for row in found] == [("a\n# no comment\n", ""),
                                                       ("", "line 8: 2 columns, not 1")]


def test_a_comment_that_could_be_a_key_is_counted():
    """With the key first nobody can know; a list of keys without a header has none."""
    found, reader = read(b"# one\nkey,bucket\n#two\nc,b\n")
    assert ([row.key for row in found], reader.comments) == (["c"], 1)
    found, reader = read(b"b,#a\nb,c\n")
    assert ([row.key for row in found], reader.comments) == (["#a", "c"], 0)


def test_a_mark_that_was_spoilt_is_not_a_comment():
    """Nor is anything a comment where rows are counted."""
    found, _ = read(b"b,a\n#end rows=1.000\n#REF!,a\n")
    assert [row.error for row in found] == ["", "line 2: no key",
                                            "line 3: '#REF!' cannot be a bucket"]
    found, reader = read(MARKED.replace("#end rows=1", "# note\n#end rows=2").encode())
    assert [row.error for row in found] == ["", "line 4: 1 columns, not 18"]
    assert reader.miscounts == [] and reader.ended


@pytest.mark.parametrize("cells, why", [
    ("1.05E+06,v1", "size '1.05E+06' is not a number of bytes: a spreadsheet has rounded it, and "
     "what it was is lost"),
    ('"1,048,576",v1', "size '1,048,576' is not a number of bytes: without separators it is "
     "1048576"),
    ("1,#NAME?", "version_id '#NAME?' is a spreadsheet's error: what was there is lost"),
    ("1,1.2E+30", "version_id '1.2E+30' was rounded by a spreadsheet: what it was is lost")])
def test_cells_that_a_spreadsheet_changed(cells, why):
    """The row is failed, with the reason; a wrong pin never becomes another version."""
    row, = read(f"bucket,key,size,version_id\nb,a,{cells}\n".encode())[0]
    assert (row.state, row.error) == ("failed", f"line 2: {why}") and row.verbatim


# The marks.

MARKED = f"#s3kit manifest 1\n{HEADER}\nb,a{',' * 16}\n#end rows=1\n"


@pytest.mark.parametrize("text, kind, why", [
    ("#s3kit manifest 2\n", Fault, "manifest version 2 is newer than this s3kit reads"),
    ("#s3kit manifest 1\nb,a\n", Fault, "the manifest has no header row with a column 'key'"),
    ("#s3kit manifest 1\nbucket,size\n", Fault,
     "the manifest has no header row with a column 'key'"),
    ("key,size,key\na,1,b\n", Fault, "two columns of the header have the same name"),
    ("bucket;key\nb;a\n", Fault, "columns are separated by ';': a manifest's are by ','"),
    ("bucket\tkey\nb\ta\n", Fault, "columns are separated by tabs: a manifest's are by ','"),
    (MARKED + "b,c\n", Cut, "line 5: something follows the end mark"),
    (MARKED + 'b,"a"c\n', Cut, "line 5: something follows the end mark"),
    (MARKED.replace("#end rows=1\n", MARKED), Cut,
     "line 4: a new manifest begins before the end mark of the last")])
def test_what_ends_the_reading(text, kind, why):
    """Faults of the whole input: the rows before them still come."""
    found, reader = read(text.encode())
    assert (type(reader.stop), str(reader.stop)) == (kind, why)
    assert [row.key for row in found] == (["a"] if text.startswith(MARKED[:-12]) else [])


@pytest.mark.parametrize("key", ["a;b", "a\tb", ";"])
def test_a_list_of_keys_is_not_parted_otherwise(key):
    """With one column a semicolon or a tab belongs to the key."""
    reader = Reader("b", ["key"])
    rows = reader.feed(f"{key}\nc\n".encode()) + reader.close()
    assert [row.key for row in rows] == [key, "c"] and reader.stop is None


@pytest.mark.parametrize("text", [MARKED + MARKED, MARKED + "\n\n" + MARKED])
def test_manifests_one_after_another(text):
    """`cat a.csv c.csv` of two whole manifests is one."""
    found, reader = read(text.encode())
    assert [row.key for row in found] == ["a", "a"]
    assert reader.stop is None and reader.ended


def test_manifests_with_other_columns_one_after_another():
    """Each header speaks for the rows below it."""
    found, reader = read((MARKED + "#s3kit manifest 1\nkey,bucket,new\nc,d,e\n#end rows=1\n")
                         .encode())
    assert [(row.bucket, row.key) for row in found] == [("b", "a"), ("d", "c")]
    assert found[1].extra == {"new": "e"} and reader.extras == ["new"]


@pytest.mark.parametrize("head", ["#s3kit manifest 1\n", f"#s3kit manifest 1\n{HEADER}\n"])
def test_a_cut_manifest_before_a_whole_one(head):
    """A manifest killed before its first row is cut, whatever follows: `cat cut.csv whole.csv`."""
    _, reader = read((head + MARKED).encode())
    assert isinstance(reader.stop, Cut)


def test_a_last_line_without_its_end():
    """`#end rows=1` may be the beginning of `#end rows=10`; a row may be, too."""
    for text in (MARKED[:-1], MARKED.replace("#end rows=1\n", "")[:-1]):
        assert not read(text.encode())[1].ended


def test_lines_of_a_spreadsheet():
    """Spreadsheets pad every line to the same width: the marks are still marks."""
    text = "\r\n".join(line + "," * (17 - line.count(",")) for line in MARKED.splitlines()) + "\r\n"
    found, reader = read(text.encode())
    assert [row.key for row in found] == ["a"]
    assert reader.marked and reader.ended and reader.declared == 1


def test_a_count_without_end():
    """A count of thousands of digits is wrong, and no traceback (sys.set_int_max_str_digits)."""
    text = MARKED.replace("rows=1", "rows=" + "9" * 5000)
    _, reader = read(text.encode())
    assert reader.stop or reader.declared != 1 or not reader.ended


@pytest.mark.parametrize("name", ["größe", "size (bytes)", "{urn:x}note", "1st", "a, b"])
def test_unknown_columns_of_a_marked_manifest_have_any_name(name):
    """What the XML form may carry as an attribute the CSV form carries as a column."""
    found, reader = read(write([Row("b", "a", extra={name: "1"})], [name]))
    assert reader.stop is None
    assert found[0].extra == {name: "1"}


@given(st.binary(max_size=300) | TABLES.map(lambda table: write(table[1], table[0])),
       st.integers(0, 300), st.binary(max_size=3))
def test_no_bytes_end_in_a_traceback(data, at, noise):
    """Whatever comes, the answer is rows or a Fault."""
    found, reader = read(data[:at] + noise + data[at:]) if data or noise else ([], Reader())
    assert all(row.verbatim is not None or row.key for row in found)
    assert reader.stop is None or isinstance(reader.stop, Fault)
