"""The run of a row command: rows from the source, through an executor, out by the outbox.

What all row commands do is here, once: the filters, one look into the ledger for each batch of
rows, signals, credentials that are renewed, another try for what failed in passing, rows that
leave, and the order in which everything ends. A command is a verb of one row; its class has

    is_mine(row)                whether it acts on a row in this state (manifest.states)
    take(row, entry)            decide on a row; `entry` is what the ledger knows of it, or None
    take_all(pairs)             do so for neighbours, in their order
    answered(errand, outcome)   decide by what became of a job
    flushed(errands)            go on with errands whose bytes are on the disk now
    resend(errand)              send an errand's job once more
    moved(count)                count bytes that workers have moved, or what else is counted
    taken()                     send what was held back until all rows of a block were taken
    leaving()                   write down what must be known before the next rows leave
    look()                      do what is to be done at every turn of the run
    at_end()                    let rows go that waited until all others were done
    abandon()                   let go of what the verb itself holds, when the run ends badly
    summary(), status()         the parts of the summary line, the exit status

`Verb` has those of these that many do not need.
"""

import time
from functools import partial

from s3kit.disk.ledger import Ledger
from s3kit.errors import Cut
from s3kit.manifest.filters import Filter
from s3kit.pipeline.endpoints import Endpoints
from s3kit.pipeline.flow import BATCH_ROWS, Flow
from s3kit.pipeline.liveness import Liveness
from s3kit.pipeline.outbox import SECONDS_TO_BREAK_OFF, Outbox
from s3kit.pipeline.pool import WorkerDied
from s3kit.s3.verdicts import EXPIRED
from s3kit.transfer.job import FAILED, Outcome


