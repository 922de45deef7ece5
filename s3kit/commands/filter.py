"""s3-filter: select, split, compare and join manifests."""

import argparse
import sys
from argparse import Namespace

from s3kit.cli import frame, options
from s3kit.cli.progress import Progress
from s3kit.cli.streams import Sink, Source, closing
from s3kit.cli.tally import Tally
from s3kit.errors import DONE, SOME_FAILED, Usage
from s3kit.text import count

NAME = "s3-filter"


def build_parser():
    """Declare the options of s3-filter."""
    p = options.parser(NAME, "Select, split, compare and join manifests.",
                       example="s3-filter --state failed,mismatch,missing photos.csv | s3-fetch "
                               "-d /data -o again.csv")
    options.input_options(p)
    set_options(p.add_argument_group("sets"))
    moment_options(p.add_argument_group("time", "Offline, from a manifest of all versions."))
    select_options(p.add_argument_group("select"))
    order_options(p.add_argument_group("order and sums"))
    split_options(p.add_argument_group("split"))
    options.output_options(p, in_place=False, foreign=True)
    options.progress_options(p)
    options.filter_options(p)
    return p


def select_options(group):
    """Add what selects rows, beside the filters of all commands."""
    group.add_argument("--state", metavar="STATE,...", type=typed("selection", "parse_states"),
                       help="only rows in these states; 'none': those without one")
    versions = group.add_mutually_exclusive_group()
    versions.add_argument("--latest", action="store_true", default=None,
                          help="only the newest version of each key")
    versions.add_argument("--noncurrent", action="store_false", dest="latest",
                          help="only versions that are not the newest")
    markers = group.add_mutually_exclusive_group()
    markers.add_argument("--markers", action="store_true", default=None,
                         help="only delete markers")
    markers.add_argument("--no-markers", action="store_false", dest="markers",
                         help="no delete markers")
    group.add_argument("--where", metavar="EXPR", action="append", default=[],
                       type=typed("expression", "Expression"),
                       help="only rows of which EXPR holds, like: size > 10M and "
                       "last_modified < 30d and key like '%%.jpg'")
    shard_options(group)
    group.add_argument("--skip", metavar="N", type=options.whole,
                       help="leave out the first N of these rows")
    group.add_argument("--first", metavar="N", type=options.positive,
                       help="only the first N of these rows; no more is read")
    group.add_argument("--sample", metavar="N", type=options.positive,
                       help="only N of these rows, taken at random")
    group.add_argument("--seed", metavar="S", type=options.whole,
                       help="take the same sample of the same rows again")


def shard_options(group):
    """Add which part of the rows is meant, where several jobs share them."""
    shard = group.add_mutually_exclusive_group()
    shard.add_argument("--shard", metavar="K/N", type=typed("array_job", "parse_asked"),
                       help="only the Kth of N parts, by bucket and key, like 1/4; auto/N: the "
                       "part of this job of an array")
    shard.add_argument("--shard-index", metavar="I", type=options.whole,
                       help="the same counted from 0, of --shards N")
    group.add_argument("--shards", metavar="N", type=typed("array_job", "parse_number"),
                       help="with --shard-index, of how many parts; with --merge, how many must be "
                       "there")


def split_options(group):
    """Add what says how the rows are written."""
    group.add_argument("--split-rows", metavar="N", type=options.positive,
                       help="write pieces of N rows at most, to -o part-%%03d.csv")
    group.add_argument("--split-size", metavar="SIZE", type=options.size,
                       help="write pieces of objects of SIZE at most, together, like 500G")
    group.add_argument("--bare", action="store_true",
                       help="write CSV without its first and last line, for other tools")


