"""Bytes that are there already are taken over where they are S3's, and only there."""

import hashlib
import mmap
import os

import pytest

from s3kit.disk import lock
from s3kit.disk.tree import Tree
from s3kit.transfer.job import FETCHED, WRITTEN, Job
from s3kit.transfer.present import file_in_place, give_time, part_in_place
from s3kit.transfer.unnamed import COMPLETE, PARTIAL

BODY = b"the bytes of S3"
ETAG = hashlib.md5(BODY).hexdigest()
TIME = 1_700_000_000_000_000_000


@pytest.fixture
def tree(tmp_path):
    """A destination."""
    return Tree(str(tmp_path / "d"))


def job_of(etag=ETAG, size=len(BODY), mtime_ns=TIME):
    """Return the Job of an object."""
    return Job("get", "b", "k", "v", etag, size, mtime_ns, "b/k")


def buffer():
    """Return memory to read into, aligned as reading past the cache needs it."""
    return mmap.mmap(-1, 1 << 16)


def put(tree, body):
    """Write the file at its final place."""
    path = os.path.join(tree.path, "b/k")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(body)
    return path


def test_a_file_with_s3_s_bytes(tree):
    """It gets S3's time; nothing has to be known of it but the ETag."""
    path = put(tree, BODY)
    found = file_in_place(tree, job_of(), buffer)
    assert (found.state, found.path, found.size, found.proof) == (FETCHED, "b/k", len(BODY),
                                                                  "etag-md5")
    assert found.mtime_ns == os.stat(path).st_mtime_ns == TIME
    assert found.inode == os.stat(path).st_ino and found.digest.startswith("xxh3-128:")


@pytest.mark.parametrize("body, etag", [
    (b"the bytes of s3", ETAG), (BODY, ""), (BODY, "not-an-md5"), (BODY, "0" * 32)])
def test_a_file_with_other_bytes_or_no_proof(tree, body, etag):
    """It is no use; its time stays."""
    path = put(tree, body)
    before = os.stat(path).st_mtime_ns
    assert file_in_place(tree, job_of(etag), buffer) is None
    assert os.stat(path).st_mtime_ns == before


def test_a_file_with_a_second_name(tree, tmp_path):
    """Its time is the other name's, too: it is not changed, and the object is fetched."""
    path = put(tree, BODY)
    os.link(path, tmp_path / "other")
    before = os.stat(path).st_mtime_ns
    assert file_in_place(tree, job_of(), buffer) is None
    assert os.stat(path).st_mtime_ns == before


def test_nothing_and_a_link_in_its_place(tree, tmp_path):
    """A link is never followed."""
    assert file_in_place(tree, job_of(), buffer) is None
    (tmp_path / "outside").write_bytes(BODY)
    os.mkdir(os.path.join(tree.path, "b"))
    os.symlink(tmp_path / "outside", os.path.join(tree.path, "b/k"))
    assert file_in_place(tree, job_of(), buffer) is None


def part(tree, body, mode):
    """Return the descriptor of a held part file."""
    fd = lock.hold("one.part", tree.parts)
    os.write(fd, body)
    os.fchmod(fd, mode)
    return fd


def test_a_part_that_was_complete(tree):
    """What a killed run had not named."""
    fd = part(tree, BODY, COMPLETE)
    found = part_in_place(tree, job_of(), "one.part", fd, buffer)
    assert (found.state, found.size, found.proof, found.moved) == (WRITTEN, len(BODY), "etag-md5",
                                                                   0)
    os.close(fd)


@pytest.mark.parametrize("body, mode, job", [
    (BODY, PARTIAL, job_of()), (BODY[:-1], COMPLETE, job_of()), (BODY.lower(), COMPLETE, job_of()),
    (BODY, COMPLETE, job_of(etag="")), (BODY, COMPLETE, job_of(mtime_ns=-1)),
    (b"", COMPLETE, job_of())])
def test_a_part_that_was_not(tree, body, mode, job):
    """It is marked as partial before it is written to again."""
    fd = part(tree, body, mode)
    assert part_in_place(tree, job, "one.part", fd, buffer) is None
    assert os.fstat(fd).st_mode & 0o777 == PARTIAL
    os.close(fd)


def test_a_file_gets_its_time(tree, tmp_path):
    """The one that is meant, where no other name has the same file; else nothing is done."""
    path = put(tree, BODY)
    os.utime(path, ns=(5, 5))
    assert give_time(tree, "b/k", lambda there: there.st_mtime_ns == 6, TIME) is None
    assert os.stat(path).st_mtime_ns == 5
    status = give_time(tree, "b/k", lambda there: there.st_mtime_ns == 5, TIME)
    assert status.st_mtime_ns == os.stat(path).st_mtime_ns == TIME
    os.link(path, tmp_path / "other")
    assert give_time(tree, "b/k", lambda there: True, 7) is None
    assert os.stat(path).st_mtime_ns == TIME
    os.unlink(path)
    os.mkfifo(path)
    assert give_time(tree, "b/k", lambda there: True, 7) is None
    os.unlink(path)
    with pytest.raises(FileNotFoundError):
        give_time(tree, "b/k", lambda there: True, 7)
