"""The segments of a listing: ranges of keys that are listed at once, and handed on in order (no I/O
here).

Each segment begins where a guess (split) says and ends where the next one begins. It is listed as
S3 pages it, one request at a time; whatever its last page shows beyond its end must begin with the
very row that the next segment begins with. So the pages join into what one listing after the other
would have said, whatever order a server keeps; where two do not meet, the rest is listed anew.
"""

from math import inf
from operator import le, lt

from s3kit.listing.segment import Segment, first_of
from s3kit.listing.splits import Splits

STRIDE = 4              # pages that a segment is meant to have
HELD, MOST = 4, 64      # pages asked for or waiting for their turn: of each connection, and of all
SHORTEST = 3            # pages that are worth another request, when nothing longer is left
WASTE = 1.5             # requests for each page that was of use, before guessing ends


class Segments:
    """Decides what to ask for next (`choose`), takes the answers, and hands pages on in order
    (`ready`).
    """

    def __init__(self, connections, prefix="", versions=False):
        self.connections = connections
        self.ascends = le if versions else lt
        self.splits = Splits(prefix, versions, is_off=connections == 1)
        self.open = [Segment("", None, "", None)]
        self.asked = self.useful = self.under_way = self.held = 0

    @property
    def is_done(self):
        """Whether all pages were handed on."""
        head = self.open[0]
        return len(self.open) == 1 and not (head.is_new or head.query or head.pages)

    @property
    def allowed(self):
        """How many requests may be under way: at first one, then one more for each page that was of
        use.
        """
        return min(self.connections, 1 + self.useful)

    def choose(self, may_split=True):
        """Return the segment whose next page to ask for, now under way; or None."""
        found = self.find(may_split)
        if found:
            found.is_busy = True
            self.under_way += 1
            self.asked += 1
        return found

    def find(self, may_split):
        """Return the segment to ask for: the nearest that waits, or a new one, split off where it
        is needed first.
        """
        if self.under_way >= self.allowed:
            return None
        head = next((segment
                     for segment in self.open if segment.pages or segment.query or segment.is_new),
                    self.open[0])
        if head.is_idle and not head.pages:
            return head         # whatever room is left: all others wait for it
        may_split = may_split and self.may_split()
        is_full = self.held + self.under_way >= max(self.connections,
                                                    min(HELD * self.connections, MOST))
        for before, segment in zip([self.open[0], *self.open], self.open):
            if segment.is_new and before.gauge:
                segment.gauge = before.gauge        # what was last seen before it
            if segment.is_idle and not is_full:
                return segment
            if may_split and segment.left >= 2 * STRIDE:
                far = farthest(self.open, segment) if is_full else None
                new = (far or not is_full) and self.split_off(segment, STRIDE)
                if new:
                    self.forget(far)
                    return new
        if is_full or not may_split:
            return None
        longest = max(self.open, key=lambda segment: segment.left)
        return longest.left >= SHORTEST and self.split_off(longest, longest.left / 2) or None

    def may_split(self):
        """Return whether guesses are worth their requests."""
        return (self.splits.are_trusted
                and self.asked <= WASTE * self.useful + self.connections)

    def forget(self, far):
        """Give up a segment's pages, to be asked for again when its turn is nearer."""
        count = far.begin_anew() if far else 0
        self.held -= count
        self.useful -= count

    def split_off(self, segment, pages):
        """Return what is split off a segment, now open, `pages` pages after what was seen of it;
        None if nowhere.
        """
        new = self.splits.split(segment, pages)
        if new:
            self.open.insert(self.open.index(segment) + 1, new)
        return new

    def take(self, segment, page):
        """Take the page that a segment was waiting for."""
        self.answered(segment)
        if segment not in self.open:
            return
        segment.drop_marker(page)
        keys = [row.key for row in page.rows]
        if not segment.is_continued_by(keys, self.ascends):
            self.disorder(segment, page)
            return
        segment.go_on(page)
        self.swallow(segment, page)
        if keys:
            segment.after, segment.last = keys[-1], (keys[-1], page.rows[-1].version_id)
            self.splits.measure(segment, keys)
            segment.cut_off(page, keys)
        self.keep(segment, page)

    def swallow(self, segment, page):
        """Drop the segments after this one that its page shows whole, or to be empty."""
        at = self.open.index(segment) + 1
        while at < len(self.open):
            following = self.open[at]
            last = page.rows[-1].key if page.rows else ""
            shown = following.is_new and (segment.until < last if not following.is_busy
                                          else following.until is not None
                                          and following.until <= last)
            if page.next and not shown:
                return
            self.held -= len(following.pages)
            segment.until = following.until
            del self.open[at]

    def keep(self, segment, page):
        """Let a page wait for its turn."""
        if page.rows or page.prefixes:
            segment.pages.append(page)
            self.held += 1
            self.useful += 1

    def disorder(self, segment, page):
        """Go on without segments: this server has an order of its own, where nothing can be split.
        """
        self.splits.is_off = True
        if segment is not self.open[0]:
            segment.is_broken = True
            return
        segment.is_new = False
        segment.query = page.next
        segment.last = (page.rows[-1].key, page.rows[-1].version_id)
        self.alone(segment)
        self.keep(segment, page)

    def fail(self, segment):
        """Take note that a page cannot be had; return whether that is to be borne: only the head
        needs it.
        """
        self.answered(segment)
        segment.is_broken = True
        return segment is not self.open[0]

    def answered(self, segment):
        """Count an answer."""
        self.under_way -= 1
        segment.is_busy = False

    def ready(self):
        """Return the next page in order, or None where it has not come yet."""
        while True:
            head = self.open[0]
            if head.pages:
                self.held -= 1
                self.splits.count_page()
                return head.pages.popleft()
            if head.query or head.is_new or len(self.open) == 1:
                return None
            following = self.open[1]
            if following.is_new and not following.is_broken:
                return None
            if following.is_broken or following.first != first_of(head.rest):
                self.relist(head)
            else:
                del self.open[0]

    def relist(self, head):
        """List what follows the head anew: the next segment does not begin where the head ends."""
        self.splits.doubt()
        rest, head.rest = head.rest, None
        self.alone(head)
        if rest:
            head.query = rest.next
            head.after = rest.rows[-1].key
            self.keep(head, rest)

    def alone(self, head):
        """Drop all segments but the head, which goes on to the end."""
        self.held -= sum(len(segment.pages) for segment in self.open[1:])
        self.open = [head]
        head.until, head.left = None, inf


def farthest(segments, near):
    """Return the last segment with pages that could make room for what is nearer, if it is beyond
    `near`.
    """
    for far in reversed(segments):
        if far is near:
            return None
        if far.pages and not far.is_busy:
            return far
    return None
