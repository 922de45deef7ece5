"""What the commands share that read a manifest, act on its rows and pass it on."""

from s3kit.cli.progress import Progress
from s3kit.cli.signals import Signals
from s3kit.cli.streams import Sink, Source, closing
from s3kit.cli.tally import Tally
from s3kit.errors import Usage


def transform(args, run, unit="B", makes=()):
    """Run a command's work on the manifests it was given; return the exit status.

    `run(args, (source, sink), (tally, progress, signals))` does it and returns what has `summary()`
    and `status()`. `unit` is what the progress bar counts; `makes` are the optional columns that
    the command gives to rows. Raises Usage where a dry run would rewrite its FILE, which need not
    keep all rows.
    """
    if getattr(args, "dry_run", False) and args.in_place:
        raise Usage("a dry run (-n) rewrites no file: it goes with no -i")
    source = Source(args)
    tally, progress = Tally(args), Progress(args, unit)
    with closing(Sink(args, lambda: args.format or source.form, shard=source.shard, makes=makes),
                 progress) as sink:
        done = run(args, (source, sink), (tally, progress, Signals))
    tally.summary(progress, done.summary())
    return done.status()
