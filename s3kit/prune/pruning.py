"""s3-prune's work: which rows carry proof, the plan and the question, and the deletion of exactly those rows."""

import math
import os
import pickle
import sqlite3
import stat
import tempfile
import time
from itertools import chain

from s3kit.disk import durable
from s3kit.disk.ledger import Ledger
from s3kit.disk.readback import is_intact
from s3kit.disk.tree import OURS, Tree
from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE, Fault, NoSuchBucket, of_file, reason
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.manifest.csv_form import Writer
from s3kit.manifest.filters import Filter
from s3kit.pipeline.flow import Flow
from s3kit.prune.deletion import MOST, Doomed, Removal, Removed, heeds_conditions
from s3kit.s3.access import Access
from s3kit.s3.calls import AGAIN, EXPIRED, FATAL, Control
from s3kit.s3.patience import Patience
from s3kit.text import count
from s3kit.units import from_epoch, show_size

TRIES = 8               # of what failed in passing
TICK = 0.5              # seconds
AHEAD = 20 * MOST       # rows on their way
DAY = 86400             # seconds after which a file that was verified is read back before its version goes
PREFIXES = 8            # that a plan names, of each bucket

# Why a row is kept. Those of BROKEN_PROOF had one: it does not hold any more.
NOT_VERIFIED, WEAK, MARKER, CURRENT, NEWEST, ENOUGH, REFUSED, FILTERED = (
    "not verified", "proven by nothing but its size", "delete markers (--delete-markers)", "current versions",
    "among the newest", "more than --max-delete", "of a bucket that was refused", "left out by the filters")


