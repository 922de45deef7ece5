"""Rows whose files may lie in several places: what each finding means, and who waits."""

import os
from types import SimpleNamespace

import pytest

from s3kit.disk.ledger import Ledger
from s3kit.disk.tree import Tree
from s3kit.manifest.row import FAILED, MISMATCH, MISSING, VERIFIED, Row
from s3kit.pipeline.entries import entry_of
from s3kit.verify.guesses import Guesses

WRONG = "the file is wrong"


class Verifying:
    """Notes what becomes of rows; a file is right whose content is the row's key."""

    def __init__(self, tree, ledger=None):
        self.tree, self.looks, self.gone = tree, 0, []
        self.stage = SimpleNamespace(ledger=ledger, look=self.look)
        self.results = SimpleNamespace(
            differs=lambda errand, why, is_derived: self.leave(errand.row, MISMATCH, why),
            missing=lambda row, why: self.leave(row, MISSING, why),
            fail=self.leave)
        self.guesses = Guesses(self)

    def look(self):
        """A turn of the run."""
        self.looks += 1

    def leave(self, row, state, why):
        """A row leaves."""
        self.gone.append((row.key, state, row.path))
        row.error = why

    def look_at(self, errand):
        """Judge a file."""
        with open(os.path.join(self.tree.path, errand.path), encoding="utf-8") as file:
            if file.read() != errand.row.key:
                self.guesses.differs(errand, WRONG)
            elif self.guesses.is_right(errand):
                self.leave(errand.row, VERIFIED, "")


@pytest.fixture
def verb_of(tmp_path):
    """Return f({path: content}, {key: path} that the ledger knows) -> Verifying."""
    ledgers = []

    def make(files, known=None):
        for path, content in files.items():
            (tmp_path / "d" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "d" / path).write_text(content)
        (tmp_path / "d").mkdir(exist_ok=True)
        tree = Tree(str(tmp_path / "d"))
        if known is None:
            return Verifying(tree)
        ledgers.append(Ledger(tmp_path))
        for key, path in known.items():
            there = tree.look(path)
            ledgers[0].record([entry_of(Row("b", key, path=path, state=VERIFIED), "", 1,
                                        there.st_mtime_ns if there else 1,
                                        there.st_ino if there else 1)])
        return Verifying(tree, ledgers[0])

    yield make
    for ledger in ledgers:
        ledger.close()


def take(verifying, *rows):
    """Take rows of the bucket `b`; return what has left before the end, and then."""
    rows = [row if isinstance(row, Row) else Row("b", row) for row in rows]
    for row in rows:
        verifying.guesses.take(row, None)
    before = list(verifying.gone)
    verifying.guesses.at_end()
    return before, verifying.gone[len(before):]


def test_rows_wait_for_the_layout(verb_of):
    """Those without a file; each place is tried."""
    before, after = take(verb_of({"k": "k", "l": "?", "x": "x"}), "j", "k", "l", "x")
    assert before == [("k", VERIFIED, "k"), ("x", VERIFIED, "x")]
    assert after == [("j", MISSING, "j"), ("l", MISMATCH, "l")]


@pytest.mark.parametrize("files, path, state", [
    ({"b/k": "k", "b/l": "?"}, "b/l", MISMATCH), ({"b/k": "k", "l": "?"}, "", MISSING),
    ({"l": "?"}, "", MISSING), ({"b/l": "?"}, "b/l", MISMATCH),
    ({"k": "k", "l": "?"}, "l", MISMATCH),
    ({"k": "k", "b/l": "?"}, "l", MISSING), ({"k": "k", "b/l": "?", "l": "l"}, "l", VERIFIED)])
def test_a_wrong_file(verb_of, files, path, state):
    """It is a row's in the bucket's own layout only; the others' is not taken for it."""
    verifying, row = verb_of(files), Row("b", "l")
    before, after = take(verifying, row, *(["k"] if len(files) > 1 else []))
    assert ("l", state, path) in before + after
    if state == MISSING:
        wrong = next(path for path, text in files.items() if text == "?")
        assert row.error == f"there is no file '{path or 'b/l'}'; '{wrong}' is not it: {WRONG}"


def test_nothing_waits_where_nothing_can_change(verb_of):
    """The ledger knows the layout, or the destination is new."""
    assert take(verb_of({}), "k") == ([("k", MISSING, "")], [])
    assert take(verb_of({"x": "x", "k": "x"}, {"x": "x"}), "j") == ([("j", MISSING, "j")], [])


@pytest.mark.parametrize("row, known, waits, found", [
    (Row("b", "k"), {}, True, (MISMATCH, "k")),
    (Row("b", "k"), {"k": "k"}, False, (MISMATCH, "k")),
    (Row("b", "k", "v", is_latest="true"), {}, True, (MISMATCH, "k")),
    (Row("b", "k", "v", is_latest="false"), {}, False, (MISSING, "k%vv")),
    (Row("b", "k"), {"other": "k"}, True, (MISSING, "b/k"))])
def test_whose_a_wrong_file_is(verb_of, row, known, waits, found):
    """Another row may yet turn out to own it; not of what the ledger has under the same name. An
    older version never replaces it, and no row what the ledger knows as another's.
    """
    verifying = verb_of({"x": "x", "k": "?"}, {"x": "x"} | known)
    before, after = take(verifying, row)
    assert ([], [("k", *found)]) == ((before, after) if waits else (after, before))


def test_the_file_of_another_row(verb_of):
    """The first that is right about it has it; the other's comes beside it."""
    before, after = take(verb_of({"x": "x", "k": "k"}), Row("b", "k", "1"), Row("b", "k", "2"),
                         Row("b", "x"))
    assert before == [("k", VERIFIED, "k"), ("x", VERIFIED, "x")]
    assert after == [("k", MISSING, "k%v2")]


def test_an_empty_file_tells_nothing_of_the_layout(verb_of):
    """It may be anybody's."""
    verifying = verb_of({"e": ""})
    verifying.look_at = verifying.guesses.is_right
    take(verifying, "e", "k")
    assert verifying.gone == [("k", MISSING, "")]


def test_what_cannot_be_read(verb_of):
    """A guess is not told as the file's place; what is known stays."""
    verifying = verb_of({"k": "k"})
    verifying.look_at = lambda errand: verifying.guesses.failed(errand, "no")
    take(verifying, "k")
    assert verifying.gone == [("k", FAILED, "")]


def test_rows_that_wait_cost_no_memory(verb_of):
    """They lie on disk, in order; the run goes on while they leave."""
    keys = [f"{number:04}" for number in range(300)]
    verifying = verb_of({"x": "x"})
    _, after = take(verifying, *keys, "x")
    assert after == [(key, MISSING, key) for key in keys] and verifying.looks > 3
    assert not verifying.guesses.waiting


def test_a_file_that_goes_while_its_row_waits(verb_of, tmp_path):
    """It is missing then."""
    verifying = verb_of({"x": "x", "k": "?"})
    for key in "kx":
        verifying.guesses.take(Row("b", key), None)
    (tmp_path / "d" / "k").unlink()
    verifying.guesses.at_end()
    assert verifying.gone[-1] == ("k", MISSING, "k")
