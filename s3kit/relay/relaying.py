"""The run of s3-relay: rows are listed, dealt to volumes, fetched there, put from there, and
written down, all at the same time, for as long as it takes.
"""

import os
import queue
import shlex
import time

from s3kit.manifest import row as rows
from s3kit.relay.account import Account
from s3kit.relay.dealing import Dealer
from s3kit.relay.half import stop_all
from s3kit.relay.posts import TRIES, Post
from s3kit.relay.side import HOUR
from s3kit.relay.source_listing import Listings
from s3kit.relay.standing import WRONG
from s3kit.text import count

QUEUED = 100            # events that wait for us; those who bring more are held back
TURN_SECONDS = 0.2
LOOK_SECONDS = 1.0      # between two looks at the volumes
AT_ONCE = 64            # events that are taken together


class Relay:
    """The run. `sides` is (source, target), `people` (say, check for signals, progress).

    `plan` says `by_size`, `every` (seconds between listings, or None for one alone), `round_size`
    and what s3-fetch and s3-put are told (`pool`); see commands/relay.py.
    """

    def __init__(self, plan, sides, volumes, deliveries, people):
        self.plan, (self.source, self.target), self.volumes = plan, sides, volumes
        self.deliveries, (self.say, self.check, progress) = deliveries, people
        self.account = Account(deliveries, volumes, progress)
        self.summary, self.status = self.account.summary, self.account.status
        self.events = queue.Queue(QUEUED)
        for side in sides:
            side.hear = self.events.put
        self.dealer = Dealer(deliveries, volumes, plan.by_size, plan.round_size)
        self.posts = [Post(volume, side, words, state, deliveries, self.events.put)
                      for volume in volumes for side, words, state in halves(plan, *sides, volume)]
        self.listings = Listings(plan, self.source, deliveries, self.dealer, self.events.put)
        self.looked, self.said_full = time.monotonic() - LOOK_SECONDS, 0.0
        self.takers = {"listed": self.listings.take, "listing ended": self.listed,
                       "rows": self.take_rows, "ended": self.ended, "probed": self.probed}
        self.outages, self.troubles = {}, {}

    # --- the run

    def run(self):
        """Relay until all is delivered, or for ever. Raises Fault."""
        self.begin()
        try:
            while not self.is_over():
                self.turn()
            self.note_outages()
        finally:
            self.stop()
        for volume in self.volumes:
            volume.sweep()

    def begin(self):
        """Take up what the ledger has on volumes."""
        paths = {volume.path: volume for volume in self.volumes}
        self.deliveries.release(paths)
        for (path, state), (number, size) in self.deliveries.reserved().items():
            if path in paths:
                paths[path].count(state, size, number)
            else:
                self.say(f"warning: {count(number, 'row')} {state} on '{path}', which is not among "
                         f"the volumes (if it is lost: {how_to_lose(path, self.deliveries)})")
        for side in (self.source, self.target):
            side.ask()

    def turn(self):
        """Take what has come, then have everyone do what is to be done."""
        self.check()
        self.look()
        if not self.dealer.is_round_full() or self.is_quiet():
            self.listings.turn()
        self.dealer.deal()
        self.account.expect(self.dealer.bytes)
        is_last = self.plan.every is None and self.listings.is_done and self.dealer.has_dealt_all
        for post in self.posts:
            post.turn(is_last)
        self.write_down(self.listings.settle())
        changed = []
        for event in self.come():
            changed += self.takers[event[0]](*event[1:])
        self.write_down(changed)

    def come(self):
        """Yield the events that have come, or one that comes soon."""
        try:
            yield self.events.get(timeout=TURN_SECONDS if self.listings.is_settled else 0)
            for _ in range(AT_ONCE):
                yield self.events.get_nowait()
        except queue.Empty:
            pass

    def look(self):
        """Look at the volumes and the sides, as often as is useful."""
        at = time.monotonic()
        if at - self.looked < LOOK_SECONDS:
            return
        seconds, self.looked = at - self.looked, at
        for volume in self.volumes:
            volume.look()
            volume.measure(seconds)
            if volume.trouble != self.troubles.get(volume.path, ""):
                self.troubles[volume.path] = volume.trouble
                self.say(volume.trouble + "; what is there waits" if volume.trouble
                         else f"'{volume.path}' can be used again")
        self.source.look()
        self.target.look()
        self.note_outages()
        self.account.show()

    def note_outages(self):
        """Have the ledger know which side is out, where that is another than before."""
        for side in (self.source, self.target):
            if self.outages.get(side.name) != side.why:
                self.outages[side.name] = side.why
                self.deliveries.note_outage(side.name, side.why)

    def write_down(self, changed):
        """Record what has changed; nothing is done of it before."""
        if not changed:
            return
        self.deliveries.record([after for _, after in changed])
        for before, after in changed:
            for volume in self.volumes:
                volume.change(before, after)
            self.tell(before, after, after.row(self.source.bucket).name)
        self.dealer.is_due = True

    def tell(self, before, after, name):
        """Tell people what has become of a row."""
        if after.state == rows.STORED:
            self.account.deliver(after.size)
            if self.plan.verbose:
                self.say(f"{name}: {after.stored_at}")
        elif after.state == rows.LISTED and before.path and not after.path:
            self.account.rotten += 1
            if before.state != rows.MISMATCH:       # else it was said when it was found
                self.say(f"{name}: {after.error}; it is fetched again")
        elif after.state in WRONG or after.state == rows.UNVERIFIABLE:
            is_to_come = after.state == rows.MISMATCH and after.volume and after.tries < TRIES
            self.say(f"{name}: {after.error}"
                     + "; it is fetched again if the source still has it" * bool(is_to_come))

    # --- what comes

    def listed(self, is_whole, why):
        """Take the end of a listing."""
        gone = self.listings.end(is_whole, why)
        if gone:
            self.say(f"{count(gone, 'row')} vanished from the source before they were fetched")
        return []

    def take_rows(self, half, given_back):
        """Take rows that a command gives back."""
        return self.post_of(half).take(half, given_back)

    def ended(self, half):
        """Take that a command has ended."""
        said = self.post_of(half).ended(half)
        if said:
            self.say(said)
        return []

    def probed(self, side, verdict, why):
        """Take that a side was asked whether it can be reached. Raises Fault."""
        is_up = side.heard(verdict, why)
        return [change for post in self.posts if post.side is side
                for change in post.decide(is_up)]

    def post_of(self, half):
        """Return the Post whose command a Half is: it is until it has been heard to have ended."""
        return next(post for post in self.posts if post.half is half)

    # --- the end

    def is_quiet(self):
        """Whether nothing is on its way."""
        return (all(post.is_idle for post in self.posts)
                and not any(any(volume.rows.values()) for volume in self.volumes))

    def is_over(self):
        """Whether all is done that can be; never where it goes on for ever."""
        if self.plan.every is not None or not self.listings.is_done or not self.is_quiet():
            return False
        useless = self.listings.following.superseded(self.listings.number)
        self.write_down(useless)
        if useless or not self.deliveries.waiting(1 << 62, 1, True):
            return not useless
        if self.dealer.is_round_full():
            self.listings.is_complete = False
            return False
        return self.is_stuck()

    def is_stuck(self):
        """Whether rows wait for room that rows which failed have; said once an hour where there is
        none for another reason.
        """
        at, self.dealer.is_due = time.monotonic(), True
        for volume in self.volumes:
            volume.look()       # what was removed since the last time has made room
        refused = self.dealer.too_large()       # a volume was away when the listing ended
        self.write_down(refused)
        if refused or self.dealer.deal() or not self.deliveries.waiting(1 << 62, 1, True):
            return False
        if at - self.said_full >= HOUR or not self.said_full:
            self.said_full = at
            self.say("rows wait for room on the volumes")
        return any(volume.held for volume in self.volumes) and not any(
            volume.trouble for volume in self.volumes)

    def stop(self):
        """End all commands."""
        self.listings.stop()
        stop_all([post.half for post in self.posts if post.half])


def how_to_lose(path, deliveries):
    """Return what to type where a volume is lost for good."""
    return shlex.join(["s3-relay", "reset", "--lost", path,
                       "-w", os.path.dirname(os.path.abspath(deliveries.path))])


def halves(plan, source, target, volume):
    """Yield (Side, words of the command, state from which it goes on) of the halves of a Volume."""
    pool = [*plan.pool, f"--dest={volume.path}"]
    yield source, ["fetch", "--quiet", *source.words, *pool], rows.LISTED
    yield target, ["put", "--quiet", *target.words, *pool, "--remove-local",
                   f"--to=s3://{target.bucket}/{target.prefix}",
                   f"--strip={source.folder}"], rows.FETCHED
