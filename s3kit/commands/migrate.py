"""s3-migrate: take whole buckets out of S3: scan, restore, fetch, verify, delete."""

import sys
from argparse import Namespace
from functools import partial

from s3kit.cli import frame, options
from s3kit.cli.messages import say
from s3kit.cli.person import Person
from s3kit.cli.signals import Signals
from s3kit.cli.streams import Sink, closing
from s3kit.errors import DONE, SOME_FAILED, Usage

NAME = "s3-migrate"
VERBS = ("run", "status", "errors", "retry-errors", "reset")
LOOKS = ("status", "errors")        # they need no destination
# how much of a word and a verb must be the same (difflib's ratio) for it to be a mistyped verb
ALIKE = 0.75


def build_parser():
    """Declare the options of s3-migrate."""
    p = options.parser(NAME, "Take whole buckets out of S3: scan, restore, fetch, verify, delete.",
                       usage="%(prog)s [run|status|errors|retry-errors|reset] [options] [BUCKET "
                       "...]",
                       example="s3-migrate --no-delete -d /data photos music")
    p.parse_args = p.parse_intermixed_args      # buckets may follow options
    p.add_argument("words", metavar="BUCKET", nargs="*",
                   help="what to migrate, as NAME or s3://NAME")
    p.add_argument("--all-buckets", action="store_true", help="all buckets that we may see")
    p.add_argument("--exclude-bucket", metavar="GLOB", action="append", default=[],
                   type=options.unicode_text,
                   help="but not these")
    options.dest_option(p, "put the files below DIR, as bucket/key (the current directory)")
    p.add_argument("-w", "--work", metavar="DIR",
                   help="keep the manifests of each bucket below DIR (.s3kit/migration in DEST)")
    journey_options(p)
    restore_options(p.add_argument_group("as in s3-restore"))
    p.add_argument("--json", action="store_true", help="status: one JSON object a line")
    options.pool_options(p, requests=False)
    p.add_argument("--retries", metavar="N", type=options.whole, default=5,
                   help="more tries for what fails in passing (5)")
    p.add_argument("--limit-rate", metavar="RATE", type=options.size, default=0,
                   help="at most so many bytes a second, like 10M (no limit)")
    options.s3_options(p)
    return p


def journey_options(p):
    """Declare what says how far a bucket goes."""
    p.add_argument("--yes", metavar="BUCKET", action="append", default=[],
                   help="delete this bucket's versions without asking")
    p.add_argument("--no-delete", action="store_true", help="end when all is verified")
    p.add_argument("--current-only", action="store_true",
                   help="current objects only, not all versions and delete markers")
    p.add_argument("--rescan", action="store_true",
                   help="begin with a new scan, for what has come since")
    p.add_argument("--no-restore", action="store_true",
                   help="leave archived objects where they are")


def restore_options(group):
    """Declare what is handed on to s3-restore."""
    group.add_argument("--days", metavar="N", type=options.positive,
                       help="S3 keeps restored copies for N days")
    group.add_argument("--tier", choices=("Standard", "Bulk", "Expedited"),
                       help="how fast S3 restores, and how dear")
    group.add_argument("--max-pending", metavar="N", type=options.positive,
                       help="no more than N rows pending in S3, of each bucket")
    group.add_argument("--max-pending-size", metavar="SIZE", type=options.size,
                       help="no more than SIZE of them")
    group.add_argument("--poll", metavar="TIME", type=poll, help="look how rows stand every TIME")


def poll(text):
    """Return a span of time as it was given, for s3-restore; it must be one."""
    options.span(text)
    return text


def migrate(args):
    """Do what the verb says; return the status."""
    from s3kit.migrate.folder import Folder
    from s3kit.migrate.journeys import Journeys
    from s3kit.migrate.migration import Migration
    from s3kit.migrate.work import Work
    verb, words = ((args.words[0], args.words[1:]) if args.words and args.words[0] in VERBS
                   else ("run", args.words))
    work = Work(args.work, args.dest)
    if verb not in LOOKS:
        work.check_place()
    if verb == "run":
        check_verb(args, work.buckets())
    buckets = work.chosen(args, verb, words, lambda: every_bucket(args))
    folders = [Folder(work.path, bucket, Signals.check) for bucket in buckets]
    if verb in LOOKS:
        return (show_status if verb == "status" else show_errors)(args, folders)
    tell = partial(say, args.prog)
    migrations = [Migration(args, folder, tell) for folder in folders]
    journeys = Journeys(args, migrations, tell, Signals.check, person)
    with work.held():
        return journeys.reset() if verb == "reset" else journeys.run(verb == "retry-errors")


def check_verb(args, known):
    """Make sure that a first word which is nearly a verb means a bucket, if it is not one that was
    begun. Raises Usage.
    """
    from difflib import get_close_matches
    word = args.words[0] if args.words else ""
    near = get_close_matches(word, VERBS, 1, ALIKE)
    if not near or word in VERBS or "/" in word or word in known:
        return
    said = f"'{word}' is not a verb, but nearly '{near[0]}'"
    try:
        ask = Person()
    except Usage:
        raise Usage(f"{said} ({args.prog} s3://{word} means the bucket)") from None
    if not ask(f"{said}. Migrate the bucket s3://{word}?"):
        raise Usage(f"nothing done: the verb is '{near[0]}'")


def every_bucket(args):
    """Return the names of all buckets that we may see. Raises NoAccess or Fault."""
    from s3kit.s3.access import Access
    return [name for name, _ in Access(args).buckets()]


def person(bucket):
    """Return the Person to ask about a bucket. Raises Usage where there is none."""
    try:
        return Person()
    except Usage:
        raise Usage(f"this wants a terminal to ask on, or --yes {bucket}") from None


def show_errors(args, folders):
    """Write the rows that are wrong as a manifest; return the status."""
    found = 0
    with closing(Sink(Namespace(prog=args.prog, output=None, format=None), lambda: "csv",
                      source_rows=True)) as sink:
        for folder in folders:
            latest = folder.latest()
            for batch in folder.wrong(latest) if latest else ():
                found += len(batch)
                if batch:
                    sink.write(batch)
    return SOME_FAILED if found else DONE


def show_status(args, folders):
    """Print where every bucket is; return 0 if all are complete."""
    from s3kit.migrate.standing import facts_of, objects, table
    facts = [facts_of(folder, not args.no_delete) for folder in folders]
    lines = objects(facts) if args.json else table(facts)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return DONE if all(each["complete"] for each in facts) else SOME_FAILED


def main(argv=None):
    """Run s3-migrate."""
    return frame.run(build_parser(), migrate, argv)
