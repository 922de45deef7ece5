"""Which rows: where they come from, which of a key's versions, and what the filters keep."""
import fnmatch
import os
from functools import partial
from itertools import groupby
from operator import attrgetter

from s3kit.errors import Fault, NoAccess, NoVersions, Usage
from s3kit.manifest import foreign
from s3kit.manifest.local_tree import tree_rows
from s3kit.manifest.versions import age, as_of
from s3kit.s3.address import parse_s3, question
from s3kit.text import read_text
from s3kit.units import known_ns


def sources(args):
    """Return the sources as [(kind, what)], kind of `s3`, `report`, `tree`, `all` or `file`.

    Raises Usage, Fault.
    """
    found = []
    for text in args.source:
        if text.startswith("s3://"):
            found.append((kind_in_s3(text, args), parse_s3(text)))
        elif os.path.isdir(text) and not foreign.is_folder(getattr(args, "from_form", None)):
            found.append(("tree", text))
        elif text == "-" or os.path.exists(text):
            found.append(("file", text))
        else:
            raise Usage(f"'{text}' is neither a file nor a directory"
                        + (question(text) or ", and an S3 address begins with s3://"))
    if args.buckets_file:
        found += [("s3", parse_s3(line if line.startswith("s3://") else f"s3://{line}"))
                  for line in bucket_lines(args.buckets_file)]
    if args.all_buckets:
        found.append(("all", None))
    if not found:
        if os.isatty(0) or args.buckets_file:
            raise Usage(
                "no source: s3://bucket/prefix, a directory, a manifest, --buckets-file or "
                "--all-buckets")
        found.append(("file", "-"))
    if args.exclude_bucket:
        found = [(kind, what) for kind, what in found if kind != "s3"
                 or not any(fnmatch.fnmatchcase(what[0], glob) for glob in args.exclude_bucket)]
    return found


def kind_in_s3(text, args):
    """Return the kind of an address in S3: --from says whether it is of a report. Raises Usage."""
    if text == "s3://":
        raise Usage("'s3://' names no bucket (--all-buckets takes all)")
    if not foreign.needs_path(getattr(args, "from_form", None)):
        return "s3"
    if not text.endswith((".json", ".json.gz", ".json.zst", ".json.zstd")):
        raise Usage(f"'{text}' is not the manifest.json of a report")
    return "report"


def bucket_lines(path):
    """Return the names in a file of buckets: one a line, `#` begins a comment."""
    return [name for line in read_text(path).split("\n")
            if (name := line.partition("#")[0].strip())]


def rows_of(found, args, check, read, absent, opened, irregular):
    """Yield (rows, names of unknown columns) of every source, as they come.

    `check()` is called often and may raise; `read(path)` returns a manifest's `batches` and
    `extras`; `absent(address)` hears of a prefix that nothing begins with, `opened(reader)` of what
    reads a report in S3, `irregular(directory, row, kind)` of what is no regular file: it has no
    row.
    """
    access = listing = None
    for kind, what in found:
        if kind == "tree":
            tree = tree_rows(what, args.bucket or "", irregular=partial(irregular, what),
                             follows=args.follow_links)
            yield from ((rows, []) for rows in tree)
        elif kind == "file":
            source = read(what)
            yield from ((rows, source.extras()) for rows in source.batches())
        elif kind == "report":
            from s3kit.listing import reports
            access = access or access_to(args)
            reader = reports.opened(access, args, *what, check)
            opened(reader)
            yield from ((rows, reader.extras) for rows in reader.batches())
        else:
            access = access or access_to(args)
            if not listing:
                from s3kit.listing.listing import CONNECTIONS, Listing
                listing = Listing(check, args.connections or CONNECTIONS, access.renewed)
            wanted = [what] if kind == "s3" else every_bucket(access, args.exclude_bucket)
            for bucket, prefix in wanted:
                is_there = not prefix
                for rows in s3_rows(access, listing, bucket, prefix, args):
                    is_there = is_there or bool(rows)
                    yield rows, []
                if not is_there:
                    absent(f"s3://{bucket}/{prefix}")


def access_to(args):
    """Return the Access to S3, loaded only where something lies there."""
    from s3kit.s3.access import Access
    return Access(args)


def every_bucket(access, exclude):
    """Return [(bucket, '')] of all buckets that no glob excludes."""
    return [(name, "") for name,
            _ in access.buckets() if not any(fnmatch.fnmatchcase(name, glob) for glob in exclude)]


def s3_rows(access, listing, bucket, prefix, args):
    """Yield lists of rows of one prefix: current objects, all versions, or those of a moment.

    In a bucket that is or was versioned, only the listing of versions tells the version ids by
    which later commands pin what they act on. Where that may not be asked, keys alone must do.
    """
    endpoint = access.endpoint(bucket)
    versioned = args.versions or args.at or listing.is_versioned(endpoint, prefix)
    if versioned is not False:
        pages = versions_in_order(listing.pages(endpoint, prefix, versions=True))
        chosen = pages if args.versions else as_of(pages, args.at) if args.at else current(pages)
        chosen = decidable(chosen, args)
        has_begun = False
        try:
            for rows in chosen:
                has_begun = True
                yield rows
            return
        except (NoAccess, NoVersions):
            if versioned or has_begun:
                raise
    rows = (page.rows for page in listing.pages(endpoint, prefix))
    yield from decidable(rows, args)


def decidable(pages, args):
    """Yield the rows of pages. Raises Fault for one without the time or size that a filter asks
    for: it would be left out, and nobody would hear of it.
    """
    about_time = args.newer or args.older
    about_size = {args.min_size, args.max_size} != {None}
    for rows in pages:
        for row in rows if about_time or about_size else ():
            if about_time and known_ns(row.last_modified) is None:
                raise Fault(f"the server does not say when {row.name} is from: --newer and --older "
                            "cannot choose")
            if about_size and row.length is None and not row.is_marker:
                raise Fault(f"the server does not say how large {row.name} is: --min-size and "
                            "--max-size cannot choose")
        yield rows


def versions_in_order(pages):
    """Yield the rows of version pages, a key's versions together and the newest first.

    S3 sends them so; servers that send versions and delete markers apart are put right page by
    page.
    """
    for page in pages:
        rows = page.rows
        seen, last = set(), None
        for row in rows:
            if row.key != last and row.key in seen:
                rows = sorted(rows, key=lambda r: r.key.encode())
                rows = [row for _, group in groupby(rows, attrgetter("key")) for row in sorted(
                    group, key=age, reverse=True)]
                break
            seen.add(row.key)
            last = row.key
        yield rows


def current(pages):
    """Yield the rows of the latest versions that are no delete markers.

    Raises Fault where the server does not say which are the latest.
    """
    for rows in pages:
        if any(row.is_latest not in ("true", "false") for row in rows):
            raise Fault("the server does not say which versions are the latest (--versions lists "
                        "all of them)")
        yield [row for row in rows if row.is_latest == "true" and not row.is_marker]
