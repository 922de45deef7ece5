"""A large object in the parent: its ranges, handed out, joined and named."""

import json
import os

from s3kit.disk import durable, lock
from s3kit.disk.tree import part_name, settle
from s3kit.proof.checksums import combine_crc
from s3kit.proof.claims import is_met
from s3kit.proof.digest import LEAF, Digest, join_leaves
from s3kit.s3.headers import is_crc
from s3kit.transfer.job import FETCHED
from s3kit.transfer.ranges import FEW_LEAVES, NOTE_BYTES
from s3kit.transfer.sizes import RANGE_LEAST, ranges_of


class Large:
    """A large object in the parent's hands: holds the part file, hands out ranges, puts the sums together.

    `start` returns the Jobs of its ranges; each answer goes to `received`; when `is_whole`, `proof` says
    what the bytes are worth, and `name` gives the file its place. The journal beside the part file
    notes every range received, so that a killed run is resumed inside the object.
    """

    def __init__(self, tree, job, survey, jobs):
        self.tree, self.survey = tree, survey
        self.claim = survey.claim
        self.job = job._replace(size=survey.size, etag=job.etag or survey.etag, version_id=job.version_id,
                                claim=self.claim)
        self.part = part_name(job.bucket, job.key, job.version_id, self.job.etag)
        self.journal = f"{self.part}.journal"
        self.jobs = jobs
        self.fd = self.log = None
        self.done = {}
        self.moved = 0

    def hold(self):
        """Take the part file; return whether it is ours. Raises OSError, as for want of space."""
        self.fd = lock.hold(self.part, self.tree.parts)
        return self.fd is not None

    def start(self):
        """Return the Jobs of all ranges, those of an earlier run with what it noted."""
        size = self.job.size
        lock.clear(self.journal, self.tree.parts)
        noted, step = self.read_journal()
        if os.fstat(self.fd).st_size != size:
            noted = {}
            os.ftruncate(self.fd, 0)
            os.posix_fallocate(self.fd, 0, size)
        spans = [(at, min(at + step, size)) for at in range(0, size, step)] if noted else None
        spans = spans or ranges_of(size, self.claim.part_size, self.jobs)
        self.log = os.open(self.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600,
                           dir_fd=self.tree.parts)
        if not noted:
            os.ftruncate(self.log, 0)
            self.note({"step": spans[0][1]})
        inode = os.fstat(self.fd).st_ino
        self.wanted = len(spans)
        return [self.job._replace(kind="range", path=self.part, start=start, end=end, inode=inode,
                                  pieces=noted.get((start, end))) for start, end in spans]

    def read_journal(self):
        """Return ({(start, end): pieces}, step) of an earlier run; nothing where it cannot be read."""
        noted, step = {}, 0
        try:
            fd = os.open(self.journal, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self.tree.parts)
        except OSError:
            return {}, 0
        with os.fdopen(fd, "rb") as lines:
            while line := lines.readline(NOTE_BYTES):
                try:
                    said = json.loads(line)
                    step = said.get("step", step)
                    if "start" in said:
                        noted[said["start"], said["end"]] = said
                except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
                    break       # cut by the crash, or what lay there on the disk before
        return (noted, step) if type(step) is int and step > RANGE_LEAST // 2 else ({}, 0)

    def note(self, said):
        """Append one line to the journal."""
        os.write(self.log, (json.dumps(said) + "\n").encode())

    def received(self, outcome):
        """Take a range's sums."""
        pieces = outcome.pieces
        if outcome.moved:
            self.note(pieces)
        self.moved += outcome.moved
        self.done[pieces["start"]] = pieces

    @property
    def is_whole(self):
        """Whether all ranges have come."""
        return len(self.done) == self.wanted

    def needs_reading(self):
        """Return the Job that reads the whole file for its check, or None where the sums are enough."""
        claim = self.claim
        enough = is_crc(claim) or claim.kind == "none" or (claim.kind == "parts" and claim.part_size)
        if enough and len(self.missing_leaves()) <= FEW_LEAVES:
            return None
        return self.job._replace(kind="check", path=self.part, inode=os.fstat(self.fd).st_ino)

    def proof(self):
        """Return (proof, digest) from the sums alone; proof as Check.proof gives it."""
        claim, pieces = self.claim, [self.done[start] for start in sorted(self.done)]
        if is_crc(claim):
            value = 0
            for piece in pieces:
                value = combine_crc(claim.algorithm, value, piece["crc"], piece["end"] - piece["start"])
            met = value.to_bytes(len(claim.expected), "big") == claim.expected
        else:
            met = claim.kind == "none" or is_met(claim, [bytes.fromhex(part) for piece in pieces for part in piece["parts"]])
        return claim.proof if met else "", self.digest()

    def leaves(self):
        """Return {number: digest} of the leaves that lie within ranges."""
        return {int(number): bytes.fromhex(leaf) for piece in self.done.values() for number, leaf in piece["leaves"].items()}

    def missing_leaves(self):
        """Return the numbers of the leaves that lie across two ranges."""
        have = self.leaves()
        return [number for number in range(-(-self.job.size // LEAF)) if number not in have]

    def digest(self):
        """Return our digest of the file; leaves across two ranges are read."""
        leaves = self.leaves()
        for number in self.missing_leaves():
            leaf = Digest()
            leaf.update(os.pread(self.fd, LEAF, number * LEAF))
            leaves[number] = leaf.all_leaves()[0]
        return join_leaves([leaves[number] for number in sorted(leaves)])

    def name(self, proof, digest, mode):
        """Give the file its place; return the Outcome. Raises OSError or Fault."""
        mtime = self.job.mtime_ns if self.job.mtime_ns >= 0 else self.survey.mtime_ns
        path, status = settle(self.tree, self.part, self.fd, self.job.path, self.job.size, mtime, mode)
        durable.unlink(self.journal, self.tree.parts)
        self.drop()
        return self.survey._replace(state=FETCHED, path=path, digest=digest, proof=proof, mtime_ns=status.st_mtime_ns,
                                    inode=status.st_ino, device=status.st_dev, moved=self.moved)

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
