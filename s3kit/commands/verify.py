"""s3-verify: read the files back from the disk and compare them with what S3 said."""

from s3kit.cli import frame, options
from s3kit.cli.transform import transform

NAME = "s3-verify"


def build_parser():
    """Declare the options of s3-verify."""
    p = options.parser(NAME,
                       "Read the files back from the disk and compare them with what S3 said.",
                       example="s3-verify -i -d /data photos.csv")
    options.input_options(p)
    options.dest_option(p, "the files lie below DIR (the current directory)")
    options.pool_options(p, connections=False)
    options.requests_option(p)
    options.cluster_option(p)
    p.add_argument("--quick", action="store_true",
                   help="compare with the ledger only: size, time and digest; ask nothing of S3")
    p.add_argument("--verified-since", metavar="TIME", type=options.moment,
                   help="do not read again what was verified since TIME and is untouched")
    p.add_argument("--discard", action="store_true",
                   help="remove files that differ, so that s3-fetch gets them again")
    options.output_options(p)
    options.progress_options(p)
    options.filter_options(p)
    options.s3_options(p)
    return p


def verify(args):
    """Verify every row's file; return the status."""
    from s3kit.verify.run import run
    return transform(args, run)


def main(argv=None):
    """Run s3-verify."""
    return frame.run(build_parser(), verify, argv)
