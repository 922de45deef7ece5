"""What would be deleted, said before it is; and which versions are the newest of their keys."""

from s3kit.disk.scratch import Scratch
from s3kit.manifest import row as rows
from s3kit.text import count
from s3kit.units import known_ns, show_size

PREFIXES = 8            # that a plan names, of each bucket


class Planned:
    """What a plan says of one bucket."""

    def __init__(self):
        self.rows = self.bytes = 0
        self.prefixes, self.kept = {}, {}

    def add(self, row):
        """Count a row that would go."""
        self.rows += 1
        self.bytes += row.length or 0
        prefix = row.key.partition("/")[0] + "/" if "/" in row.key else ""
        if prefix not in self.prefixes and len(self.prefixes) > 100 * PREFIXES:
            prefix = "others"
        at = self.prefixes.setdefault(prefix, [0, 0])
        at[0] += 1
        at[1] += row.length or 0

    def keep(self, why):
        """Count a row that would stay."""
        self.kept[why] = self.kept.get(why, 0) + 1

    def lines(self, bucket):
        """Yield the plan for people."""
        yield (f"s3://{bucket}: {count(self.rows, 'version')} to delete ({show_size(self.bytes)}), "
               f"{self.total_kept():,} kept")
        most = sorted(self.prefixes.items(), key=lambda item: -item[1][1])
        for prefix, (number, size) in most[:PREFIXES]:
            yield f"  {number:>12,}  {show_size(size):>10}  {prefix or '(no prefix)'}"
        if most[PREFIXES:]:
            more = len(most) - PREFIXES
            yield f"  ... and {more:,} more {'prefix' if more == 1 else 'prefixes'}"
        for why, number in sorted(self.kept.items()):
            yield f"  {number:>12,}  kept: {why or 'as they came'}"

    def total_kept(self):
        """Return how many rows would stay."""
        return sum(self.kept.values())


class Newest:
    """Which versions are the newest of their keys, by the times in the manifest.

    On disk, for a manifest may have any number of rows. Times are microseconds since 1970.
    """

    def __init__(self):
        self.base = Scratch("CREATE TABLE version (bucket TEXT, key TEXT, at INTEGER)",
                            "CREATE INDEX of_key ON version (bucket, key, at)")

    def add(self, batch):
        """Take versions; those that are gone, and delete markers, do not count."""
        gone = (rows.PRUNED, rows.VANISHED)
        there = [row for row in batch
                 if row.verbatim is None and not row.is_marker and row.state not in gone]
        self.base.put_all("INSERT INTO version VALUES (?, ?, ?)",
                          [(row.bucket, row.key, microseconds(row)) for row in there])

    def has(self, row, most):
        """Return whether a row is among its key's `most` newest.

        Of those of the same age all are, and so is each whose time is not known.
        """
        at = microseconds(row)
        if at is None:
            return True
        newer, = self.base.one(
            "SELECT count(*) FROM version WHERE bucket = ? AND key = ? AND at > ?",
            (row.bucket, row.key, at))
        return newer < most


def microseconds(row):
    """Return a row's last_modified in microseconds since 1970 (nanoseconds do not fit SQLite), or
    None.
    """
    at = known_ns(row.last_modified)
    return None if at is None else at // 1000
