"""A segment of a listing: a range of keys, and the pages of it that have come."""

from bisect import bisect_right
from collections import deque
from math import inf


class Segment:
    """A range of keys, after `after` up to `until` (None: all), with its `pages` that wait for
    their turn.

    `query` asks for the next page, and is empty where nothing is left to ask. `first` and `last`
    name the first and the last row that came, in range or not; `rest` is the page of what came
    beyond the range. `left` is about how many pages are still to come; `gauge` is what was last
    seen, in or before the range (see Shape.ahead), None where nothing was.
    """

    def __init__(self, after, until, query, gauge):
        self.start, self.after, self.until, self.query, self.gauge = (
            after, after, until, query, gauge)
        self.pages = deque()
        self.first = self.last = self.rest = None
        self.is_new, self.is_busy, self.is_broken = True, False, False
        self.left = inf

    @property
    def is_idle(self):
        """Whether the next page could be asked for."""
        return (self.is_new or bool(self.query)) and not (self.is_busy or self.is_broken)

    def begin_anew(self):
        """Give up what has come, to be asked for again from the segment's start; return how many
        pages that were.
        """
        count = len(self.pages)
        self.left += count
        self.pages.clear()
        self.after, self.query, self.first, self.last, self.rest, self.is_new = (
            self.start, "", None, None, None, True)
        return count

    def drop_marker(self, page):
        """Take the row out of a page that the page before ended with: some servers begin with the
        marker itself.
        """
        if self.last and self.last == first_of(page):
            del page.rows[0]

    def is_continued_by(self, keys, ascends):
        """Return whether keys ascend, and come after what the segment has; `ascends` compares two.
        """
        if not keys:
            return True
        follows = self.after < keys[0] if self.is_new else ascends(self.after, keys[0])
        return follows and all(map(ascends, keys, keys[1:]))

    def go_on(self, page):
        """Note what a page says of how the listing goes on; an empty one does not begin it."""
        self.query = page.next
        if page.rows or not page.next:
            self.first = first_of(page) if self.is_new else self.first
            self.is_new = False

    def cut_off(self, page, keys):
        """Put what a page has beyond the range into `rest`; then nothing is left to ask."""
        if self.until is not None and keys[-1] > self.until:
            self.rest = page.cut(bisect_right(keys, self.until))
            self.query, self.left = "", 0.0


def first_of(page):
    """Return what names the first row of a page, None if there is none."""
    return (page.rows[0].key, page.rows[0].version_id) if page and page.rows else None
