"""Pieces: each within its limits, together the whole, in order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3kit.errors import Fault, Usage
from s3kit.filter.splitting import Pattern, Pieces
from s3kit.manifest.row import Row


class Sink:
    """Remembers what was written, and how it ended."""

    def __init__(self, name):
        self.name, self.rows, self.end = name, [], ""

    def write(self, rows, extras):
        """Take rows."""
        assert rows and extras == ["x"]
        self.rows += rows

    def close(self):
        """End whole."""
        self.end = "whole"

    def abandon(self):
        """End otherwise."""
        self.end = self.end or "abandoned"


def split(folder, batches, **most):
    """Return the sinks of the pieces that batches become."""
    sinks = []

    def make(name):
        assert all(sink.end == "whole" for sink in sinks)
        sinks.append(Sink(name))
        return sinks[-1]

    pieces = Pieces(make, Pattern(f"{folder}/p-%d.csv"), **most)
    for rows in batches:
        pieces.write(rows, ["x"])
    pieces.close()
    return sinks


SIZES = st.lists(st.lists(st.sampled_from([None, 0, 1, 2, 3, 9]), min_size=1, max_size=5),
                 max_size=4)


@given(SIZES, st.one_of(st.none(), st.integers(1, 4)), st.one_of(st.none(), st.integers(0, 6)))
@settings(max_examples=100)
def test_pieces_are_as_large_as_they_may_be(tmp_path_factory, sizes, most_rows, most_bytes):
    """Next to each other no two could be one."""
    folder = tmp_path_factory.getbasetemp()
    batches = [[Row("b", "k", size="" if size is None else str(size)) for size in some]
               for some in sizes]
    sinks = split(folder, batches, most_rows=most_rows, most_bytes=most_bytes)
    assert [id(row) for sink in sinks for row in sink.rows] == [
        id(row) for rows in batches for row in rows]
    assert [sink.name for sink in sinks] == [
        f"{folder}/p-{number}.csv" for number in range(1, len(sinks) + 1)]
    assert all(sink.end == "whole" and (sink.rows or len(sinks) == 1) for sink in sinks)

    def fits(rows):
        return ((most_rows is None or len(rows) <= most_rows)
                and (most_bytes is None or sum(row.length or 0 for row in rows) <= most_bytes))
    assert all(fits(sink.rows) or len(sink.rows) == 1 for sink in sinks)
    assert not any(fits([*one.rows, other.rows[0]]) for one, other in zip(sinks, sinks[1:]))


@pytest.mark.parametrize("text, name", [
    ("part-%03d.csv.gz", "part-007.csv.gz"), ("%d", "7"), ("a/100%%-%02d", "a/100%-07"),
    ("a%d/%d.csv", "a%d/7.csv"), ("%%d-%d", "%d-7")])
def test_names_of_pieces(text, name):
    assert Pattern(text).name(7) == name


@pytest.mark.parametrize("text", ["", "-", "part.csv", "part-%%d.csv", "%d-%d", "%s-%d", "%3d",
                                  "%d%", "a%d/part.csv", "%010d"])
def test_what_names_no_pieces(text):
    with pytest.raises(ValueError, match="has not one %d"):
        Pattern(text)


@pytest.mark.parametrize("there", ["p-1.csv", "p-99.csv", "p-007.csv"])
def test_pieces_of_an_earlier_run_are_never_mixed_with_new_ones(tmp_path, there):
    for other in ("p-x.csv", "p-1.csv.gz", "xp-1.csv"):
        (tmp_path / other).write_text("")
    assert len(split(tmp_path, [[Row("b", "k")]])) == 1
    (tmp_path / there).write_text("")
    with pytest.raises(Usage, match=f"{there}' is there already"):
        split(tmp_path, [])


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(Fault, match="cannot look into '.*/none': No such file"):
        split(tmp_path / "none", [])


def test_what_fails_leaves_only_pieces_that_are_whole(tmp_path):
    sinks = []
    pieces = Pieces(lambda name: sinks.append(Sink(name)) or sinks[-1],
                    Pattern(f"{tmp_path}/%d"), most_rows=1)
    pieces.write([Row("b", "k"), Row("b", "l")], ["x"])
    pieces.abandon()
    assert [sink.end for sink in sinks] == ["whole", "abandoned"]
