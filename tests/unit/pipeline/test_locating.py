"""Where a row's file lies."""

import pytest

from s3kit.disk.tree import Tree
from s3kit.manifest.row import Row
from s3kit.pipeline.entries import entry_of
from s3kit.pipeline.locating import can_be, known_path, locate


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


def test_the_file_of_a_version_is_found_by_its_name(tree, tmp_path):
    """An older version's before the latest's, which has the plain name."""
    (tmp_path / "b/k%vold").write_text("old")
    assert locate(tree, Row("b", "k", "old", is_latest="false"), None)[0] == "b/k%vold"
    assert locate(tree, Row("b", "k", "new", is_latest="true"), None)[0] == "b/k"


def test_what_is_known():
    """The row's path, if it leads to no other place, then the ledger's."""
    entry = entry_of(Row("b", "k", path="entry"), "", 1, 1, 1)
    assert [known_path(Row("b", "k", path=path), entry) for path in ("other", "../up", "")] == [
        "other", "entry", "entry"]
    assert known_path(Row("b", "k", path="../up"), None) == ""


def test_what_can_be_a_file(tree):
    """A directory only of a key that ends in a slash."""
    folder, file = tree.look("b"), tree.look("b/k")
    assert can_be(Row("b", "k"), file) and can_be(Row("b", "k/"), folder)
    assert not can_be(Row("b", "k"), folder) and not can_be(Row("b", "k"), None)
