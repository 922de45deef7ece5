"""What the bytes of a large object are worth, when all its ranges have come."""

from s3kit.disk.tree import NO_TIME
from s3kit.fetch.sweeping import clear_part
from s3kit.proof.claims import part_size_of
from s3kit.transfer import job as jobs
from s3kit.transfer.body import unmet
from s3kit.transfer.present import give_time


class Proving:
    """What `objects` (LargeObjects) do with an object that has come: judge it by its ranges' sums,
    else have it read, by the sizes of its parts if S3 tells them.
    """

    def __init__(self, objects):
        self.objects, self.fetching, self.stage = objects, objects.fetching, objects.stage
        self.part_sizes = {}            # bucket: the part size of the last object proven by one

    def come(self, errand):
        """All ranges have come: judge them, or have the file read. Raises OSError."""
        found = errand.large.by_sums()
        if found:
            self.finish(errand, *found)
        else:
            self.read(errand)

    def read(self, errand):
        """Have a worker read the part file for its check."""
        job = errand.large.reading_job()
        self.stage.send(errand, job, job.size)

    def checked(self, errand, outcome):
        """A finished part, or a file found in its place, was read."""
        if errand.large:
            self.finish(errand, outcome.proof, outcome.digest)
        elif outcome.proof in ("", "size"):
            self.objects.begin(errand)
        else:
            clear_part(self.fetching.tree, self.objects.large_of(errand).part)
            self.adopt(errand, outcome)

    def adopt(self, errand, outcome):
        """Take a file that was found in its place, and read; it gets its time."""
        job, mtime_ns = errand.job, outcome.mtime_ns
        if job.mtime_ns not in (NO_TIME, mtime_ns):
            try:
                status = give_time(
                    self.fetching.tree, job.path, lambda there: (
                        there.st_ino, there.st_mtime_ns) == (outcome.inode, mtime_ns), job.mtime_ns)
            except OSError as error:
                self.objects.cannot(errand, "give the file its time", error)
                return
            mtime_ns = status.st_mtime_ns if status else mtime_ns
        self.fetching.take_file(errand, errand.survey._replace(
            state=jobs.FETCHED, path=job.path, digest=outcome.digest, proof=outcome.proof,
            mtime_ns=mtime_ns, inode=outcome.inode))

    def finish(self, errand, proof, digest):
        """Have a large object named when its bytes are on the disk, or begin again if they are
        wrong.

        Where its parts were only taken to be of one size, or that was not found, S3 is asked for
        their sizes first.
        """
        large = errand.large
        claim, job = large.claim, errand.job
        if proof in ("", "size") and claim.has_many_parts and job.kind != "parts":
            errand.job, large.found = job._replace(kind="parts"), (proof, digest)
            self.stage.send(errand)
            return
        if claim.has_many_parts and (part_size := part_size_of(proof)):
            self.part_sizes[job.bucket] = part_size
        proof = claim.proof_by(proof, digest, job.suspect)
        if not proof:
            self.objects.discard(errand)
            self.fetching.try_again(errand, unmet(claim, digest))
            return
        self.fetching.naming.wait(errand, errand.survey._replace(
            state=jobs.WRITTEN, digest=digest, proof=proof, moved=large.moved))

    def measured(self, errand, outcome):
        """S3 was asked for the sizes of all parts of an object that has come: read it by them, if
        they are news.
        """
        large = errand.large
        is_news, large.claim = large.claim != outcome.claim, outcome.claim
        if is_news:
            self.read(errand)
        else:
            self.finish(errand, *large.found)
