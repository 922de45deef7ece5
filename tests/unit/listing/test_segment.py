"""One segment: what of a page is its own, and how it goes on."""

from operator import le, lt
from types import SimpleNamespace

import pytest

from s3kit.listing.segment import Segment, first_of
from s3kit.manifest.row import Row


class Page(SimpleNamespace):
    """A page of keys, one row each."""

    def __init__(self, keys, following=""):
        super().__init__(rows=[Row("b", key, "v") for key in keys], next=following)

    @property
    def keys(self):
        """Return the keys of its rows."""
        return [row.key for row in self.rows]

    def cut(self, count):
        """As Page.cut."""
        rest = Page(self.keys[count:], self.next)
        self.rows = self.rows[:count]
        return rest


@pytest.mark.parametrize("is_new, query, is_busy, is_broken, is_idle", [
    (True, "", False, False, True), (False, "more", False, False, True),
    (False, "", False, False, False), (True, "", True, False, False),
    (False, "more", False, True, False)])
def test_when_a_page_can_be_asked_for(is_new, query, is_busy, is_broken, is_idle):
    """While there is one, and none is under way, and none failed."""
    segment = Segment("a", None, query, None)
    segment.is_new, segment.is_busy, segment.is_broken = is_new, is_busy, is_broken
    assert segment.is_idle == is_idle


@pytest.mark.parametrize("is_new, keys, once, often", [
    (True, ["b"], True, True), (True, ["a", "b"], False, False),
    (False, ["a", "b"], False, True), (False, ["b", "b"], False, True),
    (False, ["c", "b"], False, False), (False, ["A"], False, False), (True, [], True, True)])
def test_what_continues_a_segment(is_new, keys, once, often):
    """Keys after "a": it begins after that; a page later versions of one key may go on."""
    segment = Segment("a", None, "", None)
    segment.is_new = is_new
    assert segment.is_continued_by(keys, lt) == once
    assert segment.is_continued_by(keys, le) == often


def test_the_marker_itself():
    """The row that the page before ended with is dropped, and no other one."""
    segment = Segment("", None, "", None)
    segment.drop_marker(page := Page("ab"))
    assert page.keys == ["a", "b"]
    segment.last = ("a", "v")
    segment.drop_marker(page)
    segment.drop_marker(page)
    assert page.keys == ["b"]
    segment.last = ("b", "w")
    segment.drop_marker(page)
    assert page.keys == ["b"]
    segment.drop_marker(Page(""))


def test_how_it_goes_on():
    """The first row is that of the first page that has any; what is empty and truncated is no
    beginning.
    """
    segment = Segment("", None, "", None)
    segment.go_on(Page("", "more"))
    assert (segment.is_new, segment.query, segment.first) == (True, "more", None)
    segment.go_on(Page("ab", "yet more"))
    assert (segment.is_new, segment.query, segment.first) == (False, "yet more", ("a", "v"))
    segment.go_on(Page("cd"))
    assert (segment.query, segment.first) == ("", ("a", "v"))


def test_an_empty_range():
    """It has begun, and has ended."""
    segment = Segment("", None, "", None)
    segment.go_on(Page(""))
    assert (segment.is_new, segment.query, segment.first, segment.is_idle) == (False, "", None,
                                                                               False)


@pytest.mark.parametrize("until, kept, beyond", [
    ("b", "ab", "cd"), ("bb", "ab", "cd"), ("0", "", "abcd"), ("d", "abcd", None),
    (None, "abcd", None)])
def test_what_is_beyond_the_range(until, kept, beyond):
    """Its end belongs to it; where a page goes beyond it nothing is left to ask."""
    segment = Segment("", until, "more", None)
    page = Page("abcd", "more")
    segment.cut_off(page, page.keys)
    assert page.keys == list(kept)
    if beyond is None:
        assert segment.rest is None and segment.query == "more" and segment.left
    else:
        assert segment.rest.keys == list(beyond) and segment.rest.next == "more"
        assert (segment.query, segment.left) == ("", 0.0)


def test_a_segment_that_begins_anew():
    """As if nothing had come, but its length is known."""
    segment = Segment("a", "z", "", None)
    page = Page("bc", "more")
    segment.go_on(page)
    segment.after, segment.last, segment.left = "c", ("c", "v"), 7
    segment.pages.append(page)
    assert segment.begin_anew() == 1
    assert (segment.after, segment.until, segment.query, segment.first, segment.last,
            segment.is_new, segment.left) == ("a", "z", "", None, None, True, 8)
    assert not segment.pages and segment.is_idle


def test_the_name_of_a_first_row():
    """Key and version."""
    assert [first_of(page) for page in (Page("ab"), Page(""), None)] == [("a", "v"), None, None]
