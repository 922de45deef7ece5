"""s3-restore's work: which rows need it, requests up to a cap, and looks from time to time until
all can be read.

Nothing is kept of what was asked for but in S3 itself: a version is looked at before it is asked
for, so a run that was killed is begun again and asks for nothing twice.
"""

import time
from collections import deque

from s3kit.errors import DONE, SOME_FAILED, Fault, NoSuchBucket
from s3kit.manifest import row as rows
from s3kit.manifest import states
from s3kit.manifest.filters import Filter
from s3kit.manifest.spool import Spool
from s3kit.pipeline.flow import Flow
from s3kit.pipeline.outbox import Outbox
from s3kit.restore.cap import Cap
from s3kit.restore.pricing import Estimate, Prices
from s3kit.restore.requests import (
    COLD,
    ONGOING,
    READY,
    TIERING,
    TIERS,
    Ask,
    Look,
    Thaw,
    terms,
)
from s3kit.s3.address import has_dots
from s3kit.s3.calls import AGAIN, EXPIRED, Control
from s3kit.s3.patience import Throttle, delay
from s3kit.s3.session import Session
from s3kit.text import count
from s3kit.units import number, show_size, show_span

TOGETHER = 1000         # looks of one batch: what a page of a listing can tell
AHEAD = 4 * TOGETHER    # rows being looked at
WATCHED = 10_000        # rows that others asked for, watched at a time
STALE_SECONDS = 60      # what S3 said longer ago is asked again before money is spent
PER_SECOND = 500        # requests; S3 takes about 1,000 of an account
PAUSE = 0.2             # seconds
TRIES = 8               # of what failed in passing
SLOW_SECONDS = 900      # S3 may slow a row down for so long before it counts as failed
ASKS = 3  # times that a row is asked for, if its copy expires each time before it was seen
SILENT_SECONDS = 900    # before people hear that looks keep failing

FIRST, POLL, ASKED = "first", "poll", "asked"       # what an errand waits for


