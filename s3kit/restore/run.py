"""The run of one s3-restore: the question before money is spent, then its stage."""

from s3kit.cluster.workers import control_of
from s3kit.manifest.spool import Spool
from s3kit.pipeline.stage import Stage
from s3kit.restore.asking import ArchiveCall
from s3kit.restore.estimate import estimate
from s3kit.restore.departures import Departures
from s3kit.restore.pricing import Prices
from s3kit.restore.restoring import Restoring
from s3kit.s3.access import Access
from s3kit.text import count
from s3kit.units import show_size

TOGETHER = 1000         # queries of one batch: what a page of a listing can show
AHEAD = 4 * TOGETHER    # rows being looked at


def run(args, streams, people, ask=None):
    """Restore the rows of `streams`; return what has the summary and the status.

    `ask` is the Person who is asked first, if any. Raises Fault (Cut).
    """
    stage = Stage(args, streams, people, Access(args, people[2].at_once))
    prices, batches = Prices(args.prices), stage.source.batches()
    if ask:
        whole = Spool()
        found = estimate(args, prices, batches, whole.add)
        batches = drain(whole)
        if found.objects and not may_spend(ask, found):
            return pass_on(stage, batches, found.objects)
    stage.open(control_of(args, stage), lambda: ArchiveCall, limit=AHEAD, together=TOGETHER,
               batches=batches, is_spooled=True)
    restoring = Restoring(stage)
    stage.run(restoring)
    return restoring


def may_spend(ask, found):
    """Show a Person an Estimate; return whether they say yes."""
    for line in found.lines():
        ask.show(line)
    return ask(f"Ask S3 for {count(found.objects, 'object')} ({show_size(found.bytes)})?")


def pass_on(stage, batches, left):
    """Let all rows go as they came, of which `left` are archived; return what `run` does."""
    for batch in batches:
        for row in batch:
            stage.tally.count(row)
        stage.write(batch)
    departures = Departures(stage)
    departures.left = left
    return departures


def drain(spool):
    """Yield what is in a spool, in lists."""
    while len(spool):
        yield spool.take()
