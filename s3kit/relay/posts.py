"""A post: where one half of the way is done for one volume. Its command is started when there is
work, fed from the ledger, and started anew after a fault, an outage, or so many rows.
"""

import os
import re
import time

from s3kit.manifest import row as rows
from s3kit.manifest.stored_at import NAME as STORED_AT
from s3kit.relay.deliveries import now
from s3kit.relay.half import Half
from s3kit.relay.side import LONGEST_WAIT

WINDOW = 4000           # rows that a command has at once
MOST_FED = 100_000      # rows after which a command is started anew: what it remembers grows
IDLE_SECONDS = 20.0     # without work, after which a command is let go
TRIES = 3               # of a row, each with all the tries of its command
# What a server says of itself, not of a row (a key may be any of these words).
OF_THE_SIDE = re.compile(r"S3 says (SlowDown|ServiceUnavailable|InsufficientCapacity|"
                         r"InsufficientStorage|ExpiredToken|Throttling\w*|HTTP50[37])\b")


class Post:
    """The half of the way from `state` on for a Volume, on one Side, with the command `words`.

    `hear(event)` gets what the command gives back.
    """

    def __init__(self, volume, side, words, state, deliveries, hear):
        self.volume, self.side, self.words, self.state = volume, side, words, state
        self.deliveries, self.hear = deliveries, hear
        self.half, self.suspects, self.cursor = None, [], ""
        self.wait, self.retry_at, self.busy_at = 1.0, 0.0, 0.0
        self.said = ""

    @property
    def name(self):
        """The post for people."""
        return f"s3-{self.words[0]} on '{self.volume.path}'"

    @property
    def is_idle(self):
        """Whether nothing is under way here."""
        return not self.suspects and (self.half is None or not self.half.out)

    # --- every turn

    def turn(self, is_last=False):
        """Start the command, feed it or let it go, as things are; `is_last`: nothing will come
        after what is on its way.
        """
        at = time.monotonic()
        if not self.side.is_up or self.volume.trouble:
            if self.half and not self.half.is_ending:
                self.half.stop()
            return
        if self.half is None:
            if not self.is_wanted() or at < self.retry_at:
                return
            self.half, self.cursor = Half(self.words, self.side.env, self.hear), ""
            self.busy_at = at
        if self.half.is_ending:
            return
        if self.half.fed >= MOST_FED:
            self.half.finish()
            return
        self.feed()
        if self.half.out:
            self.busy_at = at
        if (at - self.busy_at > IDLE_SECONDS or is_last and self.has_all()) \
                and not self.half.is_ending:
            self.half.finish()      # what it has is flushed at once

    @property
    def comes(self):
        """Whether rows are to come here from the other half."""
        return self.state == rows.FETCHED and self.volume.rows[rows.LISTED] > 0

    def is_wanted(self):
        """Whether there is work, or will be before the command has started."""
        return self.comes or self.volume.rows[self.state] > len(self.suspects)

    def has_all(self):
        """Whether the command has been given all that is on its way."""
        return not self.comes and self.volume.rows[self.state] == len(self.half.out)

    def feed(self):
        """Give the command what is to be done, if it has room for it."""
        out = self.half.out
        if len(out) > WINDOW // 2 or self.volume.rows[self.state] <= len(out) + len(self.suspects):
            return
        found = self.deliveries.on_volume(self.volume.path, self.state, self.cursor, WINDOW)
        self.cursor = found[-1].key if len(found) == WINDOW else ""
        known = {delivery.name for delivery in out.values()} | {
            delivery.name for delivery, _ in self.suspects}
        new = [delivery for delivery in found if delivery.name not in known]
        fit = [delivery for delivery in new
               if self.half.names.get(delivery.key, delivery.name) == delivery.name]
        if fit:
            self.half.feed(fit, self.bucket)
        elif new:
            self.half.finish()      # another is to take the newer objects of keys that it has had

    @property
    def bucket(self):
        """The source's bucket, whose rows they all are."""
        return self.deliveries.bucket

    # --- what comes back

    def take(self, half, given_back):
        """Return [(Delivery before, after)] of rows that are done; those that failed are suspects
        until it is known whether the side can be reached.
        """
        changed = []
        for row in given_back:
            before = half.taken_back(row)
            if before is None:
                continue
            after = self.done(before, row)
            if after:
                changed.append((before, after))
            elif OF_THE_SIDE.search(row.error):
                self.side.go_out(row.error, True)
            else:
                self.suspects.append((before, row))
                self.side.ask()
        if changed:
            self.wait, self.said = 1.0, ""
            self.side.worked()
        return changed

    def done(self, before, row):
        """Return the Delivery after this half, or None where the row failed."""
        if self.state == rows.LISTED:
            if row.state != rows.FETCHED:
                return None
            return before._replace(
                state=rows.FETCHED, path=row.path, digest=row.digest, proof=row.proof, error="",
                checksum_algorithm=row.checksum_algorithm, checksum_type=row.checksum_type,
                checksum=row.checksum, fetched_at=now())
        if row.state not in (rows.STORED, rows.UNVERIFIABLE):
            return None
        return before._replace(state=row.state, far_proof=row.proof, error=row.error,
                               stored_at=row.optional(STORED_AT))

    def decide(self, is_up):
        """Return [(Delivery before, after)] of the suspects: their failure is their own where the
        side can be reached, else it is not counted.
        """
        suspects, self.suspects = self.suspects, []
        if not is_up or self.volume.trouble:
            return []
        return [(before, self.failed(before, row)) for before, row in suspects]

    def failed(self, before, row):
        """Return a Delivery that has failed here once more."""
        after = before._replace(tries=before.tries + 1, error=row.error)
        is_gone = self.state == rows.FETCHED and not os.path.lexists(
            os.path.join(self.volume.path, before.path))
        if self.state == rows.FETCHED and row.state == rows.MISMATCH and not is_gone:
            return self.rotten(after)
        if after.tries < TRIES and row.state in (rows.FAILED, rows.MISSING):
            return after._replace(state=rows.LISTED) if is_gone else after
        state = row.state if row.state in rows.WRONG else rows.FAILED
        # what was fetched stays on its volume, for nobody else has tried to put it
        keeps = self.state == rows.FETCHED and not is_gone
        return after._replace(state=state, volume=before.volume if keeps else "")

    def rotten(self, after):
        """Return a Delivery whose file has other bytes than were fetched: it is fetched anew, if
        the source has just shown it, else when it does.
        """
        is_anew = after.tries < TRIES and self.deliveries.is_listed(after.name)
        return after.begun_anew() if is_anew else after._replace(state=rows.MISMATCH)

    def ended(self, half):
        """Take that the command has ended; return what people should hear of it, or ''."""
        if half is not self.half:
            return ""
        self.half = None
        if half.is_stopped or not half.has_failed:
            return ""
        self.retry_at = time.monotonic() + self.wait
        self.wait = min(LONGEST_WAIT, self.wait * 2)
        self.side.ask()
        reason = half.reason or f"ended with status {half.process.returncode}"
        if reason == self.said:
            return ""
        self.said = reason
        return f"{self.name}: {reason}; it is started again"
