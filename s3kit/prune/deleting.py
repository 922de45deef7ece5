"""The run of a deletion: rows become requests, and answers become rows again."""

import time

from s3kit.errors import Fault
from s3kit.manifest import row as rows
from s3kit.pipeline.flow import Flow
from s3kit.prune import proofs
from s3kit.prune.deletion import MOST, Removal, Removed
from s3kit.prune.proofs import BrokenProof
from s3kit.prune.targets import NoBucket, Targets
from s3kit.prune.undo import Undo
from s3kit.s3.calls import AGAIN, EXPIRED, FATAL, Control
from s3kit.s3.patience import Patience
from s3kit.text import count
from s3kit.units import show_size

TRIES = 8               # of what failed in passing
TICK = 0.5              # seconds
AHEAD = 20 * MOST       # rows on their way


class Deletion:
    """One row whose version S3 is asked to delete.

    `is_unsure`: an answer was lost, it may be gone.
    """

    __slots__ = ("row", "entry", "doomed", "patience", "is_unsure")

    def __init__(self, row, entry, doomed):
        self.row, self.entry, self.doomed = row, entry, doomed
        self.patience, self.is_unsure = Patience(), False


class Deleting:
    """Deletes the rows that a Choice lets go; `run`, then the counts."""

    def __init__(self, args, choice, sink, extras, tally, progress, signals):
        self.args, self.choice, self.signals = args, choice, signals
        self.sink, self.extras, self.tally, self.progress = sink, extras, tally, progress
        self.targets = Targets(args, signals.at_once)
        self.kept = {}              # why: how many
        self.asked = self.bytes = self.pruned = self.were_gone = 0
        self.undo = None
        # rows on their way out, and the ledger's entries: together
        self.leaving, self.known = [], []

    def run(self, batches):
        """Delete the rows that carry proof, as they come, and pass all on."""
        self.signals.graceful = True
        if self.args.undo:
            self.undo = Undo(self.args.undo)
        control = Control(self.args.connections)
        self.flow = Flow(batches, control, lambda: Removal, self, AHEAD, together=MOST)
        try:
            try:
                self.flow.run()
            finally:
                self.let_go()       # what was done is said, however the input or S3 ended it
        except BaseException:
            control.shutdown(cancel_futures=True)
            raise
        control.shutdown()
        if self.undo:
            self.undo.close()

    def look(self):
        """Stop if a signal came; let rows go."""
        self.signals.check()
        self.let_go()

    def let_go(self):
        """Let rows go, the ledger first; who waits for a reader that never comes can be stopped."""
        if self.known:
            known, self.known = self.known, []
            self.choice.ledger.record(known)
        if self.leaving:
            leaving, self.leaving = self.leaving, []
            with self.signals.at_once():
                self.sink.write(leaving, self.extras())

    def take_all(self, batch):
        """Decide on rows of the input, and ask S3 for what goes.

        That is in the undo file and in the ledger before S3 hears of it: if this ends before S3's
        answer, by a kill or a power cut, nobody else knows that a file may be the only copy.
        """
        going = []
        for row, entry, why in self.choice.sort(batch):
            if not why and self.args.max_delete and self.asked >= self.args.max_delete:
                why = proofs.ENOUGH
            doomed = None
            if not why and self.choice.is_stale(entry):
                why, entry = self.choice.read_back(entry)
            if not why:
                doomed = self.targets.target(row)
                why = doomed if isinstance(doomed, BrokenProof) else ""
            if why:
                self.stay(row, why)
            else:
                self.asked += 1
                going.append(Deletion(row, entry, doomed))
        if self.undo and going:
            self.undo.write([deletion.row for deletion in going])
        self.choice.ledger.record([asked_for(deletion.entry)
                                   for deletion in going if deletion.entry])
        for deletion in going:
            self.flow.send(deletion.doomed, deletion)

    def stay(self, row, why):
        """Pass on a row that S3 is not asked about; a proof that does not hold any more fails it.
        """
        if why == proofs.FILTERED and not self.args.in_place:
            return              # as with all commands, they leave the stream, and stay in FILE
        if why == proofs.GONE:
            row.state, row.error = rows.PRUNED, ""
            self.were_gone += 1
        elif isinstance(why, BrokenProof):
            row.state, row.error = (rows.FAILED,
                                    str(why) if isinstance(why, NoBucket) else f"kept in S3: {why}")
        elif why not in (row.state, proofs.FILTERED):
            self.kept[why] = self.kept.get(why, 0) + 1
        if why != proofs.FILTERED:
            self.tally.count(row, told=isinstance(why, BrokenProof) or row.verbatim is not None)
        self.leaving.append(row)

    def answer(self, deletion, outcome):
        """Take what became of one version."""
        if isinstance(outcome, BaseException):
            raise outcome
        if outcome.state == FATAL:
            raise Fault(outcome.error)
        if outcome.state == EXPIRED:
            self.renew(deletion)
            return
        deletion.is_unsure |= outcome.state == AGAIN
        wait = deletion.patience.wait(TRIES - 1, outcome.slow) if outcome.state == AGAIN else None
        if wait is not None:
            self.flow.later(together(wait), self.flow.send, deletion.doomed, deletion)
        else:
            self.end(deletion, outcome)

    def renew(self, deletion):
        """Send a deletion again with new credentials. Raises NoCredentials where there are none."""
        self.targets.renew(deletion.doomed)
        doomed = self.targets.target(deletion.row)
        if isinstance(doomed, BrokenProof):
            self.end(deletion, Removed(rows.FAILED, str(doomed)))
        else:
            deletion.doomed = doomed
            self.flow.send(doomed, deletion)

    def end(self, deletion, outcome):
        """Let a row go with what became of its version, and the ledger know.

        The entry is put back as it was only where S3 said that it kept the version, and no earlier
        answer was lost: else the file may be the only copy.
        """
        row, entry = deletion.row, deletion.entry
        row.state = rows.FAILED if outcome.state == AGAIN else outcome.state
        row.error = outcome.error
        if row.state == rows.PRUNED:
            self.were_gone += outcome.was_gone
            self.pruned += not outcome.was_gone
            self.bytes += 0 if outcome.was_gone else row.length or 0
        if entry and row.state == rows.PRUNED:
            self.known.append(entry._replace(state=rows.PRUNED, tries=0))
        elif entry and outcome.is_kept and not deletion.is_unsure:
            self.known.append(entry)
        self.tally.count(row, told=row.state != rows.PRUNED)
        self.progress.move(1)
        self.leaving.append(row)

    def note(self, note):
        """Do nothing: no executor of ours says anything between answers."""

    def parts(self):
        """Return the parts of the summary."""
        size = f" ({show_size(self.bytes)})" if self.bytes else ""
        wrong = self.tally.of(*rows.WRONG)
        return ([f"{count(self.pruned, 'row')} deleted{size}", self.were_gone
                 and f"{self.were_gone:,} {'was' if self.were_gone == 1 else 'were'} gone before",
                 *[f"{count(number, 'row')} kept: {why}" for why,
                   number in sorted(self.kept.items())], wrong and f"{count(wrong, 'row')} failed"])


def asked_for(entry):
    """Return the ledger's entry of a version that S3 is asked to delete and has not answered yet.
    """
    return entry._replace(state=rows.PRUNED, tries=entry.tries + 1)


def together(seconds):
    """Return a waiting time a little longer, so that what failed together is asked for together
    again.
    """
    now = time.monotonic()
    return -(-(now + seconds) // TICK) * TICK - now
