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


@pytest.mark.parametrize("marked", [True, False])
def test_optional_columns_have_our_names(marked):
    """However they are spelt: of two spellings in one header nobody knows which is meant."""
    columns = Columns("photos", None)
    assert columns.take(["key", "Content-Type", "StoredAt", "note"], marked)
    assert columns.extras == ["content_type", "stored_at", "note"]
    row = columns.row(["a", "text/plain", "s3://c/a", "mine"], 2)
    assert row.extra == {"content_type": "text/plain", "stored_at": "s3://c/a", "note": "mine"}
    with pytest.raises(Fault, match="the same name"):
        Columns("photos", None).take(["key", "Content-Type", "content_type"], marked)


def test_optional_columns_without_a_header():
    """As --columns names them."""
    columns = Columns("photos", ["key", "Metadata"])
    assert not columns.take(["a", "x=1"], marked=False)
    assert columns.row(["a", "x=1"], 1).optional("metadata") == "x=1"
