"""The row: keys survive both forms, nonsense is named and kept, and nothing else is touched."""

import inspect

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s3kit.manifest.row import (
    COLUMNS,
    COMPUTES,
    FAILED,
    OPTIONAL,
    STATES,
    UNSAFE,
    WRONG,
    Row,
    column_of,
    decode,
    encode,
    fault_of,
    from_values,
    values,
)

CHARACTERS = st.one_of(
    st.characters(exclude_categories=("Cs",)),
    st.sampled_from("%=+-@/\\.,\"'<>&#;\0\t\r\n\x1b\x7f\x80\x9f\u2028\ufeff\ufffe\uffff 2E5"))
KEYS = st.text(CHARACTERS, min_size=1, max_size=1024).filter(lambda key: len(key.encode()) <= 1024)
# Any byte string that is UTF-8 is a key: the other way to all of them, and to long ones.
BYTES = (st.binary(min_size=1, max_size=1024).map(lambda data: data.decode(errors="ignore"))
         .filter(bool))


def cells(**columns):
    """Return the cells of a row as a manifest has them."""
    return [{"bucket": "photos", "key": "a.jpg", **columns}.get(column, "") for column in COLUMNS]


@given(KEYS | BYTES)
@example("\0" * 1024)
@example("%25%" + "%" * 1000)
@example("😀" * 256)
@example("=cmd|' /C calc'!A0")
def test_every_key_survives(key):
    """decode(encode(k)) == k for every UTF-8 key of 1 to 1,024 bytes."""
    assert decode(encode(key)) == key


@given(KEYS | BYTES)
def test_an_encoded_key_is_safe(key):
    """What is written holds nothing that XML cannot carry, that ends a line, or that makes a sheet
    compute.
    """
    text = encode(key)
    assert not [c for c in text if ord(c) < 32 or 0x7f <= ord(c) < 0xa0 or c in "\ufffe\uffff"]
    assert text[0] not in "=+-@"


def test_what_is_safe_at_a_glance_is_safe():
    """Each character, whether it stands first or later."""
    unsafe = [chr(code) for code in range(0x110000) if UNSAFE.search(chr(code))]
    assert {"%", "=", "+", "-", "@", "\0", "\x9f", "\uffff"} <= set(unsafe)
    for character in unsafe:
        assert encode(character) != character
        assert encode(f"a{character}") != f"a{character}" or character in COMPUTES


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="%"),
               min_size=1))
def test_ordinary_names_stay_readable(key):
    """Only the first character of an ordinary name is ever encoded."""
    assert encode(key)[1:].endswith(key[1:])
    assert encode("x" + key) == "x" + key


@pytest.mark.parametrize("key, text", [
    ("2024/ä b,c.jpg", "2024/ä b,c.jpg"), ("100%", "100%25"), ("a\nb", "a%0Ab"), ("=1+1", "%3D1+1"),
    ("a=b", "a=b"), ("\x85", "%C2%85"), ("\uffff", "%EF%BF%BF"), ("", "")])
def test_keys_as_a_manifest_has_them(key, text):
    """Percent-encoding is of UTF-8 bytes, in capitals, and rare."""
    assert encode(key) == text
    assert decode(text) == key


@pytest.mark.parametrize("text, key",
                         [("a%2fb", "a/b"), ("%C3%A4", "ä"), ("%41", "A"), ("%00", "\0")])
def test_a_person_may_encode_more(text, key):
    """More than needed is read too, in small letters as well."""
    assert decode(text) == key


@pytest.mark.parametrize("text, why", [("100%", "a '%' in a key is written %25"),
                                       ("%4", "a '%' in a key is written %25"),
                                       ("%zz", "a '%' in a key is written %25"),
                                       ("%FF", "the key's percent-encoding is not UTF-8"),
                                       ("%C3", "the key's percent-encoding is not UTF-8"),
                                       ("%ED%A0%80", "the key's percent-encoding is not UTF-8")])
def test_encodings_that_make_no_sense(text, why):
    """A broken encoding is refused, never guessed at."""
    with pytest.raises(ValueError) as error:
        decode(text)
    assert str(error.value) == why