class Verb:
    """What a command does with a row; see the module's docstring.

    `passes_on` says whether rows leave that it does not act on.
    """

    passes_on = True

    def __init__(self, stage):
        self.stage, self.args = stage, stage.args
        self.tally, self.progress = stage.tally, stage.progress

    def take_all(self, pairs):
        """Decide on rows that follow each other, each with what the ledger knows of it."""
        for row, entry in pairs:
            self.take(row, entry)

    def resend(self, errand):
        """Send an errand's job once more."""
        self.stage.send(errand)

    def moved(self, count):
        """Count bytes that workers have moved, or what else is counted."""

    def taken(self):
        """Nothing was held back."""

    def leaving(self):
        """Nothing must be known."""

    def look(self):
        """Do what is to be done at every turn."""

    def at_end(self):
        """No row waits for the others."""

    def flushed(self, errands):
        """Nothing waits for a flush."""

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
        self.ledger = self.outbox = self.executor = self.endpoints = self.flow = self.verb = None
        self.liveness, self.leaving = Liveness(self.tally.say), []      # rows that need no flush

    def open(self, executor, work, destination=None, ledger=None, limit=0, together=BATCH_ROWS,
             batches=None, is_spooled=False):
        """Put the parts together: the executor and the work that it does, where files lie (the
        outbox's `destination`), the Ledger that is asked. `limit` rows are on their way at most.
        """
        self.ledger, self.executor = ledger, executor
        self.endpoints = Endpoints(self.access, executor)
        self.outbox = Outbox(self.write, self.signals.check, destination, is_spooled,
                             lambda errands: self.flow.events.put(("flushed", errands)))
        self.flow = Flow(batches or self.source.batches(), executor, work, self, limit, together,
                         self.source.share if self.source else lambda: None)
        self.tally.at_work = partial(at_work, executor)
        self.reach, self.later = self.endpoints.reach, self.flow.later      # for the verb

    def run(self, verb):
        """Run the verb to the end of the rows.

        Raises Fault (Cut) where the input, the output or S3 failed.
        """
        self.verb, self.flow.at_end = verb, verb.at_end
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
        end(self.executor, self.outbox)

    def write(self, rows):
        """Write rows; the outbox's thread calls it."""
        self.sink.write(rows, self.source.extras())

    # --- every turn

    def look(self):
        """Stop where a signal came or anything has failed; let rows go; renew the credentials."""
        self.signals.check()
        self.let_go()
        fault = self.outbox.fault or getattr(self.executor, "fault", None)
        if fault:
            raise fault
        self.verb.look()
        self.endpoints.refresh()
        self.progress.read(self.flow.share, self.flow.ended)
        flow, steps = self.flow, self.flow.steps + getattr(self.executor, "steps", 0)
        self.liveness.look(steps, flow.out, flow.is_owed(),
                           bool(flow.sleeping) or self.outbox.is_flushing)

    # --- from the input to the verb

    def take_all(self, batch):
        """Decide on rows of the input; the ledger is asked about all of them at once."""
        is_mine, take_all = self.verb.is_mine, self.verb.take_all
        kept = None if self.keep.is_idle else {id(row) for row in self.keep(batch)}
        names = [(row.bucket, row.key, row.version_id) if is_mine(row) else None for row in batch]
        entries = self.ledger.find_all([name for name in names if name]) if self.ledger else {}
        mine = []           # neighbours, which the verb decides on together
        for row, name in zip(batch, names):
            if name and (kept is None or id(row) in kept):
                mine.append((row, entries.get(name)))
                continue
            take_all(mine)
            mine = []
            if kept is not None and id(row) not in kept:
                if self.args.in_place:
                    self.leaving.append(row)        # FILE must not lose what was left out this time
            elif self.verb.passes_on:
                self.leave(row, aloud=row.verbatim is not None)
        take_all(mine)
        self.verb.taken()

    def take_again(self, row):
        """Decide on a row that had to wait."""
        self.take_all([row])

    def send(self, errand, job=None, weight=0):
        """Send an errand's own job or another for it; `weight` is what it moves, in bytes."""
        self.flow.send(job or errand.job, errand, weight)

    def send_to(self, holder, job, errand):
        """Send a job that only the worker with process id `holder` can do."""
        self.flow.submit([job], [errand], holder=holder)

    def when_flushed(self, errand):
        """Have the verb's `flushed` called with an errand after the destination's next flush."""
        self.flow.unflushed += 1
        self.outbox.when_flushed(errand)

    # --- from the executor to the verb

    def flushed(self, errands):
        """Tell the verb which errands' bytes are on the disk now."""
        self.verb.flushed(errands)

    def hurry(self):
        """Have what was written flushed now, for nothing else is waited for."""
        self.outbox.hurry()

    def hear(self, note):
        """Take a note in the executor's own thread; `note` gets it in the run's."""
        self.flow.events.put(("note", note))

    def note(self, note):
        """Take what a worker says between answers."""
        kind, value = note
        if kind == "moved":
            self.moved(value)
        elif kind == "waiting":
            self.liveness.waits(value)
        elif kind == "expired":
            self.endpoints.renew(value)
        elif kind == "lacks":
            self.endpoints.learn(value, self.tally)

    def moved(self, count):
        """Note that something has come, and count it."""
        self.liveness.moved()
        self.verb.moved(count)

    def answer(self, errand, outcome):
        """Give the verb the outcome of a job; a batch that cost too many workers fails its rows.

        What a Control answers with EXPIRED is sent again with newer credentials than its job's
        Endpoint has. Raises NoCredentials where there are none.
        """
        if isinstance(outcome, WorkerDied):
            outcome = Outcome(FAILED, str(outcome))
        elif isinstance(outcome, BaseException):
            raise outcome
        if outcome.state == EXPIRED:
            self.endpoints.renew(errand.job.endpoint.generation, outcome.error)
            self.verb.resend(errand)
        else:
            self.verb.answered(errand, outcome)

    def retry(self, errand, outcome, most, tick=0.0):
        """Send an errand once more after a while; return False where it was tried `most` times
        already.

        A server that slows us down is borne longer, by the clock. Waits end at whole `tick`s
        (seconds), so that what failed together is asked for together again.
        """
        self.liveness.trouble = outcome.error
        wait = errand.patience.wait(most, outcome.slow)
        self.tally.add("slowed down" if outcome.slow else "tried again")
        if wait is None:
            return False
        if tick:
            now = time.monotonic()
            wait = -(-(now + wait) // tick) * tick - now
        self.later(wait, self.verb.resend, errand)
        return True

    # --- to the output

    def leave(self, row, aloud=False, ticket=None):
        """Let a row go that needs no flush; with `aloud` people hear why it failed.

        The outbox has the `ticket`, if any, when the row is written.
        """
        self.tally.count(row, aloud)
        if ticket is None:
            self.leaving.append(row)
        else:
            self.let_go()           # what left before it is written before it
            self.outbox.pass_on([row], ticket)

    def finish(self, row, entry, is_safe=False, aloud=False):
        """Let a row go when its Entry is in the ledger, after the next flush of its file unless
        that `is_safe` already.
        """
        self.tally.count(row, aloud)
        self.outbox.add(row, entry, is_safe)

    def let_go(self):
        """Send off what left since the last time: one at a time costs more than its decision."""
        self.verb.leaving()
        if self.leaving:
            gone, self.leaving = self.leaving, []
            self.outbox.pass_on(gone)


def at_work(executor):
    """Return what each worker of an executor is at, if it has any (see WorkerProcess)."""
    return [worker.at_work() for worker in list(getattr(executor, "workers", {}).values())]


def end(executor, outbox):
    """Let workers go that have nothing to do, and flush meanwhile: they take their time."""
    executor.shutdown(wait=False)
    try:
        outbox.close()
    finally:
        executor.shutdown()


def open_ledgers(folder):
    """Return two connections to a destination's ledger: one to ask, one for the outbox.

    Raises Fault.
    """
    return Ledger(folder), Ledger(folder)
