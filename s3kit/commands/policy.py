"""s3-policy: plan, compare, apply and roll back bucket policies."""

from s3kit.cli import frame, options
from s3kit.cli.messages import say
from s3kit.cli.person import Person
from s3kit.cli.signals import Signals
from s3kit.cli.streams import Source
from s3kit.errors import Usage
from s3kit.units import number

NAME = "s3-policy"
VERBS = ("plan", "show", "diff", "check", "apply", "rollback", "backup")
CHANGING = ("apply", "rollback")


def build_parser():
    """Declare the options of s3-policy."""
    p = options.parser(NAME, "Plan, compare, apply and roll back bucket policies.",
                       usage=f"%(prog)s {'|'.join(VERBS)} [options] [BUCKET ... | -]",
                       example="s3-policy plan photos -t only-me --exempt "
                               "arn:aws:iam::111122223333:user/glass")
    p.parse_args = p.parse_intermixed_args      # buckets may follow options
    p.add_argument("words", metavar="VERB BUCKET", nargs="*",
                   help="what to do, with what; - reads a manifest from stdin")
    bucket_options(p)
    p.add_argument("--dir", metavar="DIR", default="policies",
                   help="where the documents and their backups lie (policies)")
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    p.add_argument("--yes", action="store_true", help="apply, rollback: do not ask")
    p.add_argument("-n", "--dry-run", action="store_true",
                   help="apply, rollback: say what would be done, do nothing")
    plan_options(p.add_argument_group("planning"))
    judge_options(p.add_argument_group("judging"))
    apply_options(p.add_argument_group("applying"))
    options.s3_options(p)
    return p


def bucket_options(p):
    """Add which buckets are meant, beside those that are named."""
    p.add_argument("--all", action="store_true",
                   help="plan, backup, --live: all buckets that we may see; else all that are "
                   "planned")
    p.add_argument("--buckets-file", metavar="FILE", help="also the buckets in FILE, one a line")
    p.add_argument("--manifest", metavar="FILE",
                   help="also the buckets of a manifest (and its keys, for migrate); - is stdin")
    p.add_argument("--exclude-bucket", metavar="GLOB", action="append", default=[],
                   type=options.unicode_text,
                   help="but not these")


def plan_options(group):
    """Add what is planned."""
    group.add_argument("-t", "--template", metavar="NAME",
                       help="only-me, read-only, migrate, tls-only, or a FILE")
    group.add_argument("--exempt", metavar="ARN", action="append", default=[],
                       help="this principal keeps access, a user or a role; may be repeated")
    group.add_argument("--role", metavar="ARN",
                       help="read-only, migrate: the principal that migrates (the caller)")
    group.add_argument("--pipeline", metavar="COMMANDS",
                       default="s3-manifest | s3-fetch | s3-verify",
                       help="migrate: what shall run (s3-manifest | s3-fetch | s3-verify)")
    group.add_argument("--no-services", action="store_true",
                       help="keep Amazon's services out, too: logs, inventory, ...")
    group.add_argument("--without", metavar="SID", action="append", default=[],
                       help="leave out this statement of the live policy")


def judge_options(group):
    """Add who documents are judged by, and what is shown of that."""
    group.add_argument("--caller", metavar="ARN",
                       help="the principal that we are, where STS cannot say")
    group.add_argument("--by", choices=("arn", "username"),
                       help="what this server tells principals by")
    group.add_argument("--assume", metavar="KEY=VALUE", action="append", default=[],
                       help="this condition key has this value in our requests")
    group.add_argument("--live", action="store_true", help="show, check: the live policy")
    group.add_argument("--backup", action="store_true", help="show: the last backup")
    group.add_argument("--principal", metavar="ARN", action="append", default=[],
                       help="check: also this principal (user or role)")
    group.add_argument("--action", metavar="ACTION", action="append", default=[],
                       help="check: this action, as s3:GetObject")
    group.add_argument("--key", metavar="KEY", default="any-key",
                       help="check: on this object as resource (any-key)")


def apply_options(group):
    """Add how what is planned is put."""
    group.add_argument("--canary", metavar="BUCKET", help="apply: this one first (the first)")
    group.add_argument("--overwrite", action="store_true",
                       help="also what was changed since: the live policy, the plan, a Sid")
    group.add_argument("--settle", metavar="TIME", type=options.span,
                       help="look for so long whether all is well (5s for the first bucket, then "
                       "1s)")
    group.add_argument("--remove-self", metavar="BUCKET", action="append", default=[],
                       help="the caller may lose access to this one")
    group.add_argument("--to", metavar="FILE", help="rollback: to this backup")


def policy(args):
    """Do what the verb says; return the status."""
    if not args.words or args.words[0] not in VERBS:
        raise Usage(f"what to do: {', '.join(VERBS[:-1])} or {VERBS[-1]}" if not args.words else
                    f"'{args.words[0]}' is none of {', '.join(VERBS)}")
    verb, words = args.words[0], args.words[1:]
    check_options(args, verb)
    from s3kit.policy.run import Run
    run = Run(args, say, Signals)
    buckets, patterns = chosen(args, verb, words, run)
    work = work_of(verb)
    if verb == "plan":
        return work(run, buckets, patterns)
    if verb not in CHANGING:
        return work(run, buckets)
    return work(run, buckets, None if args.yes or args.dry_run else Person())


