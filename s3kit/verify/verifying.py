"""s3-verify's work: where a row's file lies, what S3 says of its bytes, and what the disk says."""

import math
import os
import stat
import time
from itertools import chain

from s3kit.disk import durable
from s3kit.disk.ledger import Entry, Ledger
from s3kit.disk.paths import BESIDE_DIRECTORY, file_of_folder, is_inside, path_of, with_mark
from s3kit.disk.tree import OURS, Tree
from s3kit.errors import SOME_FAILED, Cut, Fault, reason
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.manifest.filters import Filter
from s3kit.pipeline.flow import BATCH_ROWS, Flow
from s3kit.pipeline.outbox import SECONDS_TO_BREAK_OFF, Commit
from s3kit.pipeline.pool import DEPTH, Pool
from s3kit.proof.claims import NO_CLAIM, Check, claim_of
from s3kit.s3.address import has_dots
from s3kit.s3.session import Session
from s3kit.text import count
from s3kit.transfer.job import Job, Outcome
from s3kit.transfer.work import Work
from s3kit.units import from_epoch, show_size

NOT_FETCHED = "the bytes are not those that were fetched: the digest differs"
TRIES = 3       # times that S3 is asked for what a row does not say

UNTOLD = ("again", "vanished", "archived", "changed", "failed", "fatal")


class Look:
    """One row being verified: where its file lies, what the ledger knows, what S3 claims."""

    __slots__ = ("row", "path", "status", "entry", "claim", "asked", "tries", "found", "why")

    def __init__(self, row, path, status, entry):
        self.row, self.path, self.status, self.entry = row, path, status, entry
        self.claim, self.asked, self.tries, self.found = NO_CLAIM, False, 0, None
        self.why = ""

    def is_recorded(self, digest):
        """Return whether a file's digest is the one recorded when its bytes came; None where none was.

        That of an unverifiable row was only read from its file: it can tell a change, and proves nothing.
        """
        recorded = self.row.digest or (self.entry.digest if self.entry else "")
        if not recorded or (recorded == digest and self.row.state == rows.UNVERIFIABLE):
            return None
        return recorded == digest


