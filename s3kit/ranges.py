"""Large objects in ranges that any worker can take, resumed range by range, checked as a whole."""

import fcntl
import json
import os

from s3kit import durable, lock
from s3kit.answer import claim_in, claim_of_part, described, is_archived, is_crc, modified_ns
from s3kit.blocks import Blocks
from s3kit.digest import LEAF, Check, Crc, Digest, Parts, combine_crc, is_met, join_leaves
from s3kit.engine import AGAIN, ARCHIVED, CHECKED, FETCHED, READ, RECEIVED, SURVEYED, Outcome, Task
from s3kit.plan import RANGE_LEAST, ranges_of
from s3kit.tree import part_name, settle

NOTE_BYTES = 4 << 20        # that a line of the journal may have
FEW_LEAVES = 16             # leaves that the parent may read itself


class Survey(Task):
    """What S3 says of a large object before its ranges are shared out."""

    def begin(self):
        """Ask for the object's headers."""
        self.step = "head"
        self.send("HEAD")

    def answered(self, transfer):
        """Take the headers; ask for the part size where the check needs it, for the reason on an error."""
        job, headers = self.job, transfer.headers
        if self.step == "part":
            self.claim = claim_of_part(self.job, transfer, self.claim)
            self.ready()
        elif self.step == "why":
            if not self.is_refused(transfer):
                self.fail(AGAIN, "S3 does not answer HEAD")
        elif transfer.status >= 300 and not job.url:
            self.step = "why"       # an answer to HEAD has no body to say what is wrong
            self.send(headers=["Range: bytes=0-0"])
        elif not self.is_refused(transfer):
            wrong = self.fault_of(transfer, job.size)
            size = headers.get("content-length", "")
            if wrong or not size.isdigit():
                self.fail(AGAIN, wrong or "S3 does not say the object's size")
                return
            if is_archived(headers):
                self.fail(ARCHIVED, f"the object is in {headers['x-amz-storage-class']}")
                return
            self.headers, self.claim = headers, claim_in(headers, int(size))
            if self.claim.kind == "parts" and not self.claim.part_size and not job.url:
                self.step = "part"
                self.send("HEAD", "partNumber=1")
            else:
                self.ready()

    def ready(self):
        """End: the parent knows all it needs."""
        self.end(described(self.headers, Outcome(SURVEYED, size=int(self.headers["content-length"]), claim=self.claim,
                                                 mtime_ns=modified_ns(self.headers))))


