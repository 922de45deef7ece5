"""The objects that are read to measure how fast they come."""

import random

from s3kit.errors import Fault
from s3kit.listing.listing import Listing
from s3kit.pipeline.flow import BATCH_BYTES, BATCH_ROWS
from s3kit.pipeline.pool import DEPTH
from s3kit.s3.access import Access
from s3kit.storage_classes import ARCHIVED_CLASSES
from s3kit.text import count
from s3kit.transfer import sizes
from s3kit.transfer.job import Job
from s3kit.transfer.sizes import LARGE
from s3kit.units import show_size

RANGES_TOGETHER = 4             # of one object in one batch, as s3-fetch has it
PAGES = 5                       # of the listing, at most, to find objects that can be read
SEED = 1                        # the same objects in the same order at every step


def found(args, bucket, prefix, check):
    """Return the Objects of a bucket or prefix. Raises Fault where nothing can be read."""
    access = Access(args)
    endpoint = access.endpoint(bucket)
    listing = Listing(check, 1, access.renewed)
    return Objects(endpoint, choose(listing, endpoint, bucket, prefix))


def choose(listing, endpoint, bucket, prefix):
    """Return rows that can be read now, of as few pages as have any. Raises Fault."""
    for number, page in enumerate(listing.pages(endpoint, prefix)):
        rows = [row for row in page.rows if row.length
                and row.storage_class not in ARCHIVED_CLASSES]
        if rows:
            return rows
        if number + 1 == PAGES:
            break
    raise Fault(
        f"nothing to read at s3://{bucket}/{prefix}: no objects, or only empty and "
        "archived ones")


class Objects:
    """Rows of one bucket that can be read at its `endpoint`, and batches of them."""

    def __init__(self, endpoint, rows):
        self.endpoint, self.rows = endpoint, rows
        self.bucket = rows[0].bucket
        self.sizes = sorted(row.length for row in rows)

    @property
    def mean(self):
        """The bytes of an object, on average."""
        return sum(self.sizes) / len(self.sizes)

    @property
    def are_small(self):
        """Whether so many of them make a batch that not their bytes count, but their number."""
        return self.mean < BATCH_BYTES / BATCH_ROWS

    def title(self):
        """Return what is measured, in one line."""
        return (f"s3://{self.bucket}: {count(len(self.sizes), 'object')} to choose from, "
                f"{show_size(self.sizes[0])} to {show_size(self.sizes[-1])}, "
                f"{show_size(self.mean)} on average")

    def batches(self, workers):
        """Yield batches of Jobs without end, as s3-fetch would make them of the objects in some
        order.
        """
        order = random.Random(SEED)
        batch, weight = [], 0
        while True:
            row = order.choice(self.rows)
            if row.length < LARGE:
                batch.append(self.job(row, 0, row.length))
                weight += row.length
            else:
                ranges = sizes.ranges_of(row.length, 0, workers)[:RANGES_TOGETHER * DEPTH * workers]
                together = max(1, min(RANGES_TOGETHER, len(ranges) // (workers * DEPTH)))
                for at in range(0, len(ranges), together):
                    yield [self.job(row, *span) for span in ranges[at:at + together]]
            if len(batch) >= BATCH_ROWS or weight >= BATCH_BYTES:
                yield batch
                batch, weight = [], 0

    def job(self, row, start, end):
        """Return the Job of reading bytes of an object."""
        return Job("sample", self.bucket, row.key, row.version_id, row.etag, row.length, -1, "",
                   start=start, end=end)
