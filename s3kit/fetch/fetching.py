"""s3-fetch's verb: which rows need bytes, what is asked of the workers, and what becomes of their
answers.
"""

from s3kit.errors import SOME_FAILED, Fault, NoSuchBucket
from s3kit.fetch.large_objects import LargeObjects, RangeErrand
from s3kit.fetch.places import Misplaced, Places
from s3kit.fetch.rehearsal import is_intact
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.pipeline.entries import entry_of
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.stage import Verb
from s3kit.text import count
from s3kit.transfer import job as jobs
from s3kit.transfer.job import Job
from s3kit.transfer.sizes import LARGE
from s3kit.units import epoch_ns, show_size

HELD_SECONDS = 0.5          # between two looks at what another process fetches


class FetchErrand(Errand):
    """A row whose bytes are wanted: the ledger's Entry of a file that is there, and its ranges if
    it is large.
    """

    __slots__ = ("entry", "large", "survey", "failed")

    def __init__(self, row, job):
        super().__init__(row, job)
        self.entry = self.large = self.survey = self.failed = None


class Fetching(Verb):
    """What s3-fetch does with a row; `stage` has the destination `tree`."""

    def __init__(self, stage, tree):
        super().__init__(stage)
        self.tree, self.places = tree, Places()
        self.large = LargeObjects(self)
        self.flying = {}                # path: the errand under way, for rows that come twice
        self.kept = self.fetched = self.adopted = self.moved_bytes = self.archived = 0
        self.steps = {jobs.FETCHED: self.take_file, jobs.UNCHANGED: self.keep_file,
                      jobs.AGAIN: self.try_again, jobs.HELD: self.wait_for_holder,
                      jobs.BIG: self.begin_as_large, jobs.FULL: self.stop_for_space,
                      jobs.FATAL: self.stop, jobs.ARCHIVED: self.leave_in_archive,
                      jobs.SURVEYED: self.large.surveyed, jobs.CHECKED: self.large.checked}

    # --- from the input to the workers

    def is_mine(self, row):
        """Return whether s3-fetch acts on a row."""
        return states.is_to_fetch(row)

    def take(self, row, entry):
        """Decide on one row."""
        if self.is_pending(row):
            self.kept += 1
        elif self.is_kept(row, entry):
            self.kept += 1
            self.stage.leave(row)
        elif states.is_thawing(row):
            self.leave_archived(row)
        else:
            self.send(row, entry)

    def is_kept(self, row, entry):
        """Fill the row from the ledger's entry if its file is there, untouched since it was
        checked.

        A row that pins no bytes, having neither a version nor an ETag, may mean others today: S3 is
        asked.
        """
        if entry is None or not states.is_pinned(row) or not is_intact(self.tree, row, entry):
            return False
        if not self.places.keep(row, entry):
            return False
        states.keep(row, entry)
        return True

    def is_pending(self, row):
        """Let a row go with one before it that names the same version and waits for its flush."""
        entry = self.stage.outbox.pending_of((row.bucket, row.key, row.version_id))
        if entry is None or not states.is_same_object(row, entry):
            return False
        states.keep(row, entry)
        self.stage.finish(row, entry)
        return True

    def send(self, row, entry):
        """Choose a row's path and send its Job."""
        if not states.is_askable(row):
            self.fail(row, rows.FAILED, "no version of S3's has such an id or ETag")
            return
        try:
            path = self.places.path_for(row)
            url = self.stage.reach(row)
        except (Misplaced, NoSuchBucket) as fault:
            self.fail(row, rows.FAILED if isinstance(fault, NoSuchBucket) else rows.CONFLICT,
                      str(fault))
            return
        if path in self.flying:
            # the same version, twice in the manifest
            self.stage.later(HELD_SECONDS, self.stage.take_again, row)
            return
        length = row.length
        size = -1 if length is None else length
        kind = "survey" if size >= LARGE and not url else "get"
        job = Job(kind, row.bucket, row.key, row.version_id, row.etag, size, mtime_of(row), path,
                  row.checksum_type, url)
        errand = self.flying[path] = FetchErrand(row, job)
        self.know(errand, entry)
        self.progress.expect(max(size, 0))
        self.stage.send(errand, weight=max(size, 0))

    def know(self, errand, entry):
        """Let an errand whose row pins no bytes know of the file that is there: it stays if S3
        still has its object.
        """
        if entry is not None and not states.is_pinned(errand.row) and is_intact(
                self.tree, errand.row, entry):
            errand.entry = entry
            errand.job = errand.job._replace(unless=entry.etag)

    def resend(self, errand):
        """Send an errand's Job once more; a presigned URL is made anew, for it expires with what
        signed it.
        """
        job = errand.job
        if job.url:
            job = job._replace(url=self.stage.reach(errand.row))
        errand.job = job
        self.stage.send(errand, weight=max(job.size, 0))

    # --- from the workers to the output

    def answered(self, errand, outcome):
        """Take the outcome of one Job."""
        if isinstance(errand, RangeErrand):
            self.large.range_answered(errand, outcome)
        elif outcome.state in self.steps:
            self.steps[outcome.state](errand, outcome)
        else:
            self.give_up(errand, outcome)

    def moved(self, count):
        """Show that bytes have come."""
        self.moved_bytes += count
        self.progress.move(count, f"{self.fetched + self.kept:,} rows")

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
        if outcome.checksum:
            row.checksum_algorithm, row.checksum_type = (outcome.checksum_algorithm,
                                                         outcome.checksum_type)
            row.checksum = outcome.checksum
        row.path, row.digest, row.proof = outcome.path, outcome.digest, outcome.proof
        row.state, row.error = rows.FETCHED, ""
        self.stage.finish(row, entry_of(row, job.version_id, outcome.size, outcome.mtime_ns,
                                        outcome.inode, errand.patience.tries))

    def keep_file(self, errand, outcome=None):
        """S3 still has what the ledger knows, and the file is there."""
        del self.flying[errand.job.path]
        self.places.keep(errand.row, errand.entry)
        states.keep(errand.row, errand.entry)
        self.kept += 1
        self.stage.leave(errand.row)

    def try_again(self, errand, outcome):
        """Wait and try again, as often as --retries says."""
        if not self.stage.retry(errand, outcome, self.args.retries):
            self.give_up(errand, outcome)

    def wait_for_holder(self, errand, outcome=None):
        """Another process fetches it: look again soon, at the ledger first."""
        self.stage.later(HELD_SECONDS, self.look_again, errand)

    def look_again(self, errand):
        """See whether the other process has finished a row, else send it again."""
        row = errand.row
        entry = self.stage.ledger.find(row.bucket, row.key, row.version_id)
        if self.is_kept(row, entry):
            del self.flying[errand.job.path]
            self.kept += 1
            self.stage.leave(row)
            return
        self.know(errand, entry)
        if errand.survey:
            self.large.surveyed(errand, errand.survey)
        else:
            self.resend(errand)

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
            row.state, row.path, row.digest, row.proof = rows.LISTED, "", "", ""
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
        errand.row.proof = errand.row.digest = errand.row.path = ""
        self.fail(errand.row, state, outcome.error)

    def fail(self, row, state, why):
        """Let a row go that failed."""
        row.state, row.error = state, why
        self.stage.leave(row, aloud=True)

    # --- afterwards

    def abandon(self):
        """Let go of part files; what came stays for the next run."""
        self.large.drop_all()

    def summary(self):
        """Return the parts of the summary."""
        size = f" ({show_size(self.moved_bytes)})" if self.moved_bytes else ""
        wrong = self.tally.of(*rows.WRONG)
        if self.archived:
            self.tally.say(
                f"{count(self.archived, 'row')} cannot be read before a restore: see s3-restore")
        others = self.tally.of(rows.VERIFIED, rows.PRUNED, rows.UNVERIFIABLE, rows.STORED)
        return [f"{count(self.fetched, 'row')} fetched{size}" if self.fetched or not self.kept
                else "nothing to fetch", self.kept and f"{count(self.kept, 'row')} already there",
                self.adopted and f"{count(self.adopted, 'file')} found complete, checked and kept",
                others and f"{count(others, 'row')} passed on as they were",
                self.archived and f"{count(self.archived, 'row')} in an archive",
                wrong and f"{count(wrong, 'row')} failed"]

    def status(self):
        """Return the exit status; rows in an archive are not done either."""
        return self.tally.status(unverifiable=False) or (SOME_FAILED if self.archived else 0)


def mtime_of(row):
    """Return the row's last_modified as nanoseconds, or -1."""
    try:
        at = epoch_ns(row.last_modified)
    except ValueError:
        return -1
    return -1 if at is None else at
