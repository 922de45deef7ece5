"""s3-migrate: take whole buckets out of S3: scan, restore, fetch, verify, delete."""

import os
import sys

from s3kit.cli import frame, options
from s3kit.cli.messages import say
from s3kit.cli.person import Person
from s3kit.cli.signals import Signals
from s3kit.cli.streams import Sink, closing
from s3kit.errors import DONE, SOME_FAILED, UNFINISHED, Fault, Held, Usage
from s3kit.text import count

NAME = "s3-migrate"
VERBS = ("run", "status", "errors", "retry-errors", "reset")
LOOKS = ("status", "errors")        # they need no destination
LOCK = ".lock"
# how much of a word and a verb must be the same (difflib's ratio) for it to be a mistyped verb
ALIKE = 0.75


def build_parser():
    """Declare the options of s3-migrate."""
    p = options.parser(NAME, "Take whole buckets out of S3: scan, restore, fetch, verify, delete.",
                       usage="%(prog)s [run|status|errors|retry-errors|reset] [options] [BUCKET "
                       "...]")
    p.parse_args = p.parse_intermixed_args      # buckets may follow options
    p.add_argument("words", metavar="BUCKET", nargs="*",
                   help="what to migrate, as NAME or s3://NAME")
    p.add_argument("--all-buckets", action="store_true", help="all buckets that we may see")
    p.add_argument("--exclude-bucket", metavar="GLOB", action="append", default=[],
                   help="but not these")
    options.dest_option(p, "put the files below DIR, as bucket/key (the current directory)")
    p.add_argument("-w", "--work", metavar="DIR",
                   help="keep the manifests of each bucket below DIR (.s3kit/migration in DEST)")
    p.add_argument("--yes", metavar="BUCKET", action="append", default=[],
                   help="delete this bucket's versions without asking")
    p.add_argument("--no-delete", action="store_true", help="end when all is verified")
    p.add_argument("--current-only", action="store_true",
                   help="current objects only, not all versions and delete markers")
    p.add_argument("--rescan", action="store_true",
                   help="begin with a new scan, for what has come since")
    p.add_argument("--no-restore", action="store_true",
                   help="leave archived objects where they are")
    group = p.add_argument_group("as in s3-restore")
    group.add_argument("--days", metavar="N", type=options.positive,
                       help="S3 keeps restored copies for N days")
    group.add_argument("--tier", choices=("Standard", "Bulk", "Expedited"),
                       help="how fast S3 restores, and how dear")
    group.add_argument("--max-pending", metavar="N", type=options.positive,
                       help="no more than N rows pending in S3, of each bucket")
    group.add_argument("--max-pending-size", metavar="SIZE", type=options.size,
                       help="no more than SIZE of them")
    group.add_argument("--poll", metavar="TIME", type=poll, help="look how rows stand every TIME")
    p.add_argument("--json", action="store_true", help="status: one JSON object a line")
    options.pool_options(p)
    p.add_argument("--retries", metavar="N", type=options.whole, default=5,
                   help="more tries for what fails in passing (5)")
    p.add_argument("--limit-rate", metavar="RATE", type=options.size, default=0,
                   help="at most so many bytes a second (10M)")
    options.s3_options(p)
    return p


def poll(text):
    """Return a span of time as it was given, for s3-restore; it must be one."""
    options.span(text)
    return text


def migrate(args):
    """Do what the verb says; return the status."""
    verb, words = ((args.words[0], args.words[1:]) if args.words and args.words[0] in VERBS
                   else ("run", args.words))
    place_work(args, verb)
    if verb == "run":
        check_verb(args)
    buckets = chosen(args, verb, words)
    from s3kit.migrate.migration import Migration
    migrations = [Migration(args, bucket, lambda text: say(args.prog, text), Signals.check)
                  for bucket in buckets]
    if verb == "status":
        return show_status(args, migrations)
    if verb == "errors":
        return show_errors(args, migrations)
    new = new_folders(args.dest) + new_folders(args.work)
    os.makedirs(args.dest, exist_ok=True)
    held = hold(args.work)
    try:
        return (reset(args, migrations) if verb == "reset"
                else run_all(args, migrations, retry=verb == "retry-errors"))
    finally:
        leave_nothing(args.work, new)
        os.close(held)


def check_verb(args):
    """Make sure that a first word which is nearly a verb means a bucket. Raises Usage."""
    from difflib import get_close_matches

    from s3kit.migrate.migration import buckets_of
    word = args.words[0] if args.words else ""
    near = get_close_matches(word, VERBS, 1, ALIKE)
    if not near or word in VERBS or "/" in word or word in buckets_of(args.work):
        return
    said = f"'{word}' is not a verb, but nearly '{near[0]}'"
    try:
        ask = Person()
    except Usage:
        raise Usage(f"{said} ({args.prog} s3://{word} means the bucket)") from None
    if not ask(f"{said}. Migrate the bucket s3://{word}?"):
        raise Usage(f"nothing done: the verb is '{near[0]}'")


