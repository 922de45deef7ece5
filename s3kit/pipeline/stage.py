"""The run of a row command: rows from the source, through an executor, out by the outbox.

What all row commands do is here, once: the filters, one look into the ledger for each batch of
rows, signals, credentials that are renewed, another try for what failed in passing, rows that
leave, and the order in which everything ends. A command is a verb of one row; its class has

    is_mine(row)                whether it acts on a row in this state (manifest.states)
    take(row, entry)            decide on a row; `entry` is what the ledger knows of it, or None
    answered(errand, outcome)   decide by what became of a job
    resend(errand)              send an errand's job once more
    moved(count)                count bytes that workers have moved
    abandon()                   let go of what the verb itself holds, when the run ends badly
    summary(), status()         the parts of the summary line, the exit status

`Verb` has those of these that many do not need.
"""

import time

from s3kit.disk.ledger import Ledger
from s3kit.errors import Cut
from s3kit.manifest.filters import Filter
from s3kit.pipeline.flow import BATCH_ROWS, Flow
from s3kit.pipeline.outbox import SECONDS_TO_BREAK_OFF, Outbox
from s3kit.pipeline.pool import WorkerDied
from s3kit.s3.address import has_dots
from s3kit.transfer.job import FAILED, Outcome

SILENT_SECONDS = 20         # without a byte after which people hear what we wait for
STUCK_SECONDS = 60          # without anything at all, while rows are owed: a fault of ours
STUCK_LOOKS = 100           # in that time: a process that was stopped and goes on is not stuck


class Stuck(Exception):
    """Rows are owed, and nothing goes on: a fault of ours."""


class Verb:
    """What a command does with a row; see the module's docstring."""

    def __init__(self, stage):
        self.stage, self.args = stage, stage.args
        self.tally, self.progress = stage.tally, stage.progress

    def resend(self, errand):
        """Send an errand's job once more."""
        self.stage.send(errand)

    def moved(self, count):
        """Count bytes that workers have moved."""

    def abandon(self):
        """Nothing is held."""


