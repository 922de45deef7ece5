"""Expressions: what they mean, and where they are wrong."""

import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.filter.expression import Expression
from s3kit.manifest.row import Row

ROW = Row("photos", "2026/it's.jpg", "v1", "true", "false", "10485761", "2026-01-31T12:00:00Z",
          state="listed", extra={"Owner": "me", "Version Ids": "3"})


@pytest.mark.parametrize("text, holds", [
    ("size > 10M", True), ("SIZE>10M", True), ("size>10485761", False), ("size = 10485761", True),
    ("key like '%.jpg'", True), ("key = '2026/it''s.jpg'", True), ("key not like '%.jpg'", False),
    ("last_modified < 1d", True), ("last_modified >= 2026-01-31T12:00:00Z", True),
    ("LastModified = 2026-01-31T13:00:00+01:00", True), ("last_modified > '2026-01-31'", True),
    ("state in ('listed', 'failed')", True), ("state not in ('listed')", False),
    ("is_latest = true and is_delete_marker = FALSE", True), ("etag is empty", True),
    ("size is not empty", True), ("storage_class != 'GLACIER'", True),
    ("Owner = 'me'", True), ("\"Version Ids\" >= 3", True), ("\"version-id\" = 'v1'", True),
    ("not size > 10M", False), ("not not size > 10M", True), ("not (size > 10M)", False),
    ("size < 5 or size > 6 and state = 'listed'", True),
    ("(size < 5 or size > 6) and state = 'failed'", False),
    ("size in (1, 10485761)", True), ("10M < size", True), ("state<>'listed'", False),
    ("key > '2026'", True), ("checksum is empty and not path is not empty", True)])
def test_what_it_means(text, holds):
    assert Expression(text).test(ROW) is holds


@pytest.mark.parametrize("text, says", [
    ("", "at its end: a column or a value is expected"),
    ("size >", "at its end: a column or a value is expected"),
    ("size > and key = 'a'", "at character 8, 'and key = 'a'': a column or a value is expected"),
    ("size 10M", "at character 6, '10M': a comparison is expected"),
    ("key = 'a", "at character 7, ''a': a quote is never closed"),
    ("key = 'a' key", "at character 11, 'key': 'and', 'or' or the end is expected"),
    ("(size > 1", "at its end: ')' is expected"),
    ("size > 1)", "at character 9, ')': 'and', 'or' or the end is expected"),
    ("size ; 1", "at character 6, '; 1': this has no place in an expression"),
    ("size > big", None),
    ("size > 'big'", "at character 1, 'size > 'big'': 'big' is not a size"),
    ("etag = 7", "at character 1, 'etag = 7': 'etag' is a text: write '7' in quotes"),
    ("key like 7", "at character 10, '7': a text in single quotes is expected"),
    ("key is null", "at character 8, 'null': 'empty' is expected"),
    ("key in ()", "at character 9, ')': a value is expected"),
    ("size in (key)", "at character 10, 'key)': a value is expected"),
    ("key not = 'a'", "at character 9, '= 'a'': a comparison is expected"),
    ("1 = 1", "at character 1, '1 = 1': a comparison needs a column"),
    ("'a' like 'b'", "a comparison is expected"),
    ("not " * 60 + "size > 1", "this is nested too deep"),
    ("(" * 5000 + "size > 1", "this is nested too deep"),
    ("key = '\udcff'", "it is not UTF-8 text"),
    ("size > 1 -- x", "this has no place"),
    ("(select 1)", "a comparison is expected"),
    ("load_extension('x')", "a comparison is expected")])
def test_where_it_is_wrong(text, says):
    if says is None:
        assert list(Expression(text).unknown) == ["big"]
        return
    with pytest.raises(ValueError) as told:
        Expression(text)
    assert says in str(told.value)


def test_names_that_are_not_ours_are_told_with_their_place():
    """In double quotes they are meant as they are."""
    unknown = Expression("size > 1 and state = listed and \"x y\" = 'a' and owner = 'b'").unknown
    assert unknown == {
        "listed": "at character 22, 'listed and \"x y\" = '': there is no column 'listed' "
                  "(a text stands in single quotes)",
        "owner": "at character 49, 'owner = 'b'': there is no column 'owner' "
                 "(a text stands in single quotes)"}


# --- a model: the same in Python, by hand

SIGNS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, ">=": operator.ge}
TEXTS = st.text("ab'%", max_size=3)


def quote(text):
    """Return a text as an expression has it."""
    return "'" + text.replace("'", "''") + "'"


def of_size(row):
    """Return a row's size, or None."""
    return int(row.size) if row.size else None


@st.composite
def predicates(draw):
    """Return (expression, function of a row) of one comparison."""
    sign = draw(st.sampled_from(sorted(SIGNS)))
    column = draw(st.sampled_from(["key", "etag", "size", "note"]))
    if column == "size":
        number = draw(st.integers(0, 3))
        return f"size {sign} {number}K", lambda row: (
            None if of_size(row) is None else SIGNS[sign](of_size(row), number * 1024))
    text = draw(TEXTS)

    def get(row):
        return (row.extra or {}).get("note", "") if column == "note" else getattr(row, column)
    if draw(st.booleans()):
        return f"{column} is empty", lambda row: get(row) == ""
    return f"{column} {sign} {quote(text)}", lambda row: SIGNS[sign](get(row), text)


def not_of(one):
    """Return the opposite."""
    return f"not ({one[0]})", lambda row: None if one[1](row) is None else not one[1](row)


def and_of(one, other):
    """Return both."""
    def test(row):
        found = {one[1](row), other[1](row)}
        return False if False in found else None if None in found else True
    return f"({one[0]}) AND ({other[0]})", test


def or_of(one, other):
    """Return either."""
    def test(row):
        found = {one[1](row), other[1](row)}
        return True if True in found else None if None in found else False
    return f"({one[0]}) or ({other[0]})", test


EXPRESSIONS = st.recursive(predicates(), lambda some: st.one_of(
    st.builds(not_of, some), st.builds(and_of, some, some), st.builds(or_of, some, some)),
    max_leaves=6)
ROWS = st.builds(Row, st.just("b"), TEXTS, size=st.sampled_from(["", "0", "1024", "2048", "5000"]),
                 etag=TEXTS, extra=st.one_of(st.none(), st.fixed_dictionaries({"note": TEXTS})))


@given(EXPRESSIONS, ROWS)
@settings(max_examples=100)
def test_as_python_has_it(expression, row):
    text, wanted = expression
    assert Expression(text).test(row) is wanted(row), text


@given(st.text("size>'\"(),=<!1M keyandornotliksempt%\0", max_size=30))
@settings(max_examples=100)
def test_any_text_is_an_expression_or_shows_where_not(text):
    try:
        assert Expression(text).test(ROW) in (True, False, None)
    except ValueError as error:
        assert str(error).startswith("at ")
