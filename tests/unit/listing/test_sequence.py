"""Rows that come twice or go back are found out, in whatever order a server lists."""

import random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.errors import Fault
from s3kit.listing.sequence import ORDERS, Sequence
from s3kit.manifest.row import Row

KEYS = st.lists(st.text(st.sampled_from("aAbB/-é😀\ufffd"), min_size=1, max_size=5), unique=True,
                max_size=40)


def page_of(*names, prefixes=()):
    """Return a page of keys, or (key, version id)."""
    rows = [Row("b", *((name,) if isinstance(name, str) else name)) for name in names]
    return SimpleNamespace(rows=rows, prefixes=list(prefixes))


def take(*pages):
    """Take pages one after the other."""
    sequence = Sequence("b")
    for page in pages:
        sequence.take(page)
    return sequence


@given(KEYS, st.integers(1, 9), st.sampled_from(ORDERS))
def test_orders_that_servers_have(keys, size, order):
    """Each is taken as it is, however it is cut into pages."""
    keys.sort(key=lambda key: (order(key), key))
    take(*(page_of(*keys[at:at + size]) for at in range(0, len(keys), size)))


@given(st.lists(st.text(max_size=3), unique=True, min_size=8, max_size=40),
       st.randoms(use_true_random=False), st.sampled_from(ORDERS))
def test_a_page_that_comes_again(keys, chance, order):
    """The listing ends, at the second round at the latest."""
    keys.sort(key=lambda key: (order(key), key))
    pages = [keys[at:at + 4] for at in range(0, len(keys), 4)]
    back = chance.randrange(len(pages))
    with pytest.raises(Fault):
        take(*(page_of(*page) for page in [*pages, *pages[back:], *pages[back:]]))


def test_keys_without_any_order():
    """As in directory buckets: what comes twice is found out all the same."""
    keys = [f"{n:05d}" for n in range(5000)]
    random.Random(1).shuffle(keys)
    pages = [page_of(*keys[at:at + 1000]) for at in range(0, 5000, 1000)]
    sequence = take(*pages)
    with pytest.raises(Fault, match="shows a row again"):
        sequence.take(page_of("x", keys[7], "y"))


@pytest.mark.parametrize("pages, said", [
    ([page_of("a", "b", "a")], "shows a row twice on one page"),
    ([page_of("a", "b"), page_of("b", "c")], "shows a row again"),
    ([page_of("c", "d"), page_of("a", "b")], "goes back, from 'd' to 'a'"),
    ([page_of(("k", "3"), ("k", "2")), page_of(("k", "1")), page_of(("k", "3"), ("l", "1"))],
     "shows a row again"),
    ([page_of("a", prefixes=["p/", "p/"])], "shows a prefix twice"),
    ([page_of(prefixes=["p/"]), page_of(prefixes=["p/"])], "shows a prefix again")])
def test_what_cannot_be(pages, said):
    """It is named."""
    with pytest.raises(Fault, match=f"the listing of 'b' cannot be right: it {said}"):
        take(*pages)


def test_versions_of_one_key():
    """Over as many pages as they take."""
    take(*(page_of(*(("k", f"{n}") for n in range(at, at + 10))) for at in range(0, 100, 10)),
         page_of(("l", "1")))


def test_a_prefix_that_the_page_before_ended_with():
    """Is dropped: some servers go on within it."""
    page = page_of("q", prefixes=["p/", "r/"])
    take(page_of(prefixes=["o/", "p/"]), page)
    assert page.prefixes == ["r/"]
