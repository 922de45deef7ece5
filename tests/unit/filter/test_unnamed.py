"""--extra: the files that no row names."""

import pytest
from unit.filter.strategies import Given

from s3kit.disk.ledger import Entry, Ledger
from s3kit.errors import Cut, Fault
from s3kit.filter.unnamed import Extra
from s3kit.manifest.row import Row


@pytest.fixture
def dest(tmp_path):
    """Return a destination with files of all kinds."""
    for name in ("b/a", "b/a%vV1", "b/A%=0123456789abcdef", "b/dir/%_", "b/new", "b/mine",
                 "c/k", "loose"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def found(dest, rows, *marks):
    """Return the paths that are left, and the rows' names."""
    given = Given([rows], *marks)
    return {row.path: row.name for batch in Extra(str(dest), given)(given.batches())
            for row in batch}


def test_what_rows_name(dest):
    """By path, by key, by version, whatever marks the file's name has."""
    rows = [Row("b", "a"), Row("b", "a", "V1"), Row("b", "A"), Row("b", "dir/"),
            Row("x", "y", path="b/mine")]
    assert found(dest, rows) == {"b/new": "s3://b/new", "c/k": "s3://c/k",
                                 "loose": "s3:///loose"}


def test_what_the_ledger_knows(dest):
    """A file may lie where neither key nor row say."""
    (dest / ".s3kit").mkdir()
    entry = Entry("b", "key", "", "", 1, "", "", "", "", "", "b/mine", 1, 1, "", "", "fetched")
    Ledger(str(dest / ".s3kit")).record([entry])
    assert "b/mine" not in found(dest, [Row("b", "key")])
    assert "b/mine" in found(dest, [Row("b", "a")])


def test_nothing_before_all_is_known(dest):
    """A manifest that is cut, or of which a row makes no sense."""
    def cut():
        yield [Row("b", "a")]
        raise Cut("cut")
    with pytest.raises(Cut):
        next(Extra(str(dest), Given([]))(cut()))
    with pytest.raises(Fault, match="line 2: no key: which file this row names is not known"):
        found(dest, [Row(state="failed", error="line 2: no key", verbatim={})])
    with pytest.raises(Fault, match="the input is a shard: what 1/2 names is not known"):
        found(dest, [Row("b", "a")], "2/2")
    assert found(dest, [Row("b", "a")], "2/2", "1/2") == found(dest, [Row("b", "a")])
