"""s3-restore: bring archived versions back, and let each row go on when it can be read."""

from functools import partial

from s3kit.cli import frame, options
from s3kit.cli.person import Person
from s3kit.cli.streams import Source
from s3kit.cli.transform import transform
from s3kit.text import visible

NAME = "s3-restore"
TIERS = ("Standard", "Bulk", "Expedited")


def build_parser():
    """Declare the options of s3-restore."""
    p = options.parser(NAME,
                       "Bring archived versions back, and let each row go on when it can be read.",
                       example="s3-restore --estimate --tier Bulk photos.csv")
    options.input_options(p)
    options.connections_option(p)
    options.cluster_option(p)
    asking_options(p)
    p.add_argument("--max-pending", metavar="N", type=options.positive, default=100,
                   help="no more than N rows pending in S3 (100)")
    p.add_argument("--max-pending-size", metavar="SIZE", type=options.size,
                   help="no more than SIZE pending, together, like 500G (no limit)")
    p.add_argument("--wait", action="store_true", help="wait: each row goes when it can be read")
    p.add_argument("--poll", metavar="TIME", type=options.span, default=60.0,
                   help="look how rows stand every TIME (60s)")
    p.add_argument("--estimate", action="store_true",
                   help="print what it would cost and how long it would take; ask S3 nothing")
    p.add_argument("--prices", metavar="FILE", help="reckon with the prices in FILE")
    p.add_argument("--yes", action="store_true", help="ask S3 without asking at the terminal first")
    p.add_argument("-n", "--dry-run", action="store_true",
                   help="write the rows that S3 would be asked for, ask for nothing")
    options.output_options(p)
    options.progress_options(p)
    options.filter_options(p)
    options.s3_options(p)
    return p


def asking_options(p):
    """Declare which versions S3 is asked for, and how."""
    p.add_argument("--again", action="store_true",
                   help="also rows whose bytes came before, for another destination")
    p.add_argument("--days", metavar="N", type=options.positive, default=7,
                   help="S3 keeps the copies for N days (7)")
    p.add_argument("--tier", choices=TIERS, default="Standard",
                   help="how fast, and how dear (Standard)")
    p.add_argument("--fallback", choices=TIERS[:2],
                   help="ask for this where S3 has no capacity for Expedited, do not wait for it")


def restore(args):
    """Ask for what is archived, and wait for it if so told; return the status."""
    from s3kit.errors import Usage
    from s3kit.restore.run import run
    if args.dry_run and args.wait:
        raise Usage("--wait and -n contradict each other")
    if args.estimate and (args.in_place or args.output):
        raise Usage("--estimate writes no manifest: it goes with no -i or -o")
    if args.estimate:
        return show_estimate(args)
    ask = None if args.yes or args.dry_run else Person("--estimate prints what it would cost")
    return transform(args, partial(run, ask=ask), unit="row")


def show_estimate(args):
    """Print what a restore would cost; return the status."""
    from s3kit.errors import DONE
    from s3kit.restore.estimate import estimate
    from s3kit.restore.pricing import Prices
    batches = Source(args).batches()
    for line in estimate(args, Prices(args.prices), batches).lines():
        print(visible(line))
    return DONE


def main(argv=None):
    """Run s3-restore."""
    return frame.run(build_parser(), restore, argv)
