"""The journey of one bucket, in phases: each a pipeline of our own commands on the manifest of the
phase before it.

What was done of a phase that was cut is known to the destination's ledger.
"""

import os

from s3kit.disk.scratch import Scratch
from s3kit.errors import Fault
from s3kit.manifest import row as rows
from s3kit.migrate.phases import ASK, DELETE, FETCH, NOW, RESTORE, SCAN, VERIFY
from s3kit.migrate.pipelines import Pipelines
from s3kit.pipeline.processes import Pipeline
from s3kit.text import count
from s3kit.units import from_epoch, known_ns, show_size


class Migration:
    """The journey of the bucket of a Folder.

    `args` are the command's; `say(text)` tells people.
    """

    def __init__(self, args, folder, say):
        self.args, self.folder, self.bucket = args, folder, folder.bucket
        self.say = lambda text: say(f"{folder.bucket}: {text}")
        self.pipelines = Pipelines(args, folder.bucket)

    # --- the phases

    def ask_archive(self):
        """Scan, and ask S3 for what is in an archive: what can be read is fetched, nothing is
        waited for.
        """
        self.begin()
        done = self.folder.is_done
        if not (done(FETCH) or done(RESTORE)) and self.is_to_restore(SCAN):
            self.do(ASK, SCAN)

    def begin(self):
        """Scan the bucket, if that has not been done."""
        self.folder.make()
        if not self.folder.is_done(SCAN):
            self.folder.remove_after(SCAN)
            self.do(SCAN)

    def advance(self):
        """Do every phase before the deletion that has not ended. Raises Fault where one cannot."""
        self.begin()
        done, remove_after = self.folder.is_done, self.folder.remove_after
        if not done(FETCH):
            if not done(RESTORE) and self.is_to_restore(SCAN):
                remove_after(RESTORE)
                self.do(RESTORE, SCAN)
            remove_after(FETCH)
            self.do(FETCH, RESTORE if done(RESTORE) else SCAN)
        if not done(VERIFY):
            remove_after(VERIFY)
            self.do(VERIFY, FETCH)

    def is_to_restore(self, phase):
        """Return whether rows of a manifest are to be brought back from an archive first, and say
        so.
        """
        number = self.folder.census(phase).archived
        if number and self.args.no_restore:
            self.say(
                f"{count(number, 'row')} in archive classes: what is archived stays so "
                "(--no-restore)")
        elif number:
            self.say(
                f"{count(number, 'row')} in archive classes: S3 is asked for what cannot be read")
        return bool(number) and not self.args.no_restore

    def delete(self):
        """Delete what the verified manifest names.

        Raises Fault; go by `is_complete` before, and ask a person.
        """
        self.do(DELETE, VERIFY)

    def retry(self):
        """Fetch again what is wrong, from an archive if need be; the phases after that are then to
        do again.
        """
        self.folder.sweep()
        latest = self.folder.latest()
        if latest in (None, SCAN, RESTORE) or not self.folder.census(latest).wrong:
            return
        phase = RESTORE if self.is_to_restore(latest) else FETCH
        self.do(phase, latest)
        self.folder.remove_after(phase)     # till now the old ones were as true as before

    def arrivals(self, newest):
        """Return how many versions are in the bucket that the scan did not see. Raises Fault where
        it cannot be listed.

        `newest` is the latest time in the scan, in nanoseconds since 1970, or None: with
        --current-only, older versions have come to light.
        """
        self.folder.sweep()
        self.run(NOW)
        if not self.folder.is_done(NOW):
            raise Fault(f"{self.bucket}: cannot be listed again")
        there = Scratch(
            "CREATE TABLE version (key TEXT, id TEXT, PRIMARY KEY (key, id)) WITHOUT ROWID")
        for batch in self.folder.batches(NOW):
            there.put_all("INSERT OR IGNORE INTO version VALUES (?, ?)", [
                (row.key, row.version_id) for row in batch
                if not self.args.current_only or is_later(row, newest)])
        for batch in self.folder.batches(DELETE):
            there.put_all("DELETE FROM version WHERE key = ? AND id = ?",
                          [(row.key, row.version_id) for row in batch if row.state != rows.PRUNED])
        self.folder.sweep()
        return there.one("SELECT count(*) FROM version")[0]

    # --- their pipelines

    def do(self, phase, before=None):
        """Run a phase's pipeline on the manifest of the phase before it.

        Raises Fault if it leaves no whole manifest.
        """
        if not self.args.quiet:
            self.say(phase.name)
        troubles = self.run(phase, before)
        if troubles or not (self.folder.is_done(phase) or phase == ASK):
            raise Fault(f"{self.bucket}: the phase '{phase.name}' did not end"
                        f" ({'; '.join(troubles) or 'it left no manifest'}); the same command goes "
                        "on with it")

    def run(self, phase, before=None):
        """Run a phase's pipeline; return what is to be said of commands that could not finish."""
        file = self.folder.file
        since = from_epoch(os.stat(file(SCAN)).st_mtime) if phase == VERIFY else ""
        stages = self.pipelines.of(phase, file(phase), file(before) if before else "", since)
        return Pipeline(stages, self.say).run()

    # --- what people are told

    def summary(self, census):
        """Return in one line what there is to delete."""
        verified = census.proven - census.markers - census.pruned
        return ", ".join(part for part in (
            f"{count(census.rows, 'row')} ({show_size(census.bytes)})", f"{verified:,} verified",
            census.markers and count(census.markers, "delete marker"),
            census.pruned and f"{census.pruned:,} pruned",
            f"{census.wrong:,} not proven" if census.wrong else "all proven") if part)


def is_later(row, newest):
    """Return whether a row may be of an object that came after a time (nanoseconds since 1970; None
    where no time is known).
    """
    at = known_ns(row.last_modified)
    return at is None or newest is None or at > newest
