"""Which rows: where they come from, which of a key's versions, and what the filters keep."""

import fnmatch
import os
import re
from itertools import groupby
from operator import attrgetter

from s3kit.address import key_of, parse_s3, version_of
from s3kit.errors import Fault, NoAccess, Usage, of_file
from s3kit.row import LISTED, Row
from s3kit.units import epoch_ns, from_epoch


class Filter:
    """What `--include` and the other filters keep; call it with a list of rows.

    The last rule that matches a key decides. Where none does, the key stays, unless the first rule is
    an include: `--include '*.jpg'` keeps only those, `--exclude '*' --include '*.jpg'` too.
    """

    def __init__(self, args):
        self.rules = [(keeps, re.compile(pattern if is_regex else rf"\A{fnmatch.translate(pattern)}"))
                      for keeps, is_regex, pattern in getattr(args, "rules", None) or []]
        self.default = not self.rules or not self.rules[0][0]
        self.least, self.most = args.min_size, args.max_size
        self.newer = int(args.newer.timestamp() * 1e9) if args.newer else None
        self.older = int(args.older.timestamp() * 1e9) if args.older else None
        self.classes = args.storage_class
        self.is_idle = not (self.rules or self.classes) and {self.least, self.most, self.newer, self.older} == {None}

    def __call__(self, rows):
        """Return the rows to keep; one that makes no sense stays, so that it is not lost unseen."""
        return rows if self.is_idle else [row for row in rows if row.verbatim is not None or self.keeps(row)]

    def keeps(self, row):
        """Return whether a row passes every filter; an unknown size or time passes none about it."""
        decided = self.default
        for keeps, pattern in self.rules:
            if pattern.search(row.key):
                decided = keeps
        if not decided:
            return False
        if self.least is not None or self.most is not None:
            length = row.length
            if length is None or not (self.least or 0) <= length <= (length if self.most is None else self.most):
                return False
        if self.newer is not None or self.older is not None:
            at = epoch_ns(row.last_modified)
            if at is None or (self.newer is not None and at < self.newer) or (self.older is not None and at >= self.older):
                return False
        return not self.classes or (row.storage_class or "STANDARD") in self.classes


def sources(args):
    """Return the sources as [(kind, what)], kind of `s3`, `tree`, `all` or `file`. Raises Usage, Fault."""
    found = []
    for text in args.source:
        if text.startswith("s3://"):
            if text == "s3://":
                raise Usage("'s3://' names no bucket (--all-buckets takes all)")
            found.append(("s3", parse_s3(text)))
        elif os.path.isdir(text):
            found.append(("tree", text))
        elif text == "-" or os.path.exists(text):
            found.append(("file", text))
        else:
            raise Usage(f"'{text}' is no file, and an S3 address begins with s3://")
    if args.buckets_file:
        found += [("s3", parse_s3(line if line.startswith("s3://") else f"s3://{line}"))
                  for line in bucket_lines(args.buckets_file)]
    if args.all_buckets:
        found.append(("all", None))
    if not found:
        if os.isatty(0) or args.buckets_file:
            raise Usage("no source: s3://bucket/prefix, a directory, a manifest, --buckets-file or --all-buckets")
        found.append(("file", "-"))
    if args.exclude_bucket:
        found = [(kind, what) for kind, what in found
                 if kind != "s3" or not any(fnmatch.fnmatchcase(what[0], glob) for glob in args.exclude_bucket)]
    return found


def bucket_lines(path):
    """Return the names in a file of buckets: one a line, `#` begins a comment."""
    try:
        with open(path, encoding="utf-8") as lines:
            return [name for line in lines if (name := line.partition("#")[0].strip())]
    except (OSError, UnicodeDecodeError) as error:
        raise of_file("read", path, error) from None


def rows_of(found, args, check, read):
    """Yield (rows, names of unknown columns) of every source, as they come.

    `check()` is called often and may raise; `read(path)` returns a manifest's `batches` and `extras`.
    """
    session = listing = None
    for kind, what in found:
        if kind == "tree":
            yield from ((rows, []) for rows in tree_rows(what, args.bucket or ""))
        elif kind == "file":
            source = read(what)
            yield from ((rows, source.extras()) for rows in source.batches())
        else:
            if not session:
                from s3kit.listing import Listing
                from s3kit.session import Session
                session, listing = Session(args), Listing(check, args.connections)
            wanted = [what] if kind == "s3" else every_bucket(session, args.exclude_bucket)
            for bucket, prefix in wanted:
                yield from ((rows, []) for rows in s3_rows(session, listing, bucket, prefix, args))


