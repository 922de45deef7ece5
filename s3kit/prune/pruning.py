"""s3-prune's work: the plan, the question, and then the deletion of exactly the rows that carry
proof.
"""

import pickle
import tempfile
from itertools import chain

from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE, Fault
from s3kit.manifest import row as rows
from s3kit.prune import proofs
from s3kit.prune.choice import Choice
from s3kit.prune.deleting import Deleting
from s3kit.prune.plan import Planned
from s3kit.text import count
from s3kit.units import show_size


class Pruning:
    """The run of one s3-prune; `run`, then `status` and `summary`."""

    def __init__(self, args, source, sink, tally, progress, ask, signals):
        self.args, self.source, self.sink, self.tally = args, source, sink, tally
        self.ask, self.signals = ask, signals
        self.choice = Choice(args, signals)
        self.deleting = Deleting(args, self.choice, sink, source.extras, tally, progress, signals)
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
            self.deleting.run(batches)
            return
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
            self.deleting.run(spooled(spool))

    def read_all(self, batches, spool):
        """Spool all rows to disk; return the Fault that ended them, if any."""
        try:
            for batch in batches:
                self.signals.check()
                self.choice.see(batch)
                pickle.dump(batch, spool)
        except Fault as fault:
            return fault
        return None

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
        if not self.args.dry_run:
            return self.deleting.parts()
        size = f" ({show_size(self.bytes)})" if self.bytes else ""
        return [f"{count(self.planned, 'row')} to delete{size}"]

    def status(self):
        """Return the exit status: 5 where rows were kept for want of proof, 1 where any failed."""
        kept = self.deleting.kept
        if self.tally.of(*rows.WRONG) or kept.get(proofs.ENOUGH):
            return SOME_FAILED
        return UNVERIFIABLE if kept.get(proofs.NOT_VERIFIED) or kept.get(proofs.WEAK) else DONE


def spooled(spool):
    """Yield the batches in a spool from its beginning."""
    spool.seek(0)
    while True:
        try:
            yield pickle.load(spool)
        except EOFError:
            return
