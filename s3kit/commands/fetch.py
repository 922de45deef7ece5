"""s3-fetch: download the object versions that a manifest names, and check every byte on its way."""

from s3kit.cli import frame, options
from s3kit.cli.transform import transform

NAME = "s3-fetch"


def build_parser():
    """Declare the options of s3-fetch."""
    p = options.parser(NAME,
                       "Download the object versions that a manifest names, and check every byte "
                       "on its way.",
                       example="s3-manifest s3://photos/ | s3-fetch -d /data -o photos.csv")
    options.input_options(p)
    options.dest_option(p, "put the files below DIR, as bucket/key (the current directory)")
    options.pool_options(p)
    options.cluster_option(p)
    p.add_argument("--again", action="store_true",
                   help="also rows whose bytes came before, for another destination")
    p.add_argument("-n", "--dry-run", action="store_true",
                   help="say what would be fetched, touch nothing")
    p.add_argument("--retries", metavar="N", type=options.whole, default=5,
                   help="more tries for what fails in passing (5)")
    p.add_argument("--limit-rate", metavar="RATE", type=options.size, default=0,
                   help="at most so many bytes a second, like 10M (no limit)")
    p.add_argument("--with-metadata", action="store_true",
                   help="keep Content-Type, the object's own metadata and the like in the manifest")
    p.add_argument("--source-times", action="store_true",
                   help="give files the times that their uploader noted, where one did")
    options.output_options(p)
    options.progress_options(p)
    options.filter_options(p)
    options.s3_options(p)
    return p


def fetch(args):
    """Fetch what is not there yet; return the status."""
    from s3kit.fetch.run import run
    from s3kit.manifest.states import DESCRIPTION
    return transform(args, run, makes=DESCRIPTION if args.with_metadata else ())


def main(argv=None):
    """Run s3-fetch."""
    return frame.run(build_parser(), fetch, argv)