class Restoring:
    """The run of one s3-restore; `run`, then `status` and `told`."""

    def __init__(self, args, source, sink, tally, progress, ask, signals):
        self.args, self.source, self.sink, self.tally, self.progress = (
            args, source, sink, tally, progress)
        self.ask, self.signals = ask, signals
        self.keep, self.prices = Filter(args), Prices(args.prices)
        self.session = Session(args)
        # rows to ask for: on disk, and those whose turn it is
        self.spool, self.next = Spool(), deque()
        self.pending = set()        # errands that S3 is at work on
        self.cap = Cap(args.max_pending, args.max_pending_size)
        self.out = {FIRST: 0, POLL: 0, ASKED: 0}
        self.tells = {}             # bucket: whether its listing tells of restores
        # bucket: the errand by which that is found out, before anything else of it is asked for
        self.scouts = {}
        self.throttle = Throttle(args.connections)
        self.allowance, self.allowed_at = PER_SECOND * PAUSE, time.monotonic()
        self.restored = self.restored_bytes = self.left = self.planned = self.planned_bytes = 0
        self.is_armed = self.is_resting = False
        self.shown = self.moaned = time.monotonic()

    def run(self):
        """Ask for what is in an archive, and with --wait wait for it.

        Raises Fault (Cut) where the input or the output failed.
        """
        batches = self.source.batches()
        if not self.ask:
            self.restore(batches)
            return
        whole = Spool()
        estimate = self.estimate(batches, whole)
        if estimate.objects:
            for line in estimate.lines():
                self.ask.show(line)
        if estimate.objects and not self.ask(
                f"Ask S3 for {count(estimate.objects, 'object')} ({show_size(estimate.bytes)})?"):
            self.left = estimate.objects
            self.pass_on(drain(whole))
            return
        self.restore(drain(whole))

    def pass_on(self, batches):
        """Let all rows go as they came."""
        for batch in batches:
            for row in batch:
                self.tally.count(row)
            self.sink.write(batch, self.source.extras())

    # --- what it costs

    def estimate(self, batches, whole=None):
        """Return the Estimate of rows by what they themselves say; nothing is asked.

        They go into the spool `whole`.
        """
        args = self.args
        estimate = Estimate(self.prices, args.days, args.max_pending, args.max_pending_size)
        for batch in batches:
            self.signals.check()
            wanted = {id(row) for row in self.keep(batch)}
            for row in batch:
                if id(row) in wanted and states.is_to_restore(row):
                    self.estimate_row(estimate, row)
                if whole is not None and (id(row) in wanted or args.in_place):
                    whole.add(row)
        return estimate

    def estimate_row(self, estimate, row):
        """Count a row."""
        if row.restore == "ongoing":
            estimate.note("asked for already")
        elif row.restore.startswith("ready"):
            estimate.note("readable already")
        elif row.storage_class == TIERING:
            estimate.note(
                f"{TIERING}: those in an archive tier come back free of charge, unless Expedited")
        elif not row.storage_class:
            estimate.note("of unknown storage class")
        else:
            estimate.add(row.storage_class,
                         terms(row.storage_class, "", self.args.days, self.args.tier)[1],
                         row.length)

    # --- from the input to S3

    def restore(self, batches):
        """Restore the rows that come."""
        self.signals.graceful = True
        self.outbox = Outbox(lambda batch: self.sink.write(batch, self.source.extras()),
                             self.signals.check, is_spooled=True)
        self.control = Control(self.args.connections)
        self.flow = Flow(batches, self.control, lambda: Thaw, self, AHEAD, together=TOGETHER)
        try:
            self.drive()
        except BaseException:
            self.control.shutdown(cancel_futures=True)
            raise
        self.control.shutdown()

    def drive(self):
        """Run the flow to its end; what was done leaves also where the input was cut."""
        try:
            self.flow.run()
        except Fault:
            self.close()
            raise
        self.close()

    def close(self):
        """See the rows out; who waits for a reader that never comes can be stopped."""
        with self.signals.at_once():
            self.outbox.close()

    def look(self):
        """Stop if a signal came or the output failed; free the places of what is written; say how
        it stands.
        """
        self.signals.check()
        if self.outbox.fault:
            raise self.outbox.fault
        for name, size in self.outbox.tickets():
            self.cap.free(name, size)
        now = time.monotonic()
        if now - self.shown > 1:
            self.shown = now
            self.progress.move(0, self.standing(now))

    def standing(self, now):
        """Return how it stands, for the bar."""
        waiting = len(self.spool) + len(self.next)
        oldest = (f", oldest wait {show_span(now - min(errand.began for errand in self.pending))}"
                  if self.pending else "")
        return (f"{len(self.pending):,} pending, {self.restored:,} "
                f"ready{f', {waiting:,} to ask for' if waiting else ''}{oldest}")

    def take_all(self, batch):
        """Take rows of the input: what needs nothing goes on at once."""
        wanted = None if self.keep.is_idle else {id(row) for row in self.keep(batch)}
        for row in batch:
            if wanted is not None and id(row) not in wanted:
                if self.args.in_place and not self.args.dry_run:
                    self.outbox.pass_on([row])    # FILE must not lose what was left out this time
            elif not states.is_to_restore(row):
                self.leave(row, told=row.verbatim is not None)
            elif not states.is_askable(row):
                self.fail(Errand(row, self.args.tier), "no version of S3's has such an id or ETag")
            else:
                self.progress.expect(1)
                self.look_at(Errand(row, self.args.tier))
        self.advance()

    def look_at(self, errand, way=FIRST):
        """Ask where a row's version stands."""
        bucket = errand.row.bucket
        by_head = (errand.by_head or self.tells.get(bucket) is False
                   or (self.scouts.get(bucket) is errand and not errand.taken))
        self.send(errand, way, Look, "head_object", errand.row.etag, by_head)

    def send(self, errand, way, kind, method, *values):
        """Send a job about a row; `method` is what its URL must be signed for, where libcurl
        cannot.
        """
        row = errand.row
        try:
            with self.signals.at_once():
                endpoint = self.session.endpoint(row.bucket)
                url = (self.session.presign(row.bucket, row.key, row.version_id, method)
                       if has_dots(row.key) else "")
        except NoSuchBucket as fault:
            self.fail(errand, str(fault))
            return
        errand.way, errand.endpoint = way, endpoint
        self.out[way] += 1
        self.flow.send(kind(endpoint, row.key, row.version_id, *values, url), errand)

    def advance(self):
        """Ask S3 for the rows whose turn it is, while there is room below the cap.

        Not before every row that was read has been looked at: what an earlier run asked for counts.
        """
        while not self.out[FIRST] and (self.next or len(self.spool)):
            if not self.next:
                if self.args.wait and not self.cap.has_room():
                    self.pause()
                    return
                self.recall()
                continue
            errand = self.next[0]
            bucket = errand.row.bucket
            is_sure = errand.is_headed or self.tells.get(bucket)
            if not (errand.is_held or self.cap.fits(errand.size)):
                if self.args.wait:
                    self.pause()
                    return
                self.put_off(self.next.popleft())
            elif errand.name in self.cap and not errand.is_held:
                self.on_ongoing(self.next.popleft())  # the same version, twice in the manifest
            elif not is_sure and bucket in self.scouts:
                return
            elif not is_sure:
                if bucket not in self.tells:
                    self.scouts[bucket] = errand
                self.look_at(self.next.popleft())
            elif not self.may_ask():
                self.pause()
                return
            else:
                self.ask_for(self.next.popleft())

    def pause(self):
        """Go on in a moment."""
        if not self.is_resting:
            self.is_resting = True
            self.flow.later(PAUSE, self.rest)

    def rest(self):
        """Go on after a pause."""
        self.is_resting = False
        self.advance()

    def recall(self):
        """Take rows from the spool; those that were looked at long ago are looked at again."""
        stale = time.monotonic() - min(STALE_SECONDS, self.args.poll)
        for errand in self.spool.take():
            if self.args.wait and errand.looked < stale:
                errand.is_recalled = True
                self.look_at(errand)
            else:
                self.next.append(errand)

    def may_ask(self):
        """Return whether another request may be sent now, below what S3 takes."""
        now = time.monotonic()
        self.allowance = min(PER_SECOND * PAUSE,
                             self.allowance + (now - self.allowed_at) * PER_SECOND)
        self.allowed_at = now
        return self.allowance >= 1 and self.throttle.room(self.out[ASKED], now) > 0

    def ask_for(self, errand):
        """Ask S3 for a row's version."""
        self.allowance -= 1
        self.hold(errand)
        errand.asks += 1
        days, tier = terms(errand.storage_class, errand.archive_tier, self.args.days, errand.tier)
        self.send(errand, ASKED, Ask, "restore_object", days, tier)

    # --- the cap

    def hold(self, errand):
        """Give a row a place below the cap."""
        if not errand.is_held:
            errand.is_held = True
            self.cap.hold(errand.name, errand.size)

    def release(self, errand):
        """Take it back."""
        self.pending.discard(errand)
        if errand.is_held:
            errand.is_held = False
            self.cap.free(errand.name, errand.size)

    # --- from S3 to the output

    def answer(self, errand, said):
        """Take what S3 says of a row."""
        if isinstance(said, BaseException):
            raise said
        way, endpoint = errand.way, errand.endpoint
        errand.way = errand.endpoint = None
        self.out[way] -= 1
        if way != ASKED and said.state not in (AGAIN, EXPIRED):
            errand.see(said)
            said = self.learn(errand, said)
        if said.state == EXPIRED:
            self.renew(errand, said, way, endpoint)
        else:
            getattr(self, f"on_{said.state}")(errand, said, way)
        self.advance()
        self.arm()

    def learn(self, errand, said):
        """Learn whether a bucket's listing tells of restores; not all servers' do. Return what S3
        said, put right.

        HEAD looks at the first row that the listing shows in its archive. If that is true, it is
        asked for, and the listing must show that.
        """
        bucket = errand.row.bucket
        is_scout, is_told = self.scouts.get(bucket) is errand, said.state in (ONGOING, READY)
        if is_told and not said.by_head:
            self.tells[bucket] = True
        elif is_scout and is_told and errand.asks and not errand.taken:
            del self.scouts[bucket]  # nobody knew whether S3 took it, and so the next row is tried
        elif is_scout and (is_told or (said.state == COLD and errand.taken)):
            self.tells[bucket] = False
            said = said._replace(state=said.state if is_told else ONGOING)
        if bucket in self.tells:
            self.scouts.pop(bucket, None)
        return said

    def on_cold(self, errand, said, way):
        """It is in the archive: ask for it when it is its turn, again if a copy has come and gone.
        """
        if self.args.dry_run:
            self.planned += 1
            self.planned_bytes += errand.size
            self.tally.count(errand.row)
            self.outbox.pass_on([errand.row])
        elif errand.is_held or errand.is_recalled or errand is self.scouts.get(errand.row.bucket):
            self.pending.discard(errand)
            if errand.taken >= ASKS:
                self.fail(errand,
                          f"S3 was asked for it {ASKS} times, and it is still in the archive")
            else:
                self.next.appendleft(errand)
        elif len(self.spool) or len(self.next) >= TOGETHER:
            self.spool.add(errand)
        else:
            self.next.append(errand)

    def on_ongoing(self, errand, said=None, way=None):
        """S3 is at work on it."""
        if way == ASKED:
            self.throttle.grow()
            errand.taken += 1
            if self.scouts.get(errand.row.bucket) is errand:
                self.look_at(errand)        # does the listing tell?
                return
        self.wait_for(errand)

    def wait_for(self, errand):
        """Watch a row until it can be read, or let it go as asked for."""
        if self.args.dry_run:
            return
        self.hold(errand)
        if not self.args.wait:
            errand.row.state, errand.row.restore, errand.row.error = rows.RESTORING, "ongoing", ""
            self.leave(errand.row)
        elif errand in self.pending or len(self.pending) < max(WATCHED, self.args.max_pending):
            self.pending.add(errand)
        else:
            self.release(errand)
            self.spool.add(errand)

    def on_ready(self, errand, said, way):
        """A copy can be read: the row goes on."""
        if way == ASKED:
            self.throttle.grow()
            errand.taken += 1
            self.look_at(errand)        # until when?
            return
        self.let_row_go(errand, f"ready until {said.until}" if said.until else "")

    def on_online(self, errand, said, way):
        """It is in no archive, or not any more."""
        row = errand.row
        if errand.asks or errand in self.pending or row.restore or row.state in (
                rows.RESTORING, rows.RESTORED):
            self.let_row_go(errand, "")
        elif not self.args.dry_run:
            self.progress.move(1)
            self.dismiss(errand)
            self.leave(row)

    def let_row_go(self, errand, restore):
        """Let a row go that can be read."""
        row = errand.row
        self.pending.discard(errand)
        self.dismiss(errand)
        self.progress.move(1)
        if self.args.dry_run:
            return
        self.restored += 1
        self.restored_bytes += errand.size
        row.state, row.restore, row.error = rows.RESTORED, restore, ""
        # It keeps its place until the next stage takes it: a copy that nobody comes for would
        # expire.
        self.leave(row, ticket=(errand.name, errand.size) if errand.is_held else None)

    def on_vanished(self, errand, said, way):
        """S3 has it no more."""
        self.fail(errand, said.error, rows.VANISHED)

    def on_failed(self, errand, said, way):
        """S3 will not."""
        self.fail(errand, said.error)

    def on_fatal(self, errand, said, way):
        """S3 will not, whatever is asked."""
        raise Fault(said.error)

    def on_again(self, errand, said, way):
        """It failed in passing: it is looked at again, for nobody knows whether S3 took a request.
        """
        if said.slow:
            self.throttle.shrink(time.monotonic())
        now = time.monotonic()
        if way == POLL:
            if now - self.moaned > SILENT_SECONDS:
                self.moaned = now
                self.tally.say(
                    f"cannot see how {count(len(self.pending), 'row')} stand, still trying: "
                    f"{said.error}")
        elif errand.is_worth_a_try(said):
            self.flow.later(delay(errand.tries), self.look_at, errand)
        else:
            self.fail(errand, said.error)

    def renew(self, errand, said, way, endpoint):
        """Go on with new credentials. Raises Fault where there are none."""
        if self.session.endpoint(errand.row.bucket) == endpoint:
            self.refresh()
        if self.session.endpoint(errand.row.bucket) == endpoint:
            raise Fault(f"{said.error}; renew the credentials and run the same command again")
        self.look_at(errand, POLL if way == POLL else FIRST)

    def on_unavailable(self, errand, said, way):
        """S3 has no capacity for Expedited now: another tier, or later."""
        self.release(errand)
        self.dismiss(errand)
        if self.args.fallback:
            errand.tier = self.args.fallback
            self.next.appendleft(errand)
        elif self.args.wait:
            self.flow.later(self.args.poll, self.look_at, errand)
        else:
            self.fail(errand, f"{said.error} (--fallback Standard asks for that instead)")

    def on_unsupported(self, errand, said, way):
        """This class has no such tier: Standard, which all have."""
        self.dismiss(errand)
        if errand.tier == TIERS[0]:
            self.fail(errand, said.error)
        else:
            errand.tier = TIERS[0]
            self.next.appendleft(errand)

    def dismiss(self, errand):
        """Let another row find out whether the listing tells, if this one was to."""
        if self.scouts.get(errand.row.bucket) is errand:
            del self.scouts[errand.row.bucket]

    def fail(self, errand, error, state=rows.FAILED):
        """Let a row go that cannot be restored."""
        self.release(errand)
        self.dismiss(errand)
        self.progress.move(1)
        errand.row.state, errand.row.error = state, error
        if self.args.dry_run:
            self.tally.count(errand.row, told=True)
        else:
            self.leave(errand.row, told=True)

    def put_off(self, errand):
        """Let a row go for which there is no room: it is as if it had never been asked for."""
        self.left += 1
        row = errand.row
        row.restore = ""
        if row.state in (rows.RESTORING, rows.RESTORED):
            row.state = rows.LISTED
        self.progress.move(1)
        self.leave(row)

    def leave(self, row, told=False, ticket=None):
        """Let a row go."""
        if self.args.dry_run:
            return
        self.tally.count(row, told)
        self.outbox.pass_on([row], ticket)

    # --- looking again

    def arm(self):
        """See that pending rows are looked at from time to time."""
        if self.pending and not self.is_armed and not self.out[POLL]:
            self.is_armed = True
            self.flow.later(self.args.poll, self.poll)

    def poll(self):
        """Look at all pending rows, neighbours together."""
        self.is_armed = False
        self.refresh()
        for errand in sorted(self.pending, key=lambda errand: errand.name):
            if not errand.way:
                self.look_at(errand, POLL)
        self.arm()

    def refresh(self):
        """Take new credentials, if there are any."""
        with self.signals.at_once():
            self.session.refresh()

    def note(self, note):
        """Nobody says anything between answers."""

    # --- afterwards

    def told(self):
        """Return the parts of the summary."""
        size = f" ({show_size(self.planned_bytes)})" if self.planned_bytes else ""
        if self.args.dry_run:
            return [f"{count(self.planned, 'row')} to ask for{size}"]
        wrong, asked = self.tally.of(*rows.WRONG), self.tally.of(rows.RESTORING)
        size = f" ({show_size(self.restored_bytes)})" if self.restored_bytes else ""
        return [f"{count(self.restored, 'row')} restored{size}",
                asked and f"{count(asked, 'row')} asked for",
                self.left and f"{count(self.left, 'row')} not asked for",
                wrong and f"{count(wrong, 'row')} failed"]

    def status(self):
        """Return the exit status: 1 where any row failed, or was not asked for."""
        return SOME_FAILED if self.tally.of(*rows.WRONG) or self.left else DONE


