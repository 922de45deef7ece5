"""One object, from S3 to its file: lock, part, hash, rename. Runs in the workers, many at once.

`Work` is what the pool gets: called with a batch it answers the batch, as any Executor would have
it; our own pool asks it for its `engine` instead, so that there is no gap between one batch and the
next.
"""
import os

from s3kit.disk import durable, lock
from s3kit.disk.direct_io import Blocks, go_direct
from s3kit.disk.durable import write_all
from s3kit.disk.tree import part_name, settle
from s3kit.errors import Fault
from s3kit.proof.claims import NO_CLAIM, Check, etag_claim
from s3kit.proof.digest import Digest, digest_of
from s3kit.s3.headers import claim_in, claim_of_part, clean_etag, described, modified_ns
from s3kit.transfer.engine import Task
from s3kit.transfer.job import AGAIN, BIG, FETCHED, HELD, UNCHANGED, Outcome
from s3kit.transfer.sizes import LARGE, SMALL
from s3kit.units import number


class Fetch(Task):
    """The whole object in one request, through its part file to its name."""

    size = -1
    text = ""           # our digest of a body that came in memory

    def begin(self):
        """Hold the part file; take over a file that is there and right; else ask for the object."""
        job, tree = self.job, self.engine.tree
        self.part = part_name(job.bucket, job.key, job.version_id, job.etag)
        self.check = self.digest = None
        self.wrong = ""
        self.is_free = self.is_asked = False
        self.claim = NO_CLAIM
        self.fd = lock.hold(self.part, tree.parts)
        if self.fd is None:
            self.fail(HELD, "another process is fetching it")
        elif not self.is_there():
            count = job.etag.partition("-")[2]
            if (
                    count and count != "1" and job.checksum_type != "FULL_OBJECT"
                    and job.size > SMALL and not job.url):
                self.step, self.is_asked = "part", True
                self.send("HEAD", "partNumber=1")
            else:
                self.ask()

    def is_there(self):
        """Take over the file at the final place if it holds S3's bytes; return whether it does.

        So a file whose row was lost with a crash, that another process has just finished, or that
        another tool left, is not fetched again.
        """
        job, tree = self.job, self.engine.tree
        if job.size < 0 or job.key.endswith("/"):
            return False
        there = tree.look(job.path)
        self.is_free = there is None and not tree.folds
        if there is None or there.st_size != job.size:
            return False
        claim = etag_claim(job.etag, job.size) if job.etag else NO_CLAIM
        if claim.kind == "none":
            return False
        try:
            fd = tree.reader(job.path)
        except (OSError, Fault):
            return False
        try:
            # what the cache has of a file that nobody recorded may never have reached the disk
            go_direct(fd)
            proof, digest = hash_file(fd, claim, job.size, self.engine.buffer())
            there = os.fstat(fd)
            if proof in ("", "size"):
                return False
            if job.mtime_ns >= 0 and there.st_mtime_ns != job.mtime_ns:
                if there.st_nlink > 1:
                    return False  # its time is that of another name, too, wherever that may be
                os.utime(fd, ns=(job.mtime_ns, job.mtime_ns))
                there = os.fstat(fd)
        finally:
            os.close(fd)
        durable.unlink(self.part, tree.parts)
        self.end(Outcome(FETCHED, path=job.path, size=job.size, etag=job.etag,
                         version_id=job.version_id, digest=digest, proof=proof,
                         mtime_ns=there.st_mtime_ns, inode=there.st_ino, device=there.st_dev))
        return True

    def ask(self):
        """Send the GET."""
        job = self.job
        self.step = "get"
        os.ftruncate(self.fd, 0)
        if 0 <= job.size <= SMALL:
            self.send(most=job.size)
        else:
            self.send(sink=self.receive, most=job.size if job.size >= 0 else None)

    def receive(self, transfer, data):
        """Take a piece of a body too long for memory: write it, hash it."""
        if self.check is None:
            self.wrong = self.wrong or self.fault_of(transfer, self.job.size)
            if self.wrong:
                return -1
            if not self.prepare(transfer.headers):
                return -1
            self.digest = Digest()
            self.blocks = Blocks(self.fd, 0, self.see, self.engine.spare)
        return self.write(transfer, data)

    def see(self, data):
        """Hash a block."""
        self.check.update(data)
        self.digest.update(data)

    def prepare(self, headers):
        """Choose the check from the headers; return False for what must be surveyed first.

        That is an object whose row did not say that it is large, or made of parts: guessing their
        size may prove nothing.
        """
        length = number(headers.get("content-length", ""))
        self.size = self.job.size if length is None else length
        claim = claim_in(headers, self.size)
        is_large = self.job.size < 0 and self.size >= LARGE
        is_parts = (claim.kind == "parts" and claim.count != 1 and self.size > SMALL
                    and not self.is_asked)
        if (is_large or is_parts) and not self.job.url:
            self.wrong = BIG
            return False
        if claim.kind == "parts" and self.claim.part_size:
            claim = claim.with_part_size(self.claim.part_size)
        self.check = Check(claim, self.size)
        return True

    def answered(self, transfer):
        """Take an answer: of the question for the part size, or of the GET."""
        headers = transfer.headers
        if self.step == "part":
            self.claim = claim_of_part(self.job, transfer)
            self.ask()
            return
        if self.oserror:
            raise self.oserror
        if self.wrong == BIG:
            self.fail(BIG, "", size=self.size, etag=clean_etag(headers),
                      version_id=headers.get("x-amz-version-id", ""))
        elif self.wrong:
            self.fail(AGAIN, self.wrong)
        elif self.job.unless and transfer.status == 304:
            self.fail(UNCHANGED, "")
        elif not self.is_refused(transfer):
            self.wrong = self.fault_of(transfer, self.job.size)
            if not self.wrong and self.check is None:
                self.take_body(transfer)
            elif not self.wrong:
                self.blocks.end()
            self.wrong = self.wrong or self.short()
            if self.wrong:
                self.fail(AGAIN, self.wrong)
            else:
                self.complete(headers)

    def take_body(self, transfer):
        """Write and hash a body that came in memory (or was empty)."""
        if not self.prepare(transfer.headers):
            return
        body = transfer.body
        self.moved += len(body)
        self.engine.spend(transfer, len(body))
        write_all(self.fd, body)
        self.check.update(body)
        self.text = digest_of(body)

    def short(self):
        """Return why the number of bytes is wrong, or ''."""
        wanted = self.job.size if self.job.size >= 0 else self.size
        return (f"{self.moved} bytes came, not {wanted}" if wanted >= 0 and self.moved != wanted
                else "")

    def complete(self, headers):
        """Give a whole, checked object its name."""
        proof = self.check.proof()
        if not proof:
            self.fail(AGAIN, f"the bytes do not match S3's {self.check.claim.proof}")
            return
        moved, fd = self.moved, self.fd
        mtime = self.job.mtime_ns if self.job.mtime_ns >= 0 else modified_ns(headers)
        path, status = settle(self.engine.tree, self.part, fd, self.job.path, moved, mtime,
                              self.engine.mode, self.is_free)
        self.part = None
        self.end(described(headers, Outcome(FETCHED, path=path, size=moved,
                                            digest=self.text or self.digest.text(), proof=proof,
                                            mtime_ns=0 if path.endswith("/")
                                            else status.st_mtime_ns, inode=status.st_ino,
                                            device=status.st_dev, moved=moved)))

    def drop(self):
        """Let go of the part file; if it is still there it is no use to anyone: remove it first."""
        if self.fd is not None:
            try:
                if self.part and lock.is_named(self.fd, self.part, self.engine.tree.parts):
                    durable.unlink(self.part, self.engine.tree.parts)
            except OSError:
                # a disk that has failed, or may not be written to any more: the next run sweeps up
                pass
            super().drop()


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