def new_folders(path):
    """Return those of a directory and its parents that do not exist, the innermost first."""
    found, path = [], os.path.abspath(path)
    while not os.path.lexists(path):
        found.append(path)
        path = os.path.dirname(path)
    return found


def leave_nothing(work, new):
    """Remove what this run made if no bucket was begun: `new` directories, the innermost first."""
    from s3kit.disk import durable
    if os.path.abspath(work) not in new or os.listdir(work) != [LOCK]:
        return
    durable.unlink(os.path.join(work, LOCK), None)
    try:
        for path in sorted(set(new), key=len, reverse=True):
            os.rmdir(path)
    except OSError:
        pass            # there is more in it than ours


def place_work(args, verb):
    """Decide where the manifests are kept: never among the files. Raises Usage."""
    path = os.path
    args.work = args.work or path.join(args.dest, ".s3kit", "migration")
    dest, work = path.realpath(args.dest), path.realpath(args.work)
    if verb not in LOOKS and path.commonpath((dest, work)) == dest and path.relpath(
            work, dest).partition("/")[0] != ".s3kit":
        raise Usage(
            f"'{args.work}' is among the files of '{args.dest}': choose another directory with -w")


def chosen(args, verb, words):
    """Return the buckets that are meant. Raises Usage, Fault."""
    from fnmatch import fnmatchcase

    from s3kit.manifest.row import BUCKET
    from s3kit.migrate.migration import buckets_of
    named = [word.removeprefix("s3://").rstrip("/") for word in words]
    for name, word in zip(named, words):
        if not BUCKET.fullmatch(name):
            raise Usage(
                f"'{word}' is not a bucket: whole buckets are migrated, named as NAME or s3://NAME")
    known = buckets_of(args.work)
    if args.all_buckets and verb == "run":
        from s3kit.s3.session import Session
        named += [name for name, _ in Session(args).buckets()]
    elif args.all_buckets or (not named and verb not in ("run", "reset")):
        if not known:
            raise Usage(f"no bucket was begun in '{args.work}' (see -d and -w)")
        named += known
    elif not named:
        raise Usage("no bucket: name some, or give --all-buckets")
    named = [name for name in dict.fromkeys(named)
             if not any(fnmatchcase(name, glob) for glob in args.exclude_bucket)]
    unknown = ([name for name in named if name not in known] if verb != "run"
               else [name for name in args.yes if name not in named])
    if unknown:
        raise Usage(f"'{unknown[0]}' is not a bucket of '{args.work}'" if verb != "run"
                    else f"--yes {unknown[0]}: no such bucket in this run")
    return named


def hold(work):
    """Return a descriptor that holds the work directory. Raises Held where another has it."""
    from s3kit.disk import lock
    old = os.umask(0o077)
    try:
        os.makedirs(work, exist_ok=True)
    finally:
        os.umask(old)
    held = lock.hold_below(work, LOCK)
    if held is None:
        raise Held(f"another s3-migrate works in '{work}'")
    return held


def run_all(args, migrations, retry):
    """Bring every bucket as far as it goes alone, then ask and delete; return the status."""
    statuses = {}
    for migration in migrations if args.rescan else ():
        migration.set_aside()
    # The archives of several buckets are asked first, to be waited for together; a person finds all
    # questions at the end.
    for step in (ask_archive, prepare, settle)[len(migrations) < 2 or retry:]:
        for migration in migrations:
            if statuses.get(migration) == UNFINISHED:
                continue
            try:
                statuses[migration] = step(args, migration, retry)
            except Fault as fault:
                Signals.check()
                say(args.prog, fault)
                migration.leave_nothing()
                statuses[migration] = UNFINISHED
    done = sum(status == DONE for status in statuses.values())
    if not args.quiet:
        say(args.prog, f"{done:,} of {count(len(migrations), 'bucket')} complete")
    return max(statuses.values(), default=DONE)


def ask_archive(args, migration, retry):
    """Do what takes S3 hours by itself."""
    migration.ask_archive()
    return SOME_FAILED


def prepare(args, migration, retry):
    """Do the phases that need nobody's yes."""
    if retry:
        migration.retry()
    migration.advance()
    return SOME_FAILED


def settle(args, migration, retry):
    """Say what was proven, ask, delete, and say what is left; return the bucket's status."""
    from s3kit.migrate.phases import DELETE, VERIFY
    if migration.latest() == VERIFY:
        census = migration.census(VERIFY)
        if census.wrong or args.no_delete or not is_wanted(args, migration, census):
            return conclude(args, migration, census)
        migration.delete()
    census = migration.census(DELETE)
    status = conclude(args, migration, census)
    if status == DONE:
        came = migration.arrivals(census.newest)
        if came:
            migration.say(f"{count(came, 'version')} came since the scan: run again with --rescan")
    return status


