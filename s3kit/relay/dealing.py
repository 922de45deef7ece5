"""Dealing: which volume a row goes through. Its whole room is reserved, in the ledger, before a
byte moves.
"""

import time

from s3kit.manifest.row import FAILED, LISTED
from s3kit.relay.deliveries import BLOCK, charge
from s3kit.relay.posts import WINDOW
from s3kit.units import show_size

AT_ONCE = 1000          # rows that are dealt in one transaction
SECONDS = 1.0           # between two looks where nothing has changed


class Dealer:
    """Deals what waits in the ledger to Volumes; `by_size`: the largest first, else by key.

    `most` bytes at most are dealt between two listings, where that is said: `given` since the last,
    `bytes` in all.
    """

    def __init__(self, deliveries, volumes, by_size, most=None):
        self.deliveries, self.volumes, self.by_size = deliveries, volumes, by_size
        self.most, self.given, self.looked, self.is_due = most, 0, 0.0, True
        self.bytes, self.has_dealt_all = 0, False

    def deal(self):
        """Deal as much as fits; return how many rows were."""
        at = time.monotonic()
        if not self.is_due and at - self.looked < SECONDS:
            return 0
        self.looked, self.is_due, count = at, False, 0
        while dealt := self.deal_some():
            count += dealt
        self.has_dealt_all = not self.deliveries.is_any_waiting()
        return count

    def deal_some(self):
        """Deal some rows; return how many."""
        open_ones = [volume for volume in self.volumes
                     if volume.rows[LISTED] < WINDOW and volume.room() >= 2 * BLOCK]
        if not open_ones or self.is_round_full():
            return 0
        room = max(volume.room() for volume in open_ones) - 2 * BLOCK
        dealt, keys = [], set()
        for delivery in self.deliveries.waiting(room, AT_ONCE, self.by_size):
            size = charge(delivery.size)
            fit = [volume for volume in open_ones if volume.room() >= size]
            if not fit or delivery.key in keys or self.is_round_full():
                continue
            volume = min(fit, key=lambda volume: queue(volume, size, open_ones))
            keys.add(delivery.key)
            dealt.append((delivery, volume.path))
            volume.count(LISTED, size, 1)
            self.given += delivery.size
            self.bytes += delivery.size
        if dealt:
            self.deliveries.deal(dealt)
        return len(dealt)

    def is_round_full(self):
        """Whether no more is dealt before the next listing."""
        return self.most is not None and self.given >= self.most

    def too_large(self):
        """Return [(Delivery before, after)] of some of what waits and fits on no volume even when
        that is empty; none where it is not known how large one is.
        """
        if any(volume.trouble for volume in self.volumes):
            return []
        most = max(volume.capacity() for volume in self.volumes) - 2 * BLOCK
        why = f"does not fit on any volume (the largest takes {show_size(max(0, most))})"
        return [(delivery, delivery._replace(
            state=FAILED, error=f"{show_size(delivery.size)} {why}"))
            for delivery in self.deliveries.too_large(most, AT_ONCE)]


def queue(volume, size, others):
    """Return how long a row of `size` would take on a volume with what was dealt to it before, in
    seconds, and for equals how much room it has less than others; volumes of unknown speed are
    taken to be as fast as the known.
    """
    known = [other.speed for other in others if other.speed]
    speed = volume.speed or (sum(known) / len(known) if known else 1.0)
    return (volume.dealt + size) / speed, -volume.room()
