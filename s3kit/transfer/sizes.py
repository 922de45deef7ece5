"""Into which pieces an object is cut for its transfer."""


from s3kit.proof.digest import LEAF

RANGE_LEAST, RANGE_MOST = 16 << 20, 64 << 20


def ranges_of(size, part_size, jobs):
    """Return [(start, end)] that share out `size` bytes among `jobs` workers.

    Borders fall on the object's own parts where these are needed for its check (`part_size` bytes),
    else on the leaves of our digest.
    """
    unit = part_size or LEAF
    wanted = min(RANGE_MOST, max(RANGE_LEAST, size // (jobs * 4)))
    step = max(1, wanted // unit) * unit
    return [(start, min(start + step, size)) for start in range(0, size, step)]


SMALL = 256 << 10           # bytes received in memory and written at once
LARGE = 64 << 20            # bytes from which an object is fetched in ranges
