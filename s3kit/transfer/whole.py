"""One object, from S3 to its part file: lock, write, hash. Runs in the workers, many at once.

`Work` is what the pool gets: called with a batch it answers the batch, as any Executor would have
it; our own pool asks it for its `engine` instead, so that there is no gap between one batch and the
next.
"""
import os

from s3kit.disk import durable, lock
from s3kit.disk.direct_io import Blocks
from s3kit.disk.durable import write_all
from s3kit.disk.tree import part_name
from s3kit.errors import Fault
from s3kit.proof.checksums import FULL_OBJECT
from s3kit.proof.claims import NO_CLAIM, part_size_of
from s3kit.s3.headers import (
    claim_in,
    claim_of_part,
    clean_etag,
    described,
    part_in,
    version_in,
)
from s3kit.transfer import present
from s3kit.transfer.body import Body, unmet
from s3kit.transfer.job import AGAIN, BIG, FETCHED, HELD, NAMED, UNCHANGED, WRITTEN, Outcome
from s3kit.transfer.sizes import LARGE, SMALL
from s3kit.transfer.task import Task, outcome_of
from s3kit.transfer.unnamed import Complete
from s3kit.units import number


class Fetch(Task):
    """The whole object in one request, into its part file, which is named later: see `unnamed`."""

    size = -1

    def begin(self):
        """Hold the part file; take over a file that is there and right; else ask for the object."""
        job, tree = self.job, self.engine.tree
        self.part = part_name(job.bucket, job.key, job.version_id, job.etag)
        self.body, self.wrong = None, ""
        self.is_asked, self.claim = False, NO_CLAIM     # for the size of parts
        self.fd = tree.hold_part(self.part)
        if self.fd is None:
            self.fail(HELD, "another process is fetching it")
        else:
            self.look()

    def look(self):
        """See what is there, and ask S3 for the rest."""
        if not self.is_there():
            self.ask_first()

    def is_there(self, headers=None):
        """Take over what is there already; return whether S3 need not be asked for it. `headers`
        are those of its answer about the object, if it was asked.
        """
        engine = self.engine
        found = present.in_place(engine.tree, self.job, self.part, self.fd, engine.buffer)
        if found and headers:
            found = self.described(headers, found)
        if found and found.state == WRITTEN:
            self.keep(found, self.job.mtime_ns)
        elif found:
            self.end(found)
        return found is not None

    def ask_first(self):
        """Ask for the size of the parts where the check needs it, else for the object."""
        (self.ask_part if may_need_parts(self.job) and self.tells_parts() else self.ask)()

    def ask_part(self):
        """Ask for the size of the first part."""
        self.step, self.is_asked = "part", True
        self.send("HEAD", "partNumber=1")

    def ask(self):
        """Send the GET."""
        job = self.job
        self.step = "get"
        empty(self.fd)
        if 0 <= job.size <= SMALL:
            self.send(most=job.size)
        else:
            self.send(sink=self.receive, most=job.size if job.size >= 0 else None)

    def receive(self, transfer, data):
        """Take a piece of a body too long for memory: write it, hash it."""
        if self.body is None:
            self.wrong = self.wrong or self.fault_of(transfer, self.job.size)
            if self.wrong:
                return -1
            if not self.prepare(transfer.headers):
                return -1
            self.blocks = Blocks(self.fd, 0, self.body.update, self.engine.spare)
        return self.write(transfer, data)

    def prepare(self, headers):
        """Choose the check from the headers; return False for what must be surveyed first.

        That is an object whose row did not say that it is large, or made of parts: guessing their
        size may prove nothing. Where the server does not tell it the likeliest one is tried.
        """
        length = number(headers.get("content-length", ""))
        self.size = self.job.size if length is None else length
        claim = claim_in(headers, self.size)
        is_large = self.job.size < 0 and self.size >= LARGE
        is_parts = (claim.has_many_parts and self.size > SMALL and not self.is_asked
                    and self.tells_parts())
        if is_large or is_parts:
            self.wrong = BIG
            return False
        if claim.kind == "parts" and self.claim.part_size:
            claim = claim.with_part_size(self.claim.part_size)
        self.body = Body(claim, self.size, self.engine.part_sizes.get(self.job.bucket, 0))
        return True

    def answered(self, transfer):
        """Take an answer: of the question for the part size, or of the GET."""
        headers = transfer.headers
        if self.step == "part":
            self.take_part(transfer)
            return
        if self.oserror:
            raise self.oserror
        if self.wrong == BIG:
            self.begin_as_large(headers)
        elif self.wrong:
            self.fail(AGAIN, self.wrong)
        elif self.job.unless and transfer.status == 304:
            self.fail(UNCHANGED, "")
        elif not self.is_refused(transfer):
            self.wrong = self.fault_of(transfer, self.job.size)
            if not self.wrong and self.body is None:
                self.take_body(transfer)
            elif not self.wrong:
                self.blocks.end()
            self.wrong = self.wrong or short(
                self.moved, self.job.size if self.job.size >= 0 else self.size)
            if self.wrong:
                self.fail(AGAIN, self.wrong)
            else:
                self.complete(headers)

    def take_part(self, transfer):
        """Take the size of the first part, perhaps when the bytes have come and prove nothing.

        Parts that cannot all be of that size are all asked for.
        """
        self.heed_part(transfer, self.job.size, number(self.job.etag.partition("-")[2]))
        self.claim = claim_of_part(self.job, transfer)
        is_told = part_in(transfer, self.job.size)[0] is not None
        if self.body and not is_told:
            self.finish("size")
        elif is_told and (self.body or self.claim.kind == "parts" and not self.claim.part_size):
            self.size = self.job.size
            self.begin_as_large(transfer.headers)
        else:
            self.ask()

    def begin_as_large(self, headers):
        """End: it must be surveyed first."""
        self.fail(BIG, "", size=self.size, etag=clean_etag(headers),
                  version_id=version_in(headers))

    def take_body(self, transfer):
        """Write and hash a body that came in memory (or was empty)."""
        if not self.prepare(transfer.headers):
            return
        body = transfer.body
        self.moved += len(body)
        self.engine.spend(transfer, len(body))
        write_all(self.fd, body)
        self.body.take(body)

    def complete(self, headers):
        """Judge a whole object: are its parts of one size at all, if they do not match?"""
        self.headers, claim = headers, self.body.claim
        proof = self.body.proof(self.fd, self.engine.buffer)
        if not proof and claim.has_many_parts:
            self.begin_as_large(headers)
        elif proof == "size" and claim.has_many_parts and self.size > SMALL and not self.is_asked:
            self.ask_part()
        else:
            self.finish(proof)

    def finish(self, proof):
        """Keep the part file until it may have its name.

        The same bytes, twice, that do not meet a derived claim are the object's.
        """
        job, claim, digest = self.job, self.body.claim, self.body.digest_text()
        if claim.has_many_parts and (part_size := part_size_of(proof)):
            self.engine.part_sizes[job.bucket] = part_size
        proof = claim.proof_by(proof, digest, job.suspect)
        if not proof:
            self.end(unmet(claim, digest)._replace(moved=self.moved))
            return
        outcome = Outcome(WRITTEN, size=self.moved, moved=self.moved, proof=proof, digest=digest)
        self.keep(self.described(self.headers, described(self.headers, outcome)),
                  self.mtime_in(self.headers))

    def keep(self, outcome, mtime_ns):
        """End with a part file that waits for its name; where the system lets us hold no more of
        them its bytes are flushed now, and it gets its name.
        """
        complete = Complete(self.part, self.fd, self.job.path, outcome.size, mtime_ns)
        unnamed = self.engine.unnamed
        is_full = unnamed.is_full
        if is_full:
            durable.sync_data(self.fd)
        unnamed.keep(complete)
        self.part = self.fd = None
        if is_full:
            path, inode, mtime_ns = unnamed.name(complete.part)
            self.end(outcome._replace(state=FETCHED, path=path, inode=inode, mtime_ns=mtime_ns))
        else:
            self.end(outcome._replace(path=complete.part, holder=os.getpid()))

    def drop(self):
        """Let go of the part file; if it is still there it is no use to anyone: remove it first."""
        if self.fd is not None:
            try:
                if self.part and lock.is_named(self.fd, self.part, self.engine.tree.parts):
                    self.engine.tree.remove_part(self.part)
            except OSError:
                # a disk that has failed, or may not be written to any more: the next run sweeps up
                pass
            super().drop()


def short(moved, wanted):
    """Return why the number of bytes that came is wrong, or ''; -1 are wanted where none is known.
    """
    return f"{moved} bytes came, not {wanted}" if 0 <= wanted != moved else ""


def empty(fd):
    """Remove what an open file holds; a new one, as most are, is left as it is."""
    if os.fstat(fd).st_size:
        os.ftruncate(fd, 0)


def may_need_parts(job):
    """Return whether a Job's object has parts that its check may need the size of."""
    return (job.size > SMALL and job.checksum_type != FULL_OBJECT
            and number(job.etag.partition("-")[2]) not in (None, 1))


class Name(Task):
    """Names parts that this worker holds, in a Job whose `pieces` are their names.

    The outcome's `pieces` are for each part (path, inode, mtime_ns), or the Outcome of one that
    cannot be named.
    """

    is_local = True

    def begin(self):
        """Name them all."""
        self.end(Outcome(NAMED, pieces=[self.name(part) for part in self.job.pieces]))

    def name(self, part):
        """Name one."""
        path = self.engine.unnamed.held[part].path
        try:
            return self.engine.unnamed.name(part)
        except (OSError, Fault) as error:
            return outcome_of(error, path)
