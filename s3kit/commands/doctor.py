"""s3-doctor: look at credentials, network, buckets and disks, and say what to do."""

import sys

from s3kit.cli import frame, options
from s3kit.cli.messages import say
from s3kit.cli.progress import Progress
from s3kit.cli.signals import Signals
from s3kit.text import visible

NAME = "s3-doctor"
MODES = ("speed", "volumes")
MANY = 50               # buckets that people wait for


def build_parser():
    """Declare the options of s3-doctor."""
    p = options.parser(NAME, "Look at credentials, network, buckets and disks, and say what to do.",
                       usage="%(prog)s [options] [BUCKET ...]\n       %(prog)s --speed "
                       "s3://BUCKET/PREFIX [options]\n" "       %(prog)s --volumes [options]",
                       example="s3-doctor -d /data photos logs")
    p.parse_args = p.parse_intermixed_args      # buckets may follow options
    p.add_argument("bucket", metavar="BUCKET", nargs="*",
                   help="look into these, as NAME or s3://NAME; all if none")
    options.dest_option(p, "where the files would lie (the current directory)")
    p.add_argument("--buckets", metavar="N", type=options.whole, default=1000,
                   help="look into no more than N buckets (1000)")
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    p.add_argument("--speed", metavar="s3://BUCKET/PREFIX",
                   help="measure how fast its objects come, and say which -j and -c to use")
    p.add_argument("--for", metavar="TIME", dest="seconds", type=options.span, default=30,
                   help="with --speed: for so long (30s)")
    p.add_argument("--max-bytes", metavar="SIZE", type=options.size, default=1 << 30,
                   help="with --speed: read no more than SIZE from S3, which costs money (1G)")
    p.add_argument("--svg", metavar="FILE", help="with --speed: draw it")
    p.add_argument("--volumes", action="store_true",
                   help="print the commands that would lay out the empty disks; run none")
    options.pool_options(p, requests=False)
    p.set_defaults(jobs=None, connections=None)         # --speed goes up to what the machine has
    options.s3_options(p)
    options.progress_options(p)
    return p


def examine(args):
    """Do what was asked for; return the status."""
    from s3kit.errors import Usage
    modes = [mode for mode in MODES if getattr(args, mode)]
    if len(modes) > 1 or (modes and args.bucket):
        raise Usage("--speed, --volumes and BUCKET do not go together")
    if args.svg and not args.speed:
        raise Usage("--svg goes with --speed")
    return {"speed": speed, "volumes": volumes}.get(modes[0] if modes else "", check)(args)


def check(args):
    """Look at everything, print what was found; return the status."""
    from concurrent.futures import wait

    from s3kit.doctor import destination
    from s3kit.doctor.aside import Late, aside
    from s3kit.doctor.checkup import TOGETHER, Checkup
    from s3kit.doctor.limits import room_for
    from s3kit.doctor.report import Report
    args.bucket = [bucket_in(word) for word in args.bucket]
    args.together = room_for(TOGETHER)
    report = Report(args, sys.stdout, lambda text: say(args.prog, text))
    here = aside(destination.findings, args.dest, args.connections or 32)
    checkup = Checkup(args, Signals.check, report.trace)
    try:
        report.add(checkup.findings())
    except BaseException:
        wait([here], 1)         # its scratch directory goes with it
        raise
    try:
        report.add(checkup.limit.wait(here))
    except Late:
        report.add(destination.late(args.dest))
    report.add(buckets(args, checkup))
    report.summary()
    return checkup.status(report.findings)


def buckets(args, checkup):
    """Return the Findings of the buckets; a bar tells how many answers are still to come where they
    are many.
    """
    if len(args.bucket or checkup.found) < MANY:
        return list(checkup.buckets())
    checkup.progress = Progress(args, unit=" answers")
    try:
        return list(checkup.buckets())
    finally:
        checkup.progress.close()


def speed(args):
    """Measure how fast a bucket's objects come, print a table and what follows from it; return the
    status.
    """
    import json

    from s3kit.doctor.advice import HEAD, advice, row_of, verdict
    from s3kit.doctor.plot import drawing
    from s3kit.doctor.speed import Speed
    from s3kit.errors import DONE
    from s3kit.s3.address import parse_s3
    from s3kit.units import show_size, show_span
    write = sys.stdout.write
    measured = Speed(args, *parse_s3(args.speed), Signals.check)
    if not args.quiet:
        say(args.prog,
            f"measures for about {show_span(args.seconds)}, and reads no more than "
            f"{show_size(args.max_bytes)}")
    if not args.json:
        write(f"{visible(measured.objects.title())}\n{HEAD}\n")
    for step in measured.steps():
        write((json.dumps(step.json()) if args.json else row_of(step)) + "\n")
        sys.stdout.flush()
    if args.json:
        write(json.dumps(verdict(measured)) + "\n")
    else:
        write("".join(f"{what:<8} {visible(text)}\n" for what, text in advice(measured)))
    if args.svg:
        save(args.svg, drawing(measured.objects.title(), measured.done,
                               measured.knee(measured.done)))
    return DONE


def save(path, text):
    """Write a file, whole or not at all. Raises Fault."""
    from s3kit.disk.durable import PUBLIC, Replacement
    from s3kit.errors import of_file
    try:
        with Replacement(path, PUBLIC) as new:
            new.file.write(text.encode())
    except OSError as error:
        raise of_file("write", path, error) from None


def volumes(args):
    """Print what disks there are, and how the empty ones would be laid out; return the status."""
    import json

    from s3kit.doctor.volumes import disks, layout, script
    from s3kit.errors import DONE
    found = disks()
    commands = layout(found)
    lines = script(found, commands)
    if args.json:
        lines = [json.dumps({**disk._asdict(), "commands": commands.get(disk.name, [])})
                 for disk in found]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return DONE


def bucket_in(word):
    """Return the bucket that a word names. Raises Usage."""
    from s3kit.errors import Usage
    from s3kit.manifest.row import BUCKET
    name = word.removeprefix("s3://").partition("/")[0]
    if not BUCKET.fullmatch(name):
        raise Usage(f"'{word}' is not a bucket (NAME or s3://NAME)")
    return name


def main(argv=None):
    """Run s3-doctor."""
    return frame.run(build_parser(), examine, argv)
