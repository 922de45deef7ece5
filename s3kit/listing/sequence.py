"""Whether the rows of a listing follow each other: none may come twice, none may go back.

Most servers list in the order of UTF-8. Some have an order of their own (SeaweedFS lists directory
by directory, servers in Java compare UTF-16), and directory buckets none at all
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html): there the rows that came
are remembered, in some 100 bytes each, once that is seen.
"""

from s3kit.errors import Fault

ORDERS = (str, lambda key: key.split("/"), lambda key: key.encode("utf-16-be", "surrogatepass"),
          str.lower)


class Sequence:
    """Looks at the pages of one listing as they are handed on."""

    def __init__(self, bucket):
        self.bucket = bucket
        self.last = self.prefix = ""
        self.recent = set()     # names of the page before, and of all versions of its last key
        self.seen = None        # all since another order than that of UTF-8 was seen

    def take(self, page):
        """Raise Fault where a page shows a row again, or goes back; drop a prefix that the page
        before ended with.
        """
        if page.prefixes:
            self.take_prefixes(page)
        rows = page.rows
        if not rows:
            return
        names = {(row.key, row.version_id) for row in rows}
        if len(names) < len(rows):
            raise self.fault("shows a row twice on one page")
        if not names.isdisjoint(self.recent):
            raise self.fault("shows a row again")
        self.look_at_order([row.key for row in rows], names)
        is_one_key = rows[0].key == self.last == rows[-1].key
        self.recent = self.recent | names if is_one_key else names
        self.last = rows[-1].key

    def look_at_order(self, keys, names):
        """Raise Fault for rows that go back in every order, or were seen before."""
        if self.seen is None and (self.last > keys[0] or not is_sorted(keys)):
            if self.last and is_sorted(keys) and not any(order(self.last) <= order(keys[0])
                                                         for order in ORDERS):
                raise self.fault(f"goes back, from '{self.last}' to '{keys[0]}'")
            self.seen = set(map(hash, self.recent))
        if self.seen is not None:
            found = set(map(hash, names))
            if not found.isdisjoint(self.seen):
                raise self.fault("shows a row again")
            self.seen |= found

    def take_prefixes(self, page):
        """Look at common prefixes, which some servers show again when they go on after one."""
        if self.prefix and page.prefixes[0] == self.prefix:
            del page.prefixes[0]
            if not (page.prefixes or page.rows):
                raise self.fault("shows a prefix again")
        if len(set(page.prefixes)) < len(page.prefixes) or self.prefix in page.prefixes:
            raise self.fault("shows a prefix twice")
        self.prefix = page.prefixes[-1] if page.prefixes else self.prefix

    def fault(self, what):
        """Return what is wrong with the listing."""
        return Fault(f"the listing of '{self.bucket}' cannot be right: it {what}")


def is_sorted(keys):
    """Return whether keys ascend in the order of UTF-8, versions of one key together."""
    return all(one <= other for one, other in zip(keys, keys[1:]))
