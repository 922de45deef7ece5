"""Which path a row's file gets, and whether it lies there."""

from pathlib import Path

import pytest

from s3kit.disk.ledger import Ledger
from s3kit.disk.tree import Tree
from s3kit.pipeline.places import Misplaced, Places, is_intact, paths_of
from s3kit.manifest.row import PRUNED, VERIFIED, Row
from s3kit.pipeline.entries import entry_of
from unit.fetch.test_rehearsal import fetched


def test_no_two_versions_share_a_path():
    """The first one gets the plain name; each gets its own again."""
    places = Places()
    first, second = Row("b", "k", "1"), Row("b", "k", "2")
    assert places.path_for(first) == "b/k"
    assert (places.path_for(second) not in ("b/k", "")
            and places.path_for(second) == places.path_for(second))
    assert places.path_for(first) == "b/k"


@pytest.mark.parametrize("path", ["../up", "/etc/x", ".s3kit/ledger.sqlite3", "a/../b", "a//b"])
def test_a_path_that_leads_outside(path):
    """Nothing is written there, whatever the manifest says."""
    with pytest.raises(Misplaced, match="outside"):
        Places().path_for(Row("b", "k", path=path))


def test_a_path_that_is_taken():
    """The second row that names it has no place."""
    places = Places()
    assert places.path_for(Row("b", "k", path="mine")) == "mine"
    with pytest.raises(Misplaced, match="another row"):
        places.path_for(Row("b", "l", path="mine"))


def test_what_lies_beside_keeps_the_plain_name_too():
    """A file beside the directory of its name keeps both from others; that of a version keeps its
    own alone.
    """
    def paths(key, path):
        return paths_of(entry_of(Row("b", key, path=path), "", 1, 1, 1))

    assert paths("a", "b/a") == ["b/a"] and paths("a", "b/a%f") == ["b/a", "b/a%f"]
    assert paths("a", "b/a%v1") == ["b/a%v1"] and paths("a", "elsewhere") == ["elsewhere"]


def test_a_finished_file_stays_unless_another_version_has_its_place():
    """As when the list names another version of the key first."""
    places, row = Places(), Row("b", "k", "1", path="b/k")
    entry = entry_of(row, "1", 1, 1, 1)
    assert places.keep(row, entry)
    assert not places.keep(Row("b", "k", "2"), entry)


def test_the_place_of_a_finished_file_is_not_given_away():
    """Whether another version comes before it or after it."""
    kept, other = Row("b", "k", "1", path="b/k"), Row("b", "k", "2")
    entry = entry_of(kept, "1", 1, 1, 1)
    before, after = Places(), Places()
    assert after.keep(kept, entry) and after.path_for(other) == "b/k%v2"
    assert before.path_for(other) == "b/k" and not before.keep(kept, entry)


def test_the_only_copy_of_a_version_is_not_replaced(tmp_path):
    """A later version of its key lies beside it, whatever name it has there; a row that names its
    path has no place.
    """
    ledger = Ledger(tmp_path)
    for key, version, path, state in (("k", "1", "b/k", PRUNED), ("a", "1", "b/a%f", PRUNED),
                                      ("m", "2", "b/m%v2", PRUNED), ("n", "1", "b/n", VERIFIED)):
        ledger.record([entry_of(Row("b", key, version, path=path, state=state), version, 1, 1, 1)])
    places = Places(ledger)
    assert [places.path_for(Row("b", key, "9")) for key in "kamnz"] == [
        "b/k%v9", "b/a%v9", "b/m", "b/n", "b/z"]
    assert places.path_for(Row("b", "k", "1")) == "b/k"     # the version itself
    with pytest.raises(Misplaced, match="only copy"):
        places.path_for(Row("b", "other", "1", path="b/a%f"))
    ledger.close()


