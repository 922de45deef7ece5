"""The run of one s3-prune: the plan, the question, and then the deletion of exactly the rows that
carry proof.

The plan is a pass of its own, before the rows that it is about go through the Stage: what a person
is asked, and which versions are the newest, is known when the whole manifest has been read.
"""

import pickle
import tempfile
from contextlib import closing, nullcontext
from itertools import chain

from s3kit.errors import DONE
from s3kit.pipeline.stage import Stage
from s3kit.prune import proofs
from s3kit.prune.choice import Choice
from s3kit.prune.deleting import Deleting
from s3kit.prune.deletion import MOST, Removal
from s3kit.prune.plan import Planned
from s3kit.prune.undo import Undo
from s3kit.s3.access import Access
from s3kit.s3.calls import Control
from s3kit.s3.capabilities import KNOWN
from s3kit.text import count
from s3kit.units import show_size

AHEAD = 20 * MOST       # rows on their way


class Pruning:
    """The run of one s3-prune: `run`, then `status` and `summary`.

    `ask(question, answer)` asks a person; None with --yes or -n.
    """

    def __init__(self, args, streams, people, ask):
        self.args, self.streams, self.people, self.ask = args, streams, people, ask
        self.source, self.sink = streams
        self.tally, _, self.signals = people
        self.choice = Choice(args, self.signals)
        self.deleting = None
        self.planned = self.bytes = 0

    def run(self):
        """Delete what carries proof; ask before, unless --yes.

        Raises Fault (Cut) where the input or the output failed.
        """
        batches = self.source.batches()
        first = next(batches, [])  # until a row comes, s3-fetch before us may not have made DIR
        self.choice.open()
        batches = chain([first], batches)
        if self.args.yes and not self.args.keep_newest:
            self.delete(batches)
            return
        with tempfile.TemporaryFile() as spool:
            self.read_all(batches, spool)
            if self.args.dry_run:
                self.show_plan(spooled(spool))
                self.write_plan(spooled(spool))
                return
            if not self.args.yes:
                self.ask_about(spooled(spool))
            self.delete(spooled(spool))

    def delete(self, batches):
        """Delete the rows that carry proof, as they come, and pass all on. Raises Fault (Cut)."""
        stage = Stage(self.args, self.streams, self.people,
                      Access(self.args, self.signals.at_once))
        with closing(Undo(self.args.undo)) if self.args.undo else nullcontext() as undo:
            stage.open(Control(self.args.connections), lambda: Removal, ledger=self.choice.ledger,
                       limit=AHEAD, together=MOST, batches=batches)
            self.deleting = Deleting(stage, self.choice, undo)
            stage.run(self.deleting)
        KNOWN.tell(self.tally.say, self.args.verbose)

    def read_all(self, batches, spool):
        """Spool all rows to disk. Raises Fault (Cut)."""
        for batch in batches:
            self.signals.check()
            self.choice.see(batch)
            pickle.dump(batch, spool)

    def show_plan(self, batches):
        """Say on stderr what would go, and what stays and why; return {bucket: number of rows that
        would go}.
        """
        found, left = {}, self.args.max_delete or float("inf")
        for batch in batches:
            self.signals.check()
            for row, _, why in self.choice.sort(batch):
                if why == proofs.FILTERED:
                    continue
                planned = found.setdefault(row.bucket, Planned())
                if why or not left:
                    planned.keep(str(why) or proofs.ENOUGH)
                else:
                    planned.add(row)
                    left -= 1
        for bucket, planned in found.items():
            for line in planned.lines(bucket):
                self.tally.say(line)
        return {bucket: planned.rows for bucket, planned in found.items()}

    def write_plan(self, batches):
        """Write the rows that would be deleted, as they are."""
        for batch in batches:
            going = [row for row, _, why in self.choice.sort(batch) if not why]
            if self.args.max_delete:
                going = going[:max(0, self.args.max_delete - self.planned)]
            self.planned += len(going)
            self.bytes += sum(row.length or 0 for row in going)
            self.sink.write(going, self.source.extras())

    def ask_about(self, batches):
        """Show the plan and ask a person, bucket by bucket."""
        for bucket, number in self.show_plan(batches).items():
            if number and not self.ask(
                    f"Type the bucket's name to delete {count(number, 'version')} "
                    f"of s3://{bucket} for good:", bucket):
                self.choice.refused.add(bucket)

    def summary(self):
        """Return the parts of the summary."""
        if self.deleting:
            return self.deleting.summary()
        size = f" ({show_size(self.bytes)})" if self.bytes else ""
        return [f"{count(self.planned, 'row')} to delete{size}"]

    def status(self):
        """Return the exit status."""
        return self.deleting.status() if self.deleting else DONE


def spooled(spool):
    """Yield the batches in a spool from its beginning."""
    spool.seek(0)
    while True:
        try:
            yield pickle.load(spool)
        except EOFError:
            return
