"""s3-prune: delete from S3 exactly the versions that carry proof."""

from s3kit.cli import frame, options
from s3kit.cli.person import Person
from s3kit.cli.transform import transform

NAME = "s3-prune"
PROOFS = ("size", "given")      # that delete only where they are asked for by name
# What --local would not heed: that nobody counts on it.
NOT_LOCAL = ("rules", "min_size", "max_size", "newer", "older", "storage_class", "bucket",
             "columns", "from_form", "in_place", "fetched", "accept_proof", "delete_markers",
             "noncurrent_only", "keep_newest", "max_delete", "undo", "verified_since")


def build_parser():
    """Declare the options of s3-prune."""
    p = options.parser(NAME, "Delete from S3 exactly the versions that carry proof.",
                       example="s3-prune -i -d /data --yes proven.csv")
    options.input_options(p)
    options.dest_option(p, "the proven files lie below DIR (the current directory)")
    options.connections_option(p)
    p.add_argument("--yes", action="store_true", help="delete without asking, as rows come")
    p.add_argument("-n", "--dry-run", action="store_true",
                   help="say what would be deleted, write its rows, delete nothing")
    choice_options(p)
    p.add_argument("--local", action="store_true",
                   help="the other way round: remove local files that the manifest does not name")
    p.add_argument("--older-than-ledger", action="store_true",
                   help="with --local, also files that are older than the ledger: they may be the "
                   "only copies")
    p.add_argument("--undo", metavar="FILE",
                   help="add to FILE the rows of what is deleted, before it is")
    options.output_options(p)
    options.progress_options(p)
    options.filter_options(p)
    options.s3_options(p)
    return p


def choice_options(p):
    """Declare the options that say which versions go."""
    p.add_argument("--fetched", action="store_true",
                   help="also rows in state fetched, if their bytes were checked on the way")
    p.add_argument("--accept-proof", metavar="PROOF", action="append", choices=PROOFS, default=[],
                   help="also where nothing but this speaks for the bytes: size, given (by a "
                   "digest that another program took)")
    p.add_argument("--verified-since", metavar="TIME", type=options.moment,
                   help="do not read again what was verified since TIME and is untouched")
    p.add_argument("--delete-markers", action="store_true",
                   help="also delete markers (what they hide comes to light)")
    p.add_argument("--noncurrent-only", action="store_true",
                   help="only versions that are not the current one")
    p.add_argument("--keep-newest", metavar="N", type=options.positive,
                   help="keep the newest N versions of each key in the manifest")
    p.add_argument("--max-delete", metavar="N", type=options.positive,
                   help="delete no more than N versions")


def check(args):
    """Refuse options that contradict each other. Raises Usage."""
    from s3kit.errors import Usage
    if args.yes and args.dry_run:
        raise Usage("--yes and -n contradict each other")
    if args.local and any(getattr(args, name, None) for name in NOT_LOCAL):
        raise Usage(
            "--local removes what the manifest does not name: it goes with no filter, with no -i, "
            "--bucket or --columns, and with no option about versions in S3")
    if args.older_than_ledger and not args.local:
        raise Usage("--older-than-ledger goes with --local")


def prune(args):
    """Delete what carries proof, or with --local what the manifest does not name; return the
    status.
    """
    check(args)
    ask = None if args.yes or args.dry_run else Person()

    def run(args, streams, people):
        if args.local:
            from s3kit.prune.unnamed_files import UnnamedFiles as Run
        else:
            from s3kit.prune.pruning import Pruning as Run
        done = Run(args, streams, people, ask)
        done.run()
        return done

    return transform(args, run, unit="row")


def main(argv=None):
    """Run s3-prune."""
    return frame.run(build_parser(), prune, argv)
