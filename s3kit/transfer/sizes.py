"""Into which pieces an object is cut for its transfer."""

from s3kit.proof.digest import LEAF

SMALL = 256 << 10           # bytes received in memory and written at once
LARGE = 64 << 20            # bytes from which an object is fetched in ranges
RANGE_LEAST, RANGE_MOST = 16 << 20, 32 << 20


def step_of(size, part_size, jobs):
    """Return the bytes of a range of an object of `size` bytes that is shared out among `jobs`
    workers.

    Borders fall on the object's own parts where these are needed for its check (`part_size` bytes),
    else on the leaves of our digest.
    """
    unit = part_size or LEAF
    wanted = min(RANGE_MOST, max(RANGE_LEAST, size // (jobs * 4)))
    return max(1, wanted // unit) * unit


def ranges_of(size, part_size, jobs):
    """Return [(start, end)] of all ranges of an object (see `step_of`)."""
    step = step_of(size, part_size, jobs)
    return [(start, min(start + step, size)) for start in range(0, size, step)]
