"""The source's listings, made while rows are on their way."""

import threading
import time
from itertools import chain

from s3kit.errors import Fault
from s3kit.relay.deliveries import now
from s3kit.relay.following import Following
from s3kit.relay.side import HOUR
from s3kit.relay.side_listing import SideListing
from s3kit.units import from_epoch


class SourceListing:
    """A listing of a Side that runs: `hear(event)` gets ("listed", rows) and at last
    ("listing ended", whether it was whole, why not), in a thread of ours.
    """

    def __init__(self, side, hear):
        self.listing, self.hear = SideListing(side), hear
        self.stop = self.listing.stop
        threading.Thread(target=self.read, name="listing", daemon=True).start()

    def read(self):
        """Hand on its rows."""
        why = ""
        try:
            for batch in self.listing.batches():
                self.hear(("listed", batch))
        except Fault as fault:
            why = str(fault)
        self.hear(("listing ended", not why, why))


class Listings:
    """One listing after the other, each when it is due: once, every `plan.every` seconds, or when
    what was dealt of the last has arrived. `is_complete`: one has ended whole; `is_settled`: all is
    written down that follows from it.
    """

    def __init__(self, plan, source, deliveries, dealer, hear):
        self.plan, self.source, self.deliveries = plan, source, deliveries
        self.dealer, self.hear = dealer, hear
        self.running, self.number, self.next_at, self.is_complete = None, 0, 0.0, False
        self.following = Following(deliveries, dealer)
        self.pieces, self.is_settled = iter(()), True
        self.failed_before = now()      # what has failed in earlier runs is tried again

    @property
    def is_done(self):
        """Whether none runs, and one was complete, with all that follows."""
        return self.is_complete and self.running is None and self.is_settled

    def turn(self):
        """Begin a listing where one is due."""
        is_due = not self.is_complete or self.plan.every is not None
        is_time = time.monotonic() >= self.next_at or self.dealer.is_round_full()
        # the first does not wait for the first question, which takes as long to begin
        is_askable = not self.source.is_asked or self.number == 0
        if is_due and self.running is None and self.source.is_up and is_askable and is_time:
            self.number, self.dealer.given = self.deliveries.begin_listing(), 0
            self.next_at = time.monotonic() + (self.plan.every or 0)
            self.running = SourceListing(self.source, self.hear)

    def take(self, listed):
        """Take rows of the source; none of them has changed its place."""
        self.deliveries.see(listed, self.number, self.failed_before)
        self.dealer.is_due = True
        return []

    def end(self, is_whole, why):
        """Take the end of a listing; return how many rows waited that were not in it. One that was
        cut is the source's outage.
        """
        self.running = None
        if not is_whole:
            self.source.go_out(why, True)
            self.next_at = 0.0
            return 0
        self.is_complete, self.is_settled = True, False
        self.source.worked()
        self.pieces = chain(self.pieces, self.following.pieces(
            self.number, self.failed_before))
        # later ones are many: what fails for good is not tried every minute
        self.failed_before = from_epoch(time.time() - HOUR)
        return self.deliveries.end_listing(self.number)

    def settle(self):
        """Return [(Delivery before, after)] of some of what follows from the last listing."""
        changed = next(self.pieces, [])
        self.is_settled = not changed
        return changed

    def stop(self):
        """End the one that runs."""
        if self.running:
            self.running.stop()
