"""The mark of a shard: K/N, the rows whose bucket and key fall into the Kth of N parts.

It stands in a manifest's head and goes along with the rows, so that nobody takes a part for the
whole.
"""

import re

from s3kit.errors import Fault

LARGEST = 999_999           # shards that a manifest may be of
SHARD = re.compile("([1-9][0-9]{0,5})/([1-9][0-9]{0,5})")


def parse_shard(text):
    """Return (K, N) of a mark like `2/16`; K begins with 1. Raises ValueError."""
    match = SHARD.fullmatch(text)
    if not match or int(match[1]) > int(match[2]):
        raise ValueError(f"'{text}' is not a shard (like 1/4, 2/4, 3/4 or 4/4)")
    return int(match[1]), int(match[2])


def mark_of(text):
    """Return the mark that a manifest's head has, or '' for an empty text. Raises Fault."""
    try:
        return text and "%d/%d" % parse_shard(text)
    except ValueError as error:
        raise Fault(str(error)) from None


def missing_shards(marks):
    """Return the marks of shards that are missing beside some, smallest first.

    `marks` are those of manifests; '' is that of one that is not a shard. Where there are shards of
    different N, each N must be whole by itself.
    """
    given = {}
    for mark in marks:
        if mark:
            number, of = parse_shard(mark)
            given.setdefault(of, set()).add(number)
    return [f"{number}/{of}" for of in sorted(given) for number in range(1, of + 1)
            if number not in given[of]]
