"""s3-put --history: the versions of a key go to their target one after another, the oldest first,
each on top of the one before, and its delete markers are made in their place.

Nothing that is newer than a row is ever covered: what is at a target when its first row comes is
below it only where it lay there before, under the same name, or was put there from the row by an
earlier run. A row that fails stops all later ones of its key.
"""

import time
from collections import deque
from itertools import groupby
from typing import NamedTuple

from s3kit.disk.uploads import LOOSE, Upload
from s3kit.manifest import row as rows
from s3kit.manifest.sorter import Sorter, in_batches
from s3kit.manifest.stored_at import NAME, Copy, written
from s3kit.manifest.versions import age
from s3kit.pipeline.errand import Errand
from s3kit.put.targets import target_of, why_no_target
from s3kit.transfer import job as jobs
from s3kit.transfer import put_job
from s3kit.transfer.put_job import NO_FILE, PutJob
from s3kit.transfer.put_task import OTHERS
from s3kit.units import from_epoch, known_ns

BROKEN = "an older version of its key was not stored"
HIDES = ": an older version would hide it"
UNKEPT = "the bucket keeps no versions any more"
SECOND = 1_000_000_000


class Top(NamedTuple):
    """What is on top at a target: a version and its ETag; without one nothing, or a delete marker.

    `is_old`: a run before has put it there, and perhaps more on top, if it was killed.
    """

    version_id: str = ""
    etag: str = ""
    is_old: bool = False


class HistoryErrand(Errand):
    """A row whose target is looked at, or gets a delete marker; `take(errand, outcome)` gets what
    becomes of it. `entry` is the ledger's of the row's file, or None; `before` the Upload of an
    earlier run, or None.
    """

    __slots__ = ("entry", "take", "before")
    large = None

    def __init__(self, row, job, take, entry=None, before=None):
        super().__init__(row, job)
        self.take, self.entry, self.before = take, entry, before


class Line:
    """The rows of one target: those that are `waiting`, whether one `is_busy` (it has `name`), what
    is on `top` (None: not known), `why` no more can come, and the last one's name with its Upload.
    """

    def __init__(self, top):
        self.top, self.why, self.is_busy = top, "", False
        self.waiting, self.last, self.name = deque(), (None, None), None


