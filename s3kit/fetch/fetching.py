"""s3-fetch's verb: what becomes of the workers' answers."""

from s3kit.disk.failures import Failures
from s3kit.errors import SOME_FAILED, Fault
from s3kit.fetch.deciding import HELD_SECONDS, Deciding
from s3kit.fetch.describing import Describing, DescribingErrand
from s3kit.fetch.large_objects import LargeObjects, RangeErrand
from s3kit.fetch.naming import Naming, NamingErrand
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.pipeline.entries import entry_of, failure_of
from s3kit.pipeline.stage import Verb
from s3kit.text import count
from s3kit.transfer import job as jobs
from s3kit.units import show_size


class Fetching(Verb):
    """What s3-fetch does with a row; `tree` is the destination, `left` the names of the parts that
    earlier runs have left there.
    """

    def __init__(self, stage, tree, left):
        super().__init__(stage)
        self.tree = tree
        self.deciding, self.large = Deciding(self, left), LargeObjects(self)
        self.describing, self.failures = Describing(self), Failures(stage.ledger)
        self.naming, self.take = Naming(self), self.deciding.take
        self.take_all = self.deciding.take_all
        self.flying = self.deciding.flying
        self.fetched = self.adopted = self.moved_bytes = self.archived = 0
        self.steps = {jobs.WRITTEN: self.naming.wait, jobs.FETCHED: self.take_file,
                      jobs.UNCHANGED: self.deciding.keep_file, jobs.AGAIN: self.try_again,
                      jobs.HELD: self.wait_for_holder,
                      jobs.BIG: self.begin_as_large, jobs.FULL: self.stop_for_space,
                      jobs.FATAL: self.stop, jobs.ARCHIVED: self.leave_in_archive,
                      jobs.SURVEYED: self.large.surveyed, jobs.CHECKED: self.large.proving.checked}

    # --- from the input to the workers

    @staticmethod
    def is_mine(row):
        """Return whether s3-fetch looks at a row: it acts on it, or its bytes came before."""
        return states.is_to_fetch(row) or states.is_come_before(row)

    def resend(self, errand):
        """Send an errand's Job once more."""
        self.stage.send(errand, weight=max(errand.job.size, 0))

    # --- from the workers to the output

    def answered(self, errand, outcome):
        """Take the outcome of one Job. Raises Fault where the lease has run out: it may be that
        alone which failed.
        """
        self.tree.check_lease()
        if isinstance(errand, RangeErrand):
            self.large.range_answered(errand, outcome)
        elif isinstance(errand, (NamingErrand, DescribingErrand)):
            (self.naming if isinstance(errand, NamingErrand) else self.describing).answered(
                errand, outcome)
        elif outcome.state in self.steps:
            self.steps[outcome.state](errand, outcome)
        else:
            self.give_up(errand, outcome)

    def flushed(self, errands):
        """Have files named whose bytes are on the disk."""
        self.naming.flushed(errands)

    def moved(self, count):
        """Show that bytes have come."""
        self.moved_bytes += count
        self.progress.move(count)

    def take_file(self, errand, outcome):
        """A file has its name: after the next flush its row may leave."""
        row, job = errand.row, errand.job
        del self.flying[job.path]
        has_come = bool(outcome.moved or not outcome.size)
        self.fetched += has_come
        self.adopted += not has_come
        row.etag, row.version_id = row.etag or outcome.etag, row.version_id or outcome.version_id
        row.size = str(outcome.size)
        row.last_modified = row.last_modified or outcome.last_modified
        row.storage_class = row.storage_class or outcome.storage_class
        states.take_checksum(row, outcome)
        row.path, row.proof = outcome.path, outcome.proof
        states.take_digest(row, outcome.digest)
        self.describing.take(row, job.version_id, outcome.description)
        row.state, row.error = rows.FETCHED, ""
        self.stage.finish(row, entry_of(row, job.version_id, outcome.size, outcome.mtime_ns,
                                        outcome.inode, errand.patience.tries,
                                        digest=outcome.digest))

    def try_again(self, errand, outcome):
        """Wait and try again, as often as --retries says.

        An outcome with a digest is of bytes that did not meet a derived claim: they are asked for
        once more to be compared, whatever --retries says.
        """
        if outcome.digest and not isinstance(errand, RangeErrand):
            is_first = not errand.job.suspect
            errand.job = errand.job._replace(suspect=outcome.digest)
            if is_first:
                self.resend(errand)
                return
        if not self.stage.retry(errand, outcome, self.args.retries):
            self.give_up(errand, outcome)

    def wait_for_holder(self, errand, outcome=None):
        """Another process fetches it: look again soon, at the ledger first."""
        self.stage.later(HELD_SECONDS, self.deciding.look_again, errand)

    def begin_as_large(self, errand, outcome):
        """A row that did not say its size is a large object: begin again as such."""
        errand.job = errand.job._replace(kind="survey", size=outcome.size,
                                         etag=errand.job.etag or outcome.etag, unless="")
        self.progress.expect(outcome.size)
        self.resend(errand)

    def stop_for_space(self, errand, outcome):
        """Take no more rows, say how much is needed. Raises Fault."""
        need = sum(max(each.job.size, 0) for each in self.flying.values())
        free, inodes = self.tree.free()
        raise Fault(
            f"{outcome.error} in '{self.args.dest}': {show_size(free)} and {inodes:,} inodes are "
            "free, what is "
            f"under way needs {show_size(need)}; make room and run the same command again")

    def stop(self, errand, outcome):
        """S3 will not have us at all. Raises Fault."""
        raise Fault(outcome.error)

    def leave_in_archive(self, errand, outcome):
        """The bytes are in an archive: the row goes on as it came."""
        del self.flying[errand.job.path]
        self.leave_archived(errand.row)

    def leave_archived(self, row):
        """Let a row go as it came; but what it was fetched to before is not there any more."""
        if row.state == rows.FETCHED:
            states.make_listed(row)
            row.path = ""
        self.archived += 1
        self.stage.leave(row)

    def give_up(self, errand, outcome):
        """Let an errand's row go that failed, when all its ranges have come back."""
        errand.failed = errand.failed or outcome
        if errand.large and not self.large.give_up(errand):
            return
        outcome = errand.failed
        self.flying.pop(errand.job.path, None)
        state = ({jobs.VANISHED: rows.VANISHED, jobs.CONFLICT: rows.CONFLICT}
                 .get(outcome.state, rows.FAILED))
        errand.row.proof = errand.row.path = ""
        states.take_digest(errand.row, "")
        self.fail(errand.row, state, outcome.error)

    def fail(self, row, state, why):
        """Let a row go that failed."""
        row.state, row.error = state, why
        self.failures.add(failure_of(row))
        self.stage.leave(row, aloud=True)

    def leaving(self):
        """Write to the ledger what is new of rows that leave next. Raises Fault where the lease
        has run out.
        """
        self.tree.check_lease()
        self.describing.record()
        self.failures.record()

    # --- afterwards

    def abandon(self):
        """Let go of part files; what came stays for the next run, unless a flush has failed."""
        why = self.stage.outbox.lost
        self.large.drop_all(discard=bool(why))
        if why:
            self.naming.disown(why)

    def summary(self):
        """Return the parts of the summary."""
        size = f" ({show_size(self.moved_bytes)})" if self.moved_bytes else ""
        wrong, kept = self.tally.of(*rows.WRONG), self.deciding.kept
        if self.archived:
            self.tally.say(
                f"{count(self.archived, 'row')} cannot be read before a restore: see s3-restore")
        elsewhere = self.deciding.elsewhere
        elsewhere.tell(self.tally)
        return [f"{count(self.fetched, 'row')} fetched{size}" if self.fetched or not kept
                else "nothing to fetch", kept and f"{count(kept, 'row')} already there",
                self.adopted and f"{count(self.adopted, 'file')} found complete, checked and kept",
                elsewhere.passed and f"{count(elsewhere.passed, 'row')} passed on as "
                f"{'it was' if elsewhere.passed == 1 else 'they were'}",
                self.archived and f"{count(self.archived, 'row')} in an archive",
                self.describing.lacking and f"{count(self.describing.lacking, 'row')} with less "
                "than was asked for",
                wrong and f"{count(wrong, 'row')} failed"]

    def status(self):
        """Return the exit status; rows in an archive are not done either, nor those that lack what
        was asked for.
        """
        is_done = not (self.archived or self.describing.lacking)
        return (self.tally.status(unverifiable=False) or (0 if is_done else SOME_FAILED)
                or self.deciding.elsewhere.status(self.tally.of(rows.FETCHED)))
