"""Large objects of s3-fetch: described by S3, shared out in ranges, joined, checked and named."""

from s3kit.disk.tree import NO_TIME
from s3kit.errors import Fault, reason
from s3kit.etags import is_same
from s3kit.fetch.proving import Proving
from s3kit.manifest import states
from s3kit.pipeline.pieces import NEVER, PieceErrand, PieceWindow
from s3kit.transfer import job as jobs
from s3kit.transfer.engine import current_umask
from s3kit.transfer.job import Outcome
from s3kit.transfer.large import Large
from s3kit.transfer.task import NO_SPACE


class RangeErrand(PieceErrand):
    """One range of a large object."""

    __slots__ = ()


class LargeObjects:
    """What `fetching` (the verb) does with objects that are fetched in ranges."""

    def __init__(self, fetching):
        self.fetching, self.stage, self.tree = fetching, fetching.stage, fetching.tree
        self.proving = Proving(self)
        self.workers = fetching.args.jobs
        self.window = PieceWindow(self.workers, fetching.args.connections)
        self.mode = 0o666 & ~current_umask()
        self.held = set()               # the Large of every object under way
        self.undivided = set()          # buckets whose server does not heed ranges

    def surveyed(self, errand, outcome):
        """S3 has described a large object: is it there already? else share out its ranges."""
        if errand.large:
            self.proving.measured(errand, outcome)
            return
        entry = errand.entry
        if entry is not None and not states.is_pinned(errand.row) and is_same(
                entry.etag, outcome.etag):
            self.fetching.deciding.keep_file(errand)
            return
        errand.survey = outcome
        at = NO_TIME if outcome.mtime_ns is None else outcome.mtime_ns
        errand.job = errand.job._replace(size=outcome.size, mtime_ns=at)
        there = self.tree.look(errand.job.path)
        if there is not None and there.st_size == outcome.size and outcome.claim.kind != "none":
            self.stage.send(errand,
                            errand.job._replace(kind="check", claim=outcome.claim, direct=True),
                            outcome.size)
        else:
            self.begin(errand)

    def begin(self, errand):
        """Hold the part file and send the first ranges."""
        large = self.large_of(errand)
        try:
            if not large.hold():
                self.fetching.wait_for_holder(errand)
                return
            large.start()
        except OSError as error:
            large.drop()
            self.cannot(errand, "make the part file", error)
            return
        errand.large = large
        self.held.add(large)
        self.send_ranges(errand)

    def large_of(self, errand):
        """Return the Large of an errand that was surveyed; nothing is held yet."""
        bucket = errand.job.bucket
        return Large(self.tree, errand.job, errand.survey, self.workers, bucket in self.undivided,
                     self.proving.part_sizes.get(bucket, 0))

    def send_ranges(self, errand):
        """Send ranges that have not been sent yet, while there is room; each in a batch of its own,
        for a batch is answered when all of it is done.
        """
        large = errand.large
        self.stage.flow.flush()
        while large.pending < self.window.allowed and (job := large.next_job()):
            large.pending += 1
            self.stage.send(RangeErrand(errand, job))
            self.stage.flow.flush()

    def range_answered(self, errand, outcome):
        """Take one range's outcome; after two that were not heeded the object comes in one piece.
        """
        whole, large = errand.whole, errand.whole.large
        if outcome.state == jobs.UNDIVIDED:
            large.unheeded += 1
            if large.unheeded > 1:
                whole.failed = whole.failed or outcome
        if outcome.state in (jobs.AGAIN, jobs.UNDIVIDED) and not whole.failed \
                and self.stage.retry(errand, outcome, self.fetching.args.retries):
            errand.sent = NEVER
            return
        self.window.weigh(errand, outcome.moved, large.pending)
        large.pending -= 1
        if outcome.state in (jobs.FULL, jobs.FATAL):
            self.fetching.answered(whole, outcome)
        elif outcome.state != jobs.RECEIVED or whole.failed:
            self.fetching.give_up(whole, outcome)
        else:
            self.received(whole, outcome)

    def discard(self, errand):
        """Remove what came of an object."""
        self.held.discard(errand.large)
        errand.large.discard()
        errand.large = None

    def received(self, errand, outcome):
        """Take a range that came; after the last one check and name the file."""
        large = errand.large
        try:
            large.received(outcome)
            if large.is_whole:
                self.proving.come(errand)
            else:
                self.send_ranges(errand)
        except OSError as error:
            self.cannot(errand, "use the part file", error)

    def name(self, errand):
        """Give a large object its name."""
        large = errand.large
        self.held.discard(large)
        errand.large = None
        try:
            path, status = large.name(self.mode)
        except OSError as error:
            large.drop()
            self.cannot(errand, "name the file", error)
        except Fault as fault:
            large.drop()
            self.fetching.give_up(errand, Outcome(jobs.CONFLICT, f"cannot name the file: {fault}"))
        else:
            self.fetching.take_file(errand, errand.written._replace(
                state=jobs.FETCHED, path=path, mtime_ns=status.st_mtime_ns, inode=status.st_ino))

    def give_up(self, errand):
        """Let go of an object that failed; return False while some of its ranges are on their way,
        and where it is begun again in one piece.
        """
        large = errand.large
        if large.pending:
            return False
        if errand.failed.state == jobs.UNDIVIDED:
            self.undivided.add(errand.job.bucket)
            errand.failed = None
            self.discard(errand)
            self.begin(errand)
            return False
        # what is another object now nobody can ever finish
        is_over = errand.failed.state in (jobs.CHANGED, jobs.VANISHED)
        (large.discard if is_over else large.drop)()
        self.held.discard(large)
        return True

    def cannot(self, errand, action, error):
        """Let a large object's row go for an OSError of ours.

        Raises Fault where there is no space.
        """
        if error.errno in NO_SPACE:
            self.fetching.stop_for_space(errand, Outcome(jobs.FULL, reason(error)))
        self.fetching.give_up(errand, Outcome(jobs.FAILED, f"cannot {action}: {reason(error)}"))

    def drop_all(self, discard=False):
        """Let go of all part files, or remove them: a later run would read them from memory."""
        for large in self.held:
            try:
                (large.discard if discard else large.drop)()
            except OSError:
                large.drop()
        self.held.clear()