class Sums:
    """All that is noted of a range's bytes: enough to check the whole object without reading it again."""

    def __init__(self, job):
        claim = job.claim
        self.job = job
        self.crc = Crc(claim.algorithm) if is_crc(claim) else None
        self.parts = Parts(claim.algorithm, claim.part_size) if claim.kind == "parts" and claim.part_size else None
        self.leaves, self.skip = Digest(), -job.start % LEAF

    def update(self, data):
        """Take the next bytes."""
        if self.crc:
            self.crc.update(data)
        if self.parts:
            self.parts.update(data)
        if self.skip:
            before = min(self.skip, len(data))
            data, self.skip = memoryview(data)[before:], self.skip - before
        if data:
            self.leaves.update(data)

    def pieces(self):
        """Return the sums as they go into the journal: JSON's types only."""
        job = self.job
        first = -(-job.start // LEAF)
        whole = self.leaves.all_leaves() if job.end == job.size else self.leaves.leaves
        return {"start": job.start, "end": job.end, "crc": self.crc.value if self.crc else 0,
                "parts": [part.hex() for part in self.parts.all_parts()] if self.parts else [],
                "leaves": {str(first + number): leaf.hex() for number, leaf in enumerate(whole)}}


class Range(Task):
    """Bytes `start` to `end` of a large object, into its part file, which the parent holds.

    A range that an earlier run noted is read back first: if the bytes are what was noted, nothing is
    asked of S3. So nothing has to be flushed while an object is under way.
    """

    def begin(self):
        """Open the part file; look at what is there, or ask for the range."""
        job, tree = self.job, self.engine.tree
        self.fd = os.open(job.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=tree.parts)
        if os.fstat(self.fd).st_ino != job.inode:
            self.fail(AGAIN, "the part file was replaced")
            return
        self.at, self.sums = job.start, Sums(job)
        if job.pieces:
            self.engine.reading.append(self)
        else:
            self.ask()

    def step(self):
        """Read on in a range that was noted; in the end believe it or ask for it."""
        job = self.job
        data = os.pread(self.fd, min(READ, job.end - self.at), self.at)
        self.sums.update(data)
        self.at += len(data)
        if data and self.at < job.end:
            self.engine.reading.rotate(-1)
            return
        self.engine.reading.remove(self)
        if self.sums.pieces() == job.pieces:
            self.end(Outcome(RECEIVED, pieces=job.pieces))
        else:
            self.ask()

    def ask(self):
        """Send the GET for the range."""
        job = self.job
        self.sums, self.wrong = Sums(job), ""
        self.blocks = Blocks(self.fd, job.start, self.sums.update, self.engine.spare)
        self.send(headers=[f"Range: bytes={job.start}-{job.end - 1}"], sink=self.receive, most=job.end - job.start)

    def receive(self, transfer, data):
        """Take a piece of the range."""
        if not self.moved:
            self.wrong = self.range_fault(transfer)
        if self.wrong:
            return -1
        return self.write(transfer, data)

    def range_fault(self, transfer):
        """Return why the answer is not the range that was asked for, or ''."""
        job = self.job
        wanted = f"bytes {job.start}-{job.end - 1}/{job.size}"
        got = transfer.headers.get("content-range", "")
        wrong = self.fault_of(transfer, job.end - job.start, status=206)
        return wrong or (f"S3 sends '{got}', not '{wanted}'" if got != wanted else "")

    def answered(self, transfer):
        """End with what was received."""
        job = self.job
        if self.oserror:
            raise self.oserror
        if self.wrong:
            self.fail(AGAIN, self.wrong)
        elif not self.is_refused(transfer):
            if self.moved != job.end - job.start:
                self.fail(AGAIN, f"{self.moved} bytes came, not {job.end - job.start}")
            else:
                self.blocks.end()
                self.end(Outcome(RECEIVED, moved=self.moved, pieces=self.sums.pieces()))

    def drop(self):
        """Leave the readers' queue and close the part file."""
        if self in self.engine.reading:
            self.engine.reading.remove(self)
        super().drop()


class Reading(Task):
    """A file's bytes against a claim, a few megabytes at a time so that the network is not kept waiting."""

    def begin(self):
        """Open the part (its inode is given) or the file."""
        job, tree = self.job, self.engine.tree
        if job.inode:
            self.fd = os.open(job.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=tree.parts)
        else:
            self.fd = tree.reader(job.path)
        if job.direct:
            go_direct(self.fd)
        self.at = 0
        self.check, self.digest = Check(job.claim, job.size), Digest()
        self.engine.reading.append(self)

    def step(self):
        """Hash the next bytes."""
        buffer = self.engine.buffer()
        got = os.preadv(self.fd, [buffer], self.at)
        data = memoryview(buffer)[:got]
        self.at += got
        self.check.update(data)
        self.digest.update(data)
        if got and (got == len(buffer) or self.at < self.job.size):
            self.engine.reading.rotate(-1)
            return
        status = os.fstat(self.fd)
        proof = self.check.proof() if self.at == self.job.size else ""
        self.end(Outcome(CHECKED, size=self.at, proof=proof, digest=self.digest.text(), mtime_ns=status.st_mtime_ns,
                         inode=status.st_ino, device=status.st_dev))

    def answered(self, transfer):
        """Never called: nothing is asked of S3."""

    def drop(self):
        """Leave the readers' queue."""
        if self in self.engine.reading:
            self.engine.reading.remove(self)
        super().drop()


def go_direct(fd):
    """Have an open file read from the disk, not from the page cache, which proves nothing (failures.md 0.3).

    O_DIRECT where the file system has it; else what is cached is flushed and dropped.
    """
    try:
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | getattr(os, "O_DIRECT", 0))
    except OSError:
        durable.sync_data(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


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
