"""Whether a listing may end with an empty page."""

from types import SimpleNamespace

import pytest

from s3kit.errors import Fault
from s3kit.listing import ending
from s3kit.listing.continuation import key_query, marker_query
from s3kit.manifest.row import Row


def page_of(*keys, prefixes=(), following="", versions=True):
    """Return a page of keys, each with the version v."""
    return SimpleNamespace(rows=[Row("b", key, "v") for key in keys], prefixes=list(prefixes),
                           next=following, bucket="b", versions=versions)


def test_which_pages_are_empty():
    """Those that show nothing; only the last one is in doubt."""
    assert ending.is_empty(page_of()) and not ending.is_empty(page_of(following="x"))
    assert ending.is_bare(page_of(following="x")) and not ending.is_bare(page_of(prefixes=["p/"]))


def test_what_is_asked():
    """What follows the last entry but one, a prefix or a row."""
    assert ending.check_query(page_of("a", "b", "c")) == marker_query("b", "v")
    assert ending.check_query(page_of("a", "b", versions=False)) == key_query("a")
    assert ending.check_query(page_of("a", "q", prefixes=["p/"])) == marker_query("p/")
    with pytest.raises(Fault, match="goes on after 'a', and then shows nothing more"):
        ending.check_query(page_of("a"))


@pytest.mark.parametrize("answer", [page_of("c"), page_of("b", "c")])
def test_nothing_follows(answer):
    """The last row comes again, perhaps with the marker before it."""
    ending.check(page_of("a", "b", "c", following="x"), answer)


@pytest.mark.parametrize("answer", [page_of(), page_of("b"), page_of("c", "d"), page_of("d"),
                                    page_of("c", following="more")])
def test_nobody_knows(answer):
    """Nothing, something else, or more: the marker is not understood."""
    with pytest.raises(Fault, match="the listing of 'b' says that it goes on after 'c'"):
        ending.check(page_of("a", "b", "c", following="x"), answer)
