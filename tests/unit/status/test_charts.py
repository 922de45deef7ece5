"""Charts as SVG."""

import re
import sys

import pytest
from lxml import etree

from s3kit.errors import Fault
from s3kit.status.charts import SIDE, SVG, donut


def test_a_ring_has_a_slice_of_each_number():
    """But for 0; of shapes and names nothing can act."""
    made = donut([("<a>", "s-a", 3), ("none", "s-b", 0), ("c", "s-c", 1)], "rows & more")
    slices = made.findall(f"{{{SVG}}}path")
    assert [each.get("class") for each in slices] == ["slice s-a", "slice s-c"]
    assert [each[0].text for each in slices] == ["<a>: 3", "c: 1"]
    assert {each.tag.rpartition("}")[2] for each in made.iter()} == {"svg", "path", "title"}
    assert made.get("aria-label") == "rows & more" and b"<a>" not in etree.tostring(made)


def test_slices_are_as_large_as_their_numbers():
    """A quarter of the ring begins at the top, and ends at its right."""
    shape = donut([("", "", 1), ("", "", 3)], "")[0].get("d")
    begin, end = (re.search(at, shape).groups() for at in (
        r"^M(\S+) (\S+) ", r"A\S+ \S+ 0 [01] [01] (\S+) (\S+) L"))
    assert float(begin[0]) == pytest.approx(SIDE / 2) and float(begin[1]) < SIDE / 8
    assert float(end[1]) == pytest.approx(SIDE / 2) and float(end[0]) > SIDE * 7 / 8


def test_one_slice_is_the_whole_ring():
    """pygal draws it so."""
    assert len(donut([("a", "s", 5)], "")) == 1


def test_nothing_is_no_ring():
    """Nothing to draw."""
    assert donut([("a", "s", 0)], "") is None and donut([], "") is None


def test_without_pygal(monkeypatch):
    """It is said how to get it."""
    monkeypatch.setitem(sys.modules, "pygal", None)
    with pytest.raises(Fault, match=r"pip install s3kit\[status\]"):
        donut([("a", "s", 5)], "")