def every_bucket(session, exclude):
    """Return [(bucket, '')] of all buckets that no glob excludes."""
    return [(name, "") for name, _ in session.buckets() if not any(fnmatch.fnmatchcase(name, glob) for glob in exclude)]


def s3_rows(session, listing, bucket, prefix, args):
    """Yield lists of rows of one prefix: current objects, all versions, or those of a moment.

    In a bucket that is or was versioned, only the listing of versions tells the version ids by which
    later commands pin what they act on. Where that may not be asked, keys alone must do.
    """
    endpoint = session.endpoint(bucket)
    versioned = args.versions or args.at or listing.is_versioned(endpoint)
    if versioned is not False:
        try:
            pages = versions_in_order(listing.pages(endpoint, prefix, versions=True))
            if args.versions:
                yield from pages
            elif args.at:
                yield from as_of(pages, args.at)
            else:
                yield from current(pages)
            return
        except NoAccess:
            if versioned:
                raise
    for page in listing.pages(endpoint, prefix):
        yield page.rows


def versions_in_order(pages):
    """Yield the rows of version pages, a key's versions together and the newest first.

    S3 sends them so; servers that send versions and delete markers apart are put right page by page.
    """
    for page in pages:
        rows = page.rows
        seen, last = set(), None
        for row in rows:
            if row.key != last and row.key in seen:
                rows = sorted(rows, key=lambda r: r.key.encode())
                rows = [row for _, group in groupby(rows, attrgetter("key"))
                        for row in sorted(group, key=lambda r: (r.last_modified, r.is_latest == "true"), reverse=True)]
                break
            seen.add(row.key)
            last = row.key
        yield rows


def current(pages):
    """Yield the rows of the latest versions that are no delete markers."""
    for rows in pages:
        yield [row for row in rows if row.is_latest == "true" and not row.is_marker]


def as_of(pages, moment):
    """Yield the rows as the bucket was at `moment` (an aware datetime).

    Of each key the first row, newest first, that is not younger: nothing if that is a delete marker.
    A key's versions may go on over a page's border.
    """
    limit = int(moment.timestamp() * 1e9)
    decided = None
    for rows in pages:
        chosen = []
        for row in rows:
            if row.key != decided and epoch_ns(row.last_modified) <= limit:
                decided = row.key
                if not row.is_marker:
                    chosen.append(row)
        yield chosen


def tree_rows(top, bucket):
    """Yield lists of rows of what lies in a directory, in order of name.

    In a destination of ours the rows have the buckets and keys that the paths stand for; elsewhere
    the key is the path, and the bucket the one given. Links are not followed.
    """
    ours = os.path.isdir(os.path.join(top, ".s3kit", "parts"))     # s3-verify alone leaves no parts
    rows = []
    for folder, names, files in os.walk(top, onerror=complain):
        names.sort()
        if folder == top and ".s3kit" in names:
            names.remove(".s3kit")
        at = os.path.relpath(folder, top)
        at = "" if at == "." else f"{at}/"
        for name in sorted(files):
            row = tree_row(top, at + name, bucket, ours)
            if row:
                rows.append(row)
        if len(rows) > 1000:
            yield rows
            rows = []
    yield rows


def tree_row(top, path, bucket, ours):
    """Return the Row of one file, or None for what is no regular file."""
    import stat
    status = os.lstat(os.path.join(top, path))
    if not stat.S_ISREG(status.st_mode):
        return None
    key, version = path, ""
    if ours:
        try:
            (bucket, key), version = key_of(path), version_of(path)
        except ValueError:
            pass        # not of our making: the path must do
    return Row(bucket=bucket, key=key, version_id=version, size=str(status.st_size), last_modified=from_epoch(status.st_mtime),
               state=LISTED, path=path)


def complain(error):
    """A directory that cannot be read must not look like an empty one."""
    raise Fault(f"cannot read '{error.filename}': {error.strerror}")
