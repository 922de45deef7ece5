"""What a listing of versions leaves out, found by a listing of objects.

Rows that a server leaves out cannot be seen missing. SeaweedFS (4.48) collects a page of versions
in the order of its directories, sorts it by key, and goes on after the greatest: keys before that
one which come later in the directories are never shown, as `a.c` where a page ends within `a/`
(listObjectVersions in
https://github.com/seaweedfs/seaweedfs/blob/master/weed/s3api/s3api_object_versioning.go).
Its listing of objects has them. What was deleted before the listing began is in neither.
"""

from s3kit.errors import Fault
from s3kit.text import count
from s3kit.units import known_ns

DOUBTED = "seaweedfs"       # how the servers that are not believed begin to name themselves
SKEW_NS = 2 * 10**9         # that the clocks of such a server's machines may differ by


def is_doubted(headers):
    """Return whether a server's listing of versions is not to be believed by itself."""
    return headers.get("server", "").lower().startswith(DOUBTED)


class Census:
    """The current objects and the prefixes that a listing of versions shows, then those of a
    listing of objects that it does not show: `missing`, or `young`, which may have come after it
    had begun.

    Names are kept as numbers, in some 100 bytes each.
    """

    def __init__(self):
        self.shown, self.young = set(), set()
        self.is_needed = False      # where all is on one page nothing is left out
        self.missing, self.example = 0, ""

    def add(self, page):
        """Take a page of the listing of versions."""
        self.is_needed |= bool(page.next)
        self.shown.update(hash(row.key) for row in page.rows
                          if row.is_latest == "true" and not row.is_marker)
        self.shown.update(map(hash, page.prefixes))

    def hold(self, page, since):
        """Hold a page of the listing of objects against it.

        The other listing began at `since` (nanoseconds since 1970 by the server's clock, None if it
        does not say): what came after that for certain may be missing there.
        """
        self.young.update(prefix for prefix in page.prefixes if hash(prefix) not in self.shown)
        for row in page.rows:
            if hash(row.key) in self.shown:
                continue
            at = known_ns(row.last_modified)
            if None in (since, at) or at < since - SKEW_NS:
                self.miss(row.key)
            elif at <= since + SKEW_NS:
                self.young.add(row.key)

    def see_again(self, page):
        """Take a page of another listing of versions, which must show what is `young`."""
        self.young.difference_update([row.key for row in page.rows], page.prefixes)

    def miss(self, name):
        """Count what was left out."""
        self.missing += 1
        self.example = self.example or name

    def conclude(self, bucket):
        """Raise Fault where something was left out."""
        for name in sorted(self.young):
            self.miss(name)
        if self.missing:
            others = f" and {count(self.missing - 1, 'other')}" if self.missing > 1 else ""
            raise Fault(
                f"the server's listing of the versions of '{bucket}' leaves some out: its listing "
                f"of objects has '{self.example}'{others} that the former does not show (a prefix "
                "with fewer versions may be listed whole)")
