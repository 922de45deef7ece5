"""Into which parts an upload is cut.

At most 10,000 parts of 5 MiB to 5 GiB, the last of any size: 48.8 TiB
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). Ours are whole leaves of our
digest, so that it is taken part by part.
"""

from s3kit.errors import Fault
from s3kit.proof.digest import LEAF
from s3kit.units import show_size

MOST_PARTS = 10_000
LARGEST_PART = 5 << 30
LARGEST = MOST_PARTS * LARGEST_PART


def part_size(size, wanted=0, largest=LARGEST_PART):
    """Return the bytes of each part but the last of an object of `size` bytes: what is `wanted` (a
    multiple of LEAF, 0: the least), or more where the parts would be too many; `largest` at most.

    Raises Fault where no parts of the server's are enough.
    """
    largest = largest // LEAF * LEAF
    most = MOST_PARTS * largest
    if size > most:
        raise Fault(f"the file has {size:,} bytes, and S3 takes {most:,} ({show_size(most)}) at "
                    "most")
    least = -(-size // MOST_PARTS)
    return min(largest, max(wanted, LEAF, -(-least // LEAF) * LEAF))


def parts_of(size, step):
    """Return [(number, start, end)] of all parts of `step` bytes; there is one at least."""
    return [(number, start, min(start + step, size))
            for number, start in enumerate(range(0, max(size, 1), step), 1)]