class Verifying:
    """The run of one s3-verify; `run`, then `told`."""

    def __init__(self, args, source, sink, tally, progress, signals):
        self.args, self.source, self.sink, self.tally, self.progress = args, source, sink, tally, progress
        self.signals = signals
        self.keep = Filter(args)
        self.session = Session(args)
        self.offline = args.quick
        # The ledger's times are whole seconds.
        self.since = from_epoch(math.ceil(args.verified_since.timestamp())) if args.verified_since else None
        self.known = set()
        self.gone = set()               # paths of files that were removed
        self.read = self.discarded = self.archived = 0

    def run(self):
        """Verify everything. Raises Fault (Cut) where the input or the output failed."""
        batches = self.source.batches()
        first = next(batches, [])       # until a row comes, s3-fetch before us may not have made DIR
        self.tree = Tree(self.args.dest, make=False)
        self.ledger, writer = self.open_ledger()
        self.commit = Commit(self.sink, writer, self.tree, self.source.extras, self.note_failure,
                             self.signals.check, are_ours=False)
        self.signals.graceful = True
        self.pool = Pool(self.args.jobs, lambda note: self.flow.events.put(("note", note)))
        work = Work(os.path.abspath(self.args.dest), {}, 8, make=False, place=self.tree.place)
        self.flow = Flow(chain([first], batches), self.pool, lambda: work, self, self.args.jobs * DEPTH * BATCH_ROWS, self.look)
        try:
            self.flow.run()
        except BaseException as fault:
            self.pool.shutdown(cancel_futures=True)
            self.commit.close(None if isinstance(fault, Cut) else SECONDS_TO_BREAK_OFF)
            raise
        self.pool.shutdown()
        self.commit.close()

    def open_ledger(self):
        """Return two connections to the ledger, or (None, None) where there is none and none can be made.

        Files that another tool left can be verified in a place that we must not write to.
        """
        folder = os.path.join(self.args.dest, OURS)
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            return Ledger(folder), Ledger(folder)
        except (OSError, Fault):
            if os.path.exists(os.path.join(folder, "ledger.sqlite3")):
                raise
            return None, None

    def look(self):
        """Stop if a signal came or the output failed."""
        self.signals.check()
        if self.commit.fault:
            raise self.commit.fault

    # --- from the input to the workers

    def take_all(self, batch):
        """Decide on rows of the input; the ledger is asked about all of them at once."""
        names = [(row.bucket, row.key, row.version_id) for row in batch if states.is_to_verify(row)]
        entries = self.ledger.find_all(names) if self.ledger else {}
        for row in batch:
            self.take(row, entries.get((row.bucket, row.key, row.version_id)))

    def take(self, row, entry):
        """Decide on one row; `entry` is what the ledger knows of it."""
        if not self.keep.is_idle and not self.keep([row]):
            if self.args.in_place:
                self.leave(row)         # FILE must not lose what was left out this time
            return
        if not states.is_to_verify(row):
            self.leave(row, told=row.verbatim is not None)
            return
        if entry is not None and not states.is_same_object(row, entry):
            entry = None
        path, status = self.place(row, entry)
        if status is None and row.storage_class in states.ARCHIVED_CLASSES and row.state not in (
                rows.FETCHED, rows.VERIFIED):
            self.archived += 1
            self.leave(row)         # s3-fetch could not read it either: s3-restore comes first
            return
        if status is None:
            self.say(row, rows.MISSING, f"there is no file '{path}'")
            return
        row.path = path
        if self.is_verified_since(row, status, entry):
            row.state, row.digest, row.proof, row.error = rows.VERIFIED, entry.digest, entry.proof, ""
            self.leave(row)
            return
        look = Look(row, path, status, entry)
        length = row.length if row.length is not None else entry.size if entry else None
        if stat.S_ISDIR(status.st_mode):
            self.judge_folder(look)
        elif not stat.S_ISREG(status.st_mode):
            self.say(row, rows.MISMATCH, "there is no regular file in its place")
        elif length is not None and status.st_size != length:
            self.differs(look, f"the file has {status.st_size:,} bytes, not {length:,}")
        else:
            self.decide(look)

    def is_verified_since(self, row, status, entry):
        """Return whether a row's file was verified since the time that was given, and is untouched since then."""
        return (self.since is not None and entry is not None and entry.state == rows.VERIFIED and entry.path == row.path
                and entry.changed_at >= self.since and entry.is_file(status) and (not row.digest or row.digest == entry.digest))

    def place(self, row, entry):
        """Return (path, os.stat_result or None) of a row's file.

        Where the row and the ledger do not say, it is looked for where s3-fetch would have put it, then
        at the key itself, as tools do that leave the bucket's name out.
        """
        if row.path and is_inside(row.path):
            return row.path, self.tree.look(row.path)
        if entry is not None and entry.path:
            return entry.path, self.tree.look(entry.path)
        first = path_of(row.bucket, row.key)
        tries = [first, file_of_folder(first) if first.endswith("/") else with_mark(first, BESIDE_DIRECTORY)]
        if is_inside(row.key):
            tries.append(row.key)
        for path in tries:
            status = self.tree.look(path)
            if status is not None and (stat.S_ISREG(status.st_mode) or row.key.endswith("/")):
                return path, status
        return first, None

    def decide(self, look):
        """Choose what to compare the bytes with: the row's claim, what S3 says when asked, our digest."""
        row = look.row
        if self.args.quick:
            look.claim = NO_CLAIM
        elif not look.asked:
            look.claim = claim_of(row.checksum_algorithm, row.checksum_type, row.checksum, row.etag, row.length)
            look.claim = with_proven_parts(look.claim, row.proof, look.status.st_size)
            sure = look.claim.kind == "full" or (look.claim.kind == "parts" and look.claim.part_size)
            if not sure and self.ask(look):
                return
        self.send(look, "check")

    def ask(self, look):
        """Ask S3 for what the row does not say; return False where it cannot be asked."""
        look.asked = True
        row = look.row
        if self.offline or has_dots(row.key) or not states.is_askable(row):
            return False
        if row.bucket not in self.known:
            try:
                with self.signals.at_once():
                    endpoint = self.session.endpoint(row.bucket)
            except Fault as fault:
                self.offline = True
                self.tally.say(f"warning: S3 cannot be asked ({fault}); rows that do not say enough are compared "
                               "with our own digests")
                return False
            self.known.add(row.bucket)
            self.pool.tell(("endpoints", [endpoint]), keep=True)
        self.send(look, "survey")
        return True

    def send(self, look, kind):
        """Send a Job about a row to a worker."""
        row = look.row
        size = look.status.st_size
        if kind == "check" and not look.found:
            self.progress.expect(size)
        self.flow.send(Job(kind, row.bucket, row.key, row.version_id, row.etag, size, -1, look.path, claim=look.claim,
                           direct=not self.args.quick), look, size if kind == "check" else 0)

    # --- from the workers to the output

    def note(self, note):
        """Take what a worker says between answers."""

    def answer(self, look, outcome):
        """Take what S3 or the disk said."""
        if not isinstance(outcome, Outcome):
            outcome = Outcome("failed", str(outcome))
        if outcome.state == "checked":
            self.judge(look, outcome)
        elif outcome.state == "surveyed":
            self.told_by_s3(look, outcome)
        elif outcome.state == "again" and look.tries < TRIES:
            look.tries += 1
            self.flow.later(0.2 * 2 ** look.tries, self.send, look, "survey")
        elif look.asked and not look.found and outcome.state in UNTOLD:
            look.found = outcome        # S3 tells nothing: what the row and the ledger say must do
            look.why = f" ({outcome.error})"
            self.send(look, "check")
        elif look.asked and look.found and outcome.state in UNTOLD:
            self.judge_again(look, look.found)
        else:
            self.say(look.row, rows.FAILED, outcome.error)

    def told_by_s3(self, look, outcome):
        """Take S3's description of the object."""
        row = look.row
        row.etag, row.size = row.etag or outcome.etag, row.size or str(outcome.size)
        if outcome.checksum:
            row.checksum_algorithm, row.checksum_type = outcome.checksum_algorithm, outcome.checksum_type
            row.checksum = outcome.checksum
        look.claim = outcome.claim
        if outcome.size != look.status.st_size:
            self.differs(look, f"the file has {look.status.st_size:,} bytes, not {outcome.size:,}")
        elif look.found:
            self.judge_again(look, outcome)
        else:
            self.send(look, "check")

    def judge(self, look, outcome):
        """Decide by what was read."""
        row = look.row
        self.read += outcome.size
        self.progress.move(outcome.size)
        same = look.is_recorded(outcome.digest)
        if outcome.size != look.status.st_size:
            self.differs(look, "the file changed while it was read")
        elif outcome.proof not in ("", "size"):
            self.verified(look, outcome, outcome.proof)
        elif outcome.proof == "" and not look.asked and look.claim.proof == "etag-md5":
            look.found = outcome        # with SSE-KMS the ETag is no MD5: S3 must say
            if not self.ask(look):
                self.judge_again(look, outcome)
        elif outcome.proof == "" and same is not True:
            self.differs(look, f"the bytes do not match S3's {look.claim.proof}")
        elif outcome.proof == "":
            self.judge_again(look, outcome)
        elif same:
            self.verified(look, outcome, "digest")
        elif same is False:
            self.differs(look, NOT_FETCHED)
        else:
            row.digest, row.proof = outcome.digest, "size"
            self.say(row, rows.UNVERIFIABLE, f"nothing is known that the bytes could be compared with{look.why}")

    def judge_again(self, look, said):
        """Decide on bytes that are not the MD5 that the ETag looks like; S3 may have said what it is, or not (any more)."""
        row, found = look.row, look.found or said
        is_told = look.asked and said is not found
        encrypted = is_told and look.claim.proof != "etag-md5"
        same = look.is_recorded(found.digest)
        if encrypted and look.claim.kind != "none":
            look.found = None
            self.send(look, "check")
        elif same and (encrypted or not is_told):
            self.verified(look, found, "digest")
        elif same is False:
            self.differs(look, NOT_FETCHED)
        elif encrypted:
            row.digest, row.proof = found.digest, "size"
            self.say(row, rows.UNVERIFIABLE, "the ETag of an encrypted object says nothing about its bytes")
        else:
            self.differs(look, "the bytes do not match S3's etag-md5")

    def judge_folder(self, look):
        """A directory stands for a zero-byte key that ends in `/`."""
        row = look.row
        claim = claim_of(row.checksum_algorithm, row.checksum_type, row.checksum, row.etag, 0)
        if row.length or not row.key.endswith("/"):
            self.say(row, rows.MISMATCH, "there is a directory in its place")
            return
        proof = Check(claim, 0).proof() or "size"
        self.verified(look, Outcome("checked", digest=row.digest, inode=look.status.st_ino), proof)

    def verified(self, look, outcome, proof):
        """The bytes on the disk are S3's."""
        row = look.row
        if look.path in self.gone:
            self.say(row, rows.MISSING, f"the file '{look.path}' was removed: it is not what another row says")
            return
        row.state, row.error, row.proof, row.digest = rows.VERIFIED, "", proof, outcome.digest
        row.size = row.size or str(look.status.st_size)
        self.tally.count(row)
        self.record(look, outcome)

    def differs(self, look, why):
        """The bytes on the disk are not S3's."""
        row = look.row
        row.proof = ""
        if self.is_anothers(look):
            self.say(row, rows.MISMATCH, f"{why}: it is the file of another version")
            return
        if self.args.discard:
            try:
                folder, name, _ = self.tree.folder(look.path, make=False)
                durable.unlink(name, folder)
                self.gone.add(look.path)
                self.discarded += 1
                why += "; the file was removed"
            except (OSError, Fault) as error:
                why += f"; the file cannot be removed: {reason(error)}"
        row.state, row.error = rows.MISMATCH, why
        self.tally.count(row, told=True)
        self.record(look, Outcome("checked"))

    def is_anothers(self, look):
        """Return whether a row's path leads to what was proven to be another version's, before or in this run."""
        known = [*self.commit.pending_at(look.path), *filter(None, [self.ledger and self.ledger.at_path(look.path)])]
        return any(entry.state in (rows.FETCHED, rows.VERIFIED, rows.PRUNED) and entry.is_file(look.status)
                   and entry[:3] != (look.row.bucket, look.row.key, look.row.version_id) for entry in known)

    def record(self, look, outcome):
        """Let a row go after the next flush, and the ledger know; what s3-prune has deleted in S3 stays so, its file the only copy."""
        row = look.row
        is_last = look.entry is not None and look.entry.state == rows.PRUNED and states.is_same_object(row, look.entry)
        is_last = is_last and not states.is_put_again(row, look.entry)
        folder = stat.S_ISDIR(look.status.st_mode)
        entry = Entry(row.bucket, row.key, row.version_id, row.etag, 0 if folder else look.status.st_size, row.last_modified,
                      row.storage_class, row.checksum_algorithm, row.checksum_type, row.checksum, row.path,
                      0 if folder else outcome.mtime_ns, outcome.inode, row.digest, row.proof, rows.PRUNED if is_last else row.state, row.error,
                      look.entry.tries if look.entry else 0, from_epoch(time.time()))
        # What s3-fetch has recorded was flushed before: its file, untouched since, needs no second flush.
        self.commit.add(row, entry, is_safe=look.entry is not None and look.entry.is_file(look.status))

    def say(self, row, state, why):
        """Let a row go that was not verified."""
        row.state, row.error = state, why
        if state != rows.UNVERIFIABLE:
            row.proof = ""
        self.leave(row, told=True)

    def leave(self, row, told=False):
        """Let a row go that needs no flush."""
        self.tally.count(row, told)
        self.commit.pass_on([row])

    def note_failure(self, row):
        """Count a row that the flush failed, after all."""
        self.tally.recount(row, rows.VERIFIED)

    def told(self):
        """Return the parts of the summary."""
        tally, wrong = self.tally, (rows.MISMATCH, rows.MISSING, rows.UNVERIFIABLE)
        rest = tally.of(*(rows.WRONG - set(wrong)))
        size = f" ({show_size(self.read)} read)" if self.read else ""
        return [f"{count(tally.of(rows.VERIFIED), 'row')} verified{size}",
                *(f"{tally.of(state):,} {state}" for state in wrong if tally.of(state)),
                rest and f"{count(rest, 'row')} failed before",
                self.archived and f"{count(self.archived, 'row')} in an archive",
                self.discarded and f"{count(self.discarded, 'file')} removed"]

    def status(self):
        """Return the exit status; rows in an archive are not done either."""
        return self.tally.status() or (SOME_FAILED if self.archived else 0)


def with_proven_parts(claim, proof, size):
    """Return a claim about parts with the part size that an earlier proof names, if it fits the file."""
    kind, _, known = proof.partition(":")
    if claim.kind != "parts" or kind != claim.proof.partition(":")[0]:
        return claim
    part = int(known) if known.isascii() and known.isdigit() and len(known) < 16 else 0
    return claim.with_part_size(part) if part and -(-size // part) == claim.count else claim
