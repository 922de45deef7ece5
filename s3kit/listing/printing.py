"""What s3-list prints: buckets, prefixes, rows and folders, for people, scripts and programs."""

import os
import sys

from s3kit.listing.folders import Totals
from s3kit.text import count, visible
from s3kit.units import show_size, show_time


class Printer:
    """Prints in the way the options say; where there are `several` buckets each name says which.

    `totals` are of all rows, `buckets` is how many buckets were printed.
    """

    def __init__(self, args, several=False):
        self.args, self.several = args, several
        self.totals, self.buckets = Totals(), 0

    def write(self, name, facts, columns):
        """Print one line: `facts` for JSON, `columns` before the name."""
        import json
        if self.args.json:
            text = json.dumps(facts, ensure_ascii=True) + "\n"
        elif self.args.null:
            text = (visible(name) if os.isatty(1) else name) + "\0"
        else:
            text = visible(" ".join([*columns, name])) + "\n"
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))

    def below(self, bucket, name):
        """Return how a key or a prefix is called."""
        return f"s3://{bucket}/{name}" if self.several else name

    def bucket(self, name, created, totals=None):
        """Print a bucket, and its Totals if they are known."""
        self.buckets += 1
        when = show_time(created) if created else None
        facts, columns = {"bucket": name, "created": when}, []
        if self.args.long:
            columns.append(f"{when or '-':<20}" if self.args.summarize else when or "-")
        if totals:
            self.totals.add_all(totals)
            facts |= self.sums(totals)
        if self.args.long and self.args.summarize:
            columns += self.sum_columns(totals)
        self.write(name, facts, columns)

    def batch(self, batch):
        """Print a Batch of a listing."""
        lines = [(prefix, None) for prefix in batch.prefixes]
        lines += [(row.key, row) for row in batch.rows]
        if batch.prefixes:
            lines.sort(key=lambda line: line[0].encode())
        for name, row in lines:
            if row is None:
                self.write(self.below(batch.bucket, name), {"bucket": batch.bucket, "prefix": name},
                           self.columns("", "", "PRE", ""))
            else:
                self.row(row)
        sys.stdout.flush()

    def row(self, row):
        """Print an object, a version or a delete marker."""
        self.totals.add(row)
        size = row.size
        if self.args.human_readable and not row.is_marker:
            size = show_size(row.length or 0)
        kind = "MARKER" if row.is_marker else row.storage_class
        latest = "*" if row.is_latest == "true" else "-"
        version = f"{latest} {row.version_id:<32}" if self.args.versions else ""
        self.write(self.below(row.bucket, row.key), facts_of(row),
                   self.columns(row.last_modified, size, kind, version))

    def columns(self, when, size, kind, version):
        """Return the columns of -l, as wide as they usually are."""
        if not self.args.long:
            return []
        return ([f"{when:<20}", f"{size:>{self.width}}", f"{kind:<12}"]
                + ([f"{version:<34}"] if self.args.versions else []))

    @property
    def width(self):
        """How wide the column of sizes is."""
        return 6 if self.args.human_readable else 12

    def folder(self, bucket, name, totals, is_top):
        """Print what lies below a folder, or below the address itself."""
        if is_top:
            self.totals.add_all(totals)
        self.write(f"s3://{bucket}/{name}",
                   {"bucket": bucket, "prefix": name, **self.sums(totals)},
                   self.sum_columns(totals))

    def sums(self, totals):
        """Return Totals as JSON has them."""
        found = {"versions" if self.args.versions else "objects": totals.versions}
        return found | {"size": totals.bytes}

    def sum_columns(self, totals):
        """Return the columns of a size and a number; of None, where nobody may look, dashes."""
        size = "-" if totals is None else show_size(
            totals.bytes) if self.args.human_readable else totals.bytes
        return [f"{size:>{self.width}}", f"{'-' if totals is None else totals.versions:>9}"]

    def summary(self, of_buckets, of_keys):
        """Print how many buckets, and how much in all, on stderr where the names are for machines.
        """
        found, parts = self.totals, []
        if of_buckets:
            parts.append(count(self.buckets, "bucket"))
        if of_keys:
            parts.append(f"{count(found.versions, 'version')} of {count(found.keys, 'key')}"
                         if self.args.versions else count(found.versions, "object"))
            parts += [count(found.markers, "delete marker")] if found.markers else []
            parts.append(show_size(found.bytes) if self.args.human_readable
                         else f"{found.bytes:,} bytes")
        out = sys.stderr if self.args.json or self.args.null else sys.stdout
        sys.stdout.flush()
        out.write(", ".join(parts) + "\n")


def facts_of(row):
    """Return a row as JSON has it: columns that say something, numbers and booleans as such."""
    facts = {"bucket": row.bucket, "key": row.key}
    for name in ("version_id", "etag", "last_modified", "storage_class", "checksum_algorithm",
                 "checksum_type", "restore"):
        if getattr(row, name):
            facts[name] = getattr(row, name)
    for name in ("is_latest", "is_delete_marker"):
        if getattr(row, name):
            facts[name] = getattr(row, name) == "true"
    if row.size:
        facts["size"] = row.length
    return facts
