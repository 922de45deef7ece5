"""s3-fetch's work: which rows need bytes, what is asked of the workers, and what becomes of their answers."""

import os
import time

import xxhash

from s3kit.disk.ledger import Broken, Entry, Ledger
from s3kit.disk.path_owners import Claims
from s3kit.disk.paths import is_inside, key_of, path_of, version_of
from s3kit.disk.tree import Tree
from s3kit.errors import SOME_FAILED, Cut, Fault, NoAccess, NoSuchBucket, reason
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.manifest.filters import Filter
from s3kit.pipeline.flow import BATCH_ROWS, Flow
from s3kit.pipeline.outbox import SECONDS_TO_BREAK_OFF, Commit
from s3kit.pipeline.pool import DEPTH, Pool
from s3kit.s3.address import has_dots
from s3kit.s3.patience import Patience
from s3kit.s3.session import Session
from s3kit.text import count
from s3kit.transfer.engine import NO_SPACE, current_umask
from s3kit.transfer.job import (
    AGAIN,
    CHANGED,
    CONFLICT,
    FAILED,
    FATAL,
    FETCHED,
    FULL,
    RECEIVED,
    VANISHED,
    Job,
    Outcome,
)
from s3kit.transfer.large import Large
from s3kit.transfer.sizes import LARGE
from s3kit.transfer.work import Work
from s3kit.units import epoch_ns, from_epoch, show_size

HELD_SECONDS = 0.5          # between two looks at what another process fetches
RANGES_TOGETHER = 4         # of one object in one batch: a worker then has twice as many on their way
STALE_SECONDS = 7 * 86400
FRESH_SECONDS = 60          # between two looks at the credentials' age
SILENT_SECONDS = 20         # without a byte after which people hear what we wait for


class Errand:
    """One row on its way: its Job, how often it was tried, and its ranges if it is large."""

    __slots__ = ("row", "job", "patience", "large", "survey", "failed", "done")

    def __init__(self, row, job):
        self.row, self.job, self.patience = row, job, Patience()
        self.large = self.survey = self.failed = None
        self.done = 0           # bytes shown as done


