"""Where segments of a listing are split: at keys that are guessed, while guesses are good."""

from s3kit.listing.guesses import Shape
from s3kit.listing.segment import Segment

MOST_DOUBTS = 4         # after the nth wrong guess none is made for 4 ** n pages, n at most this


class Splits:
    """Splits segments, by the keys of the pages that have come.

    Keys have the `prefix`; with `versions` several rows may have the same key. `is_off` says that
    nothing is ever split, `pause` for how many pages it is not.
    """

    def __init__(self, prefix="", versions=False, is_off=False):
        self.prefix, self.versions, self.is_off = prefix, versions, is_off
        self.shape = Shape()
        self.doubts = self.pause = 0

    @property
    def are_trusted(self):
        """Whether segments may be split now."""
        return not (self.is_off or self.pause)

    def doubt(self):
        """A guess was wrong: make none for some pages, each time for more of them."""
        self.doubts += 1
        self.pause = 4 ** min(self.doubts, MOST_DOUBTS)

    def count_page(self):
        """Count a page that was handed on."""
        self.pause = max(0, self.pause - 1)

    def measure(self, segment, keys):
        """Learn from a page's keys how long its segment still is."""
        if self.is_off:
            return
        self.shape.learn(keys)
        half = len(keys) // 2
        segment.gauge = keys[half], keys[-1], len(keys) - 1 - half
        segment.left = self.shape.pages(segment.gauge, segment.after, segment.until)

    def split(self, segment, pages):
        """Return what is split off a segment `pages` pages after what was seen of it; None if
        nowhere.
        """
        at = (self.guess(segment, pages) if segment.gauge and (segment.query or segment.is_new)
              else None)
        if not at:
            segment.left = 0.0
            return None
        new = Segment(at, segment.until, "", segment.gauge)
        new.left = segment.left - pages
        segment.until, segment.left = at, pages
        return new

    def guess(self, segment, pages):
        """Return a key within a segment, `pages` pages on; after a page of one key's versions, that
        very key.
        """
        first, last, _ = segment.gauge
        if first == last:
            at = last if self.versions and not segment.is_new else None
        else:
            at = self.shape.ahead(segment.gauge, segment.after, pages)
            at = None if at is None or at <= segment.after else at
        is_within = at and at.startswith(self.prefix) and (segment.until is None
                                                           or at < segment.until)
        return at if is_within else None
