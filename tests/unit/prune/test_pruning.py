"""The run: a plan, a question, and which rows go then."""

import pytest
from unit.prune.conftest import S3, Access, people, streams

from s3kit.errors import DONE, Cut
from s3kit.manifest.row import PRUNED
from s3kit.prune import pruning as module
from s3kit.prune.pruning import Pruning


@pytest.fixture
def prune(destination, monkeypatch):
    """Return f(batches, ask=, end=, options...) -> Pruning, after its run; `prune.s3` was asked,
    `prune.left` has the rows that left, `prune.said` what people were told.
    """
    def run(batches, ask=None, end=None, **options):
        run.s3 = S3()
        monkeypatch.setattr(module, "Control", lambda connections: run.s3)
        monkeypatch.setattr(module, "Access", lambda args, at_once: Access())
        source, sink = streams(batches, end)
        tally, progress, signals = people()
        run.left, run.said = sink.rows, tally.said
        pruning = Pruning(destination.args(**options), (source, sink), (tally, progress, signals),
                          ask)
        pruning.run()
        return pruning

    return run


def keys(rows):
    """Return the keys of rows or jobs."""
    return [each.key for each in rows]


def test_yes_deletes_as_rows_come(destination, prune):
    """What came before a cut goes; nobody waits for the whole manifest."""
    rows = [destination.prove("one"), destination.prove("two")]
    with pytest.raises(Cut):
        prune([rows[:1], rows[1:]], end=Cut("cut"))
    assert sorted(keys(prune.left)) == ["one", "two"]
    assert {row.state for row in prune.left} == {PRUNED}


def test_a_plan_writes_what_would_go_and_asks_nobody(destination, prune):
    rows = [destination.prove("one", b"1"), destination.prove("two", b"22"),
            destination.prove("three", b"333")]
    rows[0].state = "listed"
    pruning = prune([rows[:2], rows[2:]], dry_run=True, yes=False)
    assert keys(prune.left) == ["two", "three"] and not prune.s3.asked
    assert {row.state for row in prune.left} == {"verified"}
    assert pruning.summary() == ["2 rows to delete (5)"] and pruning.status() == DONE
    assert prune.said[0] == "s3://b: 2 versions to delete (5), 1 kept"
    assert prune.said[-1].split() == ["1", "kept:", "not", "verified"]


def test_a_plan_ends_at_max_delete(destination, prune):
    """Over all batches; what is beyond is kept, and said to be."""
    rows = [destination.prove(f"k{n}") for n in range(5)]
    prune([rows[:3], rows[3:]], dry_run=True, yes=False, max_delete=4)
    assert keys(prune.left) == ["k0", "k1", "k2", "k3"]
    assert "s3://b: 4 versions to delete (16), 1 kept" in prune.said


@pytest.mark.parametrize("options", [{"yes": False}, {"yes": False, "dry_run": True},
                                     {"keep_newest": 1}])
def test_a_cut_manifest_has_no_plan(destination, prune, options):
    """And so nothing is asked, written or deleted."""
    def ask(*_):
        raise AssertionError("nobody is to be asked")

    with pytest.raises(Cut):
        prune([[destination.prove("k")]], ask, Cut("cut"), **options)
    assert not prune.s3.asked and not prune.left


def test_a_person_is_asked_bucket_by_bucket(destination, prune):
    """What they refuse stays; a bucket of which nothing would go is not asked about."""
    rows = [destination.prove(f"{bucket}-k") for bucket in ("a", "b", "c")]
    for row in rows:
        entry = destination.ledger.find("b", row.key, "v")
        row.bucket = row.key[0]
        destination.ledger.record([entry._replace(bucket=row.bucket)])
    rows[2].state, asked = "listed", []

    def ask(question, word):
        asked.append((question, word))
        return word == "b"

    pruning = prune([rows], ask, yes=False)
    assert asked == [(f"Type the bucket's name to delete 1 version of s3://{bucket} for good:",
                      bucket) for bucket in ("a", "b")]
    assert [keys(jobs) for jobs in prune.s3.asked] == [["b-k"]]
    assert {row.key: row.state for row in prune.left} == {"a-k": "verified", "b-k": PRUNED,
                                                          "c-k": "listed"}
    assert "1 row kept: you said no" in pruning.summary()


def test_the_newest_are_kept_though_the_last_batch_has_them(destination, prune):
    """With --yes, too, the whole manifest is read before anything goes."""
    rows = [destination.prove(f"k{n}", version_id=f"v{n}") for n in range(3)]
    for n, row in enumerate(rows):
        entry = destination.ledger.find("b", row.key, row.version_id)
        row.key, row.last_modified = "k", f"2026-01-01T12:00:0{n}Z"
        destination.ledger.record([entry._replace(key="k")])
    prune([[rows[0]], [rows[1]], [rows[2]]], keep_newest=1)
    assert sorted(job.version_id for jobs in prune.s3.asked for job in jobs) == ["v0", "v1"]
    assert {row.version_id: row.state for row in prune.left}["v2"] == "verified"


def test_no_rows(destination, prune):
    """Nothing to delete is done."""
    pruning = prune([])
    assert pruning.summary()[0] == "0 rows deleted" and pruning.status() == DONE
