import os
from concurrent.futures import Future

import pytest

from s3kit.cluster import settling
from s3kit.disk import durable
from s3kit.disk.tree import Tree
from s3kit.errors import Fault
from s3kit.pipeline.pool import WorkerDied
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Outcome


@pytest.fixture
def tree(tmp_path):
    return Tree(str(tmp_path))


@pytest.fixture
def steps(monkeypatch):
    """What was done, in its order."""
    done = []
    monkeypatch.setattr(durable, "sync_tree", lambda fd: done.append("flush"))
    return done


def naming(steps, answer=None):
    """Return the `submit` of workers that name all that they are told to, or have an `answer`."""
    def submit(job, holder):
        steps.append((holder, job.kind, job.pieces))
        future = Future()
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result([answer or Outcome(jobs.NAMED, pieces=[
                (f"b/{part}", 7, 9) for part in job.pieces])])
        return future
    return submit


def test_bytes_then_names_then_their_directories(tree, steps):
    came = [Outcome(jobs.WRITTEN, path="1.part", holder=11, size=3), Outcome(jobs.FAILED, "no"),
            Outcome(jobs.WRITTEN, path="2.part", holder=12),
            Outcome(jobs.WRITTEN, path="3.part", holder=11)]
    found = settling.settle(tree, came, naming(steps))
    assert steps == ["flush", (11, "name", ["1.part", "3.part"]), (12, "name", ["2.part"]), "flush"]
    assert found[0] == Outcome(jobs.FETCHED, path="b/1.part", inode=7, mtime_ns=9, size=3)
    assert [outcome.path for outcome in found] == ["b/1.part", "", "b/2.part", "b/3.part"]
    assert found[1] == came[1]


@pytest.mark.parametrize("state, flushes", [
    (jobs.RECEIVED, 1), (jobs.FETCHED, 2), (jobs.AGAIN, 0), (jobs.CHECKED, 0), ("sent", 0)])
def test_what_was_written_is_flushed_before_it_is_told(tree, steps, state, flushes):
    came = [Outcome(state)]
    assert settling.is_anything_written(came) == bool(flushes)
    if flushes:
        assert settling.settle(tree, came, naming(steps)) == came
    assert steps == ["flush"] * flushes


def test_a_worker_that_died_with_its_files(tree, steps):
    came = [Outcome(jobs.WRITTEN, path="1.part", holder=11)]
    found, = settling.settle(tree, came, naming(steps, WorkerDied("its worker died")))
    assert (found.state, found.error) == (jobs.AGAIN, "its worker died")
    assert steps[-1] != "flush"


def test_a_file_that_cannot_be_named(tree, steps):
    came = [Outcome(jobs.WRITTEN, path="1.part", holder=11)]
    wrong = Outcome(jobs.CONFLICT, "a directory is in the way")
    assert settling.settle(tree, came, naming(steps, Outcome(jobs.NAMED, pieces=[wrong]))) == [
        wrong]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_flush_that_fails_is_believed_never(tree, tmp_path, monkeypatch, fails_at):
    """Neither parts nor files that have got their names are left: they may be in memory alone."""
    calls = []

    def fail(fd):
        calls.append(fd)
        if len(calls) == fails_at:
            raise OSError(5, os.strerror(5))

    monkeypatch.setattr(durable, "sync_tree", fail)
    (tmp_path / ".s3kit/parts/1.part").write_text("abc")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/old").write_text("was there before")

    def submit(job, holder):
        os.rename(tmp_path / ".s3kit/parts/1.part", tmp_path / "b/1.part")
        return naming([])(job, holder)

    came = [Outcome(jobs.WRITTEN, path="1.part", holder=11, moved=3),
            Outcome(jobs.FETCHED, path="b/old")]
    with pytest.raises(Fault, match="cannot make files durable: Input/output error; .* is not bel"):
        settling.settle(tree, came, submit)
    assert not (tmp_path / ".s3kit/parts/1.part").exists()
    assert sorted(os.listdir(tmp_path / "b")) == ["old"]