def set_options(group):
    """Add what takes manifests as sets of rows."""
    first = group.add_mutually_exclusive_group()
    first.add_argument("--diff", action="store_true",
                       help="compare two FILEs, OLD and NEW: columns 'change' and 'rests_on'")
    first.add_argument("--merge", action="store_true",
                       help="all FILEs as one: of each version the row that comes last")
    first.add_argument("--extra", action="store_true",
                       help="the files below DIR (-d) that no row names")
    group.add_argument("--map", metavar="s3://A/=s3://B/", action="append",
                       type=typed("difference", "parse_map"),
                       help="with --diff, where OLD's names are in NEW")
    options.dest_option(group, "with --extra, where s3-fetch puts files (the current directory)")
    group.add_argument("--minus", metavar="OTHER", action="append", default=[],
                       help="only rows that the manifest OTHER does not name")
    group.add_argument("--common", metavar="OTHER", action="append", default=[],
                       help="only rows that OTHER names, too")


def moment_options(group):
    """Add what tells of another time."""
    then = group.add_mutually_exclusive_group()
    then.add_argument("--at", metavar="TIME", type=options.moment,
                      help="the objects as they were at TIME")
    then.add_argument("--undelete", action="store_true",
                      help="the versions that current delete markers hide")


def order_options(group):
    """Add what sorts and sums up rows."""
    group.add_argument("--sort", metavar="COLUMN,...", type=typed("order", "columns_of"),
                       help="in this order; '-' before a column turns it round")
    sums = group.add_mutually_exclusive_group()
    sums.add_argument("--totals", action="store_true",
                      help="no rows: how many and how large, by bucket, state, class and proof")
    sums.add_argument("--by-prefix", metavar="DEPTH", type=options.whole,
                      help="no rows: where the bytes are, to so many folders deep")
    group.add_argument("--json", action="store_true",
                       help="--totals and --by-prefix as one JSON object a line")


def typed(module, name):
    """Return the type of an option whose values a function in the package `filter` reads."""
    def read(text):
        from importlib import import_module
        try:
            return getattr(import_module(f"s3kit.filter.{module}"), name)(text)
        except (ValueError, Usage) as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    return read


def check(args):
    """Refuse options that mean nothing together. Raises Usage."""
    if args.diff and len(args.file) != 2:
        raise Usage("--diff compares two FILEs, OLD and NEW")
    if args.shard_index is not None and (args.merge or not args.shards):
        raise Usage("--shard-index I goes with --shards N, and not with --merge")
    if args.shards and not args.merge and args.shard_index is None:
        raise Usage("--shards N goes with --merge or --shard-index (--shard K/N says it itself)")
    if args.map and not args.diff:
        raise Usage("--map goes with --diff")
    if args.dest != "." and not args.extra:
        raise Usage("-d goes with --extra")
    if args.json and not is_sum(args):
        raise Usage("--json goes with --totals and --by-prefix")
    if is_sum(args) and (args.output or args.format or args.bare or is_split(args)):
        raise Usage("--totals and --by-prefix write no manifest: they go with no -o, no -f, no "
                    "--bare and no --split")
    if args.seed is not None and not args.sample:
        raise Usage("--seed goes with --sample")
    if is_split(args) and args.output in (None, "-"):
        raise Usage("--split-rows and --split-size write files: -o names them, like "
                    "-o part-%03d.csv")
    if args.bare and args.format not in (None, "csv"):
        raise Usage("--bare is CSV: it goes with no other -f")
    if [*args.file, *args.minus, *args.common].count("-") + (not args.file) > 1:
        raise Usage("standard input can be read once")


def is_sum(args):
    """Return whether sums are asked for, not rows."""
    return args.totals or args.by_prefix is not None


def is_split(args):
    """Return whether the rows go into pieces."""
    return bool(args.split_rows) or args.split_size is not None


def sink_of(args, form, shard):
    """Return the Sink, or with --split the Pieces, that rows are written to."""
    if args.bare:
        args.format = "bare"
    if not is_split(args):
        return Sink(args, form, source_rows=True, shard=shard)
    from s3kit.filter.splitting import Pattern, Pieces
    try:
        pattern = Pattern(args.output)
    except ValueError as error:
        raise Usage(f"-o names the pieces: {error}") from None
    return Pieces(lambda name: Sink(Namespace(**{**vars(args), "output": name}), form,
                                    shard=shard), pattern, args.split_rows, args.split_size)


