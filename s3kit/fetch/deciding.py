"""Which rows of s3-fetch need bytes, and the first job that is sent for them."""

from s3kit.disk.tree import NO_TIME, part_name
from s3kit.errors import NoSuchBucket
from s3kit.fetch.elsewhere import Elsewhere
from s3kit.fetch.sweeping import clear_part
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.places import Misplaced, Places, is_intact
from s3kit.transfer.job import Job
from s3kit.transfer.sizes import LARGE
from s3kit.units import known_ns

HELD_SECONDS = 0.5          # between two looks at what another process fetches
LAST_COPY = ("'{}' is the only copy of an object of this name that s3-prune deleted: move it away, "
             "and this one can be fetched")


class FetchErrand(Errand):
    """A row whose bytes are wanted: the ledger's Entry of a file that is there, its ranges if it is
    large, and the Outcome of a file that was written and has no name yet.
    """

    __slots__ = ("entry", "large", "survey", "failed", "written")

    def __init__(self, row, job):
        super().__init__(row, job)
        self.entry = self.large = self.survey = self.failed = self.written = None


class Deciding:
    """What `fetching` (the verb) does with a row before S3 is asked.

    `left` are the names of the parts that earlier runs have left.
    """

    def __init__(self, fetching, left=()):
        self.left = set(left)
        self.fetching, self.stage, self.tree = fetching, fetching.stage, fetching.tree
        self.places = Places(self.stage.ledger, self.tree)
        self.elsewhere = Elsewhere(fetching.args, self.tree, self.places)
        self.flying = {}                # path: the errand under way, for rows that come twice
        self.kept = 0

    def take_all(self, pairs):
        """Decide on rows of a block, each with what the ledger knows of it, in their order: those
        that stay leave together.
        """
        kept, has_pending = [], self.stage.outbox.has_pending
        describing = self.fetching.describing
        for row, entry in pairs:
            if row.state in states.CAME_BEFORE and self.elsewhere.passes(row, entry):
                kept = self.leave(kept)
                self.stage.leave(row)
            elif has_pending and self.is_pending(row):
                self.kept += 1
            elif self.is_kept(row, entry):
                if describing.is_wanted:
                    self.kept += 1
                    describing.leave(row, entry)
                else:
                    kept.append(row)
            else:
                kept = self.leave(kept)
                self.decide(row, entry)
        self.leave(kept)

    def leave(self, kept):
        """Let rows go whose files stay; return a list for more."""
        self.kept += len(kept)
        self.fetching.failures.over(kept)
        self.fetching.tally.count_all(kept)
        self.stage.leaving += kept
        return []

    def take(self, row, entry):
        """Decide on one row."""
        self.take_all([(row, entry)])

    def decide(self, row, entry):
        """Decide on a row whose file is not there."""
        if states.is_thawing(row):
            self.fetching.leave_archived(row)
        elif self.is_last_copy(row, entry):
            self.fetching.fail(row, rows.CONFLICT, LAST_COPY.format(entry.path))
        else:
            self.send(row, entry)

    def is_last_copy(self, row, entry):
        """Return whether a file that is there is the only copy of another object of a row's very
        name, as there can be without versions. The ledger knows one file a name.
        """
        return (entry is not None and entry.state == rows.PRUNED
                and not (states.is_pinned(row) and states.is_same_object(row, entry))
                and self.tree.look(entry.path) is not None)

    def is_kept(self, row, entry):
        """Fill the row from the ledger's entry if its file is there, untouched since it was
        checked.

        A row that pins no bytes, having neither a version nor an ETag, may mean others today: S3 is
        asked.
        """
        if (entry is None or not states.is_pinned(row) or not is_intact(self.tree, row, entry)
                or not self.places.keep(row, entry)):
            return False
        states.keep(row, entry)
        if self.left:
            self.clear_part(row)
        return True

    def clear_part(self, row):
        """Remove what an earlier run left of a row's object, whose file is there."""
        part = part_name(row.bucket, row.key, row.version_id, row.etag)
        if part in self.left:
            self.left.remove(part)
            clear_part(self.tree, part)

    def is_pending(self, row):
        """Let a row go with one before it that names the same version and waits for its flush."""
        entry = self.stage.outbox.pending_of((row.bucket, row.key, row.version_id))
        if entry is None or not states.is_same_object(row, entry):
            return False
        states.keep(row, entry)
        self.fetching.describing.finish(row, entry)
        return True

    def send(self, row, entry):
        """Choose a row's path and send its Job."""
        if not states.is_askable(row):
            self.fetching.fail(row, rows.FAILED, "no version of S3's has such an id or ETag")
            return
        try:
            path = self.places.path_for(row)
            self.stage.reach(row)
        except (Misplaced, NoSuchBucket) as fault:
            self.fetching.fail(row, rows.FAILED if isinstance(fault, NoSuchBucket)
                               else rows.CONFLICT, str(fault))
            return
        if path in self.flying:
            # the same version, twice in the manifest
            self.stage.later(HELD_SECONDS, self.stage.take_again, row)
            return
        length = row.length
        size = -1 if length is None else length
        kind = "survey" if size >= LARGE else "get"
        job = Job(kind, row.bucket, row.key, row.version_id, row.etag, size, mtime_of(row), path,
                  row.checksum_type)
        errand = self.flying[path] = FetchErrand(row, job)
        self.know(errand, entry)
        self.fetching.progress.expect(max(size, 0))
        self.stage.send(errand, weight=max(size, 0))

    def know(self, errand, entry):
        """Let an errand whose row pins no bytes know of the file that is there: it stays if S3
        still has its object.
        """
        if entry is not None and not states.is_pinned(errand.row) and is_intact(
                self.tree, errand.row, entry):
            errand.entry = entry
            errand.job = errand.job._replace(unless=entry.etag)

    def keep_file(self, errand, outcome=None):
        """S3 still has what the ledger knows, and the file is there."""
        del self.flying[errand.job.path]
        self.places.keep(errand.row, errand.entry)
        states.keep(errand.row, errand.entry)
        self.kept += 1
        self.fetching.describing.leave(errand.row, errand.entry)

    def look_again(self, errand):
        """See whether the other process has finished a row, else send it again."""
        row = errand.row
        entry = self.stage.ledger.find(row.bucket, row.key, row.version_id)
        if self.is_kept(row, entry):
            del self.flying[errand.job.path]
            self.kept += 1
            self.fetching.describing.leave(row, entry)
            return
        self.know(errand, entry)
        if errand.survey:
            self.fetching.large.surveyed(errand, errand.survey)
        else:
            self.fetching.resend(errand)


def mtime_of(row):
    """Return the row's last_modified as nanoseconds, or NO_TIME."""
    at = known_ns(row.last_modified)
    return NO_TIME if at is None else at
