"""One of N parts of a manifest, by a hash that never changes: an operation.

The versions of a key are all in one shard, and a key is in the same shard of every manifest, so
that machines that each take one share nothing.
"""

from math import gcd

from xxhash import xxh3_64_intdigest

from s3kit.errors import Fault
from s3kit.manifest.shards import LARGEST, parse_shard


class Shard:
    """The rows of shard `number` of `of`, counted from 1.

    `source` has `shard()`, the mark of the input, once a batch has come, and `shards()`, all marks
    in it so far.
    """

    def __init__(self, number, of, source):
        self.number, self.of, self.source = number, of, source

    def __call__(self, batches):
        """Yield the rows of the shard.

        Raises Fault where the input is a shard that has none of them: nothing would look whole.
        """
        at, of, is_empty, rows = self.number - 1, self.of, True, ()
        for rows in batches:
            found = [row for row in rows if xxh3_64_intdigest(name_of(row)) % of == at]
            if found:
                is_empty = False
                yield found
        marks = self.source.shards()
        if rows and is_empty and all(mark and not self.within(mark) for mark in marks):
            raise Fault(f"the input is shard {marks[0]}, and has no rows of shard {self.asked}")

    @property
    def asked(self):
        """The mark that was asked for."""
        return f"{self.number}/{self.of}"

    def within(self, mark):
        """Return the mark of what a shard has of this one, '' if it can have nothing."""
        return shard_of_shard(self.asked, mark)

    def shard(self):
        """Return the mark of what comes out: a shard of a shard is one of more."""
        mark = self.source.shard()
        return mark and self.within(mark) or self.asked


def name_of(row):
    """Return what is hashed: bucket, NUL, key, in UTF-8; of a row that makes no sense the cells as
    they came, so that one shard has it.
    """
    if row.verbatim is None:
        return f"{row.bucket}\0{row.key}".encode()
    cells = row.verbatim.get("bucket", ""), row.verbatim.get("key", "")
    return "\0".join(cells).encode("utf-8", "surrogatepass")


def shard_of_shard(mark, of_mark):
    """Return the mark of the rows that are in both shards, or '' if none can be."""
    (number, of), (other, of_other) = parse_shard(mark), parse_shard(of_mark)
    if (number - other) % gcd(of, of_other):
        return ""
    both = of * of_other // gcd(of, of_other)
    if both > LARGEST:
        return mark
    at = next(at for at in range(other - 1, both, of_other) if at % of == number - 1)
    return f"{at + 1}/{both}"