class Pruning:
    """The run of one s3-prune; `run`, then `status` and `told`."""

    def __init__(self, args, source, sink, tally, progress, ask, signals):
        self.args, self.source, self.sink, self.tally, self.progress = args, source, sink, tally, progress
        self.ask, self.signals = ask, signals
        self.access, self.keep = Access(args, self.signals.at_once), Filter(args)
        self.accepted = set(args.accept_proof)
        self.since = from_epoch(math.ceil(args.verified_since.timestamp() if args.verified_since else time.time() - DAY))
        self.kept = {}              # why: how many
        self.heeded = {}            # bucket: whether its server heeds conditions on deletes
        self.refused = set()        # buckets
        self.gone = {}              # bucket: what S3 says of one that it does not have
        self.doomed = self.bytes = self.pruned = 0
        self.undo = self.newest = None
        self.leaving, self.known = [], []       # rows on their way out, and their ledger's entries: they go together

    def run(self):
        """Delete what carries proof; ask before, unless --yes. Raises Fault (Cut) where the input or the output failed."""
        batches = self.source.batches()
        first = next(batches, [])       # until a row comes, s3-fetch before us may not have made DIR
        self.open()
        batches = chain([first], batches)
        if not self.args.yes or self.args.keep_newest:
            # What a plan says, and which versions are the newest, is known when the whole manifest is.
            with tempfile.TemporaryFile() as spool:
                fault = self.read_all(batches, spool)
                if fault:
                    raise fault
                if self.args.dry_run:
                    self.show_plan(spooled(spool))
                    self.write_plan(spooled(spool))
                    return
                if not self.args.yes:
                    self.ask_about(spooled(spool))
                self.delete(spooled(spool))
        else:
            self.delete(batches)

    def open(self):
        """Open the destination and its ledger, both only to read them. Raises Fault."""
        folder = os.path.join(self.args.dest, OURS)
        if not os.path.isdir(folder):
            raise Fault(f"'{self.args.dest}' is no destination of s3-fetch: there is no '{OURS}' in it (see -d)")
        self.tree, self.ledger = Tree(self.args.dest, make=False), Ledger(folder)
        self.ledger.sync_always()

    def read_all(self, batches, spool):
        """Spool all rows to disk; return the Fault that ended them, if any."""
        self.newest = Newest() if self.args.keep_newest else None
        try:
            for batch in batches:
                self.signals.check()
                if self.newest:
                    self.newest.add(batch)
                pickle.dump(batch, spool)
        except Fault as fault:
            return fault
        return None

    # --- which rows go

    def sort(self, batch):
        """Return [(row, ledger's entry, why it is kept or '')] of rows; what the filters leave out has no entry."""
        asked = [(row.bucket, row.key, row.version_id) for row in batch if row.state in (rows.VERIFIED, rows.FETCHED)]
        entries = self.ledger.find_all(asked)
        wanted = {id(row) for row in (batch if self.keep.is_idle else self.keep(batch))}
        found = []
        for row in batch:
            entry = entries.get((row.bucket, row.key, row.version_id))
            found.append((row, entry, self.why_kept(row, entry) if id(row) in wanted else FILTERED))
        return found

    def why_kept(self, row, entry):
        """Return why S3 must keep a row's version, or '' if it carries proof, here and now."""
        if row.verbatim is not None or row.state == rows.PRUNED or row.state in rows.WRONG:
            return row.state
        if row.is_marker:
            return "" if self.args.delete_markers and row.version_id and row.state in ("", rows.LISTED) else MARKER
        if row.state != rows.VERIFIED and not (row.state == rows.FETCHED and self.args.fetched):
            return NOT_VERIFIED
        if row.bucket in self.refused:
            return REFUSED
        if self.args.noncurrent_only and row.is_latest != "false":
            return CURRENT
        if self.newest and self.newest.has(row, self.args.keep_newest):
            return NEWEST
        if not self.is_proof(row.proof):
            return WEAK
        broken = self.why_broken(row, entry)
        if broken:
            return Broken(broken)
        return ""

    def is_proof(self, proof):
        """Return whether a proof's name is one that deletes."""
        return bool(proof) and (proof != "size" or "size" in self.accepted)

    def why_broken(self, row, entry):
        """Return why the proof that a row carries does not hold any more, or ''."""
        if entry is None or not entry.path:
            return "the ledger does not know its file (s3-verify makes it known)"
        if entry.state not in ((rows.VERIFIED, rows.FETCHED, rows.PRUNED) if self.args.fetched else (rows.VERIFIED, rows.PRUNED)):
            return f"the ledger says that it is {entry.state or 'not verified'}"
        if not states.is_same_object(row, entry) or (row.path and row.path != entry.path):
            return "the ledger knows another object of that name"
        if not self.is_proof(entry.proof):
            return "the ledger's proof is nothing but its size"
        there = self.tree.look(entry.path)
        if there is None:
            return "its file has gone since it was verified"
        if not entry.is_file(there):
            return "its file was changed since it was verified"
        return ""

    def is_stale(self, entry):
        """Return whether a file was verified so long ago that its disk may have lost it since."""
        return entry is not None and entry.mtime_ns != 0 and entry.changed_at < self.since

    def read_back(self, entry):
        """Read a file; return (why it is not what was verified, or '', its entry as of now)."""
        try:
            with self.signals.at_once():
                if is_intact(self.tree, entry, self.signals.check):
                    return "", entry._replace(changed_at=from_epoch(time.time()))
        except (OSError, Fault) as fault:
            return Broken(f"its file cannot be read: {reason(fault)}"), entry
        self.known.append(entry._replace(state=rows.MISMATCH, proof="", mtime_ns=-1))
        return Broken("its file does not have the bytes any more that were verified"), entry

    # --- the plan

    def show_plan(self, batches):
        """Say on stderr what would go, and what stays and why; return {bucket: number of rows that would go}."""
        found, left = {}, self.args.max_delete or float("inf")
        for batch in batches:
            self.signals.check()
            for row, _, why in self.sort(batch):
                if why == FILTERED:
                    continue
                at = found.setdefault(row.bucket, Planned())
                if why or not left:
                    at.keep(str(why) or ENOUGH)
                else:
                    at.add(row)
                    left -= 1
        for bucket, planned in found.items():
            for line in planned.lines(bucket):
                self.tally.say(line)
        return {bucket: planned.rows for bucket, planned in found.items()}

    def write_plan(self, batches):
        """Write the rows that would be deleted, as they are."""
        for batch in batches:
            going = [row for row, _, why in self.sort(batch) if not why]
            if self.args.max_delete:
                going = going[:max(0, self.args.max_delete - self.doomed)]
            self.doomed += len(going)
            self.bytes += sum(row.length or 0 for row in going)
            self.sink.write(going, self.source.extras())

    def ask_about(self, batches):
        """Show the plan and ask a person, bucket by bucket."""
        for bucket, number in self.show_plan(batches).items():
            if number and not self.ask(f"Type the bucket's name to delete {count(number, 'version')} "
                                       f"of s3://{bucket} for good:", bucket):
                self.refused.add(bucket)

    # --- deleting

    def delete(self, batches):
        """Delete the rows that carry proof, as they come, and pass all on."""
        self.signals.graceful = True
        if self.args.undo:
            self.undo = Undo(self.args.undo)
        self.control = Control(self.args.connections)
        self.flow = Flow(batches, self.control, lambda: Removal, self, AHEAD, self.look, together=MOST)
        try:
            try:
                self.flow.run()
            finally:
                self.let_go()       # what was done is said, however the input or S3 ended it
        except BaseException:
            self.control.shutdown(cancel_futures=True)
            raise
        self.control.shutdown()
        if self.undo:
            self.undo.close()

    def look(self):
        """Stop if a signal came; let rows go."""
        self.signals.check()
        self.let_go()

    def let_go(self):
        """Let rows go, the ledger first, where S3 has kept them; who waits for a reader that never comes can be stopped."""
        if self.known:
            known, self.known = self.known, []
            self.ledger.record(known)
        if self.leaving:
            leaving, self.leaving = self.leaving, []
            with self.signals.at_once():
                self.sink.write(leaving, self.source.extras())

    def take_all(self, batch):
        """Decide on rows of the input; what goes is written to the undo file before S3 hears of it, and to the ledger.

        If it ends before S3's answer, by a kill or a power cut, nobody else knows that a file may be the only copy: see leftovers.
        """
        going = []
        for row, entry, why in self.sort(batch):
            if not why and self.args.max_delete and self.doomed >= self.args.max_delete:
                why = ENOUGH
            doomed = None
            if not why and self.is_stale(entry):
                why, entry = self.read_back(entry)
            if not why:
                doomed = self.doom(row)
                why = doomed if isinstance(doomed, str) else ""
            if why:
                self.stay(row, why)
            else:
                self.doomed += 1
                going.append(Errand(row, entry, doomed))
        if self.undo and going:
            self.undo.write([errand.row for errand in going])
        self.ledger.record([errand.entry._replace(state=rows.PRUNED) for errand in going if errand.entry])
        for errand in going:
            self.flow.send(errand.doomed, errand)

    def stay(self, row, why):
        """Keep a row's version; a proof that does not hold any more fails the row."""
        if why == FILTERED and not self.args.in_place:
            return              # as with all commands, they leave the stream, and stay in FILE
        if isinstance(why, Broken):
            row.state, row.error = rows.FAILED, str(why) if row.bucket in self.gone else f"kept in S3: {why}"
        elif why not in (row.state, FILTERED):
            self.kept[why] = self.kept.get(why, 0) + 1
        if why != FILTERED:
            self.tally.count(row, told=isinstance(why, Broken) or row.verbatim is not None)
        self.leaving.append(row)

    def doom(self, row):
        """Return the Doomed of a row, or why its deletion cannot be safe. Raises Fault for a bucket that is out of reach."""
        if row.bucket in self.gone:
            return self.gone[row.bucket]
        try:
            versioning = self.access.versioning(row.bucket)
        except NoSuchBucket as fault:
            self.gone[row.bucket] = Broken(fault)
            return self.gone[row.bucket]
        if row.version_id in ("", "null"):
            if versioning and not row.version_id:
                return Broken("it names no version, and the bucket has versions")
            if row.is_marker and versioning != "Enabled":
                return Broken("a null delete marker cannot be told from an object that takes its place")
            if not row.is_marker and not row.etag:
                return Broken("it has no ETag that would tell it from what may have overwritten it")
        is_loose = row.version_id in ("", "null") and not row.is_marker
        if is_loose and not self.is_heeded(row.bucket):
            raise Fault(f"the server of s3://{row.bucket} does not heed If-Match when it deletes: what took an object's place "
                        "would go with it; nothing of that kind is deleted")
        if not is_loose:        # named in the document of a POST, which needs no signed key
            return Doomed(self.access.endpoint(row.bucket), row.key, row.version_id, "", "", versioning == "Enabled")
        endpoint, url = self.access.reach(row.bucket, row.key, row.version_id, "delete_object", row.etag)
        return Doomed(endpoint, row.key, row.version_id, row.etag, url, versioning == "Enabled")

    def is_heeded(self, bucket):
        """Return whether a bucket's server heeds conditions on deletes, asked for once."""
        if bucket not in self.heeded:
            with self.signals.at_once():
                self.heeded[bucket] = heeds_conditions(self.access.endpoint(bucket), "null" if self.access.versioning(bucket) else "")
        return self.heeded[bucket]

    def answer(self, errand, outcome):
        """Take what became of one version."""
        if not isinstance(outcome, Removed):
            raise Fault(f"cannot delete: {outcome}")
        row = errand.row
        if outcome.state == FATAL:
            raise Fault(outcome.error)
        if outcome.state == EXPIRED:
            self.renew(errand)
        elif outcome.state == AGAIN and (wait := errand.patience.wait(TRIES - 1, outcome.slow)) is not None:
            self.flow.later(together(wait), self.flow.send, errand.doomed, errand)
        else:
            row.state = rows.FAILED if outcome.state == AGAIN else outcome.state
            row.error = outcome.error
            if row.state == rows.PRUNED:
                self.pruned += 1
                self.bytes += row.length or 0
            elif errand.entry:
                self.known.append(errand.entry)         # as it was
            self.tally.count(row, told=row.state != rows.PRUNED)
            self.progress.move(1)
            self.leaving.append(row)

    def renew(self, errand):
        """Send an errand again with new credentials. Raises Fault where there are none."""
        self.access.renew(errand.doomed.endpoint.generation)
        errand.doomed = self.doom(errand.row)
        self.flow.send(errand.doomed, errand)

    def note(self, note):
        """Nobody says anything between answers."""

    # --- afterwards

    def told(self):
        """Return the parts of the summary."""
        size = f" ({show_size(self.bytes)})" if self.bytes else ""
        if self.args.dry_run:
            return [f"{count(self.doomed, 'row')} to delete{size}"]
        wrong = self.tally.of(*rows.WRONG)
        return [f"{count(self.pruned, 'row')} deleted{size}",
                *[f"{count(number, 'row')} kept: {why}" for why, number in sorted(self.kept.items())],
                wrong and f"{count(wrong, 'row')} failed"]

    def status(self):
        """Return the exit status: 5 where rows were kept for want of proof, 1 where any failed."""
        if self.tally.of(*rows.WRONG) or self.kept.get(ENOUGH):
            return SOME_FAILED
        return UNVERIFIABLE if self.kept.get(NOT_VERIFIED) or self.kept.get(WEAK) else DONE


