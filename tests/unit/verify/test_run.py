"""The run of one s3-verify: its parts are put together, and rows go through them."""

import os
from hashlib import md5
from types import SimpleNamespace

import pytest
from rowruns import people_of, streams_of

from s3kit.disk.ledger import NAME, Ledger
from s3kit.disk.tree import OURS, Tree
from s3kit.errors import SOME_FAILED, Cut, Fault
from s3kit.manifest.row import FETCHED, LISTED, MISMATCH, MISSING, VERIFIED, Row
from s3kit.pipeline.flow import BATCH_ROWS
from s3kit.pipeline.pool import DEPTH
from s3kit.pipeline.stage import Stage
from s3kit.verify import run as module
from s3kit.verify.run import CONNECTIONS, ledgers_of, run

OPTIONS = {
    "prog": "s3-verify", "scheduler": None,
    "quiet": False, "verbose": False, "in_place": False, "rules": None,
    "min_size": None, "max_size": None, "newer": None, "older": None, "storage_class": None,
    "quick": False, "verified_since": None, "discard": False, "jobs": 1, "limit_requests": 0,
    "profile": None, "region": None, "endpoint_url": "http://127.0.0.1:9", "no_sign_request": True,
    "request_payer": None, "ca_bundle": None, "no_verify_ssl": False, "read_timeout": 300}


@pytest.fixture
def files(tmp_path):
    """A destination with two files that another tool has left."""
    os.makedirs(tmp_path / "d/b")
    for key in ("k", "l"):
        (tmp_path / "d/b" / key).write_text(key)
    return tmp_path / "d"


def done(files, batches, **options):
    """Run s3-verify on batches of rows; return (what run returns, [(key, state)] of those that
    left).
    """
    source, sink, left = streams_of(batches)
    args = SimpleNamespace(**OPTIONS | {"dest": str(files)} | options)
    return run(args, (source, sink), people_of(args)), sorted(left)


def row_of(key, etag=None, **columns):
    """Return a Row whose ETag is the MD5 of its key, which is its file's content."""
    etag = etag or md5(key.encode()).hexdigest()
    return Row("b", key, etag=etag, **{"size": "1", "state": FETCHED} | columns)


def test_files_are_compared_with_what_rows_say(files):
    """The first batch of rows is not lost, nor any other; the ledger knows what was found."""
    batches = iter([[row_of("k")], [row_of("l", size="2"), row_of("none")]])
    found, left = done(files, batches)
    assert left == [("k", VERIFIED), ("l", MISMATCH), ("none", MISSING)]
    assert found.status() == SOME_FAILED and found.bytes == 1
    with_ledger = Ledger(str(files / OURS))
    assert with_ledger.find("b", "k", "").state == VERIFIED


def test_a_destination_that_is_made_meanwhile(tmp_path):
    """In a pipeline s3-fetch makes it before the first row comes out of it."""
    def batches():
        os.makedirs(tmp_path / "d/b")
        (tmp_path / "d/b/k").write_text("k")
        yield [row_of("k")]

    assert done(tmp_path / "d", batches())[1] == [("k", VERIFIED)]


def test_a_destination_that_is_not_there(tmp_path):
    """It is not made."""
    with pytest.raises((Fault, OSError)):
        done(tmp_path / "d", iter([[row_of("k")]]))
    assert not (tmp_path / "d").exists()


def test_a_cut_input(files):
    """What came before the cut is verified, then it is raised."""
    def batches():
        yield [row_of("k")]
        raise Cut("cut")

    with pytest.raises(Cut):
        done(files, batches())
    assert Ledger(str(files / OURS)).find("b", "k", "").state == VERIFIED


def test_no_rows(files):
    """Nothing is verified, and that is no fault."""
    found, left = done(files, iter([]))
    assert left == [] and found.status() == 0


def test_what_workers_know(files, monkeypatch):
    """They write nothing, and files that cannot be flushed are not ours to remove."""
    noted = []
    monkeypatch.setattr(Stage, "open", lambda stage, *parts, **more: noted.extend([*parts, more]))
    monkeypatch.setattr(Stage, "run", lambda stage, verb: None)
    monkeypatch.setattr("s3kit.cluster.workers.Pool",
                        lambda jobs, hear: SimpleNamespace(jobs=jobs))
    found, _ = done(files, iter([[row_of("k")], []]), jobs=3)
    executor, work, destination, ledger, limit, more = noted
    work = work()
    assert executor.jobs == 3 and limit == 3 * DEPTH * BATCH_ROWS
    assert (work.destination, work.share, work.make, work.place) == (
        str(files), CONNECTIONS, False, Tree(str(files)).place)
    assert not destination.are_ours and destination.ledger is not ledger
    assert destination.tree is found.tree
    assert [[row.key for row in batch] for batch in more["batches"]] == [["k"], []]


def test_the_ledger_is_made(files):
    """Where it can be; asked by one connection, written by another."""
    ask, write = ledgers_of(str(files))
    assert ask is not write and (files / OURS / NAME).exists()
    assert (files / OURS).stat().st_mode & 0o077 == 0


def test_a_place_that_must_not_be_written_to(files, monkeypatch):
    """It has no ledger, and rows are verified all the same."""
    (files / OURS).write_text("a file is in the way")
    assert ledgers_of(str(files)) == (None, None)


@pytest.mark.parametrize("fault", [OSError("no"), Fault("no")])
def test_a_ledger_that_cannot_be_read(files, monkeypatch, fault):
    """One that is there must not be passed over."""
    def fail(folder):
        raise fault

    monkeypatch.setattr(module, "open_ledgers", fail)
    assert ledgers_of(str(files)) == (None, None)
    (files / OURS / NAME).write_text("x")
    with pytest.raises(type(fault)):
        ledgers_of(str(files))


def test_without_a_ledger(files, monkeypatch):
    """Rows leave as they would with one."""
    monkeypatch.setattr(module, "ledgers_of", lambda destination: (None, None))
    found, left = done(files, iter([[row_of("k"), row_of("l", state=LISTED)]]))
    assert left == [("k", VERIFIED), ("l", VERIFIED)] and found.status() == 0
