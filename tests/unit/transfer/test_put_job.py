"""What a worker is told of an upload, and what it costs to carry out."""

import os
import pickle

import pytest

from s3kit.transfer.put_job import WHOLE_MOST, Identity, PutJob


def job(kind, size=100, **fields):
    """Return a PutJob."""
    return PutJob(kind, "b", "k", "k", Identity(size, 1, 2, 3), **fields)


@pytest.mark.parametrize("made, memory", [
    (job("put"), 100), (job("put", WHOLE_MOST), WHOLE_MOST), (job("put", 0), 0),
    (job("part", start=5, end=25), 20), (job("part", start=0, end=WHOLE_MOST), WHOLE_MOST),
    (job("part", start=0, end=WHOLE_MOST + 1), 0), (job("look"), 0), (job("create"), 0),
    (job("check", 10**9), 0), (job("complete", 10**9), 0)])
def test_the_memory_of_a_body(made, memory):
    """Of what is sent from memory; longer parts are read as they go."""
    assert made.memory == memory


def test_a_job_is_sent_to_a_worker():
    """And is the same there."""
    made = job("put", token="t", headers=("a: b",))
    assert pickle.loads(pickle.dumps(made)) == made and made.size == 100


def test_what_tells_that_a_file_was_changed(tmp_path):
    """Its size, times and inode: any of them."""
    file = tmp_path / "k"
    file.write_bytes(b"body")
    before = Identity.of(os.stat(file))
    assert before == Identity.of(os.stat(file)) and before.size == 4
    os.utime(file, ns=(1, 1))
    touched = Identity.of(os.stat(file))
    assert touched.mtime_ns == 1 and touched.ctime_ns > before.ctime_ns
    (tmp_path / "other").write_bytes(b"body")
    os.utime(tmp_path / "other", ns=(1, 1))
    assert Identity.of(os.stat(tmp_path / "other")).inode != before.inode