def test_a_file_is_intact_as_long_as_nobody_touched_it(tmp_path):
    """Size, time, inode; the same object; the same path."""
    tree, row, entry = fetched(tmp_path)
    assert is_intact(tree, row, entry)
    assert (not is_intact(tree, row, entry._replace(mtime_ns=1))
            and not is_intact(tree, row, entry._replace(size=4)))
    assert (not is_intact(tree, row, entry._replace(etag="other"))
            and not is_intact(tree, row, entry._replace(path="")))
    assert not is_intact(tree, Row("b", "k", "v", path="b/l"), entry)
    assert not is_intact(tree, row, entry._replace(proof=""))       # what s3-verify found wrong
    (tmp_path / "d/b/k").unlink()
    assert not is_intact(tree, row, entry)


@pytest.fixture
def shared(tmp_path):
    """Return (Tree, Ledger) of a place where the files of `flat` lie without its folder."""
    tree, ledger = Tree(str(tmp_path / "d")), Ledger(tmp_path)
    for path in ("k", "a%f", "other/k"):
        (tmp_path / "d" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "d" / path).write_text("body")
        status = tree.look(path)
        ledger.record([entry_of(Row("flat", path.removesuffix("%f"), "", path=path, state=VERIFIED),
                                "", 4, status.st_mtime_ns, status.st_ino)])
    yield tree, ledger
    ledger.close()


def test_places_without_the_folder(shared):
    """For the key, then for its version; what cannot lie there goes into the bucket's folder."""
    places = Places(shared[1], shared[0])
    assert places.path_for(Row("flat", "new")) == "new"
    assert places.path_for(Row("flat", "k")) == "k"         # its own
    assert [places.path_for(Row("flat", "v", version)) for version in "12"] == ["v", "v%v2"]
    assert places.path_for(Row("flat", ".s3kit/x")) == "flat/.s3kit/x"
    assert places.path_for(Row("flat", "../x")) == "%2E%2E/x"
    assert places.beside(Row("flat", "v", "1")) == "v%v1"
    assert places.beside(Row("flat", ".s3kit/x", "1")) == "flat/.s3kit/x%v1"
    assert places.beside(Row("usual", "v", "1")) == "usual/v%v1"


def test_the_right_file_of_another_key_is_not_replaced(shared):
    """In whatever layout, and beside a directory; only while it is as it was."""
    tree, ledger = shared
    rows = [Row("flat2", "k"), Row("flat2", "a"), Row("other", "k", etag="e")]
    places = Places(ledger, tree)
    places.layouts.known["flat2"] = True
    assert [places.path_for(row) for row in rows] == ["flat2/k", "flat2/a", "other/k%ve"]
    with pytest.raises(Misplaced, match="the file of s3://flat/k has the path 'k'"):
        places.path_for(Row("flat2", "k", path="k"))
    for path in ("k", "a%f", "other/k"):
        (Path(tree.path) / path).write_text("changed")
    places = Places(ledger, tree)
    places.layouts.known["flat2"] = True
    assert [places.path_for(row) for row in rows] == ["k", "a", "other/k"]


def test_two_rows_without_the_folder(tmp_path):
    """What both lack: the first has the place, the second goes into its bucket's folder."""
    places = Places()
    places.layouts.known |= {"mine": True, "other": True}
    assert [places.path_for(Row(bucket, "k")) for bucket in ("mine", "other")] == ["k", "other/k"]


def test_an_only_copy_without_the_folder(tmp_path):
    """It stays there, too, as does that beside a directory."""
    ledger = Ledger(tmp_path)
    ledger.record([entry_of(Row("b", key, "1", path=path, state=PRUNED), "1", 1, 1, 1)
                   for key, path in (("k", "k"), ("a", "a%f"))])
    places = Places(ledger)
    assert [places.path_for(Row("b", key, "9")) for key in "ka"] == ["k%v9", "a%v9"]
    assert places.path_for(Row("other", "k")) == "other/k"
    ledger.close()
