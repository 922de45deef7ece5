"""How much lies below folders: against a plain model, in du's order, and with little in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3kit.listing.folders import Folders, Totals
from s3kit.manifest.row import Row

KEYS = st.lists(st.text("ab/.\u00e9", min_size=1, max_size=8), max_size=30)


def rows_of(keys):
    """Return rows in order of keys, each with one version of a size of its own."""
    return [Row("b", key, size=str(7 + len(key))) for key in sorted(set(keys), key=str.encode)]


def model(rows, prefix, depth):
    """Return {folder: (versions, bytes)} of rows below a prefix."""
    base = prefix.rpartition("/")[0] + "/" if "/" in prefix else ""
    found = {prefix: [0, 0]}
    for row in rows:
        names, at = {prefix}, len(base)
        for _ in range(99 if depth is None else depth):
            at = row.key.find("/", at) + 1
            if not at:
                break
            names.add(row.key[:at])
        for name in names:
            sums = found.setdefault(name, [0, 0])
            sums[0], sums[1] = sums[0] + 1, sums[1] + row.length
    return {name: tuple(sums) for name, sums in found.items()}


@given(KEYS, st.sampled_from(["", "a", "a/", "a/b", "/", "a//"]),
       st.none() | st.integers(0, 3), st.integers(1, 5))
def test_folders_against_a_model(keys, prefix, depth, page):
    """Each once, after all that are in it, the prefix last; one of each level is held."""
    rows = [row for row in rows_of(keys) if row.key.startswith(prefix)]
    folders, found = Folders(prefix, depth), []
    for start in range(0, len(rows), page):
        for folder in folders.add(rows[start:start + page]):
            found.append(folder)
            assert len(folders.open) <= (10 if depth is None else depth) + 1
    found += folders.end()
    names = [name for name, _ in found]
    assert {name: (totals.versions, totals.bytes) for name, totals in found} == model(
        rows, prefix, depth)
    assert len(names) == len(set(names)) and names[-1] == prefix and not folders.open
    for at, name in enumerate(names):
        assert not [other for other in names[at + 1:-1] if other.startswith(name)]


@pytest.mark.parametrize("cells, expected", [
    ([("k", "2", "", "5"), ("k", "1", "", "7"), ("l", "1", "", "")], (3, 2, 12, 0)),
    ([("k", "3", "true", ""), ("k", "2", "", "5"), ("k", "1", "true", "")], (1, 1, 5, 2)),
    ([], (0, 0, 0, 0))])
def test_totals(cells, expected):
    """Versions of how many keys, bytes; markers apart. Sums of sums are the same."""
    one, parts = Totals(), Totals()
    for key, version, marker, size in cells:
        one.add(Row("b", key, version, is_delete_marker=marker, size=size))
    for _ in "12":
        parts.add_all(one)
    assert (one.versions, one.keys, one.bytes, one.markers) == expected
    assert (parts.versions, parts.keys, parts.bytes, parts.markers) == tuple(
        2 * number for number in expected)