class Broken(str):
    """Why a proof does not hold any more."""


class Errand:
    """A row on its way out of S3."""

    __slots__ = ("row", "entry", "doomed", "patience")

    def __init__(self, row, entry, doomed):
        self.row, self.entry, self.doomed = row, entry, doomed
        self.patience = Patience()


class Planned:
    """What a plan says of one bucket."""

    def __init__(self):
        self.rows = self.bytes = 0
        self.prefixes, self.kept = {}, {}

    def add(self, row):
        """Count a row that would go."""
        self.rows += 1
        self.bytes += row.length or 0
        prefix = row.key.partition("/")[0] + "/" if "/" in row.key else ""
        if prefix not in self.prefixes and len(self.prefixes) > 100 * PREFIXES:
            prefix = "others"
        at = self.prefixes.setdefault(prefix, [0, 0])
        at[0] += 1
        at[1] += row.length or 0

    def keep(self, why):
        """Count a row that would stay."""
        self.kept[why] = self.kept.get(why, 0) + 1

    def lines(self, bucket):
        """Yield the plan for people."""
        yield f"s3://{bucket}: {count(self.rows, 'version')} to delete ({show_size(self.bytes)}), {self.total_kept():,} kept"
        most = sorted(self.prefixes.items(), key=lambda item: -item[1][1])
        for prefix, (number, size) in most[:PREFIXES]:
            yield f"  {number:>12,}  {show_size(size):>10}  {prefix or '(no prefix)'}"
        if most[PREFIXES:]:
            yield f"  ... and {count(len(most) - PREFIXES, 'more prefix')}{'' if len(most) == PREFIXES + 1 else 'es'}"
        for why, number in sorted(self.kept.items()):
            yield f"  {number:>12,}  kept: {why or 'as they came'}"

    def total_kept(self):
        """Return how many rows would stay."""
        return sum(self.kept.values())


