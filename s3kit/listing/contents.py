"""What lies below an address, as far as the filters keep it, for people to look at."""

from s3kit.listing.sources import decidable
from s3kit.listing.unpaged import Batch, group_of
from s3kit.manifest.filters import Filter


class Contents:
    """The contents of one prefix after the other, from a Listing, as the options say.

    `is_there` says of the last prefix whether anything begins so, kept or not.
    """

    def __init__(self, listing, args):
        self.listing, self.args, self.keep = listing, args, Filter(args)
        self.is_there = False

    def batches(self, endpoint, prefix, is_deep):
        """Yield Batches: all keys, or where it is not `is_deep` those of one level, beside prefixes
        that stand for what lies below.

        What a filter keeps below a prefix only the keys tell. Raises NoAccess, or Fault.
        """
        self.is_there = False
        groups = not is_deep and not self.keep.is_idle
        last = ""
        for page in self.listing.pages(endpoint, prefix, self.args.versions,
                                       "" if is_deep or groups else "/"):
            self.is_there = self.is_there or bool(page.rows or page.prefixes)
            (rows,) = decidable([page.rows], self.args)
            batch = Batch(page.bucket, self.keep(rows), page.prefixes)
            if groups:
                batch, last = grouped(batch, prefix, last)
            yield batch


def grouped(batch, prefix, last):
    """Return (a Batch of one level below a prefix, the last of its prefixes), of one of all keys;
    `last` is that of the batch before.
    """
    rows, prefixes = [], []
    for row in batch.rows:
        group = group_of(row.key, prefix, "/")
        if not group:
            rows.append(row)
        elif group != last:
            prefixes.append(group)
            last = group
    return Batch(batch.bucket, rows, prefixes), last