def source_of(args, path):
    """Return the Source of one manifest; -0 and --keys speak of the input alone, not of OTHER."""
    told = {"from_form": None} if (args.null or args.keys) and path not in args.file else {}
    return Source(Namespace(**{**vars(args), "file": [path], **told}))


class Work:
    """The rows of one run: where they come from, what is said of them, where they go."""

    def __init__(self, args):
        self.args, self.difference = args, None
        self.tally = Tally(args, "the output is not whole")
        self.progress = Progress(args, "row")
        self.sources = ([source_of(args, path) for path in args.file] if args.diff
                        else [Source(args)])
        self.nonsense = self.count = 0
        self.mark = self.shard      # or what an operation says that its rows are

    def form(self):
        """The form of the input."""
        return self.sources[0].form

    def shard(self):
        """The mark of the shard that all of the input is, or ''."""
        marks = {source.shard() for source in self.sources}
        return marks.pop() if len(marks) == 1 else ""

    def shards(self):
        """The marks of all shards that were read so far, '' for what is not one."""
        return [mark for source in self.sources for mark in source.shards()]

    def inputs_of(self, mark):
        """The names of the inputs that are a shard."""
        return [name for source in self.sources for name in source.inputs_of(mark)]

    def has_header(self):
        """Return whether all columns are known before the first row."""
        return all(source.has_header() for source in self.sources)

    def extras(self):
        """The names of all unknown columns seen so far."""
        names = {name: None for source in self.sources for name in source.extras()}
        if self.difference:
            from s3kit.filter.difference import COLUMNS
            names.update(dict.fromkeys(COLUMNS))
        return list(names)

    def batches(self):
        """Yield the rows that come through all operations; those that make no sense are named."""
        from s3kit.filter.operations import operations
        if self.args.diff:
            from s3kit.filter.difference import Difference
            self.difference = Difference(*self.sources, self.args.map or ())
            batches = self.difference.batches()
        else:
            batches = self.sources[0].batches()
        for operation in operations(self.args, self, lambda path: source_of(self.args, path),
                                    self.tally.say):
            batches = operation(batches)
            self.mark = getattr(operation, "shard", self.mark)
        for rows in batches:
            for row in rows:
                if row.verbatim is not None or self.args.verbose:
                    self.nonsense += row.verbatim is not None
                    self.tally.count(row, told=row.verbatim is not None)
            self.count += len(rows)
            yield rows
            self.progress.move(len(rows))

    def write(self):
        """Write the rows as a manifest."""
        with closing(sink_of(self.args, self.form, lambda: self.mark()), self.progress) as sink:
            for rows in self.batches():
                sink.write(rows, self.extras())
        if self.difference:
            self.tally.say(", ".join(self.difference.summary()))
        if self.args.verbose or self.progress.is_shown:
            self.tally.summary(self.progress, [count(self.count, "row")])

    def sum_up(self):
        """Print sums of the rows, once all of them have come."""
        from s3kit.filter.sums import lines
        try:
            found = lines(self.batches(), self.args.by_prefix, self.args.json)
        finally:
            self.progress.close()
        sys.stdout.writelines(found)

    def status(self):
        """Return the exit status."""
        if self.nonsense:
            return SOME_FAILED
        return self.difference.status() if self.difference else DONE


def filter_rows(args):
    """Write the rows that come through all operations, or sums of them; return the status."""
    check(args)
    work = Work(args)
    if is_sum(args):
        work.sum_up()
    else:
        work.write()
    return work.status()


def with_values(argv):
    """Return arguments so that `--sort -size` has a value, which else would be taken for an option.
    """
    found = []
    for text in argv:
        if found and found[-1] == "--sort":
            found[-1] += f"={text}"
        else:
            found.append(text)
    return found


def main(argv=None):
    """Run s3-filter."""
    return frame.run(build_parser(), filter_rows,
                     with_values(sys.argv[1:] if argv is None else argv))
