"""A large object in the parent: its ranges, handed out, joined and named."""

import json
import os
from array import array

from s3kit.disk import durable, lock
from s3kit.disk.tree import NO_TIME, part_name, settle
from s3kit.proof.checksums import combine_crc
from s3kit.proof.claims import by_likeliest, candidates, is_met
from s3kit.proof.digest import LEAF, LEAF_BYTES, Digest, join_leaf_bytes
from s3kit.s3.headers import is_crc
from s3kit.transfer.ranges import FEW_LEAVES, NOTE_BYTES
from s3kit.transfer.sizes import RANGE_LEAST, step_of


class ObjectSums:
    """What is known of the bytes that have come: 16 bytes a leaf of our digest, 8 a range, and the
    parts' digests.

    Of an object of 5 TiB that is 12 MB.
    """

    def __init__(self, size, step):
        self.step = step
        self.leaves = bytearray(LEAF_BYTES * -(-size // LEAF))
        self.has_leaf = bytearray(-(-size // LEAF))
        self.has_range = bytearray(-(-size // step))
        self.crcs = array("Q", bytes(8 * len(self.has_range)))
        self.parts = {}             # number of a range: its parts' digests

    def add(self, pieces):
        """Take the sums of a range as a worker gives them (see ranges.Sums)."""
        number = pieces["start"] // self.step
        self.has_range[number] = 1
        self.crcs[number] = pieces["crc"]
        if pieces["parts"]:
            self.parts[number] = [bytes.fromhex(part) for part in pieces["parts"]]
        for leaf, digest in pieces["leaves"].items():
            self.put_leaf(int(leaf), bytes.fromhex(digest))

    def put_leaf(self, number, digest):
        """Take a leaf's digest."""
        self.leaves[number * LEAF_BYTES:(number + 1) * LEAF_BYTES] = digest
        self.has_leaf[number] = 1

    @property
    def is_whole(self):
        """Whether all ranges have come."""
        return self.has_range.count(1) == len(self.has_range)

    def missing_leaves(self):
        """Return the numbers of the leaves that lie across two ranges."""
        return [number for number, has in enumerate(self.has_leaf) if not has]

    def all_parts(self):
        """Return the parts' digests in order."""
        return [part for number in sorted(self.parts) for part in self.parts[number]]


class Large:
    """A large object in the parent's hands: holds the part file, hands out ranges, puts the sums
    together.

    After `start`, `next_job` returns the Job of one range after the other; each answer goes to
    `received`; when `is_whole`, `proof` says what the bytes are worth, and `name` gives the file
    its place. The journal beside the part file notes every range received, so that a killed run is
    resumed inside the object. With `is_undivided` there is one range, the whole object, for servers
    that know of none. `count` ranges there are, `sent` were handed out, `pending` are on
    their way, `unheeded` were answered with more than was asked for. `claim` is what S3 says of the
    bytes, `hashed` the same as ranges are hashed by it: perhaps with a part size that is only
    likely (`likely` as by_likeliest takes it). `found` is (proof, digest) of all that came, where
    S3 is asked for more before it is judged.
    """

    def __init__(self, tree, job, survey, jobs, is_undivided=False, likely=0):
        self.tree, self.survey = tree, survey
        self.claim = survey.claim
        self.hashed = by_likeliest(self.claim, survey.size, likely)
        self.job = job._replace(size=survey.size, etag=job.etag or survey.etag,
                                version_id=job.version_id)
        self.part = part_name(job.bucket, job.key, job.version_id, self.job.etag)
        self.journal = f"{self.part}.journal"
        self.jobs, self.is_undivided = jobs, is_undivided
        self.fd = self.log = self.found = None
        self.moved = self.count = self.sent = self.pending = self.unheeded = 0

    def hold(self):
        """Take the part file; return whether it is ours. Raises OSError, as for want of space."""
        self.fd = self.tree.hold_part(self.part)
        return self.fd is not None

    def start(self):
        """Make the part file as long as the object, and see what an earlier run noted.

        Raises OSError.
        """
        size = self.job.size
        lock.clear(self.journal, self.tree.parts)
        self.log = os.open(self.journal,
                           os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW,
                           0o600, dir_fd=self.tree.parts)
        self.noted, step, part_size = self.read_journal()
        if self.is_guessed:         # as the run before did
            self.hashed = by_likeliest(self.claim, size, part_size or self.hashed.part_size)
        if os.fstat(self.fd).st_size != size:
            self.noted = {}
            self.allocate(size)
        if not self.noted or self.is_undivided or part_size != self.hashed.part_size:
            self.noted, part_size = {}, self.hashed.part_size
            step = size if self.is_undivided else step_of(size, part_size, self.jobs)
            os.ftruncate(self.log, 0)
            self.note({"step": step, "part_size": part_size})
        self.inode = os.fstat(self.fd).st_ino
        self.sums = ObjectSums(size, step)
        self.count = -(-size // step)

    def allocate(self, size):
        """Give the part file room for so many bytes. Raises OSError."""
        os.ftruncate(self.fd, 0)
        os.posix_fallocate(self.fd, 0, size)
        if self.tree.network():
            # Where a server cannot allocate, the C library writes zeros (posix_fallocate(3)): they
            # must be there before a worker on another host writes over them.
            durable.sync_data(self.fd)

    def next_job(self):
        """Return the Job of the next range, with what an earlier run noted of it; None after the
        last.
        """
        if self.sent == self.count:
            return None
        start = self.sent * self.sums.step
        self.sent += 1
        end = min(start + self.sums.step, self.job.size)
        return self.job._replace(kind="range", path=self.part, start=start, end=end,
                                 inode=self.inode, claim=self.hashed,
                                 pieces=self.noted_pieces(start, end))

    def read_journal(self):
        """Return ({start: (offset, bytes) of its line}, step, part size) of an earlier run; nothing
        where it cannot be read.
        """
        noted, step, part_size, at = {}, 0, 0, 0
        with os.fdopen(os.dup(self.log), "rb") as lines:
            lines.seek(0)
            while line := lines.readline(NOTE_BYTES):
                said = parse_note(line)
                if said is None:
                    break       # cut by the crash, or what lay there on the disk before
                step, part_size = said.get("step", step), said.get("part_size", part_size)
                if "start" in said:
                    noted[said["start"]] = at, len(line)
                at += len(line)
        is_ours = type(step) is type(part_size) is int and step > RANGE_LEAST // 2
        return (noted, step, part_size) if is_ours and part_size >= 0 else ({}, 0, 0)

    def noted_pieces(self, start, end):
        """Return what an earlier run noted of a range, or None."""
        if start not in self.noted:
            return None
        at, length = self.noted[start]
        said = parse_note(os.pread(self.log, length, at))
        return said if said and said.get("end") == end else None

    def note(self, said):
        """Append one line to the journal."""
        os.write(self.log, (json.dumps(said) + "\n").encode())

    def received(self, outcome):
        """Take a range's sums. Raises OSError."""
        if outcome.moved:
            self.note(outcome.pieces)
        self.moved += outcome.moved
        self.sums.add(outcome.pieces)

    @property
    def is_whole(self):
        """Whether all ranges have come."""
        return self.sums.is_whole

    @property
    def is_guessed(self):
        """Whether ranges are hashed by a part size that nobody told."""
        return self.hashed.part_size != 0 and not self.claim.part_size

    def by_sums(self):
        """Return (proof, digest) from the sums of the ranges alone, proof as Check.proof gives it;
        None where the file must be read for its check (see `reading_job`).

        Raises OSError.
        """
        claim = self.hashed
        has_enough = is_crc(claim) or claim.kind == "none" or (claim.kind == "parts"
                                                               and claim.part_size)
        if not has_enough or len(self.sums.missing_leaves()) > FEW_LEAVES:
            return None
        met = (self.crc() == claim.expected if is_crc(claim)
               else claim.kind == "none" or is_met(claim, self.sums.all_parts()))
        if self.is_guessed and not met:
            others = candidates(self.job.size, claim.count) != [claim.part_size]
            return None if others else ("size", self.digest())
        return claim.proof if met else "", self.digest()

    def reading_job(self):
        """Return the Job that reads the whole file for its check."""
        return self.job._replace(kind="check", path=self.part, inode=self.inode, claim=self.claim)

    def crc(self):
        """Return the CRC of the object, combined from those of its ranges, as S3 has it."""
        claim, step, value = self.claim, self.sums.step, 0
        for number, crc in enumerate(self.sums.crcs):
            value = combine_crc(claim.algorithm, value, crc,
                                min(step, self.job.size - number * step))
        return value.to_bytes(len(claim.expected), "big")

    def digest(self):
        """Return our digest of the file; leaves across two ranges are read. Raises OSError."""
        for number in self.sums.missing_leaves():
            leaf = Digest()
            leaf.update(os.pread(self.fd, LEAF, number * LEAF))
            self.sums.put_leaf(number, leaf.all_leaves()[0])
        return join_leaf_bytes(self.sums.leaves)

    def name(self, mode):
        """Give the file its place; return (path, os.stat_result). Raises OSError or Fault."""
        mtime = self.job.mtime_ns if self.job.mtime_ns != NO_TIME else self.survey.mtime_ns
        named = settle(self.tree, self.part, self.fd, self.job.path, self.job.size, mtime, mode)
        durable.unlink(self.journal, self.tree.parts)
        self.drop()
        return named

    def discard(self):
        """Remove what came: it is not what S3 said."""
        durable.unlink(self.part, self.tree.parts)
        durable.unlink(self.journal, self.tree.parts)
        self.drop()

    def drop(self):
        """Let go; what came stays for the next run."""
        for fd in (self.fd, self.log):
            if fd is not None:
                os.close(fd)
        self.fd = self.log = None


def parse_note(line):
    """Return the dictionary in a line of the journal, or None of a line that is not one of ours."""
    try:
        said = json.loads(line)
        hash((said.get("start"), said.get("end")))
        return said
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
