"""--totals and --by-prefix: how many rows and bytes, by what rows say or by where they lie."""

import json

from s3kit.disk.scratch import Scratch
from s3kit.text import visible

HELD = 20_000           # sums that are held in memory; more of them go to the disk
BITS = 40               # of a sum of bytes in SQLite's lower number: a whole one could be too large
LOW = (1 << BITS) - 1
MARKER = "MARKER"       # where a delete marker has no storage class, as s3-list has it


class Sums:
    """Rows, bytes and rows of unknown size by a tuple of texts, however many of these there are."""

    def __init__(self):
        self.held, self.base = {}, None

    def add(self, name, row):
        """Count a row under a name."""
        size = row.length
        found = self.held.get(name)
        if found is None:
            if len(self.held) >= HELD:
                self.spill()
            found = self.held[name] = [0, 0, 0]
        found[0] += 1
        found[1] += size or 0
        found[2] += size is None and not row.is_marker

    def spill(self):
        """Add what is held in memory to what is on the disk."""
        self.base = self.base or Scratch(
            "CREATE TABLE sum (name BLOB PRIMARY KEY, rows INTEGER, high INTEGER, low INTEGER,"
            " unknown INTEGER) WITHOUT ROWID")
        self.base.put_all(
            "INSERT INTO sum VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
            " rows = rows + excluded.rows, high = high + excluded.high, low = low + excluded.low,"
            " unknown = unknown + excluded.unknown",
            ((stored(name), rows, size >> BITS, size & LOW, unknown)
             for name, (rows, size, unknown) in self.held.items()))
        self.held.clear()

    def largest_first(self):
        """Yield (name, rows, bytes, rows of unknown size), the most bytes first, then by name."""
        return self.found(lambda found: (-found[2], -found[1], found[0]),
                          f"high + (low >> {BITS}) DESC, low & {LOW} DESC, rows DESC, name")

    def by_name(self):
        """Yield what `largest_first` does, by name."""
        return self.found(lambda found: found[0], "name")

    def found(self, key, order):
        """Yield the sums in the order of `key`, which SQL calls `order`."""
        if not self.base:
            yield from sorted(((name, *counts) for name, counts in self.held.items()), key=key)
            return
        self.spill()
        query = f"SELECT name, rows, high, low, unknown FROM sum ORDER BY {order}"
        for name, rows, high, low, unknown in self.base.all(query):
            yield told(name), rows, (high << BITS) + low, unknown


def stored(name):
    """Return a name as SQLite has it: bytes, in the order in which Python has the tuples."""
    return "\0".join(name).encode("utf-8", "surrogatepass")


def told(name):
    """Return the name that `stored` wrote."""
    return tuple(name.decode("utf-8", "surrogatepass").split("\0"))


def kind_of(row):
    """Return the name that --totals counts a row under."""
    return (row.bucket, row.state, MARKER if row.is_marker else row.storage_class, row.proof)


def prefix_of(depth):
    """Return the function that gives the name under which --by-prefix counts a row: its bucket and
    at most `depth` of the folders that its key lies in.
    """
    def name(row):
        folders = row.key.split("/", depth)[:depth] if row.key.count("/") >= depth else (
            row.key.split("/")[:-1])
        return row.bucket, "".join(f"{folder}/" for folder in folders)
    return name


KIND = ("bucket", "state", "storage_class", "proof")
PREFIX = ("bucket", "prefix")


def lines(batches, depth, as_json):
    """Return an iterator of the lines of the sums of all rows, by prefix where `depth` is not None.
    All rows are read before; Cut comes out, for sums of a part would look like those of the whole.
    """
    found = Sums()
    name, columns = (kind_of, KIND) if depth is None else (prefix_of(depth), PREFIX)
    for rows in batches:
        for row in rows:
            found.add(name(row), row)
    ordered = found.by_name() if depth is None else found.largest_first()
    return (json_lines if as_json else table)(ordered, columns)


def table(sums, columns):
    """Yield the lines of sums for people, their total last."""
    yield f"{'rows':>14} {'bytes':>20}  {' '.join(columns)}\n"
    total = [0, 0, 0]
    for name, *counts in sums:
        yield line(counts, shown(name, columns))
        total = [before + more for before, more in zip(total, counts)]
    yield line(total, "total")


def line(counts, name):
    """Return one line for people; rows whose size is not known are told behind it."""
    rows, size, unknown = counts
    more = f"  ({unknown:,} of unknown size)" if unknown else ""
    return f"{rows:>14,} {size:>20,}  {name}{more}\n"


def shown(name, columns):
    """Return a sum's name for people; `-` where rows say nothing."""
    if columns == PREFIX:
        return visible(f"s3://{name[0]}/{name[1]}")
    return visible(" ".join(text or "-" for text in name))


def json_lines(sums, columns):
    """Yield the lines of sums for machines, one JSON object each."""
    for name, rows, size, unknown in sums:
        yield json.dumps({**dict(zip(columns, name)), "rows": rows, "bytes": size,
                          "rows_of_unknown_size": unknown}) + "\n"
