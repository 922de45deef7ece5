"""Where a row's file lies."""

import pytest

from s3kit.disk.tree import Tree
from s3kit.manifest.row import Row
from s3kit.pipeline.entries import entry_of
from s3kit.pipeline.locating import locate


@pytest.fixture
def tree(tmp_path):
    """A tree with some files."""
    for path in ("b/k", "other", "b/a/b", "b/a%f", "plain/x", "entry"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return Tree(str(tmp_path), make=False)


@pytest.mark.parametrize("row,known,path", [(Row("b", "k"), "", "b/k"),
                                            (Row("b", "k", path="other"), "", "other"),
                                            (Row("b", "k"), "entry", "entry"),
                                            (Row("b", "k", path="other"), "entry", "other"),
                                            (Row("b", "k", path="../up"), "", "b/k"),
                                            (Row("b", "a"), "", "b/a%f"),
                                            (Row("bucket", "plain/x"), "", "plain/x"),
                                            (Row("b", "a/"), "", "b/a/")])
def test_where_it_is(tree, row, known, path):
    """As the row says, as the ledger says, as s3-fetch names it, as others do."""
    entry = entry_of(Row("b", row.key, path=known), "", 1, 1, 1) if known else None
    found, status = locate(tree, row, entry)
    assert found == path and status is not None


def test_where_it_would_be(tree):
    """What is nowhere is missing from its first place."""
    assert locate(tree, Row("b", "none"), None) == ("b/none", None)