def is_wanted(args, migration, census):
    """Return whether a bucket's versions are to be deleted; a person is asked, unless --yes named
    the bucket.
    """
    left = census.rows - census.pruned
    if not left:
        return True
    migration.say(migration.summary(census))
    if migration.bucket in args.yes:
        return True
    try:
        ask = person(migration.bucket)
    except Usage as nobody:
        migration.say(f"kept in S3: {nobody}")
        return False
    if ask(f"Type the bucket's name to delete {count(left, 'version')} of s3://{migration.bucket} "
           "for good:", migration.bucket):
        return True
    migration.say("kept in S3")
    return False


def conclude(args, migration, census):
    """Say what became of a bucket; return its status."""
    if census.is_complete(not args.no_delete):
        if not args.quiet:
            migration.say(f"complete: {census.told() or 'nothing in it'}")
        return DONE
    if census.wrong:
        where = "deleted" if census.pruned else "proven; nothing of it is deleted"
        migration.say(f"{census.wrong:,} of {count(census.rows, 'row')} not {where}"
                      f" ({census.told()}): see 's3-migrate errors', then 's3-migrate "
                      "retry-errors'")
        for text in census.named:
            migration.say(text)
    return SOME_FAILED


def reset(args, migrations):
    """Ask, and forget what is known of buckets; return the status."""
    status = DONE
    for migration in migrations:
        question = (
            f"Forget how far s3://{migration.bucket} is migrated? (What was fetched, and S3, stay "
            "as they are.)")
        if migration.bucket in args.yes or person(migration.bucket)(question):
            migration.reset()
        else:
            status = SOME_FAILED
    return status


def person(bucket):
    """Return the Person to ask about a bucket. Raises Usage where there is none."""
    try:
        return Person()
    except Usage:
        raise Usage(f"this wants a terminal to ask on, or --yes {bucket}") from None


def show_errors(args, migrations):
    """Write the rows that are wrong as a manifest; return the status."""
    from argparse import Namespace
    found = 0
    with closing(Sink(Namespace(prog=args.prog, output=None, format=None), lambda: "csv",
                      source_rows=True)) as sink:
        for migration in migrations:
            latest = migration.latest()
            for batch in migration.wrong(latest) if latest else ():
                found += len(batch)
                if batch:
                    sink.write(batch)
    return SOME_FAILED if found else DONE


def show_status(args, migrations):
    """Print where every bucket is; return 0 if all are complete."""
    from s3kit.units import show_size
    facts = [facts_of(args, migration) for migration in migrations]
    if args.json:
        import json
        lines = [json.dumps(each) for each in facts]
    else:
        table = [("BUCKET", "STATUS", "ROWS", "SIZE", "WRONG", "STATES")]
        table += [(each["bucket"], each["status"], f"{each['rows']:,}", show_size(each["bytes"]),
                   f"{each['wrong']:,}", ", ".join(f"{number:,} {state}" for state,
                                                   number in sorted(each["states"].items())))
                  for each in facts]
        widths = [max(len(line[at]) for line in table) for at in range(5)]
        lines = [" ".join([f"{line[0]:<{widths[0]}}", f"{line[1]:<{widths[1]}}",
                           *(f"{line[at]:>{widths[at]}}" for at in (2, 3, 4)), line[5]]).rstrip()
                 for line in table]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return DONE if all(each["complete"] for each in facts) else SOME_FAILED


def facts_of(args, migration):
    """Return what there is to say of a bucket; `status` is the phase that comes next, or how it
    ended.
    """
    from s3kit.migrate.phases import DELETE, PHASES, VERIFY
    latest = migration.latest()
    facts = {"bucket": migration.bucket, "status": "scan", "complete": False, "rows": 0, "bytes": 0,
             "wrong": 0, "states": {}}
    if latest is None:
        return facts
    census = migration.census(latest)
    if census.is_complete(not args.no_delete):
        status = "complete"
    elif latest == DELETE:
        status = "not deleted"
    elif latest == VERIFY:
        status = "not proven" if census.wrong else "proven"
    else:
        status = PHASES[PHASES.index(latest) + 1].name
    if status == "restore" and not census.archived:
        status = "fetch"
    return {**facts, "status": status, "complete": status == "complete", "rows": census.rows,
            "bytes": census.bytes, "wrong": census.wrong, "states": census.states}


def main(argv=None):
    """Run s3-migrate."""
    return frame.run(build_parser(), migrate, argv)
