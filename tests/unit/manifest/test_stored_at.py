"""The column that says where a row's bytes were stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.manifest.row import Row
from s3kit.manifest.stored_at import Copy, copy_of, is_the_copy, written


def row(text, **columns):
    """Return a Row whose bytes are stored where a text says."""
    return Row(**{"bucket": "b", "key": "k"} | columns, extra={"stored_at": text})


@pytest.mark.parametrize("copy, text", [
    (Copy("b", "k"), "s3://b/k"), (Copy("b", "a/b c"), "s3://b/a/b%20c"),
    (Copy("b", "k", "v"), "s3://b/k?versionId=v"),
    (Copy("b", "k", "null"), "s3://b/k?versionId=null"),
    (Copy("b", "k", "a+b/c=&"), "s3://b/k?versionId=a%2Bb%2Fc%3D%26"),
    (Copy("b", "a?versionId=x"), "s3://b/a%3FversionId%3Dx"),
    (Copy("b", "a%20b"), "s3://b/a%2520b"), (Copy("b", "/a//b/"), "s3://b//a//b/"),
    (Copy("b", "\u00e9#,\"\n~"), "s3://b/%C3%A9%23%2C%22%0A~"),
    (Copy("b", "a/../b"), "s3://b/a/../b")])
def test_a_copy(copy, text):
    """Its key is URL-encoded, and comes back as it was."""
    assert written(copy) == text and copy_of(row(text)) == copy


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(st.from_regex("[a-z0-9][a-z0-9.-]{2,20}", fullmatch=True), NAMES,
       st.just("") | st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_any_copy(bucket, key, version):
    """What is written is one line of plain characters, and is read as what it was."""
    text = written(Copy(bucket, key, version))
    assert text.isascii() and text.isprintable() and " " not in text
    assert copy_of(row(text)) == (bucket, key, version)


@pytest.mark.parametrize("text", ["", "b/k", "http://b/k", "S3://b/k", "s3://", "s3://b", "s3://b/",
                                  "s3:///k", "s3://b/%ff", "s3://b/a%80b", "s3://b/?versionId=v"])
def test_what_names_no_copy(text):
    """Nothing is made up of it."""
    assert copy_of(row(text)) is None


def test_a_row_without_the_column():
    """Whether it has others or none."""
    assert copy_of(Row("b", "k")) is None
    assert copy_of(Row("b", "k", extra={"x": "s3://b/k"})) is None


@pytest.mark.parametrize("text, columns, found", [
    ("s3://b/k", {}, True), ("s3://b/k?versionId=v", {"version_id": "v"}, True),
    ("s3://b/k?versionId=v", {}, True), ("s3://b/k?versionId=v", {"version_id": "w"}, False),
    ("s3://b/k", {"version_id": "w"}, False), ("s3://c/k", {}, False), ("s3://b/l", {}, False),
    ("s3://b/a%20b", {"key": "a b"}, True), ("", {}, False), ("nonsense", {}, False)])
def test_whether_a_row_is_of_the_copy(text, columns, found):
    """Those of a local tree are, once they were stored."""
    assert is_the_copy(row(text, **columns)) is found