class History:
    """What `putting` (the verb) does with rows whose versions have an order; `is_fresh`: nothing
    was at any target when the run began. `hidden` is how many delete markers it has made.

    Rows of one target come one after another, the oldest first.
    """

    def __init__(self, putting, is_fresh):
        self.putting, self.stage, self.args = putting, putting.stage, putting.args
        self.uploads, self.first = putting.uploads, Top() if is_fresh else None
        self.lines, self.targets = {}, {}       # by target; of a row under way, by its id()
        self.latest, self.hidden = None, 0

    # --- one row after another

    def take(self, row, entry):
        """Take a row, or have it wait for those before it."""
        bucket, prefix = self.args.target
        target = target_of(row, bucket, prefix, self.args.strip)
        why = why_no_target(target[1], self.putting.terms.key)
        if why:
            self.putting.fail(row, rows.FAILED, why)
            return
        line = self.line_of(target)
        if line.is_busy:
            line.waiting.append((row, entry))
        else:
            line.is_busy = True
            self.begin(target, row, entry)

    def line_of(self, target):
        """Return the Line of a target; of the one before no more rows come."""
        if target != self.latest:
            before, self.latest = self.latest, target
            if before in self.lines and not self.lines[before].is_busy:
                del self.lines[before]
        return self.lines.setdefault(target, Line(self.first))

    def begin(self, target, row, entry):
        """Begin with a row: see what was stored before, or what is at its target."""
        line, self.targets[id(row)] = self.lines[target], target
        name, (last, upload) = (*name_of(row), row.etag), line.last
        line.name = name
        before = self.stored_before(target, row)
        if line.why:
            self.putting.fail(row, rows.CONFLICT, line.why)
        elif name == last:
            self.keep(row, upload)              # named twice
        elif before and row.is_marker:
            self.keep(row, before)
        elif before:
            self.look(row, entry, self.seen, before)
        elif line.top is None:
            self.look(row, entry, self.take_top)
        else:
            self.go(row, entry)

    def ended(self, row, upload, is_old=False):
        """Go on after a row: `upload` is where it was stored, None if it was not; `is_old`: that
        was an earlier run.
        """
        target = self.targets.pop(id(row), None)
        if target is None:
            return
        line = self.lines[target]
        if upload is None:
            line.why = line.why or BROKEN
        else:
            is_same = line.name == line.last[0]
            line.top = line.top if is_same else Top(upload.to_version_id, upload.to_etag, is_old)
            line.last = line.name, upload
            line.why = UNKEPT if upload.to_version_id in LOOSE else ""
        if line.waiting:
            self.stage.later(0, self.begin, target, *line.waiting.popleft())
        elif target == self.latest:
            line.is_busy = False
        else:
            del self.lines[target]

    # --- what is at the target

    def stored_before(self, target, row):
        """Return the Upload to a target that an earlier run has made of a row, or None."""
        found = None
        if self.putting.deciding.has_record:
            found = self.uploads.of_source(target, name_of(row))
        return found if found and (row.is_marker or found.is_of(row)) else None

    def look(self, row, entry, take, before=None):
        """Look at what is at a row's target, or at what was stored there `before`."""
        target = Copy(*self.targets[id(row)])
        job = PutJob("look", target.bucket, target.key, "", NO_FILE,
                     version_id=before.to_version_id if before else "")
        self.stage.reach(target)
        self.stage.send(HistoryErrand(row, job, take, entry, before))

    def answered(self, errand, outcome):
        """Take what becomes of a HistoryErrand."""
        if outcome.state == jobs.AGAIN:
            self.putting.try_again(errand, outcome)
        elif outcome.state == jobs.FATAL:
            self.putting.stop(errand, outcome)
        elif outcome.state not in (put_job.LOOKED, put_job.HIDDEN) or outcome.error:
            self.putting.give_up(errand, outcome)
        else:
            errand.take(errand, outcome)

    def seen(self, errand, outcome):
        """Take what is there of an earlier run: where it is gone the row is stored anew."""
        before = errand.before
        if outcome.etag and outcome.etag == before.to_etag and outcome.size == before.size:
            self.keep(errand.row, before)
        elif self.lines[self.targets[id(errand.row)]].top is None:
            self.look(errand.row, errand.entry, self.take_top)
        else:
            self.go(errand.row, errand.entry)

    def take_top(self, errand, outcome):
        """Take what is at the target of a key's first row."""
        row, target = errand.row, self.targets[id(errand.row)]
        line = self.lines[target]
        if not outcome.etag and outcome.version_id and row.is_marker:
            self.keep(row, upload_of(target, outcome.version_id, row))      # hidden already
            return
        if not outcome.etag or is_below(row, target, outcome):
            line.top = Top(outcome.version_id, outcome.etag)
        elif row.is_marker:
            self.putting.fail(row, rows.CONFLICT, OTHERS + HIDES)
            return
        self.go(row, errand.entry)

    def on_top(self, target, job):
        """Return a PutJob that goes on top of what is at its target, and of nothing else. Where
        that is not known, it may only be the row's own object, from a run that was killed.
        """
        top = self.lines[target[:2]].top
        if top is None:
            return job._replace(is_looked=True, only_absent=True, condition="")
        return job._replace(is_looked=top.is_old, only_absent=True, condition=top.etag or "*",
                            over=top.version_id)

    # --- what becomes of a row

    def go(self, row, entry):
        """Send a row's file, or make its delete marker."""
        if not row.is_marker:
            self.putting.deciding.take(row, entry)
            return
        target = Copy(*self.targets[id(row)])
        self.stage.reach(target)
        job = self.on_top(target, PutJob("hide", target.bucket, target.key, "", NO_FILE))
        self.stage.send(HistoryErrand(row, job, self.is_hidden))

    def is_hidden(self, errand, outcome):
        """A delete marker was made."""
        row = errand.row
        upload = upload_of(self.targets[id(row)], outcome.version_id, row)
        self.hidden += 1
        row.set_optional(NAME, written(Copy(*upload[:3])))
        self.stage.finish(row, upload, is_safe=True)
        self.ended(row, upload)

    def keep(self, row, upload):
        """Let a row go that was stored before."""
        self.putting.kept += 1
        if row.is_marker:
            row.set_optional(NAME, written(Copy(*upload[:3])))
        else:
            self.putting.describe(row, upload)
            self.putting.judge(row, upload)
        self.stage.leave(row, aloud=bool(row.error))
        self.ended(row, upload, is_old=True)


def is_marker_to_make(row):
    """Return whether a row is of a delete marker that can be made again."""
    return row.is_marker and row.verbatim is None and row.state not in rows.WRONG


def is_below(row, target, outcome):
    """Return whether what is at a row's own name lay below it before: it is older, by more than the
    second in which S3 tells times.
    """
    at, there = known_ns(row.last_modified), known_ns(outcome.last_modified)
    return ((row.bucket, row.key) == target and None not in (at, there)
            and there < at // SECOND * SECOND)


def name_of(row):
    """Return what a row names."""
    return row.bucket, row.key, row.version_id


def upload_of(target, version_id, row):
    """Return what the ledger is to have of a row's delete marker, made at a target."""
    return Upload(*target, version_id, "", *name_of(row), "", "", 0, 0, 0, "", "", "", "", "", "",
                  from_epoch(time.time()))


def oldest_first(batches):
    """Yield lists of rows in the order of their keys, the oldest version first: of two as old the
    one that is the latest is the newer, else the one that comes first, as S3 lists them.

    Raises Cut before the first where the input was cut.
    """
    def order(row):
        return row.bucket, row.key, *age(row)

    groups = groupby(Sorter(order).add_all(batches), order)
    yield from in_batches(row for _, group in groups for row in reversed(list(group)))
