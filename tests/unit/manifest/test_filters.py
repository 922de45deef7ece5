"""Which rows the filters keep."""

import fnmatch
import re
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.manifest.filters import Filter
from s3kit.manifest.row import COLUMNS, Row
from s3kit.units import show_time

KEYS = ("a.jpg", "a.JPG", "dir/b.jpg", "dir/c.txt", "line\nb.jpg", "[x]")
NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1), timezones=st.just(timezone.utc))


def made(**options):
    """Return a Filter of these options."""
    given = {"rules": None, "min_size": None, "max_size": None, "newer": None, "older": None,
             "storage_class": None}
    return Filter(SimpleNamespace(**given | options))


def kept(keys, *rules):
    """Return which keys stay; a rule is `+GLOB`, `-GLOB`, or with two signs a regular expression.
    """
    read = [(rule[0] == "+", rule[1] == rule[0], rule[1 + (rule[1] == rule[0]):]) for rule in rules]
    return [row.key for row in made(rules=read)([Row("b", key) for key in keys])]


@pytest.mark.parametrize("rules, keys", [
    ([], KEYS), (["+*.jpg"], ("a.jpg", "dir/b.jpg", "line\nb.jpg")),
    (["-*.jpg"], ("a.JPG", "dir/c.txt", "[x]")), (["+dir/*", "-*.txt"], ("dir/b.jpg",)),
    (["-*", "+*.txt"], ("dir/c.txt",)), (["-*.txt", "+dir/*"], KEYS), (["+a.???"], KEYS[:2]),
    (["+[[]x]"], ("[x]",)), (["++^dir/"], KEYS[2:4]), (["++b"], ("dir/b.jpg", "line\nb.jpg")),
    (["--jpg$", "+line*"], ("a.JPG", "dir/c.txt", "line\nb.jpg", "[x]")), (["+jpg"], ())])
def test_rules(rules, keys):
    """The last that matches decides; a glob is of the whole key, a regular expression of a part."""
    assert kept(KEYS, *rules) == list(keys)


@given(st.lists(st.tuples(st.booleans(), st.text("ab*?.", max_size=4)), max_size=5),
       st.text("ab.", max_size=4))
def test_the_last_rule_that_matches_decides(rules, key):
    """Written down from the page, not from our code."""
    verdicts = [keeps for keeps, glob in rules if re.match(fnmatch.translate(glob), key)]
    default = not rules or not rules[0][0]
    given = [(keeps, False, glob) for keeps, glob in rules]
    assert bool(made(rules=given)([Row("b", key)])) is (verdicts[-1] if verdicts else default)


@pytest.mark.parametrize("least, most, sizes", [
    (5, None, ["5", "6"]), (None, 5, ["0", "4", "5"]), (5, 5, ["5"]), (6, 5, []),
    (0, None, ["0", "4", "5", "6"])])
def test_sizes(least, most, sizes):
    """Both borders belong to it; what has no size has none that fits."""
    rows = [Row("b", "k", size=size) for size in ("", "0", "4", "5", "6")]
    assert [row.size for row in made(min_size=least, max_size=most)(rows)] == sizes


@pytest.mark.parametrize("newer, older, found", [
    (NOON, None, "bc"), (None, NOON, "a"), (NOON, NOON + timedelta(seconds=1), "b"),
    (NOON.astimezone(timezone(timedelta(hours=5))), None, "bc")])
def test_times(newer, older, found):
    """At the moment itself a row is newer, not older; what names no time is neither, and what names
    one that nobody can read makes no sense.
    """
    times = {"a": "2026-01-31T11:59:59Z", "b": "2026-01-31T13:00:00+01:00",
             "c": "2026-01-31T12:00:01.5Z", "d": "", "e": "yesterday"}
    rows = [Row("b", key, last_modified=at) for key, at in times.items()]
    left = made(newer=newer, older=older)(rows)
    assert "".join(row.key for row in left if row.verbatim is None) == found
    assert [(row.key, row.state, row.error, row.verbatim["last_modified"]) for row in left
            if row.verbatim is not None] == [
                ("e", "failed", "last_modified 'yesterday' is not a time (like "
                 "2026-01-31T12:00:00Z)", "yesterday")]


@given(st.lists(st.text(max_size=8) | st.sampled_from(["9" * 5000, "\u00b2", "-1", "yesterday",
                                                       "0000-00-00T00:00:00Z", "true"]),
                min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_whatever_stands_in_the_cells(cells):
    """A row passes or does not: no cell ends a run."""
    row = Row(**dict(zip(COLUMNS, cells)))
    keep = made(rules=[(True, False, "*a*"), (False, True, "^b")], min_size=1, max_size=9,
                newer=NOON, older=NOON + timedelta(days=1), storage_class=["STANDARD"])
    assert keep([row]) in ([], [row])
    assert made(newer=NOON)([row]) in ([], [row]) and made(max_size=9)([row]) in ([], [row])


@given(MOMENTS)
def test_the_moment_itself_is_newer_and_not_older(moment):
    """To the microsecond: a float of nanoseconds would be off."""
    row = Row("b", "k", last_modified=show_time(moment))
    assert made(newer=moment)([row]) and not made(older=moment)([row])
    assert made(older=moment + timedelta(microseconds=1))([row])


@pytest.mark.parametrize("classes, found", [(["GLACIER"], "b"), (["STANDARD"], "ac"),
                                            (["GLACIER", "STANDARD"], "abc"), (["OTHER"], "")])
def test_storage_classes(classes, found):
    """A row that names none is in STANDARD, which S3 does not say."""
    rows = [Row("b", key, storage_class=name) for key, name in
            (("a", ""), ("b", "GLACIER"), ("c", "STANDARD"))]
    assert "".join(row.key for row in made(storage_class=classes)(rows)) == found


def test_rows_that_make_no_sense_stay():
    """They would be lost unseen."""
    row = Row("", "k", verbatim={"key": "k"})
    assert made(min_size=5, storage_class=["GLACIER"], rules=[(False, False, "*")])([row]) == [row]


def test_all_filters_together():
    """A row must pass each."""
    rows = [Row("b", "a.jpg", size="9", storage_class="GLACIER"),
            Row("b", "a.jpg", size="1", storage_class="GLACIER"), Row("b", "a.jpg", size="9"),
            Row("b", "a.txt", size="9", storage_class="GLACIER")]
    assert made(rules=[(True, False, "*.jpg")], min_size=5,
                storage_class=["GLACIER"])(rows) == rows[:1]


def test_without_filters_nothing_is_looked_at():
    rows = [object()]
    assert made()(rows) is rows and made().is_idle
    assert not made(min_size=0).is_idle and not made(older=NOON).is_idle