class Stage:
    """The run of one row command.

    `streams` is (source, sink), `people` (tally, progress, signals) of the command line.
    """

    def __init__(self, args, streams, people, access=None):
        self.args, self.access = args, access
        self.source, self.sink = streams
        self.tally, self.progress, self.signals = people
        self.keep = Filter(args)
        self.ledger = self.outbox = self.executor = self.flow = self.verb = None
        self.reached = set()        # buckets whose endpoint the workers have
        self.leaving = []           # rows that need no flush, on their way to the outbox
        self.trouble = ""           # what was last tried again, until bytes move
        self.moved_at = self.stepped_at = time.monotonic()
        self.steps = self.looks = 0

    def open(self, executor, work, destination=None, ledger=None, limit=0, together=BATCH_ROWS,
             batches=None, is_spooled=False):
        """Put the parts together: the executor and the work that it does, where files lie, the
        Ledger that is asked.

        `limit` rows are on their way at most. `destination` is the outbox's.
        """
        self.ledger, self.executor = ledger, executor
        self.outbox = Outbox(self.write, self.signals.check, destination, is_spooled)
        self.flow = Flow(batches or self.source.batches(), executor, work, self, limit, together)

    def run(self, verb):
        """Run the verb to the end of the rows.

        Raises Fault (Cut) where the input, the output or S3 failed.
        """
        self.verb = verb
        self.signals.graceful = True
        try:
            try:
                self.flow.run()
            finally:
                self.let_go()       # what was done is said, however the input or S3 ended it
        except BaseException as fault:
            self.executor.shutdown(cancel_futures=True)
            verb.abandon()
            self.outbox.close(None if isinstance(fault, Cut) else SECONDS_TO_BREAK_OFF)
            raise
        self.executor.shutdown()
        self.outbox.close()

    def write(self, rows):
        """Write rows; the outbox's thread calls it."""
        self.sink.write(rows, self.source.extras())

    # --- every turn

    def look(self):
        """Stop if a signal came or anything has failed; let rows go; renew the credentials from
        time to time.
        """
        self.signals.check()
        self.let_go()
        fault = self.outbox.fault or getattr(self.executor, "fault", None)
        if fault:
            raise fault
        if self.access:
            self.spread(self.access.fresh())
        now = time.monotonic()
        if self.trouble and now - self.moved_at > SILENT_SECONDS:
            self.moved_at = now
            self.tally.say(f"nothing has come for {SILENT_SECONDS} s, still trying: {self.trouble}")
        self.watch(now)

    def watch(self, now):
        """Raise Stuck where rows are owed and neither a row, a byte nor a request has moved for a
        minute.
        """
        steps = self.flow.steps + getattr(self.executor, "steps", 0)
        self.looks += 1
        if steps != self.steps or self.flow.sleeping:
            self.steps, self.stepped_at, self.looks = steps, now, 0
        elif ((self.flow.out or self.flow.owed) and now - self.stepped_at > STUCK_SECONDS
              and self.looks > STUCK_LOOKS):
            raise Stuck(
                f"nothing has happened for {STUCK_SECONDS} s: {self.flow.out} jobs are not answered"
                + (f"; the last trouble was: {self.trouble}" if self.trouble else ""))

    def spread(self, endpoints):
        """Hand new Endpoints to the workers."""
        if endpoints and hasattr(self.executor, "tell"):
            self.executor.tell(("endpoints", endpoints), keep=True)

    # --- from the input to the verb

    def take_all(self, batch):
        """Decide on rows of the input; the ledger is asked about all of them at once."""
        mine = {id(row) for row in batch if self.verb.is_mine(row)}
        kept = None if self.keep.is_idle else {id(row) for row in self.keep(batch)}
        names = [(row.bucket, row.key, row.version_id) for row in batch if id(row) in mine]
        entries = self.ledger.find_all(names) if self.ledger else {}
        for row in batch:
            if kept is not None and id(row) not in kept:
                if self.args.in_place:
                    self.leaving.append(row)        # FILE must not lose what was left out this time
            elif id(row) in mine:
                self.verb.take(row, entries.get((row.bucket, row.key, row.version_id)))
            else:
                self.leave(row, aloud=row.verbatim is not None)

    def take_again(self, row):
        """Decide on a row that had to wait."""
        self.verb.take(row, self.ledger.find(row.bucket, row.key, row.version_id) if self.ledger
                       else None)

    def reach(self, row, method="get_object"):
        """Make sure that the workers know how to reach a row's bucket; return a presigned URL where
        libcurl cannot sign, else ''.

        Raises NoSuchBucket, of whose rows nothing can come; NoAccess or another Fault where nothing
        can be done at all.
        """
        if row.bucket in self.reached and not has_dots(row.key):
            return ""
        endpoint, url = self.access.reach(row.bucket, row.key, row.version_id, method)
        if row.bucket not in self.reached:
            self.reached.add(row.bucket)
            self.spread([endpoint])
        return url

    def send(self, errand, job=None, weight=0):
        """Send an errand's own job or another for it; `weight` is what it moves, in bytes."""
        self.flow.send(job or errand.job, errand, weight)

    def later(self, seconds, call, *values):
        """Call back after `seconds`; the run does not end before."""
        self.flow.later(seconds, call, *values)

    # --- from the executor to the verb

    def hear(self, note):
        """Take a note in the executor's own thread; `note` gets it in the run's."""
        self.flow.events.put(("note", note))

    def note(self, note):
        """Take what a worker says between answers."""
        kind, value = note
        if kind == "moved":
            self.moved_at, self.trouble = time.monotonic(), ""
            self.verb.moved(value)
        elif kind == "slow":
            self.executor.tell(("slow", None))
        elif kind == "expired":
            self.spread(self.access.renew(value))

    def answer(self, errand, outcome):
        """Give the verb the outcome of a job; a batch that cost too many workers fails its rows."""
        if isinstance(outcome, WorkerDied):
            outcome = Outcome(FAILED, str(outcome))
        elif isinstance(outcome, BaseException):
            raise outcome
        self.verb.answered(errand, outcome)

    def retry(self, errand, outcome, most):
        """Send an errand once more after a while; return False where it was tried `most` times
        already.

        A server that slows us down is borne longer, by the clock.
        """
        self.trouble = outcome.error
        wait = errand.patience.wait(most, outcome.slow)
        if wait is None:
            return False
        self.later(wait, self.verb.resend, errand)
        return True

    # --- to the output

    def leave(self, row, aloud=False):
        """Let a row go that needs no flush; with `aloud` people hear why it failed."""
        self.tally.count(row, aloud)
        self.leaving.append(row)

    def finish(self, row, entry, is_safe=False, aloud=False):
        """Let a row go when its Entry is in the ledger, after the next flush of its file unless
        that `is_safe` already.
        """
        self.tally.count(row, aloud)
        self.outbox.add(row, entry, is_safe)

    def let_go(self):
        """Send off what left since the last time, together: one row at a time costs more than its
        decision.
        """
        if self.leaving:
            gone, self.leaving = self.leaving, []
            self.outbox.pass_on(gone)


def open_ledgers(folder):
    """Return two connections to a destination's ledger: one to ask, one for the outbox.

    Raises Fault.
    """
    return Ledger(folder), Ledger(folder)
