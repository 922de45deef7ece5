"""Large objects in ranges that any worker can take, resumed range by range, checked as a whole."""
import os

from s3kit.disk.direct_io import Blocks, go_direct
from s3kit.proof.checksums import Crc
from s3kit.proof.claims import Check, Parts
from s3kit.proof.digest import LEAF, Digest
from s3kit.proof.given import Given
from s3kit.s3.headers import is_crc
from s3kit.transfer.engine import READ
from s3kit.transfer.job import AGAIN, CHECKED, RECEIVED, UNDIVIDED, Outcome
from s3kit.transfer.task import Task

NOTE_BYTES = 4 << 20        # that a line of the journal may have
FEW_LEAVES = 16             # leaves that the parent may read itself


class Sums:
    """All that is noted of a range's bytes: enough to check the whole object without reading it
    again.
    """

    def __init__(self, job):
        claim = job.claim
        self.job = job
        self.crc = Crc(claim.algorithm) if is_crc(claim) else None
        self.parts = Parts(claim.algorithm,
                           claim.part_size) if claim.kind == "parts" and claim.part_size else None
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

    A range that an earlier run noted is read back first: if the bytes are what was noted, nothing
    is asked of S3. So nothing has to be flushed while an object is under way.
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
        self.engine.read += len(data)
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
        self.sums, self.wrong, self.is_ignored = Sums(job), "", False
        self.blocks = Blocks(self.fd, job.start, self.sums.update, self.engine.spare)
        self.send(headers=[] if self.is_all else [f"Range: bytes={job.start}-{job.end - 1}"],
                  sink=self.receive, most=job.end - job.start)

    @property
    def is_all(self):
        """Whether the range is the whole object, so that nobody need heed one."""
        return not self.job.start and self.job.end == self.job.size

    def receive(self, transfer, data):
        """Take a piece of the range."""
        if not self.moved:
            self.wrong = self.range_fault(transfer)
        if self.wrong:
            return -1
        return self.write(transfer, data)

    def range_fault(self, transfer):
        """Return why the answer is not the range that was asked for, or ''.

        Some servers answer a range with 200; what counts is Content-Range
        (https://github.com/johannesboyne/gofakes3/pull/121).
        """
        job = self.job
        wanted = "" if self.is_all else f"bytes {job.start}-{job.end - 1}/{job.size}"
        got = transfer.headers.get("content-range", "")
        if transfer.status == 200 and not got and wanted and not self.fault_of(transfer, job.size):
            self.is_ignored = True
            return "the server does not heed ranges: it sends all of the object"
        status = 200 if self.is_all or transfer.status == 200 and got else 206
        wrong = self.fault_of(transfer, job.end - job.start, status)
        return wrong or (f"S3 sends '{got}', not '{wanted}'" if got != wanted else "")

    def answered(self, transfer):
        """End with what was received."""
        job = self.job
        if self.oserror:
            raise self.oserror
        if transfer.errno and transfer.status == 200 and not self.moved:
            self.wrong = self.range_fault(transfer)     # libcurl takes no more than it may
        if self.wrong:
            self.fail(UNDIVIDED if self.is_ignored else AGAIN, self.wrong)
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
    """A file's bytes against a claim, a few megabytes at a time so that the network is not kept
    waiting.
    """

    does = "read"

    def begin(self):
        """Begin to read."""
        job = self.job
        self.fd = self.open()
        if job.direct:
            go_direct(self.fd)
        self.at = 0
        self.check, self.digest = Check(job.claim, job.size), Digest()
        self.given = Given(job.given) if job.given else None
        self.engine.reading.append(self)

    def open(self):
        """Return a descriptor of the part (its inode is given) or the file."""
        job, tree = self.job, self.engine.tree
        if job.inode:
            return os.open(job.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=tree.parts)
        return tree.reader(job.path)

    def step(self):
        """Hash the next bytes."""
        buffer = self.engine.buffer()
        got = os.preadv(self.fd, [buffer], self.at)
        data = memoryview(buffer)[:got]
        self.at += got
        self.engine.read += got
        self.check.update(data)
        self.digest.update(data)
        if self.given:
            self.given.update(data)
        if got and (got == len(buffer) or self.at < self.job.size):
            self.engine.reading.rotate(-1)
            return
        status = os.fstat(self.fd)
        proof = self.check.proof() if self.at == self.job.size else ""
        self.end(Outcome(CHECKED, size=self.at, proof=proof, digest=self.digest.text(),
                         mtime_ns=status.st_mtime_ns, inode=status.st_ino,
                         meets_given=self.given.is_met() if self.given else None))

    def answered(self, transfer):
        """Never called: nothing is asked of S3."""

    def drop(self):
        """Leave the readers' queue."""
        if self in self.engine.reading:
            self.engine.reading.remove(self)
        super().drop()
