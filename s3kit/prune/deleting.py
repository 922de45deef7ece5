"""s3-prune's verb: which rows S3 is asked about, what is on the disk before it is, and what its
answers mean for a row.
"""

from s3kit.errors import DONE, SOME_FAILED, UNVERIFIABLE, Fault
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.pipeline.errand import Errand
from s3kit.pipeline.stage import Verb
from s3kit.prune import proofs
from s3kit.prune.looking import Looking
from s3kit.prune.proofs import BrokenProof
from s3kit.prune.removed import Removed
from s3kit.prune.targets import NoBucket, Targets
from s3kit.s3.verdicts import AGAIN, FATAL
from s3kit.text import count
from s3kit.units import show_size

TRIES = 8               # of what failed in passing
TICK = 0.5              # seconds; versions that failed together go together again
TOGETHER = 2            # lost answers about several at once; then each is asked about alone


class DeletionErrand(Errand):
    """A row whose version S3 is asked to delete; its job is a Doomed.

    `entry` is the ledger's of its file, None of a delete marker. `is_unsure`: an answer was lost,
    the version may be gone. `upload` is that of its copy, as long as that is looked at.
    """

    __slots__ = ("entry", "is_unsure", "upload")

    def __init__(self, row, job, entry, upload=None):
        super().__init__(row, job)
        self.entry, self.is_unsure, self.upload = entry, False, upload


class Deleting(Verb):
    """Deletes the rows that a Choice lets go; `undo` is an Undo or None."""

    def __init__(self, stage, choice, undo=None):
        super().__init__(stage)
        self.choice, self.undo = choice, undo
        self.targets, self.looking = Targets(stage.access), Looking(self)
        self.going = []             # errands of this block of rows, of which S3 has not heard
        self.known = []             # ledger's entries of the rows that leave next
        self.kept = {}              # why: how many
        self.asked = self.bytes = self.pruned = self.were_gone = 0

    # --- from the input to S3

    def is_mine(self, row):
        """Return whether a row could name a version to delete."""
        return not proofs.is_settled(row)

    def take(self, row, entry):
        """Decide on one row."""
        if row.is_marker:
            entry = None            # the ledger's may be of an object that had its version id: null
        upload = self.choice.upload_of(row)
        why = self.choice.why_kept(row, entry, upload)
        if not why and self.args.max_delete and self.asked >= self.args.max_delete:
            why = proofs.ENOUGH
        if row.state == rows.STORED:
            # its file is not asked for; the ledger may know that of another object of the name
            entry = entry if entry and states.is_same_object(row, entry) else None
        elif not why and self.choice.is_stale(entry):
            why, entry = self.choice.read_back(entry)
        doomed = None if why else self.targets.target(row)
        if isinstance(doomed, BrokenProof):
            why = doomed
        if why:
            self.stay(row, why)
        else:
            self.asked += 1
            errand = DeletionErrand(row, doomed, entry, upload)
            if upload:
                self.looking.begin(errand)
            else:
                self.going.append(errand)

    def taken(self):
        """Ask S3 for what goes of a block of rows.

        That is in the undo file and in the ledger before S3 hears of it: if this ends before S3's
        answer, by a kill or a power cut, nobody else knows that a file may be the only copy, and
        that what was a copy may be none any more.
        """
        going, self.going = self.going, []
        if not going:
            return
        if self.undo:
            self.undo.write([errand.row for errand in going])
        self.choice.uploads.doubt([errand.name for errand in going])
        self.choice.ledger.record([asked_for(errand.entry) for errand in going if errand.entry])
        for errand in going:
            self.stage.send(errand)

    def stay(self, row, why):
        """Let a row go that S3 is not asked about; a proof that does not hold any more fails it."""
        if why == proofs.GONE:
            row.state, row.error = rows.PRUNED, ""
            self.were_gone += 1
        elif isinstance(why, BrokenProof):
            row.state, row.error = (rows.FAILED,
                                    str(why) if isinstance(why, NoBucket) else f"kept in S3: {why}")
        else:
            self.kept[why] = self.kept.get(why, 0) + 1
        self.stage.leave(row, aloud=isinstance(why, BrokenProof))

    def resend(self, errand):
        """Ask for a version once more, with the credentials of now."""
        if errand.upload:
            self.looking.begin(errand)
            return
        doomed = self.targets.target(errand.row)
        if isinstance(doomed, BrokenProof):
            self.end(errand, Removed(rows.FAILED, str(doomed)))
        else:
            errand.job = doomed._replace(is_single=errand.patience.tries >= TOGETHER)
            self.stage.send(errand)

    # --- from S3 to the output

    def answered(self, errand, outcome):
        """Take what became of one version. Raises Fault where S3 will not have us at all."""
        if outcome.state == FATAL:
            raise Fault(outcome.error)
        if errand.upload:
            self.looking.answered(errand, outcome)
            return
        if outcome.state == AGAIN:
            errand.is_unsure = True
            if self.stage.retry(errand, outcome, TRIES - 1, TICK):
                return
            outcome = outcome._replace(state=rows.FAILED)
        self.end(errand, outcome)

    def end(self, errand, outcome):
        """Let a row go with what became of its version."""
        row = errand.row
        row.state, row.error = outcome.state, outcome.error
        if row.state == rows.PRUNED:
            self.were_gone += outcome.was_gone
            self.pruned += not outcome.was_gone
            self.bytes += 0 if outcome.was_gone else row.length or 0
        if errand.entry:
            self.know(errand, outcome)
        self.stage.moved(1)
        self.stage.leave(row, aloud=row.state != rows.PRUNED)

    def know(self, errand, outcome):
        """Have the ledger know what became of a version.

        The entry is put back as it was only where S3 said that it kept the version, and no earlier
        answer was lost: else the file may be the only copy.
        """
        if outcome.state == rows.PRUNED:
            self.known.append(errand.entry._replace(state=rows.PRUNED, tries=0))
        elif outcome.is_kept and not errand.is_unsure:
            self.known.append(errand.entry)

    def leaving(self):
        """Write to the ledger what rows that leave next say."""
        if self.known:
            known, self.known = self.known, []
            self.choice.ledger.record(known)

    def moved(self, count):
        """Show that rows have been answered."""
        self.progress.move(count)

    # --- afterwards

    def summary(self):
        """Return the parts of the summary."""
        size = f" ({show_size(self.bytes)})" if self.bytes else ""
        wrong = self.tally.of(*rows.WRONG)
        return ([f"{count(self.pruned, 'row')} deleted{size}", self.were_gone
                 and f"{self.were_gone:,} {'was' if self.were_gone == 1 else 'were'} gone before",
                 *[f"{count(number, 'row')} kept: {why}" for why,
                   number in sorted(self.kept.items())], wrong and f"{count(wrong, 'row')} failed"])

    def status(self):
        """Return the exit status: 5 where rows were kept for want of proof, 1 where any failed."""
        if self.tally.of(*rows.WRONG) or self.kept.get(proofs.ENOUGH):
            return SOME_FAILED
        is_unproven = self.kept.get(proofs.NOT_VERIFIED) or self.kept.get(proofs.WEAK)
        return UNVERIFIABLE if is_unproven else DONE


def asked_for(entry):
    """Return the ledger's entry of a version that S3 is asked to delete and has not answered yet.
    """
    return entry._replace(state=rows.PRUNED, tries=entry.tries + 1)
