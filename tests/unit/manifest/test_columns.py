"""How cells become columns."""

import pytest

from s3kit.errors import Fault
from s3kit.manifest.columns import Columns
from s3kit.manifest.row import COLUMNS


def test_a_header_names_them():
    """In any order, in people's spelling; unknown ones come along."""
    columns = Columns("photos", None)
    assert columns.first == "bucket"
    assert columns.take([" Key ", "Version ID", "note"], marked=False)
    row = columns.row(["a", "v1", "mine"], 2)
    assert (row.bucket, row.key, row.version_id, row.extra) == ("photos", "a", "v1",
                                                                {"note": "mine"})
    assert (columns.first, columns.extras, columns.is_direct) == ("key", ["note"], False)


def test_without_a_header_they_are_those_given():
    """Or the standard ones, which rows have as they stand."""
    columns = Columns("", None)
    assert not columns.take(["photos", "a"], marked=False) and columns.is_direct
    assert columns.row(["photos", "a"], 1).key == "a"
    columns.begin()
    assert columns.names is None
    columns = Columns("photos", ["key", "size"])
    assert not columns.take(["a", "1"], marked=False)
    assert columns.row(["a", "1"], 1).size == "1"


def test_a_marked_manifest_has_a_header():
    """And rows of as many cells."""
    columns = Columns("", None)
    with pytest.raises(Fault, match="no header row"):
        columns.take(["photos", "a"], marked=True)
    columns.take(list(COLUMNS), marked=True)
    assert columns.row(["photos", "a"], 3).error == "line 3: 2 columns, not 18"
