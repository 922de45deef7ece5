"""Where files would meet below a destination."""

import pytest

from s3kit.check import meetings
from s3kit.check.meetings import Meetings, is_folding
from s3kit.manifest.row import Row


def told(*rows, dest="none"):
    """Return (what cannot lie where it says, notes)."""
    found = Meetings(dest)
    met = [(place, *met) for place, row in enumerate(rows) if (met := found.take(row, place))]
    return met, list(found.notes())


def test_only_paths_that_rows_name_can_meet():
    """The row before is told."""
    met, notes = told(Row("b", "a"), Row("b", "c", path="here"), Row("b", "d", path="here"),
                      Row("b", "e", path="b/a"), Row("b", "f", path="/etc/x"))
    assert met == [(2, "another row has the path 'here'", 1),
                   (3, "another row has the path 'b/a'", 0),
                   (4, "the path '/etc/x' leads outside the destination", None)]
    assert notes == []


@pytest.mark.parametrize("keys, words", [
    (["a", "a"], ["several versions"]), (["d", "d/e", "d/f"], ["directories for others"]),
    (["d/", "d"], ["directories for others"]), (["x/../y", "//"], ["encoded"]),
    (["Photo.jpg", "photo.JPG"], ["differ only in capitals"]),
    (["A/x", "a/y"], ["differ only in capitals"]),
    (["\u00e9", "e\u0301"], ["form of Unicode"]), (["a", "b/c", "b/d", "e/"], [])])
def test_what_is_kept_apart_is_no_fault(keys, words, monkeypatch):
    """But people know that a name is not its key."""
    monkeypatch.setattr(meetings, "TOGETHER", 2)
    met, notes = told(*(Row("b", key, str(place)) for place, key in enumerate(keys)))
    assert met == [] and len(notes) == len(words)
    assert all(word in note for word, note in zip(words, notes))


def test_a_file_system_that_takes_no_name_for_another(tmp_path):
    """There capitals need no word."""
    assert is_folding(tmp_path) is None and is_folding(tmp_path / "none") is None
    (tmp_path / "name").touch()
    assert is_folding(tmp_path) is False
    assert told(Row("b", "A"), Row("b", "a"), dest=tmp_path)[1] == []
