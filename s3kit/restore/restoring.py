"""s3-restore's verb: looks, asks below the cap, lets a row go when it can be read.

Nothing is kept of what was asked for but in S3 itself: a version is looked at before it is asked
for, so a run that was killed is begun again and asks for nothing twice.
"""

import time

from s3kit.errors import Fault
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.pipeline.stage import Verb
from s3kit.restore import answers
from s3kit.restore.asking import TIERS
from s3kit.restore.departures import Departures
from s3kit.restore.schedule import Schedule
from s3kit.restore.sending import ASKED, LOOKED, POLLED
from s3kit.restore.version import Version
from s3kit.s3.patience import Patience
from s3kit.text import count

RETRIES = 7     # more tries for what fails in passing
ASKS = 3        # times that a version is asked for, if its copy expires before it was seen


class Restoring(Verb):
    """What s3-restore does with a row."""

    def __init__(self, stage):
        super().__init__(stage)
        self.passes_on = not self.args.dry_run
        self.departures = Departures(stage)
        self.schedule = Schedule(stage, self.wait_for, self.departures.put_off, self.fail)
        self.probes, self.turns = self.schedule.probes, self.schedule.turns
        self.watching, self.requests = self.schedule.watching, self.schedule.requests
        self.shown = time.monotonic()
        self.by_state = {
            answers.ARCHIVED: self.archived, answers.ONGOING: self.ongoing,
            answers.READY: self.ready, answers.ONLINE: self.online,
            answers.UNAVAILABLE: self.unavailable, answers.UNSUPPORTED: self.unsupported,
            answers.FAILED: self.refused, answers.VANISHED: self.vanished,
            answers.AGAIN: self.failed_in_passing, answers.FATAL: self.fatal}

    # --- rows and answers

    def is_mine(self, row):
        """Return whether s3-restore looks at a row."""
        return states.is_to_restore(row, again=True)

    def take(self, row, entry):
        """Look at the version of a row."""
        if not states.is_to_restore(row, self.args.again):
            self.departures.let_be(row)
            return
        version = Version(row, self.args.tier)
        if states.is_askable(row):
            self.progress.expect(1)
            self.requests.look_at(version)
        else:
            self.fail(version, "no version of S3's has such an id or ETag")

    def look(self):
        """Free the places of rows that were written; say every second how it stands."""
        for name, size in self.stage.outbox.tickets():
            self.turns.cap.free(name, size)
        now = time.monotonic()
        if now - self.shown > 1:
            self.shown = now
            pending, *others = self.schedule.standing()
            self.progress.move(0, ", ".join(part for part in (
                pending, f"{self.departures.restored:,} ready", *others) if part))

    def answered(self, version, status):
        """Decide by the Status of a version."""
        reason = self.requests.answered(version)
        if status.state != answers.AGAIN:
            if reason == ASKED:
                version.patience = Patience()
            else:
                version.see(status)
                status = self.probes.learn(version, status)
        if reason == ASKED and status.state in (answers.ONGOING, answers.READY):
            version.taken += 1
        self.by_state[status.state](version, status, reason)
        self.schedule.go_on()

    def resend(self, version):
        """Look at a version whose request met credentials that had expired."""
        reason = self.requests.answered(version)
        self.requests.look_at(version, POLLED if reason == POLLED else LOOKED)

    # --- what a Status leads to

    def archived(self, version, status, reason):
        """Ask for it when it is its turn; at once if a copy has come and gone."""
        if self.args.dry_run:
            self.departures.plan(version)
        elif version.is_held or version.is_recalled or self.probes.is_probe(version):
            self.watching.discard(version)
            if version.taken < ASKS:
                self.turns.add_first(version)
            else:
                self.fail(version,
                          f"S3 was asked for it {ASKS} times, and it is still in the archive")
        else:
            self.turns.add(version)

    def ongoing(self, version, status, reason):
        """S3 is at work on it."""
        if reason == ASKED and self.probes.is_probe(version):
            self.requests.look_at(version)      # does the listing show it?
        else:
            self.wait_for(version)

    def ready(self, version, status, reason):
        """A copy can be read."""
        if reason == ASKED:
            self.requests.look_at(version)      # until when?
        else:
            self.let_go(version, f"ready until {status.until}" if status.until else "")

    def online(self, version, status, reason):
        """It is in no archive, or not any more."""
        row = version.row
        if (version.asks or version in self.watching or row.restore
                or row.state in (rows.RESTORING, rows.RESTORED)):
            self.let_go(version, "")
        else:
            self.probes.end(version)
            self.departures.pass_on(version)

    def vanished(self, version, status, reason):
        """S3 has it no more."""
        self.fail(version, status.error, rows.VANISHED)

    def refused(self, version, status, reason):
        """S3 will not."""
        self.fail(version, status.error)

    def fatal(self, version, status, reason):
        """S3 refuses whatever is asked. Raises Fault."""
        raise Fault(status.error)

    def failed_in_passing(self, version, status, reason):
        """Look again, for nobody knows whether S3 took a request."""
        if reason == POLLED:
            if self.watching.should_warn():
                self.tally.say(f"cannot see how {count(len(self.watching), 'row')} stand, "
                               f"still trying: {status.error}")
            return
        wait = version.patience.wait(RETRIES, status.slow)
        if wait is None:
            self.fail(version, status.error)
        else:
            self.stage.later(wait, self.requests.look_at, version)

    def unavailable(self, version, status, reason):
        """S3 has no capacity for Expedited now: another tier, or later."""
        self.schedule.release(version)
        self.probes.end(version)
        if self.args.fallback:
            version.tier = self.args.fallback
            self.turns.add_first(version)
        elif self.args.wait:
            self.stage.later(self.args.poll, self.requests.look_at, version)
        else:
            self.fail(version, f"{status.error} (--fallback Standard asks for that instead)")

    def unsupported(self, version, status, reason):
        """This class has no such tier: Standard, which all have."""
        self.probes.end(version)
        if version.tier == TIERS[0]:
            self.fail(version, status.error)
        else:
            version.tier = TIERS[0]
            self.turns.add_first(version)

    # --- how a row goes on

    def wait_for(self, version):
        """Watch a version until it can be read, or without --wait let it go as asked for."""
        if self.args.dry_run:
            return
        self.turns.hold(version)
        if not self.args.wait:
            self.departures.ask(version)
        else:
            self.schedule.pend(version)

    def let_go(self, version, restore):
        """Let the row go of a version that can be read."""
        self.watching.discard(version)
        self.probes.end(version)
        self.departures.restore(version, restore)

    def fail(self, version, error, state=rows.FAILED):
        """Let a row go that cannot be restored."""
        self.schedule.release(version)
        self.probes.end(version)
        self.departures.fail(version, error, state)

    # --- afterwards

    def summary(self):
        """Return the parts of the summary."""
        return self.departures.summary()

    def status(self):
        """Return the exit status: 1 where any row failed, or was not asked for."""
        return self.departures.status()
