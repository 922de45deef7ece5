"""Which layout a bucket's files have."""

import pytest

from s3kit.disk.ledger import Ledger
from s3kit.manifest.row import MISMATCH, PRUNED, VERIFIED, Row
from s3kit.pipeline.entries import entry_of
from s3kit.pipeline.layout import Layouts, places_of


@pytest.fixture
def ledger(tmp_path):
    """A ledger of nothing."""
    made = Ledger(tmp_path)
    yield made
    made.close()


def record(ledger, *paths, bucket="b", state=VERIFIED, size=1):
    """Have the ledger know files, of the keys `k`, `l` and so on."""
    ledger.record([entry_of(Row(bucket, key, path=path, state=state), "", size, 1, 1)
                   for key, path in zip("klmno", paths)])


@pytest.mark.parametrize("row, is_flat, paths", [
    (Row("b", "k"), False, ["b/k", "b/k%f"]), (Row("b", "k"), True, ["k", "k%f"]),
    (Row("b", "d/"), True, ["d/", "d/%_"]),
    (Row("b", "a\tb"), True, ["a\tb", "a%09b", "a%09b%f"]),
    (Row("b", "../k"), True, ["%2E%2E/k", "%2E%2E/k%f"]), (Row("b", ".s3kit/k"), True, []),
    (Row("b", "k", "v", is_latest="true"), True, ["k", "k%f", "k%vv"]),
    (Row("b", "k", "v", is_latest="false"), False, ["b/k%vv", "b/k", "b/k%f"])])
def test_where_a_file_may_lie(row, is_flat, paths):
    """Under its own name, as s3-fetch writes it, beside a directory, as one version; never outside
    or among our own files.
    """
    assert list(places_of(row, is_flat)) == paths


@pytest.mark.parametrize("paths, is_flat", [
    (["k"], True), (["b/k"], False), (["k", "l", "b/m"], True), (["k", "b/l"], False),
    (["k%f"], True), (["b/k%vv"], False), (["elsewhere/k"], None), (["kl"], None), ([], None)])
def test_what_the_ledger_says(ledger, paths, is_flat):
    """As most files lie; none, or only such as lie elsewhere, say nothing."""
    record(ledger, *paths)
    layouts = Layouts(ledger)
    assert layouts.recorded("b") is is_flat and layouts.is_flat("b") == bool(is_flat)
    assert layouts.is_settled("b") == (is_flat is not None)
    assert layouts.recorded("other") is None


def test_which_files_say_something(ledger):
    """Those of the bucket that are right and not empty; an only copy is one."""
    record(ledger, "k", state=MISMATCH)
    record(ledger, "k", bucket="c", size=0)
    record(ledger, "m", bucket="d", state=PRUNED)
    layouts = Layouts(ledger)
    assert [layouts.recorded(bucket) for bucket in "bc"] == [None, None]
    record(ledger, "k", bucket="d", state=PRUNED)
    assert layouts.recorded("d") is True


def test_what_the_run_has_found():
    """Most decide, where the ledger knows nothing; as many are not most."""
    layouts = Layouts()
    assert not layouts.is_settled("b") and not layouts.is_flat("b")
    layouts.note("b", "k", "k")
    assert layouts.is_flat("b") and not layouts.is_flat("c")
    layouts.note("b", "l", "b/l")
    assert not layouts.is_flat("b")
    layouts.note("b", "m", "m")
    layouts.note("b", "n", "elsewhere")
    assert layouts.is_flat("b") and not layouts.is_settled("b")


def test_the_ledger_is_asked_once(ledger):
    """What it says then holds for the run, whatever is found."""
    record(ledger, "b/k")
    layouts = Layouts(ledger)
    assert layouts.recorded("b") is False
    record(ledger, "k", "l", "m")
    for key in "xyz":
        layouts.note("b", key, key)
    assert not layouts.is_flat("b") and layouts.is_settled("b")


def test_a_new_destination():
    """Its layout is the usual one, at once."""
    layouts = Layouts(is_new=True)
    layouts.note("b", "k", "k")
    assert layouts.is_settled("b") and not layouts.is_flat("b")
