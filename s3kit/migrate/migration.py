"""The journey of one bucket, in phases: each a pipeline of our own commands, its manifest kept in
the bucket's folder.

A command gives a manifest its name only when it is whole (-o), so the files alone say which phases
have ended: there is no other state that could disagree with them. What was done of a phase that was
cut is known to the destination's ledger.
"""

import os
import re

from s3kit.disk import durable
from s3kit.disk.scratch import Scratch
from s3kit.errors import Fault
from s3kit.manifest import row as rows
from s3kit.manifest.streams import Input
from s3kit.migrate.census import Census, is_wrong
from s3kit.migrate.phases import ASK, DELETE, FETCH, NOW, PHASES, RESTORE, SCAN, VERIFY
from s3kit.migrate.processes import Pipeline
from s3kit.text import count
from s3kit.units import from_epoch, known_ns, show_size

BEFORE = ".before"                          # in WORK: the folders of scans before --rescan
UNFINISHED = re.compile(r"\.s3kit\..*\.new|\.now\.csv")
END = re.compile(rb"\n#end rows=\d+\s*\Z")


class Migration:
    """The journey of one bucket.

    `args` are the command's; `say(text)` tells people; `check()` raises if a signal came.
    """

    def __init__(self, args, bucket, say, check):
        self.args, self.bucket, self.check = args, bucket, check
        self.say = lambda text: say(f"{bucket}: {text}")
        self.work = os.path.abspath(args.work)
        self.folder = os.path.join(self.work, bucket)

    # --- where it is

    def path(self, phase):
        """Return the name of a phase's manifest."""
        return os.path.join(self.folder, phase.file)

    def is_done(self, phase):
        """Return whether a phase has ended: its manifest is there, with its end mark."""
        try:
            with open(self.path(phase), "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 64))
                return END.search(file.read()) is not None
        except FileNotFoundError:
            return False

    def latest(self):
        """Return the last phase that has ended with all before it, or None."""
        found = None
        for phase in PHASES:
            if self.is_done(phase):
                found = phase
            elif phase != RESTORE:
                break
        return found

    def batches(self, phase):
        """Yield the rows of a phase's manifest, in lists. Raises Fault."""
        fd = os.open(self.path(phase), os.O_RDONLY | os.O_CLOEXEC)
        try:
            for batch in Input(fd, self.path(phase)).batches():
                self.check()
                yield batch
        finally:
            os.close(fd)

    def census(self, phase):
        """Return the Census of a phase's manifest."""
        census = Census(phase)
        for batch in self.batches(phase):
            for row in batch:
                census.add(row)
        return census

    def wrong(self, phase):
        """Yield the rows of a phase's manifest that are wrong, in lists."""
        for batch in self.batches(phase):
            yield [row for row in batch if is_wrong(row, phase)]

    # --- the phases

    def ask_archive(self):
        """Scan, and ask S3 for what is in an archive: what can be read is fetched, nothing is
        waited for.
        """
        self.begin()
        if not (self.is_done(FETCH) or self.is_done(RESTORE)) and self.is_to_restore(SCAN):
            self.do(ASK, SCAN)

    def begin(self):
        """Scan the bucket, if that has not been done."""
        os.makedirs(self.folder, 0o700, exist_ok=True)
        self.sweep()
        if not self.is_done(SCAN):
            self.remove_after(SCAN)
            self.do(SCAN, None)

    def advance(self):
        """Do every phase before the deletion that has not ended. Raises Fault where one cannot."""
        self.begin()
        if not self.is_done(FETCH):
            if not self.is_done(RESTORE) and self.is_to_restore(SCAN):
                self.remove_after(RESTORE)
                self.do(RESTORE, SCAN)
            self.remove_after(FETCH)
            self.do(FETCH, RESTORE if self.is_done(RESTORE) else SCAN)
        if not self.is_done(VERIFY):
            self.remove_after(VERIFY)
            self.do(VERIFY, FETCH)

    def is_to_restore(self, phase):
        """Return whether rows of a manifest are to be brought back from an archive first, and say
        so.
        """
        number = self.census(phase).archived
        if number and self.args.no_restore:
            self.say(
                f"{count(number, 'row')} in archive classes: what is archived stays so "
                "(--no-restore)")
        elif number:
            self.say(
                f"{count(number, 'row')} in archive classes: S3 is asked for what cannot be read")
        return bool(number) and not self.args.no_restore

    def do(self, phase, before):
        """Run a phase's pipeline on the manifest of the phase before it.

        Raises Fault if it leaves no whole manifest.
        """
        if not self.args.quiet:
            self.say(phase.name)
        troubles = Pipeline(self.stages(phase, self.path(before) if before else None),
                            self.say).run()
        if troubles or not (self.is_done(phase) or phase == ASK):
            raise Fault(f"{self.bucket}: the phase '{phase.name}' did not end"
                        f" ({'; '.join(troubles) or 'it left no manifest'}); the same command goes "
                        "on with it")

    def stages(self, phase, source):
        """Return the commands of a phase, each without its `s3-`."""
        args, out, reach = self.args, f"--output={self.path(phase)}", s3_words(self.args)
        dest, several = (f"--dest={os.path.abspath(args.dest)}",
                         [f"--connections={args.connections}"])
        told = ["--quiet"] * args.quiet + ["--verbose"] * args.verbose
        workers = [f"--jobs={args.jobs}"]
        fetch = ["fetch", *told, *reach, *several, *workers, dest, f"--retries={args.retries}",
                 f"--limit-rate={args.limit_rate}"]
        if phase in (SCAN, NOW):
            return [["manifest", *["--quiet"] * args.quiet, *reach, *several,
                     *["--versions"] * (not args.current_only), out, f"s3://{self.bucket}"]]
        if phase in (ASK, RESTORE):
            # What can be read is fetched before and during the wait, and what is here is not
            # restored again.
            restore = ["restore", *told, *reach, *several, "--yes",
                       *words_of(args, "days", "tier", "max_pending", "max_pending_size", "poll")]
            return ([[*fetch, source], [*restore, out]] if phase == ASK
                    else [[*fetch, source], [*restore, "--wait"], [*fetch, out]])
        if phase == FETCH:
            return [[*fetch, out, source]]
        if phase == VERIFY:
            since = from_epoch(os.stat(self.path(SCAN)).st_mtime)
            return [["verify", *told, *reach, *workers, dest, f"--verified-since={since}", out,
                     source]]
        return [["prune", *told, *reach, *several, dest, "--yes", "--delete-markers", out, source]]

    def delete(self):
        """Delete what the verified manifest names.

        Raises Fault; go by `is_complete` before, and ask a person.
        """
        self.do(DELETE, VERIFY)

    def retry(self):
        """Fetch again what is wrong, from an archive if need be; the phases after that are then to
        do again.
        """
        self.sweep()
        latest = self.latest()
        if latest in (None, SCAN, RESTORE) or not self.census(latest).wrong:
            return
        phase = RESTORE if self.is_to_restore(latest) else FETCH
        self.do(phase, latest)
        self.remove_after(phase)        # till now the old ones were as true as before

    def arrivals(self, newest):
        """Return how many versions are in the bucket that the scan did not see. Raises Fault where
        it cannot be listed.

        `newest` is the latest time in the scan, in nanoseconds since 1970: with --current-only,
        older versions have come to light.
        """
        self.sweep()
        Pipeline(self.stages(NOW, None), self.say).run()
        if not self.is_done(NOW):
            raise Fault(f"{self.bucket}: cannot be listed again")
        there = Scratch(
            "CREATE TABLE version (key TEXT, id TEXT, PRIMARY KEY (key, id)) WITHOUT ROWID")
        for batch in self.batches(NOW):
            there.put_all("INSERT OR IGNORE INTO version VALUES (?, ?)", [
                (row.key, row.version_id) for row in batch if not self.args.current_only
                or (known_ns(row.last_modified) or newest + 1) > newest])
        for batch in self.batches(DELETE):
            there.put_all("DELETE FROM version WHERE key = ? AND id = ?",
                          [(row.key, row.version_id) for row in batch if row.state != rows.PRUNED])
        self.sweep()
        return there.one("SELECT count(*) FROM version")[0]

    # --- its files

    def remove_after(self, phase):
        """Remove the manifests of later phases, the last first: they would speak of what is not so
        any more.
        """
        for later in reversed(PHASES[PHASES.index(phase) + 1:]):
            self.unlink(later.file)

    def sweep(self):
        """Remove what commands that were killed had begun to write."""
        for name in os.listdir(self.folder) if os.path.isdir(self.folder) else ():
            if UNFINISHED.fullmatch(name):
                self.unlink(name)

    def reset(self):
        """Remove all that is kept of the bucket; neither its data nor the fetched files."""
        self.sweep()
        for phase in reversed(PHASES):
            self.unlink(phase.file)
        try:
            os.rmdir(self.folder)
        except OSError:
            self.say(f"'{self.folder}' is left: there is more in it than ours")

    def leave_nothing(self):
        """Remove the bucket's folder where no phase has ended: a bucket that cannot be scanned is
        not one that was begun.
        """
        if self.latest() is None:
            try:
                self.sweep()
                os.rmdir(self.folder)
            except OSError:
                pass        # not made, or there is more in it than ours

    def set_aside(self):
        """Put the manifests away, in one step, so that a new scan begins."""
        if not os.path.isdir(self.folder):
            return
        before = os.path.join(self.work, BEFORE)
        os.makedirs(before, 0o700, exist_ok=True)
        number = 1
        while os.path.exists(os.path.join(before, f"{self.bucket}.{number}")):
            number += 1
        durable.rename(self.folder, os.path.join(before, f"{self.bucket}.{number}"), None, None)

    def unlink(self, name):
        """Remove one of the bucket's files."""
        durable.unlink(os.path.join(self.folder, name), None)

    # --- what people are told

    def summary(self, census):
        """Return in one line what there is to delete."""
        verified = census.proven - census.markers - census.pruned
        return ", ".join(part for part in (
            f"{count(census.rows, 'row')} ({show_size(census.bytes)})", f"{verified:,} verified",
            census.markers and count(census.markers, "delete marker"),
            census.pruned and f"{census.pruned:,} pruned",
            f"{census.wrong:,} not proven" if census.wrong else "all proven") if part)


def buckets_of(work):
    """Return the buckets that a work directory knows."""
    try:
        return sorted(name for name in os.listdir(work)
                      if not name.startswith(".") and os.path.isdir(os.path.join(work, name)))
    except FileNotFoundError:
        return []


def s3_words(args):
    """Return the S3 options as a command's words."""
    return (words_of(args, "profile", "region", "endpoint_url", "request_payer", "ca_bundle") + [
        f"--{name.replace('_', '-')}"
        for name in ("no_sign_request", "no_verify_ssl") if getattr(args, name)])


def words_of(args, *names):
    """Return the options of these names that were given a value, as words."""
    return [f"--{name.replace('_', '-')}={value}"
            for name in names if (value := getattr(args, name))]