@pytest.mark.parametrize("columns, why", [
    ({"bucket": ""}, "no bucket (give --bucket B for rows without one)"),
    ({"key": ""}, "no key"),
    ({"key": "k" * 1025}, "the key is longer than 1024 bytes"),
    ({"key": "ä" * 513}, "the key is longer than 1024 bytes"),
    ({"key": "a\udcffb"}, "the key is not Unicode text"),
    ({"key": "100%"}, "a '%' in a key is written %25"),
    ({"bucket": "a/b"}, "'a/b' cannot be a bucket"),
    ({"bucket": ".."}, "'..' cannot be a bucket"),
    ({"bucket": ".s3kit"}, "'.s3kit' cannot be a bucket"),
    ({"bucket": "b\n"}, "'b\n' cannot be a bucket"),
    ({"size": "12x"}, "size '12x' is not a number of bytes"),
    ({"size": "-1"}, "size '-1' is not a number of bytes"),
    ({"size": "²"}, "size '²' is not a number of bytes"),
    ({"is_latest": "WAHR"}, "is_latest and is_delete_marker are 'true', 'false' or empty"),
    ({"is_delete_marker": "1"}, "is_latest and is_delete_marker are 'true', 'false' or empty"),
    ({"state": "done"}, "'done' is not a state")])
def test_rows_that_make_no_sense(columns, why):
    """Such a row comes back failed, with its line, and is written as it was read but for state and
    error.
    """
    given_cells = cells(etag="abc", **columns)
    row = from_values(list(given_cells), 7)
    assert (row.state, row.error) == (FAILED, f"line 7: {why}")
    kept = dict(zip(COLUMNS, values(row)))
    assert kept == {**dict(zip(COLUMNS, given_cells)), "state": FAILED, "error": row.error}


@given(st.text(CHARACTERS), st.text(CHARACTERS), st.text(CHARACTERS), st.text(CHARACTERS))
def test_any_cells_make_a_row(bucket, key, path, state):
    """No text makes the reading stop: a row is either right or failed, and is written as it was."""
    given_cells = cells(bucket=bucket, key=key, path=path, state=state)
    row = from_values(list(given_cells), 1)
    if row.verbatim is None:
        assert from_values(values(row), 1) == row
    else:
        assert values(row)[:COLUMNS.index("state")] == given_cells[:COLUMNS.index("state")]


@pytest.mark.parametrize("size", ["0", "5497558138880", "007"])
def test_sizes(size):
    """A size is a whole number of bytes, kept as it was written."""
    row = from_values(cells(size=size), 1)
    assert (row.length, values(row)[COLUMNS.index("size")]) == (int(size), size)


def test_a_size_without_end():
    """A size of thousands of digits is nonsense: Python refuses to read it
    (sys.set_int_max_str_digits).
    """
    row = from_values(cells(size="9" * 5000), 1)
    assert row.state == FAILED


@given(KEYS, st.sampled_from(("",) + STATES))
def test_good_rows_are_unchanged(key, state):
    """A row that makes sense is decoded once and encoded once, and has no fault."""
    row = from_values(cells(key=encode(key), path=encode("b/" + key), state=state), 1)
    assert (row.key, row.path, row.state, row.verbatim) == (key, "b/" + key, state, None)
    assert fault_of(row) == ""


def test_what_a_row_says_of_itself():
    """Its length, whether it has bytes at all, and its name for people."""
    assert (Row(size="").length, Row(size="0").length, Row(size="12").length) == (None, 0, 12)
    assert Row(is_delete_marker="true").is_marker and not Row(is_delete_marker="false").is_marker
    assert Row("b", "k").name == "s3://b/k"
    assert Row("b", "k", "null").name == "s3://b/k?versionId=null"


def test_the_columns_are_the_fields():
    """The record, its order and its states are one list each."""
    assert (tuple(inspect.signature(Row).parameters) == Row.__slots__
            == (*COLUMNS, "extra", "verbatim"))
    assert [getattr(Row(*Row.__slots__), name) for name in Row.__slots__] == list(Row.__slots__)
    assert len(set(STATES)) == len(STATES) and WRONG < set(STATES)


def test_optional_columns_are_in_extra():
    """Under our names, whatever they are called elsewhere, and beside columns of people's own."""
    assert not set(OPTIONAL) & set(COLUMNS)
    for name in OPTIONAL:
        spelt = name.title().replace("_", "-")
        assert column_of(spelt) == column_of(spelt.replace("-", "")) == column_of(name) == name
    row = Row("b", "k")
    assert row.optional("stored_at") == ""
    shared = row.extra = {"mine": "x"}
    row.set_optional("stored_at", "s3://c/k")
    assert row.optional("stored_at") == "s3://c/k" and row.optional("metadata") == ""
    assert row.extra == {"mine": "x", "stored_at": "s3://c/k"} and shared == {"mine": "x"}


@pytest.mark.parametrize("text, means", [("TRUE", "true"), ("False", "false"), (" true ", "true"),
                                         (" ", "")])
def test_flags_of_a_spreadsheet(text, means):
    """They are what they obviously mean, from now on in our spelling."""
    row = from_values(cells(is_latest=text, is_delete_marker=text), 1)
    assert (row.is_latest, row.is_delete_marker, row.error) == (means, means, "")
    assert row.is_marker is (means == "true")
