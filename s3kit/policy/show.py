"""s3-policy show: a bucket's document, as it is planned, live or kept."""

import sys

from s3kit.errors import DONE, Fault
from s3kit.policy.documents import pretty, readable


def show(run, buckets):
    """Print documents: what is planned, or live, or the last backup; return the status."""
    return run.each(buckets, lambda bucket: show_one(run, bucket))


def show_one(run, bucket):
    """Print one bucket's document; return the status. Raises Fault."""
    text = chosen(run, bucket)
    if text is None:
        run.say(f"{bucket}: " + ("no policy is live: principals' own policies alone decide"
                                 if run.args.live else "the backup is of no policy"))
        if sys.stdout.isatty():
            return DONE             # null is for programs
    document = readable(text)
    shown = pretty(document) if document else f"{text or 'null'}\n"
    if sys.stdout.isatty():
        run.print(shown.splitlines())
    else:
        sys.stdout.write(shown)
    return DONE


def chosen(run, bucket):
    """Return the text that the options choose, None for no policy. Raises Fault."""
    if run.args.live:
        return run.live.get(bucket)
    if run.args.backup:
        kept = run.shelf.backups(bucket)
        if not kept:
            raise Fault("there is no backup")
        return kept[0].text
    text = run.shelf.planned(bucket)
    if text is None:
        raise Fault(
            f"nothing is planned: there is no '{run.shelf.place(bucket)}' (--live shows what is "
            "live)")
    return text