class Newest:
    """Which versions are the newest of their keys: by the times in the manifest, on disk, for it may have any number of rows."""

    def __init__(self):
        self.base = sqlite3.connect("", isolation_level=None)
        self.base.execute("CREATE TABLE version (bucket TEXT, key TEXT, at TEXT)")
        self.base.execute("CREATE INDEX of_key ON version (bucket, key, at)")
        self.base.execute("BEGIN")

    def add(self, batch):
        """Take versions that are still there."""
        gone = (rows.PRUNED, rows.VANISHED)
        self.base.executemany("INSERT INTO version VALUES (?, ?, ?)",
                              [(row.bucket, row.key, row.last_modified) for row in batch
                               if row.verbatim is None and not row.is_marker and row.state not in gone])

    def has(self, row, most):
        """Return whether a row is among its key's `most` newest; of the same age all are, of no known age any is."""
        newer = self.base.execute("SELECT count(*) FROM version WHERE bucket = ? AND key = ? AND at > ?",
                                  (row.bucket, row.key, row.last_modified)).fetchone()[0]
        return newer < most or not row.last_modified


class Undo:
    """A manifest of what was doomed, from which it can be brought back; on the disk before S3 hears of it.

    It has no end mark, so that what a crash leaves is as good as the rest (DESIGN.md section 3, bare manifests).
    """

    def __init__(self, path):
        self.path, self.writer = path, Writer()
        try:
            self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            status = os.fstat(self.fd)
            if not stat.S_ISREG(status.st_mode):
                raise Fault(f"'{path}' is no file that deletions could be undone from")
            if not status.st_size:
                durable.write_all(self.fd, self.writer.text([list(rows.COLUMNS)]))
            durable.sync_name(path)
        except OSError as error:
            raise of_file("write", path, error) from None

    def write(self, batch):
        """Write rows, and see them on the disk. Raises Fault."""
        try:
            durable.write_all(self.fd, self.writer.rows(batch))
            durable.sync_data(self.fd)
        except OSError as error:
            raise of_file("write", self.path, error) from None

    def close(self):
        """Close it."""
        os.close(self.fd)


def together(seconds):
    """Return a waiting time a little longer, so that what failed together is asked for together again."""
    now = time.monotonic()
    return -(-(now + seconds) // TICK) * TICK - now


def spooled(spool):
    """Yield the batches in a spool from its beginning."""
    spool.seek(0)
    while True:
        try:
            yield pickle.load(spool)
        except EOFError:
            return
