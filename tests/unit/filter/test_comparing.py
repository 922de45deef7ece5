"""What is compared with what, and how."""

import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.filter import comparing
from s3kit.filter.comparing import SIZE, TEXT, TIME, Column, Literal, any_number, compare, like
from s3kit.manifest.row import Row


@pytest.mark.parametrize("text, number", [
    ("7", 7), (" 007 ", 7), ("-1", -1), ("1.5", 1.5), ("9223372036854775808", 1 << 63), ("", None),
    ("1e5", None), ("nan", None), ("\u0661", None), ("10M", None), ("1" * 401, None)])
def test_numbers_of_columns_that_are_not_ours(text, number):
    assert any_number(text) == number


@pytest.mark.parametrize("name, known, kind", [
    ("size", "size", SIZE), ("LastModified", "last_modified", TIME),
    ("version-id", "version_id", TEXT), ("StoredAt", "stored_at", TEXT)])
def test_our_columns_under_any_name(name, known, kind):
    column = Column(name)
    assert (column.name, column.kind, column.is_known) == (known, kind, True)


def test_columns_that_are_not_ours_are_of_any_kind():
    row = Row("b", "k", extra={"Owner": "me", "parts": "12", "when": "2026-01-31T00:00:00Z"})
    assert compare(Column("Owner"), "=", Literal("me", True))(row) is True
    assert compare(Column("parts"), ">", Literal("9", False))(row) is True
    assert compare(Column("parts"), ">", Literal("9", True))(row) is False     # as texts
    assert compare(Column("parts"), "<", Literal("1K", False))(row) is True
    assert compare(Column("when"), "<", Literal("2026-02-01", False))(row) is True
    assert compare(Column("Owner"), ">", Literal("9", False))(row) is None
    assert compare(Column("owner"), "=", Literal("", True))(row) is True
    assert compare(Column("Owner"), "=", Literal("me", True))(Row("b", "k")) is False


def test_optional_columns_are_texts():
    """Of rows that have them and of others."""
    test = compare(Column("Content-Type"), "=", Literal("text/plain", True))
    row = Row("b", "k", extra={"content_type": "text/plain"})
    assert (test(row), test(Row("b", "k"))) == (True, False)
    with pytest.raises(ValueError, match="'metadata' is a text"):
        compare(Column("Metadata"), "=", Literal("7", False))


@pytest.mark.parametrize("sign, found", [("<", True), (">", False), ("<=", True), ("=", False),
                                         ("<>", True)])
def test_a_value_may_stand_first(sign, found):
    assert compare(Literal("5", False), sign, Column("size"))(Row("b", "k", size="7")) is found


def test_two_columns():
    row = Row("b", "k", path="k", size="10", extra={"was": "9", "of": "k"})
    assert compare(Column("key"), "=", Column("path"))(row) is True
    assert compare(Column("size"), ">", Column("was"))(row) is True
    assert compare(Column("of"), "=", Column("key"))(row) is True
    assert compare(Column("size"), "=", Column("of"))(row) is None
    with pytest.raises(ValueError, match="'key' is a text, 'size' is a size"):
        compare(Column("key"), "=", Column("size"))


@pytest.mark.parametrize("column, literal, says", [
    (Column("etag"), Literal("7", False), "'etag' is a text: write '7' in quotes"),
    (Column("size"), Literal("big", True), "'big' is not a size"),
    (Column("last_modified"), Literal("10M", False), "'10M' is not a time"),
    (Column("x"), Literal("5m", False), "'5m' can be a size or a span of time"),
    (Column("x"), Literal("1e5", False), "'1e5' is not a number, a size or a time"),
    (Literal("1", False), Literal("1", False), "needs a column")])
def test_what_cannot_be_compared(column, literal, says):
    with pytest.raises(ValueError, match=says):
        compare(column, "=", literal)


def test_a_list_of_values():
    row = Row("b", "k", size="1024", extra={"n": "2"})
    assert comparing.among(Column("size"), [Literal("1K", False), Literal("5", False)])(row) is True
    assert comparing.among(Column("n"), [Literal("1", False), Literal("2", False)])(row) is True
    assert comparing.among(Column("key"), [Literal("x", True)])(row) is False
    assert comparing.among(Column("size"), [Literal("5", False)])(Row("b", "k")) is None
    with pytest.raises(ValueError, match="of several kinds"):
        comparing.among(Column("n"), [Literal("1", False), Literal("a", True)])


@pytest.mark.parametrize("pattern, key, is_like", [
    ("%.jpg", "a/b.jpg", True), ("%.jpg", "a.JPG", False), ("%.jpg", "a.jpg\n", False),
    ("_", "\u65e5", True), ("a_c", "abbc", False), (r"a\_c", "abc", False), (r"a\_c", "a_c", True),
    (r"100\%", "100%", True), (r"100\%", "1000", False), ("[a]*?", "[a]*?", True),
    ("[a]", "a", False), (r"a\\b", "a\\b", True), ("%", "", True), ("", "", True), ("", "a", False),
    ("a%\0%", "a\n\0b", True), ("!a]", "!a]", True)])
def test_patterns(pattern, key, is_like):
    assert like(Column("key"), pattern)(Row("b", key)) is is_like


@given(st.text("ab%_", max_size=6), st.text("ab\n", max_size=8))
@settings(max_examples=100)
def test_patterns_as_globs_have_it(pattern, key):
    wanted = fnmatch.fnmatchcase(key, pattern.replace("%", "*").replace("_", "?"))
    assert like(Column("key"), pattern)(Row("b", key)) is wanted


def test_a_pattern_of_many_stars_does_not_take_for_ever():
    assert like(Column("key"), "%a" * 500 + "b")(Row("b", "a" * 1024)) is False


@pytest.mark.parametrize("pattern, says", [("a\\", "a backslash ends"), ("a" * 10001, "longer")])
def test_patterns_that_make_no_sense(pattern, says):
    with pytest.raises(ValueError, match=says):
        like(Column("key"), pattern)


@pytest.mark.parametrize("values, of_all, of_any", [
    ([True, None], None, True), ([False, None], False, None), ([None, None], None, None),
    ([True, True], True, True), ([False, True], False, True), ([None, False], False, None)])
def test_what_is_not_known(values, of_all, of_any):
    tests = [lambda row, value=value: value for value in values]
    assert comparing.all_of(tests)(None) is of_all
    assert comparing.any_of(tests)(None) is of_any
    assert comparing.negation(comparing.all_of(tests))(None) is (
        None if of_all is None else not of_all)