class Errand:
    """A row on its way out of the archive, and what is known of it."""

    __slots__ = ("row", "tier", "storage_class", "archive_tier", "size", "by_head", "is_headed",
                 "is_held", "is_recalled", "way", "endpoint", "tries", "asks", "taken", "began",
                 "looked")

    def __init__(self, row, tier):
        self.row, self.tier = row, tier
        self.storage_class, self.archive_tier, self.size = row.storage_class, "", row.length or 0
        self.by_head = row.storage_class == TIERING
        self.is_headed = self.is_held = self.is_recalled = False
        self.way = self.endpoint = None
        self.tries = self.asks = self.taken = 0
        self.began = self.looked = time.monotonic()

    @property
    def name(self):
        """What the row names."""
        return self.row.bucket, self.row.key, self.row.version_id

    def see(self, said):
        """Take what a look shows."""
        self.looked = time.monotonic()
        self.is_headed = said.by_head
        self.storage_class, self.archive_tier = said.storage_class or self.storage_class, said.tier
        self.by_head = self.by_head or self.storage_class == TIERING
        size = number(said.size)
        if size is not None and not self.is_held:
            self.size = size

    def is_worth_a_try(self, said):
        """Count a failure; return whether to try again."""
        self.tries += 1
        return time.monotonic() - self.began < SLOW_SECONDS if said.slow else self.tries < TRIES


def drain(spool):
    """Yield what is in a spool, in lists."""
    while len(spool):
        yield spool.take()
