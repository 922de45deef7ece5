"""s3-list: list buckets, objects and versions."""

import os
import sys
from functools import partial

from s3kit.cli import frame, options
from s3kit.cli.messages import say
from s3kit.cli.signals import Signals

NAME = "s3-list"
ALL = "s3://"           # all buckets, as `aws s3 ls s3://` has it


def build_parser():
    """Declare the options of s3-list."""
    p = options.parser(NAME, "List buckets, objects and versions.",
                       example="s3-list -lH s3://photos/")
    p.add_argument("address", metavar="s3://BUCKET/PREFIX", nargs="*",
                   help="what to list; all buckets if none, or s3://")
    p.add_argument("-R", "--recursive", action="store_true", help="all keys below, not one level")
    p.add_argument("--versions", action="store_true", help="all versions and delete markers")
    p.add_argument("-l", "--long", action="store_true",
                   help="time, size, storage class (and version) before the key")
    p.add_argument("-H", "--human-readable", action="store_true", help="sizes like 1.5K, 12M")
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    p.add_argument("-0", "--null", action="store_true", help="raw names, each ended by a NUL")
    p.add_argument("--summarize", action="store_true", help="in the end, how many and how much")
    options.connections_option(p)
    options.s3_options(p)
    return p


def list_all(args):
    """Print what was asked for; return the status."""
    from s3kit.errors import DONE, SOME_FAILED
    from s3kit.listing.listing import CONNECTIONS, Listing
    from s3kit.s3.access import Access
    from s3kit.s3.address import parse_s3
    from s3kit.s3.capabilities import KNOWN
    addresses = [parse_s3(text) for text in args.address if text != ALL]
    access = Access(args, Signals.at_once)
    listing = Listing(Signals.check, args.connections or CONNECTIONS, access.renewed)
    printer, status = Printer(args), DONE
    if not args.address or ALL in args.address:
        for name, created in access.buckets():
            printer.bucket(name, created)
    for bucket, prefix in addresses:
        delimiter = "" if args.recursive else "/"
        found = False
        for page in listing.pages(access.endpoint(bucket), prefix, args.versions, delimiter):
            found = printer.page(page) or found
            sys.stdout.flush()
        if prefix and not found:
            # As ls has it: the others are listed all the same.
            say(args.prog, f"cannot find 's3://{bucket}/{prefix}': no such key or prefix")
            status = SOME_FAILED
    printer.summary()
    KNOWN.tell(partial(say, args.prog), args.verbose)
    return status


class Printer:
    """Prints buckets, prefixes and rows in the way the options say."""

    def __init__(self, args):
        self.args = args
        self.objects = self.bytes = self.markers = 0

    def write(self, name, facts, columns):
        """Print one line: `facts` for JSON, `columns` before the name with -l."""
        import json

        from s3kit.text import visible
        if self.args.json:
            text = json.dumps(facts, ensure_ascii=True) + "\n"
        elif self.args.null:
            text = (visible(name) if os.isatty(1) else name) + "\0"
        elif self.args.long:
            text = visible(" ".join([*columns, name])) + "\n"
        else:
            text = visible(name) + "\n"
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))

    def bucket(self, name, created):
        """Print a bucket."""
        from s3kit.units import show_time
        self.objects += 1
        when = show_time(created) if created else None
        self.write(name, {"bucket": name, "created": when}, [when or "-"])

    def page(self, page):
        """Print a page of a listing; return whether there was anything on it."""
        lines = [(prefix, None) for prefix in page.prefixes] + [(row.key, row) for row in page.rows]
        if page.prefixes:
            lines.sort(key=lambda line: line[0].encode())
        for name, row in lines:
            if row is None:
                self.write(name, {"bucket": page.bucket, "prefix": name},
                           self.columns("", "", "PRE", ""))
            else:
                self.row(row)
        return bool(lines)

    def row(self, row):
        """Print an object, a version or a delete marker."""
        from s3kit.units import show_size
        self.objects += not row.is_marker
        self.markers += row.is_marker
        self.bytes += row.length or 0
        size = show_size(row.length
                         or 0) if self.args.human_readable and not row.is_marker else row.size
        kind = "MARKER" if row.is_marker else row.storage_class
        latest = "*" if row.is_latest == "true" else "-"
        version = f"{latest} {row.version_id:<32}" if self.args.versions else ""
        self.write(row.key, facts_of(row), self.columns(row.last_modified, size, kind, version))

    def columns(self, when, size, kind, version):
        """Return the columns of -l, as wide as they usually are."""
        width = 6 if self.args.human_readable else 12
        return ([f"{when:<20}", f"{size:>{width}}", f"{kind:<12}"]
                + ([f"{version:<34}"] if self.args.versions else []))

    def summary(self):
        """Print the totals, if asked for, on stderr where the names are for machines."""
        if not self.args.summarize:
            return
        from s3kit.text import count
        from s3kit.units import show_size
        size = show_size(self.bytes) if self.args.human_readable else f"{self.bytes:,} bytes"
        parts = [count(self.objects, "object" if self.args.address else "bucket")]
        parts += [count(self.markers, "delete marker")] if self.markers else []
        parts += [size] if self.args.address else []
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


def main(argv=None):
    """Run s3-list."""
    return frame.run(build_parser(), list_all, argv)
