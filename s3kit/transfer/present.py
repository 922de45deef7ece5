"""Bytes of an object that are there already, so that S3 need not send them again.

A row that was lost with a crash, what another process has just finished, and what another tool left
are found so. What the cache has of a file that nobody recorded may never have reached the disk:
files are read from there.
"""

import os

from s3kit.disk.direct_io import go_direct
from s3kit.disk.tree import NO_TIME
from s3kit.errors import Fault
from s3kit.proof.claims import NO_CLAIM, Check, etag_claim
from s3kit.proof.digest import Digest
from s3kit.transfer.job import FETCHED, WRITTEN, Outcome
from s3kit.transfer.unnamed import PARTIAL, is_complete


def may_be_there(tree, job, held):
    """Return whether something may be the object of a Job: the file at its path, or its part file,
    held by the descriptor `held`.
    """
    if job.size < 0 or job.key.endswith("/"):
        return False
    there = tree.look(job.path)
    return there is not None and there.st_size == job.size or is_complete(os.fstat(held))


def in_place(tree, job, part, held, buffer):
    """Return the Outcome of the file at a Job's path, whose part file is removed then, or of its
    part file, held by the descriptor `held`; None where neither has S3's bytes.

    `buffer` is as file_in_place has it. Raises OSError.
    """
    if job.size < 0 or job.key.endswith("/"):
        return None
    there = tree.look(job.path)
    if there is not None and there.st_size == job.size:
        outcome = file_in_place(tree, job, buffer)
        if outcome:
            tree.remove_part(part)
            return outcome
    return part_in_place(tree, job, part, held, buffer)


def file_in_place(tree, job, buffer):
    """Return the Outcome of the file at a Job's path, or None where its bytes are not S3's.

    `buffer()` returns memory to read into, aligned to pages. The file gets the Job's time.
    Raises OSError.
    """
    if claim_of(job).kind == "none":
        return None
    try:
        fd = tree.reader(job.path)
    except (OSError, Fault):
        return None
    try:
        proof, digest = read_back(fd, job, buffer())
        there = os.fstat(fd)
        if not proof:
            return None
        if job.mtime_ns != NO_TIME and there.st_mtime_ns != job.mtime_ns:
            if there.st_nlink > 1:
                return None     # its time is that of another name, too, wherever that may be
            os.utime(fd, ns=(job.mtime_ns, job.mtime_ns))
            there = os.fstat(fd)
    finally:
        os.close(fd)
    return Outcome(FETCHED, path=job.path, size=job.size, etag=job.etag, version_id=job.version_id,
                   digest=digest, proof=proof, mtime_ns=there.st_mtime_ns, inode=there.st_ino)


def give_time(tree, path, is_meant, mtime_ns):
    """Give the file at a path its time; return its os.stat_result.

    None is returned, and nothing done, where `is_meant(os.stat_result)` says that it is another
    file, and where it has a second name, whose time that is, too. Raises OSError.
    """
    try:
        fd = tree.reader(path)
    except Fault:
        return None
    try:
        there = os.fstat(fd)
        if not is_meant(there) or there.st_nlink > 1:
            return None
        os.utime(fd, ns=(mtime_ns, mtime_ns))
        return os.fstat(fd)
    finally:
        os.close(fd)


def part_in_place(tree, job, part, held, buffer):
    """Return the Outcome of a part file, held by the descriptor `held`, that a run which was killed
    has completed; None where it has not.

    Raises OSError.
    """
    status = os.fstat(held)
    if not is_complete(status):
        return None
    os.fchmod(held, PARTIAL)
    if status.st_size != job.size or job.mtime_ns == NO_TIME or claim_of(job).kind == "none":
        return None
    fd = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=tree.parts)
    try:
        proof, digest = read_back(fd, job, buffer())
    finally:
        os.close(fd)
    return Outcome(WRITTEN, size=job.size, etag=job.etag, version_id=job.version_id, digest=digest,
                   proof=proof) if proof else None


def claim_of(job):
    """Return the Claim that a Job's ETag makes."""
    return etag_claim(job.etag, job.size) if job.etag else NO_CLAIM


def read_back(fd, job, buffer):
    """Return (proof, digest) of an open file's bytes; the proof is '' where they are not S3's, or
    nothing but their number tells.
    """
    go_direct(fd)
    proof, digest = hash_file(fd, claim_of(job), job.size, buffer)
    return "" if proof == "size" else proof, digest


def hash_file(fd, claim, size, buffer):
    """Return (proof, digest) of an open file's bytes, read into a buffer; proof as Check.proof
    gives it.
    """
    check, digest = Check(claim, size), Digest()
    with memoryview(buffer) as view:
        while got := os.readv(fd, [buffer]):
            check.update(view[:got])
            digest.update(view[:got])
    return check.proof(), digest.text()