class Fetching:
    """The run of one s3-fetch; `run`, then `status` and `told`."""

    def __init__(self, args, source, sink, tally, progress, signals):
        self.args, self.source, self.sink, self.tally, self.progress = args, source, sink, tally, progress
        self.signals = signals
        self.keep = Filter(args)
        self.session = Session(args)
        self.tree = self.ledger = self.claims = self.commit = None
        self.known = set()              # buckets whose endpoint the workers have
        self.flying = {}                # paths under way, for rows that come twice
        self.large = set()
        self.leaving = []               # rows that need no flush, on their way to the output
        self.kept = self.fetched = self.adopted = self.moved = self.archived = self.planned = 0
        self.planned_bytes = 0
        self.looked = self.moved_at = time.monotonic()
        self.trouble = ""               # what was last tried again, until bytes move
        self.mode = 0o666 & ~current_umask()

    def run(self):
        """Fetch everything. Raises Fault (Cut) where the input or the output failed."""
        if self.args.dry_run:
            self.rehearse()
            return
        self.tree = Tree(self.args.dest)
        network = self.tree.network()
        if network:
            self.tally.say(f"warning: the destination is on {network}, where locks between machines cannot be trusted: "
                           "run one s3-fetch at a time on it")
        self.sweep()
        folder = os.path.join(self.args.dest, ".s3kit")
        self.ledger, self.claims = Ledger(folder), Claims()
        self.commit = Commit(self.sink, Ledger(folder), self.tree, self.source.extras, self.note_failure,
                             self.signals.check)
        self.signals.graceful = True
        pool = Pool(self.args.jobs, lambda note: self.flow.events.put(("note", note)))
        rate = self.args.limit_rate / self.args.jobs
        self.pool, self.work = pool, Work(os.path.abspath(self.args.dest), {}, self.args.connections, rate,
                                          place=self.tree.place)
        if self.ledger.is_empty():
            pool.warm(self.work)        # the first run: rows will need them, while later ones may not
        limit = self.args.jobs * max(DEPTH * BATCH_ROWS, 2 * self.args.connections)
        self.flow = Flow(self.source.batches(), pool, lambda: self.work, self, limit, self.look)
        try:
            try:
                self.flow.run()
            finally:
                self.let_go()       # what was done is said, however the input or S3 ended it
        except BaseException as fault:
            pool.shutdown(cancel_futures=True)
            for large in self.large:
                large.drop()
            self.commit.close(None if isinstance(fault, Cut) else SECONDS_TO_BREAK_OFF)
            raise
        pool.shutdown()
        self.commit.close()

    def rehearse(self):
        """Dry run: pass every row on, and count what would be fetched; nothing is made or asked."""
        folder = os.path.join(self.args.dest, ".s3kit")
        if os.path.isdir(folder):
            self.tree, self.ledger = Tree(self.args.dest, make=False), Ledger(folder)
        for batch in self.source.batches():
            self.signals.check()
            batch = self.keep(batch)
            for row in batch:
                if states.is_to_fetch(row) and not (self.ledger and self.is_kept(row, self.ledger.find(row.bucket, row.key, row.version_id))):
                    self.planned += 1
                    self.planned_bytes += row.length or 0
                    if self.args.verbose:
                        self.tally.count(row)
            self.sink.write(batch, self.source.extras())

    def sweep(self):
        """Remove part files that nobody holds and nothing can be resumed from."""
        names = set(os.listdir(self.tree.parts))
        for stem in {name.removesuffix(".journal") for name in names}:
            try:
                self.sweep_part(stem, stem in names and f"{stem}.journal" in names)
            except IsADirectoryError:
                pass        # none of ours: in the way of at most one row, which will say so

    def sweep_part(self, stem, can_resume):
        """Remove one part file and its journal, unless it is held or can be resumed."""
        from s3kit.disk import durable, lock
        lock.clear(stem, self.tree.parts)
        if can_resume and not self.is_old(stem):
            return
        fd = lock.hold(stem, self.tree.parts)
        if fd is not None:
            try:
                durable.unlink(f"{stem}.journal", self.tree.parts)
                durable.unlink(stem, self.tree.parts)
            finally:
                os.close(fd)

    def is_old(self, part):
        """Return whether a part file was left so long ago that nobody will resume it."""
        try:
            return os.stat(part, dir_fd=self.tree.parts).st_mtime < time.time() - STALE_SECONDS
        except FileNotFoundError:
            return False        # another process has just finished it

    def look(self):
        """Stop if a signal came or the output failed; refresh the credentials from time to time."""
        self.signals.check()
        self.let_go()
        if self.commit.fault:
            raise self.commit.fault
        now = time.monotonic()
        if now - self.looked > FRESH_SECONDS:
            self.looked = now
            self.refresh()
        if self.trouble and now - self.moved_at > SILENT_SECONDS:
            self.moved_at = now
            self.tally.say(f"nothing has come for {SILENT_SECONDS} s, still trying: {self.trouble}")

    def refresh(self):
        """Hand new credentials to the workers if there are any; return whether there were."""
        with self.signals.at_once():
            fresh = self.session.refresh()
        if fresh:
            self.pool.tell(("endpoints", fresh), keep=True)
        return bool(fresh)

    # --- from the input to the workers

    def take_all(self, batch):
        """Decide on rows of the input; the ledger is asked about all of them at once."""
        entries = self.ledger.find_all([(row.bucket, row.key, row.version_id) for row in batch if states.is_to_fetch(row)])
        for row in batch:
            self.take(row, entries.get((row.bucket, row.key, row.version_id)))

    def take_again(self, row):
        """Decide on a row that had to wait."""
        self.take(row, self.ledger.find(row.bucket, row.key, row.version_id))

    def take(self, row, entry):
        """Decide on one row; `entry` is what the ledger knows of it."""
        if not self.keep.is_idle and not self.keep([row]):
            if self.args.in_place:
                self.leave(row)         # FILE must not lose what was left out this time
            return
        if not states.is_to_fetch(row):
            self.leave(row, told=row.verbatim is not None)
        elif self.is_pending(row):
            self.kept += 1
        elif self.is_kept(row, entry):
            self.kept += 1
            self.leave(row)
        elif states.is_thawing(row):
            self.leave_archived(row)
        else:
            self.send(row)

    def leave(self, row, told=False):
        """Let a row go that needs no flush."""
        self.tally.count(row, told)
        self.leaving.append(row)

    def leave_archived(self, row):
        """Let a row go as it came; but what it was fetched to before is not there any more."""
        if row.state == rows.FETCHED:
            row.state, row.path, row.digest, row.proof = rows.LISTED, "", "", ""
        self.archived += 1
        self.leave(row)

    def let_go(self):
        """Send off what left since the last time, together: one row at a time costs more than its decision."""
        if self.leaving:
            gone, self.leaving = self.leaving, []
            self.commit.pass_on(gone)

    def is_kept(self, row, entry):
        """Fill the row from the ledger's entry if its file is there, untouched since it was checked."""
        if entry is None or not entry.path or not states.is_same_object(row, entry):
            return False
        if row.path and row.path != entry.path:
            return False
        there = self.tree.look(entry.path)
        if there is None or not entry.is_file(there):
            return False
        owner = hash_of(row.bucket, row.key, row.version_id)
        if self.claims and not all(self.claims.take(hash_of(path), owner) for path in places_of(entry)):
            return False        # another version of this list is about to replace it
        states.keep(row, entry)
        return True

    def is_pending(self, row):
        """Let a row go with one before it that names the same version and waits for its flush."""
        entry = self.commit.pending.get((row.bucket, row.key, row.version_id))
        if entry is None or not states.is_same_object(row, entry):
            return False
        states.keep(row, entry)
        self.tally.count(row)
        self.commit.add(row, entry)
        return True

    def send(self, row):
        """Choose a row's path and send its Job."""
        try:
            if not states.is_askable(row):
                raise Unreachable("no version of S3's has such an id or ETag")
            path = self.path_for(row)
            url = self.reach(row) if row.bucket not in self.known or has_dots(row.key) else ""
        except (Fatal, Broken):
            raise
        except Fault as fault:
            row.state, row.error = (rows.FAILED if isinstance(fault, Unreachable) else rows.CONFLICT), str(fault)
            self.leave(row, told=True)
            return
        if path in self.flying:
            self.flow.later(HELD_SECONDS, self.take_again, row)       # the same version, twice in the manifest
            return
        size = -1 if row.length is None else row.length
        job = Job("survey" if size >= LARGE and not url else "get", row.bucket, row.key, row.version_id, row.etag, size,
                  mtime_of(row), path, row.checksum_type, url)
        errand = Errand(row, job)
        self.flying[path] = errand
        self.progress.expect(max(size, 0))
        self.flow.send(job, errand, max(size, 0))

    def path_for(self, row):
        """Return the path of a row's file; the first version of a key gets its plain name.

        Raises Fault where a path that the row names is no place for it.
        """
        owner = hash_of(row.bucket, row.key, row.version_id)
        if row.path:
            if not is_inside(row.path):
                raise Fault(f"the path '{row.path}' leads outside the destination")
            if not self.claims.take(hash_of(row.path), owner):
                raise Fault(f"another row has the path '{row.path}'")
            return row.path
        path = path_of(row.bucket, row.key)
        if not self.claims.take(hash_of(path), owner):
            path = path_of(row.bucket, row.key, row.version_id or row.etag or "other")
            self.claims.take(hash_of(path), owner)
        return path

    def reach(self, row):
        """Make sure that the workers can reach a row's bucket; return a presigned URL where one is needed."""
        with self.signals.at_once():
            if row.bucket not in self.known:
                try:
                    endpoint = self.session.endpoint(row.bucket)
                except NoSuchBucket as fault:
                    raise Unreachable(str(fault)) from None
                except Fault as fault:
                    raise Fatal(str(fault)) from None
                self.known.add(row.bucket)
                self.pool.tell(("endpoints", [endpoint]), keep=True)
            try:
                return self.session.presign(row.bucket, row.key, row.version_id) if has_dots(row.key) else ""
            except NoAccess as fault:
                raise Fatal(str(fault)) from None

    # --- from the workers to the output

    def note(self, note):
        """Take what a worker says between answers."""
        kind, value = note
        if kind == "moved":
            self.moved += value
            self.moved_at, self.trouble = time.monotonic(), ""
            self.progress.move(value, f"{self.fetched + self.kept:,} rows")
        elif kind == "slow":
            self.pool.tell(("slow", None))
        elif kind == "expired" and value >= self.session.generation and not self.refresh():
            raise Fatal("the credentials have expired; renew them and run the same command again")

    def answer(self, errand, outcome):
        """Take the outcome of one Job."""
        if not isinstance(outcome, Outcome):
            outcome = Outcome(FAILED, str(outcome))
        if isinstance(errand, Piece):
            self.range_done(errand, outcome)
            return
        step = getattr(self, f"on_{outcome.state}", None)
        if step:
            step(errand, outcome)
        else:
            self.give_up(errand, outcome, rows.FAILED)

    def on_fetched(self, errand, outcome):
        """A file has its name: after the next flush its row may leave."""
        row, job = errand.row, errand.job
        del self.flying[job.path]
        self.fetched += bool(outcome.moved or not outcome.size)
        self.adopted += not (outcome.moved or not outcome.size)
        row.etag, row.version_id = row.etag or outcome.etag, row.version_id or outcome.version_id
        row.size = str(outcome.size)
        row.last_modified = row.last_modified or outcome.last_modified
        row.storage_class = row.storage_class or outcome.storage_class
        if outcome.checksum:
            row.checksum_algorithm, row.checksum_type = outcome.checksum_algorithm, outcome.checksum_type
            row.checksum = outcome.checksum
        row.path, row.digest, row.proof = outcome.path, outcome.digest, outcome.proof
        row.state, row.error = rows.FETCHED, ""
        self.tally.count(row)
        self.commit.add(row, Entry(row.bucket, row.key, job.version_id, row.etag, outcome.size, row.last_modified,
                                   row.storage_class, row.checksum_algorithm, row.checksum_type, row.checksum, row.path,
                                   outcome.mtime_ns, outcome.inode, row.digest, row.proof, row.state, "", errand.patience.tries,
                                   from_epoch(time.time())))

    def on_again(self, errand, outcome):
        """A fault that may pass: wait and try again, as often as --retries says."""
        self.trouble = outcome.error
        wait = errand.patience.wait(self.args.retries, outcome.slow)
        if wait is None:
            self.give_up(errand, outcome, rows.FAILED)
        else:
            self.flow.later(wait, self.resend, errand)

    def resend(self, errand):
        """Send an errand's Job once more; a presigned URL is made anew, for it expires with what signed it."""
        if errand.job.url:
            errand.job = errand.job._replace(url=self.reach(errand.row))
        self.flow.send(errand.job, errand, max(errand.job.size, 0))

    def on_held(self, errand, outcome):
        """Another process fetches it: look again soon, at the ledger first."""
        self.flow.later(HELD_SECONDS, self.look_again, errand)

    def look_again(self, errand):
        """See whether the other process has finished a row, else send it again."""
        row = errand.row
        if self.is_kept(row, self.ledger.find(row.bucket, row.key, row.version_id)):
            del self.flying[errand.job.path]
            self.kept += 1
            self.leave(row)
        elif errand.survey:
            self.on_surveyed(errand, errand.survey)
        else:
            self.resend(errand)

    def on_big(self, errand, outcome):
        """A row that did not say its size is a large object: begin again as such."""
        errand.job = errand.job._replace(kind="survey", size=outcome.size, etag=errand.job.etag or outcome.etag,
                                         version_id=errand.job.version_id)
        self.progress.expect(outcome.size)
        self.resend(errand)

    def on_full(self, errand, outcome):
        """No space: take no more rows, say how much is needed."""
        need = sum(max(e.job.size, 0) for e in self.flying.values())
        free, inodes = self.tree.free()
        raise Fatal(f"{outcome.error} in '{self.args.dest}': {show_size(free)} and {inodes:,} inodes are free, what is "
                    f"under way needs {show_size(need)}; make room and run the same command again")

    def on_fatal(self, errand, outcome):
        """S3 will not have us at all."""
        raise Fatal(outcome.error)

    def on_archived(self, errand, outcome):
        """The bytes are in an archive: the row goes on as it came."""
        del self.flying[errand.job.path]
        self.leave_archived(errand.row)

    def on_vanished(self, errand, outcome):
        """The version is not in S3 any more."""
        self.give_up(errand, outcome, rows.VANISHED)

    def on_conflict(self, errand, outcome):
        """Something is in the way of the file."""
        self.give_up(errand, outcome, rows.CONFLICT)

    def give_up(self, errand, outcome, state):
        """Let a row go that failed."""
        if errand.large:
            errand.failed = errand.failed or (outcome, state)
            if errand.large.pending:
                return
            outcome, state = errand.failed
            if outcome.state in (CHANGED, VANISHED):
                errand.large.discard()      # nobody can ever finish it
            else:
                errand.large.drop()
            self.large.discard(errand.large)
        self.flying.pop(errand.job.path, None)
        row = errand.row
        row.state, row.error, row.proof, row.digest, row.path = state, outcome.error, "", "", ""
        self.leave(row, told=True)

    def note_failure(self, row):
        """Count a row that the flush failed, after all."""
        self.tally.recount(row, rows.FETCHED)

    # --- large objects

    def on_surveyed(self, errand, outcome):
        """S3 has described a large object: is it there already? else share out its ranges."""
        errand.survey = outcome
        errand.job = errand.job._replace(size=outcome.size)
        there = self.tree.look(errand.job.path)
        if there is not None and there.st_size == outcome.size and outcome.claim.kind != "none":
            self.flow.send(errand.job._replace(kind="check", claim=outcome.claim), errand, outcome.size)
        else:
            self.begin_large(errand)

    def begin_large(self, errand):
        """Hold the part file and send the Jobs of the ranges."""
        large = Large(self.tree, errand.job, errand.survey, self.args.jobs)
        try:
            if not large.hold():
                self.on_held(errand, None)
                return
            jobs = large.start()
        except OSError as error:
            large.drop()
            self.cannot(errand, "make the part file", error)
            return
        errand.large, large.pending = large, len(jobs)
        self.large.add(large)
        together = max(1, min(RANGES_TOGETHER, len(jobs) // (self.args.jobs * DEPTH)))
        for number, job in enumerate(jobs, 1):
            self.flow.send(job, Piece(errand, job))
            if number % together == 0:
                self.flow.flush()

    def on_checked(self, errand, outcome):
        """A file's bytes were read: those of a finished part, or of a file found in its place."""
        if errand.large:
            self.finish_large(errand, outcome.proof, outcome.digest)
        elif outcome.proof in ("", "size"):
            self.begin_large(errand)
        else:
            self.clear_part(errand)
            self.on_fetched(errand, errand.survey._replace(
                state=FETCHED, path=errand.job.path, digest=outcome.digest, proof=outcome.proof,
                mtime_ns=outcome.mtime_ns, inode=outcome.inode, device=outcome.device))

    def clear_part(self, errand):
        """Remove what an earlier run left of an object whose file was found complete: nobody would resume it."""
        large = Large(self.tree, errand.job, errand.survey, self.args.jobs)
        try:
            if large.hold():
                large.discard()
        except OSError:
            large.drop()        # it is swept one day

    def range_done(self, piece, outcome):
        """Take one range's outcome."""
        errand, large = piece.errand, piece.errand.large
        if outcome.state == AGAIN and not errand.failed:
            self.trouble = outcome.error
            wait = piece.patience.wait(self.args.retries, outcome.slow)
            if wait is not None:
                self.flow.later(wait, self.flow.send, piece.job, piece, piece.job.end - piece.job.start)
                return
        large.pending -= 1
        if outcome.state in (FULL, FATAL):
            self.answer(errand, outcome)
        elif outcome.state != RECEIVED or errand.failed:
            self.give_up(errand, outcome, {VANISHED: rows.VANISHED, CONFLICT: rows.CONFLICT}.get(outcome.state, rows.FAILED))
        else:
            try:
                large.received(outcome)
                if large.is_whole:
                    job = large.needs_reading()
                    if job:
                        self.flow.send(job, errand, job.size)
                    else:
                        self.finish_large(errand, *large.proof())
            except OSError as error:
                self.cannot(errand, "use the part file", error)

    def cannot(self, errand, action, error):
        """Let a large object's row go for an OSError of ours; where there is no space, nothing more can be done."""
        if error.errno in NO_SPACE:
            self.on_full(errand, Outcome(FULL, reason(error)))
        self.give_up(errand, Outcome(FAILED, f"cannot {action}: {reason(error)}"), rows.FAILED)

    def finish_large(self, errand, proof, digest):
        """Give a large object its name, or begin again if its bytes are wrong."""
        large = errand.large
        self.large.discard(large)
        errand.large = None
        if not proof:
            large.discard()
            self.on_again(errand, Outcome(AGAIN, f"the bytes do not match S3's {large.claim.proof}"))
            return
        try:
            outcome = large.name(proof, digest, self.mode)
        except OSError as error:
            large.drop()
            self.cannot(errand, "name the file", error)
            return
        except Fault as fault:
            large.drop()
            self.give_up(errand, Outcome(FAILED, f"cannot name the file: {fault}"), rows.CONFLICT)
            return
        self.on_fetched(errand, outcome)

    # --- afterwards

    def told(self):
        """Return the parts of the summary."""
        size = f" ({show_size(self.moved)})" if self.moved else ""
        if self.args.dry_run:
            return [f"{count(self.planned, 'row')} to fetch ({show_size(self.planned_bytes)})"]
        wrong = self.tally.of(*rows.WRONG)
        if self.archived:
            self.tally.say(f"{count(self.archived, 'row')} cannot be read before a restore: see s3-restore")
        others = self.tally.of(rows.VERIFIED, rows.PRUNED, rows.UNVERIFIABLE, rows.STORED)
        return [f"{count(self.fetched, 'row')} fetched{size}" if self.fetched or not self.kept else "nothing to fetch",
                self.kept and f"{count(self.kept, 'row')} already there",
                self.adopted and f"{count(self.adopted, 'file')} found complete, checked and kept",
                others and f"{count(others, 'row')} passed on as they were",
                self.archived and f"{count(self.archived, 'row')} in an archive",
                wrong and f"{count(wrong, 'row')} failed"]

    def status(self):
        """Return the exit status."""
        return self.tally.status(unverifiable=False) or (SOME_FAILED if self.archived else 0)


class Piece:
    """A range's Job and how often it was tried; stands for its errand in the flow."""

    __slots__ = ("errand", "job", "patience")

    def __init__(self, errand, job):
        self.errand, self.job, self.patience = errand, job, Patience()


class Unreachable(Fault):
    """A bucket or version that cannot be there: its rows fail, the others go on."""


class Fatal(Fault):
    """Nothing more can be done in this run."""


def hash_of(*texts):
    """Return a 64-bit signed hash of texts, for Claims."""
    return xxhash.xxh3_64_intdigest("\0".join(texts).encode("utf-8", "surrogateescape")) - (1 << 63)


def places_of(entry):
    """Return the paths that a finished file keeps from others: its own, and the plain one where it had to lie beside that."""
    plain = path_of(entry.bucket, entry.key)
    if entry.path == plain or version_of(entry.path):
        return [entry.path]
    try:
        is_beside = key_of(entry.path) == (entry.bucket, entry.key)
    except ValueError:
        is_beside = False
    return [plain, entry.path] if is_beside else [entry.path]


def mtime_of(row):
    """Return the row's last_modified as nanoseconds, or -1."""
    try:
        at = epoch_ns(row.last_modified)
    except ValueError:
        return -1
    return -1 if at is None else at
