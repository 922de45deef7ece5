"""The versions of a key: which is the newest, and which was there at a moment."""

import math

from s3kit.errors import Fault
from s3kit.units import known_ns, moment_ns


def time_of(row):
    """Return a row's time in nanoseconds since 1970; before all others where it has none."""
    at = known_ns(row.last_modified)
    return -math.inf if at is None else at


def age(row):
    """Return what orders the versions of a key, the oldest first."""
    return time_of(row), row.is_latest == "true"


def as_of(pages, moment, teller="the server"):
    """Yield lists of the rows that were there at `moment` (an aware datetime).

    `pages` has a key's versions together. Of each key the newest that is not younger, of two as old
    the one that is the latest, else the first: nothing if that is a delete marker. A key's versions
    may go on over a page's border. Raises Fault where one has no time, which `teller` did not say.
    """
    limit = moment_ns(moment)
    best, at = None, None       # of the key at hand: what was there, and since when
    for rows in pages:
        chosen = []
        for row in rows:
            when = known_ns(row.last_modified)
            if when is None:
                raise Fault(f"{teller} does not say when {row.name} is from: --at cannot choose")
            if when > limit:
                continue
            is_next = not best or row.key != best.key or row.bucket != best.bucket
            if best and is_next:
                chosen.append(best)
            if is_next or when > at or when == at and row.is_latest == "true":
                best, at = row, when
        yield [row for row in chosen if not row.is_marker]
    yield [best] if best and not best.is_marker else []
