"""s3-list: list buckets, objects and versions."""

import sys
from functools import partial

from s3kit.cli import frame, options
from s3kit.cli.messages import say
from s3kit.cli.signals import Signals
from s3kit.errors import DONE, SOME_FAILED, NoAccess, NoCredentials, Usage

NAME = "s3-list"
ALL = "s3://"           # all buckets, as `aws s3 ls s3://` has it


def build_parser():
    """Declare the options of s3-list."""
    p = options.parser(NAME, "List buckets, objects and versions.",
                       example="s3-list -lH s3://photos/")
    p.add_argument("address", metavar="s3://BUCKET/PREFIX", nargs="*",
                   help="what to list; all buckets if none, or s3://")
    p.add_argument("-R", "--recursive", action="store_true", help="all keys below, not one level")
    p.add_argument("--versions", action="store_true", help="all versions and delete markers")
    p.add_argument("-l", "--long", action="store_true",
                   help="time, size, storage class (and version) before the key")
    p.add_argument("-H", "--human-readable", action="store_true", help="sizes like 1.5K, 12M")
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    p.add_argument("-0", "--null", action="store_true", help="raw names, each ended by a NUL")
    p.add_argument("--summarize", action="store_true",
                   help="in the end, how many and how much; with -l also of each bucket")
    p.add_argument("--du", action="store_true",
                   help="how much lies below each folder, and how many objects, in place of names")
    p.add_argument("--depth", metavar="N", type=options.whole,
                   help="with --du: only folders down to N levels (all)")
    options.filter_options(p)
    options.connections_option(p)
    options.s3_options(p)
    return p


def check(args):
    """Refuse options that mean nothing together. Raises Usage."""
    from s3kit.manifest.filters import Filter
    if args.du and (args.long or args.null):
        raise Usage("--du prints sizes and numbers: it goes with no -l and no -0")
    if args.depth is not None and not args.du:
        raise Usage("--depth goes with --du")
    if {*args.address} <= {ALL} and not (args.du or sizes_buckets(args) or Filter(args).is_idle):
        raise Usage("filters choose keys: name a bucket, like s3://photos/")


def sizes_buckets(args):
    """Return whether it is said of buckets how large they are."""
    return args.long and args.summarize


class Listed:
    """One run: what is asked of S3, and who prints it."""

    def __init__(self, args):
        from s3kit.listing.contents import Contents
        from s3kit.listing.listing import CONNECTIONS, Listing
        from s3kit.listing.printing import Printer
        from s3kit.s3.access import Access
        from s3kit.s3.address import parse_s3
        self.args = args
        self.addresses = [parse_s3(text) for text in args.address if text != ALL]
        self.all = not args.address or ALL in args.address
        self.access = Access(args, Signals.at_once)
        self.contents = Contents(Listing(Signals.check, args.connections or CONNECTIONS,
                                         self.access.renewed), args)
        self.printer = Printer(args, len({bucket for bucket, _ in self.addresses}) + self.all > 1)
        self.status = DONE

    def run(self):
        """Print what was asked for; return the status."""
        for name, created in self.access.buckets() if self.all else ():
            self.print_bucket(name, created)
            sys.stdout.flush()
        for bucket, prefix in self.addresses:
            self.print_below(bucket, prefix)
            if prefix and not self.contents.is_there:
                # As ls has it: the others are listed all the same.
                self.complain(f"cannot find 's3://{bucket}/{prefix}': no such key or prefix")
        if self.args.summarize:
            self.printer.summary(self.all and not self.args.du,
                                 self.addresses or self.args.du or self.args.long)
        return self.status

    def print_bucket(self, name, created):
        """Print one of all buckets."""
        if self.args.du:
            self.tried(lambda: self.print_below(name, ""))
        else:
            totals = self.tried(lambda: self.size_of(name)) if sizes_buckets(self.args) else None
            self.printer.bucket(name, created, totals)

    def tried(self, work):
        """Do some work, return what it does; a bucket that we may not look into keeps no other from
        it.
        """
        try:
            return work()
        except NoCredentials:
            raise
        except NoAccess as fault:
            self.complain(str(fault))

    def print_below(self, bucket, prefix):
        """Print what lies below an address, or how much."""
        if self.args.du:
            for name, totals, is_top in self.folders(bucket, prefix, self.args.depth):
                self.printer.folder(bucket, name, totals, is_top)
            return
        for batch in self.contents.batches(self.access.endpoint(bucket), prefix,
                                           self.args.recursive):
            self.printer.batch(batch)

    def folders(self, bucket, prefix, depth):
        """Yield (name, Totals, whether it is the address itself) of folders, when all has come."""
        from s3kit.listing.folders import Folders
        folders = Folders(prefix, depth)
        for batch in self.contents.batches(self.access.endpoint(bucket), prefix, True):
            yield from ((*folder, False) for folder in folders.add(batch.rows))
            sys.stdout.flush()
        if self.contents.is_there or not prefix:
            yield from ((name, totals, not folders.open) for name, totals in folders.end())

    def size_of(self, bucket):
        """Return the Totals of a bucket."""
        (_, totals, _), = self.folders(bucket, "", 0)
        return totals

    def complain(self, text):
        """Say what is wrong, and go on."""
        say(self.args.prog, text)
        self.status = SOME_FAILED


def list_all(args):
    """Print what was asked for; return the status."""
    from s3kit.s3.capabilities import KNOWN
    check(args)
    status = Listed(args).run()
    KNOWN.tell(partial(say, args.prog), args.verbose)
    return status


def main(argv=None):
    """Run s3-list."""
    return frame.run(build_parser(), list_all, argv)
