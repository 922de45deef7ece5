"""s3-put: upload the files that a manifest names, and check what S3 says it has stored."""

import argparse
import os
import time

from s3kit.cli import frame, options
from s3kit.cli.transform import transform

NAME = "s3-put"
CHECKSUMS = ("crc64nvme", "crc32", "crc32c", "sha1", "sha256", "md5")
# gzip, Zstandard, Parquet, ORC, UTF-16
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"ORC", b"\xff\xfe", b"\xfe\xff")


def build_parser():
    """Declare the options of s3-put."""
    p = options.parser(NAME, "Upload the files that a manifest names, and check what S3 says it "
                             "has stored.",
                       usage="s3-put --to s3://BUCKET/PREFIX [options] [FILE ... | DIR]",
                       example="s3-put --to s3://backup/photos/ /data/photos -o stored.csv")
    options.input_options(p)
    place_options(p)
    options.pool_options(p)
    options.cluster_option(p)
    p.add_argument("-n", "--dry-run", action="store_true",
                   help="say what would be sent, ask and touch nothing")
    care_options(p)
    p.add_argument("--retries", metavar="N", type=options.whole, default=5,
                   help="more tries for what fails in passing (5)")
    p.add_argument("--limit-rate", metavar="RATE", type=options.size, default=0,
                   help="at most so many bytes a second, like 10M (no limit)")
    p.add_argument("--part-size", metavar="SIZE", type=part_size, default=0,
                   help="bytes of each part of a large object (8M, or as large as it must be)")
    object_options(p)
    leftover_options(p)
    options.output_options(p)
    options.progress_options(p)
    options.filter_options(p, storage_class=False)
    options.s3_options(p)
    return p


def care_options(p):
    """Declare what may be replaced, what belongs together, and what is removed."""
    p.add_argument("--if-absent", action="store_true",
                   help="replace nothing that is there")
    p.add_argument("--history", action="store_true",
                   help="send all versions of a key, oldest first, and make its delete markers")
    p.add_argument("--follow-links", action="store_true",
                   help="send what symbolic links lead to")
    p.add_argument("--remove-local", action="store_true",
                   help="remove each file when the proof of its copy is on the disk")


def place_options(p):
    """Declare where the files are, and where they go."""
    p.add_argument("--to", metavar="S3", dest="target", type=target, required=True,
                   help="where the objects go: s3://bucket/prefix")
    p.add_argument("--strip", metavar="PREFIX", default="", type=options.unicode_text,
                   help="what the rows' keys lose at their beginning")
    options.dest_option(p, "the files lie below DIR (the current directory)")


def object_options(p):
    """Declare what the objects get beside their bytes."""
    group = p.add_argument_group("objects")
    group.add_argument("--storage-class", metavar="CLASS", dest="to_storage_class", type=word,
                       help="the class to store them in")
    group.add_argument("--content-type", metavar="TYPE", type=word,
                       help="of all of them (what the row says, else by the key's suffix)")
    group.add_argument("--metadata", metavar="NAME=VALUE", type=metadata, action="append",
                       default=[], help="metadata of all of them; may be repeated")
    group.add_argument("--tag", metavar="NAME=VALUE", type=pair, action="append", default=[],
                       help="a tag of all of them; may be repeated")
    group.add_argument("--kms-key", metavar="KEY", type=word, help="encrypt them with this KMS key")
    group.add_argument("--checksum", choices=CHECKSUMS,
                       help="what S3 is to check them by (crc64nvme; elsewhere crc32, md5)")


def leftover_options(p):
    """Declare what is done with uploads that are not complete."""
    group = p.add_argument_group("uploads that are not complete")
    group.add_argument("--uploads", action="store_true",
                       help="list those below --to, and send nothing")
    group.add_argument("--abort", action="store_true",
                       help="with --uploads: abort them (with --older only those begun before)")


def target(text):
    """Return (bucket, prefix) of --to."""
    from s3kit.s3.address import parse_s3
    return parse_s3(text)


def part_size(text):
    """Return the bytes of a part."""
    from s3kit.put.plan import LARGEST_PART
    from s3kit.proof.digest import LEAF
    value = options.size(text)
    if not value or value % LEAF or value > LARGEST_PART:
        raise argparse.ArgumentTypeError(f"'{text}' is not 8M, or a multiple of it, up to 5G")
    return value


def word(text):
    """Return a text that goes through a header as it is."""
    from s3kit.put.headers import PLAIN
    if not PLAIN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a line of printable ASCII")
    return text


def pair(text):
    """Return (name, value) of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=VALUE")
    return options.unicode_text(name), options.unicode_text(value)


def metadata(text):
    """Return (name, value) of --metadata, as they go through headers."""
    from s3kit.put.headers import is_metadata
    name, value = pair(text)
    if not is_metadata(name.lower(), value):
        raise argparse.ArgumentTypeError(
            f"'{text}' cannot be metadata: names and values are printable ASCII")
    return name.lower(), value


def check(args):
    """Refuse options that contradict each other. Raises Usage."""
    from s3kit.errors import Usage
    if args.abort and not args.uploads:
        raise Usage("--abort goes with --uploads")
    if args.uploads and args.file:
        raise Usage("--uploads reads no manifest and no directory (-d DIR: where the ledger is)")
    if args.dry_run and args.remove_local:
        raise Usage("a dry run (-n) removes nothing: it goes with no --remove-local")
    for path in args.file:
        if not args.from_form and is_data(path):
            raise Usage(f"'{path}' is no manifest: s3-put sends what a manifest names, or all of a "
                        "directory ('s3-manifest DIR | s3-put ...' takes filters and edits)")
    folders = [path for path in args.file if os.path.isdir(path)]
    if folders and len(args.file) > 1:
        raise Usage(f"'{folders[0]}' is a directory: give one, and nothing else")
    if folders:
        if args.dest != ".":
            raise Usage(f"'{args.file[0]}' is a directory, and so is -d '{args.dest}': give one")
        if args.in_place:
            raise Usage("-i rewrites a manifest: it goes with no directory")
        args.dest = args.file[0]


def is_data(path):
    """Return whether a file is none that people or commands write manifests to: it has bytes that
    no text has, and is not compressed.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError:
        return False        # what is wrong is said where it is read
    return b"\0" in head and not head.startswith(PACKED)


def put(args):
    """Upload what is not there yet; return the status."""
    check(args)
    if args.uploads:
        return uploads(args)
    args.bucket = args.bucket or args.target[0]     # of the rows of a local tree
    args.takes_trees = True
    from s3kit.put.run import run
    return transform(args, run, makes=("stored_at",))


def uploads(args):
    """List or abort the uploads that are not complete; return the status."""
    from s3kit.cli.progress import Progress
    from s3kit.cli.signals import Signals
    from s3kit.cli.tally import Tally
    from s3kit.put.leftovers import run
    from s3kit.put.place import resumable
    if args.older:
        args.older = time.time() - args.older.timestamp()
    with resumable(args.dest) as is_ours:
        return run(args, (Tally(args), Progress(args), Signals), is_ours)


def main(argv=None):
    """Run s3-put."""
    return frame.run(build_parser(), put, argv)