def work_of(verb):
    """Return the function that does a verb."""
    from s3kit.policy.apply import apply
    from s3kit.policy.backup import backup
    from s3kit.policy.check import check
    from s3kit.policy.diff import diff
    from s3kit.policy.plan import plan
    from s3kit.policy.rollback import rollback
    from s3kit.policy.show import show
    return {"plan": plan, "show": show, "diff": diff, "check": check, "apply": apply,
            "rollback": rollback, "backup": backup}[verb]


def check_options(args, verb):
    """Raise Usage for options that contradict the verb or each other."""
    if args.yes and args.dry_run:
        raise Usage("--yes and -n contradict each other")
    if args.live and args.backup:
        raise Usage("--live and --backup exclude each other")
    wrong = [f"--{name.replace('_', '-')}" for name,
             verbs in MEANT.items() if verb not in verbs and getattr(args, name)]
    if wrong:
        raise Usage(f"{wrong[0]} means nothing to '{verb}'")
    for action in args.action:
        if not action.startswith("s3:"):
            raise Usage(f"--action '{action}': actions are like s3:GetObject")


# The verbs that an option means something to.
MEANT = {"yes": CHANGING, "dry_run": CHANGING, "template": ("plan",), "role": ("plan",),
         "no_services": ("plan",), "without": ("plan",), "live": ("show", "check"),
         "backup": ("show",), "principal": ("check",), "action": ("check",), "canary": ("apply",),
         "remove_self": ("apply",), "to": ("rollback",), "overwrite": ("plan", *CHANGING),
         "settle": CHANGING}


def chosen(args, verb, words, run):
    """Return (buckets, {bucket: patterns of its keys}) that are meant: named, in a file, of a
    manifest, all, or asked for.
    """
    from fnmatch import fnmatchcase

    from s3kit.listing.sources import bucket_lines
    from s3kit.manifest.row import BUCKET
    found = [bucket_of(word) for word in words if word != "-"]
    if args.buckets_file:
        found += [bucket_of(line) for line in bucket_lines(args.buckets_file)]
    sources = ["-"] * ("-" in words) + ([args.manifest] if args.manifest else [])
    patterns = patterns_of(args, sources) if sources else {}
    found += patterns
    if args.all:
        found += known_to(run, args, verb)
    elif not found and not sources:
        found = asked_for(lambda: known_to(run, args, verb))
    for name in found:
        if not BUCKET.fullmatch(name):
            raise Usage(f"'{name}' is not a bucket")
    found = [name for name in dict.fromkeys(found)
             if not any(fnmatchcase(name, glob) for glob in args.exclude_bucket)]
    strange = [name for name in [*args.remove_self, *([args.canary] if args.canary else [])]
               if name not in found]
    if strange:
        raise Usage(f"'{strange[0]}' is none of the buckets of this run")
    if args.to and len(found) != 1:
        raise Usage("--to FILE is a backup of one bucket")
    if not found:
        raise Usage("no bucket")
    return found, patterns


def bucket_of(word):
    """Return the bucket that a word names: NAME, s3://NAME or its ARN.

    Raises Usage for keys and prefixes.
    """
    name = word.removeprefix("s3://").rstrip("/")
    name = name.rpartition(":::")[2] if name.startswith("arn:") else name
    if "/" in name:
        raise Usage(
            f"'{word}' is not a bucket: policies are of whole buckets (--manifest FILE reads a "
            "manifest)")
    return name


def patterns_of(args, paths):
    """Return {bucket: patterns of its keys} of manifests."""
    from argparse import Namespace

    from s3kit.policy.keys import Patterns
    found = {}
    for batch in Source(Namespace(prog=args.prog, file=paths, bucket=None, columns=None)).batches():
        Signals.check()
        for row in batch:
            if row.verbatim is None:
                found.setdefault(row.bucket, Patterns()).add(row.key)
    return {bucket: patterns.all() for bucket, patterns in found.items()}


def known_to(run, args, verb):
    """Return all buckets that a verb may mean: those that we may see, or those that are planned."""
    if verb in ("plan", "backup") or args.live:
        return [name for name, _ in run.session.buckets()]
    return run.shelf.buckets()


def asked_for(known):
    """Return the buckets that a person chooses from those of `known()`.

    Raises Usage where nobody can be asked.
    """
    try:
        person = Person()
    except Usage:
        raise Usage("no bucket: name some, or give --all") from None
    names = known()
    for at, name in enumerate(names, 1):
        person.show(f"{at:>4}  {name}")
    answer = person.line("Which buckets, by number or name?")
    return [names[number(word) - 1] if 0 < (number(word) or 0) <= len(names)
            else bucket_of(word) for word in answer.replace(",", " ").split()]


def main(argv=None):
    """Run s3-policy."""
    return frame.run(build_parser(), policy, argv)
