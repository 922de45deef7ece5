"""A large object in the parent: ranges handed out one by one, sums that stay small, a journal that
resumes.
"""

import os
import tracemalloc

import pytest

from s3kit.disk.tree import Tree
from s3kit.proof.claims import etag_claim
from s3kit.proof.digest import LEAF, Digest, digest_of
from s3kit.transfer import large as module
from s3kit.transfer.job import Job, Outcome
from s3kit.transfer.large import Large, ObjectSums, parse_note
from s3kit.transfer.sizes import RANGE_MOST

TIB = 1 << 40


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return f() -> a Large of 5 MiB in ranges of 2 MiB."""
    monkeypatch.setattr(module, "step_of", lambda *_: 2 << 20)
    monkeypatch.setattr(module, "RANGE_LEAST", 1 << 20)

    def make():
        large = Large(Tree(str(tmp_path / "d")),
                      Job("survey", "b", "k", "v", "e", 5 << 20, -1, "b/k"),
                      Outcome("surveyed", size=5 << 20, etag="e"), 2)
        assert large.hold()
        large.start()
        return large

    return make


def test_ranges_share_out_the_object(made):
    """In order, without a gap, each once."""
    jobs = list(iter(made().next_job, None))
    assert [(job.start, job.end) for job in jobs] == [(0, 2 << 20), (2 << 20, 4 << 20),
                                                      (4 << 20, 5 << 20)]
    assert all(job.kind == "range" and job.pieces is None for job in jobs)


def pieces_of(job):
    """Return what a worker says of a range of zeros."""
    return {"start": job.start, "end": job.end, "crc": 7, "parts": [], "leaves": {}}


def test_a_run_that_was_killed_goes_on(made):
    """What was noted comes with the job of its range, and with no other."""
    large = made()
    first = large.next_job()
    large.received(Outcome("received", moved=2 << 20, pieces=pieces_of(first)))
    large.drop()
    again = list(iter(made().next_job, None))
    assert [job.pieces for job in again] == [pieces_of(first), None, None]


@pytest.mark.parametrize("kind", ["", "NFS"])
def test_zeros_of_an_allocation_are_there_before_others_write(made, monkeypatch, kind):
    """On a file system that other hosts reach, and only there."""
    done = []
    monkeypatch.setattr(Tree, "network", lambda self: kind)
    monkeypatch.setattr(os, "posix_fallocate", lambda *_: done.append("allocated"))
    monkeypatch.setattr(module.durable, "sync_data", lambda fd: done.append("flushed"))
    made()
    assert done == ["allocated"] + ["flushed"] * bool(kind)


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[]\n", b'{"step": 0}\n', b'{"step": "x"}\n',
                                    b'{"step": 2097152, "part_size": -1}\n',
                                    b"\xff\n", b'{"start": []}\n'])
def test_a_journal_that_makes_no_sense(made, spoilt):
    """It begins anew."""
    large = made()
    os.ftruncate(large.log, 0)
    os.write(large.log, spoilt)
    large.drop()
    assert [job.pieces for job in iter(made().next_job, None)] == [None] * 3


def test_the_sums_of_five_tib_stay_small():
    """Below 20 MB, and next to nothing for each range that comes."""
    tracemalloc.start()
    try:
        sums = ObjectSums(5 * TIB, RANGE_MOST)
        for number in range(0, 163_840, 8):
            start = number * RANGE_MOST
            leaves = {str(start // LEAF + n): "ab" * 16 for n in range(4)}
            sums.add({"start": start, "end": start + RANGE_MOST, "crc": 2 ** 64 - 1, "parts": [],
                      "leaves": leaves})
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert not sums.is_whole and len(sums.missing_leaves()) == 655_360 * 7 // 8


def test_the_digest_is_that_of_the_file(tmp_path):
    """Leaves that lie across two ranges are read from the part."""
    body = os.urandom(2 * LEAF + 1000)
    large = Large(Tree(str(tmp_path / "d")),
                  Job("survey", "b", "k", "v", "e", len(body), -1, "b/k"),
                  Outcome("surveyed", size=len(body), etag="e"), 2)
    assert large.hold()
    large.start()
    os.pwrite(large.fd, body, 0)
    first = Digest()
    first.update(body[:LEAF])
    large.sums.put_leaf(0, first.all_leaves()[0])
    assert large.sums.missing_leaves() == [1, 2] and large.digest() == digest_of(body)
    large.discard()
    assert os.listdir(large.tree.parts) == []


@pytest.mark.parametrize("line,wanted", [(b'{"start": 1}\n', {"start": 1}), (b"1\n", None),
                                         (b'{"start": {}}\n', None), (b"", None)])
def test_notes(line, wanted):
    """Dictionaries of ours, or nothing."""
    assert parse_note(line) == wanted


@pytest.mark.parametrize("told, likely, kept", [(0, 0, True), (0, 3 << 20, True),
                                                (2 << 20, 0, False)])
def test_a_run_that_goes_on_hashes_by_the_same_part_size(tmp_path, monkeypatch, told, likely, kept):
    """What was likely then is likely now; where S3 tells another one the ranges come anew."""
    monkeypatch.setattr(module, "step_of", lambda *_: 4 << 20)
    monkeypatch.setattr(module, "RANGE_LEAST", 1 << 20)
    size = 8 << 20
    claim = etag_claim("0" * 32 + "-2", size)

    def begun(claim, likely):
        large = Large(Tree(str(tmp_path / "d")), Job("survey", "b", "k", "v", "e", size, -1, "b/k"),
                      Outcome("surveyed", size=size, etag="e", claim=claim), 2, likely=likely)
        assert large.hold()
        large.start()
        return large, large.next_job()

    large, job = begun(claim, 4 << 20)
    large.received(Outcome("received", moved=4 << 20, pieces=pieces_of(job)))
    large.drop()
    large, again = begun(claim.with_part_size(told) if told else claim, likely)
    assert (again.pieces is not None) == kept
    assert again.claim.part_size == (4 << 20 if kept else told)
