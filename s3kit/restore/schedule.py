"""When S3 is asked: for versions whose turn it is, and how the pending ones stand."""

from s3kit.restore import turns
from s3kit.restore.cap import Cap
from s3kit.restore.probing import Probes
from s3kit.restore.sending import LOOKED, POLLED, Requests
from s3kit.restore.watching import Watching
from s3kit.s3.patience import Patience
from s3kit.units import show_span


class Schedule:
    """Sends requests when their time has come; `go_on` does it, after every answer.

    `join(version)` is called for one that S3 is at work on already, `put_off(version)` for one
    that there is no room for, `fail(version, why)` for one of a bucket that is not there.
    """

    def __init__(self, stage, join, put_off, fail):
        self.stage, args = stage, stage.args
        self.probes = Probes()
        self.turns = turns.Turns(Cap(args.max_pending, args.max_pending_size), self.probes,
                                 args.wait, args.poll)
        self.watching = Watching(args.max_pending)
        self.requests = Requests(stage, self.probes, fail)
        self.is_resting = self.is_poll_due = False
        self.by_step = {turns.ASK: self.ask_for, turns.LOOK: self.requests.look_at,
                        turns.JOIN: join, turns.PUT_OFF: put_off, turns.REST: self.rest}

    def go_on(self):
        """Do what is to be done now, and see that pending versions are looked at in time."""
        self.advance()
        if self.watching and not (self.is_poll_due or self.requests.under_way[POLLED]):
            self.is_poll_due = True
            self.stage.later(self.stage.args.poll, self.poll)

    def advance(self):
        """Do what is to be done with the versions whose turn it is."""
        while found := self.turns.next(self.requests.under_way[LOOKED]):
            step, version = found
            self.by_step[step](version)
            if step == turns.REST:
                break

    def ask_for(self, version):
        """Ask S3 for a version; that is a new matter, however hard it was to look at it."""
        if not version.asks:
            version.patience = Patience()
        self.requests.ask_for(version)

    def rest(self, _):
        """Go on in a moment."""
        if not self.is_resting:
            self.is_resting = True
            self.stage.later(turns.PAUSE, self.rested)

    def rested(self):
        """Go on after a rest."""
        self.is_resting = False
        self.advance()

    def poll(self):
        """Look at all pending versions."""
        self.is_poll_due = False
        for version in self.watching.in_order():
            self.requests.look_at(version, POLLED)
        self.go_on()

    def pend(self, version):
        """Watch a version that S3 is at work on; where too many are, it waits for its turn."""
        if not self.watching.add(version):
            self.turns.put_back(version)

    def release(self, version):
        """Watch a version no longer, and take its place back."""
        self.watching.discard(version)
        self.turns.release(version)

    def standing(self):
        """Return how it stands, in parts for the bar: what is pending, and what waits."""
        waiting, oldest = len(self.turns), self.watching.oldest()
        return [f"{len(self.watching):,} pending", waiting and f"{waiting:,} to ask for",
                oldest is not None and f"oldest wait {show_span(oldest)}"]
